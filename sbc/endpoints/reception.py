"""Calls that come in to the contact centre: what each meets on arrival, and what its user tells of it."""

from collections.abc import Callable
from typing import Final

from sbc.decisions.admission import acquire
from sbc.decisions.distribution import Agent, Distributor
from sbc.decisions.routing import NoRoute, Route
from sbc.endpoints.centre_reports import ClosedOut, Delivered, Denied, Party, Released
from sbc.endpoints.queueing import Queueing, Rules
from sbc.endpoints.switchboard import NOT_ACCEPTABLE, Heard, Leg, Switchboard
from sbc.endpoints.visit import Visit, user_of
from sbc.endpoints.visiting import TABLE, Event, State
from sbc.sip.call import Ended
from sbc.sip.message import Request

CLOSED: Final = 480
"""What callers hear of a number that is closed."""
LOOP: Final = 482
"""What a call hears that comes back to the centre which dials it."""
_WAITS: Final = (State.WAITING, State.PROMISED)


class Reception:
    """Takes calls in, and hands them to the queues."""

    def __init__(
        self,
        board: Switchboard,
        queueing: Queueing,
        rules: Rules,
        distributor: Distributor[str],
        route: Callable[[str], Route | NoRoute],
    ) -> None:
        self._board = board
        self._queueing = queueing
        self._queues = rules.queues
        self._closed = rules.closed
        self._inbound = tuple(rules.inbound)
        self._refused = rules.refused
        self._distributor = distributor
        self._route = route

    def arrived(self, now: float, leg: Leg, request: Request, key: str) -> None:
        """A call comes in from an SBC."""
        earlier = self._queueing.visits.get(key)
        if earlier is not None and (earlier.state, Event.CALLER_GONE) not in TABLE:
            self._board.refuse(now, leg, LOOP, None)
            return
        if earlier is not None:
            self._give_up(now, earlier)
        visit = self._queueing.visits[key] = Visit(key, leg, request)
        leg.owner, leg.hears = visit, self._heard
        self._queueing.lead(now, visit, self._meets(visit, leg, request))

    def _give_up(self, now: float, visit: Visit) -> None:
        """The caller is gone, and no CANCEL or BYE has come: there is another INVITE, or nothing is heard any more."""
        leg, visit.caller = visit.caller, None
        self._queueing.lead(now, visit, Event.CALLER_GONE)
        if leg is not None:
            self._board.hang_up(now, leg)

    def _meets(self, visit: Visit, leg: Leg, request: Request) -> Event:
        """Return what a call meets; the reason why it is refused is left in its report."""
        route = self._dialled(request)
        if isinstance(route, NoRoute):
            visit.report = Denied(visit.key, route.sip, route.reason, limit=False)
            return Event.REFUSED
        visit.route, visit.queue = route, route.queue or ""
        if any(calendar in self._closed for calendar in route.calendars):
            visit.report = ClosedOut(visit.key, CLOSED)
            return Event.REFUSED
        if (lacking := self._refused(visit.key, visit.site)) is not None:
            visit.report = Denied(visit.key, lacking.sip, lacking.reason, limit=False)
            return Event.REFUSED
        answer = self._board.answering(leg.line, visit.offer)
        if answer is None:
            visit.report = Denied(visit.key, NOT_ACCEPTABLE, "nothing in common", limit=False)
            return Event.REFUSED
        visit.answer = answer
        refusing = acquire(self._inbound)
        if refusing is not None:
            visit.report = Denied(visit.key, refusing.sip, refusing.name, limit=True)
            return Event.REFUSED
        visit.limits = self._inbound
        if route.queue is None:
            self._queueing.tell(Delivered(visit.key, None, visit.site))
            return Event.AT_ONCE
        return Event.DELIVERED if self._queues[route.queue].ivr is None else Event.GREETED

    def _dialled(self, request: Request) -> Route | NoRoute:
        """Return the route of the number dialled, which To still has where no SBC has hidden it, else of the target."""
        asked = self._route(user_of(request.to.uri))
        return self._route(user_of(request.uri)) if isinstance(asked, NoRoute) else asked

    def _heard(self, now: float, leg: Leg, heard: Heard) -> None:
        visit = leg.owner
        assert isinstance(visit, Visit)  # noqa: S101 - whose legs these are
        if isinstance(heard, Ended):
            visit.caller, visit.by = None, Party.CALLER
            self._queueing.lead(now, visit, Event.CALLER_GONE)

    # Events.

    def serve(self, now: float, key: str, agent: Agent) -> None:
        """An agent who has become free takes a call; one whose call is gone is released."""
        visit = self._queueing.visits.get(key)
        if visit is None or visit.state not in _WAITS:
            self._queueing.tell(Released(key, agent))
        else:
            self._queueing.seat(now, visit, agent)

    def clear(self, now: float, queue: str) -> None:
        """A queue closes for those who wait in it, and for those who are to be called back."""
        for key in self._distributor.waiting_calls(queue):
            visit = self._queueing.visits[key]
            visit.report = ClosedOut(key, 200 if queue in self._queueing.answers else CLOSED)
            self._queueing.lead(now, visit, Event.CLOSED)

    def hang_up(self, now: float, key: str) -> None:
        """Whoever has answered in the centre hangs up, or a caller is given up; nothing happens to what is over."""
        visit = self._queueing.visits.get(key)
        if visit is not None and visit.state is State.TALKING:
            visit.by = Party.CENTRE
            self._queueing.lead(now, visit, Event.OTHER_GONE)
        elif visit is not None and (visit.state, Event.CALLER_GONE) in TABLE:
            self._give_up(now, visit)
