"""`kirikae runbook`: the sheet that people hold on the day of a rehearsal, with the times that a drill expects."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from kirikae.expected import Asked, expected
from kirikae.lint import chosen_language
from kirikae.options import OptionError
from kirikae.output import output, put
from reports import files
from reports.calls_csv import ENCODING
from reports.exit_codes import ExitCode
from reports.origin import Origin
from reports.sheet import sheet_of
from reports.sheet_csv import sheet_csv
from reports.sheet_html import sheet_html
from reports.sheet_result import sheet_text
from reports.sheet_terminal import print_sheet
from scenarios.loader import Loaded
from scenarios.text import translator


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for."""

    changes: tuple[str, ...]
    asked: Asked
    language: str | None
    html: Path | None
    csv: str | None
    json: str | None

    @property
    def piped(self) -> bool:
        """Whether standard output is for programs."""
        return "-" in (self.csv, self.json)


def print_runbook(loaded: Loaded, name: str, options: Options, console: Console) -> ExitCode:
    """Play a drill, and print its sheet or write the files that are asked for.

    Raises :class:`~kirikae.options.OptionError`, and :class:`~reports.files.ReportError`.
    """
    language = chosen_language(options.language)
    say = translator(language)
    if options.csv == options.json == "-":
        raise OptionError("--csv - and --json -: only one of them can go to standard output (allowed: a file)")
    runs = expected(loaded, name, options.asked, language, console)
    if runs is None:
        return ExitCode.INVALID
    sheet = sheet_of(runs.drill, runs.summaries, asked=runs.drill.run.replications, interrupted=runs.interrupted)
    origin = Origin(name, options.changes)
    written: list[Path] = []
    if options.html is not None:
        files.write_whole(options.html, sheet_html(sheet, origin, language, say))
        written.append(options.html)
    for file, text, encoding in (
        (options.csv, sheet_csv(sheet, say), ENCODING),
        (options.json, sheet_text(sheet, origin, language, say), "utf-8"),
    ):
        if file == "-":
            with output():
                put(text.encode(encoding).decode())
        elif file is not None:
            with files.whole_file(Path(file), encoding) as opened:
                opened.write(text)
            written.append(Path(file))
    with output():
        if not written and not options.piped:
            print_sheet(console, sheet, say)
        for path in written:
            console.print(str(path), soft_wrap=True)
    return ExitCode.INCONCLUSIVE if sheet.interrupted else ExitCode.PASSED
