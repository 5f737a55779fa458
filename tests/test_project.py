import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest

import kirikae

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_every_console_script_can_be_called() -> None:
    scripts = {e.name: e for e in distribution("kirikae").entry_points if e.group == "console_scripts"}
    assert {name: entry.value for name, entry in scripts.items()} == PROJECT["scripts"]
    for entry in scripts.values():
        assert callable(entry.load())


def test_pytest_finds_the_plugin() -> None:
    plugins = {e.name: e for e in distribution("kirikae").entry_points if e.group == "pytest11"}
    assert {name: entry.value for name, entry in plugins.items()} == PROJECT["entry-points"]["pytest11"]
    for entry in plugins.values():
        assert callable(entry.load().pytest_collect_file)


def test_the_version_is_the_one_in_pyproject() -> None:
    assert kirikae.__version__ == PROJECT["version"]


def files() -> list[Path]:
    """All files that are in the repository or would be added to it."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        # A clone that belongs to another user is still a clone.
        [
            "git",
            "-c",
            f"safe.directory={ROOT}",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    paths = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in paths if path.is_file()]


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(r"(?<![\w.~])/(?:home|Users|root|work)/\w", id="a path of one person's machine"),
        pytest.param(r"\b(?:pypi|pythonhosted|npmjs)\.(?:org|com)|\bdeb\.debian\.org|index-url", id="a registry"),
    ],
)
def test_no_file_names(pattern: str) -> None:
    forbidden = re.compile(pattern)
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in files()
        for match in forbidden.finditer(path.read_text("utf-8", errors="replace"))
        if path != Path(__file__)
    ]
    assert found == []


@pytest.mark.parametrize("package", ["kirikae", "reports", "sbc", "scenarios", "sim"])
def test_every_room_is_a_typed_package_with_a_sentence_about_it(package: str) -> None:
    assert (ROOT / package / "py.typed").exists()
    code = f"import {package}; print({package}.__doc__ or '')"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip()
