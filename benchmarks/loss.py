"""A trunk that refuses what it cannot carry: the `calls` engine beside the way a SimPy tutorial would write it.

Both play the same Poisson arrivals and exponential holding times in one process, turn about, and count what they
refused; the count is held against Erlang B before any time is printed.
"""

import statistics
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import simpy

from scenarios.evidence import CallRecord, JournalEntry, Outcome, Sample
from scenarios.model import Drill
from scenarios.theory.erlang import erlang_b
from sim.engine import play
from sim.traffic import load

HOLDING = 180.0
ROUNDS = 3
PORTS = (99, 999, 9_999)


def calls_for(ports: int) -> int:
    """Return how many calls it takes until the empty start no longer shows in what is refused."""
    return max(50_000, 20 * ports)


@dataclass
class Count:
    """A recorder that only counts."""

    attempts: int = 0
    refused: int = 0

    def calls(self, records: Sequence[CallRecord]) -> None:
        """Count attempts."""
        self.attempts += len(records)
        self.refused += sum(record.outcome is Outcome.BLOCKED for record in records)

    def entry(self, entry: JournalEntry) -> None:
        """Take no notice of the journal."""

    def sample(self, sample: Sample) -> None:
        """Take no notice of levels."""


def drill(ports: int, rate: float) -> Drill:
    """Return a plan with one trunk and nothing that fails."""
    return Drill.model_validate(
        {
            "kirikae": 1,
            "name": "loss",
            "run": {"for": f"{calls_for(ports) / rate:.3f}s", "warm": False},
            "sites": {"tokyo": {}},
            "sbc_pairs": {"edge": {"site": "tokyo", "ports": ports}},
            "trunks": {"line": {"via": "edge", "channels": ports}},
            "numbers": {"03-1234-5678": {"trunk": "line"}},
            "traffic": [{"to": "03-1234-5678", "arrivals": f"{rate:.6f}/s", "talk": {"exponential": f"{HOLDING}s"}}],
            "expect": ["blocked_ratio < 50%"],
        }
    )


def engine(ports: int, rate: float, seed: int) -> Count:
    """Play the drill on the `calls` engine."""
    count = Count()
    plan = drill(ports, rate)
    play(plan, load(plan, seed, 0), seed, 0, count)
    return count


def textbook(ports: int, rate: float, seed: int) -> Count:
    """Play the same with a SimPy process for each call and a `Resource` for the trunk."""
    rng = np.random.default_rng(seed)
    env = simpy.Environment()
    trunk = simpy.Resource(env, ports)
    count = Count()

    def call(holding: float) -> Generator[simpy.Event, Any, None]:
        count.attempts += 1
        if trunk.count >= trunk.capacity:
            count.refused += 1
            return
        with trunk.request() as port:
            yield port
            yield env.timeout(holding)

    def arrivals() -> Generator[simpy.Event, Any, None]:
        calls = calls_for(ports)
        gaps, holdings = rng.exponential(1 / rate, calls), rng.exponential(HOLDING, calls)
        for gap, holding in zip(gaps.tolist(), holdings.tolist(), strict=True):
            yield env.timeout(gap)
            env.process(call(holding))

    env.process(arrivals())
    env.run(until=calls_for(ports) / rate)
    return count


def calls_per_second(play_one: Callable[[int, float, int], Count], ports: int, rate: float, seed: int) -> float:
    """Time one run; raises ArithmeticError when it refused a share far from Erlang's."""
    began = time.perf_counter()
    count = play_one(ports, rate, seed)
    seconds = time.perf_counter() - began
    share, expected = count.refused / count.attempts, erlang_b(rate * HOLDING, ports)
    if abs(share - expected) > 0.3 * expected:
        raise ArithmeticError(f"{play_one.__name__} refused {share:.4f}, Erlang B says {expected:.4f}")
    return count.attempts / seconds


def main() -> None:
    """Print calls per second and the ratio, for a small and a large trunk."""
    print(f"loss: calls of {HOLDING:.0f} s, a trunk offered 110 % of its ports, median of {ROUNDS} rounds")
    for ports in PORTS:
        rate = 1.1 * ports / HOLDING
        engine_runs, textbook_runs = [], []
        for seed in range(ROUNDS):
            engine_runs.append(calls_per_second(engine, ports, rate, seed))
            textbook_runs.append(calls_per_second(textbook, ports, rate, seed))
        ours, theirs = statistics.median(engine_runs), statistics.median(textbook_runs)
        ratio = statistics.median(a / b for a, b in zip(engine_runs, textbook_runs, strict=True))
        print(f"  {ports:>5} ports: engine {ours:>9,.0f} calls/s, textbook {theirs:>9,.0f} calls/s, ratio {ratio:.2f}")
