"""Plan checks for people: blocks with their reasons on a terminal, otherwise a line each that programs can read."""

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as Styled

from reports.checked import Checked, Declared, Found
from scenarios.problems import Severity
from scenarios.text import Text, Translate

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.NOTE: "bold cyan"}
_RANK = (Severity.ERROR, Severity.WARNING, Severity.NOTE)
_INDENT = (0, 0, 0, 4)


def print_checked(console: Console, checked: Checked, say: Translate, least: Severity = Severity.NOTE) -> None:
    """Print what stands against one plan from a severity on, what is waived and why, and what is only declared."""
    shown = [found for found in checked.found if _RANK.index(found.severity) <= _RANK.index(least)]
    if console.is_terminal:
        _print_blocks(console, checked, shown, say)
        return
    for line in _lines(checked, shown, say):
        console.print(line, soft_wrap=True)


def totals(several: Sequence[Checked], say: Translate) -> str:
    """Return how much there is of everything, in one line."""
    counts: tuple[tuple[str, int], ...] = (
        (Text("files"), len(several)),
        (Text("errors"), _sum(several, Severity.ERROR)),
        (Text("warnings"), _sum(several, Severity.WARNING)),
        (Text("notes"), _sum(several, Severity.NOTE)),
        (Text("waived"), sum(len(each.waived) for each in several)),
        (Text("declared, not checked"), sum(len(each.declared) for each in several)),
    )
    return "; ".join(f"{say(name)}: {count}" for name, count in counts)


def message_of(checked: Checked, found: Found, say: Translate) -> str:
    """Return what was found, and where in the plan, on one line."""
    sides = [say(Text("found {text}", text=found.problem.found))] if found.problem.found else []
    return _described(checked, found, say, sides)


def remedy_of(found: Found, say: Translate) -> str:
    """Return what would put it right, on one line; empty where nothing can be said."""
    return " ".join(say(found.problem.allowed or "").splitlines())


# Lines


def _lines(checked: Checked, shown: Iterable[Found], say: Translate) -> Iterator[str]:
    for note in checked.notes:
        yield f"note: {note}"
    for found in shown:
        yield line_of(checked, found, found.severity, say)
    for found in checked.waived:
        yield f"{line_of(checked, found, 'waived', say)}: {found.reason}"
    for declared in checked.declared:
        yield f"{declared.mark}: declared: {_declaration(declared, say)}"


def line_of(checked: Checked, found: Found, kind: str, say: Translate) -> str:
    """Return one finding on one line that programs can read."""
    problem = found.problem
    sides = [Text("found {text}", text=problem.found)] if problem.found else []
    sides += [Text("allowed {text}", text=problem.allowed)] if problem.allowed else []
    told = _described(checked, found, say, [say(side) for side in sides])
    return f"{_place(checked, found)}: {kind}: {told} {_tag(found)}"


def _described(checked: Checked, found: Found, say: Translate, sides: Sequence[str]) -> str:
    problem, mark = found.problem, found.problem.mark
    # An option of the command line or a file beside the drill, as a whole.
    about = mark.file if mark is not None and not mark.line and mark.file not in (checked.file, checked.source) else ""
    message = say(problem.message) + (f" ({'; '.join(sides)})" if sides else "")
    return " ".join(": ".join(part for part in (about, problem.path, message) if part).splitlines())


def _tag(found: Found) -> str:
    return f"[{' '.join((found.rule.id, *found.rows))}]"


def _place(checked: Checked, found: Found) -> str:
    mark = found.problem.mark
    return str(mark) if mark is not None and mark.line else checked.file


def _declaration(declared: Declared, say: Translate) -> str:
    return f"{declared.path}: {say(declared.text)} [{' '.join(declared.rows)}]"


def _sum(several: Iterable[Checked], severity: Severity) -> int:
    return sum(each.count(severity) for each in several)


# Blocks


def _print_blocks(console: Console, checked: Checked, shown: Iterable[Found], say: Translate) -> None:
    for note in checked.notes:
        console.print(Styled(f"note: {note}"))
    for found in shown:
        _head(console, checked, found, Styled(say(found.severity), style=_STYLES[found.severity]))
        _body(
            console, checked, found, say, (Text("why"), say(found.rule.why)), (Text("instead"), remedy_of(found, say))
        )
    for found in checked.waived:
        _head(console, checked, found, Styled(say(Text("waived")), style="bold"))
        _body(console, checked, found, say, (Text("reason"), found.reason))
    if checked.declared:
        title = f"{say(Text('declared, not checked'))}: {len(checked.declared)}"
        console.print(Styled.assemble((checked.file, "bold"), "  ", title))
        for declared in checked.declared:
            console.print(Padding(Styled(_declaration(declared, say)), _INDENT))


def _head(console: Console, checked: Checked, found: Found, kind: Styled) -> None:
    place = Styled(_place(checked, found), style="bold")
    tag = Styled(_tag(found), style="dim")
    console.print(Styled.assemble(place, "  ", kind, "  ", tag), soft_wrap=True)


def _body(console: Console, checked: Checked, found: Found, say: Translate, *more: tuple[str, str]) -> None:
    console.print(Padding(Styled(message_of(checked, found, say)), _INDENT))
    grid = Table.grid(padding=(0, 2, 0, 0))
    for name, text in more:
        if text:
            grid.add_row(Styled(say(name), style="dim"), Styled(text))
    console.print(Padding(grid, _INDENT))
