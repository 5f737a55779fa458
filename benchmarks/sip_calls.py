"""What complete calls cost: two user agents alone, and with a back-to-back user agent between them.

All ends are in one process, the clock is moved by hand, every transaction and every timer runs to its end. `python -m
benchmarks.sip_calls` prints where the time goes. Times are the processor's, since machines are shared.
"""

import cProfile
import pstats
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from heapq import heappop, heappush
from itertools import count
from math import inf
from multiprocessing import get_context
from pathlib import Path
from random import Random
from time import process_time
from typing import Any, Final, NamedTuple, TypeAlias

from benchmarks.measure import Json, Options, table
from sbc.quiet import collector_off
from sbc.sip.agent import UserAgent
from sbc.sip.b2bua import BackToBack
from sbc.sip.bridge import Incoming, Onward
from sbc.sip.call import Arrived, Call, Ended, Locate, Way
from sbc.sip.fields import Address, parse_via
from sbc.sip.ids import Ids
from sbc.sip.message import Request, Response, parse
from sbc.sip.testkit import Link, Party
from sbc.sip.transaction import Flow, Send
from sbc.sip.uri import SipUri

ROUNDS: Final = 5
BATCH: Final = 1_000
"""Calls of a round."""
CROWD: Final = 500
"""Calls in progress while most figures are taken."""
CROWDS: Final = (1_000, 10_000, 40_000)
RATE: Final = 50.0
"""Calls a second of the clock in the messages."""
RINGS_AFTER: Final = 0.3
"""Seconds: more than the 200 ms after which the transaction of an INVITE answers 100 by itself."""
ANSWERED_AFTER: Final = 1.0
ENOUGH: Final = 60.0
"""Seconds after the last BYE until no transaction is left."""
SDP: Final = (
    b"v=0\r\no=- 20518 0 IN IP4 203.0.113.1\r\ns=-\r\nc=IN IP4 203.0.113.1\r\nt=0 0\r\n"
    b"m=audio 54400 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\na=sendrecv\r\n"
)
PAGE: Final = 4096
KIB: Final = 1024

CALLER: Final = "pbx.atlanta.example"
MIDDLE: Final = "sbc.biloxi.example"
CALLEE: Final = "acd.chicago.example"

Hear: TypeAlias = Callable[[Any], None]


def main(options: Options) -> Json:
    """Print calls a second, their growth and their memory, without the garbage collector; return the same."""
    del options
    with collector_off():
        return {**arrangements(), **growth()}


def arrangements() -> Json:
    """Print and return calls a second with and without a middle, written and handed over."""
    figures: Json = {}
    for between, on_wire in ((True, False), (False, False), (True, True), (False, True)):
        best = max(speeds(between=between, on_wire=on_wire, crowd=CROWD))
        who = "through a back-to-back user agent" if between else "between two user agents"
        how = "each message written and parsed" if on_wire else "the messages handed over"
        print(f"calls {who}, {how}: {best:,.0f} calls/s")
        figures[f"{who}, {how}"] = best
    return figures


def growth() -> Json:
    """Print and return calls a second and memory while more and more are in progress, each crowd in its own process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        found = dict(zip(CROWDS, pool.map(crowded, CROWDS), strict=True))
    print(
        table(
            ("calls in progress", "calls/s", "KiB a call"),
            [(f"{crowd:,}", f"{speed:,.0f}", f"{kib:.1f}") for crowd, (speed, kib) in found.items()],
        )
    )
    return {"growth": {str(crowd): {"calls/s": speed, "KiB": kib} for crowd, (speed, kib) in found.items()}}


def crowded(crowd: int) -> tuple[float, float]:
    """Return calls a second while so many are in progress, and KiB for each, with what lingers of those before."""
    with collector_off():
        before = resident()
        scene = Scene(between=True, on_wire=False, crowd=crowd)
        scene.fill()
        kib = (resident() - before) / crowd / KIB
        return max(scene.round() for _ in range(ROUNDS)), kib


def speeds(*, between: bool, on_wire: bool, crowd: int) -> list[float]:
    """Return calls a second of the processor, round by round, and see that none is left over at the end."""
    scene = Scene(between=between, on_wire=on_wire, crowd=crowd)
    scene.fill()
    taken = [scene.round() for _ in range(ROUNDS)]
    scene.empty()
    return taken


def resident() -> int:
    """Return the bytes of memory that this process takes (Linux)."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE


class Place(NamedTuple):
    """A party, and what its user does about what it hears."""

    party: Party
    hear: Hear


class Network:
    """Parties whose messages arrive at once, and the time."""

    def __init__(self, *, on_wire: bool) -> None:
        self.now = 0.0
        self.sent = 0
        """Datagrams so far."""
        self._on_wire = on_wire
        self._places: dict[str, Place] = {}
        self._back: dict[Flow, Link] = {}
        self._agenda: list[tuple[float, int, Callable[[Call], None], Call]] = []
        self._numbers = count()

    def join(self, name: str, place: Place) -> None:
        """Let a party join."""
        for other in self._places:
            there, back = Link(name, other), Link(other, name)
            self._back |= {there: back, back: there}
        self._places[name] = place

    def after(self, seconds: float, action: Callable[[Call], None], call: Call) -> None:
        """Do something about a call later."""
        heappush(self._agenda, (self.now + seconds, next(self._numbers), action, call))

    def run(self, until: float) -> None:
        """Move the clock to a time, and let everything happen on the way."""
        self._carry(self._places.values())
        while True:
            due = self._agenda[0][0] if self._agenda else inf
            at = min(due, *[place.party.deadline() for place in self._places.values()])
            if at > until:
                break
            self.now = at
            if due <= at:
                _, _, action, call = heappop(self._agenda)
                action(call)
            for place in self._places.values():
                if place.party.deadline() <= at:
                    place.party.fire(at)
            self._carry(self._places.values())
        self.now = until

    def _carry(self, places: Iterable[Place]) -> None:
        """Take what parties have put out, and then what those have that heard of it."""
        busy = deque(places)
        while busy:
            place = busy.popleft()
            for output in place.party.take():
                if type(output) is Send:
                    busy.append(self._deliver(output.flow, output.message))
                else:
                    place.hear(output)
                    busy.append(place)

    def _deliver(self, flow: Flow, message: Request | Response) -> Place:
        self.sent += 1
        back = self._back[flow]
        place = self._places[back.source]
        place.party.receive(self.now, back, parse(message.encode()) if self._on_wire else message)
        return place


class Scene:
    """A caller, a callee, perhaps a back-to-back user agent between them, and calls that come evenly."""

    def __init__(self, *, between: bool, on_wire: bool, crowd: int) -> None:
        self.network = Network(on_wire=on_wire)
        self.begun = self.ended = 0
        self._crowd = crowd
        self._between = between
        self._caller = UserAgent(contact(CALLER), ids(CALLER), ways(CALLER, {}, MIDDLE if between else CALLEE))
        self._callee = UserAgent(contact(CALLEE), ids(CALLEE), ways(CALLEE, {}, MIDDLE if between else CALLER))
        self.network.join(CALLER, Place(self._caller, self._caller_hears))
        self.network.join(CALLEE, Place(self._callee, self._callee_hears))
        if between:
            self._middle = BackToBack(
                SipUri(MIDDLE, port=5060), ids(MIDDLE), ways(MIDDLE, {CALLEE: CALLEE, CALLER: CALLER}, CALLER)
            )
            self.network.join(MIDDLE, Place(self._middle, self._middle_hears))

    # The parts of a measurement.

    def fill(self) -> None:
        """Begin calls until as many as shall be are in progress, and those before them have hung up."""
        self._begin(self._crowd + int(RATE * ENOUGH))

    def round(self) -> float:
        """Return calls a second of the processor, one beginning for each that ends."""
        begun, ended, sent = self.begun, self.ended, self.network.sent
        start = process_time()
        self._begin(BATCH)
        elapsed = process_time() - start
        whole = (self.begun - begun, self.ended - ended, self.network.sent - sent)
        if whole != (BATCH, BATCH, BATCH * (14 if self._between else 7)):
            raise RuntimeError(f"{whole[0]} calls began, {whole[1]} ended, and {whole[2]} messages were sent")
        return BATCH / elapsed

    def empty(self) -> None:
        """Let all calls end; raises RuntimeError where something is left over."""
        self.network.run(self.network.now + self._crowd / RATE + ENOUGH)
        if self.begun != self.ended or len(self._caller) or len(self._callee):
            raise RuntimeError(f"{self.begun} calls began, and {self.ended} ended")

    def _begin(self, calls: int) -> None:
        began = self.network.now
        for number in range(calls):
            self.network.run(began + number / RATE)
            self._call()
        self.network.run(began + calls / RATE)

    # What the users do.

    def _call(self) -> None:
        number = f"0612{self.begun:06}"
        self.begun += 1
        uri = SipUri(MIDDLE if self._between else CALLEE, "0312345678")
        self._caller.invite(
            self.network.now, uri, Address(SipUri(CALLER, number), display="Sales"), Address(uri), body=SDP
        )

    def _caller_hears(self, event: object) -> None:
        if type(event) is Ended:
            self.ended += 1

    def _middle_hears(self, event: object) -> None:
        if type(event) is Incoming:
            self._middle.connect(self.network.now, event.bridge, [Onward(SipUri(CALLEE, "0312345678"))])

    def _callee_hears(self, event: object) -> None:
        if type(event) is Arrived:
            self.network.after(RINGS_AFTER, self._ring, event.call)

    def _ring(self, call: Call) -> None:
        self._callee.ring(self.network.now, call)
        self.network.after(ANSWERED_AFTER, self._answer, call)

    def _answer(self, call: Call) -> None:
        self._callee.answer(self.network.now, call, body=SDP)
        self.network.after(self._crowd / RATE - ANSWERED_AFTER - RINGS_AFTER, self._hang_up, call)

    def _hang_up(self, call: Call) -> None:
        self._callee.hang_up(self.network.now, call)


def contact(host: str) -> Address:
    """Return what a user agent is known by."""
    return Address(SipUri(host, port=5060))


def ids(host: str) -> Ids:
    """Return identifiers, the same in each run."""
    return Ids(Random(host).getrandbits)  # noqa: S311 - no secret, but the same in each run


def ways(host: str, others: dict[str, str], default: str) -> Locate:
    """Return how a host finds its next hop: by the host of its URI, else the one there is."""
    via = parse_via(f"SIP/2.0/UDP {host}:5060;rport")
    known = {name: Way(Link(host, name), via) for name in (*others, default)}
    usual = known[default]
    return lambda uri, flow: known.get(uri.host, usual) if isinstance(uri, SipUri) else usual


def profile() -> None:
    """Print where the time of the calls goes."""
    profiler = cProfile.Profile()
    with collector_off():
        scene = Scene(between=True, on_wire=False, crowd=CROWD)
        scene.fill()
        profiler.runcall(scene.round)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(45)


if __name__ == "__main__":
    profile()
