"""What a rehearsal took against what its drill expects, and the times that are proposed for it."""

import csv
import io
import json
import statistics
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kirikae import actuals as command
from kirikae.expected import Asked
from kirikae.options import OptionError
from reports.actuals import Actuals, Measured, Pace, Prediction, compare
from reports.actuals_result import actuals_text
from reports.actuals_terminal import print_actuals, setting
from reports.console import safe_console
from reports.exit_codes import ExitCode
from reports.filled_sheet import Actual, Filled, Stamp, read_sheet
from reports.origin import Origin
from reports.sheet import events_of
from reports.summary import StepRun
from scenarios.distributions import Distribution, Shape, format_distribution, parse_distribution
from scenarios.loader import load, load_text
from scenarios.problems import Mark
from scenarios.rewriting import RewritingError, with_takes
from scenarios.source import read_value
from scenarios.text import LANGUAGES, translator
from tests.rehearsed import STEPS, TINY, summaries, taking, tiny
from tests.test_cli import kirikae

PRESS = "press the button"
ZERO = 120.0  # of the fault that the tiny drill counts from


def sheet(
    step: str = PRESS, *, took: float, began: float = 180.0, within: float = 1.0, anchored: bool = True
) -> Filled:
    """Return a sheet in which one step was begun at a moment after the fault, and took so long."""
    actual = Actual(Stamp(began, within), Stamp(began + took, within))
    return Filled("sheet.csv", {step: actual}, anchored, (), ())


def compared(*sheets: Filled, times: tuple[float, ...] = (100.0, 200.0, 300.0)) -> Actuals:
    return compare(tiny(), summaries({PRESS: taking(*times)}), sheets)


def measured(value: float, *values: float, within: float = 0.0) -> Measured:
    return Measured(value, value - within, value + within, Prediction(values))


# Where it lies


@pytest.mark.parametrize(("value", "share"), [(50, 0), (100, 1 / 6), (150, 1 / 3), (200, 0.5), (300, 5 / 6), (999, 1)])
def test_the_quantile_is_the_share_of_runs_that_were_faster_ties_halved(value: float, share: float) -> None:
    assert measured(value, 100, 200, 300).quantile == pytest.approx(share)


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=99, unique=True).filter(lambda drawn: len(drawn) % 2))
def test_who_takes_the_median_is_at_half(times: list[int]) -> None:
    median = float(statistics.median(times))
    result = compare(tiny(), summaries({PRESS: taking(*map(float, times))}), [sheet(took=median)])
    (step, *_) = result.sheets[0].steps
    assert step.took is not None
    assert step.took.quantile == pytest.approx(0.5)
    assert step.took.pace is Pace.AS_EXPECTED
    assert step.ended is not None
    assert step.ended.quantile == pytest.approx(0.5)  # the runs began it at 300 s, and so did people: 180 s after 120
    assert result.sheets[0].total is not None
    assert result.sheets[0].total.quantile == pytest.approx(0.5)
    assert result.proposals == ()


def test_slow_and_fast_are_beyond_the_p90_and_the_p10_whatever_the_seconds_were() -> None:
    runs = [float(seconds) for seconds in range(100, 1100, 100)]  # p10 100, p90 900
    paces = [measured(value, *runs, within=60).pace for value in (30, 45, 930, 970)]
    assert paces == [Pace.FAST, Pace.AS_EXPECTED, Pace.AS_EXPECTED, Pace.SLOW]


def test_a_run_that_never_finished_is_slower_than_anybody() -> None:
    never = StepRun(ready=300.0, started=300.0)
    result = compare(tiny(), summaries({PRESS: [*taking(100.0), never]}), [sheet(took=5000.0)])
    took = result.sheets[0].steps[0].took
    assert took is not None
    assert (took.quantile, took.prediction.p90, took.pace) == (0.5, inf, Pace.AS_EXPECTED)
    assert json.loads(actuals_text(result, Origin("tiny"), "en", str))["sheets"][0]["steps"][0]["took"]["p90"] is None


def test_what_was_not_written_down_is_not_compared() -> None:
    half = Filled("sheet.csv", {PRESS: Actual(None, Stamp(400, 60))}, anchored=True, missing=(), notes=())
    (step, other, *_) = compared(half).sheets[0].steps
    assert step.took is None
    assert step.ended is not None
    assert (other.took, other.ended) == (None, None)
    assert compared(half).proposals == ()


def test_without_the_time_of_the_first_line_moments_are_not_compared() -> None:
    (result,) = compared(sheet(took=200.0, anchored=False)).sheets
    assert result.steps[0].took is not None
    assert (result.steps[0].ended, result.total) == (None, None)


@pytest.mark.parametrize(
    ("first", "end", "low", "high", "pace"),
    [
        ("10:32", "10:37:00", 240, 301, Pace.AS_EXPECTED),
        ("10:32:00", "10:37:00", 299, 301, Pace.SLOW),
        ("10:32:00", "10:37", 299, 360, Pace.SLOW),
        ("10:32", "10:37", 240, 360, Pace.AS_EXPECTED),
        ("", "5m", 240, 360, Pace.AS_EXPECTED),
    ],
)
def test_when_a_step_ended_is_no_more_exact_than_the_first_line(
    tmp_path: Path, first: str, end: str, low: float, high: float, pace: Pace
) -> None:
    path = tmp_path / "sheet.csv"
    path.write_text(f"no.,step,actual begin,actual end\nF1,,{first},\n1,,,{end}\n", "utf-8")
    filled = read_sheet(path, STEPS, events_of(tiny())[1])
    runs = summaries({PRESS: taking(260.0, begun=ZERO)})
    (sheet_,) = compare(tiny(), runs, [filled]).sheets
    for each in (sheet_.steps[0].ended, sheet_.total):
        assert each is not None
        assert (each.value, each.low, each.high, each.pace) == (300, low, high, pace)


def test_the_total_is_held_against_the_same_steps_of_the_runs() -> None:
    runs = summaries({PRESS: taking(100.0, 200.0), "re-point": taking(50.0, 400.0, begun=600.0)})
    steps = {PRESS: Actual(None, Stamp(100, 1)), "re-point": Actual(None, Stamp(700, 1))}
    total = compare(tiny(), runs, [Filled("a", steps, anchored=True, missing=(), notes=())]).sheets[0].total
    assert total is not None
    assert total.value == 700
    assert total.prediction.values == (650 - ZERO, 1000 - ZERO)
    first = {PRESS: steps[PRESS]}
    total = compare(tiny(), runs, [Filled("a", first, anchored=True, missing=(), notes=())]).sheets[0].total
    assert total is not None
    assert total.prediction.values == (400 - ZERO, 500 - ZERO)


# What is proposed


def test_one_sheet_moves_the_median_half_way_on_a_logarithmic_scale() -> None:
    (proposal,) = compared(sheet(took=480.0), times=(120.0, 120.0, 120.0)).proposals
    assert proposal.factor == pytest.approx(2.0)  # four times as long: the root of it
    assert (proposal.old, proposal.new) == (parse_distribution("2m"), parse_distribution("4m"))
    assert setting(proposal) == "runbook[press the button].takes=4m"
    assert load_text(TINY, "tiny", [setting(proposal)]).drill.runbook[0].takes == proposal.new


def test_two_sheets_move_it_by_two_thirds() -> None:
    (proposal,) = compared(sheet(took=480.0), sheet(took=480.0), times=(120.0,)).proposals
    assert proposal.factor == pytest.approx(4 ** (2 / 3))
    assert proposal.new == parse_distribution("5m2s")  # 302.4 s


def test_sheets_that_contradict_each_other_move_nothing() -> None:
    assert compared(sheet(took=240.0), sheet(took=60.0), times=(120.0,)).proposals == ()


def test_within_what_was_expected_nothing_is_proposed() -> None:
    assert compared(sheet(took=290.0)).proposals == ()
    assert len(compared(sheet(took=302.0)).proposals) == 1  # 300 s is the p90, and 1 s may be lost in writing it down


def test_several_sheets_have_to_lie_nearer_to_the_median() -> None:
    """With four, the mean may be half as far from it: from 200 s to √(300 / 200) times that, 244.9 s."""
    slow = sheet(took=260.0)
    assert compared(slow).proposals == ()
    assert len(compared(*[slow] * 4).proposals) == 1
    assert compared(*[sheet(took=240.0)] * 4).proposals == ()


def test_minutes_that_hide_the_seconds_are_no_evidence() -> None:
    assert compared(sheet(took=180.0, within=60.0), times=(120.0,)).proposals == ()
    assert len(compared(sheet(took=180.0, within=1.0), times=(120.0,)).proposals) == 1


def test_a_step_over_within_one_minute_of_the_clock_is_taken_for_half_of_it() -> None:
    (proposal,) = compared(sheet(took=0.0, within=60.0), times=(480.0,)).proposals
    assert proposal.factor == pytest.approx((30 / 480) ** 0.5)


def test_a_step_of_no_time_cannot_be_multiplied() -> None:
    drill = tiny("runbook[press the button].takes=0")
    result = compare(drill, summaries({PRESS: taking(0.0)}), [sheet(took=60.0)])
    assert (result.proposals, result.timeless) == ((), (PRESS,))


@pytest.mark.parametrize(
    ("stated", "doubled"),
    [
        ("2m", "4m"),
        ("{exponential: 2m}", "{exponential: 4m}"),
        ("{uniform: [1m, 3m]}", "{uniform: [2m, 6m]}"),
        ("{triangular: [1m, 2m, 4m]}", "{triangular: [2m, 4m, 8m]}"),
        ("{lognormal: {mean: 2m, cv: 0.7}}", "{lognormal: {mean: 4m, cv: 0.7}}"),
        ("{gamma: {mean: 2m, cv: 0.7}}", "{gamma: {mean: 4m, cv: 0.7}}"),
        ("{empirical: [1m, 2m]}", "{empirical: [2m, 4m]}"),
    ],
)
def test_the_shape_stays_whatever_it_is(stated: str, doubled: str) -> None:
    drill = tiny(f"runbook[press the button].takes={stated}")
    (proposal,) = compare(drill, summaries({PRESS: taking(120.0)}), [sheet(took=480.0)]).proposals
    assert format_distribution(proposal.old) == stated
    assert format_distribution(proposal.new) == doubled


TIME = st.integers(1, 3_600_000).map(lambda milliseconds: milliseconds / 1000)
DISTRIBUTIONS = st.one_of(
    st.builds(lambda value: Distribution(Shape.CONSTANT, (value,)), TIME),
    st.builds(lambda value: Distribution(Shape.EXPONENTIAL, (value,)), TIME),
    st.builds(lambda low, more: Distribution(Shape.UNIFORM, (low, low + more)), TIME, TIME),
    st.builds(lambda low, a, b: Distribution(Shape.TRIANGULAR, (low, low + a, low + a + b)), TIME, TIME, TIME),
    st.builds(
        lambda shape, mean, cv: Distribution(shape, (mean, cv / 100)),
        st.sampled_from([Shape.LOGNORMAL, Shape.GAMMA]),
        TIME,
        st.integers(1, 2000),
    ),
    st.builds(lambda values: Distribution(Shape.EMPIRICAL, tuple(values)), st.lists(TIME, min_size=1, max_size=5)),
)


@given(DISTRIBUTIONS)
def test_a_distribution_reads_back_as_it_was_written(distribution: Distribution) -> None:
    read = parse_distribution(read_value(format_distribution(distribution), Mark("test")).plain())
    assert read.shape is distribution.shape
    assert read.parameters == pytest.approx(distribution.parameters, abs=0.0006)


@given(DISTRIBUTIONS, st.floats(0.1, 10))
def test_scaled_times_have_the_scaled_mean(distribution: Distribution, factor: float) -> None:
    assert distribution.scaled(factor).mean == pytest.approx(distribution.mean * factor)


def test_a_step_whose_name_has_brackets_is_named_by_its_place() -> None:
    text = TINY.replace("press the button", "'press [DR]'")
    drill = load_text(text, "tiny").drill
    (run,) = summaries({PRESS: taking(120.0)})
    run = replace(run, steps={"press [DR]" if name == PRESS else name: went for name, went in run.steps.items()})
    (proposal,) = compare(drill, [run], [sheet("press [DR]", took=480.0)]).proposals
    assert setting(proposal) == "runbook[0].takes=4m"
    assert load_text(text, "tiny", [setting(proposal)]).drill.runbook[0].takes == proposal.new


# The drill with new times


def test_only_the_times_change_in_the_text_of_a_drill() -> None:
    text = with_takes(TINY, {0: "3m10s", 1: "{uniform: [1m, 9m]}"})
    changed = [(old, new) for old, new in zip(TINY.splitlines(), text.splitlines(), strict=True) if old != new]
    assert changed == [
        (
            "    takes: 2m                    # as the manual says",
            "    takes: 3m10s                    # as the manual says",
        ),
        ("    takes: 4m", "    takes: {uniform: [1m, 9m]}"),
    ]


def test_a_time_in_several_lines_is_replaced_as_a_whole() -> None:
    block = "takes:\n      uniform:          # by hand\n        - 1m\n        - 5m\n    # what it does\n"
    text = with_takes(TINY.replace("takes: 4m\n", block), {1: "8m"})
    assert "takes:\n      8m\n    # what it does\n" in text
    assert load_text(text, "tiny").drill.runbook[1].takes == parse_distribution("8m")


def test_a_time_that_stands_elsewhere_is_left_alone() -> None:
    text = TINY.replace("    takes: 4m\n", "    <<: *common\n").replace(
        "    takes: 2m  ", "    <<: &common {takes: 2m}  "
    )
    with pytest.raises(RewritingError, match=r"runbook\[1\].takes stands elsewhere"):
        with_takes(text, {1: "8m"})


# The command


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tiny.kirikae.yaml").write_text(TINY, encoding="utf-8")
    fill(tmp_path / "sheet.csv", "10:00,", "10:05:00,10:13:00", ",10:17")
    return tmp_path


def fill(path: Path, *times: str) -> None:
    names = ["F1,tokyo-lost", f"1,{PRESS}", "2,re-point"]
    lines = [f"{name},{time}" for name, time in zip(names, times, strict=True)]
    path.write_text("\n".join(["no.,step,actual begin,actual end", *lines]) + "\n", encoding="utf-8")


def run(folder: Path, *sheets: str, **more: object) -> tuple[ExitCode, str]:
    asked = {"changes": (), "asked": Asked(1, None, 1), "language": "en", "json": None, "write": None, "force": False}
    options = command.Options(**{**asked, **more})  # type: ignore[arg-type]  # by name, as the command line does
    path, out = folder / "tiny.kirikae.yaml", io.StringIO()
    paths = [folder / name for name in sheets or ("sheet.csv",)]
    loaded = load(path, options.changes)
    return command.compare_sheets(loaded, path, path.name, paths, options, safe_console(out)), out.getvalue()


def test_the_drill_is_written_with_the_proposed_times_where_asked(folder: Path) -> None:
    code, said = run(folder, write=folder / "new.kirikae.yaml")
    assert code is ExitCode.PASSED
    assert "--set 'runbook[press the button].takes=4m'" in said
    assert load(folder / "new.kirikae.yaml").drill == tiny("runbook[press the button].takes=4m")
    assert (folder / "tiny.kirikae.yaml").read_text("utf-8") == TINY
    with pytest.raises(OptionError, match="not replaced"):
        run(folder, write=folder / "new.kirikae.yaml")
    assert run(folder, write=folder / "new.kirikae.yaml", force=True)[0] is ExitCode.PASSED
    with pytest.raises(OptionError, match="another drill"):
        run(folder, write=folder / "other.yaml", changes=("run.seed=2",))


def test_a_time_that_others_refer_to_is_not_written(folder: Path) -> None:
    text = TINY.replace("takes: 2m ", "takes: &short 2m ").replace("takes: 1m\n    does", "takes: *short\n    does")
    (folder / "tiny.kirikae.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(OptionError, match=r"no drill any more: .*short"):
        run(folder, write=folder / "new.kirikae.yaml")
    assert not (folder / "new.kirikae.yaml").exists()


def test_every_problem_of_every_sheet_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(folder / "bad.csv", "10:00,", "soon,", ",")
    fill(folder / "worse.csv", "10:00,", ",", "10:05,10:01")
    code, _ = run(folder, "bad.csv", "sheet.csv", "worse.csv", language="ja")
    first, second, last = capsys.readouterr().err.splitlines()
    assert code is ExitCode.INVALID
    assert "bad.csv:3:20: 開始実績: 時刻として読めない" in first
    assert "worse.csv:4:18: 終了実績: 開始より前に終了している (現在の値 '10:01'; 指定可能 10:05 以降" in second
    assert last == "問題：2 件。比較は行っていない。"


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_printed_in_each_language(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    out, say = io.StringIO(), translator(language)
    result = compared(
        sheet(took=480.0), Filled("blank.csv", {}, anchored=True, missing=("go home",), notes=()), times=(120.0,)
    )
    print_actuals(safe_console(out), result, say)
    text = out.getvalue()
    for said in ("slow (> p90)", "No time is filled in.", "Proposed times", "in all"):
        assert say(said) in text
    assert "    takes: 4m" in text


def test_nothing_to_propose_is_said_too() -> None:
    out = io.StringIO()
    print_actuals(safe_console(out), compared(sheet(took=200.0)), str)
    assert "none are proposed" in out.getvalue()


def test_the_sheet_of_a_drill_goes_round_from_command_to_command(folder: Path) -> None:
    """Printed, filled in with times by the clock, and compared, as people would."""
    printed = kirikae("runbook", "tiny.kirikae.yaml", "-n", "1", "--csv", "-", at=folder, env={"KIRIKAE_LANG": "ja"})
    header, *rows = csv.reader(io.StringIO(printed.stdout.decode("utf-8-sig")))
    for row, times in zip(rows, [("10:00", ""), ("10:03:00", "10:05:00")], strict=False):
        row[header.index("開始実績")], row[header.index("終了実績")] = times
    with (folder / "filled.csv").open("w", encoding="cp932", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    done = kirikae("actuals", "tiny.kirikae.yaml", "filled.csv", "-n", "1", "--json", "-", at=folder)
    assert done.returncode == 0, done.stderr.decode()
    told = json.loads(done.stdout)
    first = told["sheets"][0]["steps"][0]
    assert (first["step"], first["took"]["value"], first["took"]["quantile"]) == (PRESS, 120, 0.5)
    assert first["ended"]["quantile"] == 0.5
    assert told["proposals"] == []
