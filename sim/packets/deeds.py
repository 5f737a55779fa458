"""What the steps of a runbook do to real endpoints."""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import count
from typing import Any

from sbc.decisions.distribution import Agent
from sbc.decisions.routing import NoRoute
from sbc.endpoints.passing import Drain, Resume, Service
from sbc.endpoints.phone import HangUp as HangUpHere
from sbc.endpoints.phone import Place
from sbc.endpoints.reception import CLOSED
from sbc.endpoints.subscriber import Dial, HangUp
from sbc.endpoints.wire import Address
from scenarios.evidence import EventKind
from scenarios.model import Drill, Ports, VerifyOut
from sim.deeds import log_drain, tested_out
from sim.log import Log
from sim.packets.host import Host
from sim.packets.registrations import Registrations
from sim.packets.stage import SbcPairs
from sim.phones import Phones
from sim.world import World

_TEST = "test-"
"""What the keys of test calls begin with; those of callers are numbers."""


class Deeds:
    """The deeds of the `packets` engine; see :class:`sim.deeds.Deeds`."""

    def __init__(
        self,
        world: World,
        carrier: Host,
        pairs: SbcPairs,
        phones: Phones[Any],
        registrations: Registrations,
        drill: Drill,
        centres: Mapping[str, Address],
        log: Log,
        place: Callable[[Callable[[], None]], None],
    ) -> None:
        """``centres``: the contact centre's address at each site; ``place`` carries out what places a call, as soon as
        one may be placed."""
        self._world = world
        self._carrier = carrier
        self._pairs = pairs
        self._phones = phones
        self._registrations = registrations
        self._queues = drill.queue_table()
        self._callees = {
            step.does: (drill.called_by_test(step.does) or "").replace("-", "")
            for step in drill.runbook
            if isinstance(step.does, VerifyOut)
        }
        self._centres = centres
        self._log = log
        self._place = place
        self._tests: dict[str, Callable[[int], None]] = {}
        """By key of the test call, who hears what it has heard."""
        self._numbers = count(1)

    def activate(self, site: str) -> None:
        """Take a site into service."""
        self._world.sites[site].in_service = True
        self._log.entry(EventKind.ACTIVATED, site)
        self._serve(site, open_=True)

    def deactivate(self, site: str) -> None:
        """Let a site refuse new calls and registrations."""
        self._world.sites[site].in_service = False
        self._log.entry(EventKind.DEACTIVATED, site)
        self._serve(site, open_=False)

    def _serve(self, site: str, *, open_: bool) -> None:
        for pair in self._pairs.of_site(site):
            self._pairs.tell(pair.name, Service(open_))
        if open_:
            self._registrations.registrar_back(site)
        else:
            self._registrations.registrar_closed(site)

    def default_caller(self, number: str) -> None:
        """Let outbound calls show a number unless they show another (Z32)."""
        self._world.default_caller = number
        self._log.entry(EventKind.CALLER_NUMBER, number, of="default")

    def caller_numbers(self, group: str, number: str) -> None:
        """Let the terminals of a group show a number (Z37)."""
        self._world.caller_numbers[group] = number
        self._log.entry(EventKind.CALLER_NUMBER, number, of=group)

    def repoint(self, number: str, to: str) -> None:
        """Send calls to a number on to another (Z38)."""
        self._world.repoint(number, to)
        self._log.entry(EventKind.REROUTED, number, to=to)

    def forward(self, number: str, to: str) -> None:
        """Let the carrier forward calls to a number (Z39)."""
        self._world.forward(number, to)
        self._log.entry(EventKind.FORWARDED, number, to=to)

    def announce(self, number: str, to: str, reaches: float) -> None:
        """Let a share of callers know that a number has changed (Z20)."""
        self._world.announced[number] = to, reaches
        self._log.entry(EventKind.ANNOUNCED, number, to=to, reaches=reaches)

    def drain(self, pair: str, retry_after: float | None) -> None:
        """Let a pair refuse new calls, as planned."""
        self._world.pairs[pair].drained = True
        self._world.pairs[pair].retry_after = retry_after
        self._pairs.tell(pair, Drain(retry_after))
        log_drain(self._log, pair, retry_after)

    def resume(self, pair: str) -> None:
        """Let it take calls again."""
        self._world.pairs[pair].drained = False
        self._pairs.tell(pair, Resume())
        self._log.entry(EventKind.RESUMED, pair)

    def change_ports(self, limits: Ports) -> None:
        """Let other contract-wide limits hold; calls above a lowered one go on."""
        self._world.change_ports(limits)

    def can_switch(self, pair: str) -> bool:
        """Whether both nodes of a pair work, so that they can change roles."""
        return self._pairs.can_switch(pair)

    def switch(self, pair: str) -> None:
        """Let the serving node of a pair resign."""
        self._pairs.switch(pair)

    def verify(self, number: str, then: Callable[[bool], None]) -> None:
        """Place a test call; it is hung up as soon as it rings or is answered."""
        key = f"{_TEST}{next(self._numbers)}"

        def heard(status: int) -> None:
            self._carrier.tell(HangUp(key))
            self._came_through(number, then, status)

        self._tests[key] = heard
        self._place(partial(self._carrier.tell, Dial(key, number)))

    def _came_through(self, number: str, then: Callable[[bool], None], status: int) -> None:
        """A test call to a queue has come through if somebody could answer it, or it hears that it is closed."""
        route = self._world.routing.route(number)
        reached = status < 300
        if not isinstance(route, NoRoute) and self._world.is_closed(route):
            reached = status == CLOSED
        elif reached and not isinstance(route, NoRoute) and route.queue is not None:
            site = self._world.trunks[route.trunk].pair.site.name
            reached = self._phones.answering(self._queues[route.queue].agents, site)
        then(reached)

    def verify_out(self, test: VerifyOut, then: Callable[[bool], None]) -> None:
        """Place test calls out, one after the other; each is hung up as soon as it is answered (Z40)."""
        agent, callee = self._phones.with_line(test.verify_out), self._callees[test]
        if agent is None:
            then(False)
        else:
            self._test_out(agent, callee, list(tested_out(self._world, test.verify_out)), then)

    def _test_out(self, agent: Agent, callee: str, wishes: list[str], then: Callable[[bool], None]) -> None:
        key = f"{_TEST}{next(self._numbers)}"
        wish, *others = wishes

        def heard(status: int) -> None:
            left = status < 300
            if left:
                self._registrations.tell(agent, HangUpHere(key))
            if left and others:
                self._test_out(agent, callee, others, then)
            else:
                then(left)

        self._tests[key] = heard
        place = Place(key, callee, wish, self._centres[agent.site])
        self._place(partial(self._registrations.tell, agent, place))

    def tested(self, key: str, status: int) -> bool:
        """Hear what a test call has heard first, 100 aside; false for a call that is none."""
        if not key.startswith(_TEST):
            return False
        then = self._tests.pop(key, None)
        if then is not None:
            then(status)
        return True

    def works(self, site: str) -> bool:
        """Whether a site is in service and not lost."""
        return self._world.sites[site].works

    def idle(self, pair: str) -> bool:
        """Whether no call is up on a pair."""
        return not any(node.calls for node in self._world.pairs[pair].nodes)

    def registered(self, group: str, site: str) -> int:
        """Return how many phones of a group have a line at a site."""
        return self._registrations.registered(group, site)
