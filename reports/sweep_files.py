"""The folder of a sweep: what came out, for people and programs, beside the journal of what is finished."""

from pathlib import Path

from reports import calls_csv, files
from reports.origin import Origin
from reports.sweep import Sweep
from reports.sweep_csv import csv_text
from reports.sweep_html import sweep_page
from reports.sweep_result import sweep_text

CSV, JSON, PAGE = "sweep.csv", "sweep.json", "sweep.html"


def write_sweep(out: Path, sweep: Sweep, origin: Origin, command: str) -> None:
    """Write `sweep.csv`, `sweep.json` and `sweep.html` into ``out``; raises :class:`~reports.files.ReportError`."""
    with files.whole_file(out / CSV, calls_csv.ENCODING) as file:
        file.write(csv_text(sweep))
    files.write_whole(out / JSON, sweep_text(sweep, origin, command))
    files.write_whole(out / PAGE, sweep_page(sweep, origin, command))
