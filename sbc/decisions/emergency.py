"""Emergency calls: from a site to 110, 118 and 119 the way is by its fixed lines, whatever callers show else (J5)."""

from sbc.decisions.routing import NoRoute, Route
from scenarios.model import Drill

NO_FIXED_LINE = NoRoute("no fixed line for emergency calls", 403)
"""A site that has only 050 or service numbers, or none at all."""


def emergency_ways(drill: Drill, site: str) -> Route | NoRoute:
    """Return how emergency calls leave a site: each shows the number of the line it leaves by.

    The lines are tried as the trunks of any other call are (S9), and a number's tap counts these calls too (J7).
    """
    route: Route | None = None
    for trunk, number in reversed(drill.fixed_lines(site).items()):
        taps = (number,) if drill.numbers[number].tap is not None else ()
        route = Route(number, trunk, drill.trunks[trunk].via, None, taps, route)
    return route or NO_FIXED_LINE
