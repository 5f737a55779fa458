"""What the `packets` engine takes: complete calls a second, their growth and memory, and how fast a drill goes by.

Every call is set up by the carrier, passed on back to back by the pair and answered by the contact centre, with
transactions on all four sides; whoever dialled hangs up, and after the last call the run goes on until no transaction
is left. What is counted is processor time. `python -m benchmarks.packets` prints where it goes.
"""

import cProfile
import pstats
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from math import inf
from multiprocessing import get_context
from pathlib import Path
from time import process_time
from typing import Final

from benchmarks import sip_calls
from benchmarks.measure import Json, Options, Spread, ratios, table, timed, turn_about
from benchmarks.whole_run import RunError
from kirikae import drills
from kirikae.engines import IN_REAL_TIME
from kirikae.runner import ENGINES
from reports.fold import Fold
from reports.folder import Tee, capture_file, detail_files
from reports.queries import default_queries
from sbc.quiet import collector_off
from scenarios import loader
from scenarios.evidence import CallRecord, JournalEntry, Outcome, Recorder, Sample, WireRecorder
from scenarios.load import CallerBlock
from scenarios.model import Drill
from sim.traffic import load

RATE: Final = 50.0
"""Callers a second."""
CROWD: Final = 500
"""Calls in progress while the contestants are compared."""
CROWDS: Final = (1_000, 10_000, 40_000)
LAST: Final = 60.0
"""Seconds in which all that is still going on ends: T1 times 64, and the session of whoever heard nothing."""
DRILL: Final = "sbc-pair-takeover"
SHARE: Final = 25
"""The part of the callers asked for that one take has: as many calls with messages take as long as 25 without."""
SEED: Final = 1
KIB: Final = 1024

ALONE, NOT_KEPT, JOURNAL, CAPTURE, STRICT = (
    "nothing on",
    "nothing on, keeps: none",
    "journal and calls.csv",
    "journal, calls.csv and pcap",
    "strict wire",
)
CORE: Final = "SIP core alone"
NUMBER: Final = "03-1234-5678"


def main(options: Options) -> Json:
    """Print what calls cost and how it grows, and how fast a drill goes by; return the same."""
    calls = max(1, options.calls // SHARE)
    return {
        "calls": compare(calls, options.repeats),
        "growth": growth(calls, CROWDS),
        "drill": drill_time(options.repeats),
    }


def plan(talk: float, lasts: float, keeps: str) -> Drill:
    """Return a plan with one pair, which has a port for every call."""
    most = 2 * max(CROWDS)
    return Drill.model_validate(
        {
            "kirikae": 1,
            "name": "Calls come and go",
            "run": {"for": f"{lasts!r}s", "warm": False, "replications": 1},
            "sites": {"tokyo": {}},
            "sbc_pairs": {"edge": {"site": "tokyo", "ports": most, "keeps": keeps}},
            "trunks": {"line": {"via": "edge", "channels": most}},
            "numbers": {NUMBER: {"trunk": "line"}},
            "traffic": [{"to": NUMBER, "arrivals": f"{RATE!r}/s", "talk": f"{talk!r}s"}],
            "expect": ["asr > 99%"],
        }
    )


def evenly(calls: int, talk: float) -> list[Iterator[CallerBlock]]:
    """Return callers who come one after the other, and talk for so many seconds."""
    times = [number / RATE for number in range(calls)]
    return [iter([CallerBlock(times, [talk] * calls, [inf] * calls, [1] * calls, [[]] * calls)])]


class Completed:
    """A recorder that counts the calls that came to their end."""

    def __init__(self) -> None:
        self.count = 0

    def calls(self, records: Sequence[CallRecord]) -> None:
        """Count."""
        self.count += sum(1 for record in records if record.outcome is Outcome.COMPLETED)

    def entry(self, entry: JournalEntry) -> None:
        """Pass over it."""

    def sample(self, sample: Sample) -> None:
        """Pass over it."""


# What a call costs.


def compare(calls: int, repeats: int) -> Json:
    """Print calls a second with more and more switched on, beside those of the SIP core, turn about."""
    cases: dict[str, Callable[[], float]] = {
        ALONE: partial(speed, calls),
        NOT_KEPT: partial(speed, calls, keeps="none"),
        JOURNAL: partial(speed, calls, journal=True),
        CAPTURE: partial(speed, calls, journal=True, capture=True),
        STRICT: partial(speed, calls, strict=True),
        CORE: core_speed,
    }
    print(f"packets: {calls:,} complete calls through the pair, {CROWD} at a time; calls a CPU second")
    found = turn_about(cases, repeats)
    shares = {name: ratios(speeds, found[ALONE]) for name, speeds in found.items()}
    print(
        table(
            ("", "calls/s", f"{ALONE} = 1"),
            [(name, Spread.of(speeds).shown(",.0f"), shares[name].shown(".2f")) for name, speeds in found.items()],
        )
    )
    return {
        name: {"calls/s": Spread.of(speeds).json(), "of nothing on": shares[name].json()}
        for name, speeds in found.items()
    }


def speed(
    calls: int, *, keeps: str = "confirmed", journal: bool = False, capture: bool = False, strict: bool = False
) -> float:
    """Return complete calls a CPU second from the first arrival until no transaction is left.

    Raises RunError when one of them is not completed.
    """
    talk = CROWD / RATE
    drill = plan(talk, calls / RATE + talk + LAST, keeps)
    completed, fold = Completed(), Fold(drill, default_queries(drill))
    with tempfile.TemporaryDirectory() as folder, ExitStack() as files:
        recorder: Recorder = Tee(completed, fold)
        wire: WireRecorder | None = None
        if journal:
            recorder = Tee(completed, fold, files.enter_context(detail_files(Path(folder))))
        if capture:
            wire = files.enter_context(capture_file(Path(folder)))
        play = partial(ENGINES["packets"], drill, evenly(calls, talk), SEED, 0, recorder, wire=wire, strict=strict)
        seconds, _ = timed(play)
    if completed.count != calls:
        raise RunError(f"{completed.count} of {calls} calls were completed")
    return calls / seconds


def core_speed() -> float:
    """Return the best of some rounds of the SIP core alone: the first row of the benchmark `sip_calls`."""
    _, speeds = timed(lambda: sip_calls.speeds(between=True, on_wire=False, crowd=CROWD))
    return max(speeds)


# Growth.


class Meter:
    """A recorder that reads processor time and memory at two moments of a run."""

    def __init__(self, begins: float, ends: float) -> None:
        """Where no sample is taken just then, it is read at the next one."""
        self._moments = [ends, begins]
        self.read: list[tuple[float, float, int]] = []
        """The time in the run, processor time, and bytes of memory."""

    def calls(self, records: Sequence[CallRecord]) -> None:
        """Pass over them."""

    def entry(self, entry: JournalEntry) -> None:
        """Pass over it."""

    def sample(self, sample: Sample) -> None:
        """Read, if it is time."""
        if self._moments and sample.at >= self._moments[-1]:
            self._moments.pop()
            self.read.append((sample.at, process_time(), sip_calls.resident()))


def growth(calls: int, crowds: Sequence[int]) -> Json:
    """Print calls a second and memory while ever more are in progress, each crowd in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        found = dict(zip(crowds, pool.map(partial(crowded, calls), crowds), strict=True))
    print(
        table(
            ("calls in progress", "calls/s", "KiB a call"),
            [(f"{crowd:,}", f"{speed:,.0f}", f"{kib:.1f}") for crowd, (speed, kib) in found.items()],
        )
    )
    return {str(crowd): {"calls/s": speed, "KiB": kib} for crowd, (speed, kib) in found.items()}


def crowded(calls: int, crowd: int) -> tuple[float, float]:
    """Return calls a CPU second while so many are in progress, and KiB for each, with what lingers of those before.

    As many calls are measured as asked for, once those before them have filled the pair and as many have hung up as
    leave something behind.
    """
    talk = crowd / RATE
    begins = talk + LAST
    ends = begins + calls / RATE
    drill = plan(talk, ends + 1.0, "confirmed")
    meter = Meter(begins, ends)
    with collector_off():
        before = sip_calls.resident()
        ENGINES["packets"](drill, evenly(int((ends + 1.0) * RATE), talk), SEED, 0, meter)
    (began, start, taken), (ended, end, _) = meter.read
    return (ended - began) * RATE / (end - start), (taken - before) / crowd / KIB


# A drill.


def drill_time(repeats: int) -> Json:
    """Print how many seconds of a bundled drill each engine plays in a CPU second."""
    drill = loader.load(drills.find(DRILL)).drill

    def played(engine: str) -> float:
        fold = Fold(drill, default_queries(drill))
        seconds, _ = timed(lambda: ENGINES[engine](drill, load(drill, SEED, 0), SEED, 0, fold))
        return drill.run.lasts / seconds

    found = turn_about({engine: partial(played, engine) for engine in ENGINES if engine not in IN_REAL_TIME}, repeats)
    times = ratios(found["calls"], found["packets"])
    print(f"{DRILL}, {drill.run.lasts:g} s: simulated seconds a CPU second")
    print(table(("engine", "s/s"), [(name, Spread.of(each).shown(",.1f")) for name, each in found.items()]))
    print(f"  calls is {times.shown('.0f')} times as fast as packets")
    return {**{name: Spread.of(each).json() for name, each in found.items()}, "times": times.json()}


def profile() -> None:
    """Print where the time of the calls goes."""
    profiler = cProfile.Profile()
    profiler.runcall(speed, 2_000)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(45)


if __name__ == "__main__":
    profile()
