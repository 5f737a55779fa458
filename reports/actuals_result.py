"""What a rehearsal took against what its drill expects, for programs: `kirikae actuals --json`.

version    of this format
language   of its sentences
drill, file, seed, changes, runs, asked
sheets     file, anchored (whether the time of the first line is known), remarks, total and per step took and ended
           (since the first line): value, low and high (by how exactly it was written), p10, p50, p90 in seconds
           (null: too few runs came so far), quantile (share of runs below it, from 0 to 1), pace (slow, fast or as
           expected); null where it was not written down
proposals  step, path, measured (seconds, one for each sheet), median (of the runs), factor, was, takes, set
timeless   steps that took time and take none in the drill
"""

import json
from math import isinf
from typing import Any

from reports.actuals import Actuals, Measured, Proposal
from reports.actuals_terminal import remarks, setting
from reports.origin import Origin
from scenarios.distributions import format_distribution
from scenarios.text import Translate

VERSION = 1
"""Raised when a key changes its meaning or goes; a new key leaves it as it is."""

Json = dict[str, Any]


def actuals_text(actuals: Actuals, origin: Origin, language: str, say: Translate) -> str:
    """Return the comparison as JSON text: UTF-8, one final newline."""
    told: Json = {
        "version": VERSION,
        "language": language,
        "drill": actuals.drill.name,
        "file": origin.file,
        "changes": list(origin.changes),
        "seed": actuals.drill.run.seed,
        "runs": actuals.runs,
        "asked": actuals.asked,
        "sheets": [
            {
                "file": sheet.filled.file,
                "anchored": sheet.filled.anchored,
                "remarks": [say(sentence) for sentence in remarks(sheet)],
                "total": _measured(sheet.total),
                "steps": [
                    {"step": step.step, "took": _measured(step.took), "ended": _measured(step.ended)}
                    for step in sheet.steps
                ],
            }
            for sheet in actuals.sheets
        ],
        "proposals": [_proposal(each) for each in actuals.proposals],
        "timeless": list(actuals.timeless),
    }
    return json.dumps(told, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _measured(measured: Measured | None) -> Json | None:
    if measured is None:
        return None
    prediction = measured.prediction
    expected = {"p10": prediction.p10, "p50": prediction.p50, "p90": prediction.p90}
    return {
        "value": measured.value,
        "low": measured.low,
        "high": measured.high,
        **{name: None if isinf(value) else value for name, value in expected.items()},
        "quantile": measured.quantile,
        "pace": measured.pace,
    }


def _proposal(proposal: Proposal) -> Json:
    return {
        "step": proposal.step,
        "path": proposal.path,
        "measured": list(proposal.measured),
        "median": proposal.median,
        "factor": proposal.factor,
        "was": format_distribution(proposal.old),
        "takes": format_distribution(proposal.new),
        "set": setting(proposal),
    }
