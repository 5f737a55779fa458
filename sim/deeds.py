"""What the steps of a runbook do to the parts of the plan, and what people see of it: one interface for all engines."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from scenarios.evidence import EventKind
from scenarios.model import Ports, Queue, VerifyOut
from sim.log import Log
from sim.pairs import Pairs
from sim.phones import Phones
from sim.world import World


class Deeds(Protocol):
    """What an engine lets people do and see."""

    def activate(self, site: str) -> None:
        """Take a site into service."""

    def deactivate(self, site: str) -> None:
        """Let a site refuse new calls and registrations."""

    def default_caller(self, number: str) -> None:
        """Let outbound calls show a number unless they show another (Z32)."""

    def caller_numbers(self, group: str, number: str) -> None:
        """Let the terminals of a group show a number (Z37)."""

    def repoint(self, number: str, to: str) -> None:
        """Send calls to a number on to another (Z38)."""

    def forward(self, number: str, to: str) -> None:
        """Let the carrier forward calls to a number (Z39)."""

    def announce(self, number: str, to: str, reaches: float) -> None:
        """Let a share of callers know that a number has changed (Z20)."""

    def drain(self, pair: str, retry_after: float | None) -> None:
        """Let a pair refuse new calls, as planned."""

    def resume(self, pair: str) -> None:
        """Let it take calls again."""

    def change_ports(self, limits: Ports) -> None:
        """Let other contract-wide limits hold; calls above a lowered one go on."""

    def can_switch(self, pair: str) -> bool:
        """Whether both nodes of a pair work, so that they can change roles."""

    def switch(self, pair: str) -> None:
        """Let the serving node of a pair resign."""

    def verify(self, number: str, then: Callable[[bool], None]) -> None:
        """Place a test call; ``then`` hears, now or later, whether somebody could answer it."""

    def verify_out(self, test: VerifyOut, then: Callable[[bool], None]) -> None:
        """Place test calls out; ``then`` hears, now or later, whether each of them has left (Z40)."""

    def works(self, site: str) -> bool:
        """Whether a site is in service and not lost."""

    def idle(self, pair: str) -> bool:
        """Whether no call is up on a pair."""

    def registered(self, group: str, site: str) -> int:
        """Return how many phones of a group have a line at a site."""


class Steps:
    """The deeds of the `calls` engine."""

    def __init__(self, world: World, phones: Phones[Any], pairs: Pairs, queues: Mapping[str, Queue], log: Log) -> None:
        self._world = world
        self._phones = phones
        self._pairs = pairs
        self._queues = queues
        self._log = log

    def activate(self, site: str) -> None:
        """Take a site into service."""
        self._world.sites[site].in_service = True
        self._log.entry(EventKind.ACTIVATED, site)
        self._phones.registrations.registrar_back(site)

    def deactivate(self, site: str) -> None:
        """Let a site refuse new calls and registrations."""
        self._world.sites[site].in_service = False
        self._log.entry(EventKind.DEACTIVATED, site)

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
        log_drain(self._log, pair, retry_after)

    def resume(self, pair: str) -> None:
        """Let it take calls again."""
        self._world.pairs[pair].drained = False
        self._log.entry(EventKind.RESUMED, pair)

    def change_ports(self, limits: Ports) -> None:
        """Let other contract-wide limits hold; calls above a lowered one go on."""
        self._world.change_ports(limits)

    def can_switch(self, pair: str) -> bool:
        """Whether both nodes of a pair work, so that they can change roles."""
        return self._pairs.can_switch(self._world.pairs[pair])

    def switch(self, pair: str) -> None:
        """Let the serving node of a pair resign."""
        self._pairs.switch(self._world.pairs[pair])

    def verify(self, number: str, then: Callable[[bool], None]) -> None:
        """Say at once whether a test call would reach somebody who could answer."""
        route = self._world.reachable(number, self._log.now, self._log)
        if route is None:
            then(False)
        elif route.queue is None or self._world.is_closed(route):
            then(True)
        else:
            site, queue = self._world.trunks[route.trunk].pair.site.name, self._queues[route.queue]
            reached = self._phones.answering(queue.agents, site)
            if queue.ivr is None:  # else an announcement has answered
                self._phones.take_test_call(route.queue, site)
            then(reached)

    def verify_out(self, test: VerifyOut, then: Callable[[bool], None]) -> None:
        """Say at once whether test calls from a phone of the group would leave (Z40)."""
        agent = self._phones.with_line(test.verify_out)
        numbers = tested_out(self._world, test.verify_out).values()
        then(
            agent is not None
            and all(
                number is not None and self._world.leaves(number, agent.site, self._log.now, self._log)
                for number in numbers
            )
        )

    def works(self, site: str) -> bool:
        """Whether a site is in service and not lost."""
        return self._world.sites[site].works

    def idle(self, pair: str) -> bool:
        """Whether no call is up on a pair."""
        return not any(node.calls for node in self._world.pairs[pair].nodes)

    def registered(self, group: str, site: str) -> int:
        """Return how many phones of a group have a line at a site."""
        return self._phones.registrations.registered(group, site)


def tested_out(world: World, group: str) -> dict[str, str | None]:
    """Return what outbound test calls of a group show, by what their phone asks for: the default number, and the
    terminal's own if it has one (Z32, Z37)."""
    default, terminal = world.default_caller, world.caller_numbers[group]
    return {"default": default} if terminal is None else {"default": default, "terminal": terminal}


def log_drain(log: Log, pair: str, retry_after: float | None) -> None:
    """Write down that a pair is drained."""
    log.entry(EventKind.DRAINED, pair, **({} if retry_after is None else {"retry_after": retry_after}))
