"""What stands in a replication at a moment, as its journal tells: faults, pairs, sites, and steps under way."""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from reports.chronicle import Chronicle
from scenarios.evidence import EventKind, JournalEntry
from scenarios.model import Activate, Drill, Fault


class StepUnderWay(NamedTuple):
    """A runbook step that is ready and not finished."""

    name: str
    status: str
    since: float
    by: str
    """Who takes it, or is to."""


class Service(StrEnum):
    """How a site stands."""

    OUT = "out"
    """It is lost, or none of its pairs answers."""
    DEGRADED = "degraded"
    """In service, while a part of it has failed."""
    ACTIVATING = "being activated"
    WAITING = "not activated"
    IN_SERVICE = "in service"


class SiteState(NamedTuple):
    """A site at a moment."""

    name: str
    service: Service
    since: float | None
    """None for since before the run."""
    why: str
    """What is wrong; empty where nothing is."""


class State:
    """A recorder of journal entries that knows what they have come to; all names in them are the plan's."""

    def __init__(self, drill: Drill) -> None:
        self.drill = drill
        self.faults: dict[str, float] = {}
        """Faults that are not repaired, and since when."""
        self.serving: dict[str, dict[str, float | None]] = {
            name: {f"{name}/{number}": None for number in ((1, 2) if pair.mode == "active-active" else (1,))}
            for name, pair in drill.sbc_pairs.items()
        }
        """By pair, the nodes that answer at its address, and since when; None for since before the run."""
        self.silent: dict[str, float] = {}
        """Since when nobody answers at a pair's address, where nobody does; of others, when that was last so."""
        self._chronicle = Chronicle(drill)
        self._active: dict[str, tuple[bool, float | None]] = {
            name: (site.role == "primary", None) for name, site in drill.sites.items()
        }
        """Whether a site is activated, and since when."""

    def entry(self, entry: JournalEntry) -> None:
        """Take the next journal entry."""
        self._chronicle.entry(entry)
        now, subject = entry.at, entry.subject
        match entry.kind:
            case EventKind.FAULT:
                self.faults[subject] = now
            case EventKind.REPAIRED:
                self.faults.pop(subject, None)
            case EventKind.TAKEOVER:
                self.serving[subject].setdefault(str(entry.detail["node"]), now)
            case EventKind.NODE_LOST | EventKind.RESIGNED:
                if (node := str(entry.detail["node"])) == subject:  # a real pair, whose nodes nobody can tell apart
                    self.serving[subject].clear()
                self.serving[subject].pop(node, None)
                if not self.serving[subject]:
                    self.silent[subject] = now
            case EventKind.ACTIVATED | EventKind.DEACTIVATED:
                self._active[subject] = entry.kind is EventKind.ACTIVATED, now
            case _:
                pass

    @property
    def steps(self) -> list[StepUnderWay]:
        """The runbook steps under way, in the order of the plan."""
        found = []
        for step in self.drill.runbook:
            run = self._chronicle.steps[step.step]
            if run.ready is None or run.finished is not None:
                continue
            by = run.reached_by or step.by
            if run.started is not None:
                status, since = "begun", run.started
            elif run.waits_since is not None:
                status, since = "waits for its conditions", run.waits_since
            elif run.sought is not None and run.reached is None:
                status, since = "nobody is there to take it", run.sought
            else:
                status, since = "ready, not begun", run.ready
            found.append(StepUnderWay(step.step, status, since, by))
        return found

    @property
    def steps_finished(self) -> int:
        """How many steps of the runbook are finished."""
        return sum(run.finished is not None for run in self._chronicle.steps.values())

    @property
    def sites(self) -> list[SiteState]:
        """The sites, in the order of the plan."""
        return [self._site(name) for name in self.drill.sites]

    def _site(self, name: str) -> SiteState:
        wrong = [(fault, self.faults[fault.name]) for fault in self._faults_at(name)]
        lost = [(since, fault.name) for fault, since in wrong if fault.site == name]
        if lost:
            return SiteState(name, Service.OUT, *min(lost))
        pairs = [pair for pair, plan in self.drill.sbc_pairs.items() if plan.site == name]
        silent = [(self.silent[pair], f"nobody answers at {pair}") for pair in pairs if not self.serving[pair]]
        active, since = self._active[name]
        if not active:
            begun = [step.since for step in self.steps if step.status == "begun" and self._activates(step.name, name)]
            if begun:
                return SiteState(name, Service.ACTIVATING, min(begun), "")
            return SiteState(name, Service.WAITING, since, "")
        if silent and len(silent) == len(pairs):
            return SiteState(name, Service.OUT, *max(silent))
        causes = [*silent, *((at, fault.name) for fault, at in wrong)]
        if causes:
            return SiteState(name, Service.DEGRADED, *min(causes))
        return SiteState(name, Service.IN_SERVICE, since, "")

    def _activates(self, step: str, site: str) -> bool:
        return any(
            each.step == step and isinstance(each.does, Activate) and each.does.activate == site
            for each in self.drill.runbook
        )

    def _faults_at(self, site: str) -> Iterator[Fault]:
        """Return the faults that are not repaired of the site or a part of it."""
        for fault in self.drill.faults:
            if fault.name in self.faults and site in self._hit(fault):
                yield fault

    def _hit(self, fault: Fault) -> set[str]:
        """Return the sites that have what a fault breaks."""
        drill = self.drill
        trunks = [
            trunk
            for name, trunk in drill.trunks.items()
            if name == fault.trunk or (fault.carrier is not None and trunk.carrier == fault.carrier)
        ]
        pairs = {trunk.via for trunk in trunks} | ({fault.pair} if fault.pair is not None else set())
        sites = {drill.sbc_pairs[pair].site for pair in pairs}
        return sites | {site for site in (fault.site, fault.registrar) if site is not None}
