"""The shell: a scripted endpoint in virtual time; phones, a registrar, a carrier, an SBC node on real sockets."""

import asyncio
import gc
from collections.abc import Callable, Collection, Sequence
from math import inf
from random import Random
from time import monotonic

import pytest

from sbc.decisions.admission import NO_CIRCUIT, Limit
from sbc.decisions.registration import CLIENTS
from sbc.decisions.routing import RoutingTable
from sbc.endpoints import phone, subscriber
from sbc.endpoints.carrier import Carrier
from sbc.endpoints.endpoint import Hold, Release, Transmit
from sbc.endpoints.gate import Carrying, Done, Post
from sbc.endpoints.line import Edge, Line
from sbc.endpoints.node import SbcNode
from sbc.endpoints.passing import Serve
from sbc.endpoints.phone import Disconnected, Kind, Phone, Registered, Set, address_of_record
from sbc.endpoints.registrar import Bound, Location, RegistrarEndpoint
from sbc.endpoints.wire import Address, Datagram, Path
from sbc.live import running
from sbc.live.clock import Clock
from sbc.live.impaired import Degraded, Impaired
from sbc.live.shell import Shell
from sbc.live.sockets import Sockets
from sbc.live.transport import BindError, Receiver, Transport
from sbc.quiet import collector_off
from sbc.sip.ids import Ids
from sbc.sip.message import parse
from sbc.sip.registrar import Terms
from sbc.sip.transaction import Send
from tests.drills import TOKYO, drill
from tests.live import OPTIONS, here, on_each_loop, sockets, until, virtually

ONE, OTHER = Address("127.1.1.1"), Address("127.1.1.2")
PATH = Path(ONE, OTHER)


def ids(name: object) -> Ids:
    return Ids(Random(str(name)).getrandbits)  # noqa: S311 - a test has to be repeatable


# The contract with an endpoint, in virtual time


class Late(Clock):
    """A clock that is behind the timers of its loop."""

    def __init__(self, behind: float) -> None:
        super().__init__(0.0)
        self.behind = behind

    def now(self) -> float:
        return asyncio.get_running_loop().time() - self.behind


class Scripted:
    """An endpoint that does as it is told, and writes down when."""

    def __init__(self, *due: float) -> None:
        self.due = list(due)
        self.fired: list[tuple[float, float]] = []
        self.heard: list[tuple[float, object]] = []
        self.out: list[object] = []

    def receive(self, now: float, datagram: Datagram) -> None:
        self.heard.append((now, datagram))

    def event(self, now: float, event: object) -> None:
        self.heard.append((now, event))
        if callable(event):
            event(self)

    def fire(self, now: float) -> None:
        self.fired.append((asyncio.get_running_loop().time(), now))
        self.due = [due for due in self.due if due > now]

    def deadline(self) -> float:
        return min(self.due, default=inf)

    def take(self) -> Sequence[object]:
        out, self.out = self.out, []
        return out


class Written:
    """A transport that writes down what it is asked."""

    def __init__(self, taken: Collection[Address] = ()) -> None:
        self.taken = taken
        self.asked: list[tuple[object, ...]] = []

    def hold(
        self, receiver: Receiver, address: Address, *, shared: bool = False, transports: Collection[str] = ()
    ) -> None:
        if address in self.taken:
            raise BindError(address, "udp", "another program has it", "stop it")
        self.asked.append(("hold", receiver, address, shared))

    def release(self, address: Address) -> None:
        self.asked.append(("release", address))

    def send(self, path: Path, data: bytes) -> None:
        self.asked.append(("send", path, data))


@pytest.mark.parametrize("behind", [0.0, 0.001])
def test_an_endpoint_is_woken_at_its_deadlines_and_told_no_earlier_time(behind: float) -> None:
    async def scene() -> None:
        endpoint = Scripted(1.0, 2.0)
        Shell(Late(behind), Written(), "it", lambda report: None).start(endpoint)
        await asyncio.sleep(5.0)
        assert [now for _, now in endpoint.fired] == [1.0, 2.0]
        assert [at for at, _ in endpoint.fired] == pytest.approx([1.0 + behind, 2.0 + behind])

    virtually(scene())


def test_a_timer_that_comes_early_is_as_good_as_one_that_does_not() -> None:
    class Early(Late):
        def now(self) -> float:
            return min(super().now(), 0.999)

    async def scene() -> None:
        endpoint = Scripted(1.0)
        shell = Shell(Early(0.0), Written(), "it", lambda report: None)
        shell.start(endpoint)
        await asyncio.sleep(5.0)
        assert [now for _, now in endpoint.fired] == [1.0]
        shell.tell("later")
        assert endpoint.heard == [(1.0, "later")], "time never goes back"

    virtually(scene())


def test_a_deadline_that_moves_is_kept_and_the_one_before_is_not() -> None:
    async def scene() -> None:
        endpoint = Scripted(3.0)
        shell = Shell(Late(0.0), Written(), "it", lambda report: None)
        shell.start(endpoint)
        shell.tell(lambda it: it.due.append(1.0))
        await asyncio.sleep(1.5)
        shell.tell(lambda it: it.due.remove(3.0))
        shell.tell(lambda it: it.due.append(4.0))
        await asyncio.sleep(5.0)
        assert endpoint.fired == [(1.0, 1.0), (4.0, 4.0)]

    virtually(scene())


def test_outputs_are_carried_out_in_order_and_the_rest_is_told_to_the_user() -> None:
    async def scene() -> None:
        told: list[object] = []
        transport, endpoint = Written(taken=[OTHER]), Scripted()
        shell = Shell(Late(0.0), transport, "it", told.append)
        message = parse(OPTIONS)
        endpoint.out = [Hold(ONE), Send(PATH, message), Transmit(PATH, b"advert"), Release(ONE), "report", Hold(OTHER)]
        shell.start(endpoint)
        assert transport.asked == [
            ("hold", shell, ONE, True),
            ("send", PATH, OPTIONS),
            ("send", PATH, b"advert"),
            ("release", ONE),
        ]
        assert told[0] == "report"
        assert isinstance(told[1], BindError)
        assert len(told) == 2

    virtually(scene())


def test_what_comes_to_an_address_that_a_daemon_takes_is_the_sip_process_s() -> None:
    async def scene() -> None:
        transport = Written()
        sip = Shell(Late(0.0), transport, "sip", lambda report: None)
        daemon = Shell(Late(0.0), transport, "ha", lambda report: None, serves=sip)
        endpoint = Scripted()
        endpoint.out = [Hold(ONE)]
        daemon.start(endpoint)
        assert transport.asked == [("hold", sip, ONE, True)]

    virtually(scene())


def test_an_endpoint_that_is_stopped_hears_nothing_more_and_its_service_addresses_are_free() -> None:
    async def scene() -> None:
        transport, endpoint = Written(), Scripted(1.0)
        shell = Shell(Late(0.0), transport, "it", lambda report: None)
        shell.tell("too early")
        endpoint.out = [Hold(ONE)]
        shell.start(endpoint)
        shell.stop()
        shell.tell("too late")
        shell.receive(Datagram(PATH, None, b"too late"))
        await asyncio.sleep(2.0)
        assert (endpoint.heard, endpoint.fired) == ([], [])
        assert transport.asked[1:] == [("release", ONE)]

    virtually(scene())


def test_two_clocks_of_one_origin_tell_one_time() -> None:
    one = Clock()
    before = monotonic() - one.origin
    assert before <= Clock(one.origin).now() <= one.now()
    assert Clock(monotonic() + 100).now() < 0


@pytest.mark.parametrize("fast", [False, True])
def test_a_run_has_no_collector_and_the_loop_asked_for(fast: bool) -> None:
    uvloop = pytest.importorskip("uvloop")

    async def main() -> tuple[bool, bool, bool]:
        transport = Sockets()
        await transport.close()
        return gc.isenabled(), isinstance(asyncio.get_running_loop(), uvloop.Loop), transport.hears_refusals

    assert running.run(main(), fast=fast) == (False, fast, not fast)
    assert gc.isenabled()


def test_the_collector_stays_off_where_it_was_off() -> None:
    with collector_off():
        assert gc.get_freeze_count() > 0
        with collector_off():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


# Endpoints on real sockets


class Parts:
    """Shells by name, and what their endpoints have reported."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.clock = Clock()
        self.site, self.desk = here(), here()
        self.told: dict[str, list[object]] = {}
        self.shells: dict[str, Shell] = {}

    def shell(self, name: str, *addresses: Address) -> Shell:
        told = self.told[name] = []
        shell = self.shells[name] = Shell(self.clock, self.transport, name, told.append)
        for address in addresses:
            self.transport.hold(shell, address)
        return shell

    async def hears(self, name: str, kind: type, many: int = 1) -> None:
        await until(lambda: self.count(name, kind) == many)

    def count(self, name: str, kind: type) -> int:
        return sum(isinstance(report, kind) for report in self.told[name])


async def registers(parts: Parts, by: str, client: str = "plain") -> None:
    """Let a phone register."""
    site, desk = parts.site, parts.desk
    location = Location()
    parts.shell("tokyo", site).start(RegistrarEndpoint(ids(site), location, Terms(shortest=1)))
    parts.shell("phone", desk).start(
        Phone(7, desk, Kind({"tokyo": site}, client=CLIENTS[client], transport=by), ids(desk))
    )
    parts.shells["phone"].tell(Set("tokyo"))
    await parts.hears("phone", Registered)
    assert parts.told["tokyo"] == [Bound("agent-7@tokyo")]
    assert address_of_record(7, "tokyo") in location


@pytest.mark.parametrize("by", ["udp", "tcp"])
@on_each_loop
async def test_a_phone_registers(by: str) -> None:
    async with sockets() as transport:
        await registers(Parts(transport), by)
        assert transport.counters.dropped == transport.counters.failed == 0


@pytest.mark.parametrize("by", ["udp", "tcp"])
@on_each_loop
async def test_a_phone_registers_over_a_worse_network(by: str) -> None:
    """Both ends are of this process: what goes between them passes the wrapper twice."""
    async with sockets() as transport:
        impaired = Impaired(transport, Random(1).random)  # noqa: S311 - a test has to be repeatable
        parts = Parts(impaired)
        for address in (parts.site, parts.desk):
            impaired.degrade(address.host, Degraded(delay=0.01, doubled=1.0))
        await registers(parts, by)
        assert (impaired.fates.doubled > 0) is (by == "udp")
        assert parts.count("phone", Registered) == 1


@pytest.mark.asyncio
async def test_a_phone_notices_that_its_connection_to_the_registrar_has_ended() -> None:
    async with sockets() as transport:
        parts = Parts(transport)
        await registers(parts, "tcp", client="jssip")
        transport.release(parts.site)
        await parts.hears("phone", Disconnected)


async def call(transport: Sockets, ends: Callable[[Parts], None]) -> None:
    """Let the carrier call an agent's phone through an SBC node, and one end hang up."""
    parts = Parts(transport)
    plan = drill()
    service, outside, desk = here(), here(), here()
    post = Post("edge/1", service, {"ntt": outside}, desk, Limit("edge", 1, 503))
    node = parts.shell("node")
    endpoint = SbcNode(post, ids(service))
    transport.hold(node, service, shared=True)
    node.start(endpoint)
    node.tell(Serve(True))
    edge = Edge("edge", plan.sbc_pairs["edge"], [service])
    line = Line("ntt", outside, edge, Limit("ntt", 1, NO_CIRCUIT), 4.0, ids("line"))
    carrier = Carrier([line], RoutingTable(plan.numbers, plan.trunks), {}, ids(outside))
    parts.shell("carrier", outside).start(carrier)
    parts.shell("phone", desk).start(Phone(7, desk, Kind({}), ids(desk)))
    for turn in (1, 2):
        parts.shells["carrier"].tell(subscriber.Dial("1", TOKYO))
        await parts.hears("carrier", subscriber.Answered, turn)
        await parts.hears("phone", phone.Answered, turn)
        assert parts.count("node", Carrying) == turn
        ends(parts)
        await parts.hears("carrier", subscriber.Over, turn)
        await parts.hears("phone", phone.Over, turn)
        await parts.hears("node", Done, turn)
    assert len(carrier) == 0


@pytest.mark.parametrize(("who", "event"), [("carrier", subscriber.HangUp("1")), ("phone", phone.HangUp("1"))])
@on_each_loop
async def test_a_call_from_a_carrier_through_a_node_to_a_phone(who: str, event: object) -> None:
    async with sockets() as transport:
        await call(transport, lambda parts: parts.shells[who].tell(event))
        assert (transport.counters.dropped, transport.counters.failed, transport.counters.refused) == (0, 0, 0)


@pytest.mark.asyncio
async def test_a_call_to_nobody_fails_at_once_and_not_after_timer_b() -> None:
    async with sockets() as transport:
        parts = Parts(transport)
        desk = here()
        parts.shell("phone", desk).start(Phone(7, desk, Kind({}), ids(desk)))
        parts.shells["phone"].tell(phone.Place("1", "0312345678", "", here()))
        await parts.hears("phone", phone.Over)
        assert transport.counters.refused > 0
        assert parts.clock.now() < 32.0


@pytest.mark.parametrize("by", ["udp", "tcp"])
@on_each_loop
async def test_an_endpoint_that_fails_is_heard_of_at_once(by: str) -> None:
    class Failing(Scripted):
        def receive(self, now: float, datagram: Datagram) -> None:
            raise ArithmeticError

    failed: list[object] = []
    transport = Sockets()
    parts = Parts(transport)
    site, desk = parts.site, parts.desk
    parts.shell("it", site).start(Failing())
    parts.shell("other", desk).start(Scripted())
    asyncio.get_running_loop().set_exception_handler(lambda loop, told: failed.append(told["exception"]))
    transport.send(Path(desk, site, by), OPTIONS)
    await until(lambda: failed)
    await transport.close()
    assert [type(each) for each in failed] == [ArithmeticError]
