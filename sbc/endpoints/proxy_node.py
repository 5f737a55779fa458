"""One node of an SBC pair that is a Record-Routing proxy: dialogs carry the service address, not the node's state.

So no established call is lost with a node, and none gets a BYE: whoever holds the address passes on what comes in a
dialog, known or not. There is nothing to replicate, and `keeps` makes no difference. A transaction is lost with its
node, and with it a call in set-up: the next node drops the 200 that it did not ask for (RFC 6026 §7.3).

Ports are counted as far as a proxy sees calls: from an INVITE to its refusal, or to the end of a BYE that passes, or
until no INVITE has passed in the dialog for a session interval. A node that begins to serve counts from 0, whatever
dialogs the other has let in; the `calls` engine carries their ports over. A proxy speaks for neither side: it clears no
calls, neither of a lost trunk nor when it steps down. And a 503 of the next hop leaves it as 500 (S2); whoever sends
calls to the pair knows that (:func:`sbc.decisions.advance.meaning`). The refusals of the node itself stay 503.
"""

from typing import Final

from sbc.endpoints.endpoint import Broken
from sbc.endpoints.gate import Pass, Post
from sbc.endpoints.passing import LineDown, Node, Serve
from sbc.endpoints.wire import Datagram, Path
from sbc.sip.agenda import Agenda, Appointment
from sbc.sip.errors import ParseError
from sbc.sip.ids import Ids
from sbc.sip.message import Request, Response
from sbc.sip.passage import Done, Passage, Target, Wanted
from sbc.sip.proxy import Proxy
from sbc.sip.transaction import Send

METHODS: Final = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO"
"""What passes, as an answer to OPTIONS says."""

_EXPIRY: Final = "no INVITE has passed in the dialog for a session interval"


class Dialogue:
    """A call as a proxy sees it."""

    __slots__ = ("appointment", "first", "key")

    def __init__(self, first: Passage, key: str) -> None:
        self.first = first
        """Its first INVITE on the way through."""
        self.key = key
        self.appointment: Appointment[Dialogue, str] | None = None


class ProxyNode(Node):
    """A Record-Routing proxy at the service address of a pair."""

    def __init__(self, post: Post, ids: Ids) -> None:
        super().__init__(post)
        self._ids = ids
        self._proxy = self._fresh()
        self._dialogues: dict[str, Dialogue] = {}
        """By Call-ID, which is that of both sides."""
        self._agenda: Agenda[Dialogue, str] = Agenda()

    # Inputs.

    def receive(self, now: float, datagram: Datagram) -> None:
        """Take in what has arrived at the service address while this node serves."""
        path = datagram.path.back()
        if self.serving and path.local == self.post.service:
            try:
                message = self._message(datagram)
            except ParseError as error:
                self._proxy.reject(path, error)
            else:
                if self._may_pass(path, message):
                    self._proxy.receive(now, path, message)
        self._settle(now)

    def event(self, now: float, event: object) -> None:
        """Take in what the HA daemon, the plan or the network says."""
        match event:
            case Serve(serving):
                if serving is not self.serving:
                    self._forget()
                self.serving = serving
            case LineDown():
                pass
            case Broken(path):
                if self.serving:
                    self._proxy.transport_error(now, path)
            case _:
                self._planned(event)
        self._settle(now)

    def fire(self, now: float) -> None:
        """Do all that is due."""
        self._proxy.fire(now)
        while (due := self._agenda.take(now)) is not None:
            self._over(due[0])
        self._settle(now)

    def deadline(self) -> float:
        """Return when :meth:`fire` is to be called next."""
        return min(self._proxy.deadline(), self._agenda.next())

    # Requests.

    def _may_pass(self, path: Path, message: Request | Response) -> bool:
        """Refuse what a stranger sends within a dialog, which a proxy would pass on by its Route alone (W7)."""
        if isinstance(message, Response) or message.method == "ACK" or self.gate.knows(path.remote):
            return True
        try:
            inside = message.to.tag is not None
        except ParseError:
            return True  # the proxy answers it
        if inside:
            self._out.append(Send(path, Response.answer(message, 403)))
        return not inside

    def _settle(self, now: float) -> None:
        while outputs := self._proxy.take():
            for output in outputs:
                match output:
                    case Send():
                        self._out.append(output)
                    case Wanted(passage):
                        self._wanted(now, passage)
                    case Done(passage, status):
                        self._done(now, passage, status)
                    case _:
                        pass

    def _wanted(self, now: float, passage: Passage) -> None:
        request = passage.request
        if request.to.tag is not None:
            self._proxy.refuse(now, passage, 481)
        elif request.method == "OPTIONS":
            self._proxy.refuse(now, passage, 200, headers=[("Allow", METHODS)])
        elif request.method != "INVITE":
            self._proxy.refuse(now, passage, 405, headers=[("Allow", METHODS)])
        else:
            self._invited(now, passage)

    def _invited(self, now: float, passage: Passage) -> None:
        request = passage.request
        if request.call_id in self._dialogues:
            self._proxy.refuse(now, passage, 482)  # the same call by another way
            return
        answer = self._ask(now, passage.server.flow, request)
        if isinstance(answer, Pass):
            self._dialogues[request.call_id] = Dialogue(passage, answer.key)
            self._proxy.forward(now, passage, [Target(answer.uri)])
        else:
            wait = answer.retry_after
            headers = () if wait is None else (("Retry-After", wait),)
            self._proxy.refuse(now, passage, answer.denied.status, headers=headers)

    def _done(self, now: float, passage: Passage, status: int) -> None:
        """A request has passed, and its answer too."""
        request = passage.request
        dialogue = self._dialogues.get(request.call_id)
        if dialogue is None:
            return
        if request.method == "BYE":
            self._over(dialogue)
        elif request.method == "INVITE" and status < 300:
            self._expect(now, dialogue)
        elif passage is dialogue.first:
            self._over(dialogue)

    def _expect(self, now: float, dialogue: Dialogue) -> None:
        interval = self.post.timing.interval
        if dialogue.appointment is not None:
            self._agenda.call_off(dialogue.appointment)
        if interval is not None:
            dialogue.appointment = self._agenda.set(now + interval, dialogue, _EXPIRY)

    def _over(self, dialogue: Dialogue) -> None:
        del self._dialogues[dialogue.first.request.call_id]
        if dialogue.appointment is not None:
            self._agenda.call_off(dialogue.appointment)
        self._leave(dialogue.key)

    def _forget(self) -> None:
        for dialogue in list(self._dialogues.values()):
            self._over(dialogue)
        self._proxy = self._fresh()

    def _fresh(self) -> Proxy:
        return Proxy([self.post.contact], self._ids, self._locate)
