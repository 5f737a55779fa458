"""`kirikae sweep` on a terminal: a line for each point."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports.sweep import Cell, Column, Sweep
from reports.terminal import STYLES, columns


def print_sweep(console: Console, sweep: Sweep) -> None:
    """Print what came out at each point."""
    console.print(Text(sweep.drill.name, style="bold"))
    for sentence in sweep.sentences:
        console.print(Text(sentence))
    if sweep.points:
        console.print()
        console.print(_table(sweep))
    for doubt in sweep.doubts:
        console.print(Text(doubt, style="yellow"))


def _table(sweep: Sweep) -> Table:
    numbers = [path for path, amounts in zip(sweep.paths, sweep.amounts, strict=True) if amounts is not None]
    table = columns(*sweep.paths, *map(_title, sweep.columns), right=numbers)
    for point in sweep.points:
        table.add_row(*map(Text, point.values), *(_words(point.cell(column)) for column in sweep.columns))
    return table


def _title(column: Column) -> str:
    return "\n".join([str(column.query), *column.bounds])


def _words(cell: Cell) -> Text:
    """Return the value, its interval and its verdict."""
    text = Text(cell.shown)
    if cell.interval_shown:
        text.append(f" ({cell.interval_shown})", style="dim")
    if cell.verdict is not None:
        text.append(f" {cell.verdict}", style=STYLES[cell.verdict])
    return text
