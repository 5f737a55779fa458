"""Softphones that register again after their site's registrar was lost and is back: how soon, at which price.

The same drill with the same seed in virtual time says how soon they would be back if nothing took time: a phone finds
out at its next refresh, and those are spread over half the expiry. What the sockets add is measured against it.
"""

import resource
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from time import process_time
from typing import Final, NamedTuple

from benchmarks.measure import Json, table
from benchmarks.whole_run import RunError
from kirikae.runner import ENGINES
from sbc.live.transport import BindError
from scenarios.evidence import CallRecord, EventKind, JournalEntry, Sample, WireRecord
from scenarios.model import Drill
from sim.live.pairs import LiveError
from sim.traffic import load

EXPIRES: Final = 60.0
"""Seconds; phones refresh at half of it."""
LOST_AT: Final = 5.0
LOST_FOR: Final = 3.0
SETTLES: Final = 40.0
"""Seconds after the return of the registrar by which all are back: half the expiry, and a REGISTER sent in vain."""
SPARE: Final = 200
"""Open files besides one a phone."""
SEED: Final = 1


class Returned(NamedTuple):
    """What became of the phones."""

    last: float
    """Seconds from the loss until the last was back."""
    back: int
    """Phones that were back at the end."""
    vain: int
    """REGISTERs that were sent while nobody was there to answer."""
    lost: int
    """REGISTERs that nobody answered although there was a registrar, or not before they were sent again."""
    kib: float
    """Peak of memory beyond that of the program, KiB a phone."""
    work: float
    """Seconds of the processor in all."""
    late: float
    """Seconds that the program itself was late at most."""


def main(phones: int) -> Json:
    """Print how soon phones are back on sockets and in virtual time; return the same."""
    print(f"live phones: {phones:,} register again, expiry {EXPIRES:g} s, after {LOST_FOR:g} s without a registrar")
    if refusal := too_few_files(phones):
        print(f"  not measured: {refusal}")
        return {"phones": phones, "missing": [refusal]}
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        found = dict(zip(("live", "packets"), pool.map(partial(back, phones), ("live", "packets")), strict=True))
    ratio = found["live"].last / found["packets"].last
    print(
        table(
            (
                "engine",
                "back",
                "the last after, s",
                "packets = 1",
                "sent in vain",
                "lost",
                "KiB a phone",
                "CPU s",
                "late, s",
            ),
            [
                (
                    engine,
                    f"{each.back:,}",
                    f"{each.last:.2f}",
                    f"{each.last / found['packets'].last:.3f}",
                    f"{each.vain:,}",
                    f"{each.lost:,}",
                    f"{each.kib:.1f}",
                    f"{each.work:.1f}",
                    f"{each.late:.2f}",
                )
                for engine, each in found.items()
            ],
        )
    )
    return {"phones": phones, "times": ratio, **{engine: each._asdict() for engine, each in found.items()}}


def too_few_files(phones: int) -> str:
    """Let this process and those that it starts open as many files as they may; return why that is too few, or ""."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    needs = phones + SPARE
    if hard == resource.RLIM_INFINITY or hard >= needs:
        return ""
    return f"{phones:,} phones need {needs:,} open files, and this system allows {hard:,} (ulimit -Hn)"


def plan(phones: int) -> Drill:
    """Return a drill of one site whose registrar is lost and comes back."""
    number = "03-1234-5678"
    return Drill.model_validate(
        {
            "kirikae": 1,
            "name": "Phones come back",
            "run": {"for": f"{LOST_AT + LOST_FOR + SETTLES!r}s", "warm": False, "replications": 1},
            "sites": {"tokyo": {}},
            "sbc_pairs": {"edge": {"site": "tokyo", "ports": 10}},
            "trunks": {"line": {"via": "edge", "channels": 10}},
            "numbers": {number: {"trunk": "line"}},
            "agents": {"desk": {"count": phones, "softphone": {"sites": ["tokyo"], "expires": f"{EXPIRES!r}s"}}},
            "traffic": [{"to": number, "arrivals": "0.1/s", "talk": "1s"}],
            "faults": [{"name": "lost", "at": f"{LOST_AT!r}s", "registrar": "tokyo", "for": f"{LOST_FOR!r}s"}],
            "expect": ["asr > 1%"],
        }
    )


class Watch:
    """Counts the phones that come back, and follows each REGISTER by its branch."""

    def __init__(self) -> None:
        self.back: dict[int, float] = {}
        """Seconds without a registration, by agent."""
        self.late = 0.0
        self._sent: dict[bytes, list[float]] = {}
        self._answered: set[bytes] = set()

    def calls(self, records: Sequence[CallRecord]) -> None:
        """Pass over them."""

    def sample(self, sample: Sample) -> None:
        """Pass over it."""

    def entry(self, entry: JournalEntry) -> None:
        """Note who is back, and how late the program was."""
        if entry.kind is EventKind.REGISTERED and "without" in entry.detail:
            self.back[int(entry.detail["agent"])] = float(entry.detail["without"])
        elif entry.kind is EventKind.LATENESS:
            self.late = float(entry.detail["worst"])

    def wire(self, record: WireRecord) -> None:
        """Note a REGISTER or its answer."""
        if record.data.startswith(b"REGISTER "):
            self._sent.setdefault(_branch(record.data), []).append(record.at)
        elif record.data.startswith(b"SIP/2.0 200") and b" REGISTER\r\n" in record.data:
            self._answered.add(_branch(record.data))

    def unanswered(self, until: float) -> tuple[int, int]:
        """Return how many REGISTERs met no registrar, and how many more had no answer before the next copy."""
        vain = lost = 0
        for branch, times in self._sent.items():
            without = times if branch not in self._answered else times[:-1]
            for at in without:
                if LOST_AT <= at < LOST_AT + LOST_FOR:
                    vain += 1
                elif at < until:
                    lost += 1
        return vain, lost


def _branch(message: bytes) -> bytes:
    return message.partition(b"branch=")[2].split(b"\r", 1)[0].split(b";", 1)[0]


def back(phones: int, engine: str) -> Returned:
    """Play the drill on an engine; raises RunError where that is not possible."""
    drill, watch = plan(phones), Watch()
    before, began = _memory("VmRSS"), process_time()
    try:
        ENGINES[engine](drill, load(drill, SEED, 0), SEED, 0, watch, wire=watch)
    except (BindError, LiveError) as error:
        raise RunError(f"{engine}: {error}") from None
    work = process_time() - began
    vain, lost = watch.unanswered(drill.run.lasts - 1.0)
    peak = (_memory("VmHWM") - before) / phones
    return Returned(max(watch.back.values(), default=0.0), len(watch.back), vain, lost, peak, work, watch.late)


def _memory(what: str) -> int:
    """Return KiB that this process has, or had at most; that of getrusage begins at whoever has started it."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:"))
