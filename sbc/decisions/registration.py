"""Softphone registration: one phone as a table of states and events, how long clients wait, what a registrar can take.

The machine takes events and returns effects; it has no clock. How long a phone waits before it tries again is
:func:`retry_after`, a function of its client, of the failures so far and of a uniform draw.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum
from math import inf

from sbc.decisions.table import follow


class State(Enum):
    """Where a phone stands with its registrar, as the phone sees it."""

    OFF = "not set to any site, or signing in"
    WAITING = "without registration; will try again after a pause"
    REGISTERING = "a REGISTER is under way"
    REGISTERED = "registered; refreshes at half the expiry"


class Event(Enum):
    """What happens to a phone."""

    SET = "it is set to a site"
    SIGNED_OUT = "it is taken off its site"
    DUE = "it is time to refresh, or to try again"
    ACCEPTED = "the registrar answers 200"
    ADVANCE = "refused with 503, or unanswered until Timer F, with a site of its list left to try"
    FAILED = "refused with 503, or unanswered until Timer F, with no site left to try"
    DISCONNECTED = "the connection to the registrar breaks, and the phone notices"


class Effect(Enum):
    """What the engine has to carry out."""

    START = "send the first REGISTER after the client's own delay"
    SEND = "send a REGISTER to its site"
    NEXT_SITE = "turn to the next site of its list"
    REFRESH_LATER = "wait for half the expiry"
    RETRY_LATER = "wait as the client does after a failure"
    UP = "registered: calls can come"
    DOWN = "the registration is given up"


TABLE: dict[tuple[State, Event], tuple[State, tuple[Effect, ...]]] = {
    (State.OFF, Event.SET): (State.WAITING, (Effect.START,)),
    (State.WAITING, Event.DUE): (State.REGISTERING, (Effect.SEND,)),
    (State.WAITING, Event.SIGNED_OUT): (State.OFF, (Effect.DOWN,)),
    (State.REGISTERING, Event.ACCEPTED): (State.REGISTERED, (Effect.UP, Effect.REFRESH_LATER)),
    (State.REGISTERING, Event.ADVANCE): (State.REGISTERING, (Effect.DOWN, Effect.NEXT_SITE, Effect.SEND)),
    (State.REGISTERING, Event.FAILED): (State.WAITING, (Effect.RETRY_LATER,)),
    (State.REGISTERING, Event.DISCONNECTED): (State.WAITING, (Effect.RETRY_LATER,)),
    (State.REGISTERING, Event.SIGNED_OUT): (State.OFF, (Effect.DOWN,)),
    (State.REGISTERED, Event.DUE): (State.REGISTERING, (Effect.SEND,)),
    (State.REGISTERED, Event.DISCONNECTED): (State.WAITING, (Effect.RETRY_LATER,)),
    (State.REGISTERED, Event.SIGNED_OUT): (State.OFF, (Effect.DOWN,)),
}
"""Every transition. A phone that is registered has to be signed out before it is set to another site (N22)."""


def step(state: State, event: Event) -> tuple[State, tuple[Effect, ...]]:
    """Return the next state and what to carry out; raises ImpossibleEventError for a pair not in the table."""
    return follow(TABLE, state, event)


@dataclass(frozen=True, slots=True)
class Client:
    """How a kind of phone tries again; times in seconds.

    After n failures in a row W = min(longest, base × 2^n), and the wait is uniform between two shares of W.
    """

    base: float = 0.0
    longest: float = inf
    between: tuple[float, float] = (1.0, 1.0)
    """The wait as shares of W."""
    within: tuple[float, float] = (0.0, inf)
    """Least and most, whatever the draw."""
    base_with_line: float | None = None
    """Base while the registrar still keeps an earlier registration; None where that makes no difference."""
    first: float | None = None
    """Wait after the first failure; None where it follows the law of the others."""
    of_expiry: float | None = None
    """Instead of all that: the next REGISTER goes out this share of the expiry after the last."""
    start: float = 0.0
    """The first REGISTER is delayed by a uniform time up to this."""
    stable: float = 0.0
    """A registration has to last this long before failures are counted anew."""
    connected: bool = False
    """Keeps a connection to the registrar, and so notices at once that the registrar is gone."""


CLIENTS: dict[str, Client] = {
    # Measured on baresip: a phone that has lost its registrar is registered again at its next refresh.
    "plain": Client(of_expiry=0.5),
    "rfc5626": Client(base=30.0, base_with_line=90.0, longest=1800.0, between=(0.5, 1.0), stable=120.0),  # S4
    "jssip": Client(base=1.0, between=(0.0, 1.0), within=(2.0, 30.0), connected=True),  # S12, W18
    "pjsua": Client(base=300.0, longest=300.0, between=(290 / 300, 310 / 300), first=0.0, connected=True),  # S12
    "linphone": Client(of_expiry=1.0),  # S12
    "audiocodes": Client(base=32.0, longest=32.0),  # S12
    "snom": Client(base=300.0, longest=300.0),  # S12
    "asterisk": Client(base=60.0, longest=60.0, start=10.0),  # S12; 60 s is the retry_interval of res_pjsip
}
"""Clients by the name that a drill gives them."""

_MOST_DOUBLINGS = 30


def retry_after(
    client: Client,
    failures: int,
    draw: float,
    *,
    expires: float,
    since_sent: float = 0.0,
    line: bool = False,
    asked: float = 0.0,
) -> float:
    """Return seconds to wait after the ``failures``-th failure in a row, 1 or more; ``draw`` is uniform in 0 to 1.

    ``expires`` is the registration's expiry, ``since_sent`` the time since the REGISTER that failed was sent, and
    ``line`` says whether the registrar still keeps an earlier registration (RFC 5626 §4.5: not all flows failed).
    ``asked`` is the Retry-After of a 503, which passes first (S2): the client's own wait follows it, or else all that
    were refused together would come back together.
    """
    return asked + _own_wait(client, failures, draw, expires, since_sent, line)


def _own_wait(client: Client, failures: int, draw: float, expires: float, since_sent: float, line: bool) -> float:
    if client.of_expiry is not None:
        return max(client.of_expiry * expires - since_sent, 0.0)
    if failures == 1 and client.first is not None:
        return client.first
    base = client.base_with_line if line and client.base_with_line is not None else client.base
    whole = min(client.longest, base * 2.0 ** min(failures, _MOST_DOUBLINGS))
    low, high = client.between
    least, most = client.within
    return min(max(whole * (low + (high - low) * draw), least), most)


@dataclass(slots=True)
class Persistence:
    """How often one phone has failed in a row, and how many of its registrars it has tried this time."""

    client: Client
    failures: int = 0
    tried: int = 0
    since: float | None = None
    """When the registration in force began, seconds since the start of the run."""

    def accepted(self, now: float) -> None:
        """A REGISTER has been taken."""
        self.tried = 0
        if self.since is None:
            self.since = now

    def tries_another(self, registrars: int) -> bool:
        """Whether there is a registrar of so many that has not been tried since the last pause; if so it is next."""
        if self.tried + 1 >= registrars:
            return False
        self.tried += 1
        return True

    def failed(self, now: float) -> None:
        """No registrar has taken it; a registration that was stable lets the count begin anew (RFC 5626 §4.5)."""
        if self.since is not None and now - self.since >= self.client.stable:
            self.failures = 0
        self.since = None
        self.tried = 0
        self.failures += 1

    def begin(self) -> None:
        """The phone is set to a site: nothing has failed there yet."""
        self.failures = self.tried = 0


class Registrar:
    """What arrives at a registrar in any one second, and how much of it is taken.

    Above its rate it answers 503; the rate that it takes without a failure is its registration rate (S7, RFC 7502).
    """

    def __init__(self, rate: float | None) -> None:
        """``rate`` is REGISTERs per second; None takes all."""
        self._window = 1.0 if rate is None else max(1.0, 1.0 / rate)
        self._room = inf if rate is None else int(rate * self._window)
        self._arrived: deque[float] = deque()
        self._taken: deque[float] = deque()
        self._high = 0

    def arrives(self, now: float) -> bool:
        """A REGISTER arrives; false when it is refused with 503."""
        _forget(self._arrived, now, 1.0)
        self._arrived.append(now)
        self._high = max(self._high, len(self._arrived))
        _forget(self._taken, now, self._window)
        if len(self._taken) >= self._room:
            return False
        self._taken.append(now)
        return True

    def sample(self, now: float) -> int:
        """Return the most that arrived within one second since this was last asked, and begin anew."""
        _forget(self._arrived, now, 1.0)
        high, self._high = self._high, len(self._arrived)
        return high


def _forget(moments: deque[float], now: float, window: float) -> None:
    """Drop what lies a whole window back or more."""
    while moments and moments[0] <= now - window:
        moments.popleft()
