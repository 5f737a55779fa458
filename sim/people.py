"""The people of the runbook: they decide, begin, fail, repeat and finish, and their steps change the world."""

from collections.abc import Set
from functools import partial
from math import inf
from typing import Any, NamedTuple

import simpy

from sbc.decisions import runbook as book
from sbc.decisions.distribution import Agent
from sbc.decisions.reach import stand_ins
from scenarios.evidence import EventKind
from scenarios.model import (
    Activate,
    Announce,
    CallerNumbers,
    Deactivate,
    DefaultCaller,
    Delete,
    Drain,
    Drill,
    Enter,
    Export,
    Forward,
    LookAtSync,
    RequestPorts,
    Reroute,
    Resume,
    ResumeSync,
    Step,
    SwitchNodes,
    SwitchSoftphones,
    Verify,
    VerifyOut,
)
from sim.conditions import Conditions
from sim.deeds import Deeds
from sim.draws import Draws, Shares
from sim.hours import Hours
from sim.log import Log
from sim.phones import Phones, Switch
from sim.port_requests import PortRequests
from sim.search import Search
from sim.sync import Sync
from sim.timer import later

_BETWEEN_TRIES = 1.0
"""Seconds that a repeated try takes at least, so that a step of no length cannot repeat for ever in one moment."""


_BETWEEN_LOOKS = 1.0
"""Seconds after which people look again at what they wait for; no call has to tell them."""


class Crowd(NamedTuple):
    """What chance has in store for each agent of a group who is to switch the phone."""

    takes: Shares
    luck: Shares
    slips: Shares
    sign_in: Shares | None
    """None where signing in takes no time."""

    @classmethod
    def of(cls, step: Step, action: SwitchSoftphones, count: int, draws: Draws) -> "Crowd":
        """Return that of a step, for ``count`` agents."""
        name = f"step:{step.step}"
        return cls(
            draws.shares(f"{name}:takes", count, step.takes),
            draws.shares(f"{name}:fails", count),
            draws.shares(f"{name}:slips", count),
            None if action.login is None else draws.shares(f"{name}:login", count, action.login),
        )


def _length(drawn: float, tries: int) -> float:
    return drawn if tries == 1 else max(drawn, _BETWEEN_TRIES)


class People:
    """Carries out the effects of the runbook machine."""

    def __init__(
        self,
        env: simpy.Environment,
        drill: Drill,
        deeds: Deeds,
        sync: Sync,
        phones: Phones[Any],
        repaired: Set[str],
        hours: Hours,
        draws: Draws,
        log: Log,
    ) -> None:
        """``repaired``: the faults that are over, which changes as the run goes on."""
        self._env = env
        self._deeds = deeds
        self._sync = sync
        self._phones = phones
        self._groups = drill.agents
        self._log = log
        self._port_requests = PortRequests(env, drill, deeds.change_ports, draws, log)
        self._conditions = Conditions(drill, deeds, repaired, self._port_requests.granted)
        self._unmet: dict[str, str] = {}
        """What each waiting step was last seen to wait for."""
        self._looks_again = False
        self._steps = {step.step: step for step in drill.runbook}
        self._stand_ins = {name: stand_ins(drill.actors, name) for name in drill.actors}
        self._book = book.Runbook(drill.runbook, self._stand_ins)
        self._search = Search(drill, self._stand_ins, hours.openings, draws)
        self._sought: dict[str, float] = {}
        """When the search for somebody to take a step began."""
        self._takes = {name: draws.values(f"step:{name}:takes", step.takes) for name, step in self._steps.items()}
        self._luck = {name: draws.uniforms(f"step:{name}:fails") for name in self._steps}
        self._crowds = {
            name: Crowd.of(step, step.does, drill.agents[step.does.softphones].count, draws)
            for name, step in self._steps.items()
            if isinstance(step.does, SwitchSoftphones)
        }
        self._delay = {
            name: draws.values(f"step:{name}:delay", step.starts.delay)
            for name, step in self._steps.items()
            if step.starts is not None and step.starts.delay is not None
        }

        for name, step in self._steps.items():
            if step.starts is not None and step.starts.at is not None:
                later(env, step.starts.at - env.now, partial(self._planned, name))

    def _planned(self, name: str) -> None:
        self._carry_out(self._book.planned(name))

    def notice(self, fault: str) -> None:
        """A fault happens that steps wait for."""
        self._conditions.happened(fault)
        self._carry_out(self._book.fault(fault))

    def _carry_out(self, effects: list[book.Effect]) -> None:
        self._perform(effects)
        self._look()

    def _look(self) -> None:
        """People whose steps wait for conditions see whether they hold, and look again as long as any step waits."""
        for name in self._book.waiting():
            self._look_at(name)
        if not self._looks_again and self._book.waiting():
            self._looks_again = True
            later(self._env, _BETWEEN_LOOKS, self._look_again)

    def _look_again(self) -> None:
        self._looks_again = False
        self._look()

    def _look_at(self, name: str) -> None:
        unmet = "; ".join(self._conditions.unmet(self._steps[name]))
        before = self._unmet.get(name, "")
        if unmet != before:
            if not unmet:
                self._log.entry(EventKind.CONDITIONS_MET, name)
            elif not before:
                self._log.entry(EventKind.STEP_WAITING, name, unmet=unmet)
            self._unmet[name] = unmet
        if not unmet:
            self._perform(self._book.conditions_met(name))

    def _perform(self, effects: list[book.Effect]) -> None:
        for effect in effects:
            match effect:
                case book.Released(name, by):
                    self._log.entry(EventKind.STEP_READY, name, released_by=by)
                    delay = next(self._delay[name]) if name in self._delay else 0.0
                    later(self._env, delay, partial(self._decided, name))
                case book.Sought(name):
                    self._seek(name)
                case book.Found(name, by):
                    if name in self._sought:
                        waited = self._env.now - self._sought[name]
                        self._log.entry(EventKind.ACTOR_REACHED, name, by=by, waited=waited)
                case book.Begin(name, tries):
                    if tries == 1:
                        self._log.entry(EventKind.STEP_STARTED, name, by=self._book.actor(name))
                    self._begin(name, tries)
                case book.Finished(name):
                    self._apply(name)
                    self._log.entry(EventKind.STEP_FINISHED, name)

    def _decided(self, name: str) -> None:
        self._carry_out(self._book.delay_over(name))

    def _seek(self, name: str) -> None:
        """Call those who may take a step; whoever is reached first is there."""
        actor, at = self._search.first(name, self._env.now)
        if at <= self._env.now:
            self._carry_out(self._book.reached(actor))
            return
        self._sought[name] = self._env.now
        self._log.entry(EventKind.ACTOR_SOUGHT, name, by=self._steps[name].by)
        if at < inf:
            later(self._env, at - self._env.now, partial(self._answers, name, actor))

    def _answers(self, name: str, actor: str) -> None:
        """An actor called for a step is reached; if somebody takes it already, the call is not made."""
        if self._book.state(name) is book.State.SOUGHT:
            self._carry_out(self._book.reached(actor))

    # Tries

    def _begin(self, name: str, tries: int) -> None:
        action = self._steps[name].does
        if isinstance(action, SwitchSoftphones):
            left: set[Agent] = set()
            # Nobody waits for those who are off duty: they do it when they come.
            present = [
                agent
                for agent in self._phones.of_group(action.softphones)
                if not self._phones.when_on_duty(agent, partial(self._switch_one, name, action, agent, left))
            ]
            left.update(present)
            for agent in present:
                self._switch_one(name, action, agent, left)
            if not present:
                later(self._env, 0.0, lambda: self._carry_out(self._book.tried(name, succeeded=True)))
        else:
            takes = next(self._takes[name])
            if isinstance(action, Export) and action.each is not None:
                takes += action.each * self._log.answered[action.site]
            later(self._env, _length(takes, tries), partial(self._tried, name))

    def _tried(self, name: str) -> None:
        if next(self._luck[name]) < self._steps[name].fails:
            self._came_out(name, succeeded=False)
            return
        match self._steps[name].does:
            case SwitchNodes(switch=pair):
                self._came_out(name, succeeded=self._deeds.can_switch(pair))
            case RequestPorts():
                self._came_out(name, succeeded=self._port_requests.can_file())
            case ResumeSync():
                self._came_out(name, succeeded=self._sync.can_resume())
            case Verify(verify=number):
                self._deeds.verify(number, lambda reached: self._came_out(name, succeeded=reached))
            case VerifyOut() as test:
                self._deeds.verify_out(test, lambda left: self._came_out(name, succeeded=left))
            case _:
                self._came_out(name, succeeded=True)

    def _came_out(self, name: str, *, succeeded: bool) -> None:
        if not succeeded:
            self._log.entry(EventKind.STEP_REPEATED, name)
        self._carry_out(self._book.tried(name, succeeded))

    def _switch_one(self, name: str, action: SwitchSoftphones, agent: Agent, left: set[Agent], tries: int = 1) -> None:
        """One agent switches one phone; the step is over when the last has, and none has slipped back (Z35)."""
        before, crowd = agent.site, self._crowds[name]
        one = agent.number - self._phones.of_group(agent.group)[0].number

        def tried() -> None:
            if crowd.luck.next(one) < self._steps[name].fails:
                again()
            elif self._groups[agent.group].softphone.stays:
                done()
            else:
                sign_in = 0.0 if crowd.sign_in is None else crowd.sign_in.next(one)
                # Who slips does so at once: no registrar has answered yet, and no call has come.
                site, then = (before, again) if crowd.slips.next(one) < action.slips else (action.site, done)
                self._phones.switch(agent, Switch(site, sign_in, then))

        def done() -> None:
            if agent in left:
                left.remove(agent)
                if not left:
                    self._carry_out(self._book.tried(name, succeeded=True))

        def again() -> None:
            self._log.entry(EventKind.STEP_REPEATED, name, agent=agent.number)
            self._switch_one(name, action, agent, left, tries + 1)

        later(self._env, _length(crowd.takes.next(one), tries), tried)

    # Effects

    def _apply(self, name: str) -> None:
        deeds = self._deeds
        match self._steps[name].does:
            case Activate(activate=site):
                deeds.activate(site)
                self._sync.activated(site)
            case Deactivate(deactivate=site):
                deeds.deactivate(site)
            case DefaultCaller(default_caller=number):
                deeds.default_caller(number)
            case CallerNumbers(caller_numbers=group, to=number):
                deeds.caller_numbers(group, number)
            case Reroute(route=number, to=to):
                deeds.repoint(number, to)
            case Forward(forward=number, to=to):
                deeds.forward(number, to)
            case Announce(announce=number, to=to, reaches=share):
                deeds.announce(number, to, share)
            case Drain(drain=pair, retry_after=retry_after):
                deeds.drain(pair, retry_after)
            case Resume(resume=pair):
                deeds.resume(pair)
            case SwitchNodes(switch=pair):
                deeds.switch(pair)
            case RequestPorts(request_ports=limits):
                self._port_requests.file(name, self._book.actor(name), limits)
            case Enter(enter=change, site=site):
                self._sync.enter(change, site)
            case LookAtSync(look_at_sync=site):
                self._sync.look_at(site)
            case ResumeSync(resume_sync=site):
                self._sync.resume(site)
            case Export(export=data, site=site):
                self._sync.export(data, site)
            case Delete(delete=data, site=site):
                self._sync.delete(data, site)
            case SwitchSoftphones() | Verify() | VerifyOut() | None:
                pass
