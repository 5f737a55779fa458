"""What `kirikae drift` shows and writes of comparisons made by hand."""

import math
from collections.abc import Sequence
from io import StringIO

import pytest
from rich.console import Console

from reports.drift import Drift, Side
from reports.drift_result import drift_result, drift_text
from reports.drift_terminal import print_drift
from reports.origin import Origin
from reports.summary import RunSummary
from reports.wording import difference_text
from scenarios.evidence import CallRecord, EventKind, JournalEntry, Outcome
from scenarios.metrics import Unit
from scenarios.model import Drill
from tests.made_evidence import call, drill, fold

EFFECT = JournalEntry(601, EventKind.EFFECT, "tokyo-lost", {"met": "call"})
ALIKE, OTHER = (9, 8, 9, 8, 9), (5, 4, 5, 4, 5)
"""Calls answered of ten, run by run."""


def summary(plan: Drill, good: int, *more: JournalEntry) -> RunSummary:
    records: list[CallRecord] = [call() if i < good else call(0, Outcome.FAILED) for i in range(10)]
    return fold(plan, *records, EFFECT, *more)


def compared(
    engines: Sequence[str], *runs: Sequence[int], plan: Drill | None = None, interrupted: bool = False
) -> Drift:
    made = plan or drill()
    sides = tuple(
        Side(engine, engine, (), made, tuple(summary(made, good) for good in answered))
        for engine, answered in zip(engines, runs, strict=True)
    )
    return Drift(made, made.run.lasts, 1, len(runs[0]) or 9, interrupted, sides)


def shown(drift: Drift, width: int = 120, *, everything: bool = False) -> str:
    """Return what is printed, with all white space as single spaces."""
    console = Console(file=StringIO(), width=width)
    print_drift(console, drift, everything=everything)
    assert isinstance(console.file, StringIO)
    return " ".join(console.file.getvalue().split())


@pytest.mark.parametrize("width", [40, 120])
def test_the_assumption_that_moves_a_metric_first_is_named_with_what_each_engine_takes_for_granted(width: int) -> None:
    text = shown(compared(("calls", "packets"), ALIKE, OTHER), width)
    assert "THE ENGINES DIFFER" in text
    assert "Likely cause: what happens at the same moment: asr, answered" in text
    assert "calls: one call, agent or limit after the other" in text
    assert "packets: messages cross" in text


def test_a_difference_that_no_assumption_explains_is_said_to_be_unexplained() -> None:
    text = shown(compared(("calls", "another"), ALIKE, OTHER))
    assert "Unexplained: " in text
    assert "Likely cause" not in text


def test_no_cause_is_looked_for_where_nothing_differs() -> None:
    text = shown(compared(("calls", "packets"), ALIKE, ALIKE))
    assert "THE ENGINES AGREE" in text
    assert "Likely cause" not in text
    assert "all of them to the last digit" in text


def test_a_single_run_tells_nothing_and_says_so() -> None:
    text = shown(compared(("calls", "packets"), ALIKE[:1], OTHER[:1]))
    assert "CANNOT TELL" in text
    assert "(one run)" in text


def test_a_comparison_stopped_before_its_first_run_says_so() -> None:
    drift = compared(("calls", "packets"), (), (), interrupted=True)
    assert "The runs are no evidence: stopped after 0 of 9 runs." in shown(drift)
    assert drift_result(drift, Origin("plan"))["replications"] == {"asked": 9, "done": 0}


def test_what_happens_in_one_engine_alone_is_counted() -> None:
    plan = drill(expect=["runbook_time <= 1h"])
    done = [JournalEntry(at, EventKind.STEP_FINISHED, step.step) for at, step in enumerate(plan.runbook, start=700)]
    one = tuple(summary(plan, 9, *done) for _ in range(5))
    other = tuple(summary(plan, 9) for _ in range(5))
    assert [math.isinf(run.values[plan.expect[0].query] or 0) for run in (one[0], other[0])] == [False, True]
    sides = (Side("calls", "calls", (), plan, one), Side("packets", "packets", (), plan, other))
    drift = Drift(plan, plan.run.lasts, 1, 5, False, sides)
    assert "never in 0 with calls, 5 with packets, of 5 runs" in shown(drift)
    metric = drift_result(drift, Origin("plan"))["pairings"][0]["metrics"]["runbook_time"]
    assert metric["values"] == {"calls": None, "packets": None}
    assert metric["never"]["runs"] == {"calls": 0, "packets": 5}
    assert metric["never"]["difference"]["mean"] == 1


def test_entries_of_the_drill_that_cover_nothing_are_pointed_out() -> None:
    plan = drill(drift={"allow": {"asr{trunk=ntt-tokyo}": "1%"}})
    text = shown(compared(("calls", "packets"), ALIKE, ALIKE, plan=plan))
    assert "Nothing that is compared falls under drift.allow: asr{trunk=ntt-tokyo}." in text


def test_the_data_name_what_is_allowed_and_all_likely_causes() -> None:
    result = drift_result(compared(("calls", "packets"), ALIKE, OTHER), Origin("plan", ("name=x",)))
    failed = result["pairings"][0]["metrics"]["failed"]
    assert failed["difference"] == {
        "mean": 4.0,
        "interval": [4.0, 4.0],
        "allowed": 0.5,
        "significant": True,
        "agreement": "differs",
        "runs": 5,
        "needed": None,
    }
    assert [cause["about"] for cause in failed["likely_causes"]] == [
        "retransmission",
        "what happens at the same moment",
    ]
    assert [each["changes"] for each in result["engines"]] == [["name=x"], ["name=x"]]


def test_the_same_comparison_gives_the_same_text() -> None:
    texts = [drift_text(compared(("calls", "packets"), ALIKE, OTHER), Origin("plan")) for _ in range(2)]
    assert texts[0] == texts[1]
    assert texts[0].endswith("}\n")


DIFFERENCES: list[tuple[float, Unit, str]] = [
    (0.0, Unit.SECONDS, "0s"),
    (0.5, Unit.SECONDS, "+500ms"),
    (-0.0004, Unit.SECONDS, "0s"),
    (-90.0, Unit.SECONDS, "-1m30s"),
    (0.0123, Unit.SHARE, "+1.2 points"),
    (-0.00031, Unit.SHARE, "-0.031 points"),
    (0.0, Unit.SHARE, "0 points"),
    (1.0, Unit.CALLS, "+1"),
    (-1234.4, Unit.CALLS, "-1,234"),
    (0.25, Unit.PORTS, "+0.25"),
    (-2.5, Unit.RATE, "-2.5/s"),
    (1e-9, Unit.CALLS, "0"),
]


@pytest.mark.parametrize(("difference", "unit", "text"), DIFFERENCES)
def test_a_difference_is_written_with_its_sign_and_unit(difference: float, unit: Unit, text: str) -> None:
    assert difference_text(difference, unit) == text
