"""What a terminal shows while a run goes on: models by hand and at random, frames that fit, and how often they come."""

import io
import pickle
from collections.abc import Iterable
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from kirikae.progress import progress
from kirikae.size import progress_text
from kirikae.watching import Screen
from reports.console import safe_console
from reports.judge import judge
from reports.pace import SHARE, Estimate, Pace
from reports.state import Service
from reports.summary import RunSummary
from reports.view import COUNTED, KEPT, Held, Moment, Together
from reports.view_terminal import Frame, Room, moment_frame, together_frame
from scenarios.evidence import CallRecord, EventKind, Gauge, JournalEntry, Outcome, Pulse, Sample
from scenarios.expectations import Query
from scenarios.model import Drill, Fault
from tests.made_evidence import STEPS, call, drill, fold, rehearsal, waiting

PLAN = drill()
Evidence = CallRecord | JournalEntry | Sample | Pulse


def seen(*evidence: Evidence, plan: Drill = PLAN) -> Moment:
    moment = Moment(plan)
    for item in evidence:
        match item:
            case CallRecord():
                moment.calls([item])
            case JournalEntry():
                moment.entry(item)
            case Sample():
                moment.sample(item)
            case Pulse():
                moment.pulse(item)
    return moment


def entry(at: float, kind: EventKind, subject: str, **detail: str | float | int | bool) -> JournalEntry:
    return JournalEntry(at, kind, subject, detail)


def lines_of(frame: Frame) -> list[str]:
    return ["".join(text for text, _ in line) for line in frame.lines]


def shown(moment: Moment, width: int = 80, height: int = 24) -> list[str]:
    return lines_of(moment_frame(moment, Room(width, height), which="calls engine", left=None))


# How sites stand.

LOST = entry(600.0, EventKind.FAULT, "tokyo-lost", target="tokyo")
SILENT = entry(600.0, EventKind.NODE_LOST, "tokyo-edge", node="tokyo-edge/1", calls=3)
REAL = entry(600.0, EventKind.NODE_LOST, "tokyo-edge", node="tokyo-edge", calls=3)
READY = entry(700.0, EventKind.STEP_READY, STEPS[0], released_by="tokyo-lost")
BEGUN = entry(790.0, EventKind.STEP_STARTED, STEPS[0], by="administrator")
UP = entry(900.0, EventKind.ACTIVATED, "osaka")
EDGE, LINE = (
    drill(faults=False).model_copy(update={"faults": [Fault.model_validate({"name": "broken", "at": "10m", **part})]})
    for part in ({"pair": "tokyo-edge", "fails": "standby"}, {"trunk": "ntt-tokyo"})
)
BROKEN = entry(600.0, EventKind.FAULT, "broken", target="part")


@pytest.mark.parametrize(
    ("plan", "evidence", "tokyo", "osaka"),
    [
        (PLAN, [], Service.IN_SERVICE, Service.WAITING),
        (PLAN, [LOST], Service.OUT, Service.WAITING),
        (PLAN, [LOST, entry(700.0, EventKind.REPAIRED, "tokyo-lost")], Service.IN_SERVICE, Service.WAITING),
        (PLAN, [SILENT], Service.OUT, Service.WAITING),
        (PLAN, [SILENT, entry(603.0, EventKind.TAKEOVER, "tokyo-edge", node="tokyo-edge/2")], Service.IN_SERVICE, None),
        (PLAN, [LOST, READY], Service.OUT, Service.WAITING),
        (PLAN, [LOST, READY, BEGUN], Service.OUT, Service.ACTIVATING),
        (PLAN, [LOST, READY, BEGUN, UP], Service.OUT, Service.IN_SERVICE),
        (PLAN, [UP, entry(950.0, EventKind.DEACTIVATED, "osaka")], Service.IN_SERVICE, Service.WAITING),
        (PLAN, [REAL], Service.OUT, Service.WAITING),
        (PLAN, [REAL, entry(603.0, EventKind.TAKEOVER, "tokyo-edge", node="tokyo-edge")], Service.IN_SERVICE, None),
        (EDGE, [BROKEN], Service.DEGRADED, Service.WAITING),
        (LINE, [BROKEN], Service.DEGRADED, Service.WAITING),
    ],
)
def test_a_site_stands_as_the_journal_says(
    plan: Drill, evidence: list[JournalEntry], tokyo: Service, osaka: Service | None
) -> None:
    first, second = seen(*evidence, plan=plan).sites
    assert (first.service, second.service) == (tokyo, osaka or Service.WAITING)


def test_a_site_that_is_out_says_since_when_and_why() -> None:
    found = shown(seen(LOST, READY, BEGUN, Sample(800, Gauge.PORTS, "tenant", 3)))
    assert "sites     tokyo out for 3m20s (tokyo-lost)" in found
    assert "          osaka being activated for 10s" in found
    assert f"runbook   {STEPS[0]}: begun for 10s, by administrator" in found


def test_a_step_under_way_is_whose_who_was_reached() -> None:
    sought = entry(701.0, EventKind.ACTOR_SOUGHT, STEPS[0], by="administrator")
    assert [(step.status, step.by) for step in seen(READY, sought).steps] == [
        ("nobody is there to take it", "administrator")
    ]
    reached = entry(760.0, EventKind.ACTOR_REACHED, STEPS[0], by="deputy", waited=59.0)
    assert [(step.status, step.by) for step in seen(READY, sought, reached).steps] == [("ready, not begun", "deputy")]
    [step] = seen(READY, *waiting(STEPS[0], (705.0, 720.0))[:1]).steps
    assert (step.status, step.since) == ("waits for its conditions", 705.0)


# Calls, ports, load.


def evidence_of_rehearsal(records: Iterable[CallRecord]) -> tuple[Moment, RunSummary]:
    calls = list(records)
    return seen(*calls), fold(PLAN, *calls)


CALLS = st.lists(
    st.builds(
        lambda start, outcome, answered: call(start, outcome, talk=9.0 if answered else None, end=start + 20),
        st.floats(-300, 2399),
        st.sampled_from(Outcome),
        st.booleans(),
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=40)
@given(CALLS)
def test_calls_are_counted_as_the_metrics_of_the_run_count_them(records: list[CallRecord]) -> None:
    moment, summary = evidence_of_rehearsal(records)
    assert {name: moment.counts[name] for name in COUNTED} == {name: summary.values[Query(name)] for name in COUNTED}


def test_the_fullest_limit_comes_first_and_what_is_no_limit_is_left_out() -> None:
    samples = [Sample(610, Gauge.PORTS, name, most) for name, most in (("tenant", 50), ("outbound", 49), ("other", 9))]
    moment = seen(*samples, Sample(620, Gauge.PORTS, "tenant", 20))
    assert moment.ports == [Held("outbound", 49, 50), Held("tenant", 20, 250)]
    assert moment.now == 620


def test_rates_are_those_of_the_last_ten_seconds() -> None:
    moment = Moment(PLAN)
    assert moment.rates is None
    for tick in range(101):
        at = tick / 2  # ten calls a second, and from second 40 on half of them are placed
        moment.pulse(Pulse(at, round(at * 10), round(min(at, 40) * 10 + max(at - 40, 0) * 5), 0.01, 0.02, 0.25))
    assert moment.rates == (10.0, 5.0)
    assert "load      asked 10.0/s, placed 5.0/s  late: 99% up to 10ms, worst 20ms of 250ms" in shown(moment)


def test_a_pulse_after_the_end_does_not_lengthen_the_run() -> None:
    assert seen(Pulse(2405.0, 1, 1, 0.0, 0.0, 0.25)).now == 2400


# At random, and for long.

NAMES = {
    EventKind.FAULT: ("tokyo-lost",),
    EventKind.REPAIRED: ("tokyo-lost",),
    EventKind.NODE_LOST: ("tokyo-edge", "osaka-edge"),
    EventKind.RESIGNED: ("tokyo-edge", "osaka-edge"),
    EventKind.TAKEOVER: ("tokyo-edge", "osaka-edge"),
    EventKind.ACTIVATED: ("tokyo", "osaka"),
    EventKind.DEACTIVATED: ("tokyo", "osaka"),
    EventKind.STEP_READY: STEPS,
    EventKind.STEP_WAITING: STEPS,
    EventKind.CONDITIONS_MET: STEPS,
    EventKind.ACTOR_SOUGHT: STEPS,
    EventKind.ACTOR_REACHED: STEPS,
    EventKind.STEP_STARTED: STEPS,
    EventKind.STEP_FINISHED: STEPS,
    EventKind.STOPPED: (PLAN.name,),
}
"""Entries and what they are about."""
DETAIL: dict[str, str | float | int | bool] = {
    "node": "tokyo-edge/1",
    "by": "x\x1b[2J\n東京",
    "released_by": "tokyo-lost",
}
TIMES = st.floats(0, 2400)
ENTRIES = st.sampled_from(sorted(NAMES)).flatmap(
    lambda kind: st.builds(JournalEntry, TIMES, st.just(kind), st.sampled_from(NAMES[kind]), st.just(DETAIL))
)
SAMPLES = st.builds(
    Sample, TIMES, st.sampled_from(Gauge), st.sampled_from(["tenant", "ntt-osaka", "sales", "x"]), st.integers(0, 9999)
)
PULSES = st.builds(
    Pulse, TIMES, st.integers(0, 10**6), st.integers(0, 10**6), st.floats(0, 9), st.floats(0, 9), st.just(0.25)
)
ROOMS = st.builds(Room, st.integers(1, 130), st.integers(1, 60), st.booleans())


@settings(deadline=None, max_examples=150)
@given(st.lists(ENTRIES | SAMPLES | PULSES | CALLS.map(lambda some: (some or [call()])[0]), max_size=60), ROOMS)
def test_no_evidence_is_too_odd_and_no_terminal_too_small(evidence: list[Evidence], room: Room) -> None:
    in_order = sorted(evidence, key=lambda item: item.start if isinstance(item, CallRecord) else item.at)
    for left in (None, 0.0, 1e6):
        fits(moment_frame(seen(*in_order), room, which="live engine", left=left), room)


@pytest.mark.parametrize("width", [1, 2, 19, 20])
def test_characters_that_take_two_columns_break_no_line(width: int) -> None:
    room = Room(width, 24)
    fits(moment_frame(seen(plan=drill(name="東京停止" * 3)), room, which="calls engine", left=None), room)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.sampled_from(range(5)), max_size=5, unique=True), ROOMS, st.booleans())
def test_replications_in_any_order_come_to_the_same(order: list[int], room: Room, at_most: bool) -> None:
    summaries = {seed: REHEARSALS[seed] for seed in order}
    frames = []
    for seeds in (order, sorted(order)):
        together = Together(PLAN, 100)
        for seed in seeds:
            together.take(summaries[seed])
        judged = judge(PLAN, [summaries[seed] for seed in sorted(order)], engine="calls", seed=7)
        together.judge(judged.judgements, len(order))
        frames.append(together_frame(together, room, which="calls engine", left=12.0, at_most=at_most))
    assert frames[0] == frames[1]
    fits(frames[0], room)


REHEARSALS = {seed: rehearsal(PLAN, seed) for seed in range(5)}


def fits(frame: Frame, room: Room) -> None:
    """A frame that leaves the cursor its line and breaks no line moves nothing on the terminal."""
    found = lines_of(frame)
    assert 1 <= len(found) <= max(room.height - 1, 1)
    assert all(cell_len(line) <= room.width and line.isprintable() for line in found), found


def test_a_long_run_takes_no_more_memory_than_a_short_one() -> None:
    def size(hours: int) -> int:
        moment = Moment(PLAN)
        for at in range(0, hours * 3600, 10):
            moment.calls([call(float(at))] * 5)
            moment.sample(Sample(at, Gauge.PORTS, "tenant", at % 200))
            moment.pulse(Pulse(at, at, at, 0.0, 0.0, 0.25))
            moment.entry(entry(at, EventKind.SHIFT, "sales", on_duty=at))
        assert [each.at for each in moment.entries] == [hours * 3600 - 10 * back for back in range(KEPT, 0, -1)]
        return len(pickle.dumps(moment))

    assert size(20) == pytest.approx(size(1), rel=0.05), "but for the digits of what is counted"


# What frames say, and what is left out first.


def test_of_many_runs_it_says_what_they_have_shown_so_far() -> None:
    together = Together(PLAN, 100)
    for summary in REHEARSALS.values():
        together.take(summary)
    judged = judge(PLAN, REHEARSALS.values(), engine="calls", seed=7)
    together.judge(judged.judgements, 4)
    lines = lines_of(together_frame(together, Room(100, 30), which="calls engine", left=95.4))
    means = {name: sum(summary.values[Query(name)] or 0 for summary in REHEARSALS.values()) / 5 for name in COUNTED}
    assert lines[1].startswith("5 of 100 replications")
    assert lines[1].endswith("about 1m35s left")
    assert f"answered {means['answered']:.0f}  blocked 1  failed {means['failed']:.0f}" in lines[2]
    assert "expected  after 4 runs, so far:" in lines
    assert f"          {judged.judgements[0].verdict} asr > 50%: {judged.judgements[0].shown}" in "\n".join(lines)
    assert f"runbook   {STEPS[0]}: finished in 5 of 5 (100%)" in lines
    highest = max(summary.peaks["tenant"] for summary in REHEARSALS.values())
    assert any(line.endswith(f"{highest} of 250  tenant") for line in lines)


def test_on_a_small_terminal_each_part_keeps_its_first_line() -> None:
    samples = [Sample(610, Gauge.PORTS, name, 9) for name in ("tenant", "outbound", "ntt-osaka")]
    moment = seen(
        LOST, READY, BEGUN, *samples, Pulse(800.0, 1, 1, 0.0, 0.0, 0.25), Sample(800, Gauge.WAITING, "sales", 2)
    )
    labels = [line.split()[0] for line in shown(moment, 80, 10)[2:]]
    assert labels == ["calls", "load", "sites", "runbook", "ports", "people", "journal"]
    assert len(shown(moment, 40, 16)) == 15


def test_a_terminal_without_such_characters_gets_bars_all_the_same() -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii")
    frame = moment_frame(seen(LOST), Room(80, 24, ascii_only=True), which="calls engine", left=None)
    safe_console(file).print(frame)
    file.flush()
    assert b"10m of 40m  ##........" in raw.getvalue()


def test_the_time_of_day_is_there_where_the_run_has_one() -> None:
    plan = drill(run={"for": "40m", "warm": True, "start": "2026-11-24 09:00"})
    assert "Tue 2026-11-24 09:10" in shown(seen(LOST, plan=plan))


# When there is anybody to show it to, and how often.


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def console(**changes: object) -> Console:
    usual: dict[str, object] = {
        "file": io.StringIO(),
        "force_terminal": True,
        "width": 80,
        "height": 24,
        "_environ": {},
    }
    return Console(**{**usual, **changes})  # type: ignore[arg-type]  # as the caller means them


@pytest.mark.parametrize(
    ("changes", "shows"),
    [
        ({}, True),
        ({"force_terminal": False}, False),
        ({"quiet": True}, False),
        ({"_environ": {"TERM": "dumb"}}, False),
    ],
)
def test_frames_are_for_terminals_that_can_show_them(changes: dict[str, object], shows: bool) -> None:
    where = console(**changes)
    with Screen(where, 0.1, Hand()) as screen:
        assert screen.shows is shows
        screen.show(lambda room: moment_frame(Moment(PLAN), room, which="", left=None))
    assert bool(where.file.getvalue()) is shows  # type: ignore[attr-defined]  # it is a StringIO


def test_a_log_that_is_to_have_colours_gets_no_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    file = io.StringIO()
    where = safe_console(file)
    assert where.is_terminal, "as far as rich can tell"
    with Screen(where, 0.1, Hand()) as screen, progress(where, "replications", 3) as done:
        screen.show(lambda room: moment_frame(Moment(PLAN), room, which="", left=None))
        done(1)
    assert file.getvalue() == ""


def test_frames_come_no_more_often_than_they_may_and_less_often_where_they_take_long() -> None:
    clock, drawn = Hand(), []

    def frame(room: Room) -> Frame:
        drawn.append(clock.now)
        clock.now += 0.5 * SHARE  # what it may take of half a second
        return Frame([])

    with Screen(console(), 0.125, clock) as screen:
        for _ in range(400):
            clock.now += 0.005
            screen.show(frame)
    assert len(drawn) == pytest.approx(400 * 0.005 / 0.5, abs=1)


def test_a_terminal_that_is_gone_stops_no_run() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(5, "Input/output error")

    where = console()
    with Screen(where, 0.0) as screen:
        where.file = Gone()
        screen.show(lambda room: moment_frame(Moment(PLAN), room, which="", left=None))


@settings(max_examples=60)
@given(st.lists(st.floats(0.0, 3.0), min_size=1, max_size=40))
def test_what_is_paced_takes_its_share_of_the_time_and_no_more(costs: list[float]) -> None:
    pace, now, spent = Pace(least=0.5, share=0.02), 0.0, 0.0
    assert pace.due(now)
    for cost in costs:
        pace.done(now, now + cost)
        spent, now = spent + cost, now + cost
        assert not pace.due(now + 0.49)
        while not pace.due(now):
            now += 0.25
        assert spent <= 0.02 * now + 1e-9


def test_time_left_is_by_how_fast_it_went_lately() -> None:
    estimate = Estimate()
    assert estimate.left(0.0, 100) is None
    for second in range(200):
        estimate.take(float(second), second * (1.0 if second < 100 else 2.0))
    assert estimate.left(199.0, 598) == pytest.approx(100)
    assert estimate.left(249.0, 598) == pytest.approx(50), "it goes on by itself"
    assert estimate.left(inf, 598) == 0


def test_a_search_says_when_it_looks_next_and_that_its_end_is_unknown() -> None:
    assert progress_text(44, "missed with 40", 8.2) == "44 runs; missed with 40; next look in about 8s; end unknown"
    assert progress_text(1, "looking at the first value", None) == "1 runs; looking at the first value; end unknown"
