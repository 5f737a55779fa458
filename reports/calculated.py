"""What closed forms say, for people (a sentence or a table) and for programs (CSV, JSON)."""

import csv
import json
import math
from collections.abc import Iterable
from io import StringIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports.terminal import columns
from scenarios.theory.calculator import Answer, Row
from scenarios.theory.quantities import QUANTITIES

_NONE = "–"
_PAIR = "on each node of a pair, which carries all calls when the other is lost"


def print_answer(console: Console, answer: Answer, *, pair: bool = False) -> None:
    """Print a sentence, or a table where quantities vary, and what the formula assumes.

    `pair` says of the ports that were found that each node of a pair needs them.
    """
    if answer.varied:
        matrix = len(answer.varied) == 2 and len(_shown(answer)) == 1
        if head := _head(answer, pair=pair, matrix=matrix):
            console.print(Text(head), soft_wrap=True)
            console.print()
        console.print(_matrix(answer) if matrix else _list(answer))
        console.print()
        for reason in dict.fromkeys(row.reason for row in answer.rows if row.reason):
            console.print(Text(f"{_NONE} {reason}"), soft_wrap=True)
    else:
        console.print(Text(_sentence(answer.rows[0], pair=pair)), soft_wrap=True)
    console.print(Text(f"{answer.formula.title}: {answer.formula.assumes}.", style="dim"), soft_wrap=True)


def _sentence(row: Row, *, pair: bool) -> str:
    asked, *rest = ((name, QUANTITIES[name].said(amount)) for name, amount in row.found.items())
    given = _and(_said(name, amount) for name, amount in row.given.items())
    if not row.bound:
        return f"{_and(phrase for _, phrase in (asked, *rest))}, with {given}."
    then = f" Then {_and(phrase for _, phrase in rest)}." if rest else ""
    where = f" {_PAIR}" if pair else ""
    return f"{row.bound.capitalize()} {asked[1]}{where}, with {given}.{then}"


def _said(name: str, amount: float) -> str:
    """Return what is given in words; of a goal, that it may be as much, or must be."""
    return f"{QUANTITIES[name].goal} {QUANTITIES[name].said(amount)}".strip()


def _and(phrases: Iterable[str]) -> str:
    *first, final = phrases
    return f"{', '.join(first)} and {final}" if first else final


# Tables


def _shown(answer: Answer) -> tuple[str, ...]:
    """Return what is found, in columns; of a goal in two dimensions only what was asked for."""
    found: tuple[str, ...] = next((tuple(row.found) for row in answer.rows if row.found), ())
    return found[:1] if len(answer.varied) == 2 and answer.rows[0].bound else found


def _head(answer: Answer, *, pair: bool, matrix: bool) -> str:
    """Return what the numbers are, and what is the same in all of them."""
    row, shown = answer.rows[0], _shown(answer)
    fixed = [_said(name, amount) for name, amount in row.given.items() if name not in answer.varied]
    parts = [f"{shown[0]} {row.bound}".strip()] if row.bound or matrix else []
    if pair:
        parts[0] += f" {_PAIR}"
    if matrix:
        parts.append(f"{answer.varied[0]} down, {answer.varied[1]} across")
    if fixed:
        parts.append(f"with {_and(fixed)}")
    line = "; ".join(parts)
    return f"{line[0].upper()}{line[1:]}:" if parts else ""


def _list(answer: Answer) -> Table:
    """One line for each combination."""
    shown = _shown(answer)
    headers = [*answer.varied, *(_column(name, answer) for name in shown)]
    table = columns(*headers, right=headers)
    for row in answer.rows:
        given = [_cell(name, row.given[name]) for name in answer.varied]
        table.add_row(*given, *(_cell(name, row.found.get(name)) for name in shown))
    return table


def _matrix(answer: Answer) -> Table:
    """One line for each value of what varies first, one column for each of what varies second."""
    (down, across), (asked,) = answer.varied, _shown(answer)
    across_all = list(dict.fromkeys(row.given[across] for row in answer.rows))
    headers = ["", *(_cell(across, amount) for amount in across_all)]
    table = columns(*headers, right=headers)
    found = {(row.given[down], row.given[across]): row.found.get(asked) for row in answer.rows}
    for value in dict.fromkeys(row.given[down] for row in answer.rows):
        table.add_row(_cell(down, value), *(_cell(asked, found[value, amount]) for amount in across_all))
    return table


def _column(name: str, answer: Answer) -> str:
    """Return the name of a column; a goal that is given and what comes of it are two."""
    return f"{name} reached" if name in answer.rows[0].given else name


def _cell(name: str, amount: float | None) -> str:
    return _NONE if amount is None else QUANTITIES[name].kind.text(amount)


# For programs


def csv_text(answer: Answer) -> str:
    """Return one line for each combination, shares of 1 and seconds, with a header that names units."""
    given = tuple(answer.rows[0].given)
    found = next((tuple(row.found) for row in answer.rows if row.found), ())
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*(_with_unit(n, n) for n in given), *(_with_unit(n, _column(n, answer)) for n in found), "remark"])
    for row in answer.rows:
        writer.writerow([*row.given.values(), *(row.found.get(name, "") for name in found), row.reason])
    return text.getvalue()


def _with_unit(name: str, title: str) -> str:
    unit = QUANTITIES[name].kind.unit
    return f"{title} ({unit})" if unit else title


def json_text(answer: Answer) -> str:
    """Return the formula and a list of what was given and found, shares of 1 and seconds; endless time is null."""
    rows = [
        {"given": dict(row.given), "found": {name: _finite(amount) for name, amount in row.found.items()}}
        | ({"bound": row.bound} if row.bound else {})
        | ({"reason": row.reason} if row.reason else {})
        for row in answer.rows
    ]
    whole = {"formula": answer.formula.title, "assumes": answer.formula.assumes, "rows": rows}
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def _finite(amount: float) -> float | None:
    return amount if math.isfinite(amount) else None
