"""What the journal tells of replication: how old a copy was, what it lacked, how long nothing was replicated."""

from dataclasses import dataclass, field

from reports.summary import Value
from scenarios.evidence import EventKind, JournalEntry
from scenarios.model import Drill


@dataclass(slots=True)
class Replica:
    """The site of a drill that gets replicas, as the metrics see it."""

    drill: Drill
    _ages: dict[str, float] = field(default_factory=dict)
    """By class of data, the oldest that the site entered service with."""
    _lost: dict[str, int] | None = None
    """By class of data; None before it has entered service, or been overwritten."""
    _stopped: float | None = None
    """Since when nothing is replicated."""
    _without: float = 0.0

    def entry(self, entry: JournalEntry) -> None:
        """Take the next entry."""
        match entry.kind:
            case EventKind.SYNC_STOPPED:
                self._stopped = entry.at
            case EventKind.SYNC_RESUMED:
                self._lost = self._lost or {}
                if self._stopped is not None:
                    self._without += entry.at - self._stopped
                    self._stopped = None
            case EventKind.COPY:
                self._ages[entry.subject] = max(self._ages.get(entry.subject, 0.0), float(entry.detail["age"]))
                self._lose(entry)
            case EventKind.OVERWRITTEN:
                self._lose(entry)
            case _:
                pass

    def _lose(self, entry: JournalEntry) -> None:
        lost = self._lost = self._lost or {}
        lost[entry.subject] = lost.get(entry.subject, 0) + int(entry.detail["lost"])

    def rpo(self, data: str | None) -> Value:
        """Return the age of the oldest data, or of those of one class, in seconds; None where it never served."""
        return max(self._ages.values(), default=None) if data is None else self._ages.get(data)

    def lost(self, data: str | None) -> Value:
        """Return how many changes were lost, or of one class; None where none could be."""
        if self._lost is None:
            return None
        return float(sum(self._lost.values()) if data is None else self._lost.get(data, 0))

    def unprotected(self) -> Value:
        """Return the seconds in which nothing was replicated; None without replication."""
        if self.drill.sync is None:
            return None
        return self._without + (0.0 if self._stopped is None else self.drill.run.lasts - self._stopped)
