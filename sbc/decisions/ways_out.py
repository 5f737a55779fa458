"""Outbound calls: which number is shown, and by which trunks it lets a call leave the caller's site."""

from collections.abc import Iterable
from typing import Final, Protocol, TypeVar

from sbc.decisions.routing import NoRoute

NOT_USABLE: Final = NoRoute("caller number not usable", 403)
"""A call that shows no number, or one of another site (Z15, Z32)."""


class Leaving(Protocol):
    """A way that a call may leave by."""

    @property
    def site(self) -> str:
        """The site that it leaves from: that of the pair which the trunk enters by."""


WayOut = TypeVar("WayOut", bound=Leaving)


def shown(wish: str | None, default: str | None, terminal: str | None) -> str | None:
    """Return the number that an outbound call shows; None for none (Z32, Z37).

    ``wish`` is a number, "terminal" for the one set at the phone, or "default" (or None) for the contract's own.
    """
    match wish:
        case "default" | None:
            return default
        case "terminal":
            return terminal
        case number:
            return number


def from_site(ways: Iterable[WayOut], site: str) -> tuple[WayOut, ...]:
    """Return the ways by which a phone of a site can call, in order: a number works at its own site alone (Z15)."""
    return tuple(way for way in ways if way.site == site)
