"""What a contract lets through: ports on numbers and trunks, and what its carrier makes of outbound calls."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from sbc.decisions.admission import Limit, acquire
from sbc.decisions.routing import NoRoute, RoutingTable
from sbc.decisions.trunk import Refusal, restricted
from sbc.endpoints.line import Line
from sbc.endpoints.trunk_group import number_in
from sbc.sip.message import Request
from sbc.sip.uri import Uri
from scenarios.numberplan import NumberError, canonical, is_emergency


class Contract:
    """The carrier's own admission; the ports that a call has taken are its holder's to release."""

    def __init__(self, routing: RoutingTable, taps: Mapping[str, Limit]) -> None:
        self._routing = routing
        self._taps = taps
        self._lots: dict[str, dict[str, bool]] = {}
        """By key, what was drawn for outbound calls: each trunk that is tried brings a new INVITE."""

    def take(self, line: Line, numbers: Iterable[str]) -> tuple[Limit, ...] | Refusal:
        """Take a port of each of the numbers and a channel of the line, the widest first, or say what is full."""
        limits = (*(self._taps[number] for number in numbers), line.limit)
        full = acquire(limits)
        return limits if full is None else Refusal(full.name, full.sip, limit=True)

    def admit(self, line: Line, key: str, request: Request) -> tuple[Limit, ...] | Refusal:
        """Take the ports of an outbound call, or say why it is refused; emergency calls are not restricted (J5)."""
        if line.restricted_by and not _is_emergency(request.uri):
            refusal = restricted(line, self._lots.setdefault(key, {}))
            if refusal is not None:
                return refusal
        return line.refusal if line.broken else self.take(line, self._shown(request))

    def unrestricted(self) -> None:
        """No line is restricted any more: forget what was drawn."""
        self._lots.clear()

    def _shown(self, request: Request) -> tuple[str, ...]:
        """Return the numbers with a limit of their own that a call counts for, by the number that it shows."""
        shown = _spelt(number_in(request.from_.uri)) if self._taps else None
        route = None if shown is None else self._routing.leaving(shown)
        return () if route is None or isinstance(route, NoRoute) else route.taps


@lru_cache
def _spelt(number: str) -> str | None:
    """Return a number as a plan spells it; None for what is none."""
    try:
        return canonical(number)
    except NumberError:
        return None


def _is_emergency(uri: Uri) -> bool:
    number = number_in(uri)
    return _spelt(number) is not None and is_emergency(number)
