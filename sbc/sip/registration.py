"""A phone's side of registration: refresh, back off, go on to the next registrar (RFC 3261 §10.2, S4, S12).

What follows what is the table of :mod:`sbc.decisions.registration`, the one the calls engine plays; here it speaks SIP.
"""

from collections.abc import Callable, Sequence
from math import inf
from typing import NamedTuple, TypeAlias

from sbc.decisions.registration import CLIENTS, Client, Effect, Event, Persistence, State, retry_after, step
from sbc.sip.digest import DigestClient
from sbc.sip.fields import Address, Via
from sbc.sip.ids import Ids
from sbc.sip.message import Request, Response
from sbc.sip.uri import SipUri, Uri

REPEATS = 3
"""Challenges answered, or expiries raised, for one try: a registrar that asks more often will never be content."""


class Register(NamedTuple):
    """A REGISTER to be sent in a transaction of its own."""

    request: Request
    registrar: int
    """Index into the client's registrars."""


class Up(NamedTuple):
    """Registered: calls can come."""

    registrar: int
    expires: int
    """Seconds granted."""


class Down(NamedTuple):
    """The registration is given up, at this phone's wish or for another registrar."""


Output: TypeAlias = Register | Up | Down


class RegistrationClient:
    """Keeps one contact of an address of record registered.

    The user of this class sends each :class:`Register`, hands back what becomes of it by :meth:`answered`, or by
    :meth:`unanswered` for Timer F and a transport that failed, and calls :meth:`fire` at :meth:`deadline`.
    """

    def __init__(
        self,
        aor: Uri,
        contact: Uri,
        registrars: Sequence[SipUri],
        ids: Ids,
        via: Callable[[], Via],
        *,
        expires: int = 300,
        client: Client = CLIENTS["plain"],
        spread: float = 0.0,
        domains: bool = False,
        login: DigestClient | None = None,
        draw: Callable[[], float] | None = None,
    ) -> None:
        """``registrars`` stand in the order in which they are tried; ``via`` returns the Via of a new transaction.

        Every wait after a failure is longer by a uniform time up to ``spread`` seconds (S13). ``domains``: each
        registrar has a domain of its own, its URI's, and there an address of record with the user part of ``aor``.
        ``draw`` returns a number from 0 to 1 for a wait; by default ``ids`` does.
        """
        self.state = State.OFF
        self._aor = aor
        self._tag = ids.tag()
        self._domains = domains
        self._contact = contact
        self._registrars = registrars
        self._ids = ids
        self._draw = ids.uniform if draw is None else draw
        self._via = via
        self._wanted = self._granted = expires
        self._client = client
        self._spread = spread
        self._login = login
        self._call_id = ids.word()
        self._cseq = 0
        self._at = 0
        self._persistence = Persistence(client)
        self._request: Request | None = None
        self._sent = 0.0
        self._bound_until = 0.0
        self._answered = False
        """Whether the registrar was heard that did not take the last REGISTER: the way to it works."""
        self._repeats = 0
        self._asked = 0.0
        self._deadline = inf
        self._outputs: list[Output] = []

    def deadline(self) -> float:
        """Return when :meth:`fire` is to be called next; infinity if not by itself."""
        return self._deadline

    def take(self) -> list[Output]:
        """Return what has come up since this was last called."""
        outputs, self._outputs = self._outputs, []
        return outputs

    def set(self, now: float, registrars: Sequence[SipUri] | None = None, *, after: float | None = None) -> None:
        """Begin to register, with other registrars than before if any are given, of which the first is tried first.

        ``after`` is the delay of the first REGISTER, seconds; None leaves it to the client. Raises ImpossibleEventError
        if it has begun already.
        """
        self._persistence.begin()
        self._tell(now, Event.SET, after)
        if registrars is not None:
            self._registrars, self._at = registrars, 0

    def sign_out(self, now: float) -> None:
        """Give the registration up; a registrar that had it is told so (§10.2.2)."""
        registered = now < self._bound_until
        self._tell(now, Event.SIGNED_OUT)
        if registered:
            self._bound_until = now
            self._repeats = 0
            self._send(now)

    def fire(self, now: float) -> None:
        """Do what is due."""
        if now >= self._deadline:
            self._deadline = inf
            self._tell(now, Event.DUE)

    def answered(self, now: float, request: Request, response: Response) -> None:
        """A registrar has answered a request; provisional answers and those to former requests count for nothing."""
        if request is not self._request or response.status < 200:
            return
        if self._is_worth_repeating(request, response):
            self._repeats += 1
            self._send(now)
        elif self.state is not State.REGISTERING:
            self._request = None
        elif response.status == 200:
            self._accepted(now, response)
        else:
            self._failed(now, response)

    def _is_worth_repeating(self, request: Request, response: Response) -> bool:
        """Take what a challenge or a 423 asks for; false where the answer stands (§10.2.8, §22.2)."""
        if self._repeats >= REPEATS:
            return False
        if response.status in (401, 407) and self._login is not None:
            return self._login.take(request, response)
        longer = response.min_expires if response.status == 423 else None
        if longer is None or longer <= self._wanted:
            return False
        self._wanted = longer
        return True

    def unanswered(self, now: float, request: Request) -> None:
        """Timer F has fired for a request, or the transport could not carry it."""
        if request is self._request and self.state is State.REGISTERING:
            self._failed(now, None)

    def disconnected(self, now: float) -> None:
        """The connection to the registrar is gone, and this phone is of those that notice."""
        if self._client.connected and self.state in (State.REGISTERED, State.REGISTERING):
            self._persistence.failed(now)
            self._answered = False
            self._tell(now, Event.DISCONNECTED)

    def _accepted(self, now: float, response: Response) -> None:
        own = next((each for each in response.contacts if each.uri.equivalent(self._contact)), None)
        granted = own.expires if own is not None else None
        if granted is None:
            granted = response.expires
        self._granted = self._wanted if granted is None else granted
        self._bound_until = now + self._granted
        self._persistence.accepted(now)
        self._tell(now, Event.ACCEPTED)

    def _failed(self, now: float, response: Response | None) -> None:
        """Go on to the next registrar after a 503 or silence, if there is one not tried; else wait."""
        self._asked = 0.0 if response is None or response.retry_after is None else response.retry_after.seconds
        self._answered = response is not None
        unreachable = response is None or response.status == 503
        if unreachable and self._persistence.tries_another(len(self._registrars)):
            self._tell(now, Event.ADVANCE)
        else:
            self._persistence.failed(now)
            self._tell(now, Event.FAILED)

    def _tell(self, now: float, event: Event, after: float | None = None) -> None:
        self.state, effects = step(self.state, event)
        for effect in effects:
            match effect:
                case Effect.START:
                    self._deadline = now + (self._first_wait() if after is None else after)
                case Effect.SEND:
                    self._repeats = 0
                    self._send(now)
                case Effect.NEXT_SITE:
                    self._at = (self._at + 1) % len(self._registrars)
                case Effect.UP:
                    self._outputs.append(Up(self._at, self._granted))
                case Effect.REFRESH_LATER:
                    self._deadline = now + self._granted / 2
                case Effect.RETRY_LATER:
                    self._deadline = now + self._pause(now)
                case Effect.DOWN:
                    self._deadline = inf
                    self._request = None
                    self._outputs.append(Down())

    def _first_wait(self) -> float:
        return self._client.start * self._draw() if self._client.start else 0.0

    def _pause(self, now: float) -> float:
        own = retry_after(
            self._client,
            self._persistence.failures,
            self._draw(),
            expires=self._granted,
            since_sent=now - self._sent,
            line=self._answered and now < self._bound_until,
            asked=self._asked,
        )
        return own + self._spread * self._draw() if self._spread else own

    def _send(self, now: float) -> None:
        self._cseq += 1
        registrar, aor = self._registrars[self._at], self._aor
        if self._domains and isinstance(aor, SipUri):
            aor = aor._replace(host=registrar.host)
        request = Request.build(
            "REGISTER",
            registrar,
            via=self._via(),
            from_=Address(aor).with_tag(self._tag),
            to=Address(aor),
            call_id=self._call_id,
            cseq=self._cseq,
            headers=[("Contact", Address(self._contact)), ("Expires", 0 if self.state is State.OFF else self._wanted)],
        )
        self._request = request if self._login is None else self._login.authorize(request, self._ids.word())
        self._sent = now
        self._outputs.append(Register(self._request, self._at))
