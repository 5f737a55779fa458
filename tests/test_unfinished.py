"""A run that is killed leaves a readable report that says so, and a run that is stopped a terminal as it was."""

import fcntl
import io
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from kirikae.unfinished import Unfinished
from kirikae.watching import Screen, Watching
from reports.charts import charts
from reports.compare import compare
from reports.compare_runs import read_run
from reports.compare_tolerances import Tolerances
from reports.exit_codes import ExitCode
from reports.fold import Fold
from reports.folder import write_all
from reports.judge import Judged, judge
from reports.ladders import NoLadderError, RunFolder
from reports.origin import Origin
from reports.queries import default_queries
from reports.result import result
from reports.summary import RunSummary
from scenarios.evidence import SAMPLE_EVERY, CallRecord, EventKind, Gauge, JournalEntry, Pulse, Sample
from scenarios.expectations import Query
from scenarios.model import Drill, Verdict
from tests.made_evidence import STEPS, call, drill, rehearsal

WITHIN = 120.0
"""Seconds after which what has not happened never will, on a machine on which others work."""
PLAN = drill(expect=["failed_ratio < 99%"])
ORIGIN = Origin("plan.kirikae.yaml")

# What has been gathered in the middle.


def evidence(seed: int) -> list[CallRecord | JournalEntry | Sample]:
    """Return a run in the order in which an engine tells of it; waits are such that the order of sums shows."""
    draw = np.random.default_rng(seed)
    told: list[tuple[float, CallRecord | JournalEntry | Sample]] = []
    for start, wait in zip(draw.uniform(0, 2300, 300).tolist(), draw.exponential(7, 300).tolist(), strict=True):
        end = start + 60 + wait
        told.append((end, call(start, wait=wait, end=end)))
    told += [(at, Sample(at, Gauge.PORTS, "tenant", int(at) % 97)) for at in np.arange(0, 2400, SAMPLE_EVERY).tolist()]
    told.append((600.0, JournalEntry(600.0, EventKind.EFFECT, "tokyo-lost", {"met": "call"})))
    told.append((700.0, JournalEntry(700.0, EventKind.STEP_READY, STEPS[0], {"released_by": "tokyo-lost"})))
    return [each for _, each in sorted(told, key=lambda item: item[0])]


def taken(fold: Fold, told: Sequence[CallRecord | JournalEntry | Sample]) -> Fold:
    for item in told:
        match item:
            case CallRecord():
                fold.calls([item])
            case JournalEntry():
                fold.entry(item)
            case Sample():
                fold.sample(item)
    return fold


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 99), st.lists(st.integers(0, 500), max_size=4))
def test_a_fold_that_was_asked_in_the_middle_ends_as_if_nobody_had(seed: int, asked: list[int]) -> None:
    told, fold = evidence(seed), Fold(PLAN, default_queries(PLAN))
    for begin, end in zip([0, *sorted(asked)], [*sorted(asked), len(told)], strict=True):
        taken(fold, told[begin:end])
        fold.so_far(1.0)
    assert fold.summary() == taken(Fold(PLAN, default_queries(PLAN)), told).summary()


def test_what_is_so_far_is_what_was_told_and_no_more() -> None:
    until = 1203.0
    told = [each for each in evidence(1) if (each.end if isinstance(each, CallRecord) else each.at) <= until]
    found = taken(Fold(PLAN, default_queries(PLAN)), told).so_far(until)
    assert found.values[Query("attempts")] == sum(isinstance(each, CallRecord) for each in told)
    assert found.until == until
    played = 61  # bins of 20 s that have begun by then
    assert {len(bins) for bins in found.timeline.outcomes.values()} == {played}
    assert {len(bins) for extremes in found.timeline.gauges.values() for bins in extremes} == {played}


# How it is judged, and what is told of it.


def so_far(until: float = 1200.0, plan: Drill = PLAN) -> RunSummary:
    told = [each for each in evidence(1) if (each.end if isinstance(each, CallRecord) else each.at) <= until]
    return taken(Fold(plan, default_queries(plan)), told).so_far(until)


def unfinished(summaries: Sequence[RunSummary], plan: Drill = PLAN) -> Judged:
    return judge(plan, summaries, engine="calls", seed=7, unfinished=True)


@pytest.mark.parametrize("verdict", Verdict)
def test_a_run_that_is_not_finished_is_inconclusive_whatever_it_has_shown(verdict: Verdict) -> None:
    plan = PLAN.model_copy(update={"expected_verdict": verdict})
    good = rehearsal(PLAN, 1)
    assert judge(PLAN, [good] * 100, engine="calls", seed=7).verdict is Verdict.PASSED
    judged = unfinished([good] * 12, plan)
    assert (judged.verdict, judged.exit_code) == (Verdict.INCONCLUSIVE, ExitCode.INCONCLUSIVE)
    assert judged.no_evidence == ("12 of 100 replications; the run was not finished",)


@pytest.mark.parametrize(
    ("replications", "summaries", "how_far", "done", "played"),
    [
        (100, [], "0 of 100 replications; the run was not finished", 0, None),
        (1, [], "0 of 1 replication; the run was not finished", 0, None),
        (1, [so_far()], "20m of 40m; the run was not finished", 0, 1200.0),
        (3, [so_far()], "20m of 40m of the first of 3 replications; the run was not finished", 0, 1200.0),
    ],
)
def test_it_says_how_far_the_run_had_come(
    replications: int, summaries: list[RunSummary], how_far: str, done: int, played: float | None
) -> None:
    run = PLAN.run.model_copy(update={"replications": replications})
    judged = unfinished(summaries, PLAN.model_copy(update={"run": run}))
    data = result(judged, ORIGIN)
    assert data["no_evidence"] == [how_far]
    assert (data["unfinished"], data["interrupted"], data["played"]) == (True, True, played)
    assert data["replications"] == {"asked": replications, "done": done}
    assert how_far in data["story"][0]


def test_of_a_replication_that_goes_on_nothing_is_said_that_may_still_come() -> None:
    judged = unfinished([so_far(until=650.0)])
    assert judged.missing_evidence == {}
    assert {judgement.verdict for judgement in judged.judgements} == {Verdict.INCONCLUSIVE}
    assert {judgement.reason for judgement in judged.judgements} == {"the replication was not finished"}


def test_a_step_that_is_open_has_cost_the_time_until_now() -> None:
    [first, *_] = result(unfinished([so_far(until=1200.0)]), ORIGIN)["steps"]
    assert (first["open_in"], first["cost"]) == (1, 500.0)


def test_what_is_not_played_yet_is_in_no_chart() -> None:
    data = charts(unfinished([so_far(until=1200.0)]))
    assert data["lasts"] == 40
    assert {len(series["mean"]) for series in data["calls"]} == {60}
    assert {len(limit["p50"]) for limit in data["ports"]} == {60}


# What is in the folder.


def in_folder(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "result.json").read_text(encoding="utf-8"))
    return found


def says_so(out: Path, how_far: str = "the run was not finished") -> None:
    """See that everything in a folder that somebody may look at says that the run was not finished, and passes nothing.

    The files are written one after the other: where a run was killed, one may say that it has come further.
    """
    found = in_folder(out)
    assert found["verdict"] == "inconclusive"
    assert found["exit_code"] == 3
    assert found["unfinished"] is True
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.index(how_far) < page.index("<table")
    suite = ET.parse(out / "junit.xml").getroot()  # noqa: S314 - our own file
    assert any(how_far in str(error.get("message")) for error in suite.iter("error"))


@pytest.mark.parametrize("summaries", [[], [so_far()]], ids=["nothing", "a part of the first"])
def test_what_a_killed_run_leaves_of_no_finished_replication_is_a_run_without_any(
    tmp_path: Path, summaries: list[RunSummary]
) -> None:
    write_all(tmp_path / "killed", unfinished(summaries), ORIGIN)
    write_all(tmp_path / "whole", judge(PLAN, [rehearsal(PLAN, 1)] * 3, engine="calls", seed=7), ORIGIN)
    killed = read_run(tmp_path / "killed")
    assert (killed.numbers, killed.charts) == ((), None)
    found = compare(killed, read_run(tmp_path / "whole"), Tolerances())
    assert found.exit_code is ExitCode.INCONCLUSIVE
    assert found.open[-1] == "there are no replications to compare"


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def writer(
    out: Path, clock: Callable[[], float] = time.monotonic, plan: Drill = PLAN, *, aside: bool = False
) -> Unfinished:
    return Unfinished(out, ORIGIN, partial(unfinished, plan=plan), "en", aside=aside, clock=clock)


def test_the_report_of_an_earlier_run_is_not_taken_for_that_of_a_run_which_has_just_begun(tmp_path: Path) -> None:
    earlier = judge(PLAN, [rehearsal(PLAN, 1)] * 100, engine="calls", seed=7)
    write_all(tmp_path, earlier, ORIGIN)
    assert in_folder(tmp_path)["verdict"] == "passed"
    with writer(tmp_path):
        says_so(tmp_path, "0 of 100 replications; the run was not finished")


def watching(out: Path, clock: Callable[[], float], plan: Drill = PLAN, **changes: Any) -> Watching:
    screen = Screen(Console(file=io.StringIO(), force_terminal=False))
    aside = bool(changes.get("in_real_time"))
    return Watching(plan, "calls", screen, writer(out, clock, plan, aside=aside), clock=clock, **changes)


def test_ctrl_c_at_the_first_frame_gives_the_cursor_back(tmp_path: Path) -> None:
    def stopped() -> float:
        raise KeyboardInterrupt

    file = io.StringIO()
    screen = Screen(Console(file=file, force_terminal=True, _environ={}))
    looking = Watching(PLAN, "calls", screen, writer(tmp_path), clock=stopped)
    with pytest.raises(KeyboardInterrupt), looking:
        pass
    said = file.getvalue()
    assert said.rindex("\x1b[?25h") > said.rindex("\x1b[?25l")


def test_replications_are_written_as_they_come_the_first_at_once_and_then_now_and_then(tmp_path: Path) -> None:
    clock, summary, written = Hand(), rehearsal(PLAN, 1), []
    with watching(tmp_path, clock) as looking:
        for number in range(30):
            looking.kept({number: summary})
            looking.done(number + 1)
            written.append(in_folder(tmp_path)["replications"]["done"])
            clock.now += 1.0
    assert written == [each for done in (1, 6, 11, 16, 21, 26) for each in [done] * 5]
    says_so(tmp_path, "26 of 100 replications; the run was not finished")


def test_nothing_is_written_of_the_last_replication_that_is_written_at_the_end_anyway(tmp_path: Path) -> None:
    plan = PLAN.model_copy(update={"run": PLAN.run.model_copy(update={"replications": 1})})
    with watching(tmp_path, Hand(), plan) as looking:
        looking.kept({0: rehearsal(plan, 1)})
        looking.done(1)
    assert in_folder(tmp_path)["replications"]["done"] == 0


def test_a_disk_that_is_full_for_a_while_stops_no_run(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with watching(out, Hand()) as looking:
        for path in out.iterdir():
            path.unlink()
        out.rmdir()
        out.touch()
        looking.kept({0: rehearsal(PLAN, 1)})
        looking.done(1)


@pytest.mark.parametrize("in_real_time", [False, True])
def test_a_replication_that_takes_long_is_written_as_far_as_it_has_come(tmp_path: Path, in_real_time: bool) -> None:
    plan = PLAN.model_copy(update={"run": PLAN.run.model_copy(update={"replications": 1})})
    fold = Fold(plan, default_queries(plan))
    with watching(tmp_path, Hand(), plan, in_real_time=in_real_time) as looking:
        eyes = looking.begins(0, fold)
        for at in (0.0, 1200.0):
            fold.calls([call(at / 2)])
            eyes.sample(Sample(at, Gauge.PORTS, "tenant", 3))
        looking.pulse(Pulse(1500.0, 1, 1, 0.0, 0.0, 0.25))
    says_so(tmp_path, "20m of 40m; the run was not finished")
    assert in_folder(tmp_path)["metrics"]["attempts"]["value"] == 2


def test_who_asks_for_the_ladders_of_a_run_that_was_killed_is_told(tmp_path: Path) -> None:
    with writer(tmp_path):
        pass
    with pytest.raises(NoLadderError, match="the run was not finished"):
        RunFolder(tmp_path)


# Real runs.

SMALL = """
kirikae: 1
name: a small plan
run: {for: 10m, warm: false, replications: 3}
sites: {tokyo: {}}
sbc_pairs: {edge: {site: tokyo, ports: 60}}
trunks: {ntt: {via: edge, channels: 60}}
numbers:
  03-1234-5678: {trunk: ntt}
traffic: [{to: 03-1234-5678, arrivals: 0.5/s, talk: 1m}]
expect: [failed_ratio < 10%]
"""


def command(folder: Path, *options: str) -> list[str]:
    (folder / "plan.kirikae.yaml").write_text(SMALL, encoding="utf-8")
    return [sys.executable, "-m", "kirikae", "run", "plan.kirikae.yaml", "--out", "out", *options]


def until(condition: Callable[[], object]) -> None:
    limit = time.monotonic() + WITHIN
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.01)


def there(out: Path) -> Mapping[str, Any]:
    return in_folder(out) if (out / "result.json").exists() else {"replications": {"done": 0}, "played": None}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "begun"),
    [
        (["-n", "90000", "--workers", "2"], lambda found: found["replications"]["done"] > 0),
        (["-n", "1", "--set", "run.for=8000h"], lambda found: found["played"] is not None),
    ],
    ids=["many", "one"],
)
def test_a_run_that_is_killed_leaves_a_report_that_says_so(
    tmp_path: Path, options: list[str], begun: Callable[[Mapping[str, Any]], bool]
) -> None:
    out = tmp_path / "out"
    with subprocess.Popen(
        command(tmp_path, *options),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as run:
        try:
            until(lambda: run.poll() is not None or begun(there(out)))
        finally:
            run.kill()
        assert run.wait() == -signal.SIGKILL, run.communicate()
    assert begun(in_folder(out))
    says_so(out)
    done = subprocess.run(command(tmp_path, "-n", "2"), cwd=tmp_path, capture_output=True, timeout=WITHIN, check=False)
    assert done.returncode == ExitCode.PASSED, done.stderr
    assert (in_folder(out)["unfinished"], in_folder(out)["interrupted"]) == (False, False)
    assert b"not finished" not in (out / "report.html").read_bytes()


@pytest.mark.slow
def test_a_terminal_shows_the_run_and_ctrl_c_gives_it_back_as_it_was(tmp_path: Path) -> None:
    near, far = pty.openpty()
    fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    before, said = termios.tcgetattr(far), b""
    environment = {**os.environ, "TERM": "xterm-256color"}
    for name in ("COLUMNS", "LINES", "NO_COLOR", "TTY_INTERACTIVE"):
        environment.pop(name, None)
    with subprocess.Popen(
        command(tmp_path, "-n", "90000", "--workers", "2"),
        cwd=tmp_path,
        stdin=far,
        stdout=far,
        stderr=far,
        start_new_session=True,
        env=environment,
    ) as run:

        def read() -> bytes:
            ready, _, _ = select.select([near], [], [], 0.05)
            return os.read(near, 65536) if ready else b""

        limit = time.monotonic() + WITHIN
        while not re.search(rb"after [\d,]+ runs?, so far:", said):
            assert run.poll() is None, said
            assert time.monotonic() < limit, said
            said += read()
        os.killpg(run.pid, signal.SIGINT)
        while run.poll() is None or (more := read()):
            assert time.monotonic() < limit, said
            said += more if run.poll() is not None else read()
    assert termios.tcgetattr(far) == before
    for end in (near, far):
        os.close(end)
    assert run.returncode == ExitCode.INCONCLUSIVE, said
    assert b"a small plan" in said
    assert said.rindex(b"\x1b[?25h") > said.rindex(b"\x1b[?25l"), "the cursor is there again"
    assert b"INCONCLUSIVE" in said[said.rindex(b"\x1b[?25h") :]
    found = in_folder(tmp_path / "out")
    assert (found["interrupted"], found["unfinished"], found["verdict"]) == (True, False, "inconclusive")
