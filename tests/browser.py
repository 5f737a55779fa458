"""Our pages in a browser: Debian's Chromium without a window and without a network, and with an ear for complaints.

A page is opened from its file. Whatever the browser complains of, an error on the console, an exception, anything it
asks for but that file, is written down, and :meth:`Browser.open` fails in the end.

Playwright's synchronous interface keeps an event loop running in the thread that has started it, in which nobody else
can start one: the fixture is made once for each module of tests, not for the session, and those modules have no tests
with a loop of their own.
"""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, NamedTuple
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, Request, Route, ViewportSize, sync_playwright

from tests.lab import peer

DESKTOP: ViewportSize = {"width": 1000, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 740}
PAPER: ViewportSize = {"width": 703, "height": 1016}
"""A4 in CSS pixels, 96 an inch, within the margins of a report: 12 mm at the sides, 14 mm above and below."""
SCRIPT = Path(__file__).with_name("browser.js")
PATIENCE = 60_000
"""Milliseconds that a busy machine is given; nothing waits for so long that is not broken."""
AA = 4.5
"""Least contrast of text (WCAG 2.2, 1.4.3)."""
POINT = 4 / 3
"""CSS pixels in a point of PDF."""


class Stop(NamedTuple):
    """Where the focus has come to."""

    place: int
    """Which element of the page it is, in the order of the file; -1 for none."""
    what: str
    shown: bool
    """Whether a person sees where the focus is."""


class Word(NamedTuple):
    """A word on paper, in CSS pixels from the left and the top of its sheet."""

    text: str
    left: float
    top: float
    right: float
    bottom: float


class Sheet(NamedTuple):
    """A printed sheet of paper."""

    width: float
    height: float
    words: list[Word]

    @property
    def text(self) -> str:
        """What stands on it."""
        return " ".join(word.text for word in self.words)


class Browser:
    """A running Chromium that opens pages and lets none of them complain."""

    def __init__(self, chromium: Chromium) -> None:
        self._chromium = chromium

    @contextmanager
    def open(self, path: Path, size: ViewportSize = DESKTOP, **how: Any) -> Iterator[Page]:
        """Show a file; ``how`` is what Playwright's contexts are told, such as ``color_scheme``."""
        address = path.absolute().as_uri()
        complaints: list[str] = []
        context = self._chromium.new_context(viewport=size, offline=True, **how)
        context.add_init_script(path=SCRIPT)
        context.set_default_timeout(PATIENCE)

        def asked(request: Request) -> None:
            if request.url.partition("#")[0] != address and not request.url.startswith(("data:", "blob:")):
                complaints.append(f"asks for {request.url}")

        def answer(route: Route) -> None:
            route.abort() if route.request.url.startswith("http") else route.continue_()

        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", asked)
        page.route("**/*", answer)
        try:
            page.goto(address)
            yield page
        finally:
            context.close()
        assert complaints == []


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, running as long as the tests of a module do."""
    with sync_playwright() as playwright:
        # Root may have no sandbox, and what is opened here we have written ourselves.
        chromium = playwright.chromium.launch(executable_path=peer("chromium"), args=["--no-sandbox", "--disable-gpu"])
        yield Browser(chromium)
        chromium.close()


def settled(page: Page) -> None:
    """Wait until what was last asked for is on the screen: charts follow a change of size a little later."""
    page.evaluate("asked.settled()")


def look(
    page: Page,
    size: ViewportSize = DESKTOP,
    *,
    medium: Literal["screen", "print"] = "screen",
    colours: Literal["light", "dark"] = "light",
    motion: Literal["no-preference", "reduce"] = "no-preference",
) -> None:
    """Show a page that is open otherwise, from its top; what is not said is as usual."""
    page.emulate_media(media=medium, color_scheme=colours, reduced_motion=motion)
    page.set_viewport_size(size)
    page.evaluate("asked.top()")
    settled(page)


def too_wide(page: Page) -> list[str]:
    """Return what reaches beyond the right edge of the page, and stands in nothing that scrolls by itself."""
    found: list[str] = page.evaluate("asked.tooWide()")
    return found


def controls(page: Page) -> list[int]:
    """Return which elements of the page Tab has to reach: controls that are shown, by their place in the file."""
    found: list[int] = page.evaluate("asked.controls()")
    return found


def tab_through(page: Page) -> list[Stop]:
    """Press Tab from the top until the focus leaves the page, and return where it was."""
    page.evaluate("asked.top()")
    stops: list[Stop] = []
    for _ in range(2 * len(controls(page)) + 2):
        page.keyboard.press("Tab")
        stop = Stop(**page.evaluate("asked.focus()"))
        if stop.place < 0 or (stops and stop.place == stops[0].place):
            return stops
        stops.append(stop)
    raise AssertionError(f"the focus does not leave the page: {stops[-3:]}")


def traces(page: Page, chart: str) -> list[dict[str, Any]]:
    """Return the data that Plotly has drawn in the element of an id."""
    found: list[dict[str, Any]] = page.evaluate("(id) => asked.data(id)", chart)
    return found


class Chart(NamedTuple):
    """What Plotly has drawn in one place of a report."""

    label: str
    """What it shows, for those who do not see it."""
    data: list[dict[str, Any]]
    layout: dict[str, Any]
    height: float
    width: float
    texts: list[str]


def draw_all(page: Page) -> None:
    """Have all charts drawn of the language that is shown, which otherwise wait until they come near."""
    page.evaluate("asked.drawAll()")


def charts(page: Page) -> dict[str, list[Chart]]:
    """Return what is drawn on the page that is shown, by kind of chart."""
    found: dict[str, list[dict[str, Any]]] = page.evaluate("asked.charts()")
    return {kind: [Chart(**chart) for chart in of_kind] for kind, of_kind in found.items()}


def palest(page: Page) -> tuple[float, str]:
    """Return the least contrast that text has to what lies under it, with the text, drawings included."""
    found = page.evaluate("asked.palest()")
    return found["ratio"], found["text"]


def barriers(page: Page) -> list[str]:
    """Return what axe-core finds against WCAG 2 AA and good practice.

    Not inside drawings, which have a name and a table beside them.
    """
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(_axe())
    found: list[str] = page.evaluate("asked.barriers()")
    return found


def _axe() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


def printed(page: Page, folder: Path) -> list[Sheet]:
    """Print a page on A4 as a person would, and return the sheets."""
    paper = folder / "printed.pdf"
    page.emulate_media(media="null")  # or a screen that is emulated would be printed
    page.pdf(path=paper, format="A4", prefer_css_page_size=True, print_background=False)
    found = subprocess.run([peer("pdftotext"), "-bbox", paper, "-"], capture_output=True, check=True).stdout.decode()
    html = "{http://www.w3.org/1999/xhtml}"
    sides = ("xMin", "yMin", "xMax", "yMax")
    return [
        Sheet(
            float(sheet.attrib["width"]) * POINT,
            float(sheet.attrib["height"]) * POINT,
            [
                Word(word.text or "", *(float(word.attrib[side]) * POINT for side in sides))
                for word in sheet.iter(f"{html}word")
            ],
        )
        for sheet in ElementTree.fromstring(found).iter(f"{html}page")  # noqa: S314 # pdftotext wrote it
    ]


def off_paper(sheets: Sequence[Sheet], margin: float = 37.0) -> list[tuple[int, Word]]:
    """Return the words that reach into the margin of their sheet, 10 mm here as most printers need, and so are cut."""
    return [
        (number, word)
        for number, sheet in enumerate(sheets, 1)
        for word in sheet.words
        if word.left < margin or word.right > sheet.width - margin or word.bottom > sheet.height or word.top < 0
    ]


def result_of(folder: Path) -> dict[str, Any]:
    """Return what a run has written for programs."""
    loaded: dict[str, Any] = json.loads((folder / "result.json").read_text("utf-8"))
    return loaded
