"""Who computes each metric of the registry: one producer an entry, a function of facts and a query."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reports.calltable import CallTable, Key, Measure
from reports.chronicle import PROMPT, Chronicle
from reports.levels import PhonesLeast, PortPeaks, RegisterPeaks
from reports.outage import OutageWatch
from reports.recovery import RecoveryWatch
from reports.responsibility import Responsibility
from reports.summary import LOST, Value
from scenarios.evidence import Outcome
from scenarios.expectations import Query


@dataclass(frozen=True, slots=True)
class Facts:
    """All that was gathered of one replication."""

    calls: CallTable
    recovery: Mapping[Query, RecoveryWatch]
    outages: Mapping[Query, OutageWatch]
    ports: PortPeaks
    registers: RegisterPeaks
    phones: PhonesLeast
    chronicle: Chronicle


Producer = Callable[[Facts, Query], Value]


def caller_ended(key: Key) -> bool:
    """Whether calls with this key were their callers' last, have ended, and could have been answered at that hour."""
    return key.final and key.outcome not in (Outcome.IN_PROGRESS, Outcome.CLOSED)


def caller_lost(key: Key) -> bool:
    """Whether callers with this key ended without success."""
    return key.final and key.outcome in LOST


def _outcome(outcome: Outcome) -> Callable[[Key], bool]:
    return lambda key: key.outcome is outcome


def _count(measure: Measure, only: Callable[[Key], bool] | None = None, *, warm: bool = False) -> Producer:
    return lambda facts, query: facts.calls.total(measure, query, only, warm=warm)


@dataclass(frozen=True, slots=True)
class Ratio:
    """One count over another; `limit` and `cause` narrow the part only, for other calls do not bear their name."""

    part: Producer
    whole: Producer

    def __call__(self, facts: Facts, query: Query) -> Value:
        """Return the ratio; None where there is nothing that it would be a part of."""
        below, above = self.of(facts, query), self.part(facts, query)
        return above / below if below and above is not None else None

    def of(self, facts: Facts, query: Query) -> Value:
        """Return how many it is a part of."""
        selectors = tuple(item for item in query.selectors if item[0] not in ("limit", "cause"))
        return self.whole(facts, Query(query.metric, selectors, query.after, query.before))


def _setup_delay(share: float) -> Producer:
    return lambda facts, query: facts.calls.setup_delay(query, share)


def _selected(query: Query, name: str) -> str:
    return dict(query.selectors)[name]


def _answering(*codes: int, given_up: bool = False) -> Producer:
    """Count attempts by their final response; a call in progress has had its 200 when somebody answered it."""

    def chosen(key: Key) -> bool:
        return key.sip in codes or (given_up and key.outcome is Outcome.ABANDONED and key.sip == _CANCELLED)

    finished, in_progress = _count(Measure.ATTEMPTS, chosen), _count(Measure.ANSWERED, _under_way)

    def produce(facts: Facts, query: Query) -> Value:
        return (finished(facts, query) or 0.0) + ((in_progress(facts, query) or 0.0) if 200 in codes else 0.0)

    return produce


def _responded(facts: Facts, query: Query) -> Value:
    """Count attempts with a final response, in the same way."""
    return (_finished(facts, query) or 0.0) + (_talking(facts, query) or 0.0)


def _outage(facts: Facts, query: Query) -> Value:
    """Return the time without service, or the part of it that one party is responsible for."""
    watch, owner = facts.outages[query], dict(query.selectors).get("owner")
    whole = watch.value()
    if owner is None or whole is None:
        return whole
    shares = Responsibility(facts.chronicle.drill, facts.chronicle, query).shares(watch.outages())
    return sum((seconds for cause, seconds in shares.items() if cause.owner == owner), 0.0)


_CANCELLED = 487
_under_way = _outcome(Outcome.IN_PROGRESS)
_finished = _count(Measure.ATTEMPTS, lambda key: key.sip != 0)
_talking = _count(Measure.ANSWERED, _under_way)
_blocked = _outcome(Outcome.BLOCKED)
_failed = _outcome(Outcome.FAILED)
_abandoned = _outcome(Outcome.ABANDONED)
_attempts = _count(Measure.ATTEMPTS)

PRODUCERS: dict[str, Producer] = {
    "attempts": _attempts,
    "answered": _count(Measure.ANSWERED),
    "blocked": _count(Measure.ATTEMPTS, _blocked),
    "failed": _count(Measure.ATTEMPTS, _failed),
    "abandoned": _count(Measure.ATTEMPTS, _abandoned),
    "closed": _count(Measure.ATTEMPTS, _outcome(Outcome.CLOSED)),
    "delayed": lambda facts, query: facts.calls.delayed(query, PROMPT),
    "dropped": _count(Measure.ATTEMPTS, _outcome(Outcome.DROPPED), warm=True),
    "asr": Ratio(_count(Measure.ANSWERED), _attempts),
    "blocked_ratio": Ratio(_count(Measure.ATTEMPTS, _blocked), _attempts),
    "failed_ratio": Ratio(_count(Measure.ATTEMPTS, _failed), _attempts),
    "abandoned_ratio": Ratio(_count(Measure.ATTEMPTS, _abandoned), _attempts),
    "ner": Ratio(_answering(200, 480, 486, 600, 603, given_up=True), _responded),
    "ser": Ratio(_answering(200), _responded),
    "seer": Ratio(_answering(200, 480, 486, 600, 603), _responded),
    "isa": Ratio(_answering(408, 500, 503, 504), _responded),
    "dropped_ratio": Ratio(
        _count(Measure.ATTEMPTS, _outcome(Outcome.DROPPED), warm=True),
        _count(Measure.DELIVERED, warm=True),
    ),
    "caller_loss": Ratio(
        _count(Measure.ATTEMPTS, caller_lost),
        _count(Measure.ATTEMPTS, caller_ended),
    ),
    "service_level": Ratio(_count(Measure.IN_TIME), _count(Measure.SERVED)),
    "asa": Ratio(_count(Measure.WAITED), _count(Measure.TAKEN)),
    "setup_delay_p50": _setup_delay(0.50),
    "setup_delay_p95": _setup_delay(0.95),
    "setup_delay_p99": _setup_delay(0.99),
    "setup_delay_max": _setup_delay(1.0),
    "ports_peak": lambda facts, query: facts.ports.value(query),
    "takeover_time": lambda facts, query: facts.chronicle.takeover_time(dict(query.selectors)),
    "time_to_detect": lambda facts, query: facts.chronicle.time_to_detect(dict(query.selectors)),
    "recovery_time": lambda facts, query: facts.recovery[query].value() if query in facts.recovery else None,
    "outage_minutes": _outage,
    "softphones_least": lambda facts, query: facts.phones.value(query),
    "softphones_back": lambda facts, query: facts.chronicle.softphones_back(_selected(query, "agents")),
    "registration_p95": lambda facts, query: facts.chronicle.registration_p95(dict(query.selectors).get("agents")),
    "register_peak": lambda facts, query: facts.registers.value(_selected(query, "site")),
    "time_to_grant": lambda facts, query: facts.chronicle.time_to_grant(dict(query.selectors).get("step")),
    "rpo": lambda facts, query: facts.chronicle.replica.rpo(dict(query.selectors).get("data")),
    "data_lost": lambda facts, query: facts.chronicle.replica.lost(dict(query.selectors).get("data")),
    "unprotected": lambda facts, query: facts.chronicle.replica.unprotected(),
    "runbook_time": lambda facts, query: facts.chronicle.runbook_time(**dict(query.selectors)),
}
"""By metric; None where there was nothing to measure, ``inf`` for never."""
