"""The journal, boiled down as it is written: effects, steps, takeovers, and when softphones were back."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from reports.replica import Replica
from reports.statistics import quantile
from reports.summary import Effect, Lateness, StepRun, Value
from scenarios.evidence import EventKind, JournalEntry
from scenarios.model import Drill, RequestPorts
from scenarios.rules.plan import pairs_meant

PHONES_BACK = 0.95
"""The share of a group's phones that must be registered for the group to be back."""
PROMPT = 0.4
"""Seconds within which what is asked counts as done at once: less than the first retransmission (S1)."""


@dataclass(slots=True)
class _Phones:
    """A group: since when it has had enough phones registered, or None while it has not."""

    needed: float
    since: float | None
    switching: float | None = None
    """Since when it has too few only because people have switched phones that are not taken in yet."""

    lost: int = 0
    """Registrations lost."""
    returns: list[float] = field(default_factory=list)
    """Seconds from each loss until the phone was registered again."""

    def gained(self, now: float, phones: float) -> None:
        """A phone is registered; switches that were over at once have taken nobody away."""
        if phones >= self.needed:
            if self.since is None or (self.switching is not None and now - self.switching > PROMPT):
                self.since = now
            self.switching = None

    def left(self, now: float, phones: float, lost: int) -> None:
        """Phones are registered no more, some of them ``lost`` and the others switched by hand."""
        self.lost += lost
        if phones < self.needed:
            if lost:
                self.since = self.switching = None
            elif self.since is not None and self.switching is None:
                self.switching = now

    @property
    def back(self) -> float:
        """Since when it has had enough, infinity while it has not."""
        return math.inf if self.since is None or self.switching is not None else self.since


@dataclass(slots=True)
class _Span:
    """Something that begins and ends: since when it lasts, and the longest that it took."""

    since: float | None = None
    longest: Value = None

    def begin(self, now: float) -> None:
        if self.since is None:
            self.since = now

    def end(self, now: float) -> None:
        if self.since is not None:
            self.longest = max(self.longest or 0.0, now - self.since)
            self.since = None

    @property
    def value(self) -> Value:
        """The longest, or infinity while it lasts."""
        return self.longest if self.since is None else math.inf


def _longest(spans: Iterable[_Span]) -> Value:
    return max((span.value for span in spans if span.value is not None), default=None)


class Silence(NamedTuple):
    """A time in which a pair's gear had yet to notice that its serving node is gone, or to make a switch."""

    pair: str
    since: float
    resigned: bool
    """Whether the node gave up by itself, so that there was nothing to notice."""
    until: float | None
    """None where it never did."""


@dataclass(slots=True)
class _Pair:
    """A pair: the time in which no node serves, and that in which nobody has noticed."""

    silent: _Span = field(default_factory=_Span)
    unnoticed: _Span = field(default_factory=_Span)


@dataclass(slots=True)
class Chronicle:
    """What the journal of one replication says that metrics and reports need."""

    drill: Drill
    effects: dict[str, Effect] = field(default_factory=dict)
    stopped: float | None = None
    """When somebody stopped the run, if that was before its end."""
    lateness: Lateness | None = None
    """Of a live run, how late its generator was."""
    silences: list[Silence] = field(default_factory=list)
    """Times in which the gear of a pair had yet to act, in the order in which they began."""
    steps: dict[str, StepRun] = field(init=False)
    replica: Replica = field(init=False)
    _phones: dict[str, _Phones] = field(init=False)
    _pairs: dict[str, _Pair] = field(init=False)
    granted: dict[str, float | None] = field(init=False)
    """When the request for ports of each step that files one was granted; None while it is not."""

    def __post_init__(self) -> None:
        self.steps = {step.step: StepRun() for step in self.drill.runbook}
        self.replica = Replica(self.drill)
        self._pairs = {pair: _Pair() for pair in self.drill.sbc_pairs}
        self.granted = {step.step: None for step in self.drill.runbook if isinstance(step.does, RequestPorts)}
        self._phones = {
            name: _Phones(
                PHONES_BACK * group.count,
                0.0 if self.drill.sites[group.softphone.sites[0]].role == "primary" else None,
            )
            for name, group in self.drill.agents.items()
        }

    @property
    def first_fault(self) -> float | None:
        """The moment of the drill's first fault."""
        return min((fault.at for fault in self.drill.faults), default=None)

    def entry(self, entry: JournalEntry) -> None:
        """Take the next entry."""
        now, subject, detail = entry.at, entry.subject, entry.detail
        match entry.kind:
            case EventKind.EFFECT:
                self.effects.setdefault(subject, Effect(now, str(detail.get("met", ""))))
            case EventKind.REGISTERED:
                self._phones[subject].gained(now, float(detail["registered"]))
                if "without" in detail:
                    self._phones[subject].returns.append(float(detail["without"]))
            case EventKind.UNREGISTERED:
                self._phones[subject].left(now, float(detail["registered"]), int(detail["lost"]))
            case EventKind.RESIGNED:
                self.silences.append(Silence(subject, now, True, None))
            case EventKind.NODE_LOST:
                self.silences.append(Silence(subject, now, False, None))
                self._pairs[subject].silent.begin(now)
                self._pairs[subject].unnoticed.begin(now)
            case EventKind.DETECTED:
                self._pairs[subject].unnoticed.end(now)
                self._switches(subject, now, resigned=False)
            case EventKind.TAKEOVER:
                self._switches(subject, now, resigned=True)
                self._pairs[subject].silent.end(now)
                self._pairs[subject].unnoticed.since = None
            case EventKind.STOPPED:
                self.stopped = now
            case EventKind.LATENESS:
                self.lateness = Lateness(float(detail["p99"]), float(detail["worst"]), float(detail["limit"]))
            case EventKind.PORTS_GRANTED:
                self.granted[subject] = now
            case EventKind.STEP_READY:
                self._step(subject, ready=now, released_by=str(detail["released_by"]))
            case EventKind.STEP_WAITING:
                self._step(subject, waits_since=now)
            case EventKind.CONDITIONS_MET:
                self._conditions_met(subject, now)
            case EventKind.ACTOR_SOUGHT:
                self._step(subject, sought=now)
            case EventKind.ACTOR_REACHED:
                self._step(subject, reached=now, reached_by=str(detail["by"]))
            case EventKind.STEP_STARTED:
                self._step(subject, started=now)
            case EventKind.STEP_REPEATED:
                self._step(subject, repeats=self.steps[subject].repeats + 1)
            case EventKind.STEP_FINISHED:
                self._step(subject, finished=now)
            case _:
                self.replica.entry(entry)

    def _conditions_met(self, name: str, now: float) -> None:
        step = self.steps[name]
        if step.waits_since is not None:
            waits = (*step.waits, (step.waits_since, now))
            waited = step.waited + now - step.waits_since
            self.steps[name] = replace(step, waited=waited, waits_since=None, waits=waits)

    def _switches(self, pair: str, now: float, *, resigned: bool) -> None:
        """The last silence of a pair is over, if it began in that way."""
        for index, silence in reversed(list(enumerate(self.silences))):
            if silence.pair == pair:
                if silence.resigned is resigned and silence.until is None:
                    self.silences[index] = silence._replace(until=now)
                return

    def _step(self, name: str, **changes: float | int | str | None) -> None:
        self.steps[name] = replace(self.steps[name], **changes)  # type: ignore[arg-type]  # names are those above

    def takeover_time(self, selectors: Mapping[str, str]) -> Value:
        """Return the longest time in which one of the pairs meant had no serving node; None when none ever lost it."""
        return _longest(self._pairs[name].silent for name in pairs_meant(self.drill, selectors))

    def time_to_detect(self, selectors: Mapping[str, str]) -> Value:
        """Return the longest time in which a failure of a serving node of the pairs meant went unnoticed, or None."""
        return _longest(self._pairs[name].unnoticed for name in pairs_meant(self.drill, selectors))

    def softphones_back(self, group: str) -> Value:
        """Return seconds from the first fault until the group had, and kept, enough phones registered."""
        return self._since_fault(self._phones[group].back)

    def registration_p95(self, group: str | None) -> Value:
        """Return the time that 95 % of losses of a registration, of a group or of all, lasted at most."""
        phones = list(self._phones.values()) if group is None else [self._phones[group]]
        returns = [seconds for each in phones for seconds in each.returns]
        lost = sum(each.lost for each in phones)
        return quantile([*returns, *[math.inf] * (lost - len(returns))], PHONES_BACK) if lost else None

    def runbook_time(self, step: str | None = None, since: str | None = None) -> Value:
        """Return seconds from the first fault, or the end of a step, until every step, or one, was finished."""
        ends = [self._end(name) for name in self.steps] if step is None else [self._end(step)]
        if not ends:
            return None
        if since is None:
            return self._since_fault(max(ends))
        begin = self._end(since)
        return math.inf if math.isinf(begin) else max(max(ends) - begin, 0.0)

    def time_to_grant(self, step: str | None = None) -> Value:
        """Return the longest time from the beginning of a step that requests ports until they were granted, or that of
        one step; None where no step requests any."""
        asked = list(self.granted) if step is None else [step]
        return max((self._grant(name) for name in asked), default=None)

    def _grant(self, name: str) -> float:
        """Seconds from the beginning of a step until its request was granted, infinity for never."""
        started, granted = self.steps[name].started, self.granted.get(name)
        return math.inf if started is None or granted is None else granted - started

    def _end(self, name: str) -> float:
        """When a step was finished, infinity for never."""
        finished = self.steps[name].finished
        return math.inf if finished is None else finished

    def _since_fault(self, moment: float) -> Value:
        return None if self.first_fault is None else max(moment - self.first_fault, 0.0)
