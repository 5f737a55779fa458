"""The state of the plan's parts while a drill is played: sites, pairs, trunks, limits, routes."""

from collections.abc import Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sbc.decisions import member
from sbc.decisions import pair as pair_machine
from sbc.decisions.admission import BUSY, NO_CIRCUIT, Limit, Pace
from sbc.decisions.advance import Rests
from sbc.decisions.emergency import emergency_ways
from sbc.decisions.routing import NoRoute, Route, RoutingTable
from sbc.decisions.trunk import Refusal, Trouble, turns_away
from sbc.decisions.ways_out import from_site
from scenarios.evidence import Direction
from scenarios.model import Drill, Ports, SbcPair
from scenarios.replication import lacking
from scenarios.rules.plan import pairs_in_use
from sim.links import Link
from sim.log import Log

if TYPE_CHECKING:
    from sim.call import Call

_NOBODY_LEFT = (pair_machine.State.DOWN, pair_machine.State.STUCK)


@dataclass(slots=True, eq=False)
class SiteState:
    """A site: in service or not yet, lost or not."""

    name: str
    in_service: bool
    down_by: dict[str, None] = field(default_factory=dict)
    """The faults that hold it down, oldest first; it is up when the last is repaired."""
    registrar_down_by: dict[str, None] = field(default_factory=dict)
    """The faults that hold its registrar alone down."""
    retry_after: float = 0.0
    """Retry-After of a registrar that has too many REGISTERs."""

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
    """The faults that make it hang, or restart it."""
    emptied: bool = False
    """Whether its process has been restarted since it last answered, so that it comes back without its calls."""
    use: member.State = member.State.IN_USE
    """In an active-active pair: whether calls are sent to it."""
    watch: int = 0
    """In an active-active pair: counts detection times started or stopped."""
    silent: bool = False
    """In an active-standby pair: whether the calls it has kept wait for a node that serves."""

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
    in_use: bool
    """Whether calls of the plan can go through it at some time."""
    state: pair_machine.State = pair_machine.State.REDUNDANT
    last: int = 0
    """Index of the node that serves, or served last."""
    heir: int = 1
    """Index of the node that waits to be sure that nobody serves, while one does."""
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
    link: Link = field(default_factory=Link)
    """That link, as far as faults degrade it."""
    followed: bool = False
    """On a degraded link: whether its adverts are looked at one by one."""
    heard: float = 0.0
    """On a degraded link: when the standby heard the last advert, or began to listen."""
    drained: bool = False
    """Whether new calls are refused, as planned."""
    retry_after: float | None = None
    """Retry-After of that refusal."""
    turn: int = 0
    """Index of the node whose turn it is in an active-active pair."""

    shared: bool = field(init=False)
    """Whether both nodes serve."""

    def __post_init__(self) -> None:
        self.shared = self.plan.mode == "active-active"
        self.settle()

    @property
    def answers(self) -> bool:
        """Whether a call sent now is answered, at least by one of two nodes in use."""
        if not self.shared:
            return self.serving is not None
        return any(node.up for node in self.nodes if node.use is not member.State.AVOIDED)

    def pick(self) -> NodeState | None:
        """Return the node of an active-active pair that the next call is sent to; None when none is in use."""
        index, self.turn = member.pick([node.use for node in self.nodes], self.turn)
        return None if index is None else self.nodes[index]

    def other(self, node: NodeState) -> NodeState | None:
        """Return the other node of an active-active pair, if it is in use and calls may go on to it."""
        if not self.plan.failover:
            return None
        index = member.other([each.use for each in self.nodes], self.nodes.index(node))
        return None if index is None else self.nodes[index]

    @property
    def broken_by(self) -> list[str]:
        """The faults that a call meets when nobody answers here."""
        down = [fault for node in self.nodes for fault in node.failed_by] if self.state in _NOBODY_LEFT else []
        return [fault for fault in dict.fromkeys((self.silenced_by, *down)) if fault is not None]

    def settle(self) -> None:
        """Let :attr:`serving` follow from the state."""
        self.serving = self.nodes[self.last] if pair_machine.serves(self.state) else None


@dataclass(slots=True, eq=False)
class TrunkState(Trouble):
    """A carrier's line."""

    pair: PairState
    site: str
    """Where it ends."""
    limit: Limit
    advance_after: float
    """Seconds of silence after which a call tries the next trunk, if there is one."""
    carrier: str | None = None
    link: Link = field(default_factory=Link)


@dataclass(slots=True, eq=False)
class Way:
    """A route with all that a call by it needs looked up once: whom it meets, and the limits it must pass."""

    route: Route
    trunk: TrunkState
    limits: dict[NodeState, tuple[Limit, ...]]
    """By the node that takes the call, the widest first."""
    others: tuple["Way", ...]
    """The ways by the trunks that follow."""
    pair: PairState = field(init=False)
    site: str = field(init=False)

    def __post_init__(self) -> None:
        self.pair = self.trunk.pair
        self.site = self.pair.site.name


class World:
    """All parts of a drill by name, and what a call needs to pass."""

    def __init__(self, drill: Drill, closed: Set[str] = frozenset()) -> None:
        """``closed``: the calendars that are closed, which changes as the run goes on."""
        self.closed = closed
        self.sites = {
            name: SiteState(name, site.role == "primary", retry_after=site.retry_after or 0.0)
            for name, site in drill.sites.items()
        }
        in_use = pairs_in_use(drill)
        self.pairs = {name: self._pair(name, pair, name in in_use) for name, pair in drill.sbc_pairs.items()}
        self.trunks = {
            name: TrunkState(
                self.pairs[trunk.via],
                trunk.site or drill.sbc_pairs[trunk.via].site,
                Limit(name, trunk.channels, NO_CIRCUIT),
                trunk.advance_after,
                trunk.carrier,
            )
            for name, trunk in drill.trunks.items()
        }
        self.rests = Rests()
        """Trunks by the direction of calls: those inbound are sent by the carrier, which knows what it has heard."""
        self.routing = RoutingTable(drill.numbers, drill.trunks, drill.queues)
        self.lacks = {name: frozenset(lacking(drill, name)) for name in drill.sites}
        """By site, the functions that are not there."""
        self.repaired: set[str] = set()
        """The faults that are over."""
        self.default_caller = drill.default_caller
        self.caller_numbers = {name: group.caller_number for name, group in drill.agents.items()}
        ports = drill.ports
        self.tenant = [Limit("tenant", ports.tenant, BUSY)] if ports.tenant is not None else []
        self.outbound = [Limit("outbound", ports.outbound, NO_CIRCUIT)] if ports.outbound is not None else []
        taps = {number: entry.tap for number, entry in drill.numbers.items() if entry.tap is not None}
        self.taps = {name: Limit(name, cap, BUSY) for name, cap in {**taps, **drill.forwarding_limits()}.items()}
        """The limits of numbers: their own, and those of forwarding."""
        self.announced: dict[str, tuple[str, float]] = {}
        """By a number that has changed, the new one, and the share of callers who know it (Z20)."""
        self._ways: dict[tuple[str, Direction], Way | NoRoute] = {}
        self.emergency = {site: self._chain(emergency_ways(drill, site), Direction.OUTBOUND) for site in drill.sites}
        """How 110, 118 and 119 are reached from each site."""

    def _pair(self, name: str, plan: SbcPair, in_use: bool) -> PairState:
        first, second = (
            NodeState(
                f"{name}/{i}",
                Limit(name, plan.ports, NO_CIRCUIT),
                Pace(f"{name} cps", plan.cps) if plan.cps is not None else None,
            )
            for i in (1, 2)
        )
        return PairState(name, plan, self.sites[plan.site], (first, second), in_use)

    def repoint(self, number: str, to: str) -> None:
        """Send calls to ``number`` on to ``to`` from now on (Z38)."""
        self.routing.repoint(number, to)
        self._ways.clear()

    def forward(self, number: str, to: str) -> None:
        """Let the carrier forward calls to ``number`` from now on (Z39)."""
        self.routing.forward(number, to)
        self._ways.clear()

    def dialled(self, number: str, hears: float) -> str:
        """Return what a caller dials who knows ``number``; ``hears``: the caller's draw from 0 to 1 (Z20)."""
        new, reaches = self.announced.get(number, (number, 0.0))
        return new if hears < reaches else number

    def change_ports(self, limits: Ports) -> None:
        """Let other contract-wide limits hold; calls above a lowered one go on."""
        for held, cap in ((self.tenant, limits.tenant), (self.outbound, limits.outbound)):
            for limit in held:
                limit.cap = limit.cap if cap is None else cap

    def way(self, number: str, direction: Direction) -> Way | NoRoute:
        """Return the way of calls to a number, or out by it."""
        found = self._ways.get((number, direction))
        if found is None:
            route = self.routing.route if direction is Direction.INBOUND else self.routing.leaving
            found = self._ways[number, direction] = self._chain(route(number), direction)
        return found

    def _chain(self, route: Route | NoRoute, direction: Direction) -> Way | NoRoute:
        """Return a route and those that follow it with all that is to be looked up."""
        if isinstance(route, NoRoute):
            return route
        others: tuple[Way, ...] = ()
        for each in reversed(list(route.ways)):
            others = (self._way(each, direction, others), *others)
        return others[0]

    def _way(self, route: Route, direction: Direction, others: tuple[Way, ...]) -> Way:
        trunk = self.trunks[route.trunk]
        limits = {node: self.limits(direction, route, node) for node in trunk.pair.nodes}
        return Way(route, trunk, limits, others)

    def limits(self, direction: Direction, route: Route, node: NodeState) -> tuple[Limit, ...]:
        """All limits a call must pass, the widest first."""
        return (
            *self.tenant,
            *(self.outbound if direction is Direction.OUTBOUND else ()),
            *(self.taps[number] for number in route.taps),
            self.trunks[route.trunk].limit,
            node.limit,
        )

    def high_ports(self) -> dict[str, int]:
        """Most ports in use per limit since this was last asked; a pair's is that of its busier node."""
        high: dict[str, int] = {}
        nodes = (node.limit for pair in self.pairs.values() for node in pair.nodes)
        trunks = (trunk.limit for trunk in self.trunks.values())
        for limit in (*self.tenant, *self.outbound, *self.taps.values(), *trunks, *nodes):
            high[limit.name] = max(high.get(limit.name, 0), limit.sample())
        return high

    def turns_away(
        self, direction: Direction, trunk: str, lots: dict[str, bool], now: float, log: Log
    ) -> Refusal | None:
        """Return why a new call is refused before it is sent, as :func:`sbc.decisions.trunk.turns_away` decides."""
        refusal = turns_away(self.trunks[trunk], lots, now, self.rests, (direction, trunk))
        if refusal is not None:
            log.effect(refusal.by, "call")
        return refusal

    def reachable(self, number: str, now: float, log: Log) -> Route | None:
        """Where a test call to a number would be delivered now, or None when it would not."""
        route = self.routing.route(number)
        if isinstance(route, NoRoute):
            return None
        lots: dict[str, bool] = {}
        for way in route.ways:
            turned_away = self.turns_away(Direction.INBOUND, way.trunk, lots, now, log)
            if turned_away is None and self._ready(self.trunks[way.trunk]):
                return way
        return None

    def leaves(self, number: str, site: str, now: float, log: Log) -> bool:
        """Whether a test call from a phone at a site that shows a number would leave now (Z15, Z40)."""
        found = self.way(number, Direction.OUTBOUND)
        ways = (found, *found.others) if isinstance(found, Way) else ()
        lots: dict[str, bool] = {}
        for way in from_site(ways, site):
            turned_away = self.turns_away(Direction.OUTBOUND, way.route.trunk, lots, now, log)
            if turned_away is None and self._ready(way.trunk):
                return True
        return False

    def is_closed(self, route: Route) -> bool:
        """Whether callers on a route hear that it is closed."""
        return any(calendar in self.closed for calendar in route.calendars)

    def _ready(self, trunk: TrunkState) -> bool:
        return not trunk.broken_by and trunk.pair.answers and not trunk.pair.drained and trunk.pair.site.works
