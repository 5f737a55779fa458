"""Calendars while a run goes on: what is closed now, and who hears when something opens or closes."""

from collections.abc import Callable
from functools import partial

import simpy

from scenarios.evidence import EventKind
from scenarios.model import Drill
from sim.log import Log
from sim.timer import later


class Hours:
    """The calendars of a drill. Before the start of the run each is as it is at the start."""

    def __init__(self, env: simpy.Environment, drill: Drill) -> None:
        self._env = env
        self.openings = {name: drill.openings(name) for name in drill.calendars}
        self.closed = {name for name, each in self.openings.items() if not each.is_open(0.0)}
        """Calendars that are closed now."""
        self._hear: dict[str, list[Callable[[bool], None]]] = {name: [] for name in drill.calendars}
        for name, each in self.openings.items():
            for moment in each.changes(0.0, drill.run.lasts):
                later(env, moment - env.now, partial(self._change, name))

    def listen(self, calendar: str, hear: Callable[[bool], None]) -> None:
        """Let somebody hear whether a calendar is open whenever that changes."""
        self._hear[calendar].append(hear)

    def _change(self, calendar: str) -> None:
        self.closed ^= {calendar}
        for hear in self._hear[calendar]:
            hear(calendar not in self.closed)


def keep_hours(drill: Drill, hours: Hours, clears: Callable[[str], None], log: Log) -> None:
    """Let numbers and queues say when they open and close; ``clears`` empties a queue that closes so."""

    def tell(subject: str, is_open: bool) -> None:
        log.entry(EventKind.OPENED if is_open else EventKind.CLOSED, subject)

    def clear(queue: str, is_open: bool) -> None:
        if not is_open:
            clears(queue)

    kept = {name: part.open for parts in (drill.numbers, drill.queues) for name, part in parts.items()}
    for subject, calendar in kept.items():
        if calendar is not None:
            hours.listen(calendar, partial(tell, subject))
    for name, queue in drill.queues.items():
        if queue.open is not None and queue.at_closing == "clear":
            hours.listen(queue.open, partial(clear, name))
