"""What the processes of a pair tell each other and whoever has started them: over channels of their own, no network."""

from typing import NamedTuple

from sbc.endpoints.node_plan import NodePlan
from sbc.endpoints.wire import Address


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
    """What the link to the other machine does to adverts and replication from now on."""

    cut: bool
    loss: float = 0.0
    """Share of datagrams that are lost."""
    delay: tuple[float, float] = (0.0, 0.0)
    """Seconds that they are late, at least and at most."""


class Ping(NamedTuple):
    """The SIP process is to answer :class:`Pong`: it is alive."""


class Pong(NamedTuple):
    """It is."""


class Failed(NamedTuple):
    """A process cannot do what it was told, as an address is not to be had; `why` is for people."""

    why: str
