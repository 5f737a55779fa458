import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Two lab tests and one other, on a machine outside CI that has a program called sipp and no chromium."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PATH", str(pytester.path))
    monkeypatch.setattr("tests.lab.locate", lambda name: shutil.which(name, path=pytester.path))
    sipp = pytester.path / "sipp"
    sipp.write_text("#!/bin/sh\n")
    sipp.chmod(0o755)
    pytester.makepyfile(
        test_peers="""
            import pytest

            @pytest.mark.lab(needs=["sipp"])
            def test_with_sipp():
                pass

            @pytest.mark.lab(needs=["sipp", "chromium"])
            def test_with_both():
                pass
        """,
        test_plain="def test_alone():\n    pass\n",
    )
    return pytester


def run(suite: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return suite.runpytest_inprocess("-p", "tests.lab", "-p", "no:cacheprovider", "-rs", *arguments)


def record(suite: pytest.Pytester, number: object) -> str:
    path = suite.path / "floor.txt"
    path.write_text(f"# comment\n{number}\n")
    return f"--lab-floor={path}"


def install_chromium(suite: pytest.Pytester) -> None:
    shutil.copy(suite.path / "sipp", suite.path / "chromium")


def test_outside_ci_a_lab_test_without_its_peer_is_skipped_and_says_what_to_install(
    suite: pytest.Pytester,
) -> None:
    result = run(suite)
    assert result.ret == pytest.ExitCode.OK
    result.assert_outcomes(passed=2, skipped=1)
    result.stdout.fnmatch_lines("*needs chromium (Debian: apt-get install chromium)*")
    result.stdout.fnmatch_lines("lab tests (real peers): 1 ran, 1 skipped")


def test_in_ci_a_lab_test_without_its_peer_fails(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    result = run(suite)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines("*needs chromium*")


@pytest.mark.parametrize(
    "body", ["pytest.skip('not today')", "pytest.importorskip('no_such_module')", "pytest.xfail('known')"]
)
def test_in_ci_a_lab_test_that_skips_itself_fails_the_run(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    monkeypatch.setenv("CI", "true")
    suite.makepyfile(f"import pytest\n@pytest.mark.lab(needs=['sipp'])\ndef test_shy():\n    {body}\n")
    result = run(suite, "-k", "shy")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines("FAILED: CI allows no lab test to be skipped: *::test_shy")


def test_fewer_lab_tests_than_on_record_fail_the_run(suite: pytest.Pytester) -> None:
    install_chromium(suite)
    result = run(suite, record(suite, 3))
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines("FAILED: fewer lab tests ran than the 3 on record")


def test_as_many_lab_tests_as_on_record_pass(suite: pytest.Pytester) -> None:
    install_chromium(suite)
    result = run(suite, record(suite, 2))
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines("lab tests (real peers): 2 ran, 0 skipped")


def test_more_lab_tests_than_on_record_pass_and_ask_for_the_record_to_be_raised(
    suite: pytest.Pytester,
) -> None:
    install_chromium(suite)
    result = run(suite, record(suite, 1))
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines("1 on record: raise it to 2")


def test_a_subset_run_by_hand_is_held_to_no_number(suite: pytest.Pytester) -> None:
    result = run(suite, "test_plain.py")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.no_fnmatch_line("*lab tests*")


@pytest.mark.parametrize("needs", ["", "needs=[]", "needs=['sip']", "['sipp']"])
def test_a_lab_test_must_name_peers_that_setup_can_install(suite: pytest.Pytester, needs: str) -> None:
    suite.makepyfile(f"import pytest\n@pytest.mark.lab({needs})\ndef test_vague():\n    pass\n")
    result = run(suite)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines("*test_vague: lab(needs=*) must list some of: sipp, chromium*")


@pytest.mark.parametrize("number", ["", "three", "1\n2"])
def test_a_record_that_is_not_one_number_is_refused(suite: pytest.Pytester, number: str) -> None:
    result = run(suite, record(suite, number))
    assert result.ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize(("recorded", "ends"), [(2, pytest.ExitCode.OK), (3, pytest.ExitCode.TESTS_FAILED)])
def test_processes_side_by_side_are_counted_together(suite: pytest.Pytester, recorded: int, ends: int) -> None:
    install_chromium(suite)
    result = run(suite, "-p", "xdist", "-n", "2", record(suite, recorded))
    assert result.ret == ends
    result.stdout.fnmatch_lines("lab tests (real peers): 2 ran, 0 skipped")


@pytest.mark.parametrize(("ci", "gated"), [("true", True), ("", False), ("false", False)])
def test_make_holds_both_stages_with_lab_tests_to_their_records_in_ci_only(ci: str, gated: bool) -> None:
    # A make around this test hands its own variables down through MAKEFLAGS.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")} | {"CI": ci}
    recipe = subprocess.run(
        ["make", "--dry-run", "test"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout
    stages = [line for line in recipe.splitlines() if "-m pytest" in line]
    floors = [re.findall(r"--lab-floor=tests/lab_floor_(\w+)\.txt", stage) for stage in stages]
    assert floors == ([[], ["side_by_side"], ["alone"]] if gated else [[], [], []])
