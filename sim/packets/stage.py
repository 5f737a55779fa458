"""What an engine with messages plays on: its time, its network and its SBC pairs.

Here that is virtual time; on sockets it is another stage, with the same endpoints, people, callers and faults.
"""

from collections.abc import Callable, Iterator
from typing import Protocol

import simpy

from sbc.endpoints.passing import Drain, LineDown, Resume, Service
from scenarios.evidence import WireRecorder
from scenarios.model import Drill, Fault
from sim.links import Degradation
from sim.log import Log
from sim.packets.network import Network
from sim.packets.pairs import Pairs, Parts
from sim.packets.topology import PRIVATE, Plan, Topology
from sim.timeline import Repair
from sim.world import PairState


class SbcPairs(Protocol):
    """The pairs of a drill, however their nodes run."""

    put_into_use: Callable[[str, int], None]
    """Who hears that a node of an active-active pair works again; whoever sends it calls sets it."""

    def begin(self) -> None:
        """Start all machines, as pairs that have been in service: the first node serves."""

    def can_switch(self, pair: str) -> bool:
        """Whether both nodes work, and one stands by."""

    def switch(self, pair: str) -> None:
        """The serving node resigns, and the other takes over."""

    def tell(self, pair: str, event: Drain | Resume | Service | LineDown) -> None:
        """Tell both nodes of a pair something."""

    def of_site(self, site: str) -> Iterator[PairState]:
        """Yield the pairs that stand at a site."""

    def avoided(self, node: str) -> None:
        """A node of an active-active pair gets no calls any more."""

    def used(self, node: str) -> None:
        """It gets its share again."""

    def meant(self, pair: PairState, fault: Fault) -> list[int]:
        """Return indices of the nodes a fault means at this moment; none when none plays that part."""

    def lose(
        self, pair: PairState, nodes: list[int], fault: str, *, hung: bool = False, emptied: bool = False
    ) -> Repair:
        """Let machines die, or their SIP processes hang, in this order; return what repairs them."""

    def cut_link(self, pair: PairState, fault: str) -> Repair:
        """Cut the link that carries adverts and replication; return what repairs it."""

    def degrade_link(self, pair: PairState, fault: str, degradation: Degradation) -> Repair:
        """Let adverts and replication be late or lost; return what repairs that."""


class Stage:
    """Virtual time."""

    addresses: Plan = PRIVATE
    """Where the parts of a plan have their addresses."""

    def __init__(self, starts: float, recorder: WireRecorder | None = None, *, strict: bool = False) -> None:
        """``starts``: the first moment played, seconds; ``strict``: receivers parse what they get."""
        self.env = simpy.Environment(initial_time=starts)
        self._wire = recorder
        self._strict = strict

    def network(self, log: Log) -> Network:
        """Return an empty network."""
        return Network(self.env, log, wire=self._wire, strict=self._strict)

    def topology(self, network: Network, drill: Drill) -> Topology:
        """Lay the network of a drill out."""
        return Topology(network, drill, self.addresses)

    def place(self, act: Callable[[], None]) -> None:
        """Carry out what places a call, as soon as one may be placed."""
        act()

    def pairs(self, network: Network, parts: Parts) -> SbcPairs:
        """Return the pairs of a run."""
        return Pairs(self.env, network, parts)
