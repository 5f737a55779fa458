"""Port management: who may ask for other limits on concurrent ports, and how long it takes to get them."""

from typing import Literal

from scenarios.fields import Count, Distributed, Name, Share, Stated
from scenarios.model.part import Part


class PortManagement(Part):
    """How limits on concurrent ports are changed: by requests, one at a time, in steps of the runbook (P12)."""

    enabled: Stated = "unknown"
    """Whether the vendor's representative has enabled it for this tenant (P1); without it every request is rejected."""
    permissions: dict[Name, Literal["view", "create"]] = {}
    """What the representative has let actors do (P2): `view`, see requests, or `create`, file them. A request by
    anybody without `create` is rejected (P7)."""
    personal_connection: Stated = "unknown"
    """Whether the tenant has Personal Connection; without it no request for outbound or agentless ports is granted
    (P4)."""
    outbound_rule: Literal["each", "sum"] | None = None
    """What must not exceed the concurrent ports where there is Personal Connection: outbound and agentless ports
    `each`, or their `sum` (P9). The vendor does not say; without it engines take the stricter, their sum."""
    daily_limit: Count | None = None
    """By how much concurrent ports may grow in a day, of the run's time zone, without a review: increases that
    together stay below it are verified automatically (P5). Without a `run.start` days are counted from the start of
    the run; without this every increase is reviewed."""
    verified_after: Distributed
    """Time from filing until a request has been verified, and with it the requester's authority (P5, P7)."""
    reviewed_after: Distributed
    """Further time until somebody has decided on an increase that is not below the daily limit (P6)."""
    rejected: Share = 0.0
    """Share of reviewed requests that are rejected (P6)."""
