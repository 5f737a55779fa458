"""`kirikae run --precision` as a user meets it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from kirikae.cli import app
from reports.exit_codes import ExitCode

# 8 erlang on 10 ports, whose blocked ratio is 11 % with a deviation of 9 points; a run takes some milliseconds.
PLAN = """
kirikae: 1
name: ten ports
run: {for: 20s, warm: true}
sites: {tokyo: {}}
sbc_pairs: {edge: {site: tokyo, ports: 10}}
trunks: {line: {via: edge, channels: 10}}
numbers: {03-1234-5678: {trunk: line}}
traffic: [{to: 03-1234-5678, arrivals: 2/s, talk: {exponential: 4s}}]
expect: [blocked_ratio < 30%]
"""


class Done(NamedTuple):
    """What a command has left behind."""

    code: int
    text: str
    result: dict[str, Any]


Run = Callable[..., Done]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    Path("plan.kirikae.yaml").write_text(PLAN, encoding="utf-8")

    def made(*words: str, workers: int = 1) -> Done:
        command = ["run", "plan.kirikae.yaml", "--workers", str(workers), "--no-calls", "--out", "out", *words]
        done = CliRunner(env={"COLUMNS": "300"}).invoke(app, command)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        path = Path("out/result.json")
        return Done(done.exit_code, done.output, json.loads(path.read_text("utf-8")) if path.exists() else {})

    return made


def test_runs_are_made_until_the_interval_is_narrow_enough(run: Run) -> None:
    """±1.5 points take 140 runs or so: the first look is too early, the second one is not."""
    done = run("--precision", "blocked_ratio=1.5 points")
    found = done.result["precision"]
    assert done.code == ExitCode.PASSED
    assert (found["reached"], found["looks"], found["runs"], found["most"]) == (True, [100, 150], 150, 10_000)
    assert done.result["replications"] == {"asked": 10_000, "done": 150}
    (goal,) = found["goals"]
    low, high = done.result["metrics"]["blocked_ratio"]["interval"]
    assert goal["reach"] == pytest.approx((high - low) / 2)
    assert goal["reach"] <= goal["asked"] == 0.015
    assert "After 150 runs the intervals are as narrow as asked for: the mean of blocked_ratio ±1.4" in done.text
    html = Path("out/report.html").read_text("utf-8")
    assert "150 of at most 10,000" in html
    assert "--replications 10000 --precision &#39;blocked_ratio=1.5 points&#39;" in html


def test_the_limit_may_come_first_and_leaves_the_verdict_as_it_is(run: Run) -> None:
    done = run("--precision", "1%", "--replications", "120")
    found = done.result["precision"]
    assert done.code == ExitCode.PASSED
    assert (found["reached"], found["looks"], found["runs"], found["most"]) == (False, [100, 120], 120, 120)
    assert found["needed"] > 10_000
    assert "The precision asked for is not reached with 120 runs" in done.text
    few = run("--precision", "50%", "--replications", "3")
    assert not few.result["precision"]["reached"]
    assert "Widths count from 100 runs on." in few.text


def test_the_file_may_ask_and_the_command_line_goes_before_it(run: Run) -> None:
    asks = ("--set", "run.precision={blocked_ratio: 5 points}")
    assert run(*asks).result["precision"]["runs"] == 100
    assert run(*asks, "--set", "run.replications=130", "--precision", "1 %").result["precision"]["most"] == 130
    assert run("--set", "run.precision=20%").result["precision"]["goals"][0]["asked"] == pytest.approx(0.022, abs=0.003)
    assert run().result["precision"] is None


def test_what_nothing_is_expected_of_is_measured_where_it_is_asked_for(run: Run) -> None:
    done = run("--precision", "blocked_ratio{before=10s}=4 points")
    assert done.result["precision"]["goals"][0]["metric"] == "blocked_ratio{before=10s}"
    assert "blocked_ratio{before=10s}" in done.result["metrics"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("--precision", "blocked=1s"),
            "--precision blocked=1s: this is no width of blocked, which is measured in calls",
        ),
        (("--precision", "blocked_rato=1%"), "did you mean 'blocked_ratio'?"),
        (("--precision", "0.1 points"), "--precision '0.1 points': a width that is meant for all is a percentage"),
        (("--precision", "ports_peak=1"), "--precision: ports_peak needs the selector 'limit'"),
        (("--set", "expect=[blocked >= 1]", "--set", "run.precision=1%"), "run.precision: nothing is expected of the"),
        (("--set", "run.precision={asa: 2 points}"), "run.precision.asa: this is no width of asa"),
        (("--engine", "live", "--precision", "1%"), "--precision: runs in real time"),
    ],
)
def test_what_cannot_be_meant_is_said_and_nothing_is_run(run: Run, words: tuple[str, ...], told: str) -> None:
    done = run(*words)
    assert done.code == ExitCode.INVALID
    assert told in done.text
    assert not done.result


@pytest.mark.slow
def test_the_result_does_not_depend_on_the_number_of_workers(run: Run) -> None:
    words = ("--precision", "blocked_ratio=1 points")
    assert run(*words).result == run(*words, workers=2).result
