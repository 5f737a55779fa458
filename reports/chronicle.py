"""The journal, boiled down as it is written: effects, steps, takeovers, and when softphones were back."""

import math
from dataclasses import dataclass, field, replace

from reports.statistics import quantile
from reports.summary import Effect, StepRun, Value
from scenarios.evidence import EventKind, JournalEntry
from scenarios.model import Drill

PHONES_BACK = 0.95
"""The share of a group's phones that must be registered for the group to be back."""


@dataclass(slots=True)
class _Phones:
    """A group: since when it has had enough phones registered, or None while it has not."""

    needed: float
    since: float | None

    lost: int = 0
    """Registrations lost."""
    returns: list[float] = field(default_factory=list)
    """Seconds from each loss until the phone was registered again."""

    def registered(self, now: float, phones: float) -> None:
        if phones < self.needed:
            self.since = None
        elif self.since is None:
            self.since = now


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
    steps: dict[str, StepRun] = field(init=False)
    _phones: dict[str, _Phones] = field(init=False)
    _pairs: dict[str, _Pair] = field(init=False)

    def __post_init__(self) -> None:
        self.steps = {step.step: StepRun() for step in self.drill.runbook}
        self._pairs = {pair: _Pair() for pair in self.drill.sbc_pairs}
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
                self._phones[subject].registered(now, float(detail["registered"]))
                if "without" in detail:
                    self._phones[subject].returns.append(float(detail["without"]))
            case EventKind.UNREGISTERED:
                self._phones[subject].registered(now, float(detail["registered"]))
                self._phones[subject].lost += int(detail["lost"])
            case EventKind.NODE_LOST:
                self._pairs[subject].silent.begin(now)
                self._pairs[subject].unnoticed.begin(now)
            case EventKind.DETECTED:
                self._pairs[subject].unnoticed.end(now)
            case EventKind.TAKEOVER:
                self._pairs[subject].silent.end(now)
                self._pairs[subject].unnoticed.since = None
            case EventKind.STEP_READY:
                self._step(subject, ready=now, released_by=str(detail["released_by"]))
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
                pass

    def _step(self, name: str, **changes: float | int | str) -> None:
        self.steps[name] = replace(self.steps[name], **changes)  # type: ignore[arg-type]  # names are those above

    def takeover_time(self, pair: str) -> Value:
        """Return the pair's longest time without a serving node, or None when it never lost one."""
        return self._pairs[pair].silent.value

    def time_to_detect(self, pair: str) -> Value:
        """Return the longest time in which a failure of the pair's serving node went unnoticed, or None without one."""
        return self._pairs[pair].unnoticed.value

    def softphones_back(self, group: str) -> Value:
        """Return seconds from the first fault until the group had, and kept, enough phones registered."""
        since = self._phones[group].since
        return self._since_fault(math.inf if since is None else since)

    def registration_p95(self, group: str | None) -> Value:
        """Return the time that 95 % of losses of a registration, of a group or of all, lasted at most."""
        phones = list(self._phones.values()) if group is None else [self._phones[group]]
        returns = [seconds for each in phones for seconds in each.returns]
        lost = sum(each.lost for each in phones)
        return quantile([*returns, *[math.inf] * (lost - len(returns))], PHONES_BACK) if lost else None

    def runbook_time(self) -> Value:
        """Return seconds from the first fault until every step was finished."""
        ends = [math.inf if step.finished is None else step.finished for step in self.steps.values()]
        return self._since_fault(max(ends)) if ends else None

    def _since_fault(self, moment: float) -> Value:
        return None if self.first_fault is None else max(moment - self.first_fault, 0.0)
