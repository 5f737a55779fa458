"""What a user agent checks of every request before its user sees it (RFC 3261 §8.2)."""

from collections.abc import Collection
from typing import NamedTuple

from sbc.sip.message import Request
from sbc.sip.sdp import MEDIA_TYPE
from sbc.sip.session_timer import TIMER, Timing, is_too_short

KNOWN = frozenset(
    [
        "ACK",
        "BYE",
        "CANCEL",
        "INFO",
        "INVITE",
        "MESSAGE",
        "NOTIFY",
        "OPTIONS",
        "PRACK",
        "PUBLISH",
        "REFER",
        "REGISTER",
        "SUBSCRIBE",
        "UPDATE",
    ]
)
"""The methods of the RFCs: one that is not allowed here is refused as such, all others as unknown."""

OWN = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS")
"""The methods that every user agent takes."""


class Refusal(NamedTuple):
    """A response that a request deserves."""

    status: int
    headers: tuple[tuple[str, object], ...] = ()


def refusal(request: Request, *, merged: bool, allow: Collection[str], timing: Timing) -> Refusal | None:
    """Return what a request deserves in the order of §8.2, None where its user may see it.

    Raises :class:`~sbc.sip.errors.ParseError` for a field that a user agent needs and cannot read.
    """
    if request.method not in allow:
        return Refusal(405 if request.method in KNOWN else 501, (("Allow", ", ".join(allow)),))
    if merged:
        return Refusal(482)
    if request.method == "CANCEL":
        return None  # no extension may be required of it, and there is no body (§9.1)
    if request.require and (unknown := sorted(request.require - {TIMER})):
        return Refusal(420, (("Unsupported", ", ".join(unknown)),))
    if request.method == "INVITE":
        return _content(request) or _session(request, timing)
    return None


def _content(request: Request) -> Refusal | None:
    coding = request.headers.get("Content-Encoding")
    if coding is not None and coding.lower() != "identity":
        return Refusal(415, (("Accept-Encoding", "identity"),))
    optional = "handling=optional" in (request.headers.get("Content-Disposition") or "").lower()
    if request.body and not optional and request.content_type != MEDIA_TYPE:
        return Refusal(415, (("Accept", MEDIA_TYPE),))
    return None


def _session(request: Request, timing: Timing) -> Refusal | None:
    for read in (request.record_routes, request.session_expires, request.min_se, request.supported):
        del read  # reading is the check
    if len(request.contacts) != 1:
        raise request.fault("a dialog needs exactly one", "Contact")
    return Refusal(422, (("Min-SE", timing.least),)) if is_too_short(timing, request) else None
