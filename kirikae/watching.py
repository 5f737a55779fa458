"""Looking on while a drill is run: what a terminal shows of it, and the results that are written meanwhile."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import Final, Self

from rich.console import Console
from rich.live import Live

from kirikae.unfinished import Unfinished
from reports.fold import Fold
from reports.judge import judge
from reports.pace import Estimate, Pace
from reports.summary import RunSummary
from reports.view import Moment, Together
from reports.view_terminal import Frame, Room, moment_frame, together_frame
from scenarios.evidence import CallRecord, JournalEntry, Pulse, Sample
from scenarios.model import Drill

REFRESH: Final = 0.125
"""Seconds between two frames at least."""
REFRESH_LIVE: Final = 1.0
"""The same while an engine keeps step with the clock, which waits for each frame."""
LOOK: Final = 1.0
"""Seconds between two looks at how the expectations stand, at least."""


class Screen:
    """Shows frames on a terminal, as often as they may take of the time; nothing anywhere else."""

    def __init__(self, console: Console, least: float = REFRESH, clock: Callable[[], float] = time.monotonic) -> None:
        """``least``: seconds between two frames, however little one takes."""
        self._console = console
        self._clock = clock
        self._pace = Pace(least)
        shows = console.is_interactive and not console.quiet
        self._live = Live(console=console, auto_refresh=False, transient=True) if shows else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the last frame away, and give the cursor back."""
        if self._live is not None:
            with suppress(OSError):  # the terminal may be gone
                self._live.stop()

    @property
    def shows(self) -> bool:
        """Whether anybody can see anything."""
        return self._live is not None

    def show(self, frame: Callable[[Room], Frame]) -> None:
        """Show a frame, if it is time for one; without a terminal any more, the run goes on."""
        began = self._clock()
        if self._live is None or not self._pace.due(began):
            return
        width, height = self._console.size
        room = Room(width, height, self._console.options.ascii_only)
        with suppress(OSError):
            self._live.update(frame(room), refresh=True)
        self._pace.done(began, self._clock())


class Watching:
    """Hears all that a run tells on its way, and hands it to those who look on; entered for as long as it goes on."""

    def __init__(
        self,
        drill: Drill,
        engine: str,
        screen: Screen,
        unfinished: Unfinished,
        *,
        in_real_time: bool = False,
        at_most: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``at_most``: whether fewer replications may do than the drill asks for."""
        self._drill = drill
        self._screen = screen
        self._unfinished = unfinished
        self._in_real_time = in_real_time
        self._at_most = at_most
        self._clock = clock
        self._engine = f"{engine} engine"
        self._finished: dict[int, RunSummary] = {}
        self._written = 0
        self._together = Together(drill, drill.run.replications)
        self._estimate = Estimate()
        self._look = Pace(LOOK)
        self._eyes: _Eyes | None = None

    def __enter__(self) -> Self:
        """Begin; raises :class:`~reports.files.ReportError` where no result can be written."""
        with ExitStack() as stack:
            stack.enter_context(self._unfinished)
            stack.enter_context(self._screen)
            if self._drill.run.replications > 1 and not self._in_real_time:
                self.done(0)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the terminal as it was, and wait for what is being written."""
        self._stack.close()

    @property
    def lasts(self) -> float:
        """Seconds of the run."""
        return self._drill.run.lasts

    # Many replications, whoever computes them.

    def kept(self, results: Mapping[int, RunSummary]) -> None:
        """Take replications that are finished."""
        self._finished |= results
        for summary in results.values():
            self._together.take(summary)

    def done(self, count: float) -> None:
        """Hear how many are, or that it is still as many."""
        now = self._clock()
        self._estimate.take(now, count)
        if self._written < self._together.runs < self._together.asked and self._unfinished.due:
            self._written = self._together.runs
            self._unfinished.write(lambda: self._finished)
        if self._screen.shows and not self._in_real_time:
            self._judge(now)
            left = self._estimate.left(now, self._together.asked)
            self._screen.show(
                lambda room: together_frame(self._together, room, which=self._engine, left=left, at_most=self._at_most)
            )

    def _judge(self, now: float) -> None:
        """Look at how the expectations stand, now and then: it takes longer the more replications there are."""
        together = self._together
        if together.runs > together.judged and self._look.due(now):
            judged = judge(self._drill, self._in_order(), engine=self._engine, seed=self._drill.run.seed)
            together.judge(judged.judgements, together.runs)
            self._look.done(now, self._clock())

    def _in_order(self) -> list[RunSummary]:
        return [self._finished[index] for index in sorted(self._finished)]

    # One replication that is played in this process.

    def begins(self, replication: int, fold: Fold) -> "_Eyes":
        """Return what takes the evidence of a replication, beside the fold."""
        moment = Moment(self._drill) if self._screen.shows else None
        several = self._drill.run.replications > 1
        which = f"replication {replication}, {self._engine}" if several else self._engine
        self._eyes = _Eyes(self, fold, moment, which)
        return self._eyes

    def pulse(self, pulse: Pulse) -> None:
        """Hear how a live engine keeps up."""
        if self._eyes is not None:
            self._eyes.pulse(pulse)

    def come_to(self, eyes: "_Eyes", at: float) -> None:
        """A replication has come to a moment of its run, seconds."""
        if not self._finished and 0 < at < self.lasts and self._unfinished.due:
            self._unfinished.write(lambda: {0: eyes.fold.so_far(at)})
        moment = eyes.moment
        if moment is not None:
            now = self._clock()
            eyes.estimate.take(now, at)
            left = self.lasts - at if self._in_real_time else eyes.estimate.left(now, self.lasts)
            self._screen.show(lambda room: moment_frame(moment, room, which=eyes.which, left=left))


class _Eyes:
    """A recorder that follows one replication."""

    def __init__(self, watching: Watching, fold: Fold, moment: Moment | None, which: str) -> None:
        self.fold = fold
        self.moment = moment
        """None where nobody can see it."""
        self.which = which
        self.estimate = Estimate()
        self._watching = watching
        self._at = -1.0

    def calls(self, records: Sequence[CallRecord]) -> None:
        """Take attempts that have ended."""
        if self.moment is not None:
            self.moment.calls(records)

    def entry(self, entry: JournalEntry) -> None:
        """Take one journal entry."""
        if self.moment is not None:
            self.moment.entry(entry)

    def sample(self, sample: Sample) -> None:
        """Take one sample; the first of a moment tells that all before it has been told."""
        if sample.at > self._at:
            self._at = sample.at
            self._watching.come_to(self, sample.at)
        if self.moment is not None:
            self.moment.sample(sample)

    def pulse(self, pulse: Pulse) -> None:
        """Hear how a live engine keeps up."""
        if self.moment is not None:
            self.moment.pulse(pulse)
        self._watching.come_to(self, min(pulse.at, self._watching.lasts))
