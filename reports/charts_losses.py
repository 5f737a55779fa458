"""Attempts without success, by number and cause, as bars."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, TypeVar

from reports.reasons import reason_text
from reports.summary import LOST, Loss
from reports.wording import DIRECTIONS, OUTCOMES, count_text
from scenarios.evidence import Direction, Outcome
from scenarios.text import Text

Json = dict[str, Any]

MOST_NUMBERS = 12
"""Numbers that get a bar, those with the most losses; the others share one."""
MOST_REASONS = 3
"""Reasons of one outcome that get a part of their own, the most frequent; the others share one."""
_OTHERS = "\0"
"""Stands for reasons that are not told apart; no name has it."""
Kind = TypeVar("Kind", bound=Hashable)
_Row = tuple[str, Direction | None]
_OTHER_ROW: _Row = ("", None)


def loss_chart(losses: Sequence[tuple[Loss, float]]) -> Json:
    """Return the bars: a number and direction each, stacked by outcome and reason; means of a replication.

    ``losses``: as :func:`~reports.story.mean_losses` has them.
    """
    rows = _most((((loss.number, loss.direction), mean) for loss, mean in losses), MOST_NUMBERS)
    reasons = {
        outcome: _most(((loss.reason, mean) for loss, mean in losses if loss.outcome is outcome), MOST_REASONS)
        for outcome in LOST
    }
    means: defaultdict[tuple[_Row, Outcome, str], float] = defaultdict(float)
    for loss, mean in losses:
        row: _Row = (loss.number, loss.direction)
        reason = loss.reason if loss.reason in reasons[loss.outcome] else _OTHERS
        means[row if row in rows else _OTHER_ROW, loss.outcome, reason] += mean
    shown = [*rows, *([_OTHER_ROW] if any(row == _OTHER_ROW for row, *_ in means) else ())]
    parts = dict.fromkeys((outcome, reason) for outcome in LOST for reason in (*reasons[outcome], _OTHERS))
    return {
        "rows": [_row(number, direction) for number, direction in shown],
        "parts": [
            {
                "outcome": outcome,
                "name": OUTCOMES[outcome],
                "reason": Text("other reasons") if reason == _OTHERS else reason_text(reason),
                "rank": (*reasons[outcome], _OTHERS).index(reason),
                "mean": [round(means.get((row, outcome, reason), 0.0), 3) for row in shown],
            }
            for outcome, reason in parts
            if any((row, outcome, reason) in means for row in shown)
        ],
    }


def _most(counted: Iterable[tuple[Kind, float]], most: int) -> list[Kind]:
    """Return the kinds of which there are the most, added up."""
    sums: defaultdict[Kind, float] = defaultdict(float)
    for kind, mean in counted:
        sums[kind] += mean
    return sorted(sums, key=lambda kind: -sums[kind])[:most]


def _row(number: str, direction: Direction | None) -> Json:
    if direction is None:
        return {"name": Text("other numbers"), "direction": ""}
    return {"name": number or Text("no number"), "direction": DIRECTIONS[direction]}


def loss_alternative(losses: Sequence[tuple[Loss, float]]) -> Text:
    """Say what most losses were."""
    (loss, mean), *_ = losses
    return Text(
        "Attempts without success by number and cause: most of all {count} of {number}, {outcome}, {reason}. The table "
        "has the numbers.",
        count=count_text(mean),
        number=loss.number or Text("no number"),
        outcome=OUTCOMES[loss.outcome],
        reason=reason_text(loss.reason) or "–",
    )
