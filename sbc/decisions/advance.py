"""Trunk advance: the trunks of a number are tried in order while the answers allow it (S2, S9; RFC 3263 §4.3).

The carrier does this for calls that come in, the SBC for calls that go out.
"""

from collections.abc import Hashable
from enum import Enum

UNAVAILABLE = 503
"""The answer that may carry Retry-After (RFC 3261 §21.5.4)."""

BEHIND_PROXY = 500
"""What a 503 becomes on its way through a proxy, which knows of one next hop only (RFC 3261 §16.7 step 6)."""

NO_ANSWER = 408
"""What a trunk that stays silent counts as (RFC 3261 §16.7: a branch whose timer fires has answered 408)."""

LEFT_ALONE = "trunk left alone (Retry-After)"
NO_NODE = "no node in use"
NOTHING_ANSWERS = "nothing answers"
"""Why a call was not answered, in the words of the evidence."""

ADVANCES = frozenset({408, 480, 503, 504})
"""Responses that may be the trunk's own; any other comes from the number called and would be the same elsewhere."""


class Verdict(Enum):
    """What becomes of an attempt after a trunk's answer."""

    NODE = "the other node of an active-active pair is tried, by the same trunk"
    NEXT = "the next trunk of the list is tried"
    FINAL = "the caller hears the answer"


def after(
    sip: int,
    trunks_left: int,
    *,
    node_left: bool = False,
    rung: bool = False,
    also: frozenset[int] = frozenset(),
) -> Verdict:
    """Decide on a response, with ``trunks_left`` trunks not tried yet; a transport error counts as 503 (§8.1.3.1).

    ``node_left``: whether the pair that was tried has another node in use, which comes before the next trunk.

    ``rung``: whether the trunk has answered provisionally, other than 100; another would make the phone ring twice.
    ``also``: responses that advance besides, as a peer's 500 or 502 may (S9).
    """
    if rung or (sip not in ADVANCES and sip not in also):
        return Verdict.FINAL
    if node_left:
        return Verdict.NODE
    return Verdict.NEXT if trunks_left else Verdict.FINAL


def meaning(sip: int, *, proxied: bool) -> int:
    """Return what a response stands for that has come ``proxied`` or not: a proxy's 500 is taken for a 503 (S2, S9).

    A 500 of whoever is behind the proxy looks the same.
    """
    return UNAVAILABLE if proxied and sip == BEHIND_PROXY else sip


def final(sip: int, *, silent: bool) -> int:
    """Return what the caller hears, ``sip`` being the last trunk's answer; ``silent``: an earlier one gave none.

    A list that is exhausted is 408 (S2); where every trunk has refused, the last refusal. The rule that only 503s
    become 500 binds proxies, and whoever advances here is the caller's exchange or a back-to-back user agent.
    """
    return NO_ANSWER if silent and sip in ADVANCES else sip


class Rests:
    """What has answered 503 with Retry-After and is left alone until that is over (S2; RFC 3261 §21.5.4, §20.33).

    False while nothing has ever asked for it.
    """

    def __init__(self) -> None:
        self._until: dict[Hashable, float] = {}

    def __bool__(self) -> bool:
        return bool(self._until)

    def answered(self, now: float, target: Hashable, sip: int, retry_after: float | None) -> None:
        """Take an answer; a 503 without Retry-After speaks for the call at hand only, as a 500 does."""
        if sip == UNAVAILABLE and retry_after is not None:
            self._until[target] = now + retry_after

    def rests(self, now: float, target: Hashable) -> bool:
        """Whether a new call is not to be sent there at ``now``, in seconds."""
        return now < self._until.get(target, now)
