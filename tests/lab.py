"""Lab tests talk to real peers: where the programs are, and the gate that keeps CI from passing without them.

A lab test names its programs, ``@pytest.mark.lab(needs=["sipp"])``. Where one is missing the test is skipped,
with a reason that names the Debian package; in CI it fails. ``lab_peers.txt`` lists the programs, and
``.ci/setup peers`` installs from the same list. ``--lab-floor=FILE`` fails a run in which fewer lab tests ran
than FILE records.
"""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FONT = "font:"  # before a language, where a test needs its letters and not a program
LAB = "lab"  # the marker, and the key under which a report carries it


def locate(program: str) -> str | None:
    """Return the path of a peer, or of a font for ``font:ja``; None if there is none.

    Daemons live in sbin, which is not on every user's PATH.
    """
    if program.startswith(FONT):
        return _font(program.removeprefix(FONT))
    return shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))


@cache
def _font(language: str) -> str | None:
    """Return the path of a font that has the letters of a language."""
    if (ask := locate("fc-list")) is None:
        return None
    found = subprocess.run(
        [ask, "--format", "%{file}\n", f":lang={language}"], capture_output=True, text=True, check=True
    )
    return next(iter(found.stdout.splitlines()), None)


def peer(program: str) -> str:
    """Return the path of a peer that the running test names in ``needs``; LookupError if it is not here."""
    if (path := locate(program)) is None:
        raise LookupError(f"{program} is not installed: name it in @pytest.mark.lab(needs=[…])")
    return path


def _lines(path: Path) -> list[str]:
    lines = path.read_text("utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def _packages() -> dict[str, str]:
    return dict(line.split() for line in _lines(HERE / "lab_peers.txt"))


def _floor(path: Path) -> int:
    try:
        [line] = _lines(path)
        return int(line)
    except (OSError, ValueError) as error:
        raise pytest.UsageError(f"--lab-floor={path}: should hold one whole number ({error})") from error


class LabGate:
    """Counts the lab tests of a run and, where that is asked for, fails the run when some did not happen."""

    def __init__(self, *, strict: bool, floor: int | None) -> None:
        self.strict = strict  # a skipped lab test fails the run
        self.floor = floor  # lab tests that must run, if that is asked for
        self.ran: set[str] = set()
        self.skipped: set[str] = set()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Note on every lab test which programs it needs; UsageError if it names none or unknown ones."""
        known = _packages()
        for item in items:
            if (mark := item.get_closest_marker(LAB)) is None:
                continue
            needs = mark.kwargs.get("needs")
            if not needs or not known.keys() >= set(needs):
                allowed = ", ".join(known)
                raise pytest.UsageError(f"{item.nodeid}: lab(needs={needs!r}) must list some of: {allowed}")
            item.user_properties.append((LAB, " ".join(needs)))

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Skip a lab test whose programs are not here, or fail it where skipping is not allowed."""
        needs = str(dict(item.user_properties).get(LAB, "")).split()
        missing = [program for program in needs if locate(program) is None]
        if not missing:
            return
        packages = " ".join(_packages()[program] for program in missing)
        reason = f"needs {', '.join(missing)} (Debian: apt-get install {packages})"
        if self.strict:
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a lab test as run if its body passed or failed; an expected failure proves nothing."""
        if LAB not in dict(report.user_properties):
            return
        if report.skipped:
            self.skipped.add(report.nodeid)
        elif report.when == "call":
            self.ran.add(report.nodeid)

    def complaints(self) -> list[str]:
        """Return why this run must not pass, one sentence each; empty if it may."""
        found = []
        if self.strict and self.skipped:
            found.append(f"CI allows no lab test to be skipped: {', '.join(sorted(self.skipped))}")
        if self.floor is not None and len(self.ran) < self.floor:
            found.append(f"fewer lab tests ran than the {self.floor} on record")
        return found

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a run that would have passed if there is a complaint."""
        if session.exitstatus == pytest.ExitCode.OK and self.complaints():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say how many lab tests ran and were skipped, and what is wrong with that."""
        ran, skipped = len(self.ran), len(self.skipped)
        if not ran and not skipped and self.floor is None:
            return
        terminalreporter.write_sep("=", "lab tests")
        terminalreporter.write_line(f"lab tests (real peers): {ran} ran, {skipped} skipped")
        for complaint in self.complaints():
            terminalreporter.write_line(f"FAILED: {complaint}", red=True)
        if self.floor is not None and ran > self.floor:
            terminalreporter.write_line(f"{self.floor} on record: raise it to {ran}", yellow=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--lab-floor``."""
    parser.addoption(
        "--lab-floor",
        type=Path,
        metavar="FILE",
        help="fail if a lab test is skipped, or if fewer run than the number in FILE",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and the gate; the gate is strict in CI and wherever a floor is given."""
    config.addinivalue_line(
        "markers", "lab(needs): talks to real peers, programs of tests/lab_peers.txt; CI never skips these"
    )
    path: Path | None = config.getoption("--lab-floor")
    in_ci = os.environ.get("CI", "") not in ("", "0", "false")
    floor = None if path is None else _floor(path)
    config.pluginmanager.register(LabGate(strict=in_ci or floor is not None, floor=floor), "lab-gate")
