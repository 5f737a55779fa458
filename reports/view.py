"""What somebody who looks on while a run goes on is shown: pure models that take evidence, and know no terminal.

Both keep what the plan makes them keep, however long a run is, and do the same little for each call of it.
"""

import math
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from reports.judge import Judgement
from reports.queries import limits
from reports.snapshot import SHARPNESS
from reports.state import State
from reports.summary import RunSummary
from scenarios.evidence import CallRecord, EventKind, Gauge, JournalEntry, Outcome, Pulse, Sample
from scenarios.expectations import Query
from scenarios.model import Drill

KEPT: Final = 8
"""Journal entries that are kept."""
COUNTED: Final = ("answered", "blocked", "failed", "abandoned", "dropped")
"""Metrics of the calls of a run that are shown, in this order."""
_PULSES: Final = 21
"""Pulses that a rate is taken over: ten seconds of them."""
_SELDOM: Final = frozenset({EventKind.REGISTERED, EventKind.UNREGISTERED, EventKind.CHANGED, EventKind.REPLICATED})
"""Entries of which there may be thousands, which nobody could read."""
_LOSSES: Final = {
    Outcome.BLOCKED: "blocked",
    Outcome.FAILED: "failed",
    Outcome.ABANDONED: "abandoned",
    Outcome.DROPPED: "dropped",
}


class Held(NamedTuple):
    """The most calls held against a limit."""

    name: str
    most: int
    cap: int

    @property
    def share(self) -> float:
        """How full it was; of a limit of none, as full as can be."""
        return self.most / self.cap if self.cap else 1.0


class Moment(State):
    """A recorder of one replication as it is played: what stands now, and what calls have come to so far."""

    def __init__(self, drill: Drill) -> None:
        super().__init__(drill)
        self.now = 0.0
        """Up to when there is evidence, seconds since the start of the run."""
        self.counts: Counter[str] = Counter()
        """Calls that have ended, by metric; as the metrics of the run count them at its end."""
        self.entries: deque[JournalEntry] = deque(maxlen=KEPT)
        self.levels: dict[tuple[Gauge, str], int] = {}
        """The last samples, other than those of ports."""
        self._ports: dict[str, int] = {}
        self._caps = limits(drill)
        self._pulses: deque[Pulse] = deque(maxlen=_PULSES)

    def calls(self, records: Sequence[CallRecord]) -> None:
        """Take attempts that have ended."""
        counts = self.counts
        for call in records:
            outcome = call.outcome
            if call.start >= 0:
                if call.talk is not None:
                    counts["answered"] += 1
                if outcome in _LOSSES:
                    counts[_LOSSES[outcome]] += 1
            elif outcome is Outcome.DROPPED:
                counts["dropped"] += 1

    def entry(self, entry: JournalEntry) -> None:
        """Take one journal entry."""
        super().entry(entry)
        self._come_to(entry.at)
        if entry.kind not in _SELDOM:
            self.entries.append(entry)

    def sample(self, sample: Sample) -> None:
        """Take one sample."""
        self._come_to(sample.at)
        if sample.gauge is not Gauge.PORTS:
            self.levels[sample.gauge, sample.name] = sample.value
        elif sample.name in self._caps:
            self._ports[sample.name] = sample.value

    def pulse(self, pulse: Pulse) -> None:
        """Hear how a live engine keeps up."""
        self._come_to(min(pulse.at, self.drill.run.lasts))
        self._pulses.append(pulse)

    def _come_to(self, at: float) -> None:
        self.now = max(self.now, at)

    @property
    def ports(self) -> list[Held]:
        """The most calls held against each limit lately, the fullest limit first."""
        return _fullest(self._ports, self._caps)

    @property
    def last_pulse(self) -> Pulse | None:
        """What was heard last of how a live engine keeps up."""
        return self._pulses[-1] if self._pulses else None

    @property
    def rates(self) -> tuple[float, float] | None:
        """Calls per second that were asked for in the last ten seconds, and that were placed; None before any."""
        if len(self._pulses) < 2:
            return None
        first, last = self._pulses[0], self._pulses[-1]
        seconds = last.at - first.at
        if seconds < SHARPNESS:
            return None
        return (last.asked - first.asked) / seconds, (last.placed - first.placed) / seconds


class Well(NamedTuple):
    """In how many runs something ended well."""

    name: str
    runs: int
    of: int


class Together:
    """What the finished replications of a drill have shown together so far."""

    def __init__(self, drill: Drill, asked: int) -> None:
        """``asked``: how many are to be played."""
        self.drill = drill
        self.asked = asked
        self.runs = 0
        self.judgements: tuple[Judgement, ...] = ()
        """How the expectations stood when that was looked at last, which is not after every run."""
        self.judged = 0
        """After how many runs that was."""
        self._sums: dict[str, float] = dict.fromkeys(COUNTED, 0.0)
        self._caps = limits(drill)
        self._peaks: dict[str, int] = {}
        self._steps: Counter[str] = Counter()
        self._sites: dict[str, Well] = {}

    def take(self, summary: RunSummary) -> None:
        """Take a finished replication; in whatever order they come, they come to the same."""
        self.runs += 1
        values = summary.values
        for name in COUNTED:
            self._sums[name] += values.get(Query(name)) or 0.0
        for name, peak in summary.peaks.items():
            if name in self._caps:
                self._peaks[name] = max(self._peaks.get(name, 0), peak)
        self._steps.update(name for name, run in summary.steps.items() if run.finished is not None)
        for site in self.drill.sites:
            recovery = values.get(Query("recovery_time", (("site", site),)))
            if recovery is not None:
                before = self._sites.get(site, Well(site, 0, 0))
                self._sites[site] = Well(site, before.runs + math.isfinite(recovery), before.of + 1)

    def judge(self, judgements: Sequence[Judgement], runs: int) -> None:
        """Take how the expectations stand after so many runs."""
        self.judgements, self.judged = tuple(judgements), runs

    @property
    def means(self) -> Mapping[str, float]:
        """Mean counts of a run, by metric; nothing before there is one."""
        return {name: total / self.runs for name, total in self._sums.items()} if self.runs else {}

    @property
    def ports(self) -> list[Held]:
        """The highest peak against each limit in any run, the fullest limit first."""
        return _fullest(self._peaks, self._caps)

    @property
    def steps(self) -> list[Well]:
        """In how many runs each step of the runbook was finished, in its order."""
        return [Well(step.step, self._steps[step.step], self.runs) for step in self.drill.runbook]

    @property
    def sites(self) -> list[Well]:
        """In how many runs callers of each site got through again, of those in which that could be measured."""
        return [self._sites[site] for site in self.drill.sites if site in self._sites]


def _fullest(most: Mapping[str, int], caps: Mapping[str, int]) -> list[Held]:
    found = [Held(name, value, caps[name]) for name, value in most.items()]
    return sorted(found, key=lambda held: -held.share)
