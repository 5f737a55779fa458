"""Functions that a site does not have, and the calls that cannot do without them (Z27, N18)."""

from collections.abc import Collection, Iterable
from typing import Final

from sbc.decisions.routing import NoRoute

NOT_IMPLEMENTED: Final = 501
"""The answer to a call that nothing here can take: Q.850 cause 79, service or option not implemented (RFC 3398
§7.2.4.1). No other trunk is tried after it, for whatever it leads to lacks the same (S9)."""


def refused(site: str, needs: Iterable[str], lacks: Collection[str]) -> NoRoute | None:
    """Return why a call is refused at a site, or None if all that it needs is there."""
    lacking = next((function for function in needs if function in lacks), None)
    return None if lacking is None else NoRoute(f"no {lacking} at {site}", NOT_IMPLEMENTED)
