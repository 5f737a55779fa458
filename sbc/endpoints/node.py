"""One node of an SBC pair that joins calls back to back, and goes on with the other node's when it takes over (S11).

    node = SbcNode(Post("tokyo-edge/1", service, trunks, centre, Limit("tokyo-edge", 300, 503)), ids, peer=path)
    node.event(now, Serve(True))

A call is kept as its dialogs, sequence numbers, sessions and session timers stand, and the other node goes on with it
under the same tags at the same address, so that neither side notices: BYE, re-INVITE and refresh pass as before.
`keeps: confirmed` keeps what is up, from the ACK of the caller on. `keeps: all` keeps a call from the first sign of
ringing on: the INVITE of the caller is answered again, that of this node sent again on its branch, so that the one
called repeats its answer. Kept by neither: a call of which nothing but a 100 was heard, and with `confirmed` one whose
200 had not been acknowledged. The other node answers 481 to whatever belongs to a call that is not kept.
"""

from collections.abc import Iterator
from typing import Final, Literal

from sbc.decisions.handover import Event, State
from sbc.decisions.table import ImpossibleEventError
from sbc.endpoints.charging import HEADER
from sbc.endpoints.endpoint import Broken
from sbc.endpoints.gate import Pass, Post
from sbc.endpoints.passing import LineDown, Node, Serve
from sbc.endpoints.replica import Replica, read, write
from sbc.endpoints.replication import Replication
from sbc.endpoints.trunk_group import by_trunk
from sbc.endpoints.wire import Datagram, Path
from sbc.sip.b2bua import CARRIED, BackToBack
from sbc.sip.bridge import Bridge, Closed, Denial, Incoming, Onward
from sbc.sip.bridging import State as BridgeState
from sbc.sip.errors import ParseError, SipError
from sbc.sip.fields import Address as NameAddr
from sbc.sip.ids import Ids
from sbc.sip.message import Request, Response
from sbc.sip.snapshot import TAKEN, take
from sbc.sip.transaction import Send
from sbc.sip.uri import SipUri, TelUri, Uri

Keeps = Literal["all", "confirmed", "none"]

_KEPT: Final[dict[Keeps, frozenset[BridgeState]]] = {
    "all": TAKEN,
    "confirmed": frozenset([BridgeState.UP]),
    "none": frozenset(),
}


class Carried:
    """A call through this node."""

    __slots__ = ("bridge", "id", "key", "mark", "names", "passed", "trunk")

    def __init__(self, bridge: Bridge, key: str, trunk: str, passed: int = 0) -> None:
        self.bridge = bridge
        self.id = bridge.a.tag
        self.key = key
        self.trunk = trunk
        self.passed = passed
        """How often it has passed from node to node."""
        self.names = (bridge.a.call_id,) if bridge.b is None else (bridge.a.call_id, bridge.b.call_id)
        """The Call-IDs of its sides."""
        self.mark: object = None
        """How it stood when the other node was last told; None if it never was."""


class SbcNode(Node):
    """A back-to-back user agent at the service address of a pair."""

    def __init__(self, post: Post, ids: Ids, *, keeps: Keeps = "confirmed", peer: Path | None = None) -> None:
        """``peer``: the way to the other node, on which replicas pass; without one nothing is kept."""
        super().__init__(post)
        self._ids = ids
        self._kept = _KEPT[keeps]
        self._peer = peer if self._kept else None
        self._middle = self._fresh()
        self._calls: dict[str, Carried] = {}
        """By id."""
        self._names: dict[str, Carried] = {}
        """By the Call-ID of either side."""
        self._bridges: dict[Bridge, Carried] = {}
        self._touched: dict[str, Carried] = {}
        self._left: dict[str, Replica] = {}
        """What the other node is still to be told of calls that this one has handed over."""
        self._doomed: set[str] = set()
        """Replicas whose trunk was lost while nobody served."""
        self._now = 0.0
        self._replication: Replication | None = None
        if self._peer is not None:
            self._replication = Replication(self._peer, ids, self._record, self._all)

    def replicated(self, key: str) -> bool:
        """Whether this node has what it needs to go on with a call of that key that the other node carries."""
        return self._replication is not None and self._replication.receiver.has(key)

    # Inputs.

    def receive(self, now: float, datagram: Datagram) -> None:
        """Take in what has arrived: from the other node, or at the service address while this node serves."""
        path = datagram.path.back()
        if path == self._peer and self._replication is not None:
            self._now = now
            self._replication.receive(now, datagram.data)
            for replica in self._replication.receiver.news:
                self._yield(replica)
            if self.serving and self._replication.receiver.released:
                self._take_up(now)
        elif self.serving and path.local == self.post.service:
            try:
                message = self._message(datagram)
            except ParseError as error:
                self._middle.reject(now, path, error)
            else:
                self._touch(message)
                self._middle.receive(now, path, message)
        self._settle(now)

    def event(self, now: float, event: object) -> None:
        """Take in what the HA daemon, the plan or the network says."""
        match event:
            case Serve(True):
                self._serve(now)
            case Serve(False, clears):
                self._step_down(now, clears=clears)
            case LineDown(trunk):
                self._line_down(now, trunk)
            case Broken(path):
                if self.serving and path != self._peer:
                    self._middle.transport_error(now, path)
            case _:
                self._planned(event)
        self._settle(now)

    def fire(self, now: float) -> None:
        """Do all that is due."""
        self._middle.fire(now)
        if self._replication is not None:
            self._now = now
            self._replication.fire(now)
        self._settle(now)

    def deadline(self) -> float:
        """Return when :meth:`fire` is to be called next."""
        due = self._middle.deadline()
        return due if self._replication is None else min(due, self._replication.deadline())

    # Calls.

    def _settle(self, now: float) -> None:
        while outputs := self._middle.take():
            for output in outputs:
                if type(output) is Send:
                    self._out.append(output)
                    self._touch(output.message)
                    continue
                match output:
                    case Incoming(bridge):
                        self._incoming(now, bridge)
                    case Closed(bridge) if bridge in self._bridges:
                        self._over(self._bridges[bridge])
                    case _:
                        pass
        if self._replication is not None:
            self._tell(now, self._replication)

    def _incoming(self, now: float, bridge: Bridge) -> None:
        request = bridge.request
        answer = self._ask(now, bridge.a.flow, request)
        if isinstance(answer, Pass):
            contact = self._came_by(answer.trunk, request) if answer.inbound else None
            self._middle.connect(now, bridge, [Onward(answer.uri, to=self._dialled(request), contact=contact)])
            self._carry(Carried(bridge, answer.key, answer.trunk))
        else:
            self._middle.deny(now, bridge, Denial(answer.denied.status, answer.retry_after))

    def _dialled(self, request: Request) -> NameAddr | None:
        """Return To as the other side may see it: the number dialled, at this node."""
        user = _user(request.to.uri)
        return None if user is None else NameAddr(self.post.contact._replace(user=user.partition(";")[0]))

    def _came_by(self, trunk: str, request: Request) -> NameAddr:
        """Return Contact as the contact centre is to see it: by which trunk the call has come (RFC 4904 §5)."""
        return NameAddr(by_trunk(_user(request.from_.uri) or "", trunk, self.post.service))

    def _carry(self, call: Carried) -> None:
        self._calls[call.id] = self._bridges[call.bridge] = call
        for name in call.names:
            self._names[name] = call

    def _forget(self, call: Carried) -> None:
        del self._calls[call.id], self._bridges[call.bridge]
        self._touched.pop(call.id, None)
        for name in call.names:
            self._names.pop(name, None)
        self._leave(call.key)

    def _over(self, call: Carried) -> None:
        self._forget(call)
        if call.mark is not None and self._replication is not None:
            self._replication.sender.changed(call.id)

    def _line_down(self, now: float, trunk: str) -> None:
        for call in [call for call in self._calls.values() if call.trunk == trunk]:
            self._middle.clear(now, call.bridge)
        if self._replication is not None:
            replicas = self._replication.receiver.calls
            self._doomed = {call for call in self._doomed if call in replicas}
            self._doomed.update(call for call, replica in replicas.items() if replica.trunk == trunk)

    # The other node.

    def _serve(self, now: float) -> None:
        if self._replication is not None:
            self._take_up(now)
            if not self.serving:
                self._left.clear()
                self._replication.sender.tell(now, Event.SERVES)
        self.serving = True

    def _step_down(self, now: float, *, clears: bool) -> None:
        """Serve no more: the calls that are kept are the other node's, all others are cleared if there is still time.

        What is sent here is sent once; its answers go to whoever holds the address then.
        """
        if not self.serving:
            return
        if clears:
            self._now = now
            if self._replication is not None:
                for call in self._calls.values():
                    if call.mark is not None and (replica := self._replica(call)) is not None:
                        self._left[call.id] = replica
            for call in [call for call in self._calls.values() if call.id not in self._left]:
                self._middle.clear(now, call.bridge)
            self._settle(now)
        for call in self._calls.values():
            self._leave(call.key)
        for kept in (self._calls, self._names, self._bridges, self._touched):
            kept.clear()
        self._middle = self._fresh()
        if self._replication is not None:
            self._replication.sender.tell(now, Event.STEPS_DOWN if clears else Event.SUPERSEDED)
        self.serving = False

    def _take_up(self, now: float) -> None:
        """Go on with what the other node has left."""
        assert self._replication is not None  # noqa: S101 - the callers have looked
        for replica in self._replication.receiver.take():
            try:
                bridge = self._middle.take_up(now, read(replica.text).later(replica.by))
            except (ImpossibleEventError, SipError, ValueError, KeyError, TypeError):
                continue  # it is here already, or nobody can read it
            call = Carried(bridge, replica.key, replica.trunk, replica.passed + 1)
            call.mark = self._mark(call)
            self.gate.enter()
            self._enter(call.key)
            self._carry(call)
            if replica.id in self._doomed:
                self._middle.clear(now, bridge)
        self._doomed.clear()

    def _yield(self, replica: Replica) -> None:
        """Let go of a call that the other node has gone on with since: while both served, say."""
        call = self._calls.get(replica.id)
        if call is not None and replica.passed > call.passed and self._replication is not None:
            self._middle.let_go(call.bridge)
            self._replication.sender.drop(call.id)
            self._forget(call)

    def _touch(self, message: Request | Response) -> None:
        """Note that something may have changed in the call that a message belongs to."""
        if self._replication is not None:
            name = message.headers.find("call-id")
            call = self._names.get(name) if type(name) is str else None
            if call is not None:
                self._touched[call.id] = call

    def _tell(self, now: float, replication: Replication) -> None:
        self._now = now
        for call in self._touched.values():
            mark = self._mark(call)
            if mark is not None and mark != call.mark:
                call.mark = mark
                replication.sender.changed(call.id)
        self._touched.clear()
        replication.sender.flush(now)
        if self._left and replication.sender.state is State.CLOSED:
            self._left.clear()
        self._out += replication.take()

    def _mark(self, call: Carried) -> object:
        """Return what the other node has to know when it changes; None of a call that is not kept as it stands."""
        bridge = call.bridge
        if bridge.state not in self._kept or bridge.b is None:
            return None
        sides = (bridge.a, bridge.b)
        numbers = [(each.dialog.local_cseq, each.dialog.remote_cseq) for each in sides if each.dialog is not None]
        return (bridge.state, *[each.turn for each in sides], *numbers)

    def _record(self, call: str) -> Replica | None:
        carried = self._calls.get(call)
        return self._left.get(call) if carried is None else self._replica(carried)

    def _all(self) -> Iterator[str]:
        yield from (call.id for call in self._calls.values() if self._mark(call) is not None)
        yield from self._left

    def _replica(self, call: Carried) -> Replica | None:
        bridge = call.bridge
        snapshot = take(self._now, bridge.state, bridge.a, bridge.b)
        return None if snapshot is None else Replica(call.id, call.key, call.trunk, call.passed, write(snapshot))

    def _fresh(self) -> BackToBack:
        return BackToBack(
            self.post.contact, self._ids, self._locate, carried=(*CARRIED, HEADER), timing=self.post.timing
        )


def _user(uri: Uri) -> str | None:
    return uri.user if isinstance(uri, SipUri) else uri.phone if isinstance(uri, TelUri) else None
