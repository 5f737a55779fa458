"""The session timer: what ends a call that nobody hangs up and nobody hears (RFC 4028)."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the SIP process of a live node needs no plan, and is up three times as fast without
    from scenarios.model import SbcPair

_EARLY = 32.0
"""An end that misses its refresh hangs up this long before the session expires, or a third of it (§10)."""


def refresh_after(interval: float) -> float:
    """Seconds from one refresh of a session of ``interval`` seconds to the next: half of it (§7.2)."""
    return interval / 2


def hang_up_after(interval: float) -> float:
    """Seconds from the last refresh to the BYE of an end that waits in vain for the next (§10)."""
    return interval - min(_EARLY, interval / 3)


def expires_in(interval: float, up: float) -> float:
    """Seconds until the timer ends a call that lost its middle ``up`` seconds after its answer.

    A session of ``interval`` seconds is refreshed at every half of it; after the last refresh that got through, the end
    that waits for the next one says BYE.
    """
    return hang_up_after(interval) - up % refresh_after(interval)


def held(silence: float, pair: "SbcPair", up: float | None) -> float:
    """Seconds that one end of a lost call holds on: until the person hangs up or, once answered, the timer ends it."""
    return silence if up is None else min(silence, expires_in(pair.session_timer, up))
