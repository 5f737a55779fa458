"""A request on its way through a proxy: its targets, their branches and answers, and what the proxy's user is told."""

from collections import deque
from collections.abc import Sequence
from math import inf
from typing import Final, NamedTuple, TypeAlias

from sbc.decisions import advance
from sbc.sip.forking import INVITE, OTHER, Branches, Event, State
from sbc.sip.message import Request, Response
from sbc.sip.transaction import ClientTransaction, Flow, Send, ServerTransaction
from sbc.sip.uri import Uri

CHALLENGES: Final = {401: "WWW-Authenticate", 407: "Proxy-Authenticate"}
HELPFUL: Final = (401, 407, 415, 420, 484)
"""Of one class, the responses that tell the caller how to come back (§16.7 step 6)."""


class Target(NamedTuple):
    """Whom a request may be sent to."""

    uri: Uri
    """The Request-URI that it gets."""
    flow: Flow | None = None
    """The connection by which the target is reached, where it has made one; else the way to `uri` is located."""


class Answer(NamedTuple):
    """What a branch has come to."""

    status: int
    response: Response | None = None
    """As the caller's side gets it; None for what only counts as a response."""


class Branch:
    """One target of a passage that was tried; the proxy alone changes it."""

    __slots__ = ("__weakref__", "alarms", "passage", "rung", "state", "target", "transaction")

    def __init__(self, passage: "Passage", target: Target, transaction: ClientTransaction) -> None:
        self.passage: Passage = passage
        self.target = target
        self.transaction = transaction
        self.state = State.CALLING
        self.rung = False
        self.alarms: list[tuple[Event, float]] = []

    @property
    def table(self) -> Branches:
        """The table that it goes by."""
        return INVITE if self.transaction.request.method == "INVITE" else OTHER


class Passage:
    """A request that came, and what became of it; its user may read it, the proxy alone changes it."""

    __slots__ = (
        "__weakref__", "again", "answers", "branches", "cancelled", "decided", "finished", "mark", "request", "server",
        "stopped", "targets",
    )  # fmt: skip

    def __init__(self, server: ServerTransaction, request: Request, mark: str) -> None:
        self.server = server
        self.request = request
        """As it is without the Route that led here."""
        self.mark = mark
        self.targets: deque[Target] = deque()
        """Those not tried yet."""
        self.branches: list[Branch] = []
        self.answers: list[Answer] = []
        self.again = inf
        """When the first of its targets may be tried again, seconds; -inf once one has not said."""
        self.decided = False
        """Whether it is known what is to become of it."""
        self.stopped = False
        """Whether no further target is tried."""
        self.cancelled = False
        """Whether the caller has cancelled."""
        self.finished = False
        """Whether a final response has gone to the caller's side."""


class Wanted(NamedTuple):
    """A request wants targets: :meth:`~.proxy.Proxy.forward` or :meth:`~.proxy.Proxy.refuse` is due."""

    passage: Passage

    @property
    def request(self) -> Request:
        """The request, without the Route that led here."""
        return self.passage.request


class Tried(NamedTuple):
    """A target has answered finally, or counts as having."""

    passage: Passage
    target: Target
    status: int
    """408 for silence, 503 for a flow that failed."""
    again: float | None = None
    """When a target that is unavailable may be tried again, seconds; None if it did not say (RFC 3261 §21.5.4)."""


class Done(NamedTuple):
    """A passage has its final response; a 2xx of another branch of an INVITE may still pass."""

    passage: Passage
    status: int


Told: TypeAlias = Wanted | Tried | Done
Output: TypeAlias = Send | Told


def best(answers: Sequence[Answer], *, cancelled: bool = False) -> Answer:
    """Return what the caller's side hears of a list of answers, none of them a 2xx (§16.7 steps 6 and 7).

    A 6xx goes before all; else the lowest class counts, and in it what helps the caller to come back, else the last
    answer, which silence before turns into a 408. A 503 is the hop's own affair and becomes 500 (S2). Where the caller
    has cancelled and nobody has answered, it is 487. A 401 or 407 brings along the challenges of all others.
    """
    lowest = min(answer.status // 100 for answer in answers)
    declined = next((answer for answer in answers if answer.status >= 600), None)
    candidates = [answer for answer in answers if answer.status // 100 == lowest]
    # Of 5xx, a 503 is chosen only where there is no other.
    candidates = [answer for answer in candidates if answer.status != 503] or candidates
    helpful = sorted((answer for answer in candidates if answer.status in HELPFUL), key=lambda answer: answer.status)
    chosen = declined or (helpful or candidates[-1:])[0]
    if chosen.status in CHALLENGES and chosen.response is not None:
        return Answer(chosen.status, _challenging(chosen.response, answers))
    silent = any(answer.response is None and answer.status == advance.NO_ANSWER for answer in candidates)
    status = advance.final(chosen.status, silent=silent)
    if cancelled and status == advance.NO_ANSWER and all(answer.response is None for answer in answers):
        return Answer(487)
    if status == advance.UNAVAILABLE:
        return Answer(advance.BEHIND_PROXY)
    return chosen if status == chosen.status else Answer(status)


def _challenging(chosen: Response, answers: Sequence[Answer]) -> Response:
    headers = chosen.headers
    for response in (answer.response for answer in answers if answer.status in CHALLENGES):
        if response is not None and response is not chosen:
            for name in CHALLENGES.values():
                for value in response.headers.values(name):
                    headers = headers.add(name, value)
    return chosen.with_headers(headers)
