"""`kirikae actuals`: what a rehearsal took, where that lies in what the drill expects, and new times for the drill."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text as Styled

from kirikae.expected import Asked, expected
from kirikae.lint import chosen_language
from kirikae.options import OptionError
from kirikae.output import output, put
from reports import files
from reports.actuals import Actuals, compare
from reports.actuals_result import actuals_text
from reports.actuals_terminal import print_actuals
from reports.console import safe_console
from reports.exit_codes import ExitCode
from reports.filled_sheet import Filled, read_sheet
from reports.origin import Origin
from reports.sheet import events_of
from scenarios.distributions import format_distribution
from scenarios.encoding import read_text
from scenarios.loader import Loaded, load_text
from scenarios.model import Drill
from scenarios.paths import exists
from scenarios.problems import DrillError, Problem
from scenarios.rewriting import RewritingError, with_takes
from scenarios.text import Text, Translate, translator


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for."""

    changes: tuple[str, ...]
    asked: Asked
    language: str | None
    json: str | None
    write: Path | None
    force: bool


def compare_sheets(
    loaded: Loaded, path: Path, name: str, sheets: Sequence[Path], options: Options, console: Console
) -> ExitCode:
    """Compare filled sheets with a drill, and say which times it might state; ``path`` is the drill's file.

    Raises :class:`~kirikae.options.OptionError`, and :class:`~reports.files.ReportError`.
    """
    language = chosen_language(options.language)
    say = translator(language)
    _refuse(options)
    filled = _read(loaded.drill, sheets, say)
    if filled is None:
        return ExitCode.INVALID
    runs = expected(loaded, name, options.asked, language, console)
    if runs is None:
        return ExitCode.INVALID
    actuals = compare(runs.drill, runs.summaries, filled)
    text = actuals_text(actuals, Origin(name, options.changes), language, say)
    if options.json not in (None, "-"):
        files.write_whole(Path(str(options.json)), text)
    with output():
        if options.json == "-":
            put(text)
        else:
            print_actuals(console, actuals, say)
    if options.write is not None:
        written = _written(path, loaded.drill, actuals, options.write)
        files.write_whole(options.write, written)
        with output():
            console.print(say(Text("Written, with the proposed times: {file}", file=options.write)), soft_wrap=True)
    return ExitCode.INCONCLUSIVE if runs.interrupted else ExitCode.PASSED


def _refuse(options: Options) -> None:
    out = options.write
    if out is None:
        return
    if options.changes:
        raise OptionError("--write and --set: times would be proposed for another drill (allowed: one of them)")
    if exists(out) and not options.force:
        raise OptionError(f"--write {out}: there is such a file, and it is not replaced (allowed with --force)")


def _read(drill: Drill, sheets: Sequence[Path], say: Translate) -> list[Filled] | None:
    """Read all sheets; None when any is wrong, and all that is wrong on standard error."""
    _, events = events_of(drill)
    steps = [step.step for step in drill.runbook]
    console = safe_console(sys.stderr)
    filled: list[Filled] = []
    problems: list[Problem] = []
    for path in sheets:
        try:
            filled.append(read_sheet(path, steps, events))
        except DrillError as error:
            problems += error.problems
    for problem in problems:
        console.print(Styled(said(problem, say)), soft_wrap=True)
    if problems:
        count = Text("Problems: {count}; nothing was compared.", count=len(problems))
        console.print(Styled(say(count)), soft_wrap=True)
        return None
    for note in (note for each in filled for note in each.notes):
        console.print(Styled(note), soft_wrap=True)
    return filled


def said(problem: Problem, say: Translate) -> str:
    """Return a problem in one line, in the language of ``say``."""
    where = [str(problem.mark), say(problem.path), say(problem.message)]
    sides = [say(Text("found {text}", text=problem.found))] if problem.found else []
    sides += [say(Text("allowed {text}", text=problem.allowed))] if problem.allowed else []
    return " ".join((": ".join(filter(None, where)) + (f" ({'; '.join(sides)})" if sides else "")).splitlines())


def _written(path: Path, drill: Drill, actuals: Actuals, out: Path) -> str:
    """Return the text of the drill with the proposed times, having seen that they are all that is different."""
    takes = {proposal.index: format_distribution(proposal.new) for proposal in actuals.proposals}
    how = "; paste the lines above by hand"
    try:
        text = with_takes(read_text(path, str(path)).text, takes)
        runbook = list(drill.runbook)
        for proposal in actuals.proposals:
            runbook[proposal.index] = runbook[proposal.index].model_copy(update={"takes": proposal.new})
        if load_text(text, str(out), base=out.parent).drill != drill.model_copy(update={"runbook": runbook}):
            raise OptionError(f"--write {out}: other parts of the drill refer to these times{how}")
    except RewritingError as error:
        raise OptionError(f"--write {out}: {error}{how}") from None
    except DrillError as error:
        raise OptionError(f"--write {out}: it would be no drill any more: {error.problems[0]}{how}") from None
    return text
