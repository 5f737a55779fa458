"""`kirikae compare` as a user meets it: folders, drills, exit codes, and baselines from the first night on."""

import json
import math
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from kirikae.cli import app
from reports.compare_baseline import Baseline, Night, file_of
from reports.compare_nights import BASELINE, MOST_RECENT
from reports.origin import Origin
from reports.summary import Value
from tests.made_runs import ORIGIN, write

USUAL = [0.1, 0.12, 0.08, 0.11, 0.1, 0.13, 0.09, 0.1, 0.12, 0.1] * 2
WORSE = [value + 0.05 for value in USUAL]
A_LITTLE_WORSE = [value + 0.004 for value in USUAL]
NAME = "Tokyo lost, contact centre continues in Osaka"

PLAN = """
kirikae: 1
name: a contract that may be too small
run: {for: 1m, warm: true, replications: 12}
sites: {tokyo: {}}
sbc_pairs: {edge: {site: tokyo, ports: 100}}
trunks: {ntt: {via: edge, channels: 100}}
numbers: {03-1234-5678: {trunk: ntt}}
ports: {tenant: 20}
traffic: [{to: 03-1234-5678, arrivals: 1/s, talk: {exponential: 10s}}]
expect: [blocked_ratio < 5%]
"""
WAIVED = "waivers=[{finding: overloaded-baseline, reason: it is meant to be so}]"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def compare(*words: str) -> Result:
    return CliRunner(env={"COLUMNS": "150"}).invoke(app, ["compare", *words])


def blocked(folder: str, values: Sequence[Value], **asked: object) -> str:
    return str(write(Path(folder), {"blocked_ratio": values}, **asked))  # type: ignore[arg-type]  # as `write` has them


# Two runs


def test_a_run_that_is_worse_ends_with_1_and_one_that_is_not_with_0() -> None:
    one, other = blocked("one", USUAL), blocked("other", WORSE)
    done = compare(one, other)
    assert (done.exit_code, done.stdout.split("  ")[0]) == (1, "B IS WORSE")
    assert compare(other, one).exit_code == 0
    assert compare(one, str(Path(one, "result.json"))).exit_code == 0
    assert compare(one, other, "--tolerance", "blocked_ratio=6 points").exit_code == 0


def test_what_falls_under_no_tolerance_is_said() -> None:
    one = blocked("one", USUAL)
    done = compare(one, one, "--tolerance", "rpo=2m")
    assert "Nothing that is compared falls under --tolerance rpo." in done.stdout


def test_all_that_comes_out_is_written_where_it_is_asked_for() -> None:
    one, other = blocked("one", USUAL), blocked("other", WORSE)
    done = compare(one, other, "--html", "c.html", "--junit", "c.xml", "--json", "-")
    assert json.loads(done.stdout)["worse"] is True
    assert "B IS WORSE" in done.stderr
    assert "B IS WORSE" in Path("c.html").read_text("utf-8")
    assert ET.parse("c.xml").getroot().find("testsuite/testcase/failure") is not None  # noqa: S314 - it is ours
    quiet = compare(one, other, "-q", "--json", "c.json")
    assert (quiet.exit_code, quiet.stdout) == (1, "")
    assert json.loads(Path("c.json").read_text("utf-8")) == json.loads(done.stdout)


REFUSED: Mapping[str, tuple[Sequence[str], str]] = {
    "no B": (["one"], "what A is held against is B, or --against last"),
    "both": (["one", "one", "--against", "last"], "what A is held against is B, or --against last"),
    "not last": (["one", "--against", "lst"], "did you mean 'last'"),
    "no run in a folder": (["one", "."], "no result.json is in there"),
    "no such file": (["one", "two.json"], "two.json: No such file"),
    "no such drill": (["one", "two"], "no bundled drill of that name"),
    "a tolerance": (["one", "one", "--tolerance", "blockd=2%"], "did you mean 'blocked'"),
    "two for all": (["one", "one", "--tolerance", "2%", "--tolerance", "3%"], "there are two for all"),
    "nothing to set": (["one", "one", "--set-b", "ports.tenant=3"], "is a run that is over"),
    "nothing to play": (["one", "one", "-n", "3"], "--replications: nothing is played"),
    "nothing to accept": (["one", "one", "--accept"], "allowed with --against last"),
    "no baseline": (["one", "one", "--baseline", "b"], "allowed with --against last"),
    "live": (["plan.kirikae.yaml", "one", "--engine", "live"], "live runs are compared by their folders"),
    "one side": (["plan.kirikae.yaml", "--against", "last", "--set-b", "ports.tenant=3"], "there is one drill only"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_meant_ends_with_2_and_says_why(case: str) -> None:
    blocked("one", USUAL)
    Path("plan.kirikae.yaml").write_text(PLAN, encoding="utf-8")
    words, said = REFUSED[case]
    done = compare(*words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr


Place = tuple[str | int, ...]
RESULT, VALUES = "result.json", "replications.json"
OF_BLOCKED: Place = ("metrics", "blocked_ratio")
ABSURD: dict[str, tuple[str, Place, object, str]] = {
    "a value is no number": (VALUES, (*OF_BLOCKED, "values"), [math.nan, 0.5], "metrics.blocked_ratio.values.0"),
    "a value is infinite": (VALUES, (*OF_BLOCKED, "values", 1), math.inf, "metrics.blocked_ratio.values.1"),
    "a value is absurd": (VALUES, (*OF_BLOCKED, "values"), [1e308, 1e308], "metrics.blocked_ratio.values.0"),
    "a value has 400 digits": (VALUES, (*OF_BLOCKED, "values", 0), 10**400, "metrics.blocked_ratio.values.0"),
    "never in a mean": (VALUES, (*OF_BLOCKED, "values", 0), "never", "metrics.blocked_ratio.values"),
    "after is no number": (VALUES, (*OF_BLOCKED, "after"), math.nan, "metrics.blocked_ratio.after"),
    "a chart is infinite": (
        VALUES,
        ("charts", "calls"),
        [{"outcome": "busy", "mean": [math.inf]}],
        "charts.calls.0.mean",
    ),
    "bins have no width": (VALUES, ("charts", "width"), math.nan, "charts.width"),
    "it lasts no number": (RESULT, ("scenario", "lasts"), math.nan, "scenario.lasts"),
    "it lasts for ever": (RESULT, ("scenario", "lasts"), 1e308, "scenario.lasts"),
    "it lasts less than nothing": (RESULT, ("scenario", "lasts"), -1, "scenario.lasts"),
    "fewer runs than none": (RESULT, ("replications", "done"), -1, "replications.done"),
    "a mean is no number": (RESULT, (*OF_BLOCKED, "value"), math.nan, "metrics.blocked_ratio.value"),
    "an end is absurd": (RESULT, (*OF_BLOCKED, "interval"), [0, 1e200], "metrics.blocked_ratio.interval.1"),
    "a mean is never": (RESULT, (*OF_BLOCKED, "never"), True, "metrics.blocked_ratio"),
    "never in more runs than there were": (RESULT, ("metrics", "blocked", "runs_never"), 9, "runs_never is 9"),
    "nothing in more runs than there were": (RESULT, ("metrics", "blocked", "runs_nothing"), 9, "metrics.blocked"),
}


def spoil(file: Path, place: Place, value: object) -> None:
    data = found = json.loads(file.read_text("utf-8"))
    for key in place[:-1]:
        found = found[key]
    found[place[-1]] = value
    file.write_text(json.dumps(data), "utf-8")


@pytest.mark.parametrize("case", ABSURD)
def test_numbers_that_no_run_comes_to_are_refused_by_file_and_field(case: str) -> None:
    file, place, value, said = ABSURD[case]
    blocked("one", [0.25, 0.5])
    spoil(Path("one", file), place, value)
    done = compare("one", "one", "--html", "c.html")
    assert (done.exit_code, done.stdout, Path("c.html").exists()) == (2, "", False)
    assert f"one/{file}" in done.stderr
    assert said in "".join(done.stderr.split("\n"))


UNWRITABLE: dict[str, tuple[str, Place, object, str]] = {
    "half a pair": (RESULT, ("scenario", "name"), "\ud800", "scenario.name: there is U+D800"),
    "a control character": (RESULT, ("scenario", "name"), "a\x01", "scenario.name: there is U+0001"),
    "in a list": (RESULT, ("scenario", "changes"), ["a", "b\x1b"], "scenario.changes.1: there is U+001B"),
    "in a key": (VALUES, ("drill", "a\ud800"), 1, "drill.a?: there is U+D800"),
    "in what is only stored": (RESULT, ("story",), ["\udfff"], "story.0: there is U+DFFF"),
}


@pytest.mark.parametrize("case", UNWRITABLE)
@pytest.mark.parametrize("against", [["one"], ["--against", "last"]], ids=["two", "last"])
def test_characters_that_cannot_be_written_are_refused_by_file_and_field(case: str, against: list[str]) -> None:
    file, place, value, said = UNWRITABLE[case]
    blocked("one", [0.25, 0.5])
    spoil(Path("one", file), place, value)
    done = compare("one", *against, "--html", "c.html", "--junit", "c.xml")
    assert (done.exit_code, done.stdout, Path("c.html").exists(), Path("baselines").exists()) == (2, "", False, False)
    assert f"one/{file}" in done.stderr
    assert said in " ".join(done.stderr.split())


# Two versions of a plan


def test_two_versions_of_a_plan_are_played_with_the_same_callers() -> None:
    Path("plan.kirikae.yaml").write_text(PLAN, encoding="utf-8")
    drills, alone = ["plan.kirikae.yaml"] * 2, ["--workers", "1"]
    same = compare(*drills, *alone)
    assert same.exit_code == 0, same.stderr
    assert "without a difference, all of them to the last digit" in same.stdout
    done = compare(*drills, *alone, "--set-b", "ports.tenant=8", "--set-b", WAIVED, "--json", "c.json")
    found = json.loads(Path("c.json").read_text("utf-8"))
    assert (done.exit_code, found["kind"], found["compared"]) == (1, "paired", [12, 12])
    assert "ports.tenant was 20, is 8" in done.stdout
    assert found["metrics"]["blocked_ratio"]["outcome"] == "worse"
    assert found["metrics"]["blocked_ratio"]["difference"]["value"] > 0.05


def test_a_drill_is_played_as_the_run_was_that_it_is_compared_with() -> None:
    Path("plan.kirikae.yaml").write_text(PLAN, encoding="utf-8")
    words = ["run", "plan.kirikae.yaml", "-n", "5", "--seed", "3", "--workers", "1", "--out", "run", "--no-calls"]
    CliRunner().invoke(app, words)
    done = compare("run", "plan.kirikae.yaml", "--workers", "1", "--json", "-")
    found = json.loads(done.stdout)
    assert (found["compared"], found["second"]["seed"], found["plan"]) == ([5, 5], 3, [])
    assert all(metric["identical"] for metric in found["metrics"].values()), "values are the same from a file"


def test_a_plan_with_errors_is_not_played() -> None:
    Path("plan.kirikae.yaml").write_text(PLAN, encoding="utf-8")
    done = compare("plan.kirikae.yaml", "plan.kirikae.yaml", "--set-b", "ports.tenant=8")
    assert done.exit_code == 2
    assert "overloaded-baseline" in done.stderr


# Baselines in virtual time


def last(run: str, *more: str) -> Result:
    return compare(run, "--against", "last", *more)


def stored(engine: str = "calls") -> Path:
    return file_of(Path("baselines"), NAME, engine)


def test_the_first_night_is_stored_and_the_next_are_held_against_it() -> None:
    first = last(blocked("first", USUAL), "--junit", "c.xml")
    assert first.exit_code == 0
    assert "The first night: there was no baseline" in first.stdout
    assert Path("c.xml").exists()
    before = stored().read_bytes()
    worse = last(blocked("second", WORSE))
    assert (worse.exit_code, stored().read_bytes()) == (1, before)
    assert "THIS RUN IS WORSE" in worse.stdout
    assert "--accept makes this run the baseline" in worse.stdout
    same = last("first")
    assert (same.exit_code, stored().read_bytes()) == (0, before)


def test_a_plan_cannot_get_worse_a_little_every_night() -> None:
    """Each night is 0.4 points worse than the one before, with 1 point allowed."""
    nights = [blocked(f"night-{count}", [value + 0.004 * count for value in USUAL]) for count in range(5)]
    found = [last(night, "--tolerance", "blocked_ratio=1 points").exit_code for night in nights]
    assert found == [0, 0, 0, 1, 1]


def test_what_is_accepted_is_the_baseline_from_then_on() -> None:
    last(blocked("first", USUAL))
    accepted = last(blocked("second", WORSE), "--accept", "--json", "c.json")
    assert accepted.exit_code == 0
    assert json.loads(Path("c.json").read_text("utf-8"))["exit_code"] == 1, "what it compares as"
    assert "Accepted: the baseline is now this run" in accepted.stdout
    assert last("second").exit_code == 0
    assert "THIS RUN IS BETTER" in last("first").stdout


def test_a_run_that_is_no_evidence_is_never_stored() -> None:
    cut = blocked("cut", USUAL, interrupted=True)
    done = last(cut)
    assert (done.exit_code, stored().exists()) == (3, False)
    assert "Nothing is stored" in done.stdout
    last(blocked("first", USUAL))
    before = stored().read_bytes()
    assert last(cut, "--accept").exit_code == 3
    assert stored().read_bytes() == before


def test_each_drill_and_engine_has_a_baseline_of_its_own() -> None:
    last(blocked("calls", USUAL))
    assert "The first night" in last(blocked("packets", WORSE, engine="packets")).stdout
    assert "The first night" in last(blocked("other", WORSE, name="別の訓練")).stdout
    assert len(list(Path("baselines").iterdir())) == 3
    assert "The first night" in last("calls", "--baseline", "elsewhere").stdout


def test_a_folder_for_baselines_whose_name_cannot_be_is_said() -> None:
    done = last(blocked("first", USUAL), "--baseline", "b" * 300)
    assert done.exit_code == 2
    assert "b" * 100 in "".join(done.stderr.split())
    assert isinstance(done.exception, SystemExit), "and no traceback"


def test_a_drill_that_changed_is_said() -> None:
    last(blocked("first", USUAL))
    changed = Origin("plan.kirikae.yaml", drill={"ports": {"tenant": 300}})
    write(Path("second"), {"blocked_ratio": USUAL}, changed)
    assert "The drill is not the same: ports.tenant was 250, is 300." in last("second").stdout


SPOILT: dict[str, Callable[[str], str]] = {
    "cut off": lambda text: text[:500],
    "another version": lambda text: text.replace('{"version":1', '{"version":7', 1),
    "another drill": lambda text: text.replace(NAME, "another", 1),
    "no runs": lambda text: text.replace('"accepted"', '"gone"', 1),
    "a run is broken": lambda text: text.replace('"verdict"', '"verdikt"'),
    "no object": lambda text: "[1, 2]",
}


@pytest.mark.parametrize("case", SPOILT)
@pytest.mark.parametrize("accept", [[], ["--accept"]], ids=["", "accept"])
def test_a_broken_baseline_is_named_and_left_as_it_is(case: str, accept: list[str]) -> None:
    last(blocked("first", USUAL))
    stored().write_text(spoilt := SPOILT[case](stored().read_text("utf-8")), "utf-8")
    done = last("first", *accept)
    assert done.exit_code == 2
    assert str(stored()) in done.stderr
    assert stored().read_text("utf-8") == spoilt


def test_an_older_run_makes_no_baseline() -> None:
    blocked("first", USUAL)
    Path("first/replications.json").unlink()
    done = last("first")
    assert (done.exit_code, Path("baselines").exists()) == (2, False)
    assert "it has no replications.json" in done.stderr


def test_a_drill_is_played_and_held_against_the_last_one() -> None:
    Path("plan.kirikae.yaml").write_text(PLAN, encoding="utf-8")
    words = ["plan.kirikae.yaml", "--workers", "1"]
    assert last(*words).exit_code == 0
    assert "all of them to the last digit" in last(*words).stdout
    assert last(*words, "--set", "ports.tenant=8", "--set", WAIVED).exit_code == 1


# Baselines of live nights


def live(name: str, value: float, **asked: object) -> Result:
    asked = {"engine": "live", "expect": ["setup_delay_p99 < 10s"], **asked}
    folder = write(Path(name), {"setup_delay_p99": [value]}, **asked)  # type: ignore[arg-type]  # as `write` has them
    return last(str(folder), "--tolerance", "0%")


def test_live_nights_make_a_baseline_and_three_bad_ones_are_called_worse() -> None:
    for count in range(BASELINE):
        done = live(f"night-{count}", 1 + count / 100)
        assert done.exit_code == 0
        assert count == 0 or "NOT ENOUGH NIGHTS YET" in done.stdout
    fixed = json.loads(stored("live").read_text("utf-8"))["accepted"]
    assert len(fixed) == BASELINE
    found = [live(f"bad-{count}", 2 + count / 100) for count in range(3)]
    assert [each.exit_code for each in found] == [0, 0, 1]
    assert "1 of the 3 nights" in found[0].stdout
    assert json.loads(stored("live").read_text("utf-8"))["accepted"] == fixed, "a worse night never gets into it"
    again = last("bad-2", "--tolerance", "0%")
    assert "is not counted again" in again.stdout
    assert again.exit_code == 1
    accepted = last("bad-2", "--accept")
    assert "3 live nights" in accepted.stdout
    assert "4 of 10 nights of the baseline" in live("after", 2.5).stdout


def test_live_nights_of_another_plan_are_not_taken_together() -> None:
    for count in range(BASELINE):
        live(f"night-{count}", 1 + count / 100)
    live("bad-0", 2.0)
    live("bad-1", 2.1)
    changed = Origin("plan.kirikae.yaml", drill={**ORIGIN.drill, "queues": {}})
    folder = write(Path("bad-2"), {"setup_delay_p99": [2.2]}, changed, engine="live", expect=["setup_delay_p99 < 10s"])
    done = last(str(folder), "--tolerance", "0%")
    assert done.exit_code == 0
    assert "1 of the 3 nights" in done.stdout
    assert "The drill is not the same" in done.stdout


def test_live_nights_of_two_plans_in_turn_leave_each_other_what_is_stored() -> None:
    for count in range(BASELINE):
        live(f"night-{count}", 1 + count / 100)
    changed = Origin("plan.kirikae.yaml", drill={**ORIGIN.drill, "queues": {}})
    found = []
    for count in range(3):
        found.append(live(f"one-{count}", 2 + count / 100).exit_code)
        found.append(live(f"other-{count}", 3 + count / 100, origin=changed).exit_code)
    assert found == [0, 0, 0, 0, 1, 1]
    assert len(json.loads(stored("live").read_text("utf-8"))["recent"]) == 6
    assert "3 live nights" in last("one-2", "--accept").stdout
    accepted = json.loads(stored("live").read_text("utf-8"))["accepted"]
    assert all(each["replications"]["drill"] == ORIGIN.drill for each in accepted)


def test_of_each_plan_no_more_live_nights_are_stored_than_are_ever_needed_and_of_few_plans() -> None:
    nights = [Night({"count": count}, {"drill": {"plan": count % 2}}) for count in range(30)]
    full = Baseline(Path("b.json"), NAME, "live", tuple(nights[:BASELINE]))
    for each in nights:
        full = full.with_night(each)
    assert full.recent == tuple(nights[-2 * MOST_RECENT :])
    for plan in (2, 3):
        full = full.with_night(Night({}, {"drill": {"plan": plan}}))
    assert {each.replications["drill"]["plan"] for each in full.recent} == {1, 2, 3}


def test_a_live_night_that_is_no_evidence_changes_nothing() -> None:
    for count in range(BASELINE):
        live(f"night-{count}", 1 + count / 100)
    live("bad-0", 2.0)
    before = stored("live").read_bytes()
    another = Origin("plan.kirikae.yaml", drill={"ports": {"tenant": 300}})
    done = live("cut", 2.1, interrupted=True, origin=another)
    assert (done.exit_code, stored("live").read_bytes()) == (3, before)
    assert "Nothing is stored" in done.stdout


def test_a_folder_that_was_moved_is_the_same_night() -> None:
    live("night-0", 1.0)
    shutil.move("night-0", "moved")
    assert "is not counted again" in last("moved").stdout
