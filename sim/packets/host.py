"""A machine on the simulated network: drives one endpoint in virtual time, and can be killed, hung and started anew."""

from collections import deque
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any

import simpy

from sbc.endpoints.endpoint import Endpoint, Hold, Release, Transmit
from sbc.endpoints.wire import Address, Datagram
from sbc.sip.transaction import Send
from sim.timer import Timer

if TYPE_CHECKING:
    from sim.packets.network import Network

BUFFER = 4_000
"""Datagrams that a hung process finds when it goes on: a socket buffer of 4 MB, at about 1,000 bytes each."""

Report = Callable[[object], None]


class Host:
    """The shell of one endpoint: input, then outputs, then one wake-up at its deadline; older wake-ups are ignored."""

    def __init__(
        self,
        env: simpy.Environment,
        network: "Network",
        name: str,
        report: Report,
        *,
        serves: "Host | None" = None,
    ) -> None:
        """``report`` hears what the endpoint tells its user.

        ``serves``: the process on the same machine for which this one, an HA daemon, takes service addresses: what is
        sent to an address that the endpoint has taken goes to that process.
        """
        self.name = name
        self.report = report
        self._serves = serves
        self._taken: set[Address] = set()
        """The service addresses that the endpoint has held."""
        self.down_by: dict[str, None] = {}
        """The faults that hold it dead, oldest first."""
        self.hung_by: dict[str, None] = {}
        self.endpoint: Endpoint | None = None
        self.silent = False
        """Whether the machine is gone, and not only its process: nobody hears that a connection is none."""
        self.lives = 0
        """Counts the processes that have ended here: connections die with theirs."""
        self._env = env
        self._network = network
        self._on_wake: list[Callable[[Any], None]] = [self._wake]
        self._timer = Timer(env, self._on_wake)
        self._pending: deque[Datagram] = deque(maxlen=BUFFER)

    @property
    def answers(self) -> bool:
        """Whether it is neither dead nor hung."""
        return self.endpoint is not None and not self.hung_by

    def behind(self, address: Address) -> "Host":
        """Return the process that gets what is sent to an address that this machine holds."""
        return self._serves if self._serves is not None and address in self._taken else self

    def start(self, endpoint: Endpoint) -> None:
        """Run an endpoint from now on; what has been set up in it before is carried out."""
        self.endpoint = endpoint
        self.silent = False
        self._network.began(self)
        self._settle(endpoint)

    def kill(self, *, silent: bool = False) -> None:
        """End the process: what it knew is gone, and it answers nothing. Its addresses stay with the machine.

        The system of a machine that is still there closes the process's connections, and refuses new ones; with
        ``silent`` the machine is gone too.
        """
        self.endpoint = None
        self.silent = silent
        self._timer.due = inf
        self._pending.clear()
        self._network.ended(self)
        self.lives += 1

    def receive(self, datagram: Datagram) -> None:
        """A datagram has arrived; a dead machine loses it, a hung process finds it in its buffer when it goes on."""
        endpoint = self.endpoint
        if endpoint is None:
            return
        if self.hung_by:
            self._pending.append(datagram)
            return
        endpoint.receive(self._env.now, datagram)
        self._settle(endpoint)

    def tell(self, event: object) -> None:
        """Hand an event to the endpoint, if there is one that hears it."""
        if self.endpoint is not None and not self.hung_by:
            self.endpoint.event(self._env.now, event)
            self._settle(self.endpoint)

    def go_on(self) -> None:
        """A hung process goes on: with what is in its buffer, and with what has become due meanwhile."""
        if self.endpoint is None or self.hung_by:
            return
        while self._pending and self.answers:
            self.endpoint.receive(self._env.now, self._pending.popleft())
            self._settle(self.endpoint)
        if self.answers:
            self._settle(self.endpoint)

    def _settle(self, endpoint: Endpoint) -> None:
        while outputs := endpoint.take():
            for output in outputs:
                if type(output) is Send or type(output) is Transmit:
                    self._network.send(self, output)
                elif type(output) is Hold:
                    self._taken.add(output.address)
                    self._network.hold(self, output.address, announce=output.announce)
                elif type(output) is Release:
                    self._network.release(self, output.address)
                else:
                    self.report(output)
        if endpoint is self.endpoint:
            due = endpoint.deadline()
            if due < self._timer.due or self._timer.due < self._env.now:
                self._schedule(due)

    def _schedule(self, due: float) -> None:
        if due < inf:
            self._timer.at(max(due, self._env.now))
        else:
            self._timer.due = inf

    def _wake(self, _: object) -> None:
        endpoint = self.endpoint
        if self._timer.stale(self._on_wake) or endpoint is None or self.hung_by:
            return
        now = self._env.now
        if endpoint.deadline() <= now:
            endpoint.fire(now)
        self._timer.due = inf
        self._settle(endpoint)
