"""IVR, queue, and what waiting brings: leads visits through the table of :mod:`sbc.endpoints.visiting`."""

from collections.abc import Callable, Collection, Mapping, Set
from typing import Final, NamedTuple

from sbc.decisions.admission import BUSY, Limit, acquire, release
from sbc.decisions.advance import LEFT_ALONE
from sbc.decisions.distribution import Agent, Distributor, Treatment, answers, refusal, treatments
from sbc.decisions.routing import NoRoute
from sbc.decisions.table import bound, follow
from sbc.decisions.ways_out import from_site
from sbc.endpoints.centre_reports import (
    ClosedOut,
    Connected,
    Delivered,
    Denied,
    Left,
    Menu,
    MenuOver,
    Over,
    Overflowed,
    Party,
    Promised,
    Queued,
    Released,
    Ringing,
    TurnedAway,
    Unreachable,
)
from sbc.endpoints.errands import Answered, Errand, Errands, Failed, Gone, News, WayOut
from sbc.endpoints.switchboard import Heard, Leg, Line, Switchboard, next_hop
from sbc.endpoints.visit import Locates, Luck, Visit
from sbc.endpoints.visiting import TABLE, Effect, Event, State
from sbc.endpoints.wire import Path
from sbc.sip.call import Ended, Up
from scenarios.model import Overflow, Queue

CALLBACK_FAILED: Final = "callback failed"
"""Why a promise was not kept, unless the trunk was not even tried."""
_RUNG: Final = (State.RINGING, State.REACHING)


class Rules(NamedTuple):
    """What the plan says of calls that come in."""

    queues: Mapping[str, Queue]
    luck: Mapping[str, Luck]
    """By queue."""
    closed: Set[str]
    """The calendars that are closed, which changes as time goes on."""
    inbound: Collection[Limit]
    """The limits of the contract that a call has to pass, the widest first (J7)."""
    outbound: Collection[Limit]
    """Those of a call or leg that goes out."""
    refused: Callable[[str, str], NoRoute | None] = lambda key, site: None
    """Says of a call, by its key, why a site cannot take it that lacks a function (Z27); None if it can."""


class Queueing:
    """All visits."""

    def __init__(
        self, board: Switchboard, errands: Errands, rules: Rules, distributor: Distributor[str], locates: Locates
    ) -> None:
        self.visits: dict[str, Visit] = {}
        """By key."""
        self._board = board
        self._errands = errands
        self._distributor = distributor
        self._locates = locates
        self._queues, self._luck, self._closed = rules.queues, rules.luck, rules.closed
        self._outbound = tuple(rules.outbound)
        self._plans = {name: treatments(queue) for name, queue in self._queues.items()}
        self.answers = {name for name, queue in self._queues.items() if answers(queue)}
        """The queues whose callers have had their 200 OK."""
        self._gated = {name for name, queue in self._queues.items() if queue.max_waiting or queue.longest_wait}
        self._teams = {
            name: Limit(queue.overflow.to, queue.overflow.team, BUSY)
            for name, queue in self._queues.items()
            if queue.overflow is not None
        }
        does: dict[Effect, Callable[[Visit, float], None]] = {
            Effect.ANSWER: self._answer,
            Effect.PLAY: self._play,
            Effect.CHOOSE: self._choose,
            Effect.JOIN: self._join,
            Effect.TREAT: self._treat,
            Effect.WAIT_ON: self._wait,
            Effect.LEAVE_QUEUE: self._leave_queue,
            Effect.DROP_TEAM: self._drop_team,
            Effect.RING: self._ring,
            Effect.PUT_BACK: self._put_back,
            Effect.CALL_BACK: self._call_back,
            Effect.CONNECT: self._connect,
            Effect.END_CALLER: self._end_caller,
            Effect.END_OTHER: self._end_other,
            Effect.CLEAR: self._clear,
            Effect.TELL_CONNECTED: lambda visit, _: self.tell(Connected(visit.key, visit.agent)),
            Effect.TELL_OVERFLOWED: lambda visit, _: self.tell(Overflowed(visit.key, self._overflow(visit).to)),
            Effect.TELL_PROMISED: lambda visit, _: self.tell(Promised(visit.key)),
            Effect.TELL_WHY: lambda visit, _: self.tell(visit.report),
            Effect.TELL_LEFT: lambda visit, _: self.tell(Left(visit.key)),
            Effect.TELL_OVER: lambda visit, _: self.tell(Over(visit.key, visit.by)),
        }
        self._table = bound(TABLE, does)

    @property
    def teams(self) -> Collection[Limit]:
        """The external teams, each with the calls that it has."""
        return self._teams.values()

    def lead(self, now: float, visit: Visit, event: Event) -> None:
        """Lead a visit through one row of its table; raises ImpossibleEventError where there is none."""
        before = visit.state
        visit.state, effects = follow(self._table, before, event)
        if visit.state is not before:
            self._board.call_off(visit.appointment)
            visit.appointment = None
        if visit.state is State.OVER:
            del self.visits[visit.key]
        for carry_out in effects:
            carry_out(visit, now)

    def tell(self, report: object) -> None:
        """Report something."""
        self._board.out.append(report)

    def _line(self, visit: Visit) -> Line:
        return self._board.lines[visit.site]

    # IVR.

    def _answer(self, visit: Visit, now: float) -> None:
        """Answer a caller who has had no answer yet."""
        if visit.caller is not None and not visit.caller.answered:
            self._board.answer(now, visit.caller, visit.answer)

    def _play(self, visit: Visit, now: float) -> None:
        visit.menu = True
        self.tell(Delivered(visit.key, visit.queue, visit.site))
        self.tell(Menu(visit.key))
        visit.appointment = self._board.appoint(now + next(self._luck[visit.queue].takes), visit, self._menu_over)

    def _menu_over(self, now: float, visit: Visit) -> None:
        visit.appointment = None
        self.lead(now, visit, Event.MENU_OVER)

    def _choose(self, visit: Visit, now: float) -> None:
        queue = self._queues[visit.queue]
        assert queue.ivr is not None  # noqa: S101 - this is its end
        contained = next(self._luck[visit.queue].contained) < queue.ivr.contained
        self.tell(MenuOver(visit.key, contained))
        if contained:
            visit.by = Party.CENTRE
            self.lead(now, visit, Event.CONTAINED)
        elif queue.open in self._closed:
            visit.report = ClosedOut(visit.key, 200)
            self.lead(now, visit, Event.CLOSED)
        else:
            self.lead(now, visit, Event.DELIVERED)

    # The queue.

    def _join(self, visit: Visit, now: float) -> None:
        visit.since = now
        agent = self._distributor.offer(now, visit.queue, visit.site, visit.key)
        reason = self._reason(visit.queue, now) if agent is None and visit.queue in self._gated else None
        if reason is not None:
            visit.report = TurnedAway(visit.key, 200 if visit.menu else BUSY, reason)
            self.lead(now, visit, Event.TURNED_AWAY)
            return
        if not visit.menu:
            self.tell(Delivered(visit.key, visit.queue, visit.site))
            if visit.queue in self.answers:
                self._answer(visit, now)
            elif agent is None and visit.caller is not None:
                self._board.ring(now, visit.caller)
        self.seat(now, visit, agent)

    def _reason(self, queue: str, now: float) -> str | None:
        """Why a caller who is last in a queue cannot stay."""
        others = self._distributor.waiting(queue) - 1
        return refusal(self._queues[queue], others, self._distributor.longest_wait(now, queue))

    def seat(self, now: float, visit: Visit, agent: Agent | None) -> None:
        """Ring the first agent whose phone is registered; without one the call waits in its place."""
        while agent is not None:
            contact = self._locates(agent)
            if contact is not None:
                visit.agent, visit.contact = agent, contact
                self.lead(now, visit, Event.AGENT_FOUND)
                return
            self.tell(Unreachable(visit.key, agent))
            agent = self._again(visit)
        if not visit.queued:
            visit.queued = True
            self.tell(Queued(visit.key))
        self._wait(visit, now)

    def _again(self, visit: Visit) -> Agent | None:
        """Put a call back to its place in the queue, or find it another agent."""
        widened = sum(treatment is Treatment.WIDEN for _, treatment in self._plans[visit.queue][: visit.stage])
        return self._distributor.put_back(visit.queue, visit.site, visit.key, visit.since, widened)

    def _put_back(self, visit: Visit, now: float) -> None:
        agent, visit.agent, visit.other = visit.agent, None, None
        assert agent is not None  # noqa: S101 - whose phone was rung
        self.tell(Unreachable(visit.key, agent))
        self.seat(now, visit, self._again(visit))

    def _leave_queue(self, visit: Visit, now: float) -> None:
        del now
        self._distributor.leave(visit.queue, visit.site, visit.key)

    def _wait(self, visit: Visit, now: float) -> None:
        """Wait for what the queue does next."""
        del now
        plan = self._plans[visit.queue]
        if visit.appointment is None and visit.stage < len(plan):
            visit.appointment = self._board.appoint(visit.since + plan[visit.stage][0], visit, self._treatment_due)

    def _treatment_due(self, now: float, visit: Visit) -> None:
        visit.appointment = None
        self.lead(now, visit, Event.TREATMENT_DUE)

    def _treat(self, visit: Visit, now: float) -> None:
        _, treatment = self._plans[visit.queue][visit.stage]
        visit.stage += 1
        queue = self._queues[visit.queue]
        match treatment:
            case Treatment.WIDEN:
                agent = self._distributor.widen(visit.queue, visit.site, visit.key)
                if agent is not None:
                    self.seat(now, visit, agent)
                    return
            case Treatment.CALLBACK if queue.callback is not None and visit.number:
                if next(self._luck[visit.queue].accepts) < queue.callback.accepts:
                    self.lead(now, visit, Event.CALLBACK_TAKEN)
                    return
            case Treatment.OVERFLOW if visit.state is State.WAITING:
                self._call_team(visit, self._overflow(visit), now)
            case _:
                pass
        self._wait(visit, now)

    # Agents.

    def _ring(self, visit: Visit, now: float) -> None:
        agent, contact = visit.agent, visit.contact
        assert agent is not None  # noqa: S101 - who was found
        line = self._line(visit)
        remote = contact.path.remote
        line.phones[next_hop(contact.uri)] = Path(line.address, remote, contact.path.transport)
        self.tell(Ringing(visit.key, agent))
        from_ = line.uri._replace(user=visit.number or None)
        visit.other = self._board.invite(
            now, line, contact.uri, from_, visit.key, self._offer(visit), (), visit, self._phone_heard
        )

    def _offer(self, visit: Visit) -> bytes:
        """What whoever is to talk with the caller is offered: the caller's own offer while it has no answer."""
        unanswered = visit.caller is not None and not visit.caller.answered
        return visit.offer if unanswered and visit.offer else self._board.offering(self._line(visit))

    def _phone_heard(self, now: float, leg: Leg, heard: Heard) -> None:
        visit = leg.owner
        assert isinstance(visit, Visit)  # noqa: S101 - whose legs these are
        match heard:
            case Up():
                self.lead(now, visit, Event.AGENT_ANSWERED)
            case Ended():
                visit.other, visit.by = None, Party.AGENT
                self.lead(now, visit, Event.AGENT_FAILED if visit.state in _RUNG else Event.OTHER_GONE)

    def _connect(self, visit: Visit, now: float) -> None:
        """Let the caller, if unanswered, hear what the other side has answered; without an offer of theirs, ours."""
        other = visit.other if visit.errand is None else visit.errand.leg
        answer = other.call.session.remote if other is not None and visit.offer else None
        real = visit.caller is not None and visit.caller.line.edge is not None
        if answer and visit.caller is not None and not visit.caller.answered and not real:
            self._board.answer(now, visit.caller, answer)
        self._answer(visit, now)
        visit.limits += visit.team_limits
        visit.team_limits = ()

    # The external team, and callers who are called back.

    def _overflow(self, visit: Visit) -> Overflow:
        overflow = self._queues[visit.queue].overflow
        assert overflow is not None  # noqa: S101 - or nothing asks for it
        return overflow

    def _call_team(self, visit: Visit, overflow: Overflow, now: float) -> None:
        limits = (self._teams[visit.queue], *self._outbound)
        if acquire(limits) is None:
            visit.team_limits = limits
            way = self._errands.way(overflow.trunk, visit.route.number)
            line = self._board.lines[way.site]
            visit.errand = Errand(visit.key, line, overflow.to, [way], self._offer(visit), self._team_heard, visit)
            self._errands.begin(now, visit.errand)

    def _team_heard(self, now: float, errand: Errand, news: News) -> None:
        visit = errand.owner
        assert isinstance(visit, Visit)  # noqa: S101 - whose errands these are
        match news:
            case Answered():
                self.lead(now, visit, Event.TEAM_ANSWERED)
            case Failed():
                self.lead(now, visit, Event.TEAM_FAILED)
            case Gone():
                visit.by = Party.TEAM
                self.lead(now, visit, Event.OTHER_GONE)

    def _drop_team(self, visit: Visit, now: float) -> None:
        errand, visit.errand = visit.errand, None
        if errand is not None:
            self._errands.hang_up(now, errand)
        release(visit.team_limits)
        visit.team_limits = ()

    def _call_back(self, visit: Visit, now: float) -> None:
        refusing = acquire(self._outbound)
        if refusing is not None:
            visit.report = Denied(visit.key, refusing.sip, refusing.name, limit=True)
            self.lead(now, visit, Event.CALLER_FAILED)
            return
        visit.limits = self._outbound
        way = self._way_back(visit)
        offer, line = self._board.offering(self._line(visit)), self._board.lines[way.site]
        visit.errand = Errand(visit.key, line, visit.number, [way], offer, self._called_back, visit)
        self._errands.begin(now, visit.errand)

    def _way_back(self, visit: Visit) -> WayOut:
        """Return the trunk that a caller came by, or, if nobody has said, the first of the number's at the site."""
        ways = [self._errands.way(route.trunk, route.number) for route in visit.route.ways]
        here = from_site(ways, visit.site) or ways
        return next((way for way in here if way.trunk == visit.trunk), here[0])

    def _called_back(self, now: float, errand: Errand, news: News) -> None:
        visit = errand.owner
        assert isinstance(visit, Visit)  # noqa: S101 - whose errands these are
        match news:
            case Answered():
                self.lead(now, visit, Event.CALLER_ANSWERED)
            case Failed(status, reason):
                why = reason if reason == LEFT_ALONE else CALLBACK_FAILED
                visit.report = Denied(visit.key, status, why, limit=False)
                self.lead(now, visit, Event.CALLER_FAILED)
            case Gone():
                visit.by = Party.CALLER
                self.lead(now, visit, Event.CALLER_GONE)

    # Ends.

    def _end_caller(self, visit: Visit, now: float) -> None:
        """Hang up on a caller, or refuse the call; whoever takes a promise has heard it on an answered line."""
        if visit.state is State.PROMISED:
            self._answer(visit, now)
        leg, visit.caller = visit.caller, None
        if leg is not None and leg.answered:
            self._board.hang_up(now, leg)
        elif leg is not None:
            self._board.refuse(now, leg, visit.report.status, visit.report.reason)

    def _end_other(self, visit: Visit, now: float) -> None:
        self._drop_team(visit, now)
        leg, visit.other = visit.other, None
        if leg is not None:
            self._board.hang_up(now, leg)
        agent, visit.agent = visit.agent, None
        if agent is not None:
            self.tell(Released(visit.key, agent))

    def _clear(self, visit: Visit, now: float) -> None:
        del now
        release(visit.limits)
        visit.limits = ()
