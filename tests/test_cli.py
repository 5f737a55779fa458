"""The command line as a user meets it: a process, its output, its exit code."""

import json
import os
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kirikae.cli import app

PLAN = """
kirikae: 1
name: a small plan
run: {for: 5m, warm: true, replications: 3}
sites: {tokyo: {}}
sbc_pairs: {edge: {site: tokyo, ports: 60}}
trunks: {ntt: {via: edge, channels: 60}}
numbers: {03-1234-5678: {trunk: ntt}}
traffic: [{to: 03-1234-5678, arrivals: 0.2/s, talk: 1m}]
faults: [{name: node-dies, at: 1m, pair: edge, fails: active}]
expect: [failed_ratio < 10%]
"""


def kirikae(
    *words: str, at: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "kirikae", *words],
        cwd=at,
        env={**os.environ, **(env or {})},
        capture_output=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
        check=False,
    )


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.kirikae.yaml"
    path.write_text(PLAN, encoding="utf-8")
    return path


def test_a_run_writes_its_folder_and_says_where_the_report_is(plan: Path) -> None:
    done = kirikae("run", plan.name, "--lang", "ja", at=plan.parent)
    assert done.returncode == 0, done.stderr
    assert b"PASSED" in done.stdout
    assert b"runs/plan-001/report.html" in done.stdout
    files = {path.name for path in (plan.parent / "runs/plan-001").iterdir()}
    assert files == {"result.json", "replications.json", "junit.xml", "report.html", "calls.csv", "journal.jsonl"}
    result = json.loads((plan.parent / "runs/plan-001/result.json").read_text(encoding="utf-8"))
    assert {"version", "verdict", "expectations", "metrics", "seed", "engine", "scenario"} <= set(result)
    assert result["verdict"] == "passed"
    ET.parse(plan.parent / "runs/plan-001/junit.xml")  # noqa: S314 - our own file
    assert '<html lang="ja">' in (plan.parent / "runs/plan-001/report.html").read_text(encoding="utf-8")


def test_a_second_run_does_not_touch_the_first(plan: Path) -> None:
    for _ in range(2):
        kirikae("run", plan.name, "--no-calls", at=plan.parent)
    assert sorted(path.name for path in (plan.parent / "runs").iterdir()) == ["plan-001", "plan-002"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        (["expect=[failed_ratio < 10%]"], 0),
        (["expect=[asr < 50%]"], 1),
        (["run.for=5"], 2),
        (["trunks.spare={via: edge, channels: 5}", "faults=[{name: nobody, at: 1m, trunk: spare}]"], 3),
        (["expect=[asr < 50%]", "expected_verdict=failed"], 0),
        (["expected_verdict=failed"], 1),
    ],
)
def test_the_exit_code_is_the_verdict(plan: Path, changes: list[str], code: int) -> None:
    done = kirikae("run", str(plan), "--out", str(plan.parent / "out"), *(w for c in changes for w in ("--set", c)))
    assert done.returncode == code, done.stdout + done.stderr
    assert b"Traceback" not in done.stderr


def test_all_problems_are_told_at_once_with_their_places_and_nothing_is_written(plan: Path) -> None:
    text = (
        PLAN.replace("arrivals: 0.2/s", "arrivals: 0.2").replace("via: edge", "via: egde").replace("tokyo: {}", "a: 1")
    )
    plan.write_text(text, encoding="utf-8")
    done = kirikae("run", plan.name, at=plan.parent)
    assert done.returncode == 2
    told = done.stderr.decode()
    assert "plan.kirikae.yaml:9:" in told
    assert "traffic[0].arrivals" in told
    assert "did you mean 'edge'" in told
    assert "sites.a" in told
    assert "Traceback" not in told
    assert not (plan.parent / "runs").exists()


def test_a_plan_that_breaks_a_rule_is_not_run(plan: Path) -> None:
    done = kirikae("run", plan.name, "--set", "trunks.ntt.channels=10", at=plan.parent)
    assert done.returncode == 2
    assert b"overloaded-baseline" in done.stdout + done.stderr
    assert not (plan.parent / "runs").exists()


def test_a_run_says_what_is_wrong_with_its_plan_as_lint_does(plan: Path) -> None:
    tight = ("--set", "trunks.ntt.channels=17")
    alone = kirikae("lint", plan.name, *tight, at=plan.parent).stdout.decode().splitlines()
    done = kirikae("run", plan.name, *tight, "-n", "1", "--json", "out.json", at=plan.parent)
    assert "[tight-baseline G7]" in alone[0]
    assert alone[0] in done.stdout.decode().splitlines()
    assert "The plan: 1 warning." in done.stdout.decode()
    told = json.loads((plan.parent / "out.json").read_text(encoding="utf-8"))
    assert [finding["id"] for finding in told["findings"]] == ["tight-baseline"]


@pytest.mark.parametrize(
    "env", [{"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"PYTHONIOENCODING": "cp932"}]
)
def test_no_terminal_is_too_poor(plan: Path, env: Mapping[str, str]) -> None:
    plan.write_text(PLAN.replace("a small plan", "東京が止まる ①  –  😀"), encoding="utf-8")
    for words in (
        ["run", plan.name],
        ["run", plan.name, "--set", "name=5"],
        ["--help"],
        ["run", "--help"],
        ["drills"],
        ["lint", plan.name],
        ["rules"],
    ):
        done = kirikae(*words, at=plan.parent, env=env)
        assert done.returncode in (0, 2), done.stderr
        assert b"Traceback" not in done.stderr
        assert done.stdout + done.stderr


def test_the_result_goes_to_a_pipe_alone(plan: Path) -> None:
    done = kirikae("run", plan.name, "--json", "-", at=plan.parent)
    assert json.loads(done.stdout)["verdict"] == "passed"
    assert b"PASSED" in done.stderr


def test_a_reader_who_goes_away_does_not_change_the_verdict(plan: Path) -> None:
    run = f"{sys.executable} -m kirikae run {plan.name} --set 'expect=[asr < 50%]' --out out"
    command = f"{run} | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=plan.parent, capture_output=True, timeout=120, check=False)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert json.loads((plan.parent / "out/result.json").read_text(encoding="utf-8"))["verdict"] == "failed"


def test_a_disk_that_is_full_is_named_and_the_results_are_there(plan: Path) -> None:
    command = [sys.executable, "-m", "kirikae", "run", plan.name, "--out", "out"]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, cwd=plan.parent, stdout=full, stderr=subprocess.PIPE, timeout=120, check=False)
    assert done.returncode == 0
    assert b"No space left" in done.stderr
    assert (plan.parent / "out/report.html").exists()


def test_a_plan_that_breaks_a_rule_says_so_even_when_asked_to_be_quiet(plan: Path) -> None:
    done = kirikae("run", plan.name, "-q", "--set", "trunks.ntt.channels=10", at=plan.parent)
    assert done.returncode == 2
    assert b"overloaded-baseline" in done.stderr


def test_a_folder_that_cannot_be_written_is_named(plan: Path) -> None:
    (plan.parent / "file").write_text("in the way")
    done = kirikae("run", plan.name, "--out", "file/out", at=plan.parent)
    assert done.returncode == 2
    assert b"file/out" in done.stderr
    assert b"Traceback" not in done.stderr


def test_an_unknown_drill_brings_a_proposal() -> None:
    done = kirikae("run", "tokio-osaka-dr")
    assert done.returncode == 2
    assert b"did you mean 'tokyo-osaka-dr'" in done.stderr


@pytest.mark.parametrize("ending", ["", ".yaml", ".json"])
@pytest.mark.parametrize(
    "words",
    [
        "run {}",
        "lint {}",
        "runbook {}",
        "actuals {} sheet.csv",
        "actuals tokyo-osaka-dr {}",
        "actuals tokyo-osaka-dr sheet.csv --write {}",
        "compare {} tokyo-osaka-dr",
        "compare {} {}",
        "ladder {} 1",
        "drift {}",
        "drills show {}",
        "drills copy {}",
    ],
)
def test_a_name_that_is_too_long_for_a_file_is_a_mistake_like_others(words: str, ending: str) -> None:
    done = CliRunner().invoke(app, words.format(*[f"{'x' * 300}{ending}"] * 2).split())
    assert done.exit_code == 2, done.exception
    assert "xxx" in done.output or "sheet.csv" in done.output


def test_a_bundled_drill_can_be_listed_shown_and_copied_but_not_over_a_file(tmp_path: Path) -> None:
    assert b"tokyo-osaka-dr" in kirikae("drills").stdout
    shown = kirikae("drills", "show", "tokyo-osaka-dr").stdout.decode()
    copied = kirikae("drills", "copy", "tokyo-osaka-dr", str(tmp_path))
    assert copied.returncode == 0, copied.stderr
    text = (tmp_path / "tokyo-osaka-dr.kirikae.yaml").read_text(encoding="utf-8")
    assert text.splitlines()[1:] == shown.splitlines()[1:]
    hinted = text.splitlines()[0].rpartition("$schema=")[2]
    assert json.loads((tmp_path / hinted).read_text(encoding="utf-8"))["title"] == "kirikae drill"
    again = kirikae("drills", "copy", "tokyo-osaka-dr", str(tmp_path))
    assert again.returncode == 2
    assert b"exists" in again.stderr


def test_a_number_is_explained_or_refused() -> None:
    told = kirikae("number", "０１２０－１２３－４５６").stdout.decode()
    assert "0120-123-456" in told
    refused = kirikae("number", "0120-123")
    assert refused.returncode == 2
    assert b"allowed" in refused.stderr


def test_the_schema_is_json() -> None:
    assert json.loads(kirikae("schema").stdout)["title"] == "kirikae drill"


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_done_and_says_so(plan: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "kirikae",
        "run",
        plan.name,
        "--replications",
        "90000",
        "--workers",
        "2",
        "--out",
        "out",
    ]
    # A session of its own, so that the signal reaches the run and its workers as Ctrl-C on a terminal would.
    with subprocess.Popen(
        command, cwd=plan.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as run:
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children")
        while len(children.read_text().split()) < 2:  # the fork server and its tracker: work is being handed out
            assert run.poll() is None
        os.killpg(run.pid, signal.SIGINT)
        try:
            out, err = run.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            raise
    assert run.returncode == 3, err
    assert b"stopped after" in out
    assert b"Traceback" not in err
    result = json.loads((plan.parent / "out/result.json").read_text(encoding="utf-8"))
    assert result["interrupted"] is True
    assert result["verdict"] == "inconclusive"


def test_an_only_replication_is_written_down_as_it_is_played_as_it_would_be_when_played_again(plan: Path) -> None:
    for replications, out in (("1", "once"), ("2", "twice")):
        done = kirikae("run", plan.name, "--replications", replications, "--detail", "0", "--out", out, at=plan.parent)
        assert done.returncode in (0, 1, 3), done.stderr.decode()
    for name in ("calls.csv", "journal.jsonl"):
        once, twice = ((plan.parent / out / name).read_bytes() for out in ("once", "twice"))
        assert once
        assert once == twice
