"""SIP's retransmission times: the one place that knows T1, T2 and T4 (RFC 3261 §17 and Annex A, table 4)."""

from functools import cache
from math import inf
from typing import Final

T1: Final = 0.5
"""Round-trip time estimate, seconds (§17.1.1.1)."""

T2: Final = 4.0
"""Longest interval between copies of a non-INVITE request or an INVITE response, seconds (§17.1.2.2)."""

T4: Final = 5.0
"""How long a message may stay in the network, seconds (§17.1.2.2)."""

TRANSACTION_TIMEOUT: Final = 64 * T1
"""Timers B and F: seconds until an unanswered request has failed (§17.1.1.2, §17.1.2.2)."""


@cache
def invite_offsets() -> tuple[float, ...]:
    """Return when an unanswered INVITE is sent over UDP, seconds after the first copy (§17.1.1.2)."""
    return _offsets(longest=inf)


@cache
def non_invite_offsets() -> tuple[float, ...]:
    """Return the same for any other request, whose interval stops growing at T2 (§17.1.2.2)."""
    return _offsets(longest=T2)


def _offsets(longest: float) -> tuple[float, ...]:
    offsets = []
    at, interval = 0.0, T1
    while at < TRANSACTION_TIMEOUT:
        offsets.append(at)
        at += interval
        interval = min(2 * interval, longest)
    return tuple(offsets)
