"""Documentation as pages for a browser (`make docs`): links lead somewhere, and nothing is loaded from elsewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.generate import FOLDER
from docs.pages import machine, on_page_markdown
from docs.screenshot import MOST, PICTURE

ROOT = FOLDER.parent
BUILT = pytest.mark.xdist_group("site")
"""One process, which builds the pages once."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages; a warning, such as of a link or an anchor that is not there, is an error, but not with --quiet."""
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return folder


@BUILT
@pytest.mark.slow
def test_all_pages_are_built_and_no_programs_are_among_them(site: Path) -> None:
    wanted = {page.relative_to(FOLDER).with_suffix(".html").as_posix() for page in FOLDER.rglob("*.md")}
    built = {page.relative_to(site).as_posix() for page in site.rglob("*.html")}
    assert {name.replace("README", "index") for name in wanted} == built - {"404.html"}
    assert not list(site.rglob("*.py*"))


@BUILT
@pytest.mark.slow
def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    loads = re.compile(r'<(?:script|link|img|iframe)\b[^>]*?\b(?:src|href)="((?:https?:)?//[^"]*)"')
    pages = {page.name: page.read_text(encoding="utf-8") for page in site.rglob("*.html")}
    found = {(name, match[1]) for name, text in pages.items() for match in loads.finditer(text)}
    assert found == set()
    assert not [name for name, text in pages.items() if 'class="mermaid"' in text]
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?https?:|@import", style.read_text("utf-8")), style


@BUILT
@pytest.mark.slow
@pytest.mark.lab(needs=["chromium"])
def test_search_finds_a_page_without_a_server(site: Path, tmp_path: Path) -> None:
    command = ["chromium", "--headless", "--no-sandbox", f"--user-data-dir={tmp_path}", "--virtual-time-budget=10000"]
    address = f"{(site / 'index.html').as_uri()}?q=engset"
    page = subprocess.run([*command, "--dump-dom", address], capture_output=True, text=True, timeout=120, check=True)
    assert "/theory.html?h=engset" in page.stdout


def test_a_state_machine_is_a_table_with_a_row_for_each_arrow() -> None:
    drawn = "stateDiagram-v2\n    IDLE --> BUSY: call / ring, send\n    BUSY --> IDLE: bye\n"
    rows = re.findall(r"<tr>(.*?)</tr>", machine(drawn, "mermaid", "machine"))
    cells = [re.findall(r"<td>(.*?)</td>", row) for row in rows[1:]]
    assert cells == [["IDLE", "call", "BUSY", "ring, send"], ["BUSY", "bye", "IDLE", ""]]


def test_an_example_says_which_file_it_is_and_how_it_ends() -> None:
    assert on_page_markdown("```yaml file=plan.yaml\n") == '```yaml title="plan.yaml"\n'
    assert on_page_markdown("```console exit=3\n") == '```console title="exit code 3"\n'
    assert on_page_markdown("```console exit=0\n") == "```console\n"


def test_the_picture_of_the_readme_is_small_and_shown() -> None:
    assert PICTURE.read_bytes().startswith(b"\x89PNG")
    assert PICTURE.stat().st_size < MOST
    assert str(PICTURE.relative_to(ROOT)) in (ROOT / "README.md").read_text(encoding="utf-8")
