"""What looking on costs a run: the results that are written while it goes on, and frames on a terminal of 80 by 24.

One replication of the failover in processor time, which others' work does not lengthen; and a live run by how late its
generator is, where nothing else counts.
"""

import io
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from benchmarks.measure import Json, Options, Spread, ratios, table, timed, turn_about
from benchmarks.truth import DisagreementError
from benchmarks.workload import Workload
from kirikae import drills
from kirikae.runner import run_all, run_live
from kirikae.unfinished import Unfinished
from kirikae.watching import REFRESH, REFRESH_LIVE, Screen, Watching
from reports.fold import Fold
from reports.folder import Tee
from reports.judge import judge
from reports.origin import Origin
from reports.summary import RunSummary
from scenarios.evidence import Recorder
from scenarios.loader import load
from scenarios.model import Drill
from scenarios.text import LANGUAGES
from sim.live import engine as live

RATE = 50.0
"""Callers of the failover a second."""
SEED = 1
PLAIN, WRITTEN, SHOWN = "nobody looks on", "results are written", "results are written, and frames shown"
LIVE = "sbc-pair-takeover"
CHANGES = ("traffic[0].arrivals=20/s", "run.for=20s", "run.warm=false")
"""Of a live run: 20 calls a second for 20 s, its fault after 10 s."""


def main(options: Options) -> Json:
    """Print what looking on costs; whoever looks on must not change what comes out."""
    drill = Workload(options.calls, rate=RATE).drill()
    ways: dict[str, Callable[[], tuple[float, RunSummary]]] = {
        name: partial(timed, partial(_played, drill, name)) for name in (PLAIN, WRITTEN, SHOWN)
    }
    print(
        f"looking: {options.calls:,} callers, {options.repeats} rounds, processor time; and {LIVE} live, "
        f"with {', '.join(CHANGES)}"
    )
    _played(Workload(100, rate=RATE).drill(), SHOWN)  # templates are read once, and at the end of any run
    takes = turn_about(ways, options.repeats)
    told = [summary for each in takes.values() for _, summary in each]
    if any(summary != told[0] for summary in told):
        raise DisagreementError("a replication comes to something else when somebody looks on")
    seconds = {name: [spent for spent, _ in each] for name, each in takes.items()}
    figures: Json = {
        name: {"seconds": Spread.of(each).json(), "times_alone": ratios(each, seconds[PLAIN]).json()}
        for name, each in seconds.items()
    }
    paced = load(drills.find(LIVE), CHANGES).drill
    late = turn_about({name: partial(_lateness, paced, name) for name in (PLAIN, SHOWN)}, options.repeats)
    for name, each in late.items():
        figures[name] |= {
            "late_p99_ms": Spread.of([1000 * p99 for p99, _ in each]).json(),
            "late_worst_ms": Spread.of([1000 * worst for _, worst in each]).json(),
        }
    _show(figures)
    return figures


def _watching(drill: Drill, name: str, out: Path, *, in_real_time: bool = False) -> Watching:
    judged = partial(judge, drill, engine="calls", seed=SEED, unfinished=True)
    terminal = Console(file=io.StringIO(), force_terminal=name == SHOWN, width=80, height=24, _environ={})
    screen = Screen(terminal, REFRESH_LIVE if in_real_time else REFRESH)
    unfinished = Unfinished(out, Origin("benchmark"), judged, LANGUAGES[0], aside=in_real_time)
    return Watching(drill, "calls", screen, unfinished, in_real_time=in_real_time)


def _played(drill: Drill, name: str) -> RunSummary:
    if name == PLAIN:
        return run_all(drill, seed=SEED, replications=1, workers=1).results[0]
    with TemporaryDirectory() as folder, _watching(drill, name, Path(folder)) as watching:
        return run_all(drill, seed=SEED, replications=1, workers=1, onlooker=watching).results[0]


def _lateness(drill: Drill, name: str) -> tuple[float, float]:
    """Return how late 99 % of what was due was at most, and the worst, seconds."""
    nobody = name == PLAIN
    with TemporaryDirectory() as folder, _watching(drill, name, Path(folder), in_real_time=True) as watching:
        play = live.play if nobody else partial(live.play, pulse=watching.pulse)
        onlooker = _Nobody() if nobody else watching
        runs = run_live(drill, seed=SEED, replications=1, play=play, onlooker=onlooker)
    lateness = runs.results[0].lateness
    assert lateness is not None  # noqa: S101 - a live run has one
    return lateness.p99, lateness.worst


class _Nobody:
    """Looks on at nothing."""

    def done(self, count: float) -> None:
        """Nothing is made of it."""

    def kept(self, results: Mapping[int, RunSummary]) -> None:
        """Nothing is made of them."""

    def begins(self, replication: int, fold: Fold) -> Recorder:
        """Return what takes the evidence and does nothing with it."""
        return Tee()


def _show(figures: Json) -> None:
    rows = [
        (
            name,
            Spread(**each["seconds"]).shown(".2f"),
            Spread(**each["times_alone"]).shown(".3f"),
            *(Spread(**each[key]).shown(".0f") if key in each else "" for key in ("late_p99_ms", "late_worst_ms")),
        )
        for name, each in figures.items()
    ]
    print(table(("", "processor s", "times alone", "live: 99% late, ms", "worst, ms"), rows))
