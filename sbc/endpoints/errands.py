"""Calls out through the SBCs: to the nodes of a pair in turn, and by one trunk after the other (S2, S9)."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple, TypeAlias

from sbc.decisions import advance
from sbc.decisions.advance import Rests, Verdict
from sbc.decisions.call import answer_within
from sbc.decisions.trunk import NO_NODE, NOTHING_ANSWERS, Refusal
from sbc.endpoints.centre_reports import Placed
from sbc.endpoints.line import Edge
from sbc.endpoints.switchboard import Acts, Heard, Leg, Line, Switchboard
from sbc.sip.agenda import Appointment
from sbc.sip.b2bua import NOBODY, OWN_AFFAIRS
from sbc.sip.bridge import retry_after
from sbc.sip.call import Ended, Offered, Progress, Up
from sbc.sip.fields import Address as NameAddr
from sbc.sip.grammar import Params
from sbc.sip.message import Response
from sbc.sip.uri import SipUri, escape
from sbc.sip.usage import Event, State
from scenarios.evidence import Direction
from scenarios.model import FailureDetection

UNREACHABLE: Final = "unreachable"
"""Why there is no answer where the network says that there is no way."""
TRUNK_CONTEXT: Final = "kirikae"
"""The name space of trunk groups (RFC 4904 §5.2)."""
_PHONE: Final = Params([("user", "phone")])


class Trunk(NamedTuple):
    """A carrier's line that calls can leave by."""

    pair: str
    advance_after: float
    """Seconds without any answer after which the next is tried."""


class WayOut(NamedTuple):
    """A trunk, and the number that a call by it shows."""

    trunk: str
    site: str
    number: str


class Ringing(NamedTuple):
    """Whoever is called is rung."""

    response: Response


class Answered(NamedTuple):
    """Whoever is called has answered; ``owing``: with an offer, as the errand had none."""

    response: Response
    owing: bool


class Failed(NamedTuple):
    """Nobody was reached; told once, and nothing after it."""

    status: int
    reason: str


class Gone(NamedTuple):
    """The call was answered, and its far end has ended it."""


News: TypeAlias = Ringing | Answered | Failed | Gone


class Errand:
    """A number to be reached, by whichever trunk; its owner may read it and hang it up."""

    __slots__ = (
        "answered", "appointment", "body", "failed_over", "key", "leg", "line", "news", "node", "number", "owner",
        "rung", "silent", "spared", "way", "ways",
    )  # fmt: skip

    way: WayOut
    """The one tried last."""
    node: int
    """The node of the pair that it was tried at."""

    def __init__(
        self,
        key: str,
        line: Line,
        number: str,
        ways: Iterable[WayOut],
        body: bytes,
        news: "Callable[[float, Errand, News], None]",
        owner: object,
        *,
        spared: bool = False,
    ) -> None:
        """``spared``: an emergency call, for which no trunk is left alone."""
        self.key = key
        self.line = line
        self.number = number
        """That is dialled."""
        self.ways = deque(ways)
        """Those not tried yet."""
        self.body = body
        self.news = news
        """Whom to tell what becomes of it."""
        self.owner = owner
        self.spared = spared
        self.leg: Leg | None = None
        self.failed_over = self.silent = self.rung = self.answered = False
        self.appointment: Appointment[object, Acts] | None = None


class Errands:
    """Sends errands on their way."""

    def __init__(self, board: Switchboard, edges: Mapping[str, Edge], trunks: Mapping[str, Trunk]) -> None:
        self._board = board
        self._edges = edges
        self._trunks = trunks
        self._rests = Rests()

    def way(self, trunk: str, number: str) -> WayOut:
        """Return the way out by a trunk that shows a number."""
        return WayOut(trunk, self._edges[self._trunks[trunk].pair].plan.site, number)

    def begin(self, now: float, errand: Errand) -> None:
        """Try the first way; where all that can be tried is known to rest, the failure is told at once."""
        errand.way = errand.ways.popleft()
        errand.failed_over = False
        if not errand.spared and self._rests.rests(now, (Direction.OUTBOUND, errand.way.trunk)):
            self._failed(now, errand, Refusal(advance.LEFT_ALONE, advance.UNAVAILABLE), sent=False)
        elif (forbidden := self._edge(errand).refuses(errand.number)) is not None:
            self._failed(now, errand, forbidden, sent=False)
        elif (node := self._edge(errand).pick()) is None:
            self._failed(now, errand, NO_NODE, sent=False)
        else:
            self._invite(now, errand, node)

    def hang_up(self, now: float, errand: Errand) -> None:
        """Give an errand up, or end its call; its owner hears no more of it."""
        self._settle(errand)
        if errand.leg is not None:
            self._board.hang_up(now, errand.leg)
            errand.leg = None

    def _edge(self, errand: Errand) -> Edge:
        return self._edges[self._trunks[errand.way.trunk].pair]

    def _invite(self, now: float, errand: Errand, node: int) -> None:
        errand.node = node
        way, edge = errand.way, self._edge(errand)
        line = self._board.by_pair.get(edge.name, errand.line)
        own = line is not errand.line and errand.body
        target = edge.inside[node]
        digits = dialled(errand.number)
        user = f"{escape(digits)};tgrp={escape(way.trunk)};trunk-context={TRUNK_CONTEXT}"
        from_ = line.uri._replace(user=escape(dialled(way.number)))
        errand.leg = self._board.invite(
            now,
            line,
            SipUri(target.host, user, target.port, _PHONE),
            from_,
            errand.key,
            self._board.offering(line) if own else errand.body,
            [("P-Asserted-Identity", NameAddr(from_._replace(params=_PHONE)))],
            errand,
            self._heard,
        )
        self._board.out.append(Placed(errand.key, way.trunk, way.number))
        may_go_on = bool(errand.ways) or edge.shared
        within = answer_within(self._trunks[way.trunk].advance_after, may_go_on=may_go_on)
        errand.appointment = self._board.appoint(now + within, errand, self._too_slow)

    def _heard(self, now: float, leg: Leg, heard: Heard) -> None:
        errand = leg.owner
        assert isinstance(errand, Errand)  # noqa: S101 - whose legs these are
        match heard:
            case Progress(_, response) if response.status > 100:
                self._settle(errand)
                errand.rung = True
                errand.news(now, errand, Ringing(response))
            case Offered(_, response):
                self._settle(errand)
                errand.answered = True
                errand.news(now, errand, Answered(response, owing=True))
            case Up(_, Response() as response) if not errand.answered:
                self._settle(errand)
                errand.answered = True
                errand.news(now, errand, Answered(response, owing=False))
            case Ended() if errand.answered:
                errand.leg = None
                errand.news(now, errand, Gone())
            case Ended():
                self._refused(now, errand, heard)

    def _too_slow(self, now: float, errand: Errand) -> None:
        errand.appointment = None
        assert errand.leg is not None  # noqa: S101 - there is an appointment
        silent = errand.leg.call.state is State.CALLING
        self._board.hang_up(now, errand.leg)
        self._unanswered(now, errand, silent=silent)

    def _unanswered(self, now: float, errand: Errand, *, silent: bool) -> None:
        """A node is avoided from a call on that it has left without any answer, where that is how it is noticed."""
        edge = self._edge(errand)
        if silent and edge.shared and isinstance(edge.plan.detect, FailureDetection):
            edge.heard(errand.node, answers=False)
        self._failed(now, errand, NOTHING_ANSWERS)

    def _refused(self, now: float, errand: Errand, ended: Ended) -> None:
        self._settle(errand)
        response = ended.message
        if ended.why is Event.TIMED_OUT:
            self._unanswered(now, errand, silent=True)
        elif isinstance(response, Response):
            trunk, proxied = (Direction.OUTBOUND, errand.way.trunk), self._edge(errand).proxied
            status = advance.meaning(response.status, proxied=proxied)
            self._rests.answered(now, trunk, status, retry_after(response, proxied=proxied))
            self._failed(now, errand, Refusal(response.reason, status))
        else:
            self._failed(now, errand, Refusal(UNREACHABLE, ended.status or NOBODY))

    def _failed(self, now: float, errand: Errand, refusal: Refusal, *, sent: bool = True) -> None:
        """Go on to the other node or the next trunk, or tell the owner; ``sent``: whether an INVITE was."""
        errand.leg = None
        other = self._edge(errand).other(errand.node) if sent and not errand.failed_over else None
        status = refusal.sip
        verdict = advance.after(status, len(errand.ways), node_left=other is not None, rung=errand.rung)
        if verdict is Verdict.NODE and other is not None:
            errand.failed_over = True
            self._invite(now, errand, other)
        elif verdict is Verdict.NEXT:
            errand.silent |= status == advance.NO_ANSWER
            self.begin(now, errand)
        else:
            final = advance.final(status, silent=errand.silent)
            heard = NOBODY if final < 400 else OWN_AFFAIRS.get(final, final)
            errand.news(now, errand, Failed(heard, refusal.reason))

    def _settle(self, errand: Errand) -> None:
        self._board.call_off(errand.appointment)
        errand.appointment = None


def dialled(number: str) -> str:
    """Return a number as it is dialled: without hyphens, spaces and brackets."""
    return "".join([each for each in number if each not in "- ()"])
