"""What `kirikae size --json` writes, for programs.

Shares are 0 to 1, times seconds. Values are texts, as a drill may have them.

    version        of this format
    outcome        found, cannot tell, cannot be met, stopped or no evidence
    exit_code      as the command line returned it
    scenario       name, file, changes (`--set`)
    seed           same file and seed, same result, whatever the number of workers
    confidence     of the answer
    most           runs that one value was worth
    maximise       whether the largest was sought
    targets        as they were written
    sought         per number: path, low, high, now (null where the drill has none), price (null for none)
    answer         values, cost (null without prices), runs, verdict and targets (per target: verdict, value, interval,
                   gap: the logarithm of how many times the target it is); null where there is none
    before         the nearest value before it that misses a target, in the same form
    undecided      values before it of which the runs cannot tell
    looked         all that were looked at
    runs           of the search; all: with those for what stands beside the answer
    formulas       closed forms: path, formula, answer, erlang, target, difference
    causes         at the answer, without one thing that formulas do not know: words, targets
    days           other days: words, verdict, targets (at the answer), needed (null where it was not sought)
    binding        why calls were lost: outcome, reason, share of losses, cap and peak of a limit
    frontier       combinations that nothing cheaper is as good as
    floor          what the answer costs at least
    rules          what plan checks rule out
    remarks        what else there is to know
    software       versions by name
"""

import json
from collections.abc import Sequence
from math import isfinite
from typing import Any

from reports.origin import Origin, software
from reports.sizing import Seen, Sizing
from reports.standing import Sight

VERSION = 1
"""Raised when a key changes its meaning or goes; a new key leaves it as it is."""

Json = dict[str, Any]


def sizing_text(sizing: Sizing, origin: Origin) -> str:
    """Return the result as JSON text: UTF-8, one final newline, nothing that depends on when or where it was made."""
    return json.dumps(sizing_result(sizing, origin), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def sizing_result(sizing: Sizing, origin: Origin) -> Json:
    """Return the result as plain data."""
    return {
        "version": VERSION,
        "outcome": sizing.outcome,
        "exit_code": int(sizing.exit_code),
        "scenario": {"name": sizing.drill.name, "file": origin.file, "changes": list(origin.changes)},
        "seed": sizing.seed,
        "confidence": sizing.confidence,
        "most": sizing.most,
        "maximise": sizing.maximise,
        "targets": [target.text for target in sizing.targets],
        "sought": [
            {"path": each.path, "low": each.low, "high": each.high, "now": each.now, "price": each.price}
            for each in sizing.sought
        ],
        "answer": sizing.answer and _seen(sizing.answer),
        "before": sizing.before and _seen(sizing.before),
        "undecided": [_seen(each) for each in sizing.undecided],
        "looked": [_seen(each) for each in sizing.looked],
        "runs": {"search": sizing.runs, "all": sizing.all_runs},
        "formulas": [
            {
                "path": each.path,
                "formula": each.formula,
                "answer": each.answer,
                "erlang": each.erlang,
                "target": each.target,
                "difference": each.difference,
            }
            for each in sizing.formulas
        ],
        "causes": [{"words": each.words, "targets": _sights(each.sights)} for each in sizing.causes],
        "days": [
            {
                "words": each.words,
                "verdict": each.verdict,
                "targets": _sights(each.sights),
                "needed": each.needed or None,
            }
            for each in sizing.days
        ],
        "binding": [
            {
                "outcome": each.outcome,
                "reason": each.reason,
                "share": each.share,
                "cap": each.cap,
                "peak": each.peak,
            }
            for each in sizing.binding
        ],
        "frontier": [_seen(each) for each in sizing.frontier],
        "floor": sizing.floor,
        "rules": list(sizing.rules),
        "remarks": list(sizing.remarks),
        "software": software(),
    }


def _seen(seen: Seen) -> Json:
    return {
        "values": list(seen.values),
        "cost": seen.cost,
        "runs": seen.runs,
        "verdict": seen.verdict,
        "targets": _sights(seen.sights),
    }


def _sights(sights: Sequence[Sight]) -> list[Json]:
    return [
        {
            "verdict": each.verdict,
            "value": _finite(each.value),
            "interval": each.interval and [_finite(end) for end in each.interval],
            "gap": _finite(each.gap),
        }
        for each in sights
    ]


def _finite(number: float | None) -> float | None:
    return number if number is not None and isfinite(number) else None
