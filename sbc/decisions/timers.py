"""SIP's retransmission times: the one place that knows T1, T2 and T4 (RFC 3261 §17 and Annex A, table 4)."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from itertools import pairwise
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


class Timer(StrEnum):
    """The timers of transactions, by their letters in the RFCs; the last three have none there."""

    A = "the INVITE is sent again"
    B = "nothing was answered: the INVITE has failed"
    D = "no more copies of a final response to an INVITE are to be acknowledged"
    E = "a request other than INVITE is sent again"
    E_SLOW = "the same after a provisional response: a request other than INVITE is sent again, every T2"
    F = "no final response came: a request other than INVITE has failed"
    G = "a final response to an INVITE, not yet acknowledged, is sent again"
    H = "no ACK came"
    I = "no more copies of an ACK are to be absorbed"  # noqa: E741 - its name in the RFC
    J = "no more copies of a request other than INVITE are to be answered"
    K = "no more copies of a final response to a request other than INVITE are to be absorbed"
    L = "no more copies of an accepted INVITE are to be absorbed"
    M = "no more 2xx from other branches of an INVITE are expected"
    TRYING = "the user has not answered an INVITE: it is answered 100"
    LATE_TRYING = "the user has not answered another request: it is answered 100"
    TOO_LATE = "whoever sent the request has given it up: no final response may be sent any more"


_LATE_TRYING: Final = next(at for at, then in pairwise(non_invite_offsets()) if then - at == T2)

UNRELIABLE: Final[Mapping[Timer, float]] = {
    Timer.A: T1,
    Timer.B: TRANSACTION_TIMEOUT,
    Timer.D: TRANSACTION_TIMEOUT + T4,  # "> 32 s": the last copy may be T4 on its way
    Timer.E: T1,
    Timer.E_SLOW: T2,
    Timer.F: TRANSACTION_TIMEOUT,
    Timer.G: T1,
    Timer.H: TRANSACTION_TIMEOUT,
    Timer.I: T4,
    Timer.J: TRANSACTION_TIMEOUT,
    Timer.K: T4,
    Timer.L: TRANSACTION_TIMEOUT,
    Timer.M: TRANSACTION_TIMEOUT,
    Timer.TRYING: 0.2,
    Timer.LATE_TRYING: _LATE_TRYING,
    Timer.TOO_LATE: TRANSACTION_TIMEOUT - _LATE_TRYING,
}
"""Seconds that each timer runs over UDP (RFC 3261 table 4, §17.2.1; RFC 6026 §7; RFC 4320 §4.1 for the last two).

`TOO_LATE` starts where `LATE_TRYING` ends; together they last as long as the client's Timer F."""

RELIABLE: Final[Mapping[Timer, float]] = {
    **UNRELIABLE,
    **dict.fromkeys((Timer.A, Timer.E, Timer.E_SLOW, Timer.G), inf),
    **dict.fromkeys((Timer.D, Timer.I, Timer.J, Timer.K), 0.0),
}
"""The same over TCP, TLS and WebSocket: nothing is sent again (``inf``: never), nothing is waited for."""

LONGEST: Final[Mapping[Timer, float]] = {Timer.A: inf, Timer.E: T2, Timer.G: T2}
"""The timers that start again, each time twice as long, and the longest that each becomes, seconds."""
