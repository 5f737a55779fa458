"""Calls a second that kirikae's carrier places on sockets, and SIPp's caller beside it: another SIPp answers both.

Each call is hung up as soon as it is up. The carrier has a core of its own where there are two, as SIPp's caller has.
"""

import cProfile
import pstats
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from time import process_time
from typing import Final

from benchmarks.measure import Json, table
from benchmarks.shares import shares
from benchmarks.sipp_ends import BEHIND, CALLEE, Trial, callee, calls, cores, highest, missing, on
from sbc.endpoints.carrier import Carrier
from sbc.endpoints.line import Edge, Line
from sbc.endpoints.subscriber import Answered, Denied, Dial, HangUp, Over, Refused
from sbc.endpoints.wire import Address
from sbc.live.clock import Clock
from sbc.live.running import run
from sbc.live.sockets import Sockets
from sbc.sip.ids import Ids
from scenarios.evidence import CallRecord, JournalEntry, Sample
from scenarios.model import Drill
from sim.live.engine import LEAD
from sim.live.lateness import LIMIT, Lateness
from sim.live.network import LiveNetwork
from sim.live.paced import PacedEnvironment
from sim.log import Log
from sim.packets.host import Host
from sim.packets.stage import Stage
from sim.packets.topology import Plan, Topology
from sim.timer import later
from sim.world import World

CARRIER: Final = "kirikae's carrier"
SIPP: Final = "SIPp"
FIRST: Final = {CARRIER: 100.0, SIPP: 400.0}
"""Calls a second to begin with."""
SHORT: Final = 5.0
"""Seconds of a trial while the rate is looked for."""
SEED: Final = 1
NUMBER: Final = "03-1234-5678"
OWN: Final = Plan("127.23{}", "127.238", "127.239")
"""Addresses that live runs do not have, so that one may go on beside."""
_PORTS: Final = 1_000_000


def main(seconds: float) -> Json:
    """Print calls a second that each places without being late; return the same."""
    print(f"live generator: calls/s for {seconds:g} s, none failed and none more than {LIMIT:g} s late")
    if lacks := missing("sipp"):
        print(f"  {lacks}")
        return {"missing": ["sipp"]}
    found = {name: highest(each, FIRST[name], SHORT, seconds) for name, each in CONTESTANTS.items()}
    peer = found[SIPP]
    print(
        table(
            ("", "calls/s", f"{SIPP} = 1", "ms a call", "late, s"),
            [_row(name, trial, peer) for name, trial in found.items()],
        )
    )
    return {"seconds": seconds, **{name: None if each is None else each._asdict() for name, each in found.items()}}


def _row(name: str, trial: Trial | None, peer: Trial | None) -> Sequence[str]:
    if trial is None:
        return (name, "none", "", "", "")
    ratio = "" if peer is None else f"{trial.rate / peer.rate:.2f}"
    late = f"{trial.late:.3f}" if name == CARRIER else ""
    return (name, f"{trial.rate:,.0f}", ratio, f"{trial.work:.2f}", late)


def plan() -> Drill:
    """Return a plan in which the carrier has a line to a pair, in whose place SIPp answers."""
    return Drill.model_validate(
        {
            "kirikae": 1,
            "name": "Calls are placed",
            "run": {"for": "1m", "warm": False},
            "sites": {"tokyo": {}},
            "sbc_pairs": {"edge": {"site": "tokyo", "ports": _PORTS}},
            "trunks": {"line": {"via": "edge", "channels": _PORTS}},
            "numbers": {NUMBER: {"trunk": "line"}},
            "traffic": [{"to": NUMBER, "arrivals": "1/s", "talk": "1s"}],
            "expect": ["asr > 1%"],
        }
    )


def service() -> Address:
    """Return the service address of the pair, where SIPp is to answer."""
    stage = Stage(0.0)
    return Topology(stage.network(Log(stage.env, _Nobody())), plan(), OWN).pairs["edge"].service


class _Nobody:
    """A recorder of nothing."""

    def calls(self, records: Sequence[CallRecord]) -> None:
        """Pass over them."""

    def entry(self, entry: JournalEntry) -> None:
        """Pass over it."""

    def sample(self, sample: Sample) -> None:
        """Pass over it."""


class Generator:
    """The carrier of a plan on sockets, and callers who come one after the other, whatever becomes of those before."""

    def __init__(self, rate: float, many: int) -> None:
        """To be made while a loop runs."""
        clock = Clock()
        self.env = PacedEnvironment(lambda: clock.now() - LEAD, -LEAD)
        self.sockets = Sockets()
        self.lateness = Lateness()
        self.over = 0
        """Calls that were up, and are over."""
        self.failed = 0
        self._rate = rate
        self._many = many
        drill = plan()
        network = LiveNetwork(self.env, Log(self.env, _Nobody()), self.sockets)
        topology = Topology(network, drill, OWN)
        world, ids = World(drill, set()), Ids(Random(SEED).getrandbits)  # noqa: S311 - a run has to be repeatable
        trunk = drill.trunks["line"]
        line = Line(
            "line",
            topology.lines["line"],
            Edge("edge", drill.sbc_pairs["edge"], [topology.pairs["edge"].service]),
            world.trunks["line"].limit,
            trunk.advance_after,
            ids,
        )
        self._host = Host(self.env, network, "carrier", self._hear)
        network.hold(self._host, line.local)
        self._host.start(Carrier([line], world.routing, world.taps, ids))
        self.env.late = self.lateness.late

    async def play(self, until: float) -> None:
        """Place the calls, and wait until all are over, or for that many seconds."""
        later(self.env, LEAD, partial(self._dial, 0))
        try:
            await self.env.play(until)
        finally:
            await self.sockets.close()

    def _dial(self, number: int) -> None:
        self._host.tell(Dial(str(number), NUMBER))
        if number + 1 < self._many:
            later(self.env, (number + 1) / self._rate - self.env.now, partial(self._dial, number + 1))

    def _hear(self, report: object) -> None:
        match report:
            case Answered(key):
                later(self.env, 0.0, partial(self._host.tell, HangUp(key)))
            case Over():
                self.over += 1
            case Refused() | Denied():
                self.failed += 1
        if self.over + self.failed == self._many:
            self.env.finish()


def by_carrier(rate: float, seconds: float) -> Trial:
    """Return what becomes of calls that kirikae's carrier places."""
    own, others = cores()
    many = round(rate * seconds)

    async def placing() -> Generator:
        generator = Generator(rate, many)
        await generator.play(seconds + BEHIND)
        return generator

    with callee(others, service()), on(own):
        began = process_time()
        played = run(placing())
        work = (process_time() - began) / many * 1e3
    late = played.lateness.worst
    return Trial(rate, played.over == many and late <= LIMIT, 0, work, late)


def profile(rate: float, seconds: float) -> None:
    """Print where the time of the carrier goes."""
    profiler = cProfile.Profile()
    print(profiler.runcall(by_carrier, rate, seconds))
    print(shares(profiler))
    pstats.Stats(profiler).sort_stats("tottime").print_stats(30)


def by_sipp(rate: float, seconds: float) -> Trial:
    """Return what becomes of calls that SIPp places."""
    own, others = cores()
    with callee(others):
        trial, work = calls(rate, seconds, CALLEE, own)
    return trial._replace(work=work / round(rate * seconds) * 1e3)


CONTESTANTS: Final[dict[str, Callable[[float, float], Trial]]] = {CARRIER: by_carrier, SIPP: by_sipp}
