"""The rehearsal sheet: what people hold on the day, and when each step is expected over the runs of a drill.

Moments are over all runs, and a step that a run did not finish counts as later than any moment: by the p90, 90 % of all
runs had finished it, and where fewer did, there is none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf, isinf

from reports.sheet_words import AGENTS, decisions, deeds, reached, stand_ins, waits
from reports.statistics import quantile
from reports.summary import RunSummary, StepRun
from scenarios.model import Drill, Step, Verify, VerifyOut
from scenarios.owners import works_for
from scenarios.text import Text
from scenarios.units import format_duration

_MINUTE = 60.0
MEDIAN, LATE = 0.5, 0.9
"""The shares of runs that the two expected moments stand for."""


class Anchor(StrEnum):
    """What moments are counted from."""

    FAULT = "fault"
    PLANNED = "planned"
    START = "start"


@dataclass(frozen=True, slots=True)
class Expected:
    """A moment or a time over the runs, in seconds; infinity where too few runs came so far."""

    p50: float
    p90: float


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens by itself, or is planned: a line of the sheet whose actual time people write down."""

    key: str
    """Its number on the sheet: F1, F2 … for faults, P for the beginning of planned work."""
    name: str
    """The fault; empty for planned work."""
    at: float
    """Seconds since the start of the run."""
    over: float | None
    """When a fault is over; None where it is not in this run."""
    breaks: tuple[str, ...]
    """What a fault breaks, by name."""


@dataclass(frozen=True, slots=True)
class SheetStep:
    """One step."""

    number: int
    """On the sheet, from 1."""
    step: str
    by: str
    does: tuple[Text, ...]
    waits: tuple[Text, ...]
    decisions: tuple[Text, ...]
    """What is decided before anybody goes on; empty where it is no go/no-go point."""
    call: str | None
    """The number that a test call goes to."""
    consoles: tuple[str, ...]
    runs: int
    """All runs."""
    begun_in: int
    finished_in: int
    begins: Expected
    ends: Expected
    takes: Expected
    """From begun to finished, tries that fail included; over the runs in which it was begun."""

    @property
    def never_in(self) -> int:
        """Runs that did not finish it."""
        return self.runs - self.finished_in


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who takes steps, or is called in their place."""

    name: str
    works_for: str
    steps: tuple[int, ...]
    """Numbers of the steps that are theirs; empty for a deputy."""
    reached: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A console, and where it is found."""

    name: str
    address: str | None
    site: str | None
    """The site that it changes."""
    needs: tuple[str, ...]
    steps: tuple[int, ...]
    """Numbers of the steps that are taken at it."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """All of it."""

    drill: Drill
    asked: int
    """Runs asked for."""
    interrupted: bool
    anchor: Anchor
    events: tuple[Event, ...]
    """In order of time; the first is what moments are counted from."""
    steps: tuple[SheetStep, ...]
    people: tuple[Person, ...]
    places: tuple[Place, ...]
    grain: float
    """Seconds that moments are rounded to."""

    @property
    def runs(self) -> int:
        """How many runs it is made of."""
        return self.steps[0].runs

    @property
    def zero(self) -> float:
        """The second of the run that moments are counted from."""
        return self.events[0].at

    def moment(self, seconds: float) -> str:
        """Say a moment, in seconds since the start of the run: by the clock, or after what moments are counted from."""
        return moment_text(self.drill, self.zero, self.grain, seconds)

    def span(self, expected: Expected) -> str:
        """Say the two moments that something is expected at, once where they are the same."""
        early, late = self.moment(expected.p50), self.moment(expected.p90)
        return early if early == late else f"{early} – {late}"

    def time(self, seconds: float) -> str:
        """Say how long something takes."""
        return "" if isinf(seconds) else format_duration(_rounded(seconds, self.grain if seconds >= _MINUTE else 1.0))


def moment_text(drill: Drill, zero: float, grain: float, seconds: float) -> str:
    """Return ``10:32``, ``11-25 00:10`` on another day than ``zero``, or ``32m`` where the run has no clock.

    For infinity, that it is later than the end of the run: ``>11:30``.
    """
    if isinf(seconds):
        return ">" + moment_text(drill, zero, grain, drill.run.lasts)
    clock = drill.run.clock
    if clock is None:
        return format_duration(_rounded(seconds - zero, grain)) if seconds != zero else "0m"
    now = clock.at(seconds + grain / 2)  # rounded on the clock, as what is below the grain is not shown
    text = f"{now:%H:%M:%S}" if grain < _MINUTE else f"{now:%H:%M}"
    another_day = clock.dated and now.date() != clock.at(zero).date()
    return f"{now:%m-%d} {text}" if another_day else text


def _rounded(seconds: float, grain: float) -> float:
    return round(seconds / grain) * grain


def sheet_of(drill: Drill, summaries: Sequence[RunSummary], *, asked: int, interrupted: bool = False) -> Sheet:
    """Return the sheet of a drill with a runbook, from at least one run; raises ValueError without either."""
    if not drill.runbook or not summaries:
        raise ValueError("a sheet needs a runbook and a run of it")
    anchor, events = events_of(drill)
    went = {step.step: [summary.steps[step.step] for summary in summaries] for step in drill.runbook}
    lengths = [quantile(times, MEDIAN) for runs in went.values() if (times := durations(runs))]
    grain = 1.0 if min(lengths, default=0.0) < _MINUTE else _MINUTE

    def moment(seconds: float) -> str:
        return moment_text(drill, events[0].at, grain, seconds)

    steps = tuple(
        SheetStep(
            number=number,
            step=step.step,
            by=step.by,
            does=deeds(drill, step),
            waits=waits(drill, step, moment),
            decisions=decisions(drill, step, moment),
            call=_call(drill, step),
            consoles=step.consoles,
            runs=len(summaries),
            begun_in=sum(run.started is not None for run in went[step.step]),
            finished_in=sum(run.finished is not None for run in went[step.step]),
            begins=_expected(inf if run.started is None else run.started for run in went[step.step]),
            ends=_expected(ends(went[step.step])),
            takes=_expected(durations(went[step.step])),
        )
        for number, step in enumerate(drill.runbook, 1)
    )
    return Sheet(drill, asked, interrupted, anchor, events, steps, _people(drill), _places(drill), grain)


def ends(went: Iterable[StepRun]) -> list[float]:
    """Return when a step was finished in each run, in seconds since its start; infinity for never."""
    return [inf if run.finished is None else run.finished for run in went]


def durations(went: Iterable[StepRun]) -> list[float]:
    """Return how long a step took in each run that began it, in seconds; infinity where it was not finished."""
    return [inf if run.finished is None else run.finished - run.started for run in went if run.started is not None]


def _expected(values: Iterable[float]) -> Expected:
    known = list(values)
    return Expected(quantile(known, MEDIAN), quantile(known, LATE)) if known else Expected(inf, inf)


def events_of(drill: Drill) -> tuple[Anchor, tuple[Event, ...]]:
    """Return what moments are counted from, and the lines for what happens by itself, with that first.

    It is the first fault that a step waits for, else the first one; without faults the first planned step, else the
    start of the run.
    """
    faults = sorted(drill.faults, key=lambda fault: fault.at)
    noticed = {step.starts.after for step in drill.runbook if step.starts is not None}
    events = [
        Event(
            key=f"F{number}",
            name=fault.name,
            at=fault.at,
            over=None if fault.lasts is None else fault.at + fault.lasts,
            breaks=tuple(fault.targets.values()),
        )
        for number, fault in enumerate(faults, 1)
    ]
    if events:
        first = next((event for event in events if event.name in noticed), events[0])
        return Anchor.FAULT, (first, *(event for event in events if event is not first))
    planned = [step.starts.at for step in drill.runbook if step.starts is not None and step.starts.at is not None]
    if planned:
        return Anchor.PLANNED, (Event("P", "", min(planned), None, ()),)
    return Anchor.START, (Event("P", "", 0.0, None, ()),)


def _call(drill: Drill, step: Step) -> str | None:
    match step.does:
        case Verify(verify=number):
            return number
        case VerifyOut() as test:
            return drill.called_by_test(test)
        case _:
            return None


def _people(drill: Drill) -> tuple[Person, ...]:
    theirs: dict[str, list[int]] = {}
    for number, step in enumerate(drill.runbook, 1):
        theirs.setdefault(step.by, []).append(number)
    called = stand_ins(drill.actors, [name for name in theirs if name != AGENTS])
    people = []
    for name in (*called, *(name for name in theirs if name == AGENTS)):
        actor = drill.actors.get(name)
        people.append(
            Person(
                name=name,
                works_for=works_for(drill, name),
                steps=tuple(theirs.get(name, ())),
                reached=() if actor is None else reached(actor),
            )
        )
    return tuple(people)


def _places(drill: Drill) -> tuple[Place, ...]:
    used: dict[str, list[int]] = {}
    for number, step in enumerate(drill.runbook, 1):
        for name in step.consoles:
            used.setdefault(name, []).append(number)
    return tuple(
        Place(name, drill.consoles[name].address, drill.consoles[name].site, drill.consoles[name].places, tuple(steps))
        for name, steps in used.items()
    )
