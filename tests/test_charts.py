"""What the charts of a report show, held to evidence made by hand."""

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.charts import charts
from reports.charts_levels import MOST_LINES
from reports.charts_losses import MOST_NUMBERS, MOST_REASONS, loss_chart
from reports.charts_recovery import MOST_POINTS, recoveries, recovery_charts
from reports.fold import Fold
from reports.html import embedded_json
from reports.judge import Judged, judge
from reports.levels import BINS
from reports.queries import default_queries
from reports.runbook import step_reports
from reports.story import mean_losses
from reports.summary import Loss, RunSummary
from scenarios.evidence import SAMPLE_EVERY, CallRecord, Direction, EventKind, Gauge, JournalEntry, Outcome, Sample
from scenarios.expectations import Query
from scenarios.model import Drill
from tests.made_evidence import FREE_DIAL, OSAKA, STEPS, call, drill, fold

RECOVERY = f"recovery_time{{number={FREE_DIAL}}} <= 20m"


def shown(plan: Drill, *summaries: RunSummary) -> dict[str, Any]:
    """Return the data of a page."""
    return charts(judge(plan, summaries, engine="calls", seed=1))


def level(at: float, value: int, name: str = "osaka", gauge: Gauge = Gauge.SOFTPHONES) -> Sample:
    return Sample(at, gauge, name, value)


# Levels


def test_a_level_shows_its_lowest_and_highest_in_each_bin_over_the_runs() -> None:
    plan = drill()
    # Bins of 20 s: at 20 and 30 s is the second.
    runs = [fold(plan, level(20, low), level(30, 50)) for low in (0, 40, 45)]
    (found,) = shown(plan, *runs)["levels"]
    (line,) = found["lines"]
    assert line["name"] == "osaka"
    second = {key: values[1] for key, values in line.items() if key != "name"}
    assert second == {"least": 0, "p10": 0, "low": 40, "high": 50, "p90": 50, "most": 50}


def test_a_chart_of_levels_has_its_highest_lines_and_says_how_many_are_missing() -> None:
    names = [f"group-{number:02}" for number in range(MOST_LINES + 3)]
    group = {"count": 10, "softphone": {"sites": ["tokyo"]}}
    plan = drill(agents={"sales": group, **dict.fromkeys(names, group)})
    samples = [level(20, number + 1, name, Gauge.AGENTS_BUSY) for number, name in enumerate(names)]
    (found,) = shown(plan, fold(plan, *samples))["levels"]
    assert [line["name"] for line in found["lines"]] == names[3:]
    assert found["more"] == 3


# Service level


def test_the_service_level_of_a_bin_is_that_of_the_calls_of_all_runs_that_began_in_it() -> None:
    plan = drill(expect=["service_level{queue=sales, after=20m} >= 80%", "service_level < 99%"])
    runs = [
        fold(plan, call(0), call(19.9, wait=21.0), call(45, Outcome.ABANDONED, setup=0.1, wait=3.0)),
        fold(plan, call(5), call(10), call(10, Outcome.FAILED)),
    ]
    (found,) = shown(plan, *runs)["service"]
    # 20 s are the threshold of the queue and, by chance, the width of a bin; a failed call never reached the queue.
    assert found["shares"][:4] == [0.75, None, 0.0, None]
    assert found["calls"][:3] == [2.0, 0.0, 0.5]
    assert [(target["share"], target["from"], target["to"]) for target in found["targets"]] == [
        (0.8, 20, 40),
        (0.99, 0, 40),
    ]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2399), st.sampled_from([1.0, 30.0]), st.booleans()), max_size=80))
def test_bins_of_the_service_level_add_up_to_the_metric(made: list[tuple[int, float, bool]]) -> None:
    plan = drill()
    calls = [
        call(at, wait=wait) if answered else call(at, Outcome.ABANDONED, setup=0.1, wait=wait)
        for at, wait, answered in made
    ]
    summary = fold(plan, *calls)
    answered = summary.timeline.service["sales"]
    whole = summary.values[Query("service_level", (("queue", "sales"),))]
    assert sum(answered.served) == len(made)
    assert whole == (sum(answered.in_time) / len(made) if made else None)


# Recovery


def with_recovery(*times: float | None) -> Judged:
    """Return runs of which a recovery time is known; None for nothing to measure."""
    plan = drill(expect=[RECOVERY])
    base = _folded_nothing()
    query = plan.expect[0].query
    runs = [_replaced(base, query, value) for value in times]
    return judge(plan, runs, engine="calls", seed=1)


@cache
def _folded_nothing() -> RunSummary:
    return fold(drill(expect=[RECOVERY]))


def _replaced(base: RunSummary, query: Query, value: float | None) -> RunSummary:
    return replace(base, values={**base.values, query: value})


def test_recovery_counts_runs_that_never_recovered_and_marks_the_target() -> None:
    judged = with_recovery(600, 1500, math.inf, 900, None)
    (found, *_) = recoveries(judged)
    assert (found.runs, found.never, found.nothing) == (4, 1, 1)
    assert (found.half, found.most) == (1200, math.inf)
    assert found.half == judged.metrics[found.query].value, "as it is judged"
    assert [(bound.seconds, bound.held_in) for bound in found.bounds] == [(1200, 2)]
    (drawn,) = recovery_charts([found])
    assert (drawn["minutes"], drawn["shares"]) == ([10, 15, 25], [0.25, 0.5, 0.75])
    assert (drawn["p50"], drawn["p90"], drawn["never"]) == (20, None, 1)
    assert drawn["bounds"][0]["at"] == 20


@pytest.mark.parametrize(
    ("times", "told"),
    [
        ((600,), "One run is no distribution: it took 10m."),
        ((math.inf,), "The single run did not recover."),
        ((600, 600), "It took 10m in each of 2 runs."),
        ((600, math.inf), "It took 10m in 1 of 2 runs, and the others did not recover."),
        ((math.inf, math.inf), "None of 2 runs recovered."),
        ((None,), "There was nothing to measure."),
    ],
)
def test_what_is_no_distribution_is_said_and_not_drawn(times: tuple[float | None, ...], told: str) -> None:
    (found, *_) = recoveries(with_recovery(*times))
    assert found.told == told
    assert not list(recovery_charts([found]))


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 3 * MOST_POINTS), st.integers(0, 50))
def test_a_line_of_recovery_times_is_thinned_and_keeps_its_ends(count: int, never: int) -> None:
    (found, *_) = recoveries(with_recovery(*map(float, range(60, 60 + count)), *[math.inf] * never))
    (drawn,) = recovery_charts([found])
    assert len(drawn["minutes"]) <= MOST_POINTS
    assert drawn["minutes"][0] == 1
    assert drawn["minutes"][-1] == round((59 + count) / 60, 3)
    assert drawn["shares"][-1] == round(count / (count + never), 5)
    assert drawn["shares"] == sorted(drawn["shares"])


# Losses


def test_losses_are_stacked_by_number_and_cause() -> None:
    plan = drill()
    summary = fold(
        plan,
        call(1, Outcome.BLOCKED, reason="tenant"),
        call(1, Outcome.BLOCKED, reason="tenant"),
        call(1, Outcome.FAILED, reason="nothing answers"),
        call(1, Outcome.BLOCKED, reason="tenant", number=OSAKA, direction=Direction.OUTBOUND),
    )
    found = loss_chart(mean_losses(judge(plan, [summary, fold(plan)], engine="calls", seed=1)))
    assert [(str(row["name"]), str(row["direction"])) for row in found["rows"]] == [(FREE_DIAL, "in"), (OSAKA, "out")]
    assert [(part["outcome"], part["reason"], part["mean"]) for part in found["parts"]] == [
        ("blocked", "tenant", [1, 0.5]),
        ("failed", "nothing answers", [0.5, 0]),
    ]


LOSSES = st.dictionaries(
    st.builds(
        Loss,
        st.sampled_from(list(Direction)),
        st.integers(0, 40).map(str),
        st.sampled_from([Outcome.BLOCKED, Outcome.FAILED, Outcome.DROPPED, Outcome.ABANDONED]),
        st.integers(0, 9).map(str),
    ),
    st.floats(0.01, 1000),
    min_size=1,
    max_size=200,
)


@settings(max_examples=25, deadline=None)
@given(LOSSES)
def test_bars_lose_nothing_however_many_numbers_and_reasons_there_are(losses: dict[Loss, float]) -> None:
    found = loss_chart(list(losses.items()))
    assert len(found["rows"]) <= MOST_NUMBERS + 1
    assert len(found["parts"]) <= 4 * (MOST_REASONS + 1)
    drawn = sum(sum(part["mean"]) for part in found["parts"])
    assert math.isclose(drawn, sum(losses.values()), abs_tol=0.001 * len(losses), rel_tol=1e-6)


# The runbook


def test_steps_that_stay_open_and_those_that_are_repeated_are_told_apart() -> None:
    plan = drill()
    first = STEPS[0]
    done = [
        JournalEntry(600, EventKind.STEP_READY, first, {"released_by": "tokyo-lost"}),
        JournalEntry(700, EventKind.STEP_STARTED, first),
        JournalEntry(760, EventKind.STEP_REPEATED, first),
        JournalEntry(900, EventKind.STEP_FINISHED, first),
    ]
    runs = [fold(plan, *done), fold(plan, *done[:2]), fold(plan, *done[:1]), fold(plan)]
    report = step_reports(plan, runs)[0]
    assert (report.finished_in, report.open_in, report.repeated_in, report.released_by) == (1, 2, 1, "tokyo-lost")
    assert report.open_since is not None
    assert report.open_since.p50 == 600
    assert report.open_begun is not None
    assert report.open_begun.p50 == 700
    (step, *_) = shown(plan, *runs)["steps"]
    assert (step["openIn"], step["openSince"], step["openBegun"], step["repeatedIn"]) == (
        2, [10, 10, 10], [11.667, 11.667, 11.667], 1,
    )  # fmt: skip


# How much there is


def crowd(count: int) -> Iterator[list[CallRecord]]:
    """Yield as many calls as asked for in blocks, as an engine hands them over: every block is spread over the run."""
    block = 10_000
    calls = [call(start) for start in np.arange(0, 2400, 2400 / block).tolist()]
    for _ in range(count // block):
        yield calls


def streamed(plan: Drill, calls: int) -> RunSummary:
    """Return a replication with so many calls, and a single sample that stands out in either direction."""
    taker = Fold(plan, default_queries(plan))
    for block in crowd(calls):
        taker.calls(block)
    for at in np.arange(0, 2400, SAMPLE_EVERY).tolist():
        taker.sample(level(at, 0 if at == 1210 else 100))
        taker.sample(level(at, 37 if at == 2010 else 0, "sales", Gauge.WAITING))
    return taker.summary()


def data_of(plan: Drill, summary: RunSummary) -> str:
    return embedded_json(shown(plan, summary))


@pytest.mark.slow
def test_the_data_of_a_page_do_not_grow_with_the_calls_and_keep_what_stands_out() -> None:
    plan = drill()
    few, many = streamed(plan, 10_000), streamed(plan, 1_000_000)
    assert many.records == 1_000_000
    small, large = (data_of(plan, summary) for summary in (few, many))
    assert large.count(",") == small.count(","), "as many values"
    assert len(large) < len(small) + 6 * BINS, "with more digits"
    phones, waiting = json.loads(large)["levels"]
    bin_of = {at: int(at // many.timeline.width) for at in (1210, 2010)}
    (line,) = phones["lines"]
    assert (line["low"][bin_of[1210]], line["high"][bin_of[1210]]) == (0, 100)
    assert line["low"].count(0) == 1
    (queue,) = waiting["lines"]
    assert (queue["low"][bin_of[2010]], queue["high"][bin_of[2010]]) == (0, 37)
    assert sum(queue["high"]) == 37


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 239), st.integers(0, 500)), min_size=1, max_size=60),
    st.sampled_from([Gauge.SOFTPHONES, Gauge.PORTS]),
)
def test_no_extreme_of_a_level_is_lost(samples: list[tuple[int, int]], gauge: Gauge) -> None:
    plan = drill()
    made = [level(at * SAMPLE_EVERY, value, "osaka", gauge) for at, value in samples]
    extremes = fold(plan, *made).timeline.gauges[gauge, "osaka"]
    assert max(extremes.highest) == max(value for _, value in samples)
    assert {value for _, value in samples} >= {low for low in extremes.lowest if low}
    least = min(value for _, value in samples)
    assert least in extremes.lowest
