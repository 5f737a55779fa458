"""`kirikae sweep` as a user meets it: the numbers of `run`, no point made twice, and nothing changed unnoticed."""

import csv
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import reports.sweep_result
from kirikae.cli import app
from kirikae.sweep import Runs
from reports.sweep_journal import Journal, Measured
from sim.crew import Crew
from tests.test_report_html import MOST_BYTES, Outline

# 10 erlang on 10 to 16 ports, and callers who try again.
PLAN = """
kirikae: 1
name: a contract that may be too small
run: {for: 2m, warm: true, replications: 3}
sites: {tokyo: {}}
sbc_pairs: {edge: {site: tokyo, ports: 100}}
trunks: {ntt: {via: edge, channels: 100}}
numbers: {03-1234-5678: {trunk: ntt}}
ports: {tenant: 13}
traffic:
  - {to: 03-1234-5678, arrivals: 0.25/s, talk: {exponential: 40s},
     retry: {share: 70%, after: {exponential: 20s}, times: 3}}
expect: [blocked_ratio < 10%, caller_loss < 3%]
waivers: [{finding: overloaded-baseline, reason: it is meant to be too small}]
"""
PORTS = ["--vary", "ports.tenant=10..14:2"]
FOLDER = "runs/plan-sweep-ports.tenant"


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = Path("plan.kirikae.yaml")
    path.write_text(PLAN, encoding="utf-8")
    return path


def sweep(*words: str) -> Result:
    alone = () if {"--workers", "--cluster"} & set(words) else ("--workers", "1")
    return CliRunner(env={"COLUMNS": "150"}).invoke(app, ["sweep", "plan.kirikae.yaml", *words, *alone])


def table(folder: str = FOLDER) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(Path(folder, "sweep.csv").read_text("utf-8-sig"))))


def result(folder: str = FOLDER) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(Path(folder, "sweep.json").read_text("utf-8"))
    return loaded


def runs_stored(folder: Path | str = FOLDER) -> Counter[tuple[str, int]]:
    """Return how often the journal has each replication of each point; a record that is being written has none."""
    lines = Path(folder, "sweep.jsonl").read_bytes().split(b"\n")[:-1]
    found = (json.loads(line)["record"].get("run") for line in lines)
    return Counter((key, replication) for key, replication in filter(None, found))


# What comes out


def test_each_point_has_what_a_run_with_its_values_has(plan: Path) -> None:
    done = sweep(*PORTS, "--vary", "traffic[0].arrivals=0.2/s,15/m", "--out", "out")
    assert done.exit_code == 0, done.stderr
    swept = result("out")
    assert [list(point["values"].values()) for point in swept["points"]] == [
        [ports, rate] for ports in ("10", "12", "14") for rate in ("0.2/s", "15/m")
    ]
    for point in swept["points"][::3]:
        changes = [word for path, value in point["values"].items() for word in ("--set", f"{path}={value}")]
        alone = CliRunner().invoke(app, ["run", str(plan), "--no-calls", "--workers", "1", "--json", "-", *changes])
        found = json.loads(alone.stdout)
        assert point["expectations"] == found["expectations"]
        assert point["metrics"] == {query: found["metrics"][query] for query in ("blocked_ratio", "caller_loss")}
        assert (point["runs"], point["no_evidence"]) == (3, found["no_evidence"])


def test_the_same_callers_come_to_every_point(plan: Path) -> None:
    """What is changed in the plan and does not matter changes no number."""
    sweep("--vary", "trunks.ntt.channels=90,100,110", "--metric", "attempts", "--metric", "blocked_ratio")
    rows = table("runs/plan-sweep-trunks.ntt.channels")
    assert len(rows) == 3
    assert len({tuple(row.values())[1:] for row in rows}) == 1


def test_the_table_has_units_and_intervals_and_opens_in_a_spreadsheet(plan: Path) -> None:
    sweep(
        *PORTS, "--vary", "traffic[0].talk=30s,40s", "--vary", "sbc_pairs.edge.keeps=none,confirmed", "--metric", "asr"
    )
    (folder,) = Path("runs").iterdir()
    content = (folder / "sweep.csv").read_bytes()
    assert content.startswith(
        b"\xef\xbb\xbfports.tenant,traffic[0].talk (seconds),sbc_pairs.edge.keeps,runs,asr (share),"
    )
    assert content.count(b"\r\n") == content.count(b"\n") == 1 + 3 * 2 * 2
    row = table(str(folder))[0]
    assert [row["ports.tenant"], row["traffic[0].talk (seconds)"], row["sbc_pairs.edge.keeps"]] == ["10", "30", "none"]
    assert float(row["asr low 95% (share)"]) < float(row["asr (share)"]) < float(row["asr high 95% (share)"])


def test_medians_have_intervals_and_never_is_a_word(plan: Path) -> None:
    lost = "faults=[{name: lost, at: 30s, pair: edge, fails: all}]"
    metrics = ("--metric", "recovery_time", "--metric", "attempts")
    done = sweep("--vary", "ports.tenant=13", "--set", lost, "-n", "6", *metrics)
    assert done.exit_code == 0, done.stderr
    (row,) = table()
    assert row["recovery_time (seconds)"] == row["recovery_time high 95% (seconds)"] == "never"
    assert "never" in done.stdout
    low, middle, high = (float(row[f"attempts{end} (calls)"]) for end in (" low 95%", "", " high 95%"))
    assert low < middle < high
    assert result()["points"][0]["metrics"]["recovery_time"]["never"] is True


def test_a_point_whose_fault_meets_nobody_is_no_evidence_and_says_so(plan: Path) -> None:
    idle = ["--set", "trunks.spare={via: edge, channels: 5}", "--set", "faults=[{name: nobody, at: 1m, trunk: spare}]"]
    done = sweep(*PORTS, *idle, "-n", "2")
    assert done.exit_code == 0, done.stderr
    assert "No evidence at ports.tenant=10 and 2 more: the fault nobody took no effect" in done.stdout
    assert all("took no effect in 2 of 2 runs" in row["no evidence"] for row in table())


def test_columns_are_those_asked_for(plan: Path) -> None:
    sweep(*PORTS, "--target", "asr > 20%", "--target", "asr > 99%", "--metric", "blocked")
    row = table()[0]
    assert [name for name in row if "95%" not in name] == [
        "ports.tenant",
        "runs",
        "blocked (calls)",
        "asr (share)",
        "asr > 20%",
        "asr > 99%",
        "no evidence",
    ]
    assert (row["asr > 20%"], row["asr > 99%"]) == ("passed", "failed")
    done = sweep(*PORTS, "--metric", "asr")
    assert "3 of 3 points are there; nothing has to be run." in done.stdout
    assert [each["metrics"].keys() for each in result()["points"]] == [{"asr"}] * 3


def test_a_hypercube_has_as_many_points_as_asked_and_other_ones_with_another_seed(plan: Path) -> None:
    ranges = ["--vary", "ports.tenant=10..20", "--vary", "traffic[0].arrivals=0.1/s..0.3/s"]
    done = sweep(*ranges, "--lhs", "6", "--seed", "3", "-n", "1", "--out", "one")
    assert done.exit_code == 0, done.stderr
    sweep(*ranges, "--lhs", "6", "--seed", "4", "-n", "1", "--out", "other")
    points = [[each["values"]["ports.tenant"] for each in result(folder)["points"]] for folder in ("one", "other")]
    assert points[0] != points[1]
    assert all(len(each) == 6 and all(10 <= int(ports) <= 20 for ports in each) for each in points)
    assert result("one")["design"] == "latin hypercube"


def test_the_result_goes_to_a_pipe_alone_and_its_keys_are_documented(plan: Path) -> None:
    done = sweep(*PORTS, "--json", "-")
    found = json.loads(done.stdout)
    documented = {line.split()[0] for line in str(reports.sweep_result.__doc__).splitlines() if line.startswith("    ")}
    assert found.keys() <= documented
    assert found == result()
    assert "with the same callers (seed 1)" in done.stderr


# Nothing twice, nothing lost


def test_new_values_are_added_to_the_points_that_are_there(plan: Path) -> None:
    sweep(*PORTS)
    before = runs_stored()
    done = sweep("--vary", "ports.tenant=9..15:1")
    assert "3 of 7 points are there" in done.stdout
    assert len(runs_stored()) == 7 * 3
    assert set(runs_stored().values()) == {1}
    assert before <= runs_stored()
    assert [row["ports.tenant"] for row in table()] == [str(ports) for ports in range(9, 16)]


def test_points_are_known_again_in_a_larger_space(plan: Path) -> None:
    sweep(*PORTS, "--out", "out")
    done = sweep(*PORTS, "--vary", "traffic[0].arrivals=0.2/s,0.25/s", "--out", "out")
    assert "3 of 6 points are there" in done.stdout, "with the drill's own 0.25/s"
    assert set(runs_stored("out").values()) == {1}


class Stops:
    """Lets some runs be made, and then something ends them."""

    def __init__(self, runs: int, end: type[BaseException], monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = runs
        run = Runs.run

        def counted(task: Runs, index: int) -> Measured:
            if not self.left:
                raise end
            self.left -= 1
            return run(task, index)

        monkeypatch.setattr(Runs, "run", counted)


def test_ctrl_c_keeps_what_is_done_and_the_same_command_goes_on(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep(*PORTS, "--out", "undisturbed")
    stops = Stops(4, KeyboardInterrupt, monkeypatch)
    words = [*PORTS, "--out", "out", "--workers", "1"]
    stopped = sweep(*words)
    assert stopped.exit_code == 3
    assert "Stopped: 2 of 3 points to go" in stopped.stderr
    assert "kirikae sweep plan.kirikae.yaml --vary ports.tenant=10..14:2 --engine calls --out out" in stopped.stderr
    assert sum(runs_stored("out").values()) == 4
    assert len(table("out")) == 1
    assert result("out")["interrupted"] is True
    stops.left = 99
    done = sweep(*words)
    assert (done.exit_code, stops.left) == (0, 99 - 5)
    assert "1 of 3 points are there" in done.stdout
    assert set(runs_stored("out").values()) == {1}
    assert Path("out/sweep.csv").read_bytes() == Path("undisturbed/sweep.csv").read_bytes()


def test_the_death_of_a_worker_loses_nothing_that_is_done(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Stops(4, BrokenExecutor, monkeypatch)
    stopped = sweep(*PORTS, "--workers", "1")
    assert stopped.exit_code == 3
    assert "A worker process was ended from outside" in stopped.stderr
    assert "Stopped: 2 of 3 points to go" in stopped.stderr
    assert sum(runs_stored().values()) == 4


def test_a_cluster_may_compute_it(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int | None, str | None]] = []

    def crew(workers: int | None, cluster: str | None) -> Crew:
        asked.append((workers, cluster))
        return Crew()

    monkeypatch.setattr("kirikae.sweep.crew", crew)
    assert sweep(*PORTS, "--cluster", "tcp://127.0.0.1:8786").exit_code == 0
    assert sweep(*PORTS, "--workers", "3").exit_code == 0
    assert asked == [(None, "tcp://127.0.0.1:8786"), (3, None)]


def test_a_torn_record_is_dropped_with_a_word_and_its_run_is_made_again(plan: Path) -> None:
    sweep(*PORTS)
    journal, before = Path(FOLDER, "sweep.jsonl"), Path(FOLDER, "sweep.csv").read_bytes()
    journal.write_bytes(journal.read_bytes()[:-9])
    done = sweep(*PORTS)
    assert "the last record was torn; its run is made again" in done.stdout
    assert Path(FOLDER, "sweep.csv").read_bytes() == before
    assert set(runs_stored().values()) == {1}


def test_two_sweeps_into_one_folder_are_one_too_many(plan: Path) -> None:
    sweep(*PORTS)
    with Journal(Path(FOLDER)):
        done = sweep(*PORTS)
    assert done.exit_code == 2
    assert "another sweep is writing there" in done.stderr


CHANGED: Sequence[tuple[list[str], str]] = [
    (["--seed", "2"], "seed: 1 there, 2 now"),
    (["-n", "4"], "replications: 3 there, 4 now"),
    (["--engine", "packets"], "engine: calls there, packets now"),
    (["--set", "traffic[0].talk=30s"], 'traffic[0].talk was {"exponential": "40s"}, is \'30s\''),
    (["--metric", "service_level"], "not measured there service_level"),
    (["--vary", "ports.tenant=10,12"], "not asked for any more are ports.tenant=14"),
]


@pytest.mark.parametrize(("words", "said"), CHANGED)
def test_what_has_changed_is_named_and_nothing_is_touched(plan: Path, words: list[str], said: str) -> None:
    sweep(*PORTS, "--out", "out")
    before = {path.name: path.read_bytes() for path in Path("out").iterdir()}
    varied = [] if "--vary" in words else PORTS
    done = sweep(*varied, *words, "--out", "out")
    assert done.exit_code == 2
    assert "out holds another sweep:" in done.stderr
    assert said in done.stderr
    assert "--out, or --fresh" in done.stderr
    assert {path.name: path.read_bytes() for path in Path("out").iterdir()} == before


def test_what_has_changed_goes_elsewhere_or_begins_afresh(plan: Path) -> None:
    sweep(*PORTS, "--out", "out")
    assert sweep(*PORTS, "--seed", "2", "--out", "elsewhere").exit_code == 0
    assert sweep(*PORTS, "--seed", "2", "--out", "out", "--fresh").exit_code == 0
    assert Path("out/sweep.csv").read_bytes() == Path("elsewhere/sweep.csv").read_bytes()
    assert set(runs_stored("out").values()) == {1}


def test_a_file_or_program_that_has_changed_is_noticed(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep(*PORTS)
    plan.write_text(PLAN.replace("too small\n", "too small  # a remark\n"), encoding="utf-8")
    assert sweep(*PORTS).exit_code == 0, "remarks change nothing"
    plan.write_text(PLAN.replace("share: 70%", "share: 60%"), encoding="utf-8")
    assert "traffic[0].retry.share was '70%', is '60%'" in sweep(*PORTS).stderr
    plan.write_text(PLAN, encoding="utf-8")
    monkeypatch.setattr("kirikae.sweep.software", lambda: {"kirikae": "9.9"})
    assert "kirikae: version 0.1.0 there, 9.9 now" in sweep(*PORTS).stderr


RUNS = 3
"""Of each point of the sweep that is killed."""


def stored_points(folder: Path) -> int:
    """Return how many points have all of their runs in the journal."""
    return sum(count == RUNS for count in Counter(key for key, _ in runs_stored(folder)).values())


@pytest.mark.slow
def test_killed_three_times_every_point_is_made_once_and_the_table_is_the_same(plan: Path) -> None:
    words = ["--vary", "ports.tenant=9..18:1", "--vary", "traffic[0].arrivals=0.15/s..0.4/s:0.05/s", "-n", str(RUNS)]
    words += ["--set", "run.for=20m", "--out"]  # so long that what is handed out at once is a few points
    command = [sys.executable, "-m", "kirikae", "sweep", plan.name, *words, "out", "--workers", "2"]
    out, had = Path("out"), 0
    journal = out / "sweep.jsonl"
    # All of it, as when the machine stops; the program alone, as for want of memory; and all of it again.
    for kill in (os.killpg, os.kill, os.killpg):
        run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        while not journal.exists() or stored_points(out) < had + 3:
            with suppress(subprocess.TimeoutExpired):
                run.wait(0.02)
            assert run.poll() is None, run.communicate()
        kill(run.pid, signal.SIGKILL)
        run.communicate(timeout=60)  # which ends when the last of them has
        assert had < stored_points(out) < 60
        had = stored_points(out)
        assert not (out / "sweep.csv").exists()
    done = sweep(*words, "out", "--workers", "1")
    assert done.exit_code == 0, done.stderr
    assert f"{had} of 60 points are there" in done.stdout
    sweep(*words, "undisturbed", "--workers", "1")
    for folder in ("out", "undisturbed"):
        assert len(runs_stored(folder)) == 60 * RUNS
        assert set(runs_stored(folder).values()) == {1}
    assert Path("out/sweep.csv").read_bytes() == Path("undisturbed/sweep.csv").read_bytes()
    assert len(table("out")) == 60


# What cannot be meant


def test_wrong_points_are_told_all_at_once_before_anything_runs(plan: Path) -> None:
    plan.write_text(PLAN.replace("waivers:", "#"), encoding="utf-8")
    done = sweep("--vary", "ports.tenant=0,8,14", "--vary", "traffic[0].arrivals=0.2/s,0.25,0.3/s")
    assert done.exit_code == 2
    told = done.stderr
    assert (
        "--vary ports.tenant=0: ports.tenant: out of range (found 0; allowed a whole number from 1 to 1000000)" in told
    )
    assert "--vary traffic[0].arrivals=0.25: traffic[0].arrivals: 0.25 has no unit" in told
    assert "[overloaded-baseline" in told
    assert told.count("out of range") == told.count("has no unit") == 1
    assert "7 of 9 points cannot be run; nothing was run." in told
    assert not Path("runs").exists()


def test_a_finding_says_at_which_points_it_is(plan: Path) -> None:
    plan.write_text(PLAN.replace("waivers:", "#"), encoding="utf-8")
    done = sweep(
        "--vary", "sbc_pairs.edge.ports=100,101", "--vary", "ports.tenant=8,20", "--set", "trunks.ntt.channels=8"
    )
    (line,) = [line for line in done.stderr.splitlines() if "trunks.ntt.channels" in line and "error" in line]
    assert "(at all points)" in line
    done = sweep("--vary", "sbc_pairs.edge.ports=7,100", "--vary", "trunks.ntt.channels=99,100")
    assert "(at " not in done.stderr, "the line names the value"
    done = sweep("--vary", "traffic[0].arrivals=0.2/s,0.4/s", "--vary", "trunks.ntt.channels=99,100")
    assert "(at traffic[0].arrivals=0.4/s)" in done.stderr


WRONG: Sequence[tuple[list[str], str]] = [
    ([], "nothing is varied"),
    (["--vary", "ports.tenant"], "not PATH=VALUES"),
    (["--vary", "ports.tenant=10..5:1"], "leads nowhere"),
    (["--vary", "ports.tenant=10..20"], "a range without a step is for --lhs (allowed: ports.tenant=10..20:5)"),
    (["--vary", "ports.tenant=10..20", "--lhs", "2001"], "more points than a sweep has (allowed: up to 2,000)"),
    (["--vary", "ports.tenat=10,11"], "did you mean 'tenant'"),
    ([*PORTS, "--vary", "ports.tenant=11"], "stands twice"),
    (["--vary", "run.seed=1,2"], "--seed and --replications"),
    (["--vary", "run.precision=5%,10%"], "--seed and --replications"),
    (["--vary", "expect[0]=asr > 1%,asr > 2%"], "no run depends on it"),
    (["--vary", "ports.tenant=1..500:1", "--vary", "sbc_pairs.edge.ports=1..500:1"], "250,000 combinations"),
    ([*PORTS, "--engine", "live"], "in virtual time"),
    ([*PORTS, "--cluster", "127.0.0.1"], "no address of a scheduler"),
    ([*PORTS, "--engine", "pakets"], "did you mean 'packets'"),
    ([*PORTS, "--metric", "blokced"], "did you mean 'blocked'"),
    ([*PORTS, "--metric", "ports_peak"], "needs a selector"),
    ([*PORTS, "--metric", "ports_peak{limit=tenat}"], "did you mean 'tenant'"),
    ([*PORTS, "--target", "asr"], "not an expectation"),
    ([*PORTS, "--target", "ports_peak{limit=tenat} < 5"], "did you mean 'tenant'"),
    ([*PORTS, "--set", "ports.tenat=5"], "did you mean 'tenant'"),
]


@pytest.mark.parametrize(("words", "reason"), WRONG)
def test_what_cannot_be_meant_is_refused_before_anything_runs(plan: Path, words: list[str], reason: str) -> None:
    done = sweep(*words)
    assert done.exit_code == 2
    assert reason in " ".join(done.stderr.split())
    assert not Path("runs").exists()


# The page


@pytest.fixture
def page(plan: Path) -> Path:
    done = sweep(
        *PORTS, "--vary", "traffic[0].arrivals=0.2/s,0.25/s", "--set", "name='</script><b>東京'", "--out", "out"
    )
    assert done.exit_code == 0, done.stderr
    return Path("out/sweep.html")


def test_the_page_is_one_file_that_asks_nothing_of_any_server(page: Path) -> None:
    text = page.read_text("utf-8")
    outline = Outline(text)
    assert len(text.encode()) < MOST_BYTES
    assert not [attrs for _, attrs in outline.elements if attrs.keys() & {"src", "href", "srcset", "action"}]
    assert outline.count("script") == 3
    assert "</script><b>東京" in outline.text
    for words in (
        "blocked_ratio",
        "6 points of ports.tenant and traffic[0].arrivals",
        "kirikae sweep plan.kirikae.yaml",
    ):
        assert words in outline.text
    named = {attrs.get("aria-labelledby") for tag, attrs in outline.elements if tag == "section"}
    assert named <= {attrs.get("id") for tag, attrs in outline.elements if tag == "h2"}
