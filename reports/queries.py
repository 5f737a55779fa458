"""What is asked of every run: the queries of its expectations, and a standard set for its report."""

from collections.abc import Iterator

from scenarios.expectations import Query
from scenarios.model import Drill, RequestPorts
from scenarios.numberplan import NumberError, canonical
from scenarios.replication import replicated
from scenarios.rules.plan import caps, pairs_meant

_OVERALL = (
    "attempts",
    "answered",
    "blocked",
    "failed",
    "abandoned",
    "delayed",
    "dropped",
    "asr",
    "blocked_ratio",
    "failed_ratio",
    "abandoned_ratio",
    "ner",
    "ser",
    "seer",
    "isa",
    "dropped_ratio",
    "caller_loss",
    "setup_delay_p50",
    "setup_delay_p95",
    "setup_delay_p99",
    "setup_delay_max",
)
_PER_DIRECTION = ("attempts", "asr", "blocked_ratio", "failed_ratio")
_PER_NUMBER = ("attempts", "asr", "blocked_ratio", "caller_loss")
_PER_EMERGENCY = ("attempts", "asr", "blocked_ratio", "failed_ratio")
_PER_QUEUE = ("service_level", "asa", "abandoned_ratio")

_OF_REPLICAS = ("rpo", "data_lost", "unprotected")
"""Of the site that gets replicas; the first two of each class of data as well."""


def resolve(query: Query) -> Query:
    """Return ``query`` with its phone numbers in the one spelling that plans and records use."""
    return Query(
        query.metric,
        tuple((key, _spelled(value) if key in ("number", "limit") else value) for key, value in query.selectors),
        query.after,
        query.before,
    )


def _spelled(value: str) -> str:
    try:
        return canonical(value)
    except NumberError:
        return value  # a limit need not be a number, and of numbers outside the plan the lint has had its say


def default_queries(drill: Drill) -> tuple[Query, ...]:
    """Return the queries of ``drill.expect``, then the standard set; each once."""
    expected = (resolve(expectation.query) for expectation in drill.expect)
    return tuple(dict.fromkeys((*expected, *_standard(drill))))


def _standard(drill: Drill) -> Iterator[Query]:
    inbound = [stream.to for stream in drill.traffic if stream.from_ is None]
    numbers = list(dict.fromkeys(inbound))
    yield from map(Query, _OVERALL)
    if drill.keeps_hours:
        yield Query("closed")
    if 0 < len(inbound) < len(drill.traffic):
        yield from (_about(name, "direction", way) for way in ("in", "out") for name in _PER_DIRECTION)
    yield from (_about(name, "number", number) for number in numbers for name in _PER_NUMBER)
    emergencies = dict.fromkeys(stream.to for stream in drill.traffic if stream.emergency)
    yield from (_about(name, "number", number) for number in emergencies for name in _PER_EMERGENCY)
    queues = dict.fromkeys(entry.queue for entry in drill.numbers.values() if entry.queue is not None)
    if queues:
        yield from map(Query, _PER_QUEUE[:2])
    yield from (_about(name, "queue", queue) for queue in queues for name in _PER_QUEUE)
    yield from (_about("ports_peak", "limit", limit) for limit in limits(drill))
    phones = dict.fromkeys(site for group in drill.agents.values() for site in group.softphone.sites)
    yield from (_about("register_peak", "site", site) for site in phones)
    if drill.sync is not None:
        yield from map(Query, _OF_REPLICAS)
        yield from (_about(name, "data", data) for data in replicated(drill) for name in _OF_REPLICAS[:2])
    if drill.faults:
        yield from _after_faults(drill, numbers)


def _after_faults(drill: Drill, numbers: list[str]) -> Iterator[Query]:
    if numbers:
        yield Query("recovery_time")
    sites = dict.fromkeys(
        drill.sbc_pairs[pair].site for number in numbers for pair in pairs_meant(drill, {"number": number})
    )
    for name in ("recovery_time", "outage_minutes"):
        yield from (_about(name, "number", number) for number in numbers)
        yield from (_about(name, "site", site) for site in sites)
    hit = {pair: drill.sbc_pairs[pair].site for pair in drill.sbc_pairs if _loses_active(drill, pair)}
    for name in ("time_to_detect", "takeover_time"):
        yield from (_about(name, "pair", pair) for pair in hit)
        yield from (_about(name, "site", site) for site in dict.fromkeys(hit.values()))
        yield from (
            _about(name, "number", number)
            for number in numbers
            if not hit.keys().isdisjoint(pairs_meant(drill, {"number": number}))
        )
    taken = (fault.pair or fault.trunk or fault.office for fault in drill.faults)
    yield from (_about("dropped", "cause", part) for part in dict.fromkeys(taken) if part is not None)
    yield from (_about("softphones_back", "agents", group) for group in drill.agents)
    yield from (_about("registration_p95", "agents", group) for group in drill.agents)
    if drill.runbook:
        yield Query("runbook_time")
    asking = (step.step for step in drill.runbook if isinstance(step.does, RequestPorts))
    yield from (_about("time_to_grant", "step", step) for step in asking)


def _loses_active(drill: Drill, pair: str) -> bool:
    return any(fault.pair == pair and fault.fails == "active" for fault in drill.faults)


def _about(metric: str, selector: str, value: str) -> Query:
    return Query(metric, ((selector, value),))


def limits(drill: Drill) -> dict[str, int]:
    """Return the cap of every limit of the plan, as calls at the same time; a pair's is that of one node."""
    return {**{str(name): cap for (_, name, *_), cap in caps(drill).items()}, **drill.forwarding_limits()}
