"""The engine's pen: journal entries with the time on them, calls in blocks, each fault's first effect."""

from collections import Counter
from collections.abc import Iterable, Sequence

import simpy

from scenarios.evidence import CallRecord, EventKind, JournalEntry, Recorder, Sample

_BLOCK = 4096


class Log:
    """Hands evidence to the recorder."""

    def __init__(self, env: simpy.Environment, recorder: Recorder) -> None:
        self._env = env
        self._recorder = recorder
        self._calls: list[CallRecord] = []
        self._met: set[str] = set()
        self.answered: Counter[str] = Counter()
        """By site, the calls of the run that somebody has answered and that are over."""

    @property
    def now(self) -> float:
        """The present time, seconds since the start of the run."""
        return self._env.now

    def entry(self, kind: EventKind, subject: str, **detail: str | float | int | bool) -> None:
        """Write a journal entry with the present time."""
        self._recorder.entry(JournalEntry(self._env.now, kind, subject, detail))

    def noticed(self, at: float, kind: EventKind, subject: str, **detail: str | float | int | bool) -> None:
        """Write an entry about something that happened before and is known only now."""
        self._recorder.entry(JournalEntry(at, kind, subject, detail))

    def effect(self, faults: Iterable[str], met: str) -> None:
        """Something met what these faults had broken; only the first time is written."""
        for fault in faults:
            if fault not in self._met:
                self._met.add(fault)
                self.entry(EventKind.EFFECT, fault, met=met)

    def mute(self) -> None:
        """Hand nothing more over: the run is over, whatever still happens."""
        self._recorder = _Nobody()

    def call(self, record: CallRecord) -> None:
        """Take an attempt that has ended."""
        self._calls.append(record)
        if record.talk is not None and record.end >= 0:
            self.answered[record.site] += 1
        if len(self._calls) >= _BLOCK:
            self.flush()

    def flush(self) -> None:
        """Hand over the calls that are left."""
        if self._calls:
            self._recorder.calls(self._calls)
            self._calls = []


class _Nobody:
    """Hears nothing."""

    def calls(self, records: Sequence[CallRecord]) -> None:
        """Nothing is kept."""

    def entry(self, entry: JournalEntry) -> None:
        """Nothing is kept."""

    def sample(self, sample: Sample) -> None:
        """Nothing is kept."""
