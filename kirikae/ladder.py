"""`kirikae ladder`: the call flow of one call of a run, on a terminal, as a page or as data."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from kirikae.lint import chosen_language
from kirikae.options import OptionError
from kirikae.output import output, put
from reports import files
from reports.ladder import Kind, Ladder
from reports.ladder_html import page_text
from reports.ladder_result import choice_text, ladder_text
from reports.ladder_terminal import print_choice, print_ladder
from reports.ladders import NoLadderError, RunFolder, Telling
from scenarios.text import translator


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for."""

    call: str | None = None
    texts: bool = False
    html: Path | None = None
    json: str | None = None
    language: str | None = None


def show(folder: Path, options: Options, console: Console) -> None:
    """Show the ladder of a call, or which calls there are.

    Raises :class:`~kirikae.options.OptionError`, and :class:`~reports.files.ReportError`.
    """
    language = chosen_language(options.language)
    say = translator(language)
    try:
        run = RunFolder(folder)
        if options.call is None:
            _list(run.telling(), folder, options, console)
            return
        kind, ladder = _chosen(run, options.call)
    except NoLadderError as error:
        raise OptionError(str(error)) from error
    if options.html is not None:
        files.write_whole(options.html, page_text(ladder, kind, language))
    if options.json not in (None, "-"):
        files.write_whole(Path(str(options.json)), ladder_text(ladder, kind))
    with output():
        if options.json == "-":
            put(ladder_text(ladder, kind))
        elif options.html is not None:
            console.print(f"{options.html}", soft_wrap=True)
        else:
            print_ladder(console, ladder, say, kind=kind, texts=options.texts)


def _list(telling: Telling, folder: Path, options: Options, console: Console) -> None:
    if options.html is not None or options.texts:
        raise OptionError("--html and --text show one call (allowed: with a CALL)")
    text = choice_text(telling)
    if options.json not in (None, "-"):
        files.write_whole(Path(str(options.json)), text)
    with output():
        if options.json == "-":
            put(text)
        else:
            print_choice(console, telling, str(folder), translator(chosen_language(options.language)))


def _chosen(run: RunFolder, asked: str) -> tuple[Kind | None, Ladder]:
    if asked not in set(Kind):
        return None, run.call(asked)
    kind = Kind(asked)
    telling = run.telling()
    if kind not in telling.ladders:
        there = ", ".join(telling.ladders) or "a number of calls.csv, or a Call-ID"
        raise NoLadderError(f"{asked}: there is no such call in this run (allowed: {there})")
    return kind, telling.ladders[kind]
