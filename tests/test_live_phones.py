"""Phones on sockets have what they are reached by and no more: ten thousand of them are open at once."""

from collections.abc import Collection

import pytest

from sbc.endpoints.wire import Address, Path
from sbc.live.transport import SIP, Receiver
from sim.draws import Draws
from sim.lines import everybody
from sim.live.network import LOOPBACK, LiveNetwork
from sim.live.paced import PacedEnvironment
from sim.log import Log
from sim.packets.registrations import Registrations
from sim.world import World
from tests.drills import ListRecorder, drill


class Opened:
    """A transport that notes what is opened."""

    def __init__(self) -> None:
        self.held: dict[str, tuple[str, ...]] = {}

    def hold(
        self, receiver: Receiver, address: Address, *, shared: bool = False, transports: Collection[str] = SIP
    ) -> None:
        self.held[address.host] = tuple(transports)

    def release(self, address: Address) -> None:
        """Nothing is released here."""

    def send(self, path: Path, data: bytes) -> None:
        """Nothing is sent here."""


@pytest.mark.parametrize(("client", "opened"), [("plain", ("udp",)), ("pjsua", SIP)])
def test_a_phone_that_registers_by_udp_opens_nothing_else(client: str, opened: tuple[str, ...]) -> None:
    plan = drill(agents={"desk": {"count": 2, "softphone": {"sites": ["tokyo"], "client": client}}})
    env, transport = PacedEnvironment(lambda: 0.0, 0.0), Opened()
    log = Log(env, ListRecorder())
    network = LiveNetwork(env, log, transport)
    Registrations(env, network, plan, World(plan, set()), everybody(plan), Draws(1, 0), log, LOOPBACK)
    assert transport.held == {"127.1.0.10": SIP, "127.100.1.1": opened, "127.100.1.2": opened}


@pytest.mark.parametrize("silent", [False, True])
def test_the_system_refuses_connections_to_a_registrar_that_has_ended_unless_its_machine_is_gone(silent: bool) -> None:
    plan = drill(agents={"desk": {"count": 1, "softphone": {"sites": ["tokyo"], "client": "pjsua"}}})
    env, transport = PacedEnvironment(lambda: 0.0, 0.0), Opened()
    log, world = Log(env, ListRecorder()), World(plan, set())
    network = LiveNetwork(env, log, transport)
    registrations = Registrations(env, network, plan, world, everybody(plan), Draws(1, 0), log, LOOPBACK)
    if silent:
        world.sites["tokyo"].down_by["tokyo-lost"] = None
    registrations.registrar_lost("tokyo")
    assert transport.held["127.1.0.10"] == (SIP if silent else ("udp",))
    assert transport.held["127.100.1.1"] == SIP
    world.sites["tokyo"].down_by.clear()
    registrations.registrar_back("tokyo")
    assert transport.held["127.1.0.10"] == SIP
