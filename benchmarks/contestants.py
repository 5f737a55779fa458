"""Everyone who plays the workload, and one take of each."""

from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from typing import NamedTuple

from benchmarks.bare import bare
from benchmarks.measure import timed
from benchmarks.ours import engine
from benchmarks.peers import ciw, salabim
from benchmarks.simpy_models import slim, textbook
from benchmarks.whole_run import whole_run
from benchmarks.workload import Contender, Load, Tally, Workload

ENGINE = "engine, with the fold"
WITHOUT = "kirikae run --no-calls"
WITH = "kirikae run"
TEXTBOOK = "SimPy, as a textbook"
SLIM = "SimPy, slim events"
BARE = "bare heapq loop"
SALABIM = "salabim"
CIW = "Ciw, loss part only"

FULL: dict[str, Contender] = {ENGINE: engine, TEXTBOOK: textbook, SLIM: slim, BARE: bare}
"""Who plays the whole workload in this process, with the same draws."""
PEERS: dict[str, tuple[str, Contender]] = {SALABIM: ("salabim", salabim), CIW: ("ciw", ciw)}
"""Other people's libraries: what they are imported as, and the contender."""


def present() -> tuple[dict[str, Contender], list[str]]:
    """Return the peers that are installed, and what is to be said of those that are not."""
    found = {name: contender for name, (package, contender) in PEERS.items() if find_spec(package) is not None}
    missing = [f"{name}: not installed (pip install '.[bench]')" for name in PEERS if name not in found]
    return found, missing


class Take(NamedTuple):
    """One run of a contestant."""

    seconds: float
    """Processor time."""
    tally: Tally

    @property
    def speed(self) -> float:
        """Attempts played in a second of processor time."""
        return self.tally.attempts / self.seconds


def take(contender: Contender, load: Load) -> Take:
    """Time a contender in this process."""
    return Take(*timed(partial(contender, load)))


def take_run(workload: Workload, seed: int, *, calls: bool) -> Take:
    """Time `kirikae run` as a whole, from the start of its interpreter."""
    tally, cost = whole_run(workload, seed, calls=calls)
    return Take(cost.seconds, tally)


def takes(loads: Mapping[str, Load], contenders: Mapping[str, Contender]) -> dict[str, Callable[[], Take]]:
    """Return an action that times each contender on its load."""
    return {name: partial(take, contender, loads[name]) for name, contender in contenders.items()}
