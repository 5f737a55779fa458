"""`kirikae compare` on a terminal: what is worse, what is better, and what else changed."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports.compare import Comparison, ExpectationChange
from reports.compare_changes import Change, Outcome
from reports.compare_words import (
    allowed_shown,
    difference_shown,
    headline,
    of_what,
    remarks,
    sentences,
    shown,
)
from reports.exit_codes import ExitCode
from reports.wording import number_of
from scenarios.model import Verdict

_STYLES = {
    Outcome.WORSE: "bold red",
    Outcome.BETTER: "green",
    Outcome.UNCLEAR: "yellow",
    Outcome.CHANGED: "",
    Outcome.SAME: "dim",
}
_HEADLINES = {ExitCode.PASSED: "green", ExitCode.FAILED: "bold red", ExitCode.INCONCLUSIVE: "yellow"}
_VERDICTS = {Verdict.PASSED: "green", Verdict.FAILED: "bold red", Verdict.INCONCLUSIVE: "yellow"}
_SIDE_BY_SIDE = 100
"""Columns from which on a metric fits into one line."""


def print_comparison(console: Console, comparison: Comparison, *, everything: bool = False) -> None:
    """Print the answer, how it was found, verdicts that changed, and the metrics that did, or all of them."""
    style = _HEADLINES[comparison.exit_code]
    console.print(Text.assemble((headline(comparison), style), "  ", (comparison.second.name, "bold")))
    for sentence in sentences(comparison):
        console.print(Text(sentence))
    _print_expectations(console, [each for each in comparison.expectations if each.changed or everything])
    changed = [change for change in comparison.ordered if everything or change.outcome is not Outcome.SAME]
    if changed:
        console.print()
        groups = _alike(changed)
        rows = _rows if console.width >= _SIDE_BY_SIDE else _blocks
        console.print(rows(comparison, groups))
    hidden = len(comparison.changes) - len(changed)
    if hidden:
        identical = sum(change.identical for change in comparison.those(Outcome.SAME))
        exactly = f", {'all' if identical == hidden else identical} of them to the last digit" if identical else ""
        console.print()
        console.print(Text(f"{number_of(hidden, 'metric')} without a difference{exactly}; --all shows them.", "dim"))


def _print_expectations(console: Console, changes: Iterable[ExpectationChange]) -> None:
    rows = list(changes)
    if not rows:
        return
    grid = Table.grid(padding=(0, 1, 0, 0))
    for each in rows:
        states = [
            Text("-", "dim") if state is None else Text(f"{state.verdict} ({state.shown})", _VERDICTS[state.verdict])
            for state in (each.first, each.second)
        ]
        grid.add_row(Text(each.text), states[0], Text("→"), states[1])
    console.print()
    console.print(grid)


def _alike(changes: Iterable[Change]) -> list[list[Change]]:
    """Put queries of one metric together that have the same numbers, as those of a pair and of its site."""
    groups: dict[object, list[Change]] = {}
    for each in changes:
        key = (each.query.metric, each.first, each.second, each.apart, each.allowed, each.never, each.nothing)
        groups.setdefault(key, []).append(each)
    return list(groups.values())


def _rows(comparison: Comparison, groups: Iterable[list[Change]]) -> Table:
    """Return a table with one line for each metric, or a few that are alike."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("")
    table.add_column("metric", overflow="fold")
    for name in comparison.names:
        table.add_column(name, justify="right")
    table.add_column("difference", overflow="fold")
    table.add_column("allowed")
    for change, *alike in groups:
        table.add_row(
            Text(change.outcome, _STYLES[change.outcome]),
            _named(comparison, change, alike),
            *(Text(shown(change, value)) for value in (change.first, change.second)),
            Text(difference_shown(change)),
            Text(allowed_shown(change)),
        )
    return table


def _blocks(comparison: Comparison, groups: Iterable[list[Change]]) -> Table:
    """Return a few short lines for each metric, for a narrow terminal."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(overflow="fold")
    for change, *alike in groups:
        text = _named(comparison, change, alike)
        values = zip(comparison.names, (change.first, change.second), strict=True)
        text.append("\n" + ", ".join(f"{name} {shown(change, value)}" for name, value in values))
        text.append(f"\n{difference_shown(change)}, allowed {allowed_shown(change)}")
        table.add_row(Text(change.outcome, _STYLES[change.outcome]), text)
    return table


def _named(comparison: Comparison, change: Change, alike: Iterable[Change]) -> Text:
    text = Text(change.text)
    text.append(f" {of_what(change, comparison.kind)}", "dim")
    for remark in (*(f"also {each.text}" for each in alike), *remarks(change, comparison.names)):
        text.append(f"\n{remark}", "dim")
    return text
