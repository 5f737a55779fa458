"""`kirikae rules`: what plans are held to, and where each fact of the catalogue is held."""

import unicodedata
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from kirikae.lint import chosen_language
from kirikae.options import OptionError
from kirikae.output import output, put
from reports import files
from reports.rules_result import rules_text
from reports.rules_terminal import print_list, print_row, print_rule
from scenarios.coverage import LETTERS, OF_SYSTEM, Entry, entries, entry
from scenarios.problems import did_you_mean, fold
from scenarios.rules import BY_ID, RULES, Rule
from scenarios.systems import FOLLOWING, SYSTEMS, System
from scenarios.text import Translate, translator


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for."""

    about: str | None = None
    letter: str | None = None
    system: str | None = None
    word: str | None = None
    language: str | None = None
    json: str | None = None


def tell(options: Options, console: Console) -> None:
    """List the rules, or explain one.

    Raises :class:`~kirikae.options.OptionError`, and :class:`~reports.files.ReportError`.
    """
    language = chosen_language(options.language)
    say = translator(language)
    checks, rows = _chosen(options, say)
    if options.json not in (None, "-"):
        files.write_whole(Path(str(options.json)), rules_text(checks, rows, language, say))
    with output():
        if options.json == "-":
            put(rules_text(checks, rows, language, say))
        elif options.about is None:
            print_list(console, checks, rows, say)
        elif len(rows) == 1 and rows[0].row.id == _spelled(options.about):
            print_row(console, rows[0], say)
        else:
            print_rule(console, checks[0], rows, say)


def _chosen(options: Options, say: Translate) -> tuple[list[Rule], list[Entry]]:
    """Return the checks and the rows that are asked for."""
    if options.about is None:
        return _filtered(options, say)
    if any((options.letter, options.system, options.word)):
        raise OptionError(f"{options.about}: one rule is asked for (allowed without --letter, --system and --word)")
    name = _spelled(options.about)
    every = {each.row.id: each for each in entries()}
    if name in every:
        return list(every[name].checks), [every[name]]
    if name.lower() in BY_ID:
        rule = BY_ID[name.lower()]
        return [rule], [entry(row) for row in rule.cites]
    near = did_you_mean(options.about, [*every, *BY_ID])
    raise OptionError(f"{options.about}: there is no such rule{near} (kirikae rules lists all)")


def _spelled(about: str) -> str:
    return unicodedata.normalize("NFKC", about).strip().upper()


def _filtered(options: Options, say: Translate) -> tuple[list[Rule], list[Entry]]:
    checks, rows = list(RULES), list(entries())
    if options.letter is not None:
        letter = _spelled(options.letter)
        if letter not in LETTERS:
            raise OptionError(f"--letter {options.letter}: no row begins so (allowed: {', '.join(LETTERS)})")
        checks = [rule for rule in checks if any(row.startswith(letter) for row in rule.cites)]
        rows = [each for each in rows if each.row.id.startswith(letter)]
    if options.system is not None:
        system = System.parse(options.system)
        known = (*SYSTEMS, *FOLLOWING)
        if system.name not in known:
            near = did_you_mean(system.name, known)
            raise OptionError(f"--system {options.system}: no system is called so{near} (allowed: {', '.join(known)})")
        checks = [rule for rule in checks if rule.system == system.name and rule.concerns(system)]
        cited = {row for rule in checks for row in rule.cites}
        own = OF_SYSTEM[system.name]
        rows = [each for each in rows if each.row.id.startswith(own) or each.row.id in cited]
    if options.word is not None:
        word = fold(options.word)
        checks = [rule for rule in checks if word in fold(" ".join((rule.id, *rule.cites, say(rule.why))))]
        rows = [each for each in rows if word in fold(_words(each, say))]
    return checks, rows


def _words(each: Entry, say: Translate) -> str:
    said = (part for place in each.places for part in (say(place.where), place.drill, place.metric))
    return " ".join((each.row.id, say(each.row.fact), *said))
