"""What a run has come to so far, written into its folder now and then: whoever kills it still finds a report."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Final, Self

from reports.files import ReportError
from reports.folder import write_all
from reports.judge import Judged
from reports.origin import Origin
from reports.pace import Pace
from reports.summary import RunSummary

LEAST: Final = 5.0
"""Seconds between two times, however little one takes."""


class Unfinished:
    """Writes the results so far, marked as such; they are replaced by those of the end.

    The first, before anything is played, take the place of what an earlier run has left in the folder.
    """

    def __init__(
        self,
        out: Path,
        origin: Origin,
        judged: Callable[[Sequence[RunSummary]], Judged],
        language: str,
        *,
        aside: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``judged`` judges replications as unfinished; ``language``: the one that the report is shown in first;
        ``aside``: whether a thread writes, since nobody may wait.
        """
        self._out = out
        self._origin = origin
        self._judged = judged
        self._language = language
        self._aside = aside
        self._clock = clock
        self._pace = Pace(LEAST)
        self._thread: Thread | None = None

    def __enter__(self) -> Self:
        """Write that nothing is finished; raises :class:`~reports.files.ReportError`."""
        write_all(self._out, self._judged(()), self._origin, language=self._language)
        return self

    def __exit__(self, *_: object) -> None:
        """Wait until nothing is being written."""
        if self._thread is not None:
            self._thread.join()

    @property
    def due(self) -> bool:
        """Whether it is time to write; at first, as soon as there is anything."""
        return (self._thread is None or not self._thread.is_alive()) and self._pace.due(self._clock())

    def write(self, gathered: Callable[[], Mapping[int, RunSummary]]) -> None:
        """Write what replications come to. A disk that is full now may have room at the end, when it counts."""
        began = self._clock()
        results = dict(gathered())
        if self._aside:
            self._thread = Thread(target=self._write, args=(results, began), name="unfinished results")
            self._thread.start()
        else:
            self._write(results, began)

    def _write(self, results: Mapping[int, RunSummary], began: float) -> None:
        with suppress(ReportError):
            numbers = sorted(results)
            judged = self._judged([results[number] for number in numbers])
            write_all(self._out, judged, self._origin, numbers, language=self._language)
        self._pace.done(began, self._clock())
