"""The state of the plan's parts while a drill is played: sites, pairs, trunks, limits, routes."""

from collections.abc import Collection, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sbc.decisions import member
from sbc.decisions import pair as pair_machine
from sbc.decisions.admission import BUSY, NO_CIRCUIT, Limit, Pace, acquire
from sbc.decisions.routing import NoRoute, Route, RoutingTable
from scenarios.evidence import Direction
from scenarios.model import Drill, SbcPair

if TYPE_CHECKING:
    from sim.call import Call


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
    pace: Pace | None = None
    calls: dict["Call", None] = field(default_factory=dict)
    down_by: dict[str, None] = field(default_factory=dict)
    """The faults that hold it dead, oldest first."""
    hung_by: dict[str, None] = field(default_factory=dict)
    """The faults that make it hang."""
    use: member.State = member.State.IN_USE
    """In an active-active pair: whether calls are sent to it."""
    watch: int = 0
    """In an active-active pair: counts detection times started or stopped."""

    @property
    def up(self) -> bool:
        """Whether it is neither dead nor hung."""
        return not self.down_by and not self.hung_by

    @property
    def failed_by(self) -> list[str]:
        """The faults that a call meets here."""
        return [*self.down_by, *self.hung_by]


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
    """Counts detection times started or stopped; an older one that ends counts no more."""
    claim: int = 0
    """Counts the times that the first node, back from a failure, may claim the address again."""
    link_cut_by: dict[str, None] = field(default_factory=dict)
    """The faults that cut the link between its nodes."""
    drained: bool = False
    """Whether new calls are refused, as planned."""
    turn: int = 0
    """Index of the node whose turn it is in an active-active pair."""

    def __post_init__(self) -> None:
        self.settle()

    @property
    def shared(self) -> bool:
        """Whether both nodes serve."""
        return self.plan.mode == "active-active"

    @property
    def answers(self) -> bool:
        """Whether a call sent now is answered, at least by one of two nodes in use."""
        return any(node.up for node in self._in_use()) if self.shared else self.serving is not None

    def _in_use(self) -> list[NodeState]:
        return [node for node in self.nodes if node.use is not member.State.AVOIDED]

    def pick(self) -> NodeState | None:
        """Return the node of an active-active pair that the next call is sent to; None when none is in use."""
        in_use = self._in_use()
        if len(in_use) < len(self.nodes):
            return next(iter(in_use), None)
        self.turn = 1 - self.turn
        return self.nodes[1 - self.turn]

    def other(self, node: NodeState) -> NodeState | None:
        """Return the other node of an active-active pair, if it is in use and calls may go on to it."""
        return next((each for each in self._in_use() if each is not node), None) if self.plan.failover else None

    @property
    def broken_by(self) -> list[str]:
        """The faults that a call meets when nobody answers here."""
        nobody_left = self.state in (pair_machine.State.DOWN, pair_machine.State.STUCK)
        down = [fault for node in self.nodes for fault in node.failed_by] if nobody_left else []
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
    advance_after: float
    """Seconds of silence after which a call tries the next trunk, if there is one."""
    down_by: dict[str, None] = field(default_factory=dict)
    refuses_by: dict[str, None] = field(default_factory=dict)
    """The faults that make it answer 503, oldest first."""

    @property
    def broken_by(self) -> list[str]:
        """The faults that a new call meets here."""
        return [*self.down_by, *self.refuses_by]


class World:
    """All parts of a drill by name, and what a call needs to pass."""

    def __init__(self, drill: Drill, closed: Set[str] = frozenset()) -> None:
        """``closed``: the calendars that are closed, which changes as the run goes on."""
        self.closed = closed
        self.sites = {name: SiteState(name, site.role == "primary") for name, site in drill.sites.items()}
        self.pairs = {name: self._pair(name, pair) for name, pair in drill.sbc_pairs.items()}
        self.trunks = {
            name: TrunkState(
                self.pairs[trunk.via],
                trunk.site or drill.sbc_pairs[trunk.via].site,
                Limit(name, trunk.channels, NO_CIRCUIT),
                trunk.advance_after,
            )
            for name, trunk in drill.trunks.items()
        }
        self.routing = RoutingTable(drill.numbers, drill.trunks, drill.queues)
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
        first, second = (
            NodeState(
                f"{name}/{i}",
                Limit(name, plan.ports, NO_CIRCUIT),
                Pace(f"{name} cps", plan.cps) if plan.cps is not None else None,
            )
            for i in (1, 2)
        )
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
        return next((way for way in route.ways if self._ready(self.trunks[way.trunk])), None)

    def is_closed(self, route: Route) -> bool:
        """Whether callers on a route hear that it is closed."""
        return any(calendar in self.closed for calendar in route.calendars)

    def _ready(self, trunk: TrunkState) -> bool:
        return not trunk.broken_by and trunk.pair.answers and not trunk.pair.drained and trunk.pair.site.works


def admit(limits: Collection[Limit], node: NodeState, now: float) -> Limit | Pace | None:
    """Let a call in at a node; return None, or what refuses it."""
    if node.pace is not None and node.pace.full(now):
        return node.pace
    refusing = acquire(limits)
    if refusing is None and node.pace is not None:
        node.pace.take(now)
    return refusing
