"""In a repository that owns packages of the same names as our rooms, ours are found for us and its own for it."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.made_checks import GOOD

ROOT = Path(__file__).parent.parent
ROOMS = ("reports", "sbc", "scenarios", "sim")
# Enough work for other processes to be started.
LONG = ("--set", "run.for=60m", "--replications", "80", "--workers", "2")


def repository(path: Path) -> Path:
    """Make a repository with a drill and packages of its own."""
    for name in (*ROOMS, "tests"):
        (path / name).mkdir(parents=True)
        (path / name / "__init__.py").write_text("OWNER = 'repository'\n", encoding="utf-8")
    (path / "plans").mkdir()
    (path / "plans/plan.kirikae.yaml").write_text(GOOD, encoding="utf-8")
    return path


def run(*command: str | Path, at: Path, path: tuple[Path, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run a command in a repository, with a PYTHONPATH."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), "KIRIKAE_LANG": "en"}
    return subprocess.run(command, cwd=at, env=environment, capture_output=True, text=True, timeout=300, check=False)


OWN_TESTS = """
import sys
from pathlib import Path

import reports, sbc, scenarios, sim, tests

HERE = Path(__file__).parent.parent


def test_packages_are_the_repositorys_own():
    for package in (reports, sbc, scenarios, sim, tests):
        assert package.OWNER == "repository"
        assert Path(package.__file__).parent.parent == HERE


def test_of_kirikae_only_the_plugin_is_loaded():
    loaded = {name for name in sys.modules if name.split(".")[0] == "kirikae"}
    assert loaded == {"kirikae", "kirikae.isolated", "kirikae.pytest_plugin"}
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel, install it where nothing else is, and return that environment's folder of programs."""
    at = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    offline = ("--no-deps", "--no-index")
    subprocess.run([*pip, "wheel", *offline, "--no-build-isolation", "--wheel-dir", at, ROOT], check=True)
    (wheel,) = at.glob("kirikae-*.whl")
    venv.create(at / "environment", symlinks=True)
    programs = at / "environment/bin"
    subprocess.run([*pip, "--python", programs / "python", "install", *offline, wheel], check=True)
    # What kirikae and the repository's tests depend on is taken from where it is here.
    (packages,) = (at / "environment/lib").glob("python*/site-packages")
    (packages / "zz-dependencies.pth").write_text(str(Path(pytest.__file__).parent.parent), encoding="utf-8")
    return programs


@pytest.mark.slow
def test_from_the_wheel_command_and_plugin_work_and_the_repository_keeps_its_packages(
    installed: Path, tmp_path: Path
) -> None:
    at = repository(tmp_path / "repository")
    (at / "tests/test_own.py").write_text(OWN_TESTS, encoding="utf-8")
    home = run(installed / "python", "-P", "-c", "import kirikae; print(kirikae.__file__)", at=at).stdout
    assert Path(home).is_relative_to(installed.parent)

    done = run(installed / "kirikae", "run", "plans/plan.kirikae.yaml", *LONG, at=at, path=(at,))
    assert (done.returncode, done.stderr) == (0, "")
    assert "PASSED" in done.stdout

    tested = run(installed / "python", "-P", "-m", "pytest", "-v", at=at)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    for line in (
        "plans/plan.kirikae.yaml::the plan stands PASSED",
        "plans/plan.kirikae.yaml::failed_ratio < 10% PASSED",
        "tests/test_own.py::test_packages_are_the_repositorys_own PASSED",
        "tests/test_own.py::test_of_kirikae_only_the_plugin_is_loaded PASSED",
    ):
        assert line in tested.stdout
