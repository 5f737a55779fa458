"""A trunk as faults leave it: what a new call hears on it before anything answers at its other end."""

from collections.abc import Collection, Hashable
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from sbc.decisions import advance
from sbc.decisions.advance import NO_ANSWER, UNAVAILABLE, Rests


class Refusal(NamedTuple):
    """Why a call does not get through by a trunk."""

    reason: str
    sip: int
    """What it counts as (RFC 3261 §21)."""
    retry_after: float | None = None
    """Seconds for which the trunk asks to be left alone; None when it is silent about that."""
    by: Collection[str] = ()
    """The faults that are behind it."""
    limit: bool = False
    """Whether it is a limit that refuses, whose name is the reason."""


LOST: Final = "trunk lost"
RESTRICTED: Final = "restricted by the carrier"
NOTHING_ANSWERS: Final = Refusal(advance.NOTHING_ANSWERS, NO_ANSWER)
NO_NODE: Final = Refusal(advance.NO_NODE, UNAVAILABLE)
_LEFT_ALONE: Final = Refusal(advance.LEFT_ALONE, UNAVAILABLE)


class Restriction(Protocol):
    """A carrier refuses a share of new calls."""

    answer: int
    """What those hear."""
    retry_after: float | None

    def refuses(self) -> bool:
        """Draw whether the next call is refused."""


@dataclass(slots=True, eq=False, kw_only=True)
class Trouble:
    """The faults of a trunk, each kind oldest first."""

    down_by: dict[str, None] = field(default_factory=dict)
    refuses_by: dict[str, float | None] = field(default_factory=dict)
    """The faults that make it answer 503, each with its Retry-After."""
    restricted_by: dict[str, Restriction] = field(default_factory=dict)
    """The faults by which its carrier refuses a share of calls."""

    @property
    def broken_by(self) -> list[str]:
        """The faults that a new call meets here."""
        return [*self.down_by, *self.refuses_by]

    @property
    def refusal(self) -> Refusal:
        """What a new call hears that meets :attr:`broken_by`; a transport error counts as 503 (RFC 3261 §8.1.3.1).

        Of several Retry-After the longest counts.
        """
        if self.down_by:
            return Refusal(LOST, UNAVAILABLE, by=self.broken_by)
        longest = max((asked for asked in self.refuses_by.values() if asked is not None), default=None)
        return Refusal("trunk answers 503", UNAVAILABLE, longest, self.broken_by)


def turns_away(trunk: Trouble, lots: dict[str, bool], now: float, rests: Rests, target: Hashable) -> Refusal | None:
    """Return why a new call is refused before it is sent: the trunk rests, or its carrier restricts calls.

    ``target`` names the trunk in ``rests``. ``lots`` keeps what was drawn for a call by fault: a carrier that refuses
    it does so on all of its trunks.
    """
    if rests.rests(now, target):
        return _LEFT_ALONE
    refusal = restricted(trunk, lots)
    if refusal is not None:
        rests.answered(now, target, refusal.sip, refusal.retry_after)
    return refusal


def restricted(trunk: Trouble, lots: dict[str, bool]) -> Refusal | None:
    """Return why the carrier of a trunk refuses a new call, if it does; ``lots`` as in :func:`turns_away`."""
    for fault, restriction in trunk.restricted_by.items():
        if fault not in lots:
            lots[fault] = restriction.refuses()
        if lots[fault]:
            return Refusal(RESTRICTED, restriction.answer, restriction.retry_after, (fault,))
    return None
