"""The contact centre: takes the calls of SBCs and phones, with an address at each of its sites.

    centre = Centre({"tokyo": Address("198.51.0.10")}, ways, rules, outgoing, distributor, locates, Ids(bits))
    centre.receive(now, datagram)                # and event(), fire(), take(), as every endpoint

Queues are one for all sites, and so are the limits of the contract. Calls are named by their key
(:mod:`sbc.endpoints.naming`) towards the distributor and in all reports. Media are not simulated: a caller who is not
answered yet gets the description of whoever answers, all others one of the centre's own.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Final, NamedTuple

from sbc.decisions.admission import Limit
from sbc.decisions.distribution import Distributor
from sbc.decisions.routing import NoRoute, Route
from sbc.endpoints.centre_reports import Clear, HangUp, Heard, Serve
from sbc.endpoints.endpoint import Broken
from sbc.endpoints.errands import Errands, Trunk
from sbc.endpoints.line import Edge
from sbc.endpoints.naming import CHARGING
from sbc.endpoints.placing import Outgoing, Placing
from sbc.endpoints.queueing import Queueing, Rules
from sbc.endpoints.reception import Reception
from sbc.endpoints.switchboard import Leg, Switchboard
from sbc.endpoints.visit import Locates
from sbc.endpoints.wire import Address, Datagram, Path
from sbc.sip.errors import ParseError
from sbc.sip.ids import Ids
from sbc.sip.message import Request, parse
from sbc.sip.session_timer import Timing

_USUAL: Final = Timing()


class Ways(NamedTuple):
    """The numbers, and what lies between them and the centre."""

    route: Callable[[str], Route | NoRoute]
    """Where a number leads, given as it is dialled or as the plan spells it; steps may re-point it (Z38)."""
    edges: Mapping[str, Edge]
    """The pairs; whoever else sends them calls may share them, and so take turns with the centre."""
    trunks: Mapping[str, Trunk]
    leaves: Callable[[str], Route | NoRoute]
    """By which trunk a call that shows a number leaves, given as :attr:`route` is."""
    inside: frozenset[str] = frozenset()
    """IP addresses from which SBCs send calls, besides those that calls are sent to."""


class Centre:
    """The endpoint; see the module.

    With a real pair it speaks from an address of its own, and whatever arrives there is a call from outside.
    """

    def __init__(
        self,
        addresses: Mapping[str, Address],
        ways: Ways,
        rules: Rules,
        outgoing: Outgoing,
        distributor: Distributor[str],
        locates: Locates,
        ids: Ids,
        timing: Timing = _USUAL,
    ) -> None:
        """``addresses``: by site. ``distributor`` knows calls by their keys; the user tells it of agents who become
        free, and the centre, by :class:`Serve`, of the call that it answers with."""
        self._board = Switchboard(addresses, ids, timing, self._arrived, ways.edges.values())
        errands = Errands(self._board, ways.edges, ways.trunks)
        self._queueing = Queueing(self._board, errands, rules, distributor, locates)
        self._reception = Reception(self._board, self._queueing, rules, distributor, ways.route)
        self._placing = Placing(self._board, errands, outgoing, ways.leaves)
        self._edges = ways.edges
        targets = (address.host for edge in ways.edges.values() if edge.real is None for address in edge.nodes)
        self._sbcs = ways.inside | frozenset(targets)

    def __len__(self) -> int:
        """Return how much is kept: visits, legs, calls of which the last transaction is not over."""
        return len(self._board) + len(self._queueing.visits)

    @property
    def legs(self) -> int:
        """How many calls of its own it has, with callers and with phones."""
        return self._board.legs

    @property
    def teams(self) -> Collection[Limit]:
        """The external teams, each with the calls that it has."""
        return self._queueing.teams

    def receive(self, now: float, datagram: Datagram) -> None:
        """Take in what has arrived at one of its addresses."""
        flow = datagram.path.back()
        agent = self._board.by_address[flow.local].agent
        try:
            message = datagram.message or parse(datagram.data)
        except ParseError as error:
            agent.reject(flow, error)
            agent.fire(now)  # which brings the answer out
        else:
            agent.receive(now, flow, message)
        self._board.work(now)

    def event(self, now: float, event: object) -> None:
        """Take in a broken path, or what its user tells: see :mod:`sbc.endpoints.centre_reports`."""
        match event:
            case Broken(path):
                self._board.by_address[path.local].agent.transport_error(now, path)
            case Serve(key, agent):
                self._reception.serve(now, key, agent)
            case Clear(queue):
                self._reception.clear(now, queue)
            case HangUp(key):
                self._reception.hang_up(now, key)
            case Heard(pair, node, answers):
                self._edges[pair].heard(node, answers=answers)
            case _:
                raise TypeError(f"a contact centre knows no event {event!r}")
        self._board.work(now)

    def deadline(self) -> float:
        """Return when :meth:`fire` is to be called next, seconds."""
        return self._board.deadline()

    def fire(self, now: float) -> None:
        """Do all that is due."""
        self._board.fire(now)

    def take(self) -> list[object]:
        """Return what is to be sent and reported since the last time, in order."""
        out, self._board.out = self._board.out, []
        return out

    def _arrived(self, now: float, leg: Leg, request: Request) -> None:
        edge, path = leg.line.edge, leg.call.flow
        key = (CHARGING if edge is None else edge.naming).key_of(request) or leg.call.call_id
        from_sbc = edge is not None or (isinstance(path, Path) and path.remote.host in self._sbcs)
        (self._reception if from_sbc else self._placing).arrived(now, leg, request, key)
