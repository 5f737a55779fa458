"""The CI recipes of `docs/recipes`: their schemas, and the scripts of their steps, in a repository that is not ours.

What actions and runners do is not here: checkout, caches, uploads. Scripts run as both systems start them, with a bash
that stops at the first error.
"""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs.generate import FOLDER
from tests.test_docs import BLOCK

RECIPES = FOLDER / "recipes"
GITHUB, GITLAB = RECIPES / "github-actions.yml", RECIPES / "gitlab-ci.yml"
NOTED = 'printf "%s\\n" "${0##*/} $*" >> "$NOTES"\n'
CODES = 'code=CODE_${0##*/}_${1//[^a-z]/}; exit "${!code:-0}"\n'


def read(recipe: Path) -> Any:
    return yaml.load(recipe.read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506 - words alone; `on` is no boolean


def steps() -> list[tuple[str, str]]:
    """The scripts of GitHub's recipe, each with its name."""
    return [(step["name"], step["run"]) for step in read(GITHUB)["jobs"]["drills"]["steps"] if "run" in step]


def jobs() -> list[tuple[str, str]]:
    """The scripts of GitLab's recipe, each with the name of its job."""
    recipe = read(GITLAB)
    first = recipe[".kirikae"]["before_script"]
    return [(name, "\n".join([*first, *job["script"]])) for name, job in recipe.items() if "script" in job]


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A repository with a drill, and the names of our rooms taken."""
    (tmp_path / "drills").mkdir()
    text = (FOLDER / "pytest.md").read_text(encoding="utf-8")
    (drill,) = (block["text"] for block in BLOCK.finditer(text) if "file=drills/office.kirikae.yaml" in block["info"])
    (tmp_path / "drills/office.kirikae.yaml").write_text(drill, encoding="utf-8")
    for room in ("scenarios", "reports"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").write_text("raise ImportError('not yours')\n")
    return tmp_path


def on_path(folder: Path, programs: Mapping[str, str]) -> dict[str, str]:
    """An environment in which these programs come first, and the variables that a user sets."""
    place = folder / ".programs"
    place.mkdir()
    for name, script in programs.items():
        (place / name).write_text(f"#!/usr/bin/env bash\n{NOTED}{script}")
        (place / name).chmod(0o755)
    return {
        **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        "PATH": f"{place}:{os.environ['PATH']}",
        "NOTES": str(folder / ".notes"),
        "KIRIKAE": "tools/kirikae.whl",
        "ACCEPT": "",
        "COLUMNS": "100",
    }


def bash(script: str, folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    assert "${{" not in script
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def noted(folder: Path) -> list[str]:
    return [line.rstrip() for line in (folder / ".notes").read_text().splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize(("recipe", "schema"), [(GITHUB, "github-workflows"), (GITLAB, "gitlab-ci")])
def test_a_recipe_keeps_to_the_schema_of_its_system(recipe: Path, schema: str) -> None:
    checked = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(recipe)]
    done = subprocess.run(checked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("recipe", ["github", "gitlab"])
@pytest.mark.parametrize(
    ("compared", "github", "gitlab"), [(0, 0, 0), (1, 1, 1), (2, 1, 1), (3, 0, 3)], ids=lambda code: str(code)
)
def test_a_comparison_that_cannot_tell_is_a_warning_and_a_worse_run_is_red(
    recipe: str, compared: int, github: int, gitlab: int, foreign: Path
) -> None:
    environment = on_path(foreign, dict.fromkeys(("kirikae", "python", "pytest"), CODES))
    for drill in ("office", "standby"):
        (foreign / "results/drills" / drill).mkdir(parents=True)
        (foreign / "results/drills" / drill / "result.json").write_text("{}")
    environment["CODE_kirikae_compare"] = str(compared)
    script = steps()[-1][1] if recipe == "github" else jobs()[-1][1]
    done = bash(script, foreign, environment)
    assert done.returncode == (github if recipe == "github" else gitlab)
    assert sum("compare results/drills/" in line for line in noted(foreign)) == 2  # the second, too
    if recipe == "github":
        assert ("::warning" in done.stdout) == (compared == 3)
    else:
        assert read(GITLAB)["compare"]["allow_failure"] == {"exit_codes": ["3"]}


@pytest.mark.parametrize("recipe", ["github", "gitlab"])
def test_nothing_is_installed_while_nobody_has_said_what(recipe: str, foreign: Path) -> None:
    environment = on_path(foreign, dict.fromkeys(("kirikae", "python", "pytest"), CODES)) | {"KIRIKAE": ""}
    script = steps()[0][1] if recipe == "github" else jobs()[0][1]
    done = bash(script, foreign, environment)
    assert (done.returncode, "KIRIKAE" in done.stdout, (foreign / ".notes").exists()) == (2, True, False)


def test_both_recipes_call_the_same_commands(foreign: Path) -> None:
    environment = on_path(foreign, dict.fromkeys(("kirikae", "python", "pytest"), CODES))
    (foreign / "results/drills/office").mkdir(parents=True)
    (foreign / "results/drills/office/result.json").write_text("{}")
    called: list[set[str]] = []
    for scripts in (steps(), jobs()):
        assert [bash(script, foreign, environment).returncode for _, script in scripts] == [0] * len(scripts)
        called.append(set(noted(foreign)))
        (foreign / ".notes").unlink()
    assert called[0] == called[1]
    assert "python -m pip install tools/kirikae.whl pytest" in called[0]


@pytest.mark.slow
def test_the_steps_do_what_they_say_on_the_first_night_and_on_the_next(foreign: Path) -> None:
    ours = f'export PYTHONPATH="{FOLDER.parent}"; exec "{sys.executable}" -P -m'
    programs = {"kirikae": f'{ours} kirikae "$@"\n', "pytest": f'{ours} pytest -p kirikae.pytest_plugin "$@"\n'}
    environment = on_path(foreign, {**programs, "python": "exit 0\n"}) | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    for name, script in steps():
        done = bash(script, foreign, environment)
        assert done.returncode == 0, (name, done.stdout, done.stderr)
    assert "The first night" in done.stdout
    again = bash(steps()[-1][1], foreign, environment)
    assert again.returncode == 0, (again.stdout, again.stderr)
    assert "The first night" not in again.stdout
    for file in ("lint.sarif", "results/junit.xml"):
        assert (foreign / file).stat().st_size
    left = {path.name for path in (foreign / "results/drills/office").iterdir()}
    assert {"report.html", "result.json", "compare.xml", "compare.html"} <= left
    assert list((foreign / "baselines").iterdir())


def test_what_is_uploaded_and_kept_is_what_the_scripts_write() -> None:
    text = GITHUB.read_text(encoding="utf-8")
    written = set(re.findall(r"--(?:sarif|kirikae-out|baseline) \"?([\w.]+)", text))
    uses = [step["with"] for step in read(GITHUB)["jobs"]["drills"]["steps"] if "with" in step]
    kept = {each[key].rstrip("/") for each in uses for key in ("sarif_file", "path") if key in each}
    assert kept == written
    recipe = read(GITLAB)
    artefacts = [job["artifacts"] for job in recipe.values() if "artifacts" in job]
    caches = [cache for job in recipe.values() if "cache" in job for cache in job["cache"]]
    paths = {path.rstrip("/") for each in [*artefacts, *caches] for path in each["paths"]}
    assert paths == {*written, ".cache/pip"}
