"""Small drills and literal loads for tests of the engine, and a recorder that keeps all it is given."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import inf
from typing import NamedTuple

from scenarios.evidence import CallRecord, EventKind, Gauge, JournalEntry, Recorder, Sample
from scenarios.load import CallerBlock
from scenarios.model import Drill
from sim.engine import play
from sim.live import engine as live
from sim.packets import engine as packets
from sim.traffic import load

FREE_DIAL = "0120-123-456"
TOKYO = "03-1234-5678"
OSAKA = "06-1234-5678"
MOBILE = "090-1234-5678"

_Play = Callable[[Drill, list[Iterator[CallerBlock]], int, int, Recorder], None]
ENGINES: dict[str, _Play] = {"calls": play, "packets": packets.play}
"""Those that play in virtual time."""
_LIVE: dict[str, _Play] = {"live": live.play}

_BASE: dict[str, object] = {
    "kirikae": 1,
    "name": "a small drill",
    "run": {"for": "5m", "warm": False},
    "sites": {"tokyo": {"role": "primary"}},
    "sbc_pairs": {"edge": {"site": "tokyo", "ports": 1000}},
    "trunks": {"ntt": {"via": "edge", "channels": 1000}},
    "numbers": {TOKYO: {"trunk": "ntt"}},
    "traffic": [{"to": TOKYO, "arrivals": "1/s", "talk": "10s"}],
    "expect": ["asr > 50%"],
}


def drill(**changes: object) -> Drill:
    """Return one site, pair, trunk and number whose far side answers at once, with whole sections replaced."""
    return Drill.model_validate({**_BASE, **changes})


class Caller(NamedTuple):
    """A caller whose every draw is known beforehand; seconds."""

    at: float
    talk: float = 10.0
    patience: float = inf
    again: Sequence[float] = ()
    """Pauses before further attempts; as many attempts more as there are pauses."""


def callers(*of_a_stream: Caller) -> Iterator[CallerBlock]:
    """Return the load of one traffic stream, in order of arrival."""
    yield CallerBlock(
        [caller.at for caller in of_a_stream],
        [caller.talk for caller in of_a_stream],
        [caller.patience for caller in of_a_stream],
        [1 + len(caller.again) for caller in of_a_stream],
        [list(caller.again) for caller in of_a_stream],
    )


class ListRecorder:
    """Keeps the evidence of one run in lists."""

    def __init__(self) -> None:
        self.records: list[CallRecord] = []
        self.entries: list[JournalEntry] = []
        self.samples: list[Sample] = []

    def calls(self, records: Sequence[CallRecord]) -> None:
        self.records += records

    def entry(self, entry: JournalEntry) -> None:
        self.entries.append(entry)

    def sample(self, sample: Sample) -> None:
        self.samples.append(sample)

    def of(self, *kinds: EventKind) -> list[JournalEntry]:
        """Return the journal entries of some kinds, in order."""
        return [entry for entry in self.entries if entry.kind in kinds]

    def levels(self, gauge: Gauge, name: str) -> dict[float, int]:
        """Return the samples of one gauge by time."""
        return {sample.at: sample.value for sample in self.samples if (sample.gauge, sample.name) == (gauge, name)}


def played(
    drill: Drill, *streams: Iterable[CallerBlock], seed: int = 1, replication: int = 0, engine: str = "calls"
) -> ListRecorder:
    """Play a drill with a literal load for each of its streams, or with the drawn load when none is given."""
    recorder = ListRecorder()
    traffic = [iter(blocks) for blocks in streams] or load(drill, seed, replication)
    (ENGINES | _LIVE)[engine](drill, traffic, seed, replication, recorder)
    return recorder
