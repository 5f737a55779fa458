"""The session timer: what ends a call that nobody hangs up and nobody hears (RFC 4028)."""

from scenarios.model import SbcPair

_EARLY = 32.0
"""An end that misses its refresh hangs up this long before the session expires, or a third of it (§10)."""


def expires_in(interval: float, up: float) -> float:
    """Seconds until the timer ends a call that lost its middle ``up`` seconds after its answer.

    A session of ``interval`` seconds is refreshed at every half of it (§7.2); after the last refresh that got through,
    the end that waits for the next one says BYE min(32 s, a third) before the session expires (§10).
    """
    half = interval / 2
    since_refresh = up % half
    return interval - min(_EARLY, interval / 3) - since_refresh


def held(silence: float, pair: SbcPair, up: float | None) -> float:
    """Seconds that one end of a lost call holds on: until the person hangs up or, once answered, the timer ends it."""
    return silence if up is None else min(silence, expires_in(pair.session_timer, up))
