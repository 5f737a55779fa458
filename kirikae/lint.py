"""`kirikae lint`: hold plans to their rules, and say what breaks them, what is waived and what is taken on trust."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from kirikae import drills
from kirikae.options import OptionError
from kirikae.output import output, put
from reports import files
from reports.checked import Checked, checked, unreadable
from reports.exit_codes import ExitCode
from reports.lint_result import lint_text
from reports.lint_terminal import print_checked, totals
from reports.sarif import sarif_text
from scenarios.loader import load
from scenarios.paths import is_folder
from scenarios.problems import DrillError, Mark, Problem, Severity, did_you_mean
from scenarios.text import LANGUAGES, Text, language_of, translator

_STILL = "; the exit code says how it came out"


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for."""

    changes: Sequence[str]
    least: Severity
    strict: bool
    language: str | None
    json: str | None
    sarif: str | None


def lint(names: Sequence[str], options: Options, console: Console) -> ExitCode:
    """Check files, bundled drills, and all drills of folders; each once, whatever is wrong with the others.

    Raises :class:`~kirikae.options.OptionError`, and :class:`~reports.files.ReportError` when results cannot be
    written.
    """
    if options.json is not None and options.json == options.sarif:
        raise OptionError(f"--json and --sarif {options.json}: only one of them can go there (allowed: two files)")
    language = chosen_language(options.language)
    say = translator(language)
    several = list(_each(names, options.changes))
    failing = sum(each.errors + (each.count(Severity.WARNING) if options.strict else 0) for each in several)
    code = ExitCode.INVALID if failing else ExitCode.PASSED
    if options.json is not None:
        _write(options.json, lint_text(several, code, language, say))
    if options.sarif is not None:
        _write(options.sarif, sarif_text(several, Path.cwd(), language, say))
    with output(_STILL):
        for each in several:
            print_checked(console, each, say, options.least)
        console.print(totals(several, say), soft_wrap=True)
    return code


def _write(file: str, text: str) -> None:
    if file == "-":
        with output(_STILL):
            put(text)
    else:
        files.write_whole(Path(file), text)


def chosen_language(asked: str | None) -> str:
    """Return the language that messages are said in: the one asked for, or the environment's.

    Raises :class:`~kirikae.options.OptionError` for one that there is not.
    """
    if asked is None:
        return language_of()
    if asked not in LANGUAGES:
        near = did_you_mean(asked, LANGUAGES)
        raise OptionError(f"--lang {asked}: there are no messages in it{near} (allowed: {', '.join(LANGUAGES)})")
    return asked


def _each(names: Sequence[str], changes: Sequence[str]) -> Iterator[Checked]:
    seen = set[str]()
    for name in names:
        found = [(name, None)] if not is_folder(Path(name)) else [(str(path), path) for path in _inside(Path(name))]
        if not found:
            message = Text("there is no drill in this folder")
            yield _refused(name, message, Text("files called *{suffix}", suffix=drills.SUFFIX))
        for shown, inside in found:
            try:
                path = inside or drills.find(shown)
            except drills.UnknownDrillError as error:
                yield _refused(shown, str(error).removeprefix(f"{shown}: "))
                continue
            if (whole := os.path.abspath(path)) not in seen:
                seen.add(whole)
                yield _one(shown, path, changes)


def _one(name: str, path: Path, changes: Sequence[str]) -> Checked:
    try:
        return checked(load(path, changes), name)
    except DrillError as error:
        return unreadable(name, str(path), error.problems)


def _inside(folder: Path) -> list[Path]:
    """Return the drills in a folder and those below it, hidden ones left out."""
    found = folder.rglob(f"*{drills.SUFFIX}")
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def _refused(name: str, message: str, allowed: str | None = None) -> Checked:
    return unreadable(name, name, [Problem(Mark(name), "", message, allowed=allowed)])
