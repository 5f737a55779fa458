"""Where the rows about port requests are held."""

from scenarios.catalogue.row import Places, behaviour, metric, not_held, parameter

_LATE, _TIMELY, _REFUSED = (f"campaign-ports-{which}" for which in ("late", "timely", "refused"))
_BUSY = "blocked_ratio{limit=tenant}"


def _grant(step: str) -> str:
    return f"time_to_grant{{step={step}}}"


PLACES: Places = {
    "P1": (parameter("PortManagement.enabled"),),
    "P2": (parameter("PortManagement.permissions"),),
    "P3": (not_held("a drill is about one tenant, and its calls do not depend on who else its requester acts for"),),
    "P4": (parameter("PortManagement.personal_connection"),),
    "P5": (
        behaviour(
            "Increases that stay below the limit of their day are granted as soon as they are verified.",
            drill=_TIMELY,
            metric=_BUSY,
        ),
        parameter("PortManagement.verified_after"),
        metric("time_to_grant"),
    ),
    "P6": (
        behaviour(
            "Any other increase is granted or rejected only after a review.",
            drill=_LATE,
            metric=_grant("all at once"),
        ),
        parameter("PortManagement.reviewed_after"),
        parameter("PortManagement.rejected"),
    ),
    "P7": (
        behaviour(
            "A request by somebody without authority is rejected when it is verified.",
            drill=_REFUSED,
            metric=_grant("by the supervisor"),
        ),
    ),
    "P8": (
        behaviour(
            "A request for more concurrent ports than a tenant may have is rejected.",
            drill=_REFUSED,
            metric=_grant("a typing error"),
        ),
    ),
    "P9": (
        behaviour(
            "A request is rejected that would leave more outbound and agentless ports than concurrent ones.",
            drill=_REFUSED,
            metric=_grant("outbound alone"),
        ),
        parameter("PortManagement.outbound_rule"),
    ),
    "P10": (
        behaviour(
            "A request of which one part cannot be granted changes nothing.",
            drill=_REFUSED,
            metric=_BUSY,
        ),
    ),
    "P11": (parameter("RequestPorts.request_ports"),),
    "P12": (
        behaviour(
            "A step that requests ports is repeated as long as another request is pending.",
            drill=_LATE,
            metric=_grant("at least a part"),
        ),
    ),
    "P13": (not_held("prices come with sizing, and no run of a drill depends on what its ports cost"),),
    "P14": (
        not_held(
            "a case has its number only once it is filed, and no plan can be held to it; the journal of a run numbers "
            "its cases"
        ),
    ),
    "P15": (
        behaviour(
            "A call that finds the tenant's ports in use is refused with 486; an agent takes up a port only in a call.",
            drill="port-exhaustion",
            metric="blocked_ratio{limit=tenant, after=15m}",
        ),
    ),
    "P16": (parameter("AgentGroup.dials"),),
}
"""Rows that plan checks hold have an entry only where something else does too."""
