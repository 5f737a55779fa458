"""SIPp on both sides of a pair of ours whose machines are processes, while the one that serves is killed."""

import asyncio
import csv
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from sbc.decisions.admission import Limit
from sbc.endpoints.gate import Carrying, Post
from sbc.endpoints.ha import Became, Phases, Role, Seat
from sbc.endpoints.node_plan import NodePlan
from sbc.endpoints.wire import Address
from sbc.endpoints.wire import Path as Way
from sbc.live.child import Child
from sbc.live.clock import Clock
from sbc.live.machine_plan import MachinePlan
from sbc.live.running import run
from sbc.live.words import OfSip, SipPlan, Up
from scenarios.model.network import VrrpDetection
from tests.lab import peer
from tests.live import Ear, here, sockets, until

DETECT = VrrpDetection.model_validate({"by": "vrrp", "advert": "100ms"})
OUTAGE = (0.2 + 0.1 * 156 / 256, 0.3 + 0.1 * 156 / 256)
"""Three adverts since the last one, and the skew (RFC 5798 §6.1); s."""
CALLS, RATE, TALK = 120, 20, 2.0
KILLED_AT = 50
"""The call at which the serving machine dies."""
T1 = 0.5
CLOSE = 0.4
"""Seconds to which times are compared: other programs of the machine have their turn, too."""
LONGEST = 60.0


class Pair(NamedTuple):
    """Where a pair stands, and its neighbours."""

    service: Address
    own: tuple[Address, Address]
    ha: tuple[Address, Address]
    carrier: Address
    centre: Address

    def plan(self, index: int, origin: float) -> MachinePlan:
        """Return what the machine of a node is started with."""
        post = Post(
            f"edge/{index + 1}",
            self.service,
            {"ntt": self.carrier},
            self.centre,
            Limit("ports", 1000, 503),
        )
        replication = [each._replace(port=7_000) for each in self.ha]
        peer = Way(replication[index], replication[1 - index])
        node = NodePlan(post, "confirmed", peer, proxies=False)
        seat = Seat(self.ha[index], self.ha[1 - index], self.service, 1, first=index == 0)
        sip = SipPlan(origin, node, (self.own[index], replication[index]))
        return MachinePlan(sip, seat, DETECT, Phases(0.0, 0.0), index == 0)


class Machine:
    """A machine, and what it has told."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.child = Child("sbc.live.machine")
        self.child.hear = self.told.append

    @property
    def role(self) -> Role | None:
        return next((each.role for each in reversed(self.told) if isinstance(each, Became)), None)

    @property
    def carried(self) -> int:
        """How many calls it has taken."""
        return sum(isinstance(each, OfSip) and isinstance(each.report, Carrying) for each in self.told)


@asynccontextmanager
async def sipp(folder: Path, *options: str | int) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start a SIPp that writes what it does into a folder; it ends when the context does."""
    folder.mkdir()
    files = ["-trace_msg", "-message_file", "messages.log", "-trace_stat", "-stf", "stat.csv"]
    files += ["-trace_rtt", "-rtt_freq", "1", "-trace_err", "-error_file", "errors.log", "-nostdin"]
    process = await asyncio.create_subprocess_exec(
        *map(str, (peer("sipp"), *options, *files)),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def received(folder: Path, method: str) -> set[str]:
    """Return the Call-IDs of the requests of one method that a SIPp has received."""
    text = (folder / "messages.log").read_text("utf-8", "replace")
    found = re.findall(rf"received[^\n]*\n\n{method} .*?\nCall-ID: *([^\r\n]+)", text, re.DOTALL)
    return set(found)


def counts(folder: Path) -> dict[str, str]:
    """Return the numbers that a SIPp had at its end."""
    with (folder / "stat.csv").open(newline="") as file:
        *_, last = csv.DictReader(file, delimiter=";")
    return last


def set_up_times(folder: Path) -> list[float]:
    """Return how long each call took from its first INVITE to its 200, s."""
    [path] = folder.glob("*_rtt.csv")
    with path.open(newline="") as file:
        return [float(row["response_time_ms"]) / 1000 for row in csv.DictReader(file, delimiter=";")]


@pytest.mark.lab(needs=["sipp"])
def test_sipp_loses_no_call_through_a_takeover(tmp_path: Path) -> None:
    pair = Pair(here(), (here(), here()), (here(7_112), here(7_112)), here(), here())
    caller, called = tmp_path / "caller", tmp_path / "called"

    async def scene() -> None:
        machines = [Machine(), Machine()]
        first, second = machines
        try:
            await until(lambda: all(each.told == [Up()] for each in machines), LONGEST)
            async with sockets() as gone:
                gone.hold(Ear(), pair.service, shared=True, transports=["udp"])  # a machine that is dead is silent
                origin = Clock().origin
                for index, machine in enumerate(machines):
                    machine.child.tell(pair.plan(index, origin))
                await until(lambda: (first.role, second.role) == (Role.SERVES, Role.STANDS_BY))
                where = "-sn", "uas", "-i", pair.centre.host, "-p", pair.centre.port
                async with sipp(called, *where):
                    await until((called / "messages.log").exists)
                    where = "-sn", "uac", "-i", pair.carrier.host, "-p", pair.carrier.port
                    load = "-r", RATE, "-m", CALLS, "-d", int(1000 * TALK), "-s", "0312345678"
                    async with sipp(caller, str(pair.service), *where, *load) as calls:
                        await until(lambda: first.carried >= KILLED_AT, LONGEST)
                        # Between two calls: one whose 200 has gone out and whose replica has not would be lost.
                        later = asyncio.Event()
                        asyncio.get_running_loop().call_later(0.5 / RATE, later.set)
                        await later.wait()
                        first.child.kill()
                        async with asyncio.timeout(LONGEST):
                            assert await calls.wait() == 0, counts(caller)
                    await until(lambda: len(received(called, "BYE")) >= CALLS)
        finally:
            for machine in machines:
                machine.child.kill()
        assert second.role is Role.SERVES

    run(scene())
    assert (counts(caller)["SuccessfulCall(C)"], counts(caller)["FailedCall(C)"]) == (str(CALLS), "0")
    assert received(called, "BYE") == received(called, "ACK")
    times = set_up_times(caller)
    assert len(times) == CALLS
    delayed = [time for time in times if time >= T1]
    assert RATE * OUTAGE[0] - 2 <= len(delayed) <= RATE * (OUTAGE[1] + CLOSE) + 2
    for time in times:  # with a copy of the INVITE, RFC 3261 §17.1.1.2
        assert time - max(copy for copy in (0, T1, 3 * T1, 7 * T1) if copy <= time) < CLOSE, sorted(times)[-20:]
