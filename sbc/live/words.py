"""What the processes of a pair tell each other and whoever has started them: over channels of their own, no network."""

from typing import NamedTuple

from sbc.endpoints.node_plan import NodePlan
from sbc.endpoints.wire import Address
from sbc.live.impaired import Degraded, Direction, Impaired


class SipPlan(NamedTuple):
    """The first that a SIP process hears, once it is up."""

    origin: float
    """The start of the run; see :class:`sbc.live.clock.Clock`."""
    node: NodePlan
    own: tuple[Address, ...]
    """Addresses that it has besides the service address, all of its own machine."""


class Up(NamedTuple):
    """A process has started, and waits for its plan."""


class ToSip(NamedTuple):
    """An event for the SIP process of a machine, or for the endpoint in it."""

    event: object


class OfSip(NamedTuple):
    """What the endpoint of the SIP process reports."""

    report: object


class Freeze(NamedTuple):
    """The SIP process is to hang: SIGSTOP."""


class Thaw(NamedTuple):
    """It is to go on."""


class Renew(NamedTuple):
    """It is to be killed and started again: it knows of no call then."""


class LinkFault(NamedTuple):
    """What the link to the other machine does to adverts and replicas from now on, in each direction."""

    cut: bool = False
    loss: float = 0.0
    """Share of datagrams that are lost."""
    delays: tuple[float, ...] = ()
    """Seconds that a datagram is late: one of these, drawn evenly; none for not at all."""

    def strike(self, impaired: Impaired, host: str) -> None:
        """Let it befall what passes to and from the other machine."""
        if self.cut:
            impaired.cut(host)
        else:
            impaired.heal(host)
        # Both ends lose and delay what comes and goes: a way between them is the sending end's.
        impaired.degrade(host, Degraded(loss=self.loss, delays=self.delays), Direction.OUT)


class LinkMet(NamedTuple):
    """The first advert since a :class:`LinkFault` has met it."""


class Ping(NamedTuple):
    """The SIP process is to answer :class:`Pong`: it is alive."""


class Pong(NamedTuple):
    """It is."""


class Failed(NamedTuple):
    """A process cannot do what it was told, as an address is not to be had; `why` is for people."""

    why: str
