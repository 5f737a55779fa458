"""The documentation: what it shows was run, what it draws is what the code says, and its links lead somewhere."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from docs.generate import FOLDER, generated, parts_in
from kirikae.cli import app
from kirikae.live_banner import banner
from sbc.decisions.permission import Permission
from scenarios.loader import load_text
from scenarios.rules import check
from scenarios.shortening import shortened
from scenarios.theory.calculator import FORMULAS

PAGES = [*sorted(FOLDER.rglob("*.md")), *sorted(FOLDER.parent.glob("*.md"))]
BLOCK = re.compile(r"^```(?P<kind>\w+)(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)(?P<target>[^)#]+)")


def name(page: Path) -> str:
    return str(page.relative_to(FOLDER.parent))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_generated_parts_of_a_page_are_up_to_date(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert generated(text) == text, "python -m docs.generate"


def test_the_reference_and_the_machines_are_generated() -> None:
    parts = {part for page in PAGES for part in parts_in(page.read_text(encoding="utf-8"))}
    assert {"metrics", "rules", "machine pair", "machine registration", "machine runbook", "fields of Drill"} <= parts


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = [match["target"] for match in LINK.finditer(page.read_text(encoding="utf-8"))]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def commands(page: Path) -> Iterator[tuple[str, int]]:
    """Yield each `kirikae` command of a page and the exit code it announces; files it shows are written first."""
    for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
        if block["kind"] == "console":
            exit_code = re.search(r"exit=(\d)", block["info"])
            for line in block["text"].splitlines():
                if line.startswith("$ kirikae "):
                    yield line.removeprefix("$ ").split("  #")[0], int(exit_code[1]) if exit_code else 0


def example(page: str) -> str:
    """The file `plan.kirikae.yaml` of a page."""
    text = (FOLDER / page).read_text(encoding="utf-8")
    (plan,) = (block["text"] for block in BLOCK.finditer(text) if "file=plan.kirikae.yaml" in block["info"])
    return plan


@pytest.mark.parametrize("page", ["sip.md", "theory.md"])
def test_the_example_in_python_prints_what_the_page_shows(page: str, tmp_path: Path) -> None:
    blocks = list(BLOCK.finditer((FOLDER / page).read_text(encoding="utf-8")))
    (code,) = (block["text"] for block in blocks if block["kind"] == "python")
    (shown,) = (block["text"] for block in blocks if block["kind"] == "text")
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(FOLDER.parent)}
    done = subprocess.run(
        [sys.executable, "example.py"], cwd=tmp_path, env=environment, capture_output=True, check=True
    )
    assert done.stdout.decode() == shown


def test_the_example_of_the_drift_page_prints_what_the_page_shows(tmp_path: Path) -> None:
    page = FOLDER / "drift.md"
    (shown,) = (block["text"] for block in BLOCK.finditer(page.read_text(encoding="utf-8")) if block["kind"] == "text")
    ((command, exit_code),) = commands(page)
    words = [sys.executable, "-m", *shlex.split(command)]
    environment = {**os.environ, "COLUMNS": "100"}
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, timeout=300, check=False)
    assert done.returncode == exit_code, done.stderr.decode()
    assert [line.rstrip() for line in done.stdout.decode().splitlines()] == shown.splitlines()


@pytest.mark.slow
def test_the_example_of_the_sizing_page_finds_what_the_page_shows(tmp_path: Path) -> None:
    """But for what stands beside the number, which takes twice as many runs again."""
    page = FOLDER / "sizing.md"
    blocks = list(BLOCK.finditer(page.read_text(encoding="utf-8")))
    (plan,) = (block["text"] for block in blocks if "file=plan.kirikae.yaml" in block["info"])
    (shown,) = (block["text"] for block in blocks if block["kind"] == "text")
    (tmp_path / "plan.kirikae.yaml").write_text(plan, encoding="utf-8")
    command = next(line for line, _ in commands(page) if line.startswith("kirikae size plan.kirikae.yaml"))
    words = [sys.executable, "-m", *shlex.split(command), "--workers", "1", "--alone"]
    environment = {**os.environ, "COLUMNS": "100"}
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr.decode()
    found = [line.rstrip() for line in done.stdout.decode().splitlines()]
    number = found[: found.index("is 1 more.") + 1]
    assert number == shown.splitlines()[: len(number)]


@pytest.mark.slow
def test_the_example_of_the_page_about_comparisons_prints_what_it_shows(tmp_path: Path) -> None:
    page = FOLDER / "compare.md"
    blocks = list(BLOCK.finditer(page.read_text(encoding="utf-8")))
    (plan,) = (block["text"] for block in blocks if "file=plan.kirikae.yaml" in block["info"])
    (shown,) = (block["text"] for block in blocks if block["kind"] == "text")
    (tmp_path / "plan.kirikae.yaml").write_text(plan, encoding="utf-8")
    ((command, exit_code),) = commands(page)
    words = [sys.executable, "-m", *shlex.split(command), "--workers", "1"]
    environment = {**os.environ, "COLUMNS": "100"}
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, timeout=300, check=False)
    assert done.returncode == exit_code, done.stderr.decode()
    assert [line.rstrip() for line in done.stdout.decode().splitlines()] == shown.splitlines()


def test_the_example_of_the_lint_page_prints_what_the_page_shows(tmp_path: Path) -> None:
    blocks = list(BLOCK.finditer((FOLDER / "lint.md").read_text(encoding="utf-8")))
    (plan,) = (block["text"] for block in blocks if "file=plan.kirikae.yaml" in block["info"])
    (shown,) = (block["text"] for block in blocks if block["kind"] == "text")
    (tmp_path / "plan.kirikae.yaml").write_text(plan, encoding="utf-8")
    words = [sys.executable, "-m", "kirikae", "lint", "plan.kirikae.yaml"]
    environment = {**os.environ, "KIRIKAE_LANG": "en"}
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, timeout=300, check=False)
    assert (done.returncode, done.stdout.decode()) == (0, shown)


def test_the_examples_of_the_page_about_the_sheet_print_what_it_shows(tmp_path: Path) -> None:
    page = FOLDER / "runbook-sheet.md"
    for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
        if file := re.search(r"file=(\S+)", block["info"]):
            (tmp_path / file[1]).write_text(block["text"], encoding="utf-8")
    environment = {**os.environ, "COLUMNS": "100", "KIRIKAE_LANG": "en"}
    for command, output, exit_code in shown(page):
        words = [sys.executable, "-m", "kirikae", *shlex.split(command)]
        done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, timeout=300, check=False)
        assert done.returncode == exit_code, done.stderr.decode()
        said = (done.stderr if exit_code else done.stdout).decode()
        assert [line.rstrip() for line in said.rstrip().splitlines()] == output.splitlines()


def shown(page: Path) -> Iterator[tuple[str, str, int]]:
    """Yield each `kirikae` command of a page with the output that follows it there, and the exit code it announces."""
    for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
        if block["kind"] == "console":
            exit_code = re.search(r"exit=(\d)", block["info"])
            for part in re.split(r"^\$ ", block["text"], flags=re.MULTILINE)[1:]:
                command, _, output = part.partition("\n")
                yield command.removeprefix("kirikae "), output.rstrip("\n"), int(exit_code[1]) if exit_code else 0


def test_the_examples_of_the_theory_page_print_what_the_page_shows() -> None:
    found = list(shown(FOLDER / "theory.md"))
    assert {command.split()[1] for command, _, _ in found} == set(FORMULAS)
    for command, output, exit_code in found:
        done = CliRunner(env={"COLUMNS": "100"}).invoke(app, shlex.split(command))
        assert done.exit_code == exit_code
        assert (done.stdout or done.stderr).rstrip("\n") == output


def test_the_examples_of_the_sweep_page_print_what_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = FOLDER / "sweep.md"
    blocks = list(BLOCK.finditer(page.read_text(encoding="utf-8")))
    (plan,) = (block["text"] for block in blocks if "file=plan.kirikae.yaml" in block["info"])
    monkeypatch.chdir(tmp_path)
    Path("plan.kirikae.yaml").write_text(plan, encoding="utf-8")
    found = list(shown(page))
    assert len(found) == 5
    for command, output, exit_code in found:
        done = CliRunner(env={"COLUMNS": "100"}).invoke(app, [*shlex.split(command), "--workers", "1"])
        assert done.exit_code == exit_code, (command, done.output)
        assert [line.rstrip() for line in (done.stdout or done.stderr).rstrip("\n").splitlines()] == output.splitlines()


def test_the_example_of_the_ladders_page_prints_what_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = FOLDER / "ladders.md"
    (shown,) = (block["text"] for block in BLOCK.finditer(page.read_text(encoding="utf-8")) if block["kind"] == "text")
    (play, _), (draw, _) = commands(page)
    environment = {"COLUMNS": "80", "KIRIKAE_LANG": "en"}
    played, drawn = (CliRunner(env=environment).invoke(app, shlex.split(each)[1:]) for each in (play, draw))
    assert played.exit_code == 0, played.stdout
    assert drawn.stdout == shown


def test_the_drill_of_the_drift_page_is_sound() -> None:
    page = (FOLDER / "drift.md").read_text(encoding="utf-8")
    (part,) = (block["text"] for block in BLOCK.finditer(page) if block["kind"] == "yaml")
    assert len(load_text(example("how-to/telephony.md") + part, "plan").drill.drift.allow) == 4


def test_the_drill_of_the_live_page_is_sound_and_its_banner_is_what_the_page_shows() -> None:
    page = list(BLOCK.finditer((FOLDER / "live.md").read_text(encoding="utf-8")))
    parts = [block["text"] for block in page if block["kind"] == "yaml"]
    (shown,) = (block["text"] for block in page if block["kind"] == "text")
    plan = re.sub(r"^faults:\n.*?\n\n", "", example("how-to/telephony.md"), flags=re.MULTILINE | re.DOTALL)
    drill = load_text(plan + "".join(parts), "plan").drill
    assert check(drill) == []
    assert banner(shortened(drill), Permission()) + "\n" == shown


@pytest.mark.slow
def test_the_commands_of_the_pytest_page_do_what_it_shows(tmp_path: Path) -> None:
    page = list(BLOCK.finditer((FOLDER / "pytest.md").read_text(encoding="utf-8")))
    (tmp_path / "drills").mkdir()
    printed: list[str] = []
    for block in page:
        if file := re.search(r"file=(\S+)", block["info"]):
            (tmp_path / file[1]).write_text(block["text"], encoding="utf-8")
        elif block["kind"] == "console":
            exit_code = re.search(r"exit=(\d)", block["info"])
            for line in block["text"].splitlines():
                words = shlex.split(line.removeprefix("$ pytest "))
                done = subprocess.run(
                    [sys.executable, "-m", "pytest", "-p", "kirikae.pytest_plugin", *words],
                    cwd=tmp_path,
                    env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "80"},
                    capture_output=True,
                    timeout=300,
                    check=False,
                )
                printed = done.stdout.decode().splitlines()
                assert done.returncode == int(exit_code[1] if exit_code else 0), printed
        elif block["kind"] == "text":
            ends = "".join(f"{line}\n" for line in printed)
            assert [line for line in block["text"].splitlines() if f"\n{line}" not in ends] == []
    assert (tmp_path / "results/drills/office/report.html").exists()


def play(page: Path, folder: Path) -> None:
    """Do what a page says: write its files, run its commands in order, find what it shows of their output."""
    for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
        if file := re.search(r"file=(\S+)", block["info"]):
            (folder / file[1]).write_text(block["text"], encoding="utf-8")
    said = ""
    for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
        if block["kind"] == "console":
            exit_code = re.search(r"exit=(\d)", block["info"])
            for line in block["text"].splitlines():
                code, said = typed(line.removeprefix("$ "), folder)
                assert code == (int(exit_code[1]) if exit_code else 0), (line, said)
        elif block["kind"] == "text":
            assert [line for line in block["text"].splitlines() if line not in said] == []


def typed(line: str, folder: Path) -> tuple[int, str]:
    """Run a line as if it were typed; kirikae in this process, for there are many, and each would start anew."""
    words = shlex.split(line)
    if words[0] == "kirikae":
        alone = ("--workers", "1") if words[1] in ("run", "runbook", "size", "sweep") else ()
        done = CliRunner(env={"COLUMNS": "100", "KIRIKAE_LANG": "en"}).invoke(app, [*words[1:], *alone])
        assert done.exception is None or isinstance(done.exception, SystemExit), (line, done.exception)
        return done.exit_code, done.output
    if words[0] == "pytest":
        line = shlex.join([sys.executable, "-m", "pytest", "-p", "kirikae.pytest_plugin", *words[1:]])
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "100"}
    ran = subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environment, capture_output=True, timeout=300, check=False
    )
    return ran.returncode, ran.stdout.decode() + ran.stderr.decode()


@pytest.mark.slow
@pytest.mark.parametrize("page", ["tutorial.md", "how-to/telephony.md", "how-to/capacity.md"])
def test_the_commands_of_a_page_do_what_it_says(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("move.kirikae.yaml").write_text(example("tutorial.md"), encoding="utf-8")
    play(FOLDER / page, tmp_path)


FEW = {
    "run": (["-n", "2"], 3),
    "compare": ([], 3),
    "runbook": (["-n", "2"], 0),
    "actuals": (["-n", "2"], 0),
    "sweep": (["-n", "2"], 0),
}
"""For commands of the README: what makes them quick, and the exit code that they have then."""


def test_the_commands_of_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With too few replications for a verdict; `size` has a test of its own."""
    monkeypatch.chdir(tmp_path)
    found = [command for command, _ in commands(FOLDER.parent / "README.md")]
    assert found
    for command in found:
        word = shlex.split(command)[1]
        if word == "size":
            continue
        more, expected = FEW.get(word, ([], 0))
        if "packets" in command:
            shorter = ("traffic[0].arrivals=5/s", "run.for=16s", "expect=[failed == 0]")
            more, expected = ["-n", "1", *(word for each in shorter for word in ("--set", each))], 0
        code, said = typed(shlex.join([*shlex.split(command), *more]), tmp_path)
        assert code == expected, (command, said)


@pytest.mark.parametrize("page", ["tutorial.md", "how-to/telephony.md", "how-to/capacity.md"])
def test_the_plan_of_a_page_is_sound(page: str) -> None:
    assert load_text(example(page), "plan").drill.expect
