"""Why calls end, as SIP and as ITU-T Q.850 say it (RFC 3398, RFC 3326, RFC 6432, rule S8)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from sbc.sip.errors import ParseError
from sbc.sip.fields import Reason
from sbc.sip.message import Request, Response

Q850: Final = "Q.850"

TO_STATUS: Final[Mapping[int, int]] = MappingProxyType(
    {
        1: 404,  # unallocated number
        2: 404,  # no route to network
        3: 404,  # no route to destination
        17: 486,  # user busy
        18: 408,  # no user responding
        19: 480,  # no answer from the user
        20: 480,  # subscriber absent
        21: 403,  # call rejected
        22: 410,  # number changed
        23: 410,  # redirection to new destination
        26: 404,  # non-selected user clearing
        27: 502,  # destination out of order
        28: 484,  # address incomplete
        29: 501,  # facility rejected
        31: 480,  # normal, unspecified
        34: 503,  # no circuit available
        38: 503,  # network out of order
        41: 503,  # temporary failure
        42: 503,  # switching equipment congestion
        47: 503,  # resource unavailable
        55: 403,  # incoming calls barred within closed user group
        57: 403,  # bearer capability not authorized
        58: 503,  # bearer capability not presently available
        65: 488,  # bearer capability not implemented
        70: 488,  # only restricted digital information available
        79: 501,  # service or option not implemented
        87: 403,  # user not member of closed user group
        88: 503,  # incompatible destination
        102: 504,  # recovery on timer expiry
        111: 500,  # protocol error
        127: 500,  # interworking, unspecified
    }
)
"""RFC 3398 §7.2.4.1, by cause value (ITU-T Q.850 table 1). 16, normal clearing, has no response: it is a BYE."""

TO_CAUSE: Final[Mapping[int, int]] = MappingProxyType(
    {
        400: 41, 401: 21, 402: 21, 403: 21, 404: 1, 405: 63, 406: 79, 407: 21, 408: 102, 410: 22,
        413: 127, 414: 127, 415: 79, 416: 127, 420: 127, 421: 127, 423: 127, 480: 18, 481: 41, 482: 25,
        483: 25, 484: 28, 485: 1, 486: 17, 500: 41, 501: 79, 502: 38, 503: 41, 504: 102, 505: 127,
        513: 127, 600: 17, 603: 21, 604: 1,
    }
)  # fmt: skip
"""RFC 3398 §8.2.6.1, by status; what it leaves to the Warning field (488, 606) or to the caller's own CANCEL (487) has
no cause of its own."""


class Causes(NamedTuple):
    """How one element translates; vendors' tables differ (S8), so that each may be replaced."""

    to_status: Mapping[int, int] = TO_STATUS
    to_cause: Mapping[int, int] = TO_CAUSE

    def status(self, response: Response) -> int:
        """Return what a final response means: what the cause says that a gateway has put into it, else its status.

        A 6xx is not translated: it is the word of the person called, and ends every search (S2).
        """
        cause = q850(response)
        if cause is None or not 300 <= response.status < 600:
            return response.status
        return self.to_status.get(cause, response.status)

    def reasons(self, status: int) -> tuple[Reason, ...]:
        """Return the Reasons of a BYE that is sent because of a failure: the status, and its cause where it has one."""
        return (Reason("SIP", status), *self.causes(status))

    def causes(self, status: int) -> tuple[Reason, ...]:
        """Return the Reason that a response of that status carries (RFC 6432), none where it has no cause."""
        cause = self.to_cause.get(status)
        return () if cause is None else (Reason(Q850, cause),)


def q850(message: Request | Response) -> int | None:
    """Return the cause that a message carries, None for none that can be read."""
    try:
        reasons = message.reasons
    except ParseError:
        return None
    return next((reason.cause for reason in reasons if reason.protocol.upper() == Q850), None)
