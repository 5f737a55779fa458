"""Softphones and registrars as hosts on the simulated network: the counterpart of :mod:`sim.registrations`.

Here a phone has a line while it has been told that it is registered, the location service of its site has a contact of
it, and its office is not cut off. Whoever loses that notices nothing before a REGISTER, or a connection, tells.
"""

from collections.abc import Callable, Sequence
from functools import partial
from math import ceil

import simpy

from sbc.decisions.distribution import Agent
from sbc.decisions.registration import CLIENTS
from sbc.endpoints.phone import Disconnected, Kind, Phone, Registered, Set, SignOut, Turned, address_of_record
from sbc.endpoints.registrar import Bound, Identity, Location, RegistrarEndpoint, Service, SignInRefused, Unbound
from sbc.endpoints.wire import RELIABLE, Address, Datagram, Path
from sbc.sip.ids import Ids
from sbc.sip.message import Request
from sbc.sip.registrar import Terms
from sbc.sip.transaction import Send
from scenarios.model import Drill, Softphone
from sim.draws import Draws
from sim.lines import Roll, everyone
from sim.links import Link as Degraded
from sim.log import Log
from sim.packets.host import Host
from sim.packets.network import Link, Network
from sim.packets.topology import PRIVATE, Plan, addresses
from sim.packets.topology import site as site_segment
from sim.timer import later
from sim.world import World

PHONES = "phones"
"""The segment of phones without an office."""
LONGEST_EXPIRY = 2**32 - 1
"""Registrars here grant what a plan says, up to the most that a header can (RFC 3261 §20.19)."""


def office_segment(office: str | None) -> str:
    """Return the segment of the phones of an office, or of those without one."""
    return PHONES if office is None else f"office:{office}"


def _whole(seconds: float) -> int:
    """Return what a header says of a time: whole seconds, no fewer."""
    return ceil(seconds)


class _Line:
    """An agent's phone, and what is known of its registration."""

    __slots__ = ("agent", "half", "host", "link", "login", "phone", "registered", "turn")

    def __init__(self, agent: Agent, plan: Softphone, link: Link, phone: Phone, host: Host) -> None:
        self.agent = agent
        self.half = _whole(plan.expires) / 2
        self.login = plan.login
        self.link = link
        """The line of its office."""
        self.phone = phone
        self.host = host
        self.registered = False
        """Whether it has been told so since it was set to the site that it is set to."""
        self.turn = 0
        """Counts switches; a sign-in that ends after the next switch counts no more."""


class Registrations(Roll):
    """All phones of a drill and the registrars of its sites, each a host with an address of its own.

    Addresses as the plan of :mod:`sim.packets.topology` says; the registrar of a site is number 0.10 of its network.
    """

    def __init__(
        self,
        env: simpy.Environment,
        network: Network,
        drill: Drill,
        world: World,
        agents: Sequence[Agent],
        draws: Draws,
        log: Log,
        plan: Plan = PRIVATE,
        admits: Callable[[str, str | None], bool] = everyone,
    ) -> None:
        """``admits`` says whether phones of an office may register at a site."""
        super().__init__(env, log)
        self._admits = admits
        self._office = {name: group.office for name, group in drill.agents.items()}
        self._network = network
        self._world = world
        self._draws = draws
        self._ids = Ids(draws.bits("softphones:ids"))
        self._terms = {
            name: Terms(
                shortest=1,
                longest=LONGEST_EXPIRY,
                rate=site.register_rate,
                retry_after=None if site.retry_after is None else _whole(site.retry_after),
            )
            for name, site in drill.sites.items()
        }
        self.locations = {site: Location() for site in drill.sites}
        """Who is reached where, by site."""
        self.registrars: dict[str, Address] = {}
        """By site."""
        self._at: dict[str, Host] = {}
        for n, site in enumerate(drill.sites, 1):
            self.registrars[site] = self._place(f"{plan.sites(n)}.0.10", site_segment(site))
            host = self._at[site] = Host(env, network, f"registrar {site}", partial(self._registrar_tells, site))
            network.hold(host, self.registrars[site])
        self._high = dict.fromkeys(drill.sites, 0)
        """Most REGISTERs in one second that registrars had counted that are lost now."""
        self._identity: dict[str, None] = {}
        """The faults that keep people from signing in."""
        self._offices: dict[str | None, Link] = {}
        room = {}
        waits = draws.shares("softphones:waits", len(agents))
        for n, office in enumerate((None, *drill.offices)):
            self._offices[office] = link = Link()
            room[office] = addresses(plan.phones(n))
            for site in drill.sites:
                network.connect(office_segment(office), site_segment(site), link)
        self._kinds = {name: self._kind(group.softphone) for name, group in drill.agents.items()}
        self._phones: dict[Agent, _Line] = {}
        for agent in agents:
            group = drill.agents[agent.group]
            phone = Phone(
                agent.number,
                self._place(next(room[group.office]), office_segment(group.office)),
                self._kinds[agent.group],
                self._ids,
                partial(waits.next, agent.number),
            )
            host = Host(env, network, f"phone {agent.number}", partial(self._phone_tells, agent))
            kind = self._kinds[agent.group]
            # A phone is reached the way that it registers by; what TCP leads to may yet ask for UDP.
            network.hold(host, phone.address, transports=None if kind.transport in RELIABLE else (kind.transport,))
            self._phones[agent] = _Line(agent, group.softphone, self._offices[group.office], phone, host)
        self._by_user = {address_of_record(agent.number, "").user: line for agent, line in self._phones.items()}
        self.phone_tells: Callable[[Agent, object], None] = lambda agent, report: None
        """What a phone tells of its calls; whoever follows them sets it."""

    def begin(self) -> None:
        """Let the run begin on an ordinary day: phones at a site that works are registered, refreshes out of step.

        Each of them has sent a REGISTER half an expiry before its next refresh, and has been answered at once: phone
        and registrar have taken in the very messages, which no network had to carry. Connections stand.
        """
        now, draw = self._env.now, self._draws.uniforms("softphones:refresh")
        due = {line: next(draw) * line.half for line in self._phones.values()}
        endpoints = {site: self._registrar(site) for site in self._at}
        for line in sorted(due, key=due.__getitem__):
            site = line.agent.site
            if self._world.sites[site].works and self._admits(site, self._office[line.agent.group]):
                self._register_before(line, endpoints[site], now + due[line] - line.half)
        for site, host in self._at.items():
            endpoints[site].take()  # nobody has to be told of what was before
            host.start(endpoints[site])
        for line, wait in due.items():
            if line.registered:
                self._set_line(line.agent, up=True)
            else:
                line.phone.event(now, Set(line.agent.site, wait))
            line.host.start(line.phone)

    def _register_before(self, line: _Line, registrar: RegistrarEndpoint, then: float) -> None:
        phone = line.phone
        phone.event(then, Set(line.agent.site, 0.0))
        phone.fire(then)
        (sent,) = phone.take()
        assert isinstance(sent, Send)  # noqa: S101 - a phone that is set anew does nothing else
        assert isinstance(sent.message, Request)  # noqa: S101 - likewise
        assert isinstance(sent.flow, Path)  # noqa: S101 - endpoints have no other flows
        back = sent.flow.back()
        phone.receive(then, Datagram(back, registrar.begin(then, sent.message, back)))
        phone.take()
        line.registered = True
        if back.reliable:
            self._network.stands(sent.flow)

    # What others ask

    def high_registers(self) -> dict[str, int]:
        """Most REGISTERs that arrived at each site within one second since this was last asked."""
        high = {site: max(self._high[site], self._sample(site)) for site in self._at}
        self._high = dict.fromkeys(high, 0)
        return high

    def at_office(self, office: str, agent: Agent) -> bool:
        """Whether an agent works at an office."""
        return self._phones[agent].link is self._offices[office]

    def line_to(self, office: str) -> Degraded:
        """Return the line of an office, that faults degrade."""
        return self._offices[office].degraded

    # Calls

    def tell(self, agent: Agent, event: object) -> None:
        """Let an agent's phone do something: :class:`~sbc.endpoints.phone.Place`, ``HangUp``."""
        self._phones[agent].host.tell(event)

    # Switching

    def switch(self, agent: Agent, site: str, sign_in: float, done: Callable[[], None]) -> None:
        """Set a phone to a site, which takes ``sign_in`` seconds without a line; ``done`` hears when."""
        line, left, had_line = self._phones[agent], agent.site, self.has_line(agent)
        line.turn += 1
        line.host.tell(SignOut())
        line.registered = False
        if had_line:
            self._set_line(agent, up=False)
        agent.site = site
        if had_line:
            self._log_loss(agent.group, left, lost=0)
        if sign_in > 0:
            later(self._env, sign_in, partial(self._signed_in, line, line.turn, done))
        else:
            self._signed_in(line, line.turn, done)

    def _signed_in(self, line: _Line, turn: int, done: Callable[[], None]) -> None:
        if turn == line.turn:
            line.host.tell(Set(line.agent.site))
        done()

    # What breaks and what is repaired

    def registrar_lost(self, site: str) -> None:
        """A site's registrar ends with all that it knows; if the site is lost, its machine is gone as well."""
        host = self._at[site]
        if host.endpoint is not None:
            self._high[site] = max(self._high[site], self._sample(site))
        host.down_by = self._faults(site)
        host.kill(silent=bool(self._world.sites[site].down_by))
        self.locations[site].clear()
        self._cut_off([agent for agent in self._phones if agent.site == site and self.has_line(agent)])

    def registrar_back(self, site: str) -> None:
        """A registrar begins anew, with nothing, as soon as no fault keeps it down; or its site comes into service."""
        host, state = self._at[site], self._world.sites[site]
        host.down_by = self._faults(site)
        if host.down_by:
            host.silent = bool(state.down_by)
        elif host.endpoint is None:
            host.start(self._registrar(site))
        else:
            host.tell(Service(state.in_service))

    def registrar_closed(self, site: str) -> None:
        """A site refuses new registrations from now on."""
        self._at[site].tell(Service(is_open=False))

    def office_lost(self, office: str, fault: str) -> None:
        """No packet leaves or reaches an office any more; what registrars keep of its phones is no line."""
        link = self._offices[office]
        link.cut_by[fault] = None
        cut: dict[str, list[Agent]] = {}
        for agent, line in self._phones.items():
            if line.link is link and self.has_line(agent):
                cut.setdefault(agent.site, []).append(agent)
        for agents in cut.values():
            self._cut_off(agents)

    def office_back(self, office: str, fault: str) -> None:
        """An office is reachable again, its phones as far as their registrations have lasted."""
        link = self._offices[office]
        del link.cut_by[fault]
        for line in self._phones.values():
            if line.link is link:
                self._look_at(line)

    def identity_lost(self, fault: str) -> None:
        """Nobody can sign in any more."""
        self._identity[fault] = None
        self._tell_identity()

    def identity_back(self, fault: str) -> None:
        """People can sign in again; a phone that was refused meets that when it tries again."""
        del self._identity[fault]
        self._tell_identity()

    def _tell_identity(self) -> None:
        for host in self._at.values():
            host.tell(Identity(not self._identity))

    # What hosts tell

    def _registrar_tells(self, site: str, report: object) -> None:
        match report:
            case Bound(aor) | Unbound(aor):
                line = self._by_user[aor.partition("@")[0]]
                if line.agent.site == site:
                    self._look_at(line)
            case SignInRefused():
                self._log.effect(self._identity, "sign-in")

    def _phone_tells(self, agent: Agent, report: object) -> None:
        line = self._phones[agent]
        match report:
            case Registered():
                line.registered = True
                self._look_at(line)
            case Turned(site):
                line.registered = False
                self._look_at(line)
                agent.site = site
            case Disconnected(site):
                self._log.effect(self._faults(site), "registration")
            case _:
                self.phone_tells(agent, report)

    def _look_at(self, line: _Line) -> None:
        """Let an agent have a line, or none, as things stand."""
        agent = line.agent
        aor = address_of_record(agent.number, agent.site)
        if line.registered and not line.link.cut_by and aor in self.locations[agent.site]:
            self._gain_line(agent)
        elif self.has_line(agent):
            self._cut_off([agent])

    # Parts

    def _faults(self, site: str) -> dict[str, None]:
        state = self._world.sites[site]
        return state.down_by | state.registrar_down_by

    def _sample(self, site: str) -> int:
        endpoint = self._at[site].endpoint
        return endpoint.sample(self._env.now) if isinstance(endpoint, RegistrarEndpoint) else 0

    def _registrar(self, site: str) -> RegistrarEndpoint:
        return RegistrarEndpoint(
            self._ids,
            self.locations[site],
            self._terms[site],
            is_open=self._world.sites[site].in_service,
            identity=not self._identity,
            signs_in=lambda user: self._by_user[user].login,
            forbids=lambda user: not self._admits(site, self._office[self._by_user[user].agent.group]),
        )

    def _kind(self, plan: Softphone) -> Kind:
        client = CLIENTS[plan.client]
        return Kind(
            self.registrars,
            tuple(plan.sites) if plan.switch == "automatic" else (),
            client,
            _whole(plan.expires),
            plan.spread,
            "tcp" if client.connected else "udp",
        )

    def _place(self, host: str, segment: str) -> Address:
        self._network.place(host, segment)
        return Address(host)
