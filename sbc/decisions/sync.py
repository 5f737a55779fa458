"""Replication of data from one site to another: what the copy has, when it stops, and what a resync overwrites.

It goes one way (Z42, N10). What has been replicated need not be loaded yet (Z8), and only what is loaded counts. Times
are told by the clock alone, and so nothing has to happen between two questions: a copy is brought up to date when it is
asked for, and whenever the rules change under it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from math import floor, inf, nextafter
from typing import NamedTuple

from sbc.decisions.table import follow


class State(Enum):
    """Whether data come to the other site."""

    SYNCING = "what changes at the first site comes to the other"
    STOPPED = "the copy stays as it is, and nobody is told"


class Event(Enum):
    """What happens to replication."""

    ACTIVATED = "the other site is taken into service"
    EDITED = "somebody changes something at the other site"
    RESUMED = "whoever runs it resumes it"


class Effect(Enum):
    """What follows."""

    FREEZE = "the copy stays as it is"
    OVERWRITE = "the copy becomes what the first site has, whatever was there"


TABLE: dict[tuple[State, Event], tuple[State, tuple[Effect, ...]]] = {
    (State.SYNCING, Event.ACTIVATED): (State.STOPPED, (Effect.FREEZE,)),  # Z31
    (State.SYNCING, Event.EDITED): (State.STOPPED, (Effect.FREEZE,)),  # Z44
    (State.SYNCING, Event.RESUMED): (State.SYNCING, ()),
    (State.STOPPED, Event.ACTIVATED): (State.STOPPED, ()),
    (State.STOPPED, Event.EDITED): (State.STOPPED, ()),
    (State.STOPPED, Event.RESUMED): (State.SYNCING, (Effect.OVERWRITE,)),  # Z42
}
"""Every transition."""


def step(state: State, event: Event) -> tuple[State, tuple[Effect, ...]]:
    """Return the next state and what follows; raises ImpossibleEventError for a pair not in the table."""
    return follow(TABLE, state, event)


class Rhythm(NamedTuple):
    """Something that comes again and again, before the run as well; seconds."""

    every: float
    """0: all the time."""
    first: float = 0.0

    def last(self, now: float) -> float:
        """Return when it came last, at ``now`` included."""
        if self.every == 0:
            return now
        turns = floor((now - self.first) / self.every)
        # A quotient is rounded; the moment itself is what others compute as well.
        while self._at(turns + 1) <= now:
            turns += 1
        while self._at(turns) > now:
            turns -= 1
        return self._at(turns)

    def next(self, now: float) -> float:
        """Return when it comes next, at ``now`` included."""
        last = self.last(now)
        if last == now:
            return now
        return self._at(round((last - self.first) / self.every) + 1)

    def _at(self, turns: int) -> float:
        return self.first + turns * self.every


class Class(NamedTuple):
    """How one class of data comes to the other site."""

    replicated: Rhythm | None
    """None where it does not."""
    loaded: Rhythm | None = None
    """None where it counts as soon as it is there."""


@dataclass(slots=True)
class _Copy:
    """A class of data as the other site has it: as it was at the first site at a moment."""

    plan: Class
    replicated: float = -inf
    loaded: float = -inf

    def advance(self, begin: float, end: float, *, reads: bool) -> None:
        """Let time go on after ``begin`` until ``end``; ``reads``: whether there is anything to replicate from."""
        comes, loads = self.plan
        if comes is None:
            return

        def there(now: float) -> float:
            last = comes.last(now) if reads else -inf
            return last if last > begin else self.replicated

        if loads is None:
            self.loaded = there(end)
        elif (last := loads.last(end)) > begin:
            self.loaded = there(last)
        self.replicated = there(end)


class Taken(NamedTuple):
    """A class of data as a site has it that enters service, or is overwritten."""

    data: str
    age: float
    """Seconds by which it is older than what the first site had last."""
    lost: int
    """Changes that it does not have, or that are overwritten."""


class Replication:
    """Both sites of a plan, what was changed at each of them, and what the second has of the first."""

    def __init__(self, source: str, target: str, classes: Mapping[str, Class], begins: float) -> None:
        """``begins``: the first moment that is played, seconds; all has been well until then."""
        self.source = source
        self.target = target
        self.state = State.SYNCING
        self._copies = {name: _Copy(plan) for name, plan in classes.items()}
        self._down_since: float | None = None
        self._now = -inf
        self._made: dict[str, dict[str, tuple[str, float]]] = {source: {}, target: {}}
        """By site and change, its class of data and when it was made there."""
        self._advance(begins)

    @property
    def reads(self) -> bool:
        """Whether there is anything to replicate from."""
        return self._down_since is None

    def source_is(self, now: float, *, up: bool) -> None:
        """The site that data come from is lost, or is back with all it had."""
        self._advance(now)
        if not up:
            self._down_since = now if self._down_since is None else self._down_since
        else:
            self._down_since = None

    def changed(self, now: float, change: str, data: str, site: str) -> bool:
        """Somebody makes a change at a site; return whether that stops the replication."""
        self._advance(now)
        # What is made in the moment in which it stopped, but after that, does not come any more.
        moment = now if self.state is State.SYNCING else nextafter(now, inf)
        self._made[site].setdefault(change, (data, moment))
        return site == self.target and self._tell(Event.EDITED)

    def activated(self, now: float) -> tuple[bool, list[Taken]]:
        """The other site is taken into service; return whether that stops the replication, and what it has."""
        self._advance(now)
        until = now if self._down_since is None else self._down_since
        made = self._made[self.source]
        missing = self._count(change for change in made if not self._holds(change))
        taken = []
        for name, copy in self._copies.items():
            since = copy.loaded if copy.plan.replicated is not None else 0.0
            taken.append(Taken(name, max(until - since, 0.0), missing[name]))
        return self._tell(Event.ACTIVATED), taken

    def resumed(self, now: float) -> list[Taken]:
        """Replication goes on, after a resync; return what that overwrites. Raises ValueError while nothing is there to
        replicate from."""
        self._advance(now)
        if not self.reads:
            raise ValueError(f"{self.source} is lost: there is nothing to replicate from")
        own, made = self._made[self.target], self._made[self.source]
        gone = [
            change
            for change, (data, _) in own.items()
            if change not in made and self._copies[data].plan.replicated is not None
        ]
        lost = self._count(gone)
        if not self._tell(Event.RESUMED):
            return []
        for change in gone:
            del own[change]
        for copy in self._copies.values():
            if copy.plan.replicated is not None:
                copy.replicated = copy.loaded = now
        made.update({change: (data, min(moment, now)) for change, (data, moment) in made.items()})
        return [Taken(name, 0.0, count) for name, count in lost.items()]

    def has(self, now: float, change: str, site: str) -> bool:
        """Whether a change counts at a site by now."""
        self._advance(now)
        return change in self._made[site] or (site == self.target and self._holds(change))

    def expected(self, now: float, data: str) -> float:
        """Return when a change that is made now will count at the other site if all goes well; infinity for never."""
        comes, loads = self._copies[data].plan
        if comes is None:
            return inf
        there = comes.next(now)
        return there if loads is None else loads.next(there)

    def _holds(self, change: str) -> bool:
        """Whether a change counts at the other site, by whichever way."""
        if change in self._made[self.target]:
            return True
        data, made = self._made[self.source].get(change, ("", inf))
        return made < inf and self._copies[data].plan.replicated is not None and made <= self._copies[data].loaded

    def _count(self, changes: Iterable[str]) -> Counter[str]:
        found = {**self._made[self.target], **self._made[self.source]}
        return Counter(found[change][0] for change in changes)

    def _advance(self, now: float) -> None:
        if self.state is State.SYNCING and now > self._now:
            for copy in self._copies.values():
                copy.advance(self._now, now, reads=self.reads)
        self._now = max(self._now, now)

    def _tell(self, event: Event) -> bool:
        """Take a step of the table; return whether anything follows."""
        self.state, effects = step(self.state, event)
        return bool(effects)
