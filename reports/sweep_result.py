"""`sweep.json`: everything that came out of a sweep, for programs.

Times are seconds, shares 0 to 1; a value that is never reached is null with `never: true`.

    version       of this format
    scenario      name, file, changes (`--set`), lasts
    engine        which engine played it
    seed          same file and seed, same metrics, whatever the number of workers
    replications  of each point
    design        grid or latin hypercube
    varied        per field: path, and unit of its numbers (empty for plain numbers, null where values are not numbers)
    points_asked  how many points there are to be
    interrupted   stopped before the last of them
    points        per point: values (as written, by path), numbers (by path, in the unit of `varied`), runs,
                  no_evidence, expectations and metrics as in `result.json`, of the metrics that were asked for
    command       that gives the same result again
    software      versions by name
"""

import json
from typing import Any

from reports.origin import Origin, software
from reports.result import expectation_data, metric_data
from reports.sweep import Point, Sweep

VERSION = 1
"""Raised when a key changes its meaning or goes; a new key leaves it as it is."""

Json = dict[str, Any]


def sweep_text(sweep: Sweep, origin: Origin, command: str) -> str:
    """Return the result as JSON text: UTF-8, one final newline, nothing that depends on when or where it was made."""
    return json.dumps(sweep_result(sweep, origin, command), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def sweep_result(sweep: Sweep, origin: Origin, command: str) -> Json:
    """Return the result as plain data."""
    return {
        "version": VERSION,
        "scenario": {
            "name": sweep.drill.name,
            "file": origin.file,
            "changes": list(origin.changes),
            "lasts": sweep.drill.run.lasts,
        },
        "engine": sweep.engine,
        "seed": sweep.seed,
        "replications": sweep.replications,
        "design": "latin hypercube" if sweep.hypercube else "grid",
        "varied": [
            {"path": path, "unit": amounts[0].unit if amounts else None}
            for path, amounts in zip(sweep.paths, sweep.amounts, strict=True)
        ],
        "points_asked": sweep.asked,
        "interrupted": sweep.interrupted,
        "points": [_point(sweep, index, point) for index, point in enumerate(sweep.points)],
        "command": command,
        "software": software(),
    }


def _point(sweep: Sweep, index: int, point: Point) -> Json:
    cells = [point.cell(column) for column in sweep.columns]
    return {
        "values": dict(zip(sweep.paths, point.values, strict=True)),
        "numbers": {
            path: float(amounts[index].number)
            for path, amounts in zip(sweep.paths, sweep.amounts, strict=True)
            if amounts is not None
        },
        "runs": len(point.judged.summaries),
        "no_evidence": list(point.judged.no_evidence),
        "expectations": [expectation_data(judgement) for cell in cells for judgement in cell.judgements],
        "metrics": {str(cell.column.query): metric_data(cell.column.query, cell.combined) for cell in cells},
    }
