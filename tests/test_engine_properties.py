"""What must hold in every run of the `calls` engine, over random small drills, loads and faults.

The queue may have an IVR, widen its search, call back and overflow to an external team with a leg of its own.

Everything is worked out again from the evidence alone: who held which port when, who talked to whom, who tried again.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass
from functools import cached_property
from math import inf

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sbc.decisions.registration import CLIENTS
from scenarios.evidence import CallRecord, Direction, EventKind, Gauge, Outcome
from scenarios.model import Drill
from sim.world import World
from tests.drills import FREE_DIAL, MOBILE, OSAKA, TOKYO, Caller, ListRecorder, callers, drill, played

LASTS = 150.0
TEAM = "03-9999-9999"
"""The external team's number: who answers a call that has overflowed, by the second leg."""
TICK = 1e-6
"""Times of the evidence are sums and differences of floats; below this they are the same moment."""


def tick(moment: float) -> int:
    return round(moment / TICK)


@dataclass
class Run:
    """A drill, its callers in order of arrival, and what came of them."""

    plan: Drill
    load: list[Caller]
    recorder: ListRecorder
    ports_at_the_end: dict[str, int]

    @property
    def records(self) -> list[CallRecord]:
        return self.recorder.records

    @cached_property
    def _callers(self) -> dict[int, Caller]:
        """Callers by their first attempt: attempts are numbered as they are begun."""
        firsts = sorted(record.attempt for record in self.records if record.tries == 1)
        return dict(zip(firsts, self.load, strict=True))

    def caller(self, record: CallRecord) -> Caller:
        return self._callers[record.caller]

    def wanted(self, record: CallRecord) -> float:
        """Return when an attempt was wanted; outbound work starts later, when an agent dials."""
        caller = self.caller(record)
        if record.tries == 1:
            return caller.at
        (before,) = (each for each in self.records if (each.caller, each.tries) == (record.caller, record.tries - 1))
        return before.end + self.silence(before) + caller.again[before.tries - 1]

    def silence(self, record: CallRecord) -> float:
        """Return how long the people in a call of a dead node hold on; all hang up long before the session timer."""
        return self.plan.traffic[0].silence_hangup.mean if self.dead(record) else 0.0

    def dead(self, record: CallRecord) -> str:
        """Return the pair whose node died with a call on it: that of the first or of the second leg."""
        node, _, became = record.reason.rpartition(" ")
        died = record.outcome is Outcome.DROPPED and became == "lost" and "/" in node
        return node.partition("/")[0] if died else ""

    def held(self, record: CallRecord) -> Iterable[tuple[str, float, float]]:
        """Yield limits with when a delivered call took and freed a port of theirs."""
        if record.setup is None:
            return
        delivered = record.start + record.setup
        answered = record.end - (record.talk or 0.0)
        until = answered - record.callback if record.callback or not record.node else record.end
        # Who is called back had no port before, and needs one of the outbound limit as well.
        spans = [(limit, delivered, until) for limit in self.limits_of(record)]
        if record.callback and record.talk is not None:
            spans += [(limit, answered, record.end) for limit in (*self.limits_of(record), "outbound")]
        if record.agents == TEAM:
            spans += [(limit, answered, record.end) for limit in ("tenant", "outbound", "kddi", "west", TEAM)]
        for limit, begin, end in spans:
            stays = end == record.end and limit != self.dead(record)
            yield limit, begin, end + (self.silence(record) if stays else 0.0)

    def in_menu(self, record: CallRecord) -> bool:
        """Whether the IVR alone has answered an attempt."""
        entry = self.plan.numbers.get(record.destination)
        menu = entry is not None and entry.queue == "line" and self.plan.queues["line"].ivr is not None
        return record.direction is Direction.INBOUND and menu and record.answered and not record.queue

    def limits_of(self, record: CallRecord) -> Iterable[str]:
        """Return the limits whose ports a delivered call holds, read from the plan."""
        yield "tenant"
        yield record.trunk
        yield self.plan.trunks[record.trunk].via
        if record.direction is Direction.OUTBOUND:
            yield "outbound"
        # The only number behind another is Tokyo's or Osaka's; an outbound call comes by the number it shows.
        way = (record.number, record.destination) if record.direction is Direction.INBOUND else (record.number,)
        yield from (number for number in dict.fromkeys(way) if self.plan.numbers[number].tap is not None)

    @property
    def caps(self) -> dict[str, int]:
        plan = self.plan
        caps = {name: pair.ports for name, pair in plan.sbc_pairs.items()}
        caps |= {name: trunk.channels for name, trunk in plan.trunks.items()}
        caps |= {number: entry.tap for number, entry in plan.numbers.items() if entry.tap is not None}
        caps["tenant"] = plan.ports.tenant or 10**6
        caps["outbound"] = plan.ports.outbound or 10**6
        caps[TEAM] = 1
        return caps


# Random drills

moments = st.integers(0, 1400).map(lambda tenths: f"{tenths / 10:g}s")
lengths = st.integers(1, 600).map(lambda tenths: f"{tenths / 10:g}s")
detections = st.sampled_from(
    [{"by": "vrrp"}, {"by": "vrrp", "advert": "100ms"}, {"by": "options", "every": "5s", "timeout": "1s"}]
)
targets = st.sampled_from(
    [
        {"site": "tokyo"},
        {"site": "osaka"},
        *({"pair": pair, "fails": fails} for pair in ("east", "west") for fails in ("all", "active", "standby")),
        {"trunk": "ntt"},
        {"trunk": "kddi"},
        {"registrar": "tokyo"},
        {"registrar": "osaka"},
        {"office": "honsha"},
        {"identity": True},
        {"trunk": "ntt", "how": "degraded", "loss": "50%"},
        {"carrier": "NTT", "how": "degraded", "loss": "20%", "delay": {"exponential": "600ms"}},
        {"office": "honsha", "how": "degraded", "loss": "50%", "delay": {"empirical": ["0s", "2s"]}},
        *({"pair": pair, "fails": "active", "how": "restarted", "for": "4s"} for pair in ("east", "west")),
        {"pair": "east", "fails": "all", "how": "restarted", "for": "20s"},
        {"carrier": "NTT", "refuses": "50%", "answer": 486},
        {"trunk": "kddi", "refuses": "20%", "retry_after": "5s"},
        {"trunk": "ntt", "fails": "503", "retry_after": "20s"},
    ]
)


def without_nones(**fields: object) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}


def softphones(home: str) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries(
        {
            "sites": st.sampled_from([[home], [home, {"tokyo": "osaka", "osaka": "tokyo"}[home]]]),
            "switch": st.sampled_from(["by-hand", "automatic"]),
            "client": st.sampled_from(list(CLIENTS)),
            "expires": st.sampled_from(["10s", "2m"]),
            "spread": st.sampled_from(["0s", "9s"]),
            "login": st.booleans(),
        }
    )


soon = st.integers(1, 200).map(lambda tenths: f"{tenths / 10:g}s")
ivrs = st.fixed_dictionaries({"takes": soon, "contained": st.sampled_from(["0%", "40%"])})
widenings = st.just([{"after": "5s", "agents": ["back"]}])
callbacks = st.fixed_dictionaries({"after": soon, "accepts": st.sampled_from(["50%", "100%"])})
overflows = st.fixed_dictionaries({"after": soon, "to": st.just(TEAM), "trunk": st.just("kddi"), "team": st.just(1)})
lines = st.builds(
    without_nones,
    agents=st.sampled_from([["desk"], ["desk", "back"]]),
    answers=st.booleans(),
    ivr=st.none() | ivrs,
    widen=st.none() | widenings,
    callback=st.none() | callbacks,
    overflow=st.none() | overflows,
)
busy_lines = st.builds(
    without_nones,
    agents=st.just(["desk"]),
    ivr=st.none() | ivrs,
    widen=st.none() | widenings,
    callback=st.none() | callbacks,
    overflow=overflows,
)


@st.composite
def plans(draw: st.DrawFn, crowded: bool = False) -> Drill:
    """Draw a plan; in a ``crowded`` one all callers come to one queue, few are refused and little is lost before."""
    queue = st.just("line") if crowded else st.sampled_from([None, "line", "desk"])
    small = st.integers(3, 6) if crowded else st.integers(1, 4)
    maybe = st.none() if crowded else st.one_of(st.none(), small)
    broken = st.builds(
        lambda target, at, lasts: {**target, "at": at, **lasts},
        targets,
        moments,
        st.one_of(st.just({}), lengths.map(lambda lasts: {"for": lasts})),
    )
    faults = draw(st.lists(broken, min_size=1, max_size=1 if crowded else 4))
    actions: list[tuple[str, dict[str, object]]] = [
        ("administrator", {"activate": "osaka"}),
        ("agents", {"softphones": "desk", "site": draw(st.sampled_from(["tokyo", "osaka"]))}),
        ("agents", {"softphones": "back", "site": "osaka", "slips": "30%", "login": "3s"}),
        ("administrator", {"route": FREE_DIAL, "to": OSAKA}),
        ("operator", {"default_caller": OSAKA}),
        ("operator", {"verify": FREE_DIAL}),
    ]
    chosen = draw(st.lists(st.sampled_from(range(len(actions))), unique=True))
    runbook: list[dict[str, object]] = []
    for i in chosen:
        after = draw(st.sampled_from([None, *(step["step"] for step in runbook)]))
        start = {"after": after} if after else {"starts": {"after": "fault-0", "delay": draw(lengths)}}
        takes = {"uniform": ["1s", "20s"]}
        runbook.append({"step": f"step {i}", "by": actions[i][0], "takes": takes, "does": actions[i][1], **start})
    groups = {
        name: without_nones(
            count=1,
            softphone=draw(softphones(site)),
            office=draw(st.sampled_from([None, "honsha"])),
            wrap_up=draw(st.sampled_from([None, "7s"])),
            caller_number=draw(st.sampled_from([None, TOKYO, OSAKA])),
        )
        for name, site in (("desk", "tokyo"), ("back", draw(st.sampled_from(["tokyo", "osaka"]))))
    }
    silence = {"silence_hangup": draw(lengths)}
    slow = {"register_rate": "6/m"}
    return drill(
        run={"for": f"{LASTS}s", "warm": False},
        sites={
            "tokyo": draw(st.sampled_from([{}, slow, {**slow, "retry_after": "9s"}])),
            "osaka": {"role": draw(st.sampled_from(["primary", "secondary"]))},
        },
        offices={"honsha": {}},
        sbc_pairs={
            name: {
                "site": site,
                "ports": draw(small),
                "detect": draw(detections),
                "keeps": draw(st.sampled_from(["all", "confirmed", "none"])),
            }
            for name, site in (("east", "tokyo"), ("west", "osaka"))
        },
        trunks={
            name: {"via": pair, "channels": draw(small), "carrier": "NTT"}
            for name, pair in (("ntt", "east"), ("kddi", "west"))
        },
        numbers={
            FREE_DIAL: without_nones(to=TOKYO, tap=draw(maybe)),
            TOKYO: without_nones(trunk="ntt", queue=draw(queue), tap=draw(maybe)),
            OSAKA: without_nones(trunk="kddi", queue=draw(queue), tap=draw(maybe)),
        },
        ports=without_nones(tenant=draw(maybe), outbound=draw(maybe)),
        queues={"line": draw(busy_lines if crowded else lines)},
        agents=groups,
        default_caller=draw(st.sampled_from([None, TOKYO])),
        traffic=[
            {"to": FREE_DIAL, "arrivals": "1/m", "talk": "1m", **silence},
            {"to": OSAKA, "arrivals": "1/m", "talk": "1m", **silence},
            {"from": "desk", "to": MOBILE, "arrivals": "1/m", "talk": "1m", "shows": "default", **silence},
            {"from": "back", "to": MOBILE, "arrivals": "1/m", "talk": "1m", "shows": "terminal", **silence},
        ],
        faults=[{"name": f"fault-{i}", **fault} for i, fault in enumerate(faults)],
        runbook=runbook,
    )


STREAMS = 4
pauses = st.lists(st.integers(0, 200).map(lambda n: n / 9), max_size=3)


def loads_of(streams: int, least: int) -> st.SearchStrategy[list[tuple[int, int, float, float, list[float]]]]:
    return st.lists(
        st.tuples(
            st.integers(0, streams - 1),
            st.integers(0, int(LASTS * 3)),
            st.integers(0, 500).map(lambda n: n / 7),
            st.one_of(st.just(inf), st.integers(0, 400).map(lambda n: n / 7)),
            pauses,
        ),
        min_size=least,
        max_size=30,
        unique_by=lambda drawn: (drawn[0], drawn[1]),
    )


loads = loads_of(STREAMS, 1)
crowds = loads_of(2, 15)


def run(plan: Drill, drawn: list[tuple[int, int, float, float, list[float]]]) -> Run:
    streams: list[list[Caller]] = [[] for _ in range(STREAMS)]
    for stream, at, talk, patience, again in sorted(drawn):
        streams[stream].append(Caller((at * STREAMS + stream) / 13, talk, patience, again))
    worlds: list[World] = []

    class Watched(World):
        def __init__(self, drill: Drill, closed: Set[str]) -> None:
            super().__init__(drill, closed)
            worlds.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sim.engine.World", Watched)
        recorder = played(plan, *(callers(*stream) for stream in streams))
    (world,) = worlds
    world.high_ports()
    everybody = sorted(caller for stream in streams for caller in stream)
    return Run(plan, [caller for caller in everybody if caller.at < LASTS], recorder, world.high_ports())


# What must hold


def most_at_once(spans: list[tuple[float, float]]) -> int:
    """Return the most spans that overlap; one that ends where another begins does not."""
    changes = sorted((tick(moment), change) for span in spans for moment, change in zip(span, (1, -1), strict=True))
    level = most = 0
    for _, change in changes:
        level += change
        most = max(most, level)
    return most


def every_attempt_is_recorded_exactly_once(run: Run) -> None:
    assert sorted(record.attempt for record in run.records) == list(range(len(run.records)))
    assert sum(record.tries == 1 for record in run.records) == len(run.load)


def a_caller_is_heard_when_calling_and_work_done_not_before_it_is_wanted(run: Run) -> None:
    for record in run.records:
        late = tick(record.start) - tick(run.wanted(record))
        assert abs(late) <= 1 or (late > 0 and record.direction is Direction.OUTBOUND)


def the_tries_of_a_caller_follow_each_other_and_only_the_last_is_final(run: Run) -> None:
    by_caller: dict[int, list[CallRecord]] = defaultdict(list)
    for record in sorted(run.records):
        by_caller[record.caller].append(record)
    for first, tries in by_caller.items():
        caller = run.caller(tries[0])
        assert tries[0].attempt == first
        assert [record.tries for record in tries] == list(range(1, len(tries) + 1))
        for before in tries[:-1]:
            assert before.outcome not in (Outcome.COMPLETED, Outcome.IN_PROGRESS)
            assert not before.final
        last = tries[-1]
        left = caller.again[len(tries) - 1 :]
        comes_again = bool(left) and last.end + run.silence(last) + left[0] < LASTS
        if last.outcome is Outcome.IN_PROGRESS:
            assert not last.final
            assert last.end == LASTS
        else:
            assert last.final
            assert last.outcome is Outcome.COMPLETED or not comes_again or LASTS - last.end < TICK


def the_times_of_a_call_add_up(run: Run) -> None:
    for record in run.records:
        parts = [record.setup, record.wait, record.talk]
        assert all(part is None or part >= 0 for part in parts)
        assert 0 <= record.start <= record.end <= LASTS
        assert (record.setup is None) == (record.wait is None)
        if record.setup is not None:
            assert 0 <= record.callback <= (record.wait or 0) + TICK
            parts.append(record.ivr)
            assert sum(part or 0 for part in parts) == pytest.approx(record.end - record.start, abs=TICK)
        else:
            assert record.talk is None
        if run.in_menu(record):
            continue
        if record.outcome is Outcome.COMPLETED:
            assert record.talk == pytest.approx(run.caller(record).talk, abs=TICK)
        elif record.talk is not None:
            assert record.talk <= run.caller(record).talk + TICK


_REFUSALS = (403, 404, 408, 482, 486, 487, 503)
"""486 is what the carrier of these plans answers when it restricts calls."""


def outcomes_mean_what_they_say(run: Run) -> None:
    for record in run.records:
        match record.outcome:
            case Outcome.COMPLETED:
                assert (record.answered, record.sip, record.reason) == (True, 200, "")
            case Outcome.BLOCKED:
                assert (record.talk, record.sip in (486, 503), record.node) == (None, True, "")
                assert record.reason in run.caps
                assert record.setup is None or record.callback
            case Outcome.FAILED:
                assert (record.talk, record.sip in _REFUSALS, record.node) == (None, True, "")
                assert record.setup is None or record.callback or record.reason == "callback failed"
                assert record.setup is not None or record.reason != "callback failed"
            case Outcome.ABANDONED:
                assert not record.answered
            case Outcome.DROPPED:
                assert record.setup is not None
                boots = [fault for fault in run.plan.faults if fault.how == "restarted"]
                moments = {*(each.at for each in run.plan.faults), *(each.at + (each.lasts or 0) for each in boots)}
                assert any(abs(record.end - each) <= TICK for each in moments)
            case Outcome.IN_PROGRESS:
                assert record.end == LASTS


def nobody_waits_beyond_patience_or_dials_beyond_timer_b(run: Run) -> None:
    late = any(fault.delay is not None for fault in run.plan.faults)
    for record in run.records:
        if not record.answered:
            waited = record.end - record.ivr - record.callback - run.wanted(record)
            assert waited <= run.caller(record).patience + TICK
        if record.outcome in (Outcome.FAILED, Outcome.BLOCKED) and record.setup is None:
            assert record.end - record.start <= 32 + TICK
        if record.setup is not None and late:
            assert record.setup <= 32 + TICK
        elif record.setup is not None:
            assert min(abs(record.setup - offset) for offset in (0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5)) < TICK


def spans_by_limit(run: Run) -> dict[str, list[tuple[float, float]]]:
    spans: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for record in run.records:
        for limit, begin, end in run.held(record):
            spans[limit].append((begin, end))
    return spans


def no_limit_is_ever_exceeded(run: Run) -> None:
    for limit, spans in spans_by_limit(run).items():
        assert most_at_once(spans) <= run.caps[limit], limit
    for sample in run.recorder.samples:
        if sample.gauge is Gauge.PORTS:
            assert sample.value <= run.caps[sample.name]


def a_limit_that_refuses_is_full(run: Run) -> None:
    spans = spans_by_limit(run)
    for record in run.records:
        if record.outcome is Outcome.BLOCKED:
            held = sum(begin - TICK <= record.end <= end + TICK for begin, end in spans[record.reason])
            assert held >= run.caps[record.reason]


def ports_still_held_at_the_end_are_those_of_calls_still_up_or_not_yet_hung_up(run: Run) -> None:
    live = Counter(
        limit
        for record in run.records
        for limit, _, end in run.held(record)
        if end > LASTS or (end == LASTS and record.outcome is Outcome.IN_PROGRESS)
    )
    assert {name: used for name, used in run.ports_at_the_end.items() if used} == {
        name: used for name, used in live.items() if name in run.ports_at_the_end
    }


def no_agent_is_in_two_calls_and_each_answers_where_the_phone_is(run: Run) -> None:
    for group, agents in run.plan.agents.items():
        talks = [record for record in run.records if record.agents == group and record.talk is not None]
        wrap_up = agents.wrap_up.mean if agents.wrap_up else 0.0
        held = [(record.end - (record.talk or 0), record.end + run.silence(record) + wrap_up) for record in talks]
        assert most_at_once(held) <= 1
        lines = [(-1.0, agents.softphone.sites[0])]
        lines += [
            (entry.at, str(entry.detail["site"]))
            for entry in run.recorder.of(EventKind.REGISTERED)
            if entry.subject == group
        ]
        for record in talks:
            answered = record.end - (record.talk or 0)
            before = [site for at, site in lines if at <= answered + TICK][-1]
            just_now = {site for at, site in lines if abs(at - answered) <= TICK}
            assert record.site in {before, *just_now}
            assert record.site == run.plan.sbc_pairs[record.node.partition("/")[0]].site


def a_phone_is_registered_once_and_no_more_phones_than_there_are(run: Run) -> None:
    levels: dict[float, int] = defaultdict(int)
    for sample in run.recorder.samples:
        if sample.gauge is Gauge.SOFTPHONES:
            assert sample.value >= 0
            levels[sample.at] += sample.value
    assert max(levels.values()) <= len(run.plan.agents)
    for entry in run.recorder.of(EventKind.REGISTERED, EventKind.UNREGISTERED):
        assert 0 <= int(entry.detail["registered"]) <= run.plan.agents[entry.subject].count
    for entry in run.recorder.of(EventKind.REGISTERED):
        assert int(entry.detail["registered"]) == 1, "groups of one"


def registers_come_no_faster_than_phones_send_them(run: Run) -> None:
    """In one second a phone can be switched and slip back, or be refused, try once more and turn to its next site."""
    for sample in run.recorder.samples:
        if sample.gauge is Gauge.REGISTERS:
            assert sample.value <= 4 * len(run.plan.agents)


def the_journal_and_the_samples_are_in_order_of_time(run: Run) -> None:
    for moments_of in ([entry.at for entry in run.recorder.entries], [sample.at for sample in run.recorder.samples]):
        assert moments_of == sorted(moments_of)
    ends = [record.end for record in run.records]
    assert ends == sorted(ends)


def only_faults_that_happened_take_effect_and_not_before_they_happen(run: Run) -> None:
    at = {fault.name: fault.at for fault in run.plan.faults}
    for entry in run.recorder.of(EventKind.EFFECT):
        assert entry.at >= at[entry.subject]


def steps_keep_their_order(run: Run) -> None:
    began = {entry.subject: entry.at for entry in run.recorder.of(EventKind.STEP_STARTED)}
    finished = {entry.subject: entry.at for entry in run.recorder.of(EventKind.STEP_FINISHED)}
    assert len(finished) == len(run.recorder.of(EventKind.STEP_FINISHED))
    for step in run.plan.runbook:
        if step.step in began:
            assert all(finished[before] <= began[step.step] for before in step.predecessors)


HOLDS: list[Callable[[Run], None]] = [
    every_attempt_is_recorded_exactly_once,
    a_caller_is_heard_when_calling_and_work_done_not_before_it_is_wanted,
    the_tries_of_a_caller_follow_each_other_and_only_the_last_is_final,
    the_times_of_a_call_add_up,
    outcomes_mean_what_they_say,
    nobody_waits_beyond_patience_or_dials_beyond_timer_b,
    no_limit_is_ever_exceeded,
    a_limit_that_refuses_is_full,
    ports_still_held_at_the_end_are_those_of_calls_still_up_or_not_yet_hung_up,
    no_agent_is_in_two_calls_and_each_answers_where_the_phone_is,
    a_phone_is_registered_once_and_no_more_phones_than_there_are,
    registers_come_no_faster_than_phones_send_them,
    the_journal_and_the_samples_are_in_order_of_time,
    only_faults_that_happened_take_effect_and_not_before_they_happen,
    steps_keep_their_order,
]


# Hypothesis would spend minutes on explaining a failure of so large an example.
whole_runs = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)


@settings(whole_runs, max_examples=120)
@given(drawn=st.tuples(plans(), loads) | st.tuples(plans(crowded=True), crowds))
def test_in_every_run_everything_that_must_hold_holds(
    drawn: tuple[Drill, list[tuple[int, int, float, float, list[float]]]],
) -> None:
    played_out = run(*drawn)
    for holds in HOLDS:
        holds(played_out)


@settings(whole_runs, max_examples=8)
@given(plan=plans(), load=loads)
def test_every_run_can_be_repeated_to_the_last_bit(
    plan: Drill, load: list[tuple[int, int, float, float, list[float]]]
) -> None:
    once, again = run(plan, load).recorder, run(plan, load).recorder
    assert (once.records, once.entries, once.samples) == (again.records, again.entries, again.samples)
