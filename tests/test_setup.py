import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINES = (line.split() for line in (ROOT / "tests/lab_peers.txt").read_text().splitlines() if not line.startswith("#"))
PEERS: dict[str, str] = dict(LINES)


class Machine:
    """A copy of .ci/setup in an empty folder, and a PATH that leads only to what a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "clone"
        self.bin = folder / "bin"
        (self.root / ".ci").mkdir(parents=True)
        (self.root / "tests").mkdir()
        shutil.copy(ROOT / ".ci/setup", self.root / ".ci/setup")
        shutil.copy(ROOT / "tests/lab_peers.txt", self.root / "tests/lab_peers.txt")
        self.bin.mkdir()
        for name in ("bash", "cat", "chmod", "dirname", "env", "mkdir", "sleep", "touch", "true"):
            # No links: a test that puts its own program here must never write through one to the real program.
            self.has(name, f'exec {shutil.which(name)} "$@"')

    def has(self, name: str, script: str) -> None:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def setup(self, what: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", ".ci/setup", what],
            cwd=self.root,
            env={"PATH": str(self.bin), "SBIN": "/nowhere", "LOG": str(self.root / "log")},
            capture_output=True,
            text=True,
            check=False,
        )

    def log(self) -> str:
        path = self.root / "log"
        return path.read_text() if path.exists() else ""


def python(version: str, venv: str) -> str:
    """A program that says it is Python of that version, and runs `venv` to make a virtual environment."""
    code = f"import sys; sys.version_info = ({version.replace('.', ', ')}); exec(sys.argv[1])"
    return f"""case "$*" in
        --version) echo Python {version};;
        -c*) exec "{sys.executable}" -c '{code}' "$2";;
        *"-m venv"*) {venv};;
        *"pip install"*) echo "$*" >> "$LOG";;
    esac"""


COPY_ITSELF = 'mkdir -p .venv/bin && cat "$0" > .venv/bin/python && chmod +x .venv/bin/python'
OLD = python("3.10.14", COPY_ITSELF)
GOOD = python("3.11.0", COPY_ITSELF)
WITHOUT_ENSUREPIP = python("3.11.0", "echo ensurepip is not available; exit 1")
USER = "echo 1000"
APT = 'echo "$*" >> "$LOG"'


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    built = Machine(tmp_path)
    built.has("id", USER)
    return built


def test_a_python_too_old_is_named_with_what_is_needed(machine: Machine) -> None:
    machine.has("python3", OLD)
    result = machine.setup("base")
    assert result.returncode == 1
    assert "needs Python 3.11 or newer; found: Python 3.10.14" in result.stderr


def test_a_newer_python_beside_an_old_one_is_taken(machine: Machine) -> None:
    machine.has("python3", OLD)
    machine.has("python3.12", GOOD)
    result = machine.setup("base")
    assert result.returncode == 0, result.stderr
    assert "with Python 3.11.0" in result.stderr
    assert machine.log().rstrip().endswith("--editable .")
    assert (machine.root / ".venv/installed-base").exists()
    assert not (machine.root / ".venv/installed-dev").exists()


def test_the_development_install_counts_as_the_base_install_too(machine: Machine) -> None:
    machine.has("python3", GOOD)
    assert machine.setup("dev").returncode == 0
    assert machine.log().rstrip().endswith("--editable .[dev]")
    assert (machine.root / ".venv/installed-base").exists()
    assert (machine.root / ".venv/installed-dev").exists()


def test_benchmarks_do_without_the_libraries_that_cannot_be_installed(machine: Machine) -> None:
    machine.has(
        "python3", GOOD.replace('echo "$*" >> "$LOG"', 'echo "$*" >> "$LOG"; case "$*" in *bench*) exit 1;; esac')
    )
    result = machine.setup("bench")
    assert result.returncode == 0, result.stderr
    assert "the benchmarks will say which they leave out" in result.stderr
    asked_for = [line.split()[-1] for line in machine.log().splitlines()]
    assert asked_for == [".[bench]", "."]
    assert (machine.root / ".venv/installed-bench").exists()
    assert not (machine.root / ".venv/installed-dev").exists()


def test_without_ensurepip_and_rights_the_package_to_install_is_named(machine: Machine) -> None:
    machine.has("python3", WITHOUT_ENSUREPIP)
    machine.has("apt-get", APT)
    machine.has("sudo", "exit 1")
    result = machine.setup("base")
    assert result.returncode == 1
    assert "ensurepip is not available" in result.stderr
    assert "apt-get install python3-venv" in result.stderr
    assert machine.log() == ""


@pytest.mark.parametrize("becomes_root", ["root", "sudo"])
def test_without_ensurepip_the_package_is_installed_where_we_may(machine: Machine, becomes_root: str) -> None:
    if becomes_root == "root":
        machine.has("id", "echo 0")
    else:
        machine.has("sudo", '[ "$1" = -n ] && shift && exec "$@"')
    machine.has("python3", WITHOUT_ENSUREPIP)
    # Once the package is there, python3 can do it.
    machine.has("python3-good", GOOD)
    machine.has(
        "apt-get",
        f'{APT}; cd "{machine.bin}"; case "$*" in *"install "*) cat python3-good > python3;; esac',
    )
    result = machine.setup("base")
    assert result.returncode == 0, result.stderr
    update, install, pip = machine.log().splitlines()
    assert update.endswith("update")
    assert install.endswith("install --no-install-recommends python3-venv")
    assert pip.endswith("--editable .")


def test_only_missing_peers_are_installed(machine: Machine) -> None:
    machine.has("id", "echo 0")
    machine.has("apt-get", APT)
    for program in set(PEERS) - {"sipp"}:
        machine.has(program, "")
    machine.has("fc-list", 'test "$1" = :lang=ja && echo ipag.ttf')
    assert machine.setup("peers").returncode == 0
    assert machine.log().splitlines()[-1].endswith("install --no-install-recommends sip-tester")


def test_a_font_is_installed_where_no_font_has_the_letters(machine: Machine) -> None:
    machine.has("id", "echo 0")
    machine.has("apt-get", APT)
    for program in PEERS:
        machine.has(program, "")
    assert machine.setup("peers").returncode == 0
    assert machine.log().splitlines()[-1].endswith("install --no-install-recommends fonts-ipafont-gothic")


def test_one_package_that_cannot_be_had_does_not_cost_the_others(machine: Machine) -> None:
    machine.has("id", "echo 0")
    machine.has("sleep", "")
    machine.has("apt-get", f'{APT}; case "$*" in *"install "*chromium*) exit 100;; esac')
    result = machine.setup("peers")
    assert result.returncode == 0
    installed = [line.split()[-1] for line in machine.log().splitlines() if "install" in line]
    assert installed[-len(PEERS) :] == list(PEERS.values())
    assert "Not all of them could be installed" in result.stderr


def test_without_rights_the_peers_that_are_missing_are_named(machine: Machine) -> None:
    result = machine.setup("peers")
    assert result.returncode == 0
    assert "skipped (no right to install packages): sip-tester chromium" in result.stderr
