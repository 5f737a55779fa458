"""What the endpoints report, and what that means to callers, agents and the journal."""

from collections.abc import Callable, Set
from itertools import chain

from sbc.decisions.distribution import Agent
from sbc.endpoints import centre_reports as centre
from sbc.endpoints import gate as sbc
from sbc.endpoints import phone as softphone
from sbc.endpoints import subscriber as carrier
from scenarios.evidence import Direction, Outcome
from sim.call import Call
from sim.log import Log
from sim.packets.callers import Callers
from sim.world import NodeState, Way, World


class Hearing:
    """Hears all endpoints of a run."""

    def __init__(self, world: World, callers: Callers, menus: Set[str], log: Log) -> None:
        """``menus``: the queues that an IVR stands before."""
        self._world = world
        self._callers = callers
        self._menus = menus
        self._log = log
        self._engaged: dict[str, Agent] = {}
        """The agents who are taken, by the calls that have taken them."""
        self.release_agent: Callable[[Agent], None] = lambda agent: None
        """What becomes of an agent after a call; the people's part sets it."""
        self.ask_centre: Callable[[str, Agent], None]
        """Who lets the contact centre join a waiting caller and an agent; the engine sets these."""
        self.avoid: Callable[[str], None]
        """Who hears that a node of an active-active pair gets no calls any more."""
        self.use: Callable[[str], None]
        """Who hears that it does again."""
        self.through: Callable[[str, str], None] = lambda leg, trunk: None
        """Who hears that a call has come through a pair by a trunk; the nodes of an emulated one say so themselves."""
        self.tested: Callable[[str, int], bool]
        """Who hears the status of a test call; false for a call that is none."""

    def engage(self, key: str, agent: Agent) -> None:
        """An agent is taken by a call."""
        self._engaged[key] = agent

    def serve(self, key: str, agent: Agent) -> None:
        """An agent is free, and this is whose turn it is: a caller who waits, or work that is to be dialled."""
        call = self._callers.call(key)
        self.engage(key, agent)
        if call is not None and call.stream.group:
            self._callers.serve(call, agent)
            return
        self._callers.called_back(key, agent, self._log.now)
        self.ask_centre(key, agent)

    def disengage(self, key: str) -> None:
        """Let go of the agent whom a call has taken, if there is one."""
        agent = self._engaged.pop(key, None)
        if agent is not None:
            self.release_agent(agent)

    # The carrier.

    def carrier(self, report: object) -> None:
        """Hear the carrier."""
        now, callers = self._log.now, self._callers
        match report:
            case carrier.Rang(key, trunk, status):
                if not self.tested(key, status):
                    leg = self._by(key, trunk)
                    self.through(leg, trunk)
                    callers.rings(leg, now)
            case carrier.Answered(key, trunk, Direction.INBOUND):
                if not self.tested(key, 200):
                    leg = self._by(key, trunk)
                    self.through(leg, trunk)
                    callers.heard_answer(leg, now)
            case carrier.Refused(key, trunk, status, reason, limit):
                if not self.tested(key, status):
                    leg = self._by(key, trunk)
                    callers.refused(leg, reason, status, now, limit=limit)
            case carrier.Denied(key, status, reason, limit):
                callers.denied(key, Outcome.BLOCKED if limit else Outcome.FAILED, reason, status)
            case carrier.Over(key, _, _, direction, reason):
                leg = callers.leg(key)
                if reason:
                    callers.cut(leg, reason)
                if direction is Direction.INBOUND or self._called_back(leg):
                    callers.over(leg, now)
            case carrier.Met(faults):
                self._log.effect(faults, "call")
            case carrier.Avoided(node):
                self.avoid(node)
            case carrier.Used(node):
                self.use(node)
            case carrier.Advanced(key):
                callers.advanced(key)
            case carrier.Answered(key) if self._called_back(key):
                callers.heard_answer(key, now)
            case carrier.Answered() | carrier.Probed():
                pass
            case _:
                raise TypeError(f"the carrier reports {report!r}")

    def _called_back(self, key: str) -> bool:
        call = self._callers.call(key)
        return call is not None and call.promised is not None

    def _by(self, attempt: str, trunk: str) -> str:
        """Note the trunk of an attempt; return the key of its legs."""
        leg = self._callers.leg(attempt)
        call = self._callers.call(leg)
        if call is not None and call.way is not None:
            call.way = _on(trunk, call.way) or call.way
        return leg

    # The nodes.

    def node(self, state: NodeState, report: object) -> None:
        """Hear the SIP process of a node."""
        match report:
            case sbc.Carrying(key):
                self._callers.carried(key, state)
            case sbc.Denied(key, status, reason, limit):
                self._callers.denied(key, Outcome.BLOCKED if limit else Outcome.FAILED, reason, status)
            case sbc.Done(key):
                self._callers.left(key, state)
            case _:
                raise TypeError(f"{state.name} reports {report!r}")

    # The contact centre.

    def centre(self, report: object) -> None:
        """Hear the contact centre."""
        now, callers = self._log.now, self._callers
        match report:
            case centre.Delivered(key, queue):
                if queue is not None and queue not in self._menus:
                    callers.queued(key, queue, now)
            case centre.Menu(key):
                callers.greeted(key, now)
            case centre.MenuOver(key, contained):
                if contained:
                    callers.contained(key, now)
                else:
                    callers.after_menu(key, now)
            case centre.Ringing(key, agent):
                self.engage(key, agent)
            case centre.Connected(key, agent):
                callers.connected(key, agent, now)
            case centre.Released(key):
                self.disengage(key)
            case centre.Unreachable(key, agent):
                self._engaged[key] = agent  # who may have been found by the centre itself, without a phone to ring
                self.disengage(key)
            case centre.Promised(key):
                callers.promised(key, now)
            case centre.Overflowed(key, team):
                callers.overflowed(key, team, now)
            case centre.TurnedAway(key, status, reason):
                callers.turned_away(key, reason, status)
            case centre.ClosedOut(key, status, reason):
                callers.denied(key, Outcome.CLOSED, reason, status)
                callers.not_called_back(key, now)
            case centre.Denied(key, status, reason, limit):
                callers.denied(key, Outcome.BLOCKED if limit else Outcome.FAILED, reason, status)
                callers.not_called_back(key, now)
            case centre.Shows(key, number):
                callers.shows(key, number)
            case centre.Placed(key, trunk, number):
                self._placed(key, trunk, number)
            case centre.Queued() | centre.Left() | centre.Over():
                pass
            case _:
                raise TypeError(f"the contact centre reports {report!r}")

    def _placed(self, key: str, trunk: str, number: str) -> None:
        call = self._callers.call(key)
        if call is not None and call.stream.group:
            call.number = number
            call.way = self._out_by(call, trunk, number)
            self.through(key, trunk)

    def _out_by(self, call: Call, trunk: str, number: str) -> Way | None:
        if call.stream.emergency and call.agent is not None:
            found = self._world.emergency[call.agent.site]
        else:
            found = self._world.way(number, Direction.OUTBOUND)
        return _on(trunk, found) if isinstance(found, Way) else None

    # The phones.

    def phone(self, agent: Agent, report: object) -> None:
        """Hear what a phone tells of calls."""
        match report:
            case softphone.Answered(key):
                if self.tested(key, 200):
                    return
                call = self._callers.call(key)
                if call is not None and call.stream.group:
                    self._callers.heard_answer(key, self._log.now)
            case softphone.Over(key, status):
                if self.tested(key, status):
                    return
                call = self._callers.call(key)
                if call is not None and call.stream.group:
                    if status:
                        self._callers.refused(key, "", status, self._log.now)
                    else:
                        self._callers.over(key, self._log.now)
                self.disengage(key)
            case _:
                raise TypeError(f"the phone of agent {agent.number} reports {report!r}")


def _on(trunk: str, way: Way) -> Way | None:
    """Return the way by a trunk among those of a number."""
    return next((each for each in chain((way,), way.others) if each.route.trunk == trunk), None)
