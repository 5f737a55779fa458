"""Take the picture of a report that README.md shows: `python -m docs.screenshot`.

Plays the bundled drill that `make demo` plays, in a folder of its own, and photographs the top of its report with
Chromium (Debian: chromium). The same drill and seed give the same report; the fonts are those of the machine.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

DRILL = "tokyo-osaka-dr"
PICTURE = Path(__file__).parent / "assets" / "report.png"
MOST = 200_000
"""Bytes: a README that takes longer to load than to read helps nobody."""
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class NoPictureError(Exception):
    """Why there is no picture, and what to do."""


def photograph(report: Path, picture: Path, size: tuple[int, int]) -> None:
    """Write the top of a page as PNG, in light colours; `size` in pixels. Raises NoPictureError."""
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        raise NoPictureError("needs chromium (Debian: apt-get install chromium)")
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--lang=en"]
        command += [f"--user-data-dir={profile}", f"--window-size={size[0]},{size[1]}"]
        # The clock of the page runs ahead until charts are drawn.
        command += ["--virtual-time-budget=10000", f"--screenshot={picture}", report.resolve().as_uri()]
        done = subprocess.run(command, capture_output=True, timeout=120, check=False)  # noqa: S603 - our own words
    if done.returncode or not picture.exists():
        raise NoPictureError(done.stderr.decode(errors="replace"))
    if picture.stat().st_size > MOST:
        raise NoPictureError(f"{picture} has {picture.stat().st_size} bytes, more than {MOST}: choose a smaller --size")


def main() -> int:
    """Play the drill, unless a report is named, and take the picture."""
    parser = argparse.ArgumentParser(description="Take the picture of a report that README.md shows.")
    parser.add_argument("--report", type=Path, help="a report that is there already")
    parser.add_argument("--size", default="1000x820", help="width and height in pixels")
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        report = arguments.report
        if report is None:
            play = [sys.executable, "-m", "kirikae", "run", DRILL, "--quiet", "--out", folder]
            subprocess.run(play, check=True)  # noqa: S603 - our own words
            report = Path(folder) / "report.html"
        try:
            photograph(report, PICTURE, (width, height))
        except NoPictureError as error:
            sys.exit(str(error))
    print(f"{PICTURE}: {PICTURE.stat().st_size} bytes")  # noqa: T201 - this is a command
    return 0


if __name__ == "__main__":
    sys.exit(main())
