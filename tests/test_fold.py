import dataclasses
import math
import pickle
import tracemalloc
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.fold import Fold
from reports.levels import BINS, bin_width
from reports.producers import PRODUCERS
from reports.queries import default_queries, limits, resolve
from reports.summary import Effect, Loss
from scenarios.evidence import CallRecord, Direction, EventKind, Gauge, JournalEntry, Outcome, Sample
from scenarios.expectations import Query, parse_expectation
from scenarios.metrics import METRICS, Unit
from scenarios.model import Drill, Fault
from tests.made_evidence import FREE_DIAL, MOBILE, OSAKA, STEPS, TOKYO, call, drill, fold, folded

FAULT = 600.0  # the made-up plan's fault, and the end of its run
END = 2400.0


def query(text: str) -> Query:
    """Read a metric and its selectors, written as in a drill."""
    bound = {Unit.SHARE: "1%", Unit.SECONDS: "1s", Unit.RATE: "1/s"}.get(METRICS[text.split("{")[0]].unit, "1")
    return resolve(parse_expectation(f"{text} < {bound}").query)


def ask(text: str, *evidence: CallRecord | JournalEntry | Sample, plan: Drill | None = None) -> float | None:
    """Fold the evidence and return the value of one metric."""
    asked = query(text)
    return folded(Fold(plan or drill(), [asked]), evidence).values[asked]


def blocked(start: float, by: str = "tenant", **changes: object) -> CallRecord:
    return call(start, Outcome.BLOCKED, reason=by, **changes)


def test_every_metric_of_the_registry_has_one_producer() -> None:
    assert PRODUCERS.keys() == METRICS.keys()


# Counting calls


def test_ratios_are_shares_of_all_attempts() -> None:
    calls = [call(), call(), blocked(1), call(1, Outcome.FAILED), call(1, Outcome.ABANDONED, setup=0.1, wait=9.0)]
    assert ask("attempts", *calls) == 5
    assert ask("asr", *calls) == 2 / 5
    assert ask("blocked_ratio", *calls) == 1 / 5
    assert ask("failed_ratio", *calls) == 1 / 5
    assert ask("abandoned_ratio", *calls) == 1 / 5


def test_calls_up_at_the_start_count_only_when_they_are_cut_off() -> None:
    calls = [call(-30), call(-30, Outcome.DROPPED, talk=640.0, end=FAULT), call(10)]
    assert ask("attempts", *calls) == 1
    assert ask("answered", *calls) == 1
    assert ask("dropped", *calls) == 1
    assert ask("dropped{after=0s}", *calls) == 0
    summary = fold(drill(), *calls)
    assert sum(map(sum, summary.timeline.outcomes.values())) == 1
    assert summary.losses == {Loss(Direction.INBOUND, FREE_DIAL, Outcome.DROPPED, ""): 1}


def test_a_call_in_progress_is_an_attempt_that_is_neither_lost_nor_ended() -> None:
    talking = call(10, Outcome.IN_PROGRESS, setup=0.0, wait=1.0, talk=5.0, end=END)
    waiting = call(10, Outcome.IN_PROGRESS, setup=0.0, wait=3.0, end=13.0)
    assert ask("attempts", talking, waiting) == 2
    assert ask("asr", talking, waiting) == 1 / 2
    assert ask("caller_loss", talking, waiting) is None
    assert not fold(drill(), talking, waiting).losses


def test_a_window_takes_attempts_from_its_first_moment_and_not_its_last() -> None:
    calls = [call(start) for start in (0.0, 599.9, 600.0, 1199.9, 1200.0)]
    assert ask("attempts{after=10m}", *calls) == 3
    assert ask("attempts{before=10m}", *calls) == 2
    assert ask("attempts{after=10m, before=20m}", *calls) == 2


def test_blocking_by_one_limit_is_a_share_of_the_attempts_at_all_of_them() -> None:
    calls = [blocked(1, "tenant"), blocked(1, "outbound"), call(1, Outcome.FAILED, reason="tenant"), call(1)]
    assert ask("blocked{limit=tenant}", *calls) == 1
    assert ask("blocked_ratio{limit=tenant}", *calls) == 1 / 4


def test_dropped_calls_are_told_by_the_part_that_was_lost_or_resigned() -> None:
    reasons = ["tokyo-edge/1 lost", "tokyo-edge/2 lost", "tokyo-edge/1 resigned", "ntt-tokyo lost", "main office lost"]
    calls = [call(1, Outcome.DROPPED, setup=0.1, wait=1.0, talk=9.0, reason=reason) for reason in reasons]
    for cause, count in (
        ("tokyo-edge", 3),
        ("tokyo-edge/1", 2),
        ("tokyo-edge lost", 2),
        ("tokyo-edge/1 lost", 1),
        ("tokyo-edge resigned", 1),
        ("ntt-tokyo", 1),
        ("ntt-tokyo lost", 1),
        ("main office", 1),
        ("osaka-edge", 0),
    ):
        assert (
            ask(f"dropped{{cause={cause}}}", *calls, call(1), call(1, Outcome.FAILED, reason=f"{cause} lost")) == count
        )
        assert ask(f"dropped_ratio{{cause={cause}}}", *calls, *(call(1) for _ in range(5))) == count / 10


def test_a_number_stands_for_calls_that_dialled_it_and_calls_routed_to_it() -> None:
    calls = [call(1), call(1, destination=OSAKA), call(1, number=OSAKA, destination=OSAKA)]
    assert ask(f"attempts{{number={FREE_DIAL}}}", *calls) == 2
    assert ask(f"attempts{{number={OSAKA}}}", *calls) == 2
    assert ask("attempts{number=+81 3-1234-5678}", *calls) == 1, "written in another way, it is the same number"


def test_nothing_to_divide_by_is_nothing_measured() -> None:
    for ratio in ("asr", "blocked_ratio", "caller_loss", "service_level", "asa", "setup_delay_p95"):
        assert ask(ratio) is None
    assert ask("attempts") == 0


def test_a_caller_counts_once_at_the_last_attempt() -> None:
    persistent = [blocked(1, final=False), call(30, Outcome.ABANDONED, final=False), call(60)]
    unlucky = [call(1, Outcome.DROPPED, final=False, talk=5.0), call(9, Outcome.FAILED)]
    assert ask("caller_loss", *persistent, *unlucky) == 1 / 2
    summary = fold(drill(), *persistent, *unlucky)
    assert (summary.callers, summary.callers_lost) == (2, 1)


def test_the_service_level_is_over_all_calls_whose_fate_is_known() -> None:
    calls = [
        call(wait=20.0),  # at the threshold of 20 s, which is within it
        call(wait=20.1),
        call(1, Outcome.ABANDONED, setup=0.1, wait=3.0),
        call(1, Outcome.DROPPED, setup=0.1, wait=3.0),
        call(1, Outcome.IN_PROGRESS, setup=0.1, wait=25.0),  # too late already
        call(1, Outcome.IN_PROGRESS, setup=0.1, wait=15.0),  # may still be answered in time: left out
        call(1, Outcome.FAILED),  # never reached the queue
        call(wait=0.0, queue=""),  # answered by something that is no queue
        call(wait=0.0, direction=Direction.OUTBOUND),
    ]
    assert ask("service_level{queue=sales}", *calls) == 1 / 5
    assert ask("asa", *calls) == pytest.approx(20.05)


@given(st.lists(st.integers(0, 40_000), min_size=1, max_size=300))
def test_a_set_up_delay_is_the_least_that_the_share_stays_within(milliseconds: list[int]) -> None:
    calls = [call(setup=ms / 1000) for ms in milliseconds]
    ordered = sorted(milliseconds)
    for percent in (50, 95, 99):
        found = ask(f"setup_delay_p{percent}", *calls, call(1, Outcome.FAILED))
        assert found is not None
        within = sum(ms <= round(found * 1000) for ms in ordered)
        below = sum(ms < round(found * 1000) for ms in ordered)
        assert within * 100 >= percent * len(ordered) > below * 100
    assert ask("setup_delay_max", *calls, call(1, Outcome.FAILED)) == ordered[-1] / 1000


CALLS = st.builds(
    call,
    start=st.sampled_from([-50.0, 0.0, 300.0, 599.0, 600.0, 1200.0, 2399.0]),
    outcome=st.sampled_from(Outcome),
    direction=st.sampled_from(Direction),
    number=st.sampled_from([FREE_DIAL, TOKYO]),
    destination=st.sampled_from([TOKYO, OSAKA]),
    trunk=st.sampled_from(["", "ntt-tokyo", "ntt-osaka"]),
    site=st.sampled_from(["tokyo", "osaka"]),
    queue=st.sampled_from(["", "sales"]),
    reason=st.sampled_from(["", "tenant", "outbound"]),
    final=st.booleans(),
    talk=st.sampled_from([None, 30.0]),
)
NARROWED = (
    "",
    "{number=03-1234-5678}",
    "{direction=out}",
    "{trunk=ntt-osaka, after=10m}",
    "{queue=sales, site=tokyo, before=20m}",
    "{after=5m, before=20m}",
)


def selected(record: CallRecord, asked: Query) -> bool:
    found = {
        "number": (record.number, record.destination),
        "direction": (record.direction,),
        "trunk": (record.trunk,),
        "site": (record.site,),
        "queue": (record.queue,),
    }
    window = (asked.after or 0.0) <= record.start < (math.inf if asked.before is None else asked.before)
    return window and all(value in found[name] for name, value in asked.selectors)


@given(st.lists(CALLS, max_size=40))
@settings(max_examples=60)
def test_counts_agree_with_counting_one_by_one(calls: list[CallRecord]) -> None:
    plan = drill(
        expect=[f"{metric}{narrow} < 1" for metric in ("attempts", "answered", "failed") for narrow in NARROWED]
    )
    values = fold(plan, *calls).values
    for narrow in NARROWED:
        chosen = [record for record in calls if selected(record, query(f"attempts{narrow}"))]
        assert values[query(f"attempts{narrow}")] == len(chosen)
        assert values[query(f"answered{narrow}")] == sum(record.answered for record in chosen)
        assert values[query(f"failed{narrow}")] == sum(record.outcome is Outcome.FAILED for record in chosen)


@given(st.lists(CALLS, max_size=60), st.integers(1, 50))
@settings(max_examples=30)
def test_it_does_not_matter_how_evidence_is_cut_into_blocks(calls: list[CallRecord], size: int) -> None:
    plan = drill()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reports.fold._BLOCK", size)
        small = Fold(plan, default_queries(plan))
        for begin in range(0, len(calls), 7):
            small.calls(calls[begin : begin + 7])
        assert small.summary() == fold(plan, *calls)


def test_memory_does_not_grow_with_the_number_of_calls() -> None:
    plan = drill()
    calls = [call(float(i % 2400), reason=str(i % 7), setup=(i % 900) / 1000) for i in range(1000)]

    def peak(times: int) -> int:
        taker = Fold(plan, default_queries(plan))
        tracemalloc.start()
        for _ in range(times):
            taker.calls(calls)
        taker.summary()
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    assert peak(100) < 1.1 * peak(20)


def test_a_summary_is_frozen_and_travels_between_processes() -> None:
    summary = fold(drill(), call(), blocked(1))
    assert pickle.loads(pickle.dumps(summary)) == summary  # noqa: S301  # made two words ago
    with pytest.raises(dataclasses.FrozenInstanceError):
        summary.records = 0  # type: ignore[misc]


# Recovery


def every(seconds: float, begin: float, end: float, outcome: Outcome = Outcome.COMPLETED) -> list[CallRecord]:
    count = round((end - begin) / seconds)
    return [call(begin + i * seconds, outcome) for i in range(count)]


def test_callers_recover_in_the_second_from_which_a_minute_is_as_good_as_before() -> None:
    # One call a second: 3 lost in a minute are exactly 95 %, so the minute may begin 3 s before the service is back.
    calls = [*every(1, 0, FAULT), *every(1, FAULT, 1500, Outcome.FAILED), *every(1, 1500, END)]
    assert ask("recovery_time", *calls) == 1500 - 3 - FAULT


def test_with_several_faults_the_longest_recovery_counts() -> None:
    """Cut off from 600 s to 700 s and, after a second fault at 1200 s, to 1500 s."""
    faults = [Fault(name="one", at="10m", site="tokyo"), Fault(name="two", at="20m", site="tokyo")]
    twice = drill().model_copy(update={"faults": faults})
    calls = [
        *every(1, 0, 600),
        *every(1, 600, 700, Outcome.FAILED),
        *every(1, 700, 1200),
        *every(1, 1200, 1500, Outcome.FAILED),
        *every(1, 1500, END),
    ]
    assert ask("recovery_time", *calls, plan=twice) == 300 - 3


def test_94_of_100_is_no_recovery() -> None:
    # 50 calls a minute of which, from the fault on, the first three of every minute are lost.
    after = [FAULT + 60 * minute + 1.2 * i for minute in range(30) for i in range(50)]
    calls = [call(at, Outcome.FAILED if i % 50 < 3 else Outcome.COMPLETED) for i, at in enumerate(after)]
    assert ask("recovery_time", *every(1, 0, FAULT), *calls) == math.inf


def test_calls_up_at_the_start_say_nothing_of_how_it_was_before_the_fault() -> None:
    warm = [call(-1, Outcome.DROPPED) for _ in range(600)]
    half = [*every(2, FAULT, END), *every(2, FAULT + 1, END, Outcome.FAILED)]
    assert ask("recovery_time", *warm, *every(1, 0, FAULT), *half) == math.inf


def test_what_never_fell_has_recovered_at_once() -> None:
    assert ask("recovery_time", *every(1, 0, END)) == 0


def test_what_was_poor_before_the_fault_need_not_be_better_after_it() -> None:
    half = [*every(2, 0, END), *every(2, 1, END, Outcome.FAILED)]
    assert ask("recovery_time", *half) == 0


def test_a_minute_that_would_run_over_the_end_shows_no_recovery() -> None:
    before, lost = every(1, 0, FAULT), every(1, FAULT, END, Outcome.FAILED)
    back = [record for record in lost if record.start < END - 56] + every(1, END - 56, END)
    assert ask("recovery_time", *before, *back) == math.inf
    back = [record for record in lost if record.start < END - 57] + every(1, END - 57, END)
    assert ask("recovery_time", *before, *back) == END - 60 - FAULT


def test_a_minute_with_few_attempts_is_extended_to_ten() -> None:
    # One call in 20 s: ten need 181 s. The first ten good ones in a row begin at 1200 s.
    calls = [*every(20, 0, FAULT), *every(20, FAULT, 1200, Outcome.FAILED), *every(20, 1200, END)]
    back = ask("recovery_time", *calls)
    assert back == 1200 - 19 - FAULT, "from the second after the last lost call"


def test_too_few_attempts_to_tell_are_nothing_measured() -> None:
    assert ask("recovery_time", *every(1, 0, FAULT)) is None
    assert ask("recovery_time", *every(1, FAULT, END)) is None, "nothing to get back to"
    assert ask("recovery_time", *every(1, 0, END), plan=drill(faults=False)) is None


def test_recovery_looks_at_inbound_calls_of_the_selection_only() -> None:
    good = every(1, 0, END)
    outbound = [call(t, Outcome.FAILED, direction=Direction.OUTBOUND, number=OSAKA) for t in range(600, 2400)]
    other = [call(t, Outcome.FAILED, number=OSAKA, destination=OSAKA) for t in range(600, 2400)]
    assert ask("recovery_time", *good, *outbound) == 0
    assert ask(f"recovery_time{{number={FREE_DIAL}}}", *good, *other) == 0
    assert ask("recovery_time", *good, *other) == math.inf


@given(
    st.lists(st.tuples(st.integers(0, 299), st.booleans()), max_size=120),
    st.lists(st.booleans(), min_size=1, max_size=20),
)
@settings(max_examples=80)
def test_recovery_is_what_its_definition_says(after: list[tuple[int, bool]], before: list[bool]) -> None:
    plan = drill(run={"for": "15m", "warm": False})

    def made(start: float, good: bool) -> CallRecord:
        return call(start, Outcome.COMPLETED if good else Outcome.FAILED)

    calls = [made(i, good) for i, good in enumerate(before)] + [made(FAULT + second, good) for second, good in after]
    assert ask("recovery_time", *calls, plan=plan) == slow_recovery(before, after, seconds=300)


def slow_recovery(before: Sequence[bool], after: Sequence[tuple[int, bool]], seconds: int) -> float | None:
    if not any(before) or len(after) < 10:
        return None
    least = 95 * sum(before) / (100 * len(before))
    back = math.inf
    for second in range(seconds):
        for length in range(60, seconds - second + 1):
            window = [good for at, good in after if second <= at < second + length]
            if len(window) >= 10:
                long = [good for at, good in after if second <= at < second + max(length, min(300, seconds - second))]
                if sum(long) < least * len(long) - 3 * math.sqrt(least * (1 - least) * len(long)):
                    back = math.inf
                elif 100 * sum(window) * len(before) >= 95 * sum(before) * len(window):
                    back = min(back, second)
                break
    return back


# A relapse: with 300 calls in five minutes, 95 % are 285, their standard error √(300 · 0.95 · 0.05) = 3.77, and 273 are
# less than 285 - 3 · 3.77 = 273.7.


@pytest.mark.parametrize(("again", "relapse"), [(0, False), (26, False), (27, True), (300, True)])
def test_service_that_gets_worse_again_without_a_fault_had_not_recovered(again: int, relapse: bool) -> None:
    back = [
        *every(1, 700, 1500),
        *every(1, 1500, 1500 + again, Outcome.FAILED),
        *every(1, 1500 + again, END),
    ]
    found = ask("recovery_time", *every(1, 0, FAULT), *every(1, FAULT, 700, Outcome.FAILED), *back)
    assert found == (1500 + again - 3 if relapse else 700 - 3) - FAULT


def test_service_that_gets_worse_long_after_the_fault_was_not_spared() -> None:
    late = [*every(1, 0, 1500), *every(1, 1500, 1700, Outcome.FAILED), *every(1, 1700, END)]
    assert ask("recovery_time", *late) == 1700 - 3 - FAULT


def test_what_gets_worse_by_another_fault_is_that_faults_affair() -> None:
    """The second one, at 1200 s, costs 300 s; minutes that run into it count for neither."""
    faults = [Fault(name="one", at="10m", site="tokyo"), Fault(name="two", at="20m", site="tokyo")]
    twice = drill().model_copy(update={"faults": faults})
    calls = [*every(1, 0, 1200), *every(1, 1200, 1500, Outcome.FAILED), *every(1, 1500, END)]
    assert ask("recovery_time", *calls, plan=twice) == 300 - 3


def test_what_is_not_back_when_the_next_fault_comes_goes_on_from_the_first() -> None:
    faults = [Fault(name="one", at="10m", site="tokyo"), Fault(name="two", at="20m", site="tokyo")]
    twice = drill().model_copy(update={"faults": faults})
    calls = [*every(1, 0, 600), *every(1, 600, 1500, Outcome.FAILED), *every(1, 1500, END)]
    assert ask("recovery_time", *calls, plan=twice) == 900 - 3


def test_service_is_looked_at_by_number_by_queue_by_site_and_by_pair() -> None:
    lost = every(1, FAULT, 900, Outcome.FAILED)
    there = [call(FAULT + i, trunk="ntt-osaka", site="osaka", queue="other", number=OSAKA) for i in range(1800)]
    before = [each._replace(trunk="ntt-osaka", site="osaka", queue="other", number=OSAKA) for each in every(1, 0, 600)]
    calls = [*every(1, 0, FAULT), *lost, *every(1, 900, END), *before, *there]
    for here, elsewhere in (
        (f"number={FREE_DIAL}", f"number={OSAKA}"),
        ("queue=sales", "queue=other"),
        ("site=tokyo", "site=osaka"),
        ("pair=tokyo-edge", "pair=osaka-edge"),
    ):
        assert ask(f"recovery_time{{{here}}}", *calls) == 300 - 3
        assert ask(f"recovery_time{{{elsewhere}}}", *calls) == 0
        assert ask(f"outage_minutes{{{here}}}", *calls) == 300
        assert ask(f"outage_minutes{{{elsewhere}}}", *calls) == 0
    assert ask("recovery_time{pair=tokyo-edge, site=osaka}", *calls) is None


# Levels


def ports(at: float, value: int, limit: str = "tenant") -> Sample:
    return Sample(at, Gauge.PORTS, limit, value)


def test_a_peak_is_the_highest_sample_whose_interval_lies_in_the_window() -> None:
    samples = [ports(0, 7), ports(10, 3), ports(20, 9), ports(30, 4), ports(40, 8), ports(40, 99, "outbound")]
    assert ask("ports_peak{limit=tenant}", *samples) == 9
    assert ask("ports_peak{limit=tenant, after=15s}", *samples) == 8, "the sample at 20 s speaks of 10 to 20 s"
    assert ask("ports_peak{limit=tenant, after=10s, before=39s}", *samples) == 9
    assert ask("ports_peak{limit=tenant, before=15s}", *samples) == 7
    assert ask("ports_peak{limit=tenant, after=10m}", *samples) is None
    assert fold(drill(), *samples).peaks == {"tenant": 9, "outbound": 99}


def test_the_time_axis_has_at_most_120_bins_of_a_width_a_clock_knows() -> None:
    assert [bin_width(minutes * 60) for minutes in (1, 20, 21, 90, 480)] == [10, 10, 20, 60, 300]
    for lasts in (60.0, 5400.0, 86_400.0, 40 * 86_400.0, 366 * 86_400.0):
        assert lasts / bin_width(lasts) <= BINS
        assert bin_width(lasts) % 10 == 0


def test_the_timeline_counts_attempts_by_first_dial_and_keeps_the_extremes_of_levels() -> None:
    phones = [Sample(at, Gauge.SOFTPHONES, "osaka", value) for at, value in ((10, 5), (20, 3), (30, 8))]
    timeline = fold(drill(), call(0), call(19.9), call(20), blocked(21), ports(10, 9), ports(20, 2), *phones).timeline
    assert timeline.width == 20
    assert list(timeline.outcomes[Outcome.COMPLETED][:3]) == [2, 1, 0]
    assert list(timeline.outcomes[Outcome.BLOCKED][:3]) == [0, 1, 0]
    assert [list(bins[:2]) for bins in timeline.gauges[Gauge.PORTS, "tenant"]] == [[2, 0], [9, 0]]
    assert [list(bins[:3]) for bins in timeline.gauges[Gauge.SOFTPHONES, "osaka"]] == [[5, 3, 0], [5, 8, 0]]


def phones(at: float, value: int, site: str = "osaka") -> Sample:
    return Sample(at, Gauge.SOFTPHONES, site, value)


def test_the_fewest_softphones_at_a_site_are_those_of_the_lowest_sample_in_the_window() -> None:
    samples = [phones(0, 9), phones(10, 3), phones(20, 8), phones(30, 5), phones(20, 1, "tokyo"), ports(20, 0, "osaka")]
    assert ask("softphones_least{site=osaka}", *samples) == 3
    assert ask("softphones_least{site=tokyo}", *samples) == 1
    assert ask("softphones_least{site=osaka, after=20s}", *samples) == 5
    assert ask("softphones_least{site=osaka, after=20s, before=30s}", *samples) == 8, "the number at 20 s"
    assert ask("softphones_least{site=osaka, before=10s}", *samples) == 9
    assert ask("softphones_least{site=osaka, after=10m}", *samples) is None


# The journal


def entry(at: float, kind: EventKind, subject: str, **detail: str | float) -> JournalEntry:
    return JournalEntry(at, kind, subject, detail)


def test_a_takeover_lasts_from_the_loss_of_the_serving_node_to_the_next_and_the_longest_counts() -> None:
    lost = [entry(at, EventKind.NODE_LOST, "tokyo-edge") for at in (600, 1000, 2000)]
    served = [entry(at, EventKind.TAKEOVER, "tokyo-edge", outage=0.0) for at in (607, 1003)]
    first, second = [lost[0], served[0]], [lost[1], served[1]]
    assert ask("takeover_time{pair=tokyo-edge}", *first) == 7
    assert ask("takeover_time{pair=tokyo-edge}", *first, *second) == 7
    assert ask("takeover_time{pair=tokyo-edge}", *first, *second, lost[2]) == math.inf
    assert ask("takeover_time{pair=osaka-edge}", *first) is None


def test_pairs_are_meant_by_name_by_site_and_by_the_numbers_that_come_by_them() -> None:
    """The free dial number comes by Tokyo, and by Osaka once it is moved."""
    story = [
        entry(600, EventKind.NODE_LOST, "tokyo-edge"),
        entry(603, EventKind.DETECTED, "tokyo-edge", by="vrrp"),
        entry(604, EventKind.TAKEOVER, "tokyo-edge", outage=4.0),
        entry(700, EventKind.NODE_LOST, "osaka-edge"),
        entry(707, EventKind.DETECTED, "osaka-edge", by="vrrp"),
        entry(709, EventKind.TAKEOVER, "osaka-edge", outage=9.0),
    ]
    for where, detected, served in (
        ("{pair=tokyo-edge}", 3, 4),
        ("{site=tokyo}", 3, 4),
        (f"{{number={TOKYO}}}", 3, 4),
        ("{pair=osaka-edge}", 7, 9),
        ("{site=osaka}", 7, 9),
        (f"{{number={OSAKA}}}", 7, 9),
        (f"{{number={FREE_DIAL}}}", 7, 9),
        (f"{{number={FREE_DIAL}, site=tokyo}}", 3, 4),
        ("", 7, 9),
        (f"{{number={OSAKA}, site=tokyo}}", None, None),
    ):
        assert ask(f"time_to_detect{where}", *story) == detected
        assert ask(f"takeover_time{where}", *story) == served
    assert ask(f"takeover_time{{number={FREE_DIAL}}}", *story, plan=drill(runbook=[])) == 4


def test_a_failure_is_unnoticed_until_somebody_notices_and_one_repaired_before_does_not_count() -> None:
    lost = [entry(at, EventKind.NODE_LOST, "tokyo-edge") for at in (600, 1000, 2000)]
    noticed = [entry(at, EventKind.DETECTED, "tokyo-edge", by="vrrp") for at in (603, 1004)]
    again = entry(700, EventKind.TAKEOVER, "tokyo-edge", outage=0.0)
    assert ask("time_to_detect{pair=tokyo-edge}", lost[0], noticed[0]) == 3
    assert ask("time_to_detect{pair=tokyo-edge}", lost[0], noticed[0], lost[1], noticed[1]) == 4
    assert ask("time_to_detect{pair=tokyo-edge}", lost[0], noticed[0], lost[2]) == math.inf
    assert ask("time_to_detect{pair=tokyo-edge}", lost[0], again) is None
    assert ask("time_to_detect{pair=tokyo-edge}", lost[0], again, lost[1], noticed[1]) == 4
    assert ask("time_to_detect{pair=osaka-edge}", lost[0]) is None


def test_calls_delivered_after_more_than_four_tenths_of_a_second_are_delayed() -> None:
    calls = [call(setup=setup) for setup in (0.0, 0.4, 0.401, 0.5, 3.5)]
    assert ask("delayed", *calls, call(1, Outcome.FAILED, setup=None), call(-5, setup=7.0)) == 3
    assert ask("delayed{number=06-1234-5678}", *calls) == 0
    assert ask("delayed") == 0


def phones_left(at: float, count: int, kind: EventKind = EventKind.REGISTERED) -> JournalEntry:
    lost = {"lost": 1.0} if kind is EventKind.UNREGISTERED else {}
    return entry(at, kind, "sales", site="osaka", registered=count, **lost)


def test_softphones_are_back_when_95_percent_are_registered_to_stay() -> None:
    down = phones_left(600, 0, EventKind.UNREGISTERED)
    assert ask("softphones_back{agents=sales}") == 0, "never gone"
    assert ask("softphones_back{agents=sales}", down) == math.inf
    assert ask("softphones_back{agents=sales}", down, phones_left(900, 94)) == math.inf
    back = [down, phones_left(900, 94), phones_left(930, 95), phones_left(960, 100)]
    assert ask("softphones_back{agents=sales}", *back) == 330
    again = [*back, phones_left(1000, 10, EventKind.UNREGISTERED), phones_left(1600, 100)]
    assert ask("softphones_back{agents=sales}", *again) == 1000


def switched(at: float, count: int) -> JournalEntry:
    """People have switched phones that are registered nowhere yet."""
    return entry(at, EventKind.UNREGISTERED, "sales", site="osaka", registered=count, lost=0)


def test_phones_that_people_switch_were_never_away_if_they_are_taken_in_at_once() -> None:
    """95 of 100 are needed, and are back at 930; the way back begins at 1000, a phone at a time or several."""
    back = [phones_left(600, 0, EventKind.UNREGISTERED), phones_left(930, 95)]
    for story, moment in (
        ([switched(1000, 94), phones_left(1000.4, 95)], 930),
        ([switched(1000, 94), phones_left(1000.5, 95)], 1000.5),
        ([switched(1000, 94), switched(1000.3, 93), phones_left(1000.35, 94), phones_left(1000.5, 95)], 1000.5),
        ([switched(1000, 94), phones_left(1000.3, 95), switched(1000.3, 94), phones_left(1000.5, 95)], 930),
        ([switched(1000, 94)], math.inf),
        ([phones_left(1000, 94, EventKind.UNREGISTERED), phones_left(1000.1, 95)], 1000.1),
        ([switched(1000, 94), phones_left(1000.1, 93, EventKind.UNREGISTERED), phones_left(1000.2, 95)], 1000.2),
        ([phones_left(1000, 94, EventKind.UNREGISTERED), switched(1000.1, 93), phones_left(1000.2, 95)], 1000.2),
    ):
        assert ask("softphones_back{agents=sales}", *back, *story) == pytest.approx(moment - 600)


def test_95_percent_of_lost_registrations_are_made_good_within_their_nearest_rank() -> None:
    lost = entry(600, EventKind.UNREGISTERED, "sales", site="tokyo", registered=0, lost=20)
    back = [
        entry(600 + 10 * i, EventKind.REGISTERED, "sales", site="osaka", registered=i, without=10.0 * i)
        for i in range(1, 21)
    ]
    switched = entry(900, EventKind.REGISTERED, "sales", site="tokyo", registered=20)
    assert ask("registration_p95{agents=sales}") is None
    assert ask("registration_p95{agents=sales}", lost) == math.inf
    assert ask("registration_p95{agents=sales}", lost, *back[:18]) == math.inf, "two of twenty are not back"
    assert ask("registration_p95{agents=sales}", lost, *back[:19]) == 190, "the last one need not be"
    assert ask("registration_p95", lost, *back, switched) == 190


def test_the_peak_of_registers_is_the_most_in_any_sample_of_the_site() -> None:
    samples = [
        Sample(at, gauge, site, count)
        for at, gauge, site, count in (
            (10, Gauge.REGISTERS, "tokyo", 3),
            (20, Gauge.REGISTERS, "tokyo", 40),
            (30, Gauge.REGISTERS, "tokyo", 2),
            (20, Gauge.REGISTERS, "osaka", 70),
            (20, Gauge.SOFTPHONES, "tokyo", 99),
        )
    ]
    assert ask("register_peak{site=tokyo}", *samples) == 40
    assert ask("register_peak{site=tokyo}") is None


def test_the_runbook_ends_with_its_last_step() -> None:
    ends = [entry(900 + 60 * i, EventKind.STEP_FINISHED, step) for i, step in enumerate(STEPS)]
    assert ask("runbook_time", *ends) == 900 + 180 - FAULT
    assert ask("runbook_time", *ends[:-1]) == math.inf
    assert ask("runbook_time", plan=drill(runbook=[])) is None


def test_steps_and_effects_are_kept_with_their_moments() -> None:
    step = STEPS[0]
    summary = fold(
        drill(),
        entry(600, EventKind.STEP_READY, step, released_by="tokyo-lost"),
        entry(780, EventKind.STEP_STARTED, step),
        entry(800, EventKind.STEP_REPEATED, step),
        entry(900, EventKind.STEP_FINISHED, step),
        entry(601, EventKind.EFFECT, "tokyo-lost", met="call"),
        entry(700, EventKind.EFFECT, "tokyo-lost", met="registration"),
    )
    run = summary.steps[step]
    assert (run.ready, run.started, run.finished, run.repeats) == (600, 780, 900, 1)
    assert (run.released_by, run.cost(END), run.hesitation) == ("tokyo-lost", 300, 180)
    assert summary.steps[STEPS[1]].cost(END) is None
    assert summary.effects == {"tokyo-lost": Effect(601, "call")}


# What is asked


def test_a_run_is_asked_its_expectations_first_and_nothing_twice() -> None:
    plan = drill(expect=["ports_peak{limit=tenant, after=15m} < 80%", "recovery_time{number=0120123456} < 30m"])
    asked = default_queries(plan)
    assert [str(one) for one in asked[:2]] == [
        "ports_peak{limit=tenant, after=15m}",
        "recovery_time{number=0120-123-456}",
    ]
    assert len(set(asked)) == len(asked)


def test_the_standard_set_covers_every_limit_queue_number_and_group() -> None:
    asked = {str(one) for one in default_queries(drill())}
    assert {f"ports_peak{{limit={limit}}}" for limit in limits(drill())} <= asked
    assert {"service_level{queue=sales}", "softphones_back{agents=sales}", "runbook_time"} <= asked
    assert f"recovery_time{{number={FREE_DIAL}}}" in asked
    assert "attempts{direction=out}" in asked
    assert not {one for one in asked if MOBILE in one}, "numbers of others are not the plan's"


def test_without_faults_nothing_is_asked_about_getting_over_them() -> None:
    names: Iterable[str] = {one.metric for one in default_queries(drill(faults=False))}
    assert not {"recovery_time", "takeover_time", "softphones_back", "runbook_time"} & set(names)


def test_limits_are_the_contracts_the_taps_the_trunks_and_the_pairs() -> None:
    assert limits(drill()) == {
        "tenant": 250,
        "outbound": 50,
        OSAKA: 150,
        "ntt-tokyo": 300,
        "ntt-osaka": 200,
        "tokyo-edge": 300,
        "osaka-edge": 200,
    }
