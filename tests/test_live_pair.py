"""The HA daemons of a pair on real sockets: adverts every 50 ms, and a service address that really moves."""

from random import Random

from sbc.endpoints.ha import Became, Phases, Role, Seat, ha_daemon
from sbc.endpoints.wire import VRRP, Path
from sbc.live.clock import Clock
from sbc.live.shell import Shell
from sbc.live.sockets import Sockets
from sbc.sip.ids import Ids
from scenarios.model.network import VrrpDetection
from tests.live import OPTIONS, Ear, here, on_each_loop, sockets, until

DETECT = VrrpDetection.model_validate({"by": "vrrp", "advert": "50ms"})
MANY = 5


class Machine:
    """One machine of a pair: its sockets, what arrives for its SIP process, its daemon."""

    def __init__(self, transport: Sockets, clock: Clock, seat: Seat, *, serves: bool) -> None:
        self.transport = transport
        self.sip = Ear()
        self.roles: list[Role] = []
        self.shell = Shell(clock, transport, "ha", self._hear, serves=self.sip)
        ids = Ids(Random(seat.own.host).getrandbits)  # noqa: S311 - a test has to be repeatable
        self.daemon = ha_daemon(clock.now(), seat, DETECT, Phases(0.0, 0.0), ids, serves=serves)
        transport.hold(self.shell, seat.own, transports=[VRRP])
        self.shell.start(self.daemon)

    def _hear(self, report: object) -> None:
        if isinstance(report, Became):
            self.roles.append(report.role)


@on_each_loop
async def test_a_service_address_follows_the_daemons_of_its_pair() -> None:
    service, customer = here(), here()
    seats = here(7_112), here(7_112)
    clock = Clock()

    async with sockets() as one, sockets() as other, sockets() as outside:
        first = Machine(one, clock, Seat(seats[0], seats[1], service, 1, first=True), serves=True)
        second = Machine(other, clock, Seat(seats[1], seats[0], service, 1, first=False), serves=False)
        outside.hold(Ear(), customer)

        async def reaches(machine: Machine) -> None:
            for by in ("udp", "tcp"):
                machine.sip.datagrams.clear()

                outside.hold(Ear(), customer)  # anew, for a new connection

                def knocks(by: str = by) -> bool:
                    outside.send(Path(customer, service, by), OPTIONS)
                    return len(machine.sip.datagrams) >= MANY

                await until(knocks)

        await until(lambda: first.roles[-1:] == [Role.SERVES] and second.roles[-1:] == [Role.STANDS_BY])
        await reaches(first)
        first.shell.endpoint = None  # hung, with the address
        await until(lambda: second.roles[-1] is Role.SERVES)
        await reaches(second)
        first.shell.start(first.daemon)  # goes on, and has the higher priority
        await until(lambda: second.roles[-1] is Role.STANDS_BY)
        await reaches(first)
        first.shell.stop()
        await until(lambda: second.roles[-1] is Role.SERVES)
        await reaches(second)
        assert one.counters.failed == other.counters.failed == 0
