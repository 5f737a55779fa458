"""A registrar: which contacts an address of record is reached at, and for how long (RFC 3261 §10.3)."""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil, inf
from typing import NamedTuple, TypeAlias

from sbc.decisions import registration
from sbc.sip.digest import DigestServer, Judgement
from sbc.sip.errors import ParseError
from sbc.sip.fields import DEFAULT_EXPIRES, Address, RetryAfter
from sbc.sip.ids import Ids
from sbc.sip.message import Request, Response
from sbc.sip.uri import SipUri, Uri

Key: TypeAlias = tuple[object, ...]
"""What an address of record is looked up by."""

SHORTEST_ALLOWED_REFUSAL = 3600
"""An expiry of an hour or more may not be refused as too brief, seconds (§10.3, step 7)."""


class Binding(NamedTuple):
    """One contact of an address of record."""

    contact: Address
    expires_at: float
    """Seconds since the start of the run."""
    call_id: str
    cseq: int
    path: tuple[Address, ...] = ()
    """Proxies that requests to the contact have to pass (RFC 3327)."""
    source: object = None
    """Where the REGISTER came from, as the transport names it."""

    @property
    def q(self) -> float:
        """Preference among the contacts, 0 to 1; 1 where none is given (§20.10)."""
        return 1.0 if self.contact.q is None else self.contact.q


@dataclass(frozen=True, slots=True)
class Terms:
    """What a registrar grants; times in seconds."""

    shortest: int = 60
    """A shorter expiry is refused with 423 and Min-Expires."""
    longest: int = 7200
    """A longer one is cut down to this."""
    default: int = DEFAULT_EXPIRES
    """What a REGISTER without an expiry gets."""
    contacts: int = 10
    """Most contacts of one address of record; more are refused with 403."""
    bindings: int = 1_000_000
    """Most contacts in all; more are refused with 503."""
    rate: float | None = None
    """REGISTERs a second that it takes; those above are refused with 503 (S7, S13). None takes all."""
    retry_after: int | None = None
    """What a 503 asks for, seconds."""


@dataclass(slots=True)
class Registrar:
    """Answers REGISTER requests, each at once and as a whole: every contact of a request is taken, or none."""

    ids: Ids
    terms: Terms = Terms()
    guard: DigestServer | None = None
    """Who checks passwords; None lets everybody in."""
    knows: Callable[[str], bool] = lambda user: True
    """Whether an address of record with that user part exists."""
    owns: Callable[[str, str], bool] = lambda username, user: username == user
    """Whether somebody who has signed in may change the contacts of a user part."""
    stored: Callable[[Key, Sequence[Binding]], None] = lambda key, bindings: None
    """Hears the contacts of an address of record whenever they have changed; none when the last is gone."""
    _bindings: dict[Key, list[Binding]] = field(default_factory=dict, init=False)
    _expiries: list[tuple[float, Key]] = field(default_factory=list, init=False)
    _due: dict[Key, float] = field(default_factory=dict, init=False)
    """The one entry of ``_expiries`` that counts for an address of record."""
    _count: int = field(default=0, init=False)
    _rate: registration.Registrar = field(init=False)

    def __post_init__(self) -> None:
        self._rate = registration.Registrar(self.terms.rate)

    def register(self, now: float, request: Request, source: object = None, *, limited: bool = True) -> Response:
        """Return the answer to a REGISTER by the steps of §10.3; a ParseError becomes the response it deserves.

        One that is not ``limited`` is taken whatever the rate, and not counted.
        """
        self.expire(now)
        if limited and not self._rate.arrives(now):
            return self._busy(request)
        try:
            return self._refusal(now, request) or self._update(now, request, source)
        except ParseError as error:
            return Response.answer(request, error.status or 400, to_tag=self.ids.tag(), headers=[])

    def contacts(self, now: float, aor: Uri) -> list[Binding]:
        """Return the contacts at which an address of record is reached now, those of higher preference first."""
        live = [binding for binding in self._bindings.get(key_of(aor), ()) if binding.expires_at > now]
        return sorted(live, key=lambda binding: -binding.q)

    def expire(self, now: float) -> None:
        """Forget the contacts whose time is over."""
        while self._expiries and self._expiries[0][0] <= now:
            at, key = heapq.heappop(self._expiries)
            if self._due.get(key) == at:
                del self._due[key]
                self._store(key, [binding for binding in self._bindings.get(key, ()) if binding.expires_at > now])

    def deadline(self) -> float:
        """Return when the next contact may expire; infinity if there is none."""
        return self._expiries[0][0] if self._expiries else inf

    def sample(self, now: float) -> int:
        """Return the most REGISTERs that arrived within one second since this was last asked, and begin anew."""
        return self._rate.sample(now)

    def __len__(self) -> int:
        return self._count

    def _refusal(self, now: float, request: Request) -> Response | None:
        """Steps 2 to 5: extensions, identity, authority, the address of record."""
        if unknown := request.require - {"path"}:
            unsupported = ("Unsupported", ", ".join(sorted(unknown)))
            return self._answer(request, 420, [unsupported])
        user = _user(request.to.uri)
        if self.guard is not None:
            judgement, username = self.guard.check(now, request)
            if judgement is not Judgement.ACCEPTED:
                stale = judgement is Judgement.STALE
                offers = self.guard.challenges(now, self.ids.word(), stale=stale)
                return self._answer(request, 401, [("WWW-Authenticate", offer) for offer in offers])
            if not self.owns(username, user):
                return self._answer(request, 403)
        return None if self.knows(user) else self._answer(request, 404)

    def _update(self, now: float, request: Request, source: object) -> Response:
        """Steps 6 to 8: take or remove contacts, and say which there are."""
        key = key_of(request.to.uri)
        old = [binding for binding in self._bindings.get(key, []) if binding.expires_at > now]
        if request.wildcard_contact:
            if request.expires != 0:
                raise request.fault("a Contact of * goes with an Expires of 0", "Contact")
            new: list[Binding] = []
            if any(_late(request, binding) for binding in old):
                return self._answer(request, 500)
        else:
            new = old
            for contact in request.contacts:
                seconds = self._seconds(request, contact)
                if seconds is None:
                    return self._answer(request, 423, [("Min-Expires", self.terms.shortest)])
                same = [binding for binding in new if binding.contact.uri.equivalent(contact.uri)]
                if any(_late(request, binding) for binding in same):
                    return self._answer(request, 500)
                new = [binding for binding in new if binding not in same]
                if seconds > 0:
                    stands = (request.call_id, request.cseq.number, request.paths, source)
                    new.append(Binding(contact, now + seconds, *stands))
            if len(new) > self.terms.contacts:
                return self._answer(request, 403)
            if self._count + len(new) - len(self._bindings.get(key, [])) > self.terms.bindings:
                return self._busy(request)
        self._store(key, new)
        return self._answer(request, 200, [("Contact", _granted(binding, now)) for binding in new])

    def _seconds(self, request: Request, contact: Address) -> int | None:
        """Return how long a contact may stay, seconds; None if it asks for too little (step 7)."""
        asked = contact.expires
        if asked is None:
            asked = request.expires
        if asked is None:
            asked = self.terms.default
        if 0 < asked < min(self.terms.shortest, SHORTEST_ALLOWED_REFUSAL):
            return None
        return min(asked, self.terms.longest)

    def _store(self, key: Key, bindings: list[Binding]) -> None:
        self._count += len(bindings) - len(self._bindings.pop(key, []))
        if bindings:
            self._bindings[key] = bindings
            earliest = min(binding.expires_at for binding in bindings)
            if earliest < self._due.get(key, inf):
                self._due[key] = earliest
                heapq.heappush(self._expiries, (earliest, key))
        self.stored(key, bindings)

    def _busy(self, request: Request) -> Response:
        after = self.terms.retry_after
        return self._answer(request, 503, [] if after is None else [("Retry-After", RetryAfter(after))])

    def _answer(self, request: Request, status: int, headers: list[tuple[str, object]] | None = None) -> Response:
        return Response.answer(request, status, to_tag=self.ids.tag(), headers=headers or [])


def _user(aor: Uri) -> str:
    return (aor.user_text or "") if isinstance(aor, SipUri) else str(aor)


def key_of(aor: Uri) -> Key:
    """Return what an address of record is looked up by: its parameters do not count (step 5)."""
    return (_user(aor), aor.host.lower()) if isinstance(aor, SipUri) else (str(aor),)


def _late(request: Request, binding: Binding) -> bool:
    """Whether a request was overtaken by one from the same phone that was taken already."""
    return request.call_id == binding.call_id and request.cseq.number <= binding.cseq


def _granted(binding: Binding, now: float) -> Address:
    left = ceil(round(binding.expires_at - now, 6))  # 300 s from now must not become 301 by a rounding of the sum
    return binding.contact._replace(params=binding.contact.params.put("expires", str(left)))
