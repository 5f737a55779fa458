"""Calls that agents place: the phone's INVITE, the number it shows, and the way out that this number opens."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from sbc.decisions.admission import Limit, acquire, release
from sbc.decisions.routing import NoRoute, Route
from sbc.decisions.table import bound, follow
from sbc.decisions.ways_out import NOT_USABLE, from_site, shown
from sbc.endpoints.centre_reports import Connected, Denied, Left, Over, Party, Shows
from sbc.endpoints.errands import Answered, Errand, Errands, Failed, Gone, News, Ringing, WayOut
from sbc.endpoints.switchboard import Heard, Leg, Switchboard
from sbc.endpoints.visit import user_of
from sbc.sip.bridging import TABLE, Effect, Event, State
from sbc.sip.call import Ended, Up
from sbc.sip.core import description
from sbc.sip.errors import ParseError
from sbc.sip.message import Request
from scenarios.numberplan import NumberError, is_emergency

_UNANSWERED = (State.ASKED, State.TRYING, State.RINGING)


class Outgoing(NamedTuple):
    """What the plan says of calls that agents place."""

    limits: Collection[Limit]
    """The limits of the contract, the widest first."""
    default: Callable[[], str | None]
    """The contract's own number at the moment (Z32)."""
    terminal: Callable[[Request], str | None]
    """The number set at the phone that an INVITE comes from (Z37)."""
    emergency: Mapping[str, Route | NoRoute]
    """By site, the lines for 110, 118 and 119 (J5)."""
    refused: Callable[[str, str], NoRoute | None] = lambda key, site: None
    """Says of a call, by its key, why a site cannot place it that lacks a function (Z27); None if it can."""


class Placement:
    """One call that an agent places; it follows the table of :mod:`sbc.sip.bridging`, the phone being `a`."""

    __slots__ = ("denied", "errand", "key", "limits", "phone", "state")

    errand: Errand | None
    denied: Denied
    """Why it came to nothing."""

    def __init__(self, key: str, phone: Leg) -> None:
        self.key = key
        self.phone = phone
        self.errand = None
        self.state = State.ASKED
        self.limits: tuple[Limit, ...] = ()


class Placing:
    """Takes the calls of phones, and leads each through the table."""

    def __init__(
        self, board: Switchboard, errands: Errands, outgoing: Outgoing, route: Callable[[str], Route | NoRoute]
    ) -> None:
        self._board = board
        self._errands = errands
        self._outgoing = outgoing
        self._limits = tuple(outgoing.limits)
        self._route = route
        self._table = bound(
            TABLE,
            {
                Effect.CALL_B: self._call,
                Effect.RING_A: self._ring,
                Effect.ANSWER_A: self._answer,
                Effect.ANSWER_B: self._answer_other,
                Effect.REFUSE_A: self._refuse,
                Effect.END_A: self._end_phone,
                Effect.END_B: self._end_other,
                Effect.TELL_JOINED: lambda placement, *_: board.out.append(Connected(placement.key, None)),
            },
        )

    def arrived(self, now: float, leg: Leg, request: Request, key: str) -> None:
        """A phone calls somebody outside."""
        placement = Placement(key, leg)
        leg.owner, leg.hears = placement, self._phone_heard
        site, number = leg.line.site, user_of(request.uri)
        emergency = _is_emergency(number)
        ways = self._lines(site) if emergency else self._ways(site, request, key)
        if emergency:
            self._board.out.append(Shows(key, "" if isinstance(ways, NoRoute) else ways[0].number, site))
        if not isinstance(ways, NoRoute):
            ways = self._outgoing.refused(key, site) or ways
        refusing = None if isinstance(ways, NoRoute) else acquire(self._limits)
        if isinstance(ways, NoRoute):
            placement.denied = Denied(key, ways.sip, ways.reason, limit=False)
        elif refusing is not None:
            placement.denied = Denied(key, refusing.sip, refusing.name, limit=True)
        else:
            placement.limits = self._limits
            body = description(request)
            placement.errand = Errand(key, leg.line, number, ways, body, self._heard, placement, spared=emergency)
        self._lead(now, placement, Event.REFUSE if placement.errand is None else Event.CONNECT)

    def _lines(self, site: str) -> tuple[WayOut, ...] | NoRoute:
        route = self._outgoing.emergency[site]
        return route if isinstance(route, NoRoute) else self._by(route, None)

    def _ways(self, site: str, request: Request, key: str) -> tuple[WayOut, ...] | NoRoute:
        """Return how a call leaves, which the number that it shows decides (Z15, Z32)."""
        number = shown(_wish(request), self._outgoing.default(), self._outgoing.terminal(request))
        self._board.out.append(Shows(key, number or "", site))
        route = NOT_USABLE if number is None else self._route(number)
        ways = () if isinstance(route, NoRoute) else from_site(self._by(route, number), site)
        return ways or NOT_USABLE

    def _by(self, route: Route, number: str | None) -> tuple[WayOut, ...]:
        return tuple(self._errands.way(each.trunk, number or each.number) for each in route.ways)

    def _lead(self, now: float, placement: Placement, event: Event, cause: object = None) -> None:
        """Lead a call through one row of the table; raises ImpossibleEventError where there is none."""
        before = placement.state
        placement.state, effects = follow(self._table, before, event)
        for carry_out in effects:
            carry_out(placement, now, cause)
        if event in (Event.A_ENDS, Event.B_ENDS, Event.REFUSE, Event.LAST):
            release(placement.limits)
            self._board.out.append(_report(placement, before, event))

    # What the two sides tell.

    def _phone_heard(self, now: float, leg: Leg, heard: Heard) -> None:
        placement = leg.owner
        assert isinstance(placement, Placement)  # noqa: S101 - whose legs these are
        match heard:
            case Up():
                self._lead(now, placement, Event.ACK, heard)
            case Ended():
                self._lead(now, placement, Event.A_ENDS)

    def _heard(self, now: float, errand: Errand, news: News) -> None:
        placement = errand.owner
        assert isinstance(placement, Placement)  # noqa: S101 - whose errands these are
        match news:
            case Ringing():
                self._lead(now, placement, Event.PROGRESS, news)
            case Answered(owing=True):
                self._lead(now, placement, Event.OFFER, news)
            case Answered():
                self._lead(now, placement, Event.SUCCESS, news)
            case Failed(status, reason):
                placement.denied = Denied(placement.key, status, reason, limit=False)
                self._lead(now, placement, Event.LAST)
            case Gone():
                self._lead(now, placement, Event.B_ENDS)

    # What is done about it.

    def _call(self, placement: Placement, now: float, _: object) -> None:
        assert placement.errand is not None  # noqa: S101 - there is a way
        self._errands.begin(now, placement.errand)

    def _ring(self, placement: Placement, now: float, cause: Any) -> None:
        self._board.ring(now, placement.phone, cause.response.status)

    def _answer(self, placement: Placement, now: float, cause: Any) -> None:
        leg = placement.errand.leg if placement.errand is not None else None
        body = description(cause.response) or (leg.call.session.remote if leg is not None else None)
        self._board.answer(now, placement.phone, body or b"")

    def _answer_other(self, placement: Placement, now: float, cause: Any) -> None:
        assert placement.errand is not None  # noqa: S101 - it brought the offer
        if placement.errand.leg is not None:
            self._board.answer(now, placement.errand.leg, description(cause.message))

    def _refuse(self, placement: Placement, now: float, _: object) -> None:
        placement.errand = None
        self._board.refuse(now, placement.phone, placement.denied.status, placement.denied.reason)

    def _end_phone(self, placement: Placement, now: float, _: object) -> None:
        placement.errand = None
        self._board.hang_up(now, placement.phone)

    def _end_other(self, placement: Placement, now: float, _: object) -> None:
        errand, placement.errand = placement.errand, None
        if errand is not None:
            self._errands.hang_up(now, errand)


def _report(placement: Placement, before: State, event: Event) -> Denied | Left | Over:
    if event in (Event.REFUSE, Event.LAST):
        return placement.denied
    if before in _UNANSWERED:
        return Left(placement.key)
    return Over(placement.key, Party.AGENT if event is Event.A_ENDS else Party.CALLED)


def _wish(request: Request) -> str | None:
    """Return the number that a phone wants to show, or what else it says: "default", "terminal"; None for nothing.

    It says so as a proxy or a phone names an identity (RFC 3325), or, with a number, by From.
    """
    try:
        named = (*request.asserted_identities, *request.preferred_identities)
    except ParseError:
        return None
    if named:
        return user_of(named[0].uri) or None
    number = user_of(request.from_.uri)
    return number if number.lstrip("+").isdigit() else None


def _is_emergency(number: str) -> bool:
    try:
        return is_emergency(number)
    except NumberError:
        return False  # an extension, or no number at all
