"""The pytest plugin as its users meet it: a pytest of their own, in a repository of their own.

What kirikae says there is worked out here, once for each drill, and handed out by a stand-in that starts at once.
The true one is started in test_foreign.py and test_docs.py.
"""

import json
import os
import re
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from kirikae.runner import run_all
from reports.checked import checked, unreadable
from reports.exit_codes import ExitCode
from reports.judge import judge
from reports.lint_result import lint_text
from reports.origin import Origin
from reports.result import result
from scenarios.loader import load_text
from scenarios.problems import DrillError
from tests.made_checks import BAD, GOOD

PLAYED = GOOD.replace("expect: [failed_ratio < 10%]", "expect: [failed_ratio < 10%, asr < 50%]")
"""Its second expectation fails."""
TEACHING = PLAYED + "expected_verdict: failed\n"

# Writes down what it is asked for; says what is known of a drill, or waits for the signal that ends it.
ROOT = Path(__file__).parent.parent
STAND_IN = """
import json, os, signal, sys

os.chdir(os.path.dirname(__file__))
words = sys.argv[1:]
names = words[words.index("--") + 1 :]
with open("asked", "a") as file:
    file.write(json.dumps(words) + "\\n")
with open("known.json") as file:
    known = json.load(file)
if words[0] == "lint":
    print(json.dumps({"files": [known[name]["lint"] for name in names]}))
    sys.exit()
told = known[names[0]]
if "waits" in told:
    def end(number, frame):
        with open("ended", "a") as file:
            file.write(signal.Signals(number).name)
        sys.exit()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    with open("started", "w") as file:
        file.write(str(os.getpid()))
    while True:
        signal.pause()
if told["result"]:
    print(json.dumps(told["result"]))
else:
    sys.stderr.write(told["said"])
sys.exit(told["exit_code"])
"""


def known(name: str, text: str) -> dict[str, Any]:
    """Return what kirikae says of a drill."""
    try:
        loaded = load_text(text, name)
    except DrillError as error:
        plan = unreadable(name, name, error.problems)
        return {"lint": json.loads(lint_text([plan], ExitCode.INVALID, "en", str))["files"][0]}
    plan = checked(loaded, name)
    runs = run_all(loaded.drill, seed=1, replications=3, workers=1).results.values()
    judged = judge(loaded.drill, runs, engine="calls", seed=1, plan=plan)
    return {
        "lint": json.loads(lint_text([plan], ExitCode.PASSED, "en", str))["files"][0],
        "result": result(judged, Origin(name, ())),
        "exit_code": int(judged.exit_code),
    }


class Repository:
    """A user's repository; the plugin is loaded there, and what is asked for by name, and nothing else."""

    def __init__(self, pytester: pytest.Pytester, beside: Path) -> None:
        self.path = pytester.path
        self._pytester = pytester
        self.beside = beside
        self._known: dict[str, dict[str, Any]] = {}
        (beside / "stand_in.py").write_text(STAND_IN, encoding="utf-8")
        self.ini("[pytest]", f"kirikae_command = {sys.executable} -E -S {beside / 'stand_in.py'}")

    def ini(self, *lines: str) -> None:
        """Add to the settings."""
        with (self.path / "pytest.ini").open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)

    def drill(self, name: str, text: str, **more: object) -> dict[str, Any]:
        """Write a drill, and return what kirikae says of it, ``more`` included."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        self._known[name] = {**known(name, text), **more}
        (self.beside / "known.json").write_text(json.dumps(self._known), encoding="utf-8")
        return self._known[name]

    def run(self, *words: str) -> pytest.RunResult:
        """Run pytest as its users do."""
        return self._pytester.runpytest_subprocess("-p", "kirikae.pytest_plugin", *words, timeout=300)

    def asked(self, command: str) -> list[list[str]]:
        """Return what kirikae was asked for by that command."""
        path = self.beside / "asked"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [words for words in map(json.loads, lines) if words[0] == command]

    def played(self) -> list[str]:
        """Return the drills that were played, in order."""
        return [words[-1] for words in self.asked("run")]


@pytest.fixture
def repository(
    pytester: pytest.Pytester, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Repository:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("PYTEST_ADDOPTS", "")
    return Repository(pytester, tmp_path_factory.mktemp("stand_in"))


def collected(done: pytest.RunResult) -> list[str]:
    return [line for line in done.outlines if "::" in line]


# What the tests of a drill are


def test_a_drill_has_a_test_for_its_plan_each_expectation_and_a_verdict_that_is_not_passed(
    repository: Repository,
) -> None:
    repository.drill("plans/plan.kirikae.yaml", PLAYED)
    repository.drill("plans/north/teaching.kirikae.yaml", TEACHING.replace("asr < 50%", "failed_ratio < 10%"))
    done = repository.run("--collect-only", "-q", "plans")
    assert collected(done) == [
        "plans/north/teaching.kirikae.yaml::the plan stands",
        "plans/north/teaching.kirikae.yaml::failed_ratio < 10%",
        "plans/north/teaching.kirikae.yaml::failed_ratio < 10% (2)",
        "plans/north/teaching.kirikae.yaml::the verdict is failed",
        "plans/plan.kirikae.yaml::the plan stands",
        "plans/plan.kirikae.yaml::failed_ratio < 10%",
        "plans/plan.kirikae.yaml::asr < 50%",
    ]
    assert len(repository.asked("lint")) == 1, "all that will be collected is checked at once"
    assert repository.played() == []


def test_an_expectation_that_does_not_hold_fails_with_value_reason_story_and_report(repository: Repository) -> None:
    told = repository.drill("plan.kirikae.yaml", PLAYED)["result"]
    done = repository.run("--kirikae-out", "out", "--junitxml", "tests.xml", "-o", "junit_family=xunit1")
    done.assert_outcomes(passed=2, failed=1)
    missed = told["expectations"][1]
    done.stdout.fnmatch_lines(
        [
            "*plan.kirikae.yaml: asr < 50%*",
            f"failed, {missed['shown']}: {missed['reason']}",
            *told["story"],
            "played: calls engine, 3 replications, seed 1",
            "report: out/plan/report.html",
            "FAILED plan.kirikae.yaml::asr < 50% - Failed: failed, *",
        ]
    )
    done.stdout.no_fnmatch_line("*Traceback*")
    assert repository.played() == ["plan.kirikae.yaml"], "one run for all tests of a file"
    report = (repository.path / "tests.xml").read_text(encoding="utf-8")
    properties = re.findall(r'name="(kirikae_\w+)" value="([^"]*)"', report)
    assert properties.count(("kirikae_report", "out/plan/report.html")) == 2
    assert ("kirikae_value", missed["shown"]) in properties
    assert 'file="plan.kirikae.yaml" line="11"' in report, "counted from 0, as pytest does"


def test_a_drill_that_is_meant_to_fail_is_green_and_what_fails_in_it_is_expected_to(repository: Repository) -> None:
    repository.drill("teaching.kirikae.yaml", TEACHING)
    done = repository.run("-rx")
    done.assert_outcomes(passed=3, xfailed=1)
    done.stdout.fnmatch_lines(["XFAIL teaching.kirikae.yaml::asr < 50% - *as this drill is meant to: failed, *"])
    repository.run("--runxfail").assert_outcomes(passed=3, failed=1)


def test_a_drill_that_is_meant_to_fail_and_does_not_is_red(repository: Repository) -> None:
    repository.drill("teaching.kirikae.yaml", TEACHING.replace("asr < 50%", "asr > 50%"))
    done = repository.run()
    done.assert_outcomes(passed=3, failed=1)
    done.stdout.fnmatch_lines(["FAILED teaching.kirikae.yaml::the verdict is failed - Failed: the verdict is passed"])


def test_nothing_holds_in_a_run_that_is_no_evidence(repository: Repository) -> None:
    spare = GOOD.replace("channels: 60}}", "channels: 60}, spare: {via: edge, channels: 5}}")
    told = repository.drill("plan.kirikae.yaml", spare.replace("pair: edge, fails: active", "trunk: spare"))
    assert [each["verdict"] for each in told["result"]["expectations"]] == ["passed"]
    done = repository.run()
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(["inconclusive, the fault node-dies took no effect in 3 of 3 runs*"])


def test_a_plan_with_errors_is_told_once_and_not_played(repository: Repository) -> None:
    repository.drill("plan.kirikae.yaml", BAD)
    done = repository.run()
    done.assert_outcomes(failed=2)
    done.stdout.fnmatch_lines(
        [
            "plan.kirikae.yaml:7:37: error: trunks.ntt.channels: 12 erlang *(allowed at least 20 for 1%)*",
            "*plan checks*",
            "plan.kirikae.yaml:9:3: warning: numbers.03-9999-9999: *",
            "nothing was run: the plan has 1 error; see 'the plan stands'",
        ]
    )
    assert repository.played() == []


def test_a_file_that_is_no_drill_is_an_error_with_all_that_is_wrong_and_the_others_are_tested(
    repository: Repository,
) -> None:
    repository.drill("broken.kirikae.yaml", GOOD.replace("channels", "chanels").replace("for: 5m", "for: 5"))
    repository.drill("empty.kirikae.yaml", "")
    repository.drill("plan.kirikae.yaml", GOOD)
    done = repository.run("--continue-on-collection-errors")
    done.assert_outcomes(passed=2, errors=2)
    done.stdout.fnmatch_lines(
        [
            "*ERROR collecting broken.kirikae.yaml*",
            "broken.kirikae.yaml:4:*: error: run.for: 5 has no unit; write 5s*",
            "broken.kirikae.yaml:7:*: error: trunks.ntt.chanels: *did you mean 'channels'?*(allowed *",
            "*ERROR collecting empty.kirikae.yaml*",
            "empty.kirikae.yaml: error: the file is empty (allowed a drill*",
        ]
    )
    done.stdout.no_fnmatch_line("*Traceback*")


# Which are run


def test_only_what_is_asked_for_is_played(repository: Repository) -> None:
    repository.drill("one.kirikae.yaml", PLAYED)
    repository.drill("two.kirikae.yaml", PLAYED)
    repository.run("one.kirikae.yaml::failed_ratio < 10%").assert_outcomes(passed=1)
    assert repository.played() == ["one.kirikae.yaml"]
    repository.run("-k", "stands").assert_outcomes(passed=2, deselected=4)
    repository.run("-m", "not kirikae").assert_outcomes(deselected=6)
    assert repository.played() == ["one.kirikae.yaml"]
    repository.run("-k", "two and asr").assert_outcomes(failed=1, deselected=5)
    repository.run("--lf").assert_outcomes(failed=1)
    assert repository.played() == ["one.kirikae.yaml", "two.kirikae.yaml", "two.kirikae.yaml"]


def test_files_that_are_asked_for_by_name_are_checked_at_once(repository: Repository) -> None:
    names = ["one.kirikae.yaml", "two.kirikae.yaml", "three.kirikae.yaml"]
    for name in names:
        repository.drill(name, GOOD)
    repository.run(names[0], f"{names[1]}::the plan stands", "-k", "stands").assert_outcomes(passed=2, deselected=1)
    ((*_, first, second),) = repository.asked("lint")
    assert {first, second} == {*names[:2]}


def test_the_ini_file_names_drills_and_options_go_before_what_it_says(repository: Repository) -> None:
    repository.ini("kirikae_files = drills/*.yml", "kirikae_replications = 20", "kirikae_out = results")
    repository.drill("drills/night.yml", GOOD)
    (repository.path / "other.yml").write_text(GOOD, encoding="utf-8")
    repository.run("--strict-markers", "--strict-config", "-W", "error").assert_outcomes(passed=2)
    repository.run("--kirikae-replications", "1", "--kirikae-engine", "packets").assert_outcomes(passed=2)
    first, second = repository.asked("run")
    results = str(repository.path / "results/drills/night.yml")
    always = ["run", "--json", "-", "--quiet", "--out", results]
    assert first == [*always, "--replications", "20", "--", "drills/night.yml"]
    assert second == [*always, "--engine", "packets", "--replications", "1", "--", "drills/night.yml"]


def test_results_go_to_the_temporary_folder_where_nobody_names_another(repository: Repository) -> None:
    repository.drill("plans/plan.kirikae.yaml", GOOD)
    repository.run()
    ((*_, out, _, _),) = repository.asked("run")
    assert Path(out).parts[-4:] == ("runpytest-0", "kirikae", "plans", "plan")


def test_what_kirikae_refuses_is_told_in_its_words(repository: Repository) -> None:
    said = "--engine packet: there is no such engine; did you mean 'packets'?"
    repository.drill("plan.kirikae.yaml", GOOD, result=None, said=f"{said}\n", exit_code=2)
    done = repository.run("--kirikae-engine", "packet")
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines([f"nothing was judged: {said}"])


def test_a_command_that_is_not_there_is_an_error_and_no_traceback(repository: Repository) -> None:
    repository.drill("plan.kirikae.yaml", GOOD)
    done = repository.run("-o", "kirikae_command=no-such-kirikae")
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["no-such-kirikae: No such file or directory"])
    done.stdout.no_fnmatch_line("*Traceback*")


def test_drills_are_found_from_any_folder_and_a_command_by_its_path_from_the_root(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = repository.path / "drills/plan.kirikae.yaml"
    repository.drill(str(whole), GOOD)
    (repository.path / "tools").mkdir()
    tool = repository.path / "tools/kirikae"
    tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" -E -S "{repository.beside}/stand_in.py" "$@"\n')
    tool.chmod(0o755)
    (repository.path / "tests").mkdir()
    monkeypatch.chdir(repository.path / "tests")
    repository.run("-o", "kirikae_command=tools/kirikae", "../drills").assert_outcomes(passed=2)
    assert repository.played() == [str(whole)]


# Processes


CALLED = """
import os, signal, sys
from kirikae.isolated import end_with_caller
end_with_caller()
with open(sys.argv[1], "w") as started:
    started.write(str(os.getpid()))
signal.pause()
"""


def test_what_plays_a_drill_ends_when_who_has_called_it_is_ended_by_force(tmp_path: Path) -> None:
    started = tmp_path / "started"
    os.mkfifo(started)
    pipe = os.open(started, os.O_RDONLY | os.O_NONBLOCK)
    words = [sys.executable, "-c", CALLED, str(started)]
    caller = [sys.executable, "-c", f"from kirikae.isolated import ask; ask({words!r}, [], '.')"]
    with subprocess.Popen(caller, cwd=ROOT) as process:
        try:
            assert select.select([pipe], [], [], 120)[0], "nothing was called"
            handle = os.pidfd_open(int(os.read(pipe, 100)))
        finally:
            os.close(pipe)
            process.kill()
        try:
            assert select.select([handle], [], [], 30)[0], "it is still there"
        finally:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
            os.close(handle)


@pytest.mark.parametrize("how", ["load", "loadgroup"])
def test_workers_share_what_is_said_and_played(repository: Repository, how: str) -> None:
    repository.drill("one.kirikae.yaml", PLAYED)
    repository.drill("two.kirikae.yaml", TEACHING)
    done = repository.run("-p", "xdist", "-n", "2", "--dist", how)
    done.assert_outcomes(passed=5, failed=1, xfailed=1)
    assert len(repository.asked("lint")) == 1
    assert sorted(repository.played()) == ["one.kirikae.yaml", "two.kirikae.yaml"]
    share = str(max(1, (os.cpu_count() or 1) // 2))
    assert all(words[-4:-2] == ["--workers", share] for words in repository.asked("run"))


@pytest.mark.parametrize("more", ["", "-p xdist -n 2 --dist loadgroup"], ids=["alone", "workers"])
def test_ctrl_c_ends_the_drill_under_way(repository: Repository, more: str) -> None:
    repository.drill("plan.kirikae.yaml", GOOD, waits=True)
    started, ended = (repository.beside / name for name in ("started", "ended"))
    os.mkfifo(started)
    pipe = os.open(started, os.O_RDONLY | os.O_NONBLOCK)
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest"],
        cwd=repository.path,
        env={**os.environ, "PYTEST_ADDOPTS": f"-p kirikae.pytest_plugin {more}"},
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    pid = 0
    try:
        assert select.select([pipe], [], [], 120)[0], "no drill was played"
        pid = int(os.read(pipe, 100))
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        out, _ = process.communicate(timeout=120)
        assert process.returncode == pytest.ExitCode.INTERRUPTED
        assert b"KeyboardInterrupt" in out
        assert ended.read_text(encoding="utf-8") == "SIGTERM"
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    except BaseException:
        process.kill()
        if pid:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        raise
    finally:
        os.close(pipe)
