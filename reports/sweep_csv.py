"""`sweep.csv`: a row for each point, opened by Excel as it stands: UTF-8 with a byte order mark, CRLF (RFC 4180).

Units stand in the header. What is varied comes first, as numbers in the unit that it is written in. Of a metric: its
value (mean, or median of what is judged run by run), the ends of its 95 % interval, and the verdict on each expectation
about it. A time that is never reached is `never`; where there was nothing to measure, or there were too few runs for an
interval, a cell is empty.
"""

import csv
import math
from collections.abc import Iterator
from io import StringIO

from reports.calls_csv import safe_text
from reports.summary import Value
from reports.sweep import Column, Point, Sweep
from scenarios.ranges import Amount, plain

_UNITS = {"%": "percent", "seconds": "seconds", "ms": "ms", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_UNITS |= {"/s": "per second", "/m": "per minute", "/h": "per hour", "/d": "per day"}


def csv_text(sweep: Sweep) -> str:
    """Return the table as text without the byte order mark; the same whatever made it, and however often it stopped."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([safe_text(title) for title in _header(sweep)])
    for index, point in enumerate(sweep.points):
        writer.writerow(_row(sweep, index, point))
    return text.getvalue()


def unit_name(unit: str) -> str:
    """Return the unit of an amount in words; empty for a plain number."""
    return _UNITS.get(unit, "")


def _header(sweep: Sweep) -> Iterator[str]:
    for path, amounts in zip(sweep.paths, sweep.amounts, strict=True):
        unit = unit_name(amounts[0].unit) if amounts else ""
        yield f"{path} ({unit})" if unit else path
    yield "runs"
    for column in sweep.columns:
        name, unit = str(column.query), column.query.definition.unit
        yield f"{name} ({unit})"
        yield f"{name} low 95% ({unit})"
        yield f"{name} high 95% ({unit})"
        yield from (expectation.text for expectation in column.expectations)
    yield "no evidence"


def _row(sweep: Sweep, index: int, point: Point) -> Iterator[str]:
    for text, amounts in zip(point.values, sweep.amounts, strict=True):
        yield safe_text(text) if amounts is None else _amount(amounts[index])
    yield str(len(point.judged.summaries))
    for column in sweep.columns:
        yield from _cells(point, column)
    yield "; ".join(point.judged.no_evidence)


def _cells(point: Point, column: Column) -> Iterator[str]:
    cell = point.cell(column)
    yield _number(cell.combined.value)
    yield from map(_number, cell.interval or (None, None))
    yield from (judgement.verdict for judgement in cell.judgements)


def _amount(amount: Amount) -> str:
    return plain(amount.number)


def _number(value: Value) -> str:
    if value is None:
        return ""
    return "never" if math.isinf(value) else repr(value)
