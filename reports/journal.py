"""`journal.jsonl`: what happened in one replication, one JSON object a line, written as it happens."""

import json
from collections.abc import Sequence
from typing import TextIO

from reports.wording import moment_text
from scenarios.calendar import Clock
from scenarios.evidence import CallRecord, JournalEntry, Sample


class JournalFile:
    """A recorder that writes journal entries to a file, and passes over the rest."""

    def __init__(self, file: TextIO, clock: Clock | None) -> None:
        """``clock``: shows the wall-clock time beside that of the run, if there is one."""
        self._file = file
        self._clock = clock

    def calls(self, records: Sequence[CallRecord]) -> None:
        """Pass over them: calls have a file of their own."""

    def entry(self, entry: JournalEntry) -> None:
        """Write one entry."""
        shown = {} if self._clock is None else {"clock": moment_text(self._clock, entry.at)}
        line = {"at": entry.at, **shown, "kind": entry.kind, "subject": entry.subject, "detail": dict(entry.detail)}
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def sample(self, sample: Sample) -> None:
        """Pass over it."""
