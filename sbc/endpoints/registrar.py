"""A site's registrar behind SIP transactions, and its location service: who is reached where (RFC 3261 §10.3)."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from sbc.endpoints.reading import message_of
from sbc.endpoints.wire import Datagram
from sbc.sip.errors import ParseError
from sbc.sip.fields import Address
from sbc.sip.ids import Ids
from sbc.sip.message import Request, Response
from sbc.sip.registrar import Binding, Key, Registrar, Terms, key_of
from sbc.sip.transaction import Overflow, RequestReceived, Send
from sbc.sip.transactions import Transactions
from sbc.sip.uri import Uri

FORBIDDEN = 403
"""The answer to an address that is not allowed: to ask again is no use (RFC 3261 §21.4.4)."""
_ALLOW = ("Allow", "REGISTER, OPTIONS")


class Reached(NamedTuple):
    """Where an address of record is reached."""

    contact: Uri
    path: tuple[Address, ...]
    """Proxies that requests to the contact have to pass (RFC 3327)."""


class Service(NamedTuple):
    """Event: the site is in service or not; out of service its registrar answers 503 and keeps what it has."""

    is_open: bool


class Identity(NamedTuple):
    """Event: whether those can be checked who have to sign in; if not, whoever is not registered stays so: 503."""

    works: bool


class Bound(NamedTuple):
    """Report: an address of record, as ``agent-7@tokyo``, is reached from now on."""

    aor: str


class Unbound(NamedTuple):
    """Report: the last contact of an address of record has expired or was removed."""

    aor: str


class SignInRefused(NamedTuple):
    """Report: somebody was refused who had to sign in while that was not possible."""

    aor: str


Report: TypeAlias = Bound | Unbound | SignInRefused


class Location:
    """What a registrar knows, for whoever calls its phones; it is empty when the registrar has been lost."""

    def __init__(self) -> None:
        self._bindings: dict[Key, Sequence[Binding]] = {}

    def contact_of(self, aor: Uri) -> Reached | None:
        """Return the contact that an address of record prefers; None if it has none."""
        bindings = self._bindings.get(key_of(aor))
        if bindings is None:
            return None
        best = max(bindings, key=lambda binding: binding.q)
        return Reached(best.contact.uri, best.path)

    def __contains__(self, aor: Uri) -> bool:
        return key_of(aor) in self._bindings

    def __len__(self) -> int:
        return len(self._bindings)

    def store(self, key: Key, bindings: Sequence[Binding]) -> bool:
        """Take the contacts of an address of record; say whether it is reached now and was not, or the reverse."""
        was = key in self._bindings
        if bindings:
            self._bindings[key] = bindings
        else:
            self._bindings.pop(key, None)
        return was is not bool(bindings)

    def clear(self) -> None:
        """Forget all."""
        self._bindings.clear()


def _nobody(user: str) -> bool:
    del user
    return False


class RegistrarEndpoint:
    """Answers REGISTERs and OPTIONS at a site; begins without any contact."""

    def __init__(
        self,
        ids: Ids,
        location: Location,
        terms: Terms,
        *,
        is_open: bool = True,
        identity: bool = True,
        signs_in: Callable[[str], bool] = _nobody,
        forbids: Callable[[str], bool] = _nobody,
    ) -> None:
        """``signs_in`` says whether an address of record with that user part needs a sign-in to be taken anew,
        ``forbids`` whether it comes from where nobody is allowed to register from now (Z7)."""
        location.clear()
        self._ids = ids
        self._location = location
        self._open = is_open
        self._identity = identity
        self._signs_in = signs_in
        self._forbids = forbids
        self._transactions = Transactions()
        self._registrar = Registrar(ids, terms, stored=self._stored)
        self._out: list[Send | Report] = []

    def __len__(self) -> int:
        """Return how many transactions are in progress."""
        return len(self._transactions)

    def receive(self, now: float, datagram: Datagram) -> None:
        """Take in a message; what cannot be read is answered as it deserves."""
        flow = datagram.path.back()
        try:
            message = message_of(datagram)
            if message is not None:
                self._transactions.receive(now, flow, message)
        except ParseError as error:
            request = error.message
            if isinstance(request, Request) and error.status is not None and "Via" in request.headers:
                self._transactions.send(flow, Response.answer(request, error.status, to_tag=self._ids.tag()))
        self._work(now)

    def event(self, now: float, event: object) -> None:
        """Take in :class:`Service` or :class:`Identity`; a broken path is none of its business, phones come back."""
        del now
        match event:
            case Service(is_open):
                self._open = is_open
            case Identity(works):
                self._identity = works

    def deadline(self) -> float:
        """Return when a transaction has something to do, or a contact may expire."""
        return min(self._transactions.deadline(), self._registrar.deadline())

    def fire(self, now: float) -> None:
        """Let timers fire and contacts expire."""
        self._transactions.fire(now)
        self._registrar.expire(now)
        self._work(now)

    def take(self) -> list[Send | Report]:
        """Return what is to be sent and told since the last time."""
        out, self._out = self._out, []
        return out

    def begin(self, then: float, request: Request, source: object) -> Response:
        """Return the answer to a REGISTER of the time before the run: taken without a transaction or a limit."""
        return self._registrar.register(then, request, source, limited=False)

    def sample(self, now: float) -> int:
        """Return the most REGISTERs that arrived within one second since this was last asked."""
        return self._registrar.sample(now)

    def _stored(self, key: Key, bindings: Sequence[Binding]) -> None:
        if self._location.store(key, bindings):
            aor = "@".join(map(str, key))
            self._out.append(Bound(aor) if bindings else Unbound(aor))

    def _work(self, now: float) -> None:
        while outputs := self._transactions.take():
            for output in outputs:
                match output:
                    case Send():
                        self._out.append(output)
                    case RequestReceived(transaction):
                        response = self._answer(now, transaction.request, transaction.flow)
                        self._transactions.respond(now, transaction, response)
                    case Overflow(flow, request):
                        self._transactions.send(flow, self._plain(request, 503))

    def _answer(self, now: float, request: Request, source: object) -> Response:
        match request.method:
            case "REGISTER":
                return self._refusal(request) or self._registrar.register(now, request, source)
            case "OPTIONS":
                return self._plain(request, 200, _ALLOW)
            case "CANCEL":
                return self._plain(request, 481)
            case _:
                return self._plain(request, 405, _ALLOW)

    def _refusal(self, request: Request) -> Response | None:
        """Refuse what no registrar would look at: out of service, not allowed, or nobody can say who signs in."""
        if not self._open:
            return self._plain(request, 503)
        user, *domain = map(str, key_of(request.to.uri))
        if self._forbids(user):
            return self._plain(request, FORBIDDEN)
        if not self._identity and request.to.uri not in self._location and self._signs_in(user):
            self._out.append(SignInRefused("@".join((user, *domain))))
            return self._plain(request, 503)
        return None

    def _plain(self, request: Request, status: int, *headers: tuple[str, str]) -> Response:
        return Response.answer(request, status, to_tag=self._ids.tag(), headers=headers)
