"""The workload of the benchmarks: a pair of SBC nodes, one of which dies halfway, and callers who dial again.

Every contender is handed the same callers with the same draws, and says how many attempts there were, how many found no
free port and how many calls were lost.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from math import inf
from typing import NamedTuple

from sbc.decisions.pair import detection_delay
from scenarios.load import CallerBlock
from scenarios.model import Drill
from sim.draws import Draws
from sim.traffic import load

HOLDING = 180.0
"""Mean talk, in seconds."""
PORTS = 9_999
RATE = 50.0
"""Callers a second at :data:`PORTS`: 9,000 erlang, 90 % of what one node carries."""
SILENCE = 10.0
"""Seconds until somebody on a lost call hangs up; the pause before the next attempt begins then."""
NUMBER = "03-1234-5678"


@dataclass(frozen=True, slots=True)
class Workload:
    """One size of it: ``fails``, the active node dies halfway; ``redials``, callers without success try again."""

    calls: int
    ports: int = PORTS
    rate: float = RATE
    fails: bool = True
    redials: bool = True

    @property
    def lasts(self) -> float:
        """Seconds in which so many callers arrive on average."""
        return self.calls / self.rate

    @property
    def erlang(self) -> float:
        """Load that the callers offer with their first attempts."""
        return self.rate * HOLDING

    def plan(self) -> dict[str, object]:
        """Return the drill that says the same, as plain data."""
        traffic: dict[str, object] = {
            "to": NUMBER,
            "arrivals": f"{self.rate!r}/s",
            "talk": {"exponential": f"{HOLDING}s"},
            "silence_hangup": f"{SILENCE}s",
        }
        if self.redials:
            traffic["retry"] = {"share": "80%", "after": {"exponential": "30s"}, "times": 3}
        plan: dict[str, object] = {
            "kirikae": 1,
            "name": "One node of a pair dies under load",
            "run": {"for": f"{self.lasts!r}s", "warm": False, "replications": 1},
            "sites": {"tokyo": {}},
            "sbc_pairs": {
                "edge": {
                    "site": "tokyo",
                    "ports": self.ports,
                    "keeps": "none",
                    "detect": {"by": "vrrp", "advert": "1s"},
                }
            },
            "trunks": {"line": {"via": "edge", "channels": 3 * self.ports}},  # never full, not even by lost calls
            "numbers": {NUMBER: {"trunk": "line"}},
            "traffic": [traffic],
            "expect": ["blocked_ratio < 50%"],
        }
        if self.fails:
            plan["faults"] = [{"name": "active-lost", "at": f"{self.lasts / 2!r}s", "pair": "edge", "fails": "active"}]
        return plan

    def drill(self) -> Drill:
        """Return the plan, validated."""
        return Drill.model_validate(self.plan())


class Caller(NamedTuple):
    """One caller with all draws."""

    at: float
    """First attempt, in seconds since the start."""
    talk: float
    tries: int
    """Attempts that the caller is ready to make."""
    pauses: list[float]
    """Seconds before the second, third … attempt."""


@dataclass(frozen=True, slots=True)
class Load:
    """The callers of one run, drawn beforehand, and the moments at which the pair changes; ``inf`` for never."""

    workload: Workload
    seed: int
    blocks: list[CallerBlock]
    death: float
    takeover: float

    def callers(self) -> Iterator[Caller]:
        """Yield the callers in order of arrival."""
        return chain.from_iterable(map(Caller, block.at, block.talk, block.tries, block.again) for block in self.blocks)


class Tally(NamedTuple):
    """What a contender counted until the end of the run."""

    attempts: int
    blocked: int
    """Attempts that found no free port."""
    lost: int
    """Calls up on the node that died."""


Contender = Callable[[Load], Tally]


def draw(workload: Workload, seed: int) -> Load:
    """Draw the callers, and the phase of the adverts at which the node dies, as the `calls` engine draws them."""
    drill = workload.drill()
    death = takeover = inf
    if workload.fails:
        death = drill.faults[0].at
        phase = next(Draws(seed, 0).uniforms("pair:edge:phase"))
        takeover = death + detection_delay(drill.sbc_pairs["edge"].detect, phase)
    return Load(workload, seed, list(load(drill, seed, 0)[0]), death, takeover)
