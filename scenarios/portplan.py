"""What port management grants: the arithmetic of limits on concurrent ports, for plan checks and for decisions."""

from enum import StrEnum
from typing import Final, Literal

from scenarios.model import PortManagement, Ports

MOST_CONCURRENT: Final = 9_999
"""Concurrent ports that a tenant may have (P8)."""


class Refusal(StrEnum):
    """Why a request is rejected."""

    DISABLED = "port management is not enabled"
    AUTHORITY = "the requester has no authority"
    PERSONAL_CONNECTION = "no Personal Connection"
    TOO_MANY = "too many concurrent ports"
    RELATION = "more outbound and agentless ports than concurrent ones"
    DECLINED = "declined in review"


def changed(limits: Ports, asked: Ports) -> Ports:
    """Return the limits as they are when a request has been granted: all of it (P10)."""
    return limits.model_copy(update=asked.model_dump(exclude_none=True))


def increase(limits: Ports, asked: Ports) -> int:
    """Return by how much a request raises the concurrent ports, which is what counts for the day (P5)."""
    return 0 if limits.tenant is None or asked.tenant is None else max(asked.tenant - limits.tenant, 0)


def is_quick(plan: PortManagement, so_far: int, more: int) -> bool:
    """Whether an increase, after those already granted on its day, is verified without a review (P5).

    What is no increase always is. To reach the day's limit is not to stay below it.
    """
    return more == 0 or (plan.daily_limit is not None and so_far + more < plan.daily_limit)


def refusal(plan: PortManagement, limits: Ports, asked: Ports, by: str) -> Refusal | None:
    """Return why a request by an actor cannot be granted, however long it takes; None where it can."""
    after = changed(limits, asked)
    if plan.enabled == "no":
        return Refusal.DISABLED
    if not may_request(plan, by):
        return Refusal.AUTHORITY
    if plan.personal_connection == "no" and (asked.outbound is not None or asked.agentless is not None):
        return Refusal.PERSONAL_CONNECTION
    if after.tenant is not None and after.tenant > MOST_CONCURRENT:
        return Refusal.TOO_MANY
    return Refusal.RELATION if plan.personal_connection != "no" and exceeds(after, plan.outbound_rule) else None


def may_request(plan: PortManagement, by: str) -> bool:
    """Whether an actor has the permission to file requests (P2, P7)."""
    return plan.permissions.get(by) == "create"


def exceeds(limits: Ports, rule: Literal["each", "sum"] | None) -> bool:
    """Whether outbound and agentless ports exceed the concurrent ones (P9); None is for the stricter rule, the sum."""
    dialling = (limits.outbound or 0, limits.agentless or 0)
    return limits.tenant is not None and (max(dialling) if rule == "each" else sum(dialling)) > limits.tenant
