"""The faults of a drill on its timeline: each happens, is noticed, and is repaired if it does not last."""

from collections.abc import Callable, Generator
from functools import partial
from typing import Any, TypeVar

import simpy

from scenarios.evidence import EventKind
from scenarios.model import Drill, Fault
from sim.log import Log

Repair = Callable[[], None]
How = TypeVar("How")


def play_faults(
    env: simpy.Environment,
    drill: Drill,
    log: Log,
    breaks: Callable[[Fault], Repair],
    notice: Callable[[str], None],
    repaired: set[str],
) -> None:
    """Let every fault happen at its time; ``breaks`` does what it does and returns what repairs it.

    ``notice`` hears of every fault that happens; ``repaired`` gets those that are over.
    """

    def happen(fault: Fault) -> Generator[simpy.Event, Any, None]:
        yield env.timeout(fault.at - env.now)
        target = next(iter(fault.targets.values()))
        stated = {"loss": fault.loss, "refuses": fault.refuses, "retry_after": fault.retry_after}
        shares = {name: value for name, value in stated.items() if value is not None}
        log.entry(EventKind.FAULT, fault.name, target=target, fails=fault.fails, how=fault.how, **shares)
        repair = breaks(fault)
        notice(fault.name)
        if fault.lasts is not None:
            yield env.timeout(fault.lasts)
            log.entry(EventKind.REPAIRED, fault.name, target=target)
            repair()
            repaired.add(fault.name)

    for fault in drill.faults:
        env.process(happen(fault))


def hold_down(down_by: dict[str, None], fault: str) -> Repair:
    """Hold a part down by a fault, beside others that may already; return what lets go of it."""
    return hold(down_by, fault, None)


def hold(held_by: dict[str, How], fault: str, how: How) -> Repair:
    """The same where each fault holds the part in its own way."""
    held_by[fault] = how
    return partial(held_by.__delitem__, fault)


def all_of(repairs: list[Repair]) -> Repair:
    """Return what repairs several parts in their order."""

    def repair() -> None:
        for each in repairs:
            each()

    return repair


def trunks_of(drill: Drill, fault: Fault) -> list[str]:
    """Return the trunks that a fault names by themselves or by their carrier."""
    if fault.carrier is None:
        return [] if fault.trunk is None else [fault.trunk]
    return [name for name, trunk in drill.trunks.items() if trunk.carrier == fault.carrier]
