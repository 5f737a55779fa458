"""Calls a second through one emulated SBC node, and through Kamailio between the same ends.

The process that passes the calls on has a core of its own where there are two; SIPp at both ends shares the others.
"""

import asyncio
import cProfile
import os
import pstats
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from random import random
from secrets import randbits
from typing import Final

from benchmarks.measure import Json, table
from benchmarks.shares import shares
from benchmarks.sipp_ends import (
    CALLEE,
    CALLER,
    MIDDLE,
    STARTS_WITHIN,
    Trial,
    await_listener,
    await_silence,
    callee,
    calls,
    children,
    cores,
    highest,
    located,
    missing,
    on,
    program,
    worked,
)
from benchmarks.whole_run import RunError
from sbc.decisions.admission import NO_CIRCUIT, Limit
from sbc.endpoints.gate import Post
from sbc.endpoints.ha import Phases, Seat
from sbc.endpoints.node_plan import NodePlan
from sbc.endpoints.passing import Serve
from sbc.endpoints.wire import Address
from sbc.live.child import Child
from sbc.live.clock import Clock
from sbc.live.impaired import Impaired
from sbc.live.machine_plan import MachinePlan
from sbc.live.running import run
from sbc.live.shell import Shell
from sbc.live.sockets import Sockets
from sbc.live.words import Failed, SipPlan, Up
from sbc.sip.ids import Ids
from scenarios.model.network import VrrpDetection
from sim.live.pairs import MACHINE

BACK_TO_BACK: Final = "node, back to back"
PROXY: Final = "node, as a proxy"
KAMAILIO: Final = "Kamailio"
NOBODY: Final = "nobody in between"
FIRST: Final = {BACK_TO_BACK: 100.0, PROXY: 100.0, KAMAILIO: 400.0, NOBODY: 400.0}
"""Calls a second to begin with."""
SHORT: Final = 5.0
"""Seconds of a trial while the rate is looked for."""
_OWN, _HA, _OTHER = Address("127.240.0.4"), Address("127.240.0.5"), Address("127.240.0.6")
_PORTS: Final = 1_000_000

CONFIGURATION: Final = f"""\
# A Record-Routing proxy with transactions, one worker and default buffers.
debug=0
log_stderror=yes
children=1
disable_tcp=yes
auto_aliases=no
dns=no
rev_dns=no
listen=udp:{MIDDLE.host}:{MIDDLE.port}
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "siputils.so"
request_route {{
    if (has_totag()) {{
        loose_route();
        t_relay();
        exit;
    }}
    record_route();
    $du = "sip:{CALLEE.host}:{CALLEE.port}";
    t_relay();
}}
"""


def main(seconds: float) -> Json:
    """Print calls a second with zero failures through each, and what a call costs; return the same."""
    print(f"live node: calls/s with zero failures for {seconds:g} s")
    if lacks := missing("sipp"):
        print(f"  {lacks}")
        return {"missing": ["sipp"]}
    contestants = dict(CONTESTANTS)
    absent = [] if located("kamailio") else ["kamailio"]
    if absent:
        del contestants[KAMAILIO]
        print(f"  {KAMAILIO}: {missing('kamailio')}")
    found = {name: highest(each, FIRST[name], SHORT, seconds) for name, each in contestants.items()}
    peer = found.get(KAMAILIO)
    print(
        table(
            ("", "calls/s", f"{KAMAILIO} = 1", "ms a call", "sent again"),
            [_row(name, trial, peer) for name, trial in found.items()],
        )
    )
    return {
        "seconds": seconds,
        "missing": absent,
        **{name: None if trial is None else trial._asdict() for name, trial in found.items()},
    }


def _row(name: str, trial: Trial | None, peer: Trial | None) -> Sequence[str]:
    if trial is None:
        return (name, "none", "", "", "")
    ratio = "" if peer is None else f"{trial.rate / peer.rate:.2f}"
    return (name, f"{trial.rate:,.0f}", ratio, f"{trial.work:.2f}" if trial.work else "", str(trial.again))


# Those that calls pass through: each trial has one that knows of no call.


def through_node(rate: float, seconds: float, *, proxies: bool = False) -> Trial:
    """Return what becomes of calls through the node."""
    return asyncio.run(_through_node(rate, seconds, proxies=proxies))


async def _through_node(rate: float, seconds: float, *, proxies: bool) -> Trial:
    own, others = cores()
    with callee(others):
        async with _node(proxies=proxies) as sip:
            os.sched_setaffinity(sip, own)
            before = worked(sip)
            trial, _ = await asyncio.to_thread(calls, rate, seconds, MIDDLE, others)
            return trial._replace(work=(worked(sip) - before) / (rate * seconds) * 1e3)


@asynccontextmanager
async def _node(*, proxies: bool) -> AsyncIterator[int]:
    """Run a machine that serves, without another one, and yield its SIP process."""
    await_silence(MIDDLE)
    up = asyncio.Event()
    failed: list[str] = []

    def hear(said: object) -> None:
        if isinstance(said, Up):
            up.set()
        elif isinstance(said, Failed):
            failed.append(said.why)

    machine = Child(MACHINE)
    machine.hear = hear
    try:
        async with asyncio.timeout(STARTS_WITHIN):
            await up.wait()
        (sip,) = children(machine.pid)
        machine.tell(plan(proxies=proxies))
        await asyncio.to_thread(await_listener, MIDDLE)
        yield sip
    finally:
        machine.kill()
    if failed:
        raise RunError(failed[0])


def plan(*, proxies: bool) -> MachinePlan:
    """Return what the machine is started with: it keeps no call for another, as Kamailio keeps none."""
    limit = Limit("ports", _PORTS, NO_CIRCUIT)
    post = Post("edge/1", MIDDLE, {"line": CALLER}, CALLEE, limit)
    node = NodePlan(post, "none", None, proxies=proxies)
    return MachinePlan(
        SipPlan(Clock().origin, node, (_OWN,)),
        Seat(_HA, _OTHER, MIDDLE, 1, first=True),
        VrrpDetection(by="vrrp"),
        Phases(0.0, 0.0),
        serves=True,
    )


def profile(rate: float, seconds: float) -> None:
    """Print where the time of a node goes that runs in this process, all else as its own process has it."""
    profiler = cProfile.Profile()

    async def passing() -> Trial:
        sockets = Sockets()
        network = Impaired(sockets, random)
        shell = Shell(Clock(), network, "edge/1", lambda told: None)
        network.hold(shell, MIDDLE, shared=True)
        node = plan(proxies=False).sip.node.start(Ids(randbits))
        shell.start(node)
        shell.tell(Serve(serving=True))
        profiler.enable()
        trial, _ = await asyncio.to_thread(calls, rate, seconds, MIDDLE, others)
        profiler.disable()
        await sockets.close()
        return trial

    own, others = cores()
    with callee(others), on(own):
        print(run(passing()))
    print(shares(profiler))
    pstats.Stats(profiler).sort_stats("tottime").print_stats(30)


def through_kamailio(rate: float, seconds: float) -> Trial:
    """Return what becomes of calls through Kamailio."""
    own, others = cores()
    with callee(others), _kamailio(own) as main:
        processes = [main, *children(main)]
        before = worked(*processes)
        trial, _ = calls(rate, seconds, MIDDLE, others)
        return trial._replace(work=(worked(*processes) - before) / (rate * seconds) * 1e3)


@contextmanager
def _kamailio(own: set[int]) -> Iterator[int]:
    await_silence(MIDDLE)
    found = located("kamailio")
    if found is None:
        raise RunError(missing("kamailio"))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "kamailio.cfg"
        file.write_text(CONFIGURATION, encoding="utf-8")
        with program([found, "-f", str(file), "-DD", "-E", "-Y", folder], own, folder) as started:
            await_listener(MIDDLE, started)
            yield started.pid


def through_nobody(rate: float, seconds: float) -> Trial:
    """Return what becomes of calls from end to end: what the ends can do themselves."""
    _, others = cores()
    with callee(others):
        return calls(rate, seconds, CALLEE, others)[0]


CONTESTANTS: Final[dict[str, Callable[[float, float], Trial]]] = {
    BACK_TO_BACK: through_node,
    PROXY: partial(through_node, proxies=True),
    KAMAILIO: through_kamailio,
    NOBODY: through_nobody,
}
