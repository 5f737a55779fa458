"""Registrations: every softphone's way to its registrar, one light timer for each phone.

Whether a phone has a line (:mod:`sim.lines`) follows from what its registrar keeps; what the phone itself believes is
the state of its machine, :mod:`sbc.decisions.registration`.
"""

from collections.abc import Callable, Sequence
from functools import partial
from math import inf
from typing import Any

import simpy

from sbc.decisions import registration as machine
from sbc.decisions.distribution import Agent
from sbc.decisions.link import Answers, comes_first, expecting
from sbc.decisions.registration import CLIENTS, Effect, Event, Persistence, Registrar, State, retry_after
from sbc.decisions.timers import TRANSACTION_TIMEOUT, non_invite_offsets
from scenarios.model import Drill, Softphone
from sim.draws import Draws
from sim.lines import Roll, everyone
from sim.links import Link
from sim.log import Log
from sim.timer import Timer, later
from sim.world import SiteState, World

OFFSETS = non_invite_offsets()


class Phone(Timer):
    """One softphone; it is set to the site of its agent."""

    __slots__ = (
        "agent", "answers", "arrives", "asked", "bound", "bound_until", "client", "half", "link", "office",
        "persistence", "plan", "resends", "sent", "state", "turn", "unheard",
    )  # fmt: skip

    def __init__(
        self,
        env: simpy.Environment,
        callbacks: list[Callable[[Any], None]],
        agent: Agent,
        plan: Softphone,
        office: dict[str, None],
        link: Link,
    ) -> None:
        super().__init__(env, callbacks)
        self.agent = agent
        self.plan = plan
        self.client = CLIENTS[plan.client]
        self.half = plan.expires / 2
        self.office = office
        """The faults that cut its office off."""
        self.link = link
        """The line of its office."""
        self.answers: Answers = ()
        self.arrives = False
        """Whether the timer is an answer that comes late."""
        self.unheard = False
        """Whether its last copy was late or lost on a line that is degraded, with the registrar none the wiser."""
        self.state = State.OFF
        self.bound = False
        """Whether the registrar keeps its registration."""
        self.bound_until = 0.0
        self.sent = 0.0
        self.resends = False
        """Whether the timer is a retransmission that will be answered, and not Timer F."""
        self.persistence = Persistence(self.client)
        self.asked = 0.0
        """Retry-After of the last answer."""
        self.turn = 0
        """Counts switches; a sign-in that ends after the next switch counts no more."""


class Registrations(Roll):
    """All phones of a drill and the registrars of its sites."""

    def __init__(
        self,
        env: simpy.Environment,
        drill: Drill,
        world: World,
        agents: Sequence[Agent],
        draws: Draws,
        log: Log,
        admits: Callable[[str, str | None], bool] = everyone,
    ) -> None:
        """``admits`` says whether phones of an office may register at a site."""
        super().__init__(env, log)
        self._world = world
        self._admits = admits
        self._office = {name: group.office for name, group in drill.agents.items()}
        self._registrars = {name: Registrar(site.register_rate) for name, site in drill.sites.items()}
        self._offices: dict[str | None, dict[str, None]] = {name: {} for name in (None, *drill.offices)}
        self._lines_to: dict[str | None, Link] = {name: Link() for name in (None, *drill.offices)}
        self._identity: dict[str, None] = {}
        """The faults that keep people from signing in."""
        self._on_due: list[Callable[[Any], None]] = [self._due]
        self._refreshes = draws.uniforms("softphones:refresh")
        self._waits = draws.shares("softphones:waits", len(agents))
        self._phones = {
            agent: Phone(
                env,
                self._on_due,
                agent,
                drill.agents[agent.group].softphone,
                self._offices[drill.agents[agent.group].office],
                self._lines_to[drill.agents[agent.group].office],
            )
            for agent in agents
        }
        self._bound: dict[str, dict[Phone, None]] = {site: {} for site in drill.sites}

    def begin(self) -> None:
        """Let the run begin on an ordinary day: phones at a site that works are registered, refreshes out of step."""
        for phone in self._phones.values():
            if self._world.sites[phone.agent.site].works and self._allows(phone):
                phone.state = State.REGISTERED
                phone.persistence.since = -inf
                self._keep(phone)
                self._set_line(phone.agent, up=True)
            else:
                phone.state = State.WAITING
            phone.at(self._env.now + next(self._refreshes) * phone.half)

    # What others ask

    def high_registers(self) -> dict[str, int]:
        """Most REGISTERs that arrived at each site within one second since this was last asked."""
        return {site: registrar.sample(self._env.now) for site, registrar in self._registrars.items()}

    # Switching

    def switch(self, agent: Agent, site: str, sign_in: float, done: Callable[[], None]) -> None:
        """Set a phone to a site, which takes ``sign_in`` seconds without a line; ``done`` hears when."""
        phone, left = self._phones[agent], agent.site
        had_line = self.has_line(agent)
        if phone.state is not State.OFF:
            self._tell(phone, Event.SIGNED_OUT)
        phone.turn += 1
        agent.site = site
        phone.persistence.begin()
        if sign_in > 0:
            later(self._env, sign_in, partial(self._signed_in, phone, phone.turn, done))
        else:
            self._signed_in(phone, phone.turn, done)
        if had_line and not self.has_line(agent):
            self._log_loss(agent.group, left, lost=0)  # it left, and nothing has taken it in yet

    def _signed_in(self, phone: Phone, turn: int, done: Callable[[], None]) -> None:
        if turn == phone.turn:
            self._tell(phone, Event.SET)
        done()

    # What breaks and what is repaired

    def registrar_lost(self, site: str) -> None:
        """The registrations of a site are gone; only phones with a connection notice before their next refresh."""
        lost = list(self._bound[site])
        self._lose(lost)
        noticing = [phone for phone in lost if phone.client.connected and not phone.office]
        for phone in noticing:
            if phone.state in (State.REGISTERED, State.REGISTERING):
                phone.persistence.failed(self._env.now)
                self._tell(phone, Event.DISCONNECTED)
        if noticing:
            state = self._world.sites[site]
            self._log.effect((*state.down_by, *state.registrar_down_by), "registration")

    def registrar_back(self, site: str) -> None:
        """A registrar answers again: it hears the next retransmission of every REGISTER that is under way."""
        for phone in self._phones.values():
            if phone.agent.site == site:
                self._resend(phone)

    def office_lost(self, office: str, fault: str) -> None:
        """No packet leaves or reaches an office any more; what registrars keep of its phones is no line."""
        self._offices[office][fault] = None
        cut: dict[str, list[Agent]] = {}
        for phone in self._phones.values():
            if phone.office is self._offices[office] and self.has_line(phone.agent):
                cut.setdefault(phone.agent.site, []).append(phone.agent)
        for agents in cut.values():
            self._cut_off(agents)

    def office_back(self, office: str, fault: str) -> None:
        """An office is reachable again, its phones as far as their registrations have lasted."""
        down_by = self._offices[office]
        del down_by[fault]
        if down_by:
            return
        for phone in self._phones.values():
            if phone.office is down_by:
                self._resend(phone)
                if phone.bound:
                    self._gain_line(phone.agent)

    def line_to(self, office: str) -> Link:
        """Return the line of an office, that faults degrade."""
        return self._lines_to[office]

    def at_office(self, office: str, agent: Agent) -> bool:
        """Whether an agent works at an office."""
        return self._phones[agent].office is self._offices[office]

    def identity_lost(self, fault: str) -> None:
        """Nobody can sign in any more."""
        self._identity[fault] = None

    def identity_back(self, fault: str) -> None:
        """People can sign in again; a phone that was refused meets that when it tries again."""
        del self._identity[fault]

    def _resend(self, phone: Phone) -> None:
        if phone.state is State.REGISTERING and not phone.resends and not phone.arrives:
            after = next((offset for offset in OFFSETS if phone.sent + offset > self._env.now), None)
            if after is not None:
                phone.resends = True
                phone.at(phone.sent + after)

    # The machine of one phone

    def _due(self, phone: Phone) -> None:
        if phone.stale(self._on_due):
            return
        if phone.state is not State.REGISTERING:
            self._tell(phone, Event.DUE)
        elif phone.arrives:
            phone.answers = phone.answers[1:]
            self._arrive(phone)
        elif phone.resends:
            self._send(phone)
        else:
            self._fail(phone, kept=phone.unheard)

    def _tell(self, phone: Phone, event: Event) -> None:
        phone.state, effects = machine.step(phone.state, event)
        for effect in effects:
            match effect:
                case Effect.SEND:
                    phone.sent = self._env.now
                    phone.answers = ()
                    phone.asked = 0.0
                    self._send(phone)
                case Effect.UP:
                    self._up(phone)
                case Effect.REFRESH_LATER:
                    phone.at(self._env.now + phone.half)
                case Effect.RETRY_LATER:
                    phone.at(self._env.now + self._pause(phone))
                case Effect.START:
                    self._start(phone)
                case Effect.NEXT_SITE:
                    sites = phone.plan.sites
                    at = sites.index(phone.agent.site) if phone.agent.site in sites else -1
                    phone.agent.site = sites[(at + 1) % len(sites)]
                case Effect.DOWN:
                    phone.due = inf
                    self._give_up(phone)

    def _start(self, phone: Phone) -> None:
        if phone.client.start:
            phone.at(self._env.now + self._waits.next(phone.agent.number) * phone.client.start)
        else:
            self._tell(phone, Event.DUE)

    def _pause(self, phone: Phone) -> float:
        pause = retry_after(
            phone.client,
            phone.persistence.failures,
            self._waits.next(phone.agent.number),
            expires=phone.plan.expires,
            since_sent=self._env.now - phone.sent,
            line=phone.bound,
            asked=phone.asked,
        )
        spread = phone.plan.spread
        return pause + spread * self._waits.next(phone.agent.number) if spread else pause

    def _send(self, phone: Phone) -> None:
        """Send a REGISTER, for the first time or again; on a degraded line its answer may be late or lost."""
        if phone.link.degraded_by and not phone.office:
            there_and_back = [phone.link.crossing(self._log, "registration") for _ in range(2)]
            phone.answers = expecting(phone.answers, self._env.now, there_and_back)
            if not comes_first(phone.answers, self._env.now):
                if self._env.now == phone.sent:
                    self._expire_later(phone)
                phone.unheard = True
                self._wait_for_answer(phone)
                return
            phone.answers = phone.answers[1:]
        self._arrive(phone)

    def _wait_for_answer(self, phone: Phone) -> None:
        """Wait for an answer on its way, the next copy or Timer F, whichever comes first."""
        after = next((offset for offset in OFFSETS if phone.sent + offset > self._env.now), None)
        until = phone.sent + (TRANSACTION_TIMEOUT if after is None else after)
        phone.arrives = comes_first(phone.answers, until)
        phone.resends = after is not None and not phone.arrives
        phone.at(phone.answers[0] if phone.arrives else until)

    def _arrive(self, phone: Phone) -> None:
        """Let a REGISTER meet what there is at its site."""
        phone.resends = phone.arrives = phone.unheard = False
        site = self._world.sites[phone.agent.site]
        if phone.office:
            self._log.effect(phone.office, "registration")
            phone.at(phone.sent + TRANSACTION_TIMEOUT)
        elif site.down_by or site.registrar_down_by:
            self._log.effect((*site.down_by, *site.registrar_down_by), "registration")
            if phone.client.connected:
                self._fail(phone, kept=False)
            else:
                phone.at(phone.sent + TRANSACTION_TIMEOUT)
        elif site.in_service and not self._allows(phone):
            self._fail(phone, kept=True, final=True)
        elif self._takes(phone, site):
            self._tell(phone, Event.ACCEPTED)
        else:
            self._fail(phone, kept=True)

    def _allows(self, phone: Phone) -> bool:
        """Whether its site allows the address of its office (Z7)."""
        return self._admits(phone.agent.site, self._office[phone.agent.group])

    def _takes(self, phone: Phone, site: SiteState) -> bool:
        if not site.in_service:
            return False
        if self._identity and phone.plan.login and not phone.bound:
            self._log.effect(self._identity, "sign-in")
            return False
        if self._registrars[site.name].arrives(self._env.now):
            return True
        phone.asked = site.retry_after
        return False

    def _fail(self, phone: Phone, *, kept: bool, final: bool = False) -> None:
        """A REGISTER has failed; ``kept``: the registrar is there, and keeps an earlier one until that expires.

        ``final``: the answer is no 503, and no other registrar is tried after it.
        """
        tries_on = phone.plan.switch == "automatic" and not final
        advances = tries_on and phone.persistence.tries_another(len(phone.plan.sites))
        if phone.bound and (advances or not kept):
            self._lose([phone])
        else:
            self._expire_later(phone)
        if advances:
            self._tell(phone, Event.ADVANCE)
        else:
            phone.persistence.failed(self._env.now)
            self._tell(phone, Event.FAILED)

    def _up(self, phone: Phone) -> None:
        phone.persistence.accepted(self._env.now)
        self._keep(phone)
        self._gain_line(phone.agent)

    def _keep(self, phone: Phone) -> None:
        phone.bound = True
        phone.bound_until = self._env.now + phone.plan.expires
        self._bound[phone.agent.site][phone] = None

    def _expire_later(self, phone: Phone) -> None:
        """An earlier registration that is not renewed lasts until it expires."""
        if phone.bound:
            left = max(phone.bound_until - self._env.now, 0.0)
            later(self._env, left, partial(self._expire, phone, phone.bound_until))

    def _expire(self, phone: Phone, bound_until: float) -> None:
        if phone.bound and phone.bound_until == bound_until:
            self._lose([phone])

    # Lines

    def _give_up(self, phone: Phone) -> None:
        """The phone leaves its site by itself or by its agent's hand."""
        if phone.bound:
            phone.bound = False
            del self._bound[phone.agent.site][phone]
        if self.has_line(phone.agent):
            self._set_line(phone.agent, up=False)

    def _lose(self, phones: Sequence[Phone]) -> None:
        """Registrars forget phones, all of one site."""
        for phone in phones:
            phone.bound = False
            del self._bound[phone.agent.site][phone]
        self._cut_off([phone.agent for phone in phones if self.has_line(phone.agent)])
