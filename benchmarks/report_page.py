"""How large `report.html` is and how soon it can be used: a bundled drill, opened in Chromium as if for the first time.

Times run on the wall from the moment the browser is told to open the file, and in processor time of the page's thread,
which does not depend on who else uses the machine.
"""

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Any

from benchmarks.measure import Json, Options, Spread, table
from benchmarks.whole_run import ROOT, RunError

DRILL = "tokyo-osaka-dr"
"""A site lost, with a runbook, queues, phones and seven limits: it has most of what a report can show."""
REPLICATIONS = 100
MOST_BYTES = 6_000_000
MOST_SECONDS = 2.0
"""The aims of a report of so many replications."""
WINDOW = {"width": 1280, "height": 900}
OF_A_RUN = (0, 1, 3)
"""Exit codes of a run that has written its report, whatever the verdict."""

# Notes the moments at which something is on the screen, and the long tasks, in which no key is answered.
_WATCH = """
window.seen = { tasks: 0 };
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) seen.tasks = Math.max(seen.tasks, task.startTime + task.duration);
}).observe({ type: "longtask", buffered: true });
(function look() {
  const near = [...document.querySelectorAll("[data-chart]")].filter((chart) => {
    const box = chart.getBoundingClientRect();
    return chart.checkVisibility() && box.bottom > 0 && box.top < innerHeight;
  });
  const drawn = near.length > 0 && near.every((chart) => chart.querySelector(".main-svg"));
  if (document.readyState === "complete" && (drawn || !near.length) && !seen.charts) seen.charts = performance.now();
  requestAnimationFrame(look);
})();
"""
# Half a second without a long task, after which the page has answered everything that it was going to be busy with.
_QUIET = """async () => {
  const pause = () => new Promise((done) => setTimeout(done, 100));
  while (!seen.charts || performance.now() - Math.max(seen.tasks, seen.charts) < 500) await pause();
  const { startTime } = performance.getEntriesByName("first-contentful-paint")[0];
  return { paint: startTime, charts: seen.charts, usable: Math.max(seen.tasks, startTime) };
}"""
# Goes to the first chart, as a link in the contents does, and says how many milliseconds later it is drawn.
_FIRST = """async () => {
  const chart = [...document.querySelectorAll("[data-chart]")].find((each) => each.checkVisibility());
  const began = performance.now();
  chart.scrollIntoView();
  while (!chart.querySelector(".main-svg")) await new Promise((done) => setTimeout(done, 5));
  return performance.now() - began;
}"""
SHOWN: Mapping[str, str] = {
    "paint": "first paint, words can be read",
    "charts": "charts in view are drawn",
    "usable": "no key or click waits any more",
    "processor": "processor time until then",
    "first": "from going to the first chart until it is drawn",
}


def main(options: Options) -> Json:
    """Run the drill, open its report ``options.repeats`` times, and print size and times."""
    print(f"report_page: report.html of {DRILL} with {REPLICATIONS} replications, opened in Chromium")
    chromium = which("chromium")
    if chromium is None or find_spec("playwright") is None:
        print("not measured: needs Chromium (Debian: apt-get install chromium) and Playwright (pip install playwright)")
        return {}
    with tempfile.TemporaryDirectory() as name:
        report = _report(Path(name))
        size = report.stat().st_size
        takes = [_opened(chromium, report) for _ in range(options.repeats)]
    spreads = {what: Spread.of([take[what] for take in takes]) for what in SHOWN}
    rows = [(SHOWN[what], f"{spread.shown('.2f')} s", f"{MOST_SECONDS:.0f} s") for what, spread in spreads.items()]
    print(table(("", "measured", "aim"), [("size", f"{size:,} bytes", f"{MOST_BYTES:,}"), *rows]))
    return {"bytes": size, **{what: spread.json() for what, spread in spreads.items()}}


def _report(folder: Path) -> Path:
    """Run the drill as a user does, and return its report; raises RunError."""
    words = ["run", DRILL, "--replications", str(REPLICATIONS), "--no-calls", "--quiet", "--out", str(folder)]
    done = subprocess.run([sys.executable, "-m", "kirikae", *words], cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
    if done.returncode not in OF_A_RUN:
        raise RunError(f"kirikae run ended with exit code {done.returncode}")
    return folder / "report.html"


def _opened(chromium: str, report: Path) -> dict[str, float]:
    """Open a report in a browser of its own, which has nothing in store, and return the seconds of :data:`SHOWN`."""
    from playwright.sync_api import ViewportSize, sync_playwright  # which the base install has not

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport=ViewportSize(width=WINDOW["width"], height=WINDOW["height"]))
        page.add_init_script(_WATCH)
        protocol = page.context.new_cdp_session(page)
        protocol.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.goto(report.as_uri())
        found: dict[str, Any] = page.evaluate(_QUIET)
        metrics = {metric["name"]: metric["value"] for metric in protocol.send("Performance.getMetrics")["metrics"]}
        found["first"] = page.evaluate(_FIRST)
        browser.close()
    return {**{what: millis / 1000 for what, millis in found.items()}, "processor": metrics["TaskDuration"]}
