"""The state of the plan's parts while a drill is played: sites, pairs, trunks, limits, routes."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sbc.decisions import pair as pair_machine
from sbc.decisions.admission import BUSY, NO_CIRCUIT, Limit
from sbc.decisions.routing import NoRoute, Route, RoutingTable
from scenarios.evidence import Direction
from scenarios.model import Drill, SbcPair

if TYPE_CHECKING:
    from sim.calls import Call


@dataclass(slots=True, eq=False)
class SiteState:
    """A site: in service or not yet, lost or not."""

    name: str
    in_service: bool
    down_by: dict[str, None] = field(default_factory=dict)
    """The faults that hold it down, oldest first; it is up when the last is repaired."""
    registrar_down_by: dict[str, None] = field(default_factory=dict)
    """The faults that hold its registrar alone down."""

    @property
    def works(self) -> bool:
        """Whether phones can register and calls can be taken here."""
        return self.in_service and not self.down_by


@dataclass(slots=True, eq=False)
class NodeState:
    """One SBC: its ports and the calls it carries, in order of arrival."""

    name: str
    limit: Limit
    calls: dict["Call", None] = field(default_factory=dict)
    down_by: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class PairState:
    """A pair: where its state machine stands and which node served last."""

    name: str
    plan: SbcPair
    site: SiteState
    nodes: tuple[NodeState, NodeState]
    state: pair_machine.State = pair_machine.State.REDUNDANT
    last: int = 0
    """Index of the node that serves, or served last."""
    serving: NodeState | None = None
    """The node that answers at the service address."""
    silent_since: float = 0.0
    silenced_by: str | None = None
    """The fault that took the last serving node."""
    watch: int = 0
    """Counts detection times started; an older one that ends counts no more."""

    def __post_init__(self) -> None:
        self.settle()

    @property
    def broken_by(self) -> list[str]:
        """The faults that a call meets when nobody answers here."""
        down = [fault for node in self.nodes for fault in node.down_by] if self.state is pair_machine.State.DOWN else []
        return [fault for fault in dict.fromkeys((self.silenced_by, *down)) if fault is not None]

    def settle(self) -> None:
        """Let :attr:`serving` follow from the state."""
        self.serving = self.nodes[self.last] if pair_machine.serves(self.state) else None


@dataclass(slots=True, eq=False)
class TrunkState:
    """A carrier's line."""

    pair: PairState
    site: str
    """Where it ends."""
    limit: Limit
    down_by: dict[str, None] = field(default_factory=dict)


class World:
    """All parts of a drill by name, and what a call needs to pass."""

    def __init__(self, drill: Drill) -> None:
        self.sites = {name: SiteState(name, site.role == "primary") for name, site in drill.sites.items()}
        self.pairs = {name: self._pair(name, pair) for name, pair in drill.sbc_pairs.items()}
        self.trunks = {
            name: TrunkState(
                self.pairs[trunk.via],
                trunk.site or drill.sbc_pairs[trunk.via].site,
                Limit(name, trunk.channels, NO_CIRCUIT),
            )
            for name, trunk in drill.trunks.items()
        }
        self.routing = RoutingTable(drill.numbers, drill.trunks)
        self.default_caller = drill.default_caller
        self.caller_numbers = {name: group.caller_number for name, group in drill.agents.items()}
        ports = drill.ports
        self._tenant = [Limit("tenant", ports.tenant, BUSY)] if ports.tenant is not None else []
        self._outbound = [Limit("outbound", ports.outbound, NO_CIRCUIT)] if ports.outbound is not None else []
        self._taps = {
            number: Limit(number, entry.tap, BUSY) for number, entry in drill.numbers.items() if entry.tap is not None
        }
        self._limits: dict[tuple[Direction, Route, NodeState], tuple[Limit, ...]] = {}

    def _pair(self, name: str, plan: SbcPair) -> PairState:
        first, second = (NodeState(f"{name}/{i}", Limit(name, plan.ports, NO_CIRCUIT)) for i in (1, 2))
        return PairState(name, plan, self.sites[plan.site], (first, second))

    def limits(self, direction: Direction, route: Route, node: NodeState) -> tuple[Limit, ...]:
        """All limits a call must pass, the widest first."""
        key = (direction, route, node)
        found = self._limits.get(key)
        if found is None:
            found = self._limits[key] = (
                *self._tenant,
                *(self._outbound if direction is Direction.OUTBOUND else ()),
                *(self._taps[number] for number in route.taps),
                self.trunks[route.trunk].limit,
                node.limit,
            )
        return found

    def high_ports(self) -> dict[str, int]:
        """Most ports in use per limit since this was last asked; a pair's is that of its busier node."""
        high: dict[str, int] = {}
        nodes = (node.limit for pair in self.pairs.values() for node in pair.nodes)
        trunks = (trunk.limit for trunk in self.trunks.values())
        for limit in (*self._tenant, *self._outbound, *self._taps.values(), *trunks, *nodes):
            high[limit.name] = max(high.get(limit.name, 0), limit.sample())
        return high

    def reachable(self, number: str) -> Route | None:
        """Where a test call to a number would be delivered now, or None when it would not."""
        route = self.routing.route(number)
        if isinstance(route, NoRoute):
            return None
        trunk = self.trunks[route.trunk]
        ready = not trunk.down_by and trunk.pair.serving is not None and trunk.pair.site.works
        return route if ready else None
