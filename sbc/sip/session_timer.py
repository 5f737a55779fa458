"""The session timer as two user agents agree on it (RFC 4028); its arithmetic is :mod:`sbc.decisions.session`."""

from typing import Final, NamedTuple

from sbc.sip.fields import Refresher, SessionExpires
from sbc.sip.message import Request, Response

LEAST: Final = 90
"""The shortest session interval there is, seconds (§4)."""

TIMER: Final = "timer"
"""The option tag."""

# Read once: before Python 3.12 a member of an enumeration takes longer to read than a row of a table.
_UAC: Final = Refresher.UAC
_UAS: Final = Refresher.UAS


class Timing(NamedTuple):
    """What one user agent wants of its sessions, in seconds."""

    interval: int | None = 1800
    """After which a session that nobody refreshes is over; None leaves it to the other side."""
    least: int = LEAST
    """The shortest interval that it takes part in; 90 or more."""

    def after(self, refusal: Response) -> "Timing | None":
        """Return what to ask for after a 422, None if asking again makes no sense (§7.3)."""
        least = refusal.min_se
        if least is None or self.interval is None or least <= self.interval:
            return None
        return Timing(least, least)


class Terms(NamedTuple):
    """What two user agents have agreed on."""

    interval: int
    """Seconds."""
    ours: bool
    """Whether this side refreshes."""


def asked(timing: Timing, terms: Terms | None = None) -> list[tuple[str, object]]:
    """Return the header fields of an INVITE (§7.1), which in a session with a timer keeps to its terms (§7.4)."""
    fields: list[tuple[str, object]] = []
    if terms is not None:
        role = _UAC if terms.ours else _UAS
        fields.append(("Session-Expires", SessionExpires(terms.interval, role)))
    elif timing.interval is not None:
        fields.append(("Session-Expires", SessionExpires(timing.interval)))
    if timing.least > LEAST:
        fields.append(("Min-SE", timing.least))
    return fields


def is_too_short(timing: Timing, request: Request) -> bool:
    """Whether an INVITE deserves a 422 (§9): its sender has to know the timer, or it would not understand."""
    wish = request.session_expires
    return wish is not None and wish.seconds < timing.least and TIMER in request.supported


def granted(timing: Timing, request: Request) -> Terms | None:
    """Return the terms on which this side accepts an INVITE (§9, table 2), None for a session without a timer.

    Who sent the INVITE refreshes if it can, so that the role stays where it was from one refresh to the next.
    """
    wish = request.session_expires
    least = max(timing.least, request.min_se or 0)
    if wish is not None:
        interval = wish.seconds if timing.interval is None else min(wish.seconds, timing.interval)
        least = min(least, wish.seconds)  # an interval is made shorter on its way, never longer
    elif timing.interval is not None:
        interval = timing.interval
    else:
        return None
    knows = TIMER in request.supported
    role = wish.refresher if wish is not None and wish.refresher is not None and knows else None
    return Terms(max(interval, least, LEAST), ours=not knows or role is _UAS)


def grant(terms: Terms | None) -> list[tuple[str, object]]:
    """Return the header fields of the 2xx: a refresher that is the other side must be required to know (§9)."""
    if terms is None:
        return []
    if terms.ours:
        return [("Session-Expires", SessionExpires(terms.interval, _UAS))]
    return [("Session-Expires", SessionExpires(terms.interval, _UAC)), ("Require", TIMER)]


def settled(response: Response) -> Terms | None:
    """Return the terms that a 2xx to our INVITE sets (§7.2), None for a session without a timer."""
    set_ = response.session_expires
    if set_ is None:
        return None
    return Terms(max(set_.seconds, LEAST), ours=set_.refresher is not _UAS)
