"""Responsibility: whom the plan waits for while callers get through to nobody (G6).

Each moment of the minutes without service belongs to one party, by the first of these that applies:

1. the gear of a pair on the way has yet to notice that a node is gone, or to make a switch, and no fault has left it
   without a node that could take over: whoever owns the pair;
2. a step on the way to the end of the outage is under way: the party whose people its actor is one of;
3. a fault is not repaired: the same, of another step that is under way, the one that has been ready longest, those that
   their conditions keep back last; without any, whoever owns what failed;
4. nothing of this: nobody can tell, and it is shared.

Of a step that a fault keeps back it is whoever owns what failed; of one that a request for ports keeps back, the
vendor, who grants it. The way to the end of an outage are the steps that the last one had to wait for which was
finished when callers got through again; where they never did, those that the step which is open has to wait for. An
outage that ends though no step was finished has none: a repair has ended it, or chance.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from reports.chronicle import Chronicle
from reports.outage import MINUTE, Outage
from reports.summary import Cause, StepRun, Wait
from scenarios.expectations import Query
from scenarios.model import Drill, Fault, Step
from scenarios.owners import SHARED, owner_of_fault, owner_of_pair, works_for
from scenarios.parties import Owner
from scenarios.rules.plan import pairs_meant

NOBODY = Cause(SHARED, Wait.NOTHING, "")
GRANTS: Owner = "vendor"
"""Who grants requests for ports (P5)."""
_OF_PAIRS = ("number", "site", "pair")
"""Selectors of callers that narrow down the pairs on their way."""


class Responsibility:
    """Whom one replication waited for; of a query for a time without service, in its outages."""

    def __init__(self, drill: Drill, chronicle: Chronicle, query: Query) -> None:
        selectors = {name: value for name, value in query.selectors if name in _OF_PAIRS}
        meant = set(pairs_meant(drill, selectors))
        self._drill = drill
        self._runs: Mapping[str, StepRun] = chronicle.steps
        self._steps = {step.step: step for step in drill.runbook}
        self._granted = chronicle.granted
        self._gear = [
            (silence.pair, silence.since, silence.until)
            for silence in chronicle.silences
            if silence.until is not None and silence.pair in meant
        ]
        self._faults = [(fault, fault.at, _until(drill, fault)) for fault in sorted(drill.faults, key=_began)]

    def shares(self, outages: Sequence[Outage]) -> dict[Cause, float]:
        """Return the seconds of outages by what the plan waited for, the most first; they add up to all of them."""
        found: defaultdict[Cause, float] = defaultdict(float)
        for outage in outages:
            way = self._way(outage)
            for minute in outage.minutes:
                for since, until in pairwise(self._cuts(minute, minute + MINUTE)):
                    found[self._cause((since + until) / 2, way)] += until - since
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    def _cuts(self, begin: float, end: float) -> list[float]:
        """Return the moments in a span between which whom the plan waits for does not change, with both ends."""
        return [begin, *sorted({moment for moment in self._moments() if begin < moment < end}), end]

    def _moments(self) -> Iterator[float]:
        for run in self._runs.values():
            yield from (at for at in (run.ready, run.started, run.finished, run.waits_since) if at is not None)
            for wait in run.waits:
                yield from wait
        for _, since, until in self._gear:
            yield from (since, until)
        for _, since, until in self._faults:
            yield from (since, until)
        yield from (at for at in self._granted.values() if at is not None)

    def _way(self, outage: Outage) -> set[str]:
        """Return the steps on the way to the end of an outage."""
        begin = outage.minutes[0]
        end = outage.minutes[-1] + MINUTE if outage.back_by is None else outage.back_by
        done = {
            name: run.finished for name, run in self._runs.items() if run.finished is not None and run.finished <= end
        }
        last = max(done, key=lambda name: done[name], default=None)
        if outage.back_by is not None and last is not None and done[last] <= begin:
            return set()
        if outage.back_by is None:
            still = [name for name, run in self._runs.items() if run.under_way(end)]
            last = min(still, key=lambda name: (self._runs[name].held(end), self._ready(name)), default=last)
        way: set[str] = set()
        while last is not None and last not in way:
            way.add(last)
            last = self._runs[last].released_by if self._runs[last].released_by in done else None
        return way

    def _ready(self, name: str) -> float:
        ready = self._runs[name].ready
        assert ready is not None, name  # noqa: S101  # asked of steps under way only
        return ready

    def _cause(self, now: float, way: set[str]) -> Cause:
        """Say whom and what the plan waits for at a moment."""
        lasting = [fault for fault, since, until in self._faults if since <= now < until]
        for pair, since, until in self._gear:
            if since <= now < until and not any(self._takes_all_of(fault, pair) for fault in lasting):
                return Cause(owner_of_pair(self._drill, pair), Wait.GEAR, pair)
        under_way = [name for name, run in self._runs.items() if run.under_way(now) and (lasting or name in way)]
        if under_way:
            first = min(under_way, key=lambda name: (name not in way, self._kept_back(name, now), self._ready(name)))
            keeper = self._keeper(self._steps[first], now) if self._kept_back(first, now) else None
            return keeper or self._step(first, now)
        return self._repair(lasting[0]) if lasting else NOBODY

    def _takes_all_of(self, fault: Fault, pair: str) -> bool:
        """Say whether a fault leaves no node of a pair that could take over."""
        return fault.fails == "all" and (fault.pair == pair or fault.site == self._drill.sbc_pairs[pair].site)

    def _kept_back(self, name: str, now: float) -> bool:
        run = self._runs[name]
        return (run.started is None or now < run.started) and run.held(now)

    def _step(self, name: str, now: float) -> Cause:
        started = self._runs[name].started
        wait = Wait.BEGIN if started is None or now < started else Wait.WORK
        return Cause(works_for(self._drill, self._steps[name].by), wait, name)

    def _keeper(self, step: Step, now: float) -> Cause | None:
        """Return what a step that its conditions keep back waits for, if it is none of the plan's own doing."""
        fault = self._lasting(step, now)
        if fault is not None:
            return self._repair(fault)
        asked = None if step.when is None else step.when.granted
        granted = None if asked is None else self._granted.get(asked)
        if asked is None or (granted is not None and granted <= now):
            return None
        return Cause(GRANTS, Wait.GRANT, asked)

    def _lasting(self, step: Step, now: float) -> Fault | None:
        """Return the fault whose repair a step waits for, by its conditions or because a console is out of reach."""
        repaired = None if step.when is None else step.when.repaired
        places = {place for console in step.consoles for place in self._drill.consoles[console].places}
        for fault, since, until in self._faults:
            lost = since <= now < until and fault.how != "degraded" and (fault.site or fault.office) in places
            if lost or (fault.name == repaired and now < until):
                return fault
        return None

    def _repair(self, fault: Fault) -> Cause:
        return Cause(owner_of_fault(self._drill, fault), Wait.REPAIR, fault.name)


def _began(fault: Fault) -> float:
    return fault.at


def _until(drill: Drill, fault: Fault) -> float:
    return drill.run.lasts if fault.lasts is None else fault.at + fault.lasts
