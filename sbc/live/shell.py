"""Drives one endpoint on an asyncio loop; the counterpart of :class:`sim.packets.host.Host`."""

import asyncio
from collections.abc import Callable
from math import inf

from sbc.endpoints.endpoint import Endpoint, Hold, Release, Transmit
from sbc.endpoints.wire import Address, Datagram, Path
from sbc.live.clock import Clock
from sbc.live.transport import BindError, Receiver, Transport
from sbc.sip.transaction import Send

Report = Callable[[object], None]


class Shell:
    """Input, then outputs, then one wake-up at the deadline; one that comes too early looks again."""

    def __init__(
        self, clock: Clock, transport: Transport, name: str, report: Report, *, serves: Receiver | None = None
    ) -> None:
        """``report`` hears what the endpoint tells its user, and a BindError where it cannot have an address.

        ``serves``: the SIP process for which this one, an HA daemon, takes service addresses: what comes there is its.
        """
        self.name = name
        self.report = report
        self.endpoint: Endpoint | None = None
        self._clock = clock
        self._transport = transport
        self._receiver: Receiver = self if serves is None else serves
        self._taken: set[Address] = set()
        """The service addresses that the endpoint holds."""
        self._loop = asyncio.get_running_loop()
        self._now = -inf
        self._due = inf
        self._wake_up: asyncio.TimerHandle | None = None

    def start(self, endpoint: Endpoint) -> None:
        """Run an endpoint from now on; what has been set up in it before is carried out."""
        self.endpoint = endpoint
        self._settle(endpoint)

    def stop(self) -> None:
        """End the endpoint without a word: it hears nothing any more, and the service addresses it has are released."""
        self.endpoint = None
        self._sleep(inf)
        for address in self._taken:
            self._transport.release(address)
        self._taken.clear()

    def receive(self, datagram: Datagram) -> None:
        """Hand the endpoint what has arrived."""
        endpoint = self.endpoint
        if endpoint is not None:
            endpoint.receive(self._time(), datagram)
            self._settle(endpoint)

    def tell(self, event: object) -> None:
        """Hand the endpoint an event."""
        endpoint = self.endpoint
        if endpoint is not None:
            endpoint.event(self._time(), event)
            self._settle(endpoint)

    def _time(self, due: float = -inf) -> float:
        """Return the time, never less than before, and not less than ``due``: timers of a loop may be early."""
        self._now = max(self._now, self._clock.now(), due)
        return self._now

    def _settle(self, endpoint: Endpoint) -> None:
        while outputs := endpoint.take():
            for output in outputs:
                match output:
                    case Send(Path() as path, message):
                        self._transport.send(path, message.encode())
                    case Transmit(path, data):
                        self._transport.send(path, data)
                    case Hold(address):
                        self._take(address)
                    case Release(address):
                        self._taken.discard(address)
                        self._transport.release(address)
                    case _:
                        self.report(output)
        if endpoint is self.endpoint:
            due = endpoint.deadline()
            if due < self._due:
                self._sleep(due)

    def _take(self, address: Address) -> None:
        try:
            self._transport.hold(self._receiver, address, shared=True)
        except BindError as error:
            self.report(error)
        else:
            self._taken.add(address)

    def _sleep(self, due: float) -> None:
        if self._wake_up is not None:
            self._wake_up.cancel()
            self._wake_up = None
        self._due = due
        if due < inf:
            self._wake_up = self._loop.call_later(max(due - self._clock.now(), 0.0), self._wake)

    def _wake(self) -> None:
        due, self._due = self._due, inf
        endpoint = self.endpoint
        if endpoint is not None:
            now = self._time(due)
            if endpoint.deadline() <= now:
                endpoint.fire(now)
            self._settle(endpoint)
