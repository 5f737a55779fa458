"""The fold: takes the evidence of one replication as it comes, in bounded memory, and boils it down."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy

from reports.calltable import CallTable, Key, Measure
from reports.chronicle import Chronicle
from reports.levels import PhonesLeast, PortPeaks, RegisterPeaks, TimeAxis
from reports.outage import OutageWatch
from reports.producers import PRODUCERS, Facts, Ratio, caller_ended, caller_lost
from reports.recovery import RecoveryWatch
from reports.responsibility import Responsibility
from reports.summary import Cause, RunSummary
from scenarios.evidence import CallRecord, Direction, JournalEntry, Sample
from scenarios.expectations import Query
from scenarios.metrics import Unit
from scenarios.model import Drill

_BLOCK = 8192
"""Records that are counted together: enough to make numpy's overhead vanish."""
_EVERYTHING = Query("attempts")


class Fold:
    """A recorder for one replication of ``drill``, asked ``queries`` at its end.

    Memory grows with the plan, the length of the run and the queries, not with the number of calls.
    """

    def __init__(self, drill: Drill, queries: Iterable[Query]) -> None:
        self._drill = drill
        self._queries = tuple(queries)
        edges = (edge for query in self._queries for edge in (query.after, query.before) if edge is not None)
        queues = {name: queue.answer_within for name, queue in drill.queue_table().items()}
        chronicle = Chronicle(drill)
        faults = [fault.at for fault in drill.faults]
        watches = {
            query: RecoveryWatch(_callers(drill, query), faults, drill.run.lasts)
            for query in self._queries
            if query.metric == "recovery_time" and faults
        }
        outages = {
            query: OutageWatch(_callers(drill, query), drill.run.lasts)
            for query in self._queries
            if query.metric == "outage_minutes"
        }
        self._facts = Facts(
            CallTable(edges, queues),
            watches,
            outages,
            PortPeaks(self._queries),
            RegisterPeaks(),
            PhonesLeast(self._queries),
            chronicle,
        )
        self._drill = drill
        self._axis = TimeAxis(drill.run.lasts, queues)
        self._waiting: list[CallRecord] = []
        self._records = 0

    def calls(self, records: Sequence[CallRecord]) -> None:
        """Take attempts that have ended."""
        self._waiting += records
        if len(self._waiting) >= _BLOCK:
            self._count()

    def entry(self, entry: JournalEntry) -> None:
        """Take one journal entry."""
        self._facts.chronicle.entry(entry)

    def sample(self, sample: Sample) -> None:
        """Take one sample."""
        self._facts.ports.sample(sample)
        self._facts.registers.sample(sample)
        self._facts.phones.sample(sample)
        self._axis.sample(sample)

    def _count(self) -> None:
        records, self._waiting = self._waiting, []
        if not records:
            return
        self._records += len(records)
        calls = self._facts.calls
        block = calls.index.block(records)
        service = calls.add(block)
        keys = calls.index.keys_seen
        self._axis.add(block, keys, service)
        for watch in self._facts.recovery.values():
            watch.add(block, keys)
        for outage in self._facts.outages.values():
            outage.add(block, keys)

    def summary(self) -> RunSummary:
        """Return what has been gathered."""
        return self._summary(None)

    def so_far(self, until: float) -> RunSummary:
        """Return what has been gathered of a replication that has come to ``until``, seconds; the fold goes on as if
        nobody had asked.

        Calls that are up by then are not in it: nobody has told of them yet.
        """
        waiting, self._waiting = self._waiting, []
        try:
            # What counts calls adds up block by block: another block would change the last bit of a sum.
            other = deepcopy(self, {id(self._drill): self._drill})
        finally:
            self._waiting = waiting
        other._waiting = list(waiting)
        return other._summary(until)

    def _summary(self, until: float | None) -> RunSummary:
        self._count()
        facts = self._facts
        return RunSummary(
            values={query: PRODUCERS[query.metric](facts, query) for query in self._queries},
            parts_of=dict(self._parts_of()),
            timeline=self._axis.timeline(until),
            steps=facts.chronicle.steps,
            effects=facts.chronicle.effects,
            stopped=facts.chronicle.stopped,
            lateness=facts.chronicle.lateness,
            losses=facts.calls.losses(),
            peaks=facts.ports.overall,
            responsible=dict(self._responsible()),
            callers=round(facts.calls.total(Measure.ATTEMPTS, _EVERYTHING, caller_ended)),
            callers_lost=round(facts.calls.total(Measure.ATTEMPTS, _EVERYTHING, caller_lost)),
            records=self._records,
            until=until,
            granted=tuple(step for step, at in facts.chronicle.granted.items() if at is not None),
        )

    def _responsible(self) -> Iterator[tuple[Query, Mapping[Cause, float]]]:
        """Say of every time without service whom the plan waited for."""
        for query, watch in self._facts.outages.items():
            if "owner" not in dict(query.selectors):
                yield query, Responsibility(self._drill, self._facts.chronicle, query).shares(watch.outages())

    def _parts_of(self) -> Iterator[tuple[Query, float]]:
        """Say of every share how many attempts it is of."""
        for query in self._queries:
            producer = PRODUCERS[query.metric]
            if isinstance(producer, Ratio) and query.definition.unit is Unit.SHARE:
                yield query, producer.of(self._facts, query) or 0.0


def _callers(drill: Drill, query: Query) -> Callable[[Key], bool]:
    """Return which attempts come in and are meant; a pair stands for the trunks that enter by it."""
    pairs = {value for name, value in query.selectors if name == "pair"}
    entering = {name for name, trunk in drill.trunks.items() if trunk.via in pairs}
    others = tuple(item for item in query.selectors if item[0] not in ("pair", "owner"))

    def meant(key: Key) -> bool:
        return key.direction is Direction.INBOUND and key.selected(others) and (not pairs or key.trunk in entering)

    return meant
