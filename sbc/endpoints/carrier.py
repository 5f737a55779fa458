"""The carrier of a plan: a user agent for each trunk, routing and trunk advance, and the limits of the contract.

Inbound calls are routed as the plan says and tried by one trunk after the other; ports are taken when the INVITE is
sent. Outbound calls are answered at once, for whoever is called is there; ports are taken when the INVITE comes. What
an exchange gives up holds no port, though its transactions may last until Timer B.

What happens to a call is :mod:`sbc.decisions.connection`; which answer leads on is :mod:`sbc.decisions.advance`; what a
trunk in trouble answers is :mod:`sbc.decisions.trunk`; which node is tried is :mod:`sbc.decisions.member`.
"""

from collections.abc import Callable, Iterable, Mapping
from math import ceil
from typing import Final

from sbc.decisions import advance
from sbc.decisions.admission import Limit, release
from sbc.decisions.advance import Verdict
from sbc.decisions.call import answer_within
from sbc.decisions.connection import Effect, Event, State, step
from sbc.decisions.routing import NoRoute, RoutingTable
from sbc.decisions.trunk import LOST, NO_NODE, NOTHING_ANSWERS, Refusal, turns_away
from sbc.endpoints.charging import branched
from sbc.endpoints.connection import Connection
from sbc.endpoints.contract import Contract
from sbc.endpoints.endpoint import Broken
from sbc.endpoints.line import Edge, Line
from sbc.endpoints.prober import METHOD, Prober
from sbc.endpoints.subscriber import (
    Advanced,
    Answered,
    AskAround,
    Avoided,
    Denied,
    Dial,
    EndAll,
    HangUp,
    LineDown,
    LineRefuses,
    LineRepaired,
    LineRestricted,
    Met,
    Over,
    Probed,
    PutIntoUse,
    Rang,
    Refused,
    Used,
)
from sbc.endpoints.wire import Address, Datagram, Path
from sbc.sip.agenda import Agenda
from sbc.sip.bridge import retry_after
from sbc.sip.call import Arrived, Call, ChangeAsked, Ended, Offered, Progress, Told, Up
from sbc.sip.core import description
from sbc.sip.errors import ParseError
from sbc.sip.ids import Ids
from sbc.sip.message import Request, Response, parse
from sbc.sip.transaction import Send
from sbc.sip.usage import Event as CallEvent
from sbc.sip.usage import State as CallState
from sbc.sip.validate import validate
from scenarios.evidence import Direction
from scenarios.model import FailureDetection, OptionsDetection

# Every call needs them: up to Python 3.11 to read a member off its enumeration takes ten times as long as a name.
_TELL: Final = Effect.TELL
_OVER: Final = State.OVER
_INBOUND: Final = Direction.INBOUND

_NOT_ACCEPTABLE: Final = Refusal("no common codec", 488)
"""The answer to a session description in which nothing can be agreed on (RFC 3261 §21.4.26)."""
NO_SUCH_CALL: Final = 481
"""The answer of who knows nothing of a dialog (RFC 3261 §21.4.19)."""


class Carrier:
    """All lines of a plan: an endpoint (:class:`sbc.endpoints.endpoint.Endpoint`) with an address for each."""

    def __init__(self, lines: Iterable[Line], routing: RoutingTable, taps: Mapping[str, Limit], ids: Ids) -> None:
        """``taps``: the limits of the numbers that have one of their own."""
        self._lines = {line.name: line for line in lines}
        self._by_local = {line.local: line for line in self._lines.values()}
        self._edges = {line.edge.name: line.edge for line in self._lines.values()}
        self._routing = routing
        self._contract = Contract(routing, taps)
        self._ids = ids
        self._rests = advance.Rests()
        self._connections: dict[Connection, None] = {}
        self._by_key: dict[tuple[Direction, str], Connection] = {}
        self._by_call: dict[Call, Connection] = {}
        self._agenda: Agenda[Connection, None] = Agenda()
        self._probers = {name: prober for name, edge in self._edges.items() if (prober := self._prober(edge))}
        self._out: list[object] = []

    def __len__(self) -> int:
        """Return how many calls are in progress."""
        return len(self._connections)

    @property
    def unfinished(self) -> int:
        """How many legs have not ended yet, or wait for the answer to a BYE or CANCEL."""
        return sum(line.agent.unfinished for line in self._lines.values())

    def _prober(self, edge: Edge) -> Prober | None:
        detect = edge.plan.detect
        if not edge.shared or not isinstance(detect, OptionsDetection):
            return None
        lines = [line for line in self._lines.values() if line.edge is edge]

        def source() -> Address | None:
            return next((line.local for line in lines if not line.down_by), None)

        return Prober(self._ids, source, edge.nodes, every=detect.every, timeout=detect.timeout, first=edge.first_probe)

    # Inputs.

    def receive(self, now: float, datagram: Datagram) -> None:
        """Take in what has arrived; what was sent to no line's address is dropped."""
        line = self._by_local.get(datagram.path.remote)
        if line is None:
            return
        path = datagram.path.back()
        try:
            self._message(now, line, path, datagram.message or parse(datagram.data))
        except ParseError as error:
            line.agent.reject(path, error)
        self._work(now)

    def _message(self, now: float, line: Line, path: Path, message: Request | Response) -> None:
        prober = self._probers.get(line.edge.name)
        if prober is not None and isinstance(message, Response) and message.cseq.method == METHOD:
            prober.receive(now, path, message)
        elif line.broken and isinstance(message, Request) and message.method == METHOD:
            validate(message)
            refusal = line.refusal
            answer = Response.answer(message, refusal.sip, to_tag=self._ids.tag(), headers=_asking(refusal))
            self._out.append(Send(path, answer))
        else:
            line.agent.receive(now, path, message)

    def event(self, now: float, event: object) -> None:
        """Take in a wish of its people, what faults do, or :class:`Broken`.

        Raises TypeError for any other event, KeyError for a trunk or pair that there is not, ValueError for a call with
        the key of another that is not over.
        """
        match event:
            case Dial(key, number):
                self._dial(now, key, number)
            case HangUp(key, direction):
                connection = self._by_key.get((direction, key))
                if connection is not None:
                    self._lead(now, connection, Event.HUNG_UP, _over(connection, by_us=True))
            case LineDown(trunk, fault):
                self._lines[trunk].down_by[fault] = None
                self._clear(now, self._lines[trunk], fault)
            case LineRefuses(trunk, fault, asks):
                self._lines[trunk].refuses_by[fault] = asks
            case LineRestricted(trunk, fault, restriction):
                self._lines[trunk].restricted_by[fault] = restriction
            case LineRepaired(trunk, fault):
                self._repair(self._lines[trunk], fault)
            case EndAll():
                for connection in list(self._connections):
                    self._lead(now, connection, Event.HUNG_UP, _over(connection, by_us=True))
            case AskAround(pair):
                self._ask_around(now, pair)
            case PutIntoUse(pair, node):
                self._heard(self._edges[pair], node, answers=True)
            case Broken(path):
                self._broken(now, path)
            case _:
                raise TypeError(f"a carrier has no ear for {event!r}")
        self._work(now)

    def fire(self, now: float) -> None:
        """Do all that is due."""
        for line in self._lines.values():
            if line.agent.deadline() <= now:
                line.agent.fire(now)
        for prober in self._probers.values():
            if prober.deadline() <= now:
                prober.fire(now)
        self._work(now)
        while (due := self._agenda.take(now)) is not None:
            due[0].appointment = None
            self._lead(now, due[0], Event.UNANSWERED)
            self._work(now)

    def deadline(self) -> float:
        """Return when :meth:`fire` is to be called next, seconds."""
        soonest = self._agenda.next()
        for line in self._lines.values():
            due = line.agent.deadline()
            if due < soonest:
                soonest = due
        return min([soonest, *[prober.deadline() for prober in self._probers.values()]])

    def take(self) -> list[object]:
        """Return what is to be sent and told since the last time, in order."""
        out, self._out = self._out, []
        return out

    # What people and faults do.

    def _dial(self, now: float, key: str, number: str) -> None:
        route = self._routing.route(number)
        if isinstance(route, NoRoute):
            self._out.append(Refused(key, "", route.sip, route.reason, limit=False))
            return
        if (_INBOUND, key) in self._by_key:
            raise ValueError(f"a call with the key {key} is not over yet")
        connection = self._begin(key, _INBOUND, self._lines[route.trunk], State.TRYING)
        connection.number, connection.route = number, route
        self._try(now, connection)

    def _ask_around(self, now: float, pair: str) -> None:
        for connection in self._connections:
            call = connection.call
            if connection.line.edge.name == pair and call is not None and call.state is CallState.UP:
                connection.line.agent.request_within(now, call, METHOD)

    def _begin(self, key: str, direction: Direction, line: Line, state: State) -> Connection:
        connection = Connection(key, direction, line, state)
        self._connections[connection] = None
        self._by_key[direction, key] = connection
        return connection

    def _clear(self, now: float, line: Line, fault: str) -> None:
        """A line is lost: clear its calls, those first that wait, so that no agent freed by the others takes them."""
        doomed = [connection for connection in self._connections if connection.line is line]
        if doomed:
            self._out.append(Met((fault,)))
        for connection in sorted(doomed, key=lambda each: each.state is State.UP):
            self._lead(now, connection, Event.LINE_LOST, _over(connection, by_us=True, reason=f"{line.name} lost"))

    def _repair(self, line: Line, fault: str) -> None:
        line.down_by.pop(fault, None)
        line.refuses_by.pop(fault, None)
        line.restricted_by.pop(fault, None)
        if not any(each.restricted_by for each in self._lines.values()):
            self._contract.unrestricted()

    def _broken(self, now: float, path: Path) -> None:
        line = self._by_local[path.local]
        line.agent.transport_error(now, path)
        prober = self._probers.get(line.edge.name)
        if prober is not None:
            prober.transport_error(now, path)

    # A call through its table.

    def _lead(self, now: float, connection: Connection, event: Event, told: object = None) -> None:
        """Lead a call through one row of its table; raises ImpossibleEventError where there is none."""
        connection.state, effects = step(connection.state, event)
        for effect in effects:
            if effect is _TELL:
                self._out.append(told)
            else:
                _EFFECTS[effect](self, now, connection)
        if connection.state is _OVER and connection in self._connections:
            del self._connections[connection]
            name = (connection.direction, connection.key)
            if self._by_key[name] is connection:
                del self._by_key[name]

    def _stop_timer(self, now: float, connection: Connection) -> None:
        del now
        if connection.appointment is not None:
            self._agenda.call_off(connection.appointment)
            connection.appointment = None

    def _leave(self, now: float, connection: Connection) -> None:
        self._stop_timer(now, connection)
        release(connection.limits)
        connection.limits = ()
        call, connection.call = connection.call, None
        if call is not None and self._by_call.pop(call, None) is not None:
            connection.line.agent.hang_up(now, call)

    def _count_as_408(self, now: float, connection: Connection) -> None:
        """A node is avoided from a call on that it has left without any answer, where that is how it is noticed."""
        edge, node, call = connection.line.edge, connection.node, connection.call
        silent = call is None or call.state is CallState.CALLING
        if silent and edge.shared and node is not None and isinstance(edge.plan.detect, FailureDetection):
            self._heard(edge, node, answers=False)
        self._failed(now, connection, NOTHING_ANSWERS)

    def _count_as_503(self, now: float, connection: Connection) -> None:
        self._failed(now, connection, connection.line.refusal)

    def _go_on(self, now: float, connection: Connection) -> None:
        if connection.node is None:
            self._try(now, connection)
        else:
            self._send(now, connection)

    # Inbound: from one trunk to the next.

    def _try(self, now: float, connection: Connection) -> None:
        """Begin with a trunk."""
        line = connection.line = self._lines[connection.route.trunk]
        connection.failed_over, connection.node = False, None
        refusal = turns_away(line, connection.lots, now, self._rests, line.name)
        if refusal is not None:
            self._failed(now, connection, refusal)
        else:
            connection.node = line.edge.pick()
            self._send(now, connection)

    def _send(self, now: float, connection: Connection) -> None:
        """Send an INVITE to the node that was picked, unless something on this side stands against it."""
        line, node, route = connection.line, connection.node, connection.route
        if line.broken:
            self._failed(now, connection, line.refusal)
        elif node is None:
            self._failed(now, connection, NO_NODE)
        elif (forbidden := line.edge.refuses(route.number, connection.number)) is not None:
            self._failed(now, connection, forbidden)
        elif isinstance(limits := self._contract.take(line, route.taps), Refusal):
            self._failed(now, connection, limits)
        else:
            connection.limits = limits
            may_go_on = line.edge.shared or route.otherwise is not None
            if may_go_on:  # else Timer B ends the wait
                within = answer_within(line.advance_after, may_go_on=may_go_on)
                connection.appointment = self._agenda.set(now + within, connection, None)
            connection.call = line.invite(
                now, branched(connection.key, connection.branch), route.number, connection.number, node
            )
            self._by_call[connection.call] = connection

    def _failed(self, now: float, connection: Connection, refusal: Refusal) -> None:
        """A trunk has refused, or given no answer: go on to the other node or trunk, or let the caller hear it."""
        line, node, route = connection.line, connection.node, connection.route
        self._meet(refusal)
        self._rests.answered(now, line.name, refusal.sip, refusal.retry_after)
        other = None if node is None or connection.failed_over else line.edge.other(node)
        left = sum(1 for _ in route.ways) - 1
        rung = connection.state is State.RINGING
        verdict = advance.after(refusal.sip, left, node_left=other is not None, rung=rung)
        if verdict is Verdict.FINAL:
            status = advance.final(refusal.sip, silent=connection.silent)
            refused = Refused(connection.key, line.name, status, refusal.reason, refusal.limit)
            self._lead(now, connection, Event.REFUSED, refused)
            return
        tried = line.edge.called(node) if line.edge.shared and node is not None else ""
        self._out.append(Advanced(connection.key, line.name, refusal.sip, refusal.reason, tried))
        connection.branch += 1
        if verdict is Verdict.NODE:
            connection.failed_over, connection.node = True, other
        elif route.otherwise is not None:
            connection.silent |= refusal.sip == advance.NO_ANSWER
            connection.route, connection.node = route.otherwise, None
        self._lead(now, connection, Event.ADVANCED)

    def _meet(self, refusal: Refusal) -> None:
        if refusal.by:
            self._out.append(Met(tuple(refusal.by)))

    # Outbound: answered at once.

    def _arrived(self, now: float, line: Line, call: Call, request: Request) -> None:
        key = line.edge.naming.key_of(request) or request.call_id
        body = line.session(description(request))
        limits = _NOT_ACCEPTABLE if body is None else self._contract.admit(line, key, request)
        if isinstance(limits, Refusal):
            self._meet(limits)
            line.agent.refuse(now, call, limits.sip, headers=_asking(limits))
            self._out.append(Denied(key, limits.sip, limits.reason, limits.limit, line.name))
            return
        connection = self._begin(key, Direction.OUTBOUND, line, State.UP)
        connection.call, connection.limits = call, limits
        self._by_call[call] = connection
        line.agent.ring(now, call)
        line.agent.answer(now, call, body=body or b"")
        self._out.append(Answered(key, line.name, Direction.OUTBOUND))

    # What user agents and probes tell.

    def _work(self, now: float) -> None:
        busy = True
        while busy:
            busy = False
            for line in self._lines.values():
                for output in line.agent.take():
                    busy = True
                    if isinstance(output, Send):
                        self._out.append(output)
                    else:
                        self._hear(now, line, output)
        for name, prober in self._probers.items():
            for each in prober.take():
                if isinstance(each, Send):
                    self._out.append(each)
                else:
                    edge = self._edges[name]
                    self._out.append(Probed(edge.called(each.target), each.answered))
                    self._heard(edge, each.target, answers=each.answered)

    def _heard(self, edge: Edge, node: int, *, answers: bool) -> None:
        if edge.heard(node, answers=answers):
            self._out.append((Used if answers else Avoided)(edge.called(node)))

    def _hear(self, now: float, line: Line, event: Told) -> None:
        match event:
            case Arrived(call, request):
                self._arrived(now, line, call, request)
            case Progress(call) | Offered(call) | Up(call) | ChangeAsked(call) | Ended(call) if call in self._by_call:
                self._heard_of(now, self._by_call[call], event)
            case _:
                pass  # of what was given up, or of changes that are made

    def _heard_of(self, now: float, connection: Connection, event: Told) -> None:
        key, line = connection.key, connection.line
        match event:
            case Progress(_, response) if response.status > 100:
                self._lead(now, connection, Event.RUNG, Rang(key, line.name, response.status))
            case Up() if connection.state is not State.UP:
                self._lead(now, connection, Event.ANSWERED, Answered(key, line.name))
            case Offered(call, message) | ChangeAsked(call, message):
                body = line.session(description(message))
                if body is None and isinstance(event, ChangeAsked):
                    line.agent.refuse(now, call, _NOT_ACCEPTABLE.sip)
                else:
                    line.agent.answer(now, call, body=body or b"")
            case Ended():
                self._ended(now, connection, event)
            case _:
                pass

    def _ended(self, now: float, connection: Connection, ended: Ended) -> None:
        """A leg has ended by itself: refused, unanswered, or hung up on."""
        del self._by_call[ended.call]
        connection.call = None
        match ended.why:
            case CallEvent.FAILURE:
                proxied = connection.line.edge.proxied
                status = advance.meaning(ended.status, proxied=proxied)
                self._failed(now, connection, Refusal("", status, retry_after(ended.message, proxied=proxied)))
            case CallEvent.TIMED_OUT if connection.state is State.TRYING:
                self._lead(now, connection, Event.UNANSWERED)
            case CallEvent.TIMED_OUT:
                self._failed(now, connection, NOTHING_ANSWERS)
            case CallEvent.BROKEN:
                self._failed(now, connection, Refusal(LOST, advance.UNAVAILABLE))
            case CallEvent.GONE if ended.status == NO_SUCH_CALL:
                forgotten = f"{connection.line.edge.name} does not know it any more"
                self._lead(now, connection, Event.ENDED, _over(connection, by_us=False, reason=forgotten))
            case why:
                by_us = why not in (CallEvent.BYE, CallEvent.CANCEL)
                self._lead(now, connection, Event.ENDED, _over(connection, by_us=by_us))


_EFFECTS: Final[Mapping[Effect, Callable[[Carrier, float, Connection], None]]] = {
    Effect.STOP_TIMER: Carrier._stop_timer,
    Effect.COUNT_AS_408: Carrier._count_as_408,
    Effect.COUNT_AS_503: Carrier._count_as_503,
    Effect.LEAVE: Carrier._leave,
    Effect.GO_ON: Carrier._go_on,
}


def _over(connection: Connection, *, by_us: bool, reason: str = "") -> Over:
    return Over(connection.key, connection.line.name, by_us, connection.direction, reason)


def _asking(refusal: Refusal) -> list[tuple[str, object]]:
    """Return the Retry-After of a refusal, in whole seconds."""
    return [] if refusal.retry_after is None else [("Retry-After", ceil(refusal.retry_after))]
