"""Watches from outside whether anybody answers at an address, to a resolution of one probe interval.

Nobody tells it of a failure: what it knows of an outage is from the first probe that nobody answered to the first
answer after it. Its probes are OPTIONS that are not sent again (a transaction's copies would blur the moment), and any
response counts, for who refuses is alive.
"""

from math import ceil
from typing import Final, NamedTuple

from sbc.endpoints.reading import message_of
from sbc.endpoints.wire import Address, Datagram, End, Path
from sbc.sip.errors import ParseError
from sbc.sip.fields import Address as NameAddr
from sbc.sip.fields import Via
from sbc.sip.grammar import Params
from sbc.sip.ids import Ids
from sbc.sip.message import Request, Response
from sbc.sip.transaction import Send
from sbc.sip.uri import SipUri

METHOD: Final = "OPTIONS"
MISSED: Final = 10
"""Probes in a row without answer that make an address silent: some may be lost on the way, or answered late."""
SILENT_FOR: Final = 0.2
"""Seconds that these are to take where they are further apart; a takeover by the fastest adverts takes longer."""
AT_LEAST: Final = 3
"""And how many they are then at least."""


class Silent(NamedTuple):
    """Nobody answers."""

    since: float
    """When the first of the probes was sent that had no answer."""


class Heard(NamedTuple):
    """Somebody answers: for the first time, or again."""

    outage: float
    """Seconds since the first probe without answer; 0 at the beginning."""


def missed_at(every: float) -> int:
    """Return how many probes without answer make an address silent that is asked so often, seconds."""
    return max(AT_LEAST, ceil(SILENT_FOR / every))


class Lookout:
    """Probes one address for as long as it lives."""

    def __init__(
        self, now: float, own: Address | End, target: Address, ids: Ids, *, every: float, missed: int = MISSED
    ) -> None:
        """``every``: seconds between probes, and the resolution; ``missed``: how many in a row make an address silent.

        A probe on a connection waits for what the system sends again: the end of an outage is known less exactly.
        """
        end = own if isinstance(own, End) else End(own, own, "udp")
        self._own = end.shown
        self._path = Path(end.local, target, end.transport)
        self._missed = missed
        self._target = target
        self._every = every
        self._ids = ids
        self._next = now
        self._number = 0
        self._call_id = ids.word()
        self._sent: dict[int, float] = {}
        """The probes since the last answered one, by number, and when each was sent."""
        self._silent: float | None = now
        self._out: list[object] = []
        self._started = False

    def receive(self, now: float, datagram: Datagram) -> None:
        """Take in an answer; nothing else is for the lookout."""
        try:
            message = message_of(datagram)
        except ParseError:
            return
        if not isinstance(message, Response) or message.call_id != self._call_id:
            return
        number = message.cseq[0]
        for each in [each for each in self._sent if each <= number]:
            del self._sent[each]
        if self._silent is not None:
            self._out.append(Heard(now - self._silent if self._started else 0.0))
            self._silent, self._started = None, True

    def event(self, now: float, event: object) -> None:
        """Whether a probe is refused or lost makes no difference."""

    def deadline(self) -> float:
        """Return when the next probe is due."""
        return self._next

    def fire(self, now: float) -> None:
        """Send the probe that is due; the schedule does not drift."""
        if now < self._next:
            return
        if self._silent is None and len(self._sent) >= self._missed:
            self._silent = next(iter(self._sent.values()))
            self._out.append(Silent(self._silent))
        self._number += 1
        if self._silent is None:
            self._sent[self._number] = now
        self._out.append(Send(self._path, self._options()))
        self._next += self._every * (1 + (now - self._next) // self._every)

    def take(self) -> list[object]:
        """Return what is to be sent and told since the last time, in order."""
        out, self._out = self._out, []
        return out

    def _options(self) -> Request:
        own, uri = self._own, SipUri(self._target.host, port=self._target.port)
        return Request.build(
            METHOD,
            uri,
            via=Via(self._path.transport.upper(), own.host, own.port, Params([("branch", self._ids.branch())])),
            from_=NameAddr(SipUri(own.host, port=own.port)).with_tag(self._ids.tag()),
            to=NameAddr(uri),
            call_id=self._call_id,
            cseq=self._number,
        )
