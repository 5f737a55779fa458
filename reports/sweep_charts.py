"""What the charts of a sweep show, as plain data for the browser: each metric over what is varied."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from reports.sweep import Cell, Column, Point, Sweep
from reports.wording import value_text
from scenarios.metrics import Unit
from scenarios.ranges import Amount

Json = dict[str, Any]

MOST_LINES = 8
"""Lines that one chart can have; with more combinations of the other values, points are shown without lines."""

MOST_TICKS = 12
"""Values of an axis that are all written at it."""
_MINUTES_FROM = 300.0
"""Seconds from which on times are shown in minutes."""


def charts(sweep: Sweep) -> list[Json]:
    """Return a chart for each metric, or, where lines would be too many, for each metric and each thing varied."""
    axis = _along(sweep)
    others = [each for each in range(len(sweep.paths)) if each != axis]
    groups: dict[tuple[str, ...], list[int]] = {}
    for index, point in enumerate(sweep.points):
        groups.setdefault(tuple(point.values[other] for other in others), []).append(index)
    if sweep.hypercube or len(groups) > MOST_LINES:
        everything: dict[tuple[str, ...], list[int]] = {(): list(range(len(sweep.points)))}
        return [
            _chart(sweep, column, each, everything, lines=False)
            for column in sweep.columns
            for each in range(len(sweep.paths))
        ]
    return [_chart(sweep, column, axis, groups, lines=sweep.amounts[axis] is not None) for column in sweep.columns]


def _along(sweep: Sweep) -> int:
    """Return the axis that is drawn from left to right: of those with numbers, the one with most values."""

    def rank(axis: int) -> tuple[bool, int]:
        return sweep.amounts[axis] is not None, len({point.values[axis] for point in sweep.points})

    return max(range(len(sweep.paths)), key=rank)


def _chart(sweep: Sweep, column: Column, axis: int, groups: dict[tuple[str, ...], list[int]], *, lines: bool) -> Json:
    cells = [point.cell(column) for point in sweep.points]
    scale, unit = _scale(column, cells)
    amounts = sweep.amounts[axis]
    others = [path for each, path in enumerate(sweep.paths) if each != axis]
    return {
        "title": str(column.query),
        "kind": "median, 95 % interval" if column.by_runs else "mean, 95 % interval",
        "x": f"{sweep.paths[axis]}{_unit(amounts[0].unit) if amounts else ''}",
        "numeric": amounts is not None,
        "ticks": _ticks(amounts),
        "y": unit,
        "lines": lines,
        "judged": bool(column.expectations),
        "never": sum(cell.combined.value is None or math.isinf(cell.combined.value) for cell in cells),
        "bounds": [
            {"y": each.bound * scale, "text": text}
            for each, text in zip(column.expectations, column.bounds, strict=True)
            if not each.of_limit and math.isfinite(each.bound)
        ],
        "series": [
            {
                "name": ", ".join(f"{path}={value}" for path, value in zip(others, values, strict=False)),
                "points": list(_points(sweep, axis, members, cells, scale)),
            }
            for values, members in groups.items()
        ],
    }


def _points(sweep: Sweep, axis: int, members: Sequence[int], cells: Sequence[Cell], scale: float) -> Iterator[Json]:
    """Yield the points of one line from left to right."""
    amounts = sweep.amounts[axis]
    ordered = members if amounts is None else sorted(members, key=lambda index: amounts[index].number)
    for index in ordered:
        cell, point = cells[index], sweep.points[index]
        if cell.combined.value is None or math.isinf(cell.combined.value):
            continue
        low, high = cell.interval or (cell.combined.value, cell.combined.value)
        yield {
            "x": point.values[axis] if amounts is None else float(amounts[index].number),
            "y": cell.combined.value * scale,
            "low": low * scale,
            "high": None if math.isinf(high) else high * scale,
            "verdict": cell.verdict,
            "text": _told(sweep, point, cell),
        }


def _told(sweep: Sweep, point: Point, cell: Cell) -> list[str]:
    """Return what is shown of a point when somebody points at it."""
    value = value_text(cell.combined.value, cell.column.query.definition.unit)
    interval = f" ({cell.interval_shown})" if cell.interval_shown else ""
    verdict = [] if cell.verdict is None else [str(cell.verdict)]
    named = (f"{path} {text}" for path, text in zip(sweep.paths, point.values, strict=True))
    return [f"{value}{interval}", *named, *verdict]


def _scale(column: Column, cells: Sequence[Cell]) -> tuple[float, str]:
    """Return the factor from a metric's unit to that of its axis, and what the axis is called."""
    unit = column.query.definition.unit
    if unit is Unit.SHARE:
        return 100.0, "%"
    if unit is Unit.SECONDS:
        values = [cell.combined.value for cell in cells]
        most = max((value for value in values if value is not None and math.isfinite(value)), default=0.0)
        return (1 / 60, "minutes") if most >= _MINUTES_FROM else (1.0, "seconds")
    return 1.0, str(unit)


def _ticks(amounts: Sequence[Amount] | None) -> list[float] | None:
    """Return the values to write at the axis, where they are few enough to be written."""
    values = sorted({float(amount.number) for amount in amounts or ()})
    return values if 0 < len(values) <= MOST_TICKS else None


def _unit(unit: str) -> str:
    """Return a unit in brackets; nothing for a plain number."""
    return f" ({unit})" if unit else ""
