"""Digest authentication: what a client answers to a challenge, and how a server judges the answer.

RFC 7616 with the algorithms that RFC 8760 gives SIP, and RFC 3261 §22. Pure: the client is handed its cnonce, the
server the salt of its nonces and the time. Of the qualities of protection only ``auth`` is spoken.
"""

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final, NamedTuple, Self

from sbc.sip.errors import ParseError
from sbc.sip.fields import AuthValue
from sbc.sip.grammar import quote
from sbc.sip.message import Request, Response

AUTH: Final = "auth"


class Algorithm(StrEnum):
    """Hash algorithms by the names they have in header fields (RFC 8760 §2)."""

    MD5 = "MD5"
    MD5_SESS = "MD5-sess"
    SHA_256 = "SHA-256"
    SHA_256_SESS = "SHA-256-sess"
    SHA_512_256 = "SHA-512-256"
    SHA_512_256_SESS = "SHA-512-256-sess"

    @property
    def session(self) -> bool:
        """Whether the secret is hashed again with both nonces (RFC 7616 §3.4.2)."""
        return self.endswith("-sess")

    def digest(self, *parts: str) -> str:
        """Return the hash of the parts with colons between them, in lower-case hexadecimal digits."""
        data = ":".join(parts).encode("utf-8", "surrogateescape")
        return hashlib.new(_HASHES[self], data, usedforsecurity=False).hexdigest()


_HASHES = {
    Algorithm.MD5: "md5",
    Algorithm.MD5_SESS: "md5",
    Algorithm.SHA_256: "sha256",
    Algorithm.SHA_256_SESS: "sha256",
    Algorithm.SHA_512_256: "sha512_256",
    Algorithm.SHA_512_256_SESS: "sha512_256",
}
_BY_NAME = {algorithm.lower(): algorithm for algorithm in Algorithm}


def secret(algorithm: Algorithm, username: str, realm: str, password: str) -> str:
    """Return the hash that a server keeps instead of a password (RFC 7616 §3.4.2, its H(A1) without a session)."""
    return algorithm.digest(username, realm, password)


class Answer(NamedTuple):
    """What goes into a response besides the secret (RFC 7616 §3.4)."""

    method: str
    uri: str
    nonce: str
    cnonce: str = ""
    nc: str = ""
    """The nonce count, eight hexadecimal digits; empty without a quality of protection (RFC 2069)."""

    def response(self, algorithm: Algorithm, secret: str) -> str:
        """Return the response for a secret, which is the hash of user, realm and password."""
        if algorithm.session:
            secret = algorithm.digest(secret, self.nonce, self.cnonce)
        request = algorithm.digest(self.method, self.uri)
        if not self.nc:
            return algorithm.digest(secret, self.nonce, request)
        return algorithm.digest(secret, self.nonce, self.nc, self.cnonce, AUTH, request)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a 401 or 407 asks for; its text is the value of a WWW-Authenticate or Proxy-Authenticate field."""

    realm: str
    nonce: str
    algorithm: Algorithm = Algorithm.MD5
    opaque: str | None = None
    stale: bool = False
    """The answer was right, but for a nonce that has expired: worth another try with this one."""
    qop: bool = True
    """Whether ``auth`` is offered; without it the response is that of RFC 2069."""
    names_algorithm: bool = True
    """Whether the algorithm is written down: then credentials have to repeat it."""

    @classmethod
    def of(cls, value: AuthValue) -> Self | None:
        """Return the challenge that a header value makes; None where its scheme, algorithm or quality is not ours.

        Raises ParseError for a digest challenge without realm or nonce.
        """
        if value.scheme.lower() != "digest":
            return None
        params = value.params
        algorithm = _BY_NAME.get(params.get("algorithm", "MD5").lower())
        offered = [each.strip().lower() for each in params["qop"].split(",")] if "qop" in params else []
        if algorithm is None or (offered and AUTH not in offered):
            return None
        return cls(
            realm=_needed(value, "realm"),
            nonce=_needed(value, "nonce"),
            algorithm=algorithm,
            opaque=params.get("opaque"),
            stale=params.get("stale", "").lower() == "true",
            qop=bool(offered),
            names_algorithm="algorithm" in params,
        )

    def __str__(self) -> str:
        parts = [f"realm={quote(self.realm)}", f"nonce={quote(self.nonce)}"]
        if self.opaque is not None:
            parts.append(f"opaque={quote(self.opaque)}")
        if self.stale:
            parts.append("stale=true")
        if self.names_algorithm:
            parts.append(f"algorithm={self.algorithm}")
        if self.qop:
            parts.append(f'qop="{AUTH}"')
        return "Digest " + ", ".join(parts)


def _needed(value: AuthValue, name: str) -> str:
    try:
        return value.params[name]
    except KeyError:
        raise ParseError(f"{value.scheme} without {name}") from None


# The client


class Field(NamedTuple):
    """The header fields of a challenge and of its answer."""

    challenge: str
    answer: str


FIELDS: Final = {
    401: Field("WWW-Authenticate", "Authorization"),
    407: Field("Proxy-Authenticate", "Proxy-Authorization"),
}
"""By the status that challenges (RFC 3261 §22.2, §22.3)."""


@dataclass(slots=True)
class _Space:
    """A protection space that has challenged us, and how often its nonce has been used."""

    challenge: Challenge
    count: int = 0


class DigestClient:
    """Answers the challenges that one user meets, of several realms at the same time."""

    def __init__(
        self, username: str, password: str, *, realm: str | None = None, algorithms: Iterable[Algorithm] = Algorithm
    ) -> None:
        """``realm``: the only one to answer, where the password is not for everybody who asks."""
        self._username = username
        self._password = password
        self._realm = realm
        self._algorithms = frozenset(algorithms)
        self._spaces: dict[tuple[str, str], _Space] = {}

    def take(self, request: Request, response: Response) -> bool:
        """Take the challenges of a 401 or 407 to ``request``; false if trying again with them makes no sense.

        That is so where none can be answered, or where credentials were sent that the challenge does not call stale
        (RFC 3261 §22.1: an answer refused once is not sent again). Raises ParseError for a malformed challenge.
        """
        field = FIELDS[response.status]
        sent = {value.params.get("realm"): value.params.get("nonce") for value in request.auth(field.answer)}
        fresh = False
        for realm, challenge in self._wanted(response, field).items():
            if realm in sent and (not challenge.stale or sent[realm] == challenge.nonce):
                self._spaces.pop((field.answer, realm), None)
                return False
            self._spaces[field.answer, realm] = _Space(challenge)
            fresh = True
        return fresh

    def _wanted(self, response: Response, field: Field) -> dict[str, Challenge]:
        """Return the first challenge of each realm that can be answered: the server prefers it (RFC 8760 §2.4)."""
        wanted: dict[str, Challenge] = {}
        for value in response.auth(field.challenge):
            challenge = Challenge.of(value)
            if challenge is None or challenge.algorithm not in self._algorithms:
                continue
            if self._realm in (None, challenge.realm):
                wanted.setdefault(challenge.realm, challenge)
        return wanted

    def authorize(self, request: Request, cnonce: str) -> Request:
        """Return the request with credentials for every realm that has challenged so far, their counts one higher."""
        headers = request.headers.without(*(field.answer for field in FIELDS.values()))
        for (name, _), space in self._spaces.items():
            space.count += 1
            headers = headers.add(name, self._credentials(space, request, cnonce))
        return request.with_headers(headers)

    def _credentials(self, space: _Space, request: Request, cnonce: str) -> str:
        challenge = space.challenge
        algorithm = challenge.algorithm
        nc = f"{space.count:08x}" if challenge.qop else ""
        answer = Answer(request.method, request.uri_text, challenge.nonce, cnonce, nc)
        kept = secret(algorithm, self._username, challenge.realm, self._password)
        parts = [
            f"username={quote(self._username)}",
            f"realm={quote(challenge.realm)}",
            f"nonce={quote(challenge.nonce)}",
            f"uri={quote(request.uri_text)}",
            f'response="{answer.response(algorithm, kept)}"',
        ]
        if challenge.names_algorithm:
            parts.append(f"algorithm={algorithm}")
        if challenge.qop or algorithm.session:
            parts.append(f"cnonce={quote(cnonce)}")
        if challenge.qop:
            parts += [f"qop={AUTH}", f"nc={nc}"]
        if challenge.opaque is not None:
            parts.append(f"opaque={quote(challenge.opaque)}")
        return "Digest " + ", ".join(parts)


# The server


class Judgement(Enum):
    """What a server thinks of a request's credentials."""

    ACCEPTED = "the right answer to a challenge of ours, for the first time"
    MISSING = "no credentials for our realm"
    STALE = "a nonce that is ours, but has expired or was used with this count before"
    REFUSED = "a user, an algorithm, a nonce or a response that is wrong"


class Checked(NamedTuple):
    """A judgement, and whom it is about."""

    judgement: Judgement
    username: str = ""


class DigestServer:
    """Challenges requests and checks their credentials in bounded memory.

    A nonce carries the time it was made at and a keyed hash, so that only nonces in use are remembered, each with the
    highest count seen. The ``uri`` of credentials is taken as it is, for proxies rewrite the Request-URI (RFC 3261
    §22.4) and some clients name the server there.
    """

    def __init__(
        self,
        realm: str,
        key: bytes,
        secrets: Callable[[str, Algorithm], str | None],
        *,
        algorithms: Sequence[Algorithm] = (Algorithm.SHA_256, Algorithm.MD5),
        lifetime: float = 300.0,
        most: int = 100_000,
    ) -> None:
        """``secrets`` returns the :func:`secret` of a user, None for a stranger; ``lifetime`` of a nonce in seconds.

        ``algorithms`` stand in the order of preference; at ``most`` so many nonces in use are remembered.
        """
        self._realm = realm
        self._key = key
        self._secrets = secrets
        self._algorithms = algorithms
        self._lifetime = lifetime
        self._most = most
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._forgotten = -1.0
        """Nonces made up to then may have been used without our remembering it."""

    def challenges(self, now: float, salt: str, *, stale: bool = False) -> list[Challenge]:
        """Return a challenge for each algorithm; ``salt`` is new and unguessable each time, without dots."""
        nonce = self._nonce(f"{now:.6f}", salt)
        return [Challenge(self._realm, nonce, algorithm, stale=stale) for algorithm in self._algorithms]

    def _nonce(self, made: str, salt: str) -> str:
        seal = hmac.new(self._key, f"{self._realm}\n{made}\n{salt}".encode(), "sha256").hexdigest()
        return f"{made}-{salt}-{seal[:32]}"

    def check(self, now: float, request: Request, status: int = 401) -> Checked:
        """Judge the credentials with which a request answers a challenge of that status.

        Raises ParseError (400) for credentials that lack something or contradict themselves (RFC 7616 §3.4).
        """
        ours = [
            value
            for value in request.auth(FIELDS[status].answer)
            if value.scheme.lower() == "digest" and value.params.get("realm") == self._realm
        ]
        if not ours:
            return Checked(Judgement.MISSING)
        [value, *_] = ours
        username, nonce = _needed(value, "username"), _needed(value, "nonce")
        answer = Answer(request.method, _needed(value, "uri"), nonce, *_count(value))
        response = _needed(value, "response").lower()
        algorithm = _BY_NAME.get(value.params.get("algorithm", "MD5").lower())
        if algorithm not in self._algorithms or algorithm is None:
            return Checked(Judgement.REFUSED, username)
        known = self._secrets(username, algorithm)
        made = self._made(nonce)
        right = known is not None and hmac.compare_digest(answer.response(algorithm, known).encode(), response.encode())
        if not right or made is None:
            return Checked(Judgement.REFUSED, username)
        if now - made > self._lifetime or not self._first_use(nonce, made, answer.nc):
            return Checked(Judgement.STALE, username)
        return Checked(Judgement.ACCEPTED, username)

    def _made(self, nonce: str) -> float | None:
        """Return when we made a nonce; None if it is not ours."""
        made, _, rest = nonce.partition("-")
        salt, _, _ = rest.rpartition("-")
        if not hmac.compare_digest(self._nonce(made, salt).encode(), nonce.encode("utf-8", "surrogateescape")):
            return None
        return float(made)

    def _first_use(self, nonce: str, made: float, nc: str) -> bool:
        count = int(nc, 16) if nc else 1
        if nonce not in self._counts and made <= self._forgotten:
            return False
        if count <= self._counts.get(nonce, 0):
            return False
        self._counts[nonce] = count
        if len(self._counts) > self._most:
            oldest, _ = self._counts.popitem(last=False)
            self._forgotten = max(self._forgotten, self._made(oldest) or 0.0)
        return True


def _count(value: AuthValue) -> tuple[str, str]:
    """Return cnonce and nonce count, the latter empty without a quality of protection."""
    qop = value.params.get("qop")
    if qop is None:
        return value.params.get("cnonce", ""), ""
    if qop.lower() != AUTH:
        raise ParseError("credentials with a quality of protection that was not offered")
    nc = _needed(value, "nc")
    if len(nc) != 8 or not all(digit in "0123456789abcdefABCDEF" for digit in nc):
        raise ParseError("the nonce count is not eight hexadecimal digits")
    return _needed(value, "cnonce"), nc
