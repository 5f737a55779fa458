"""baresip and a registrar whose address fails over from one machine to the other, by the HA daemons of a live pair."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from sbc.endpoints.ha import Became, Phases, Role, Seat, ha_daemon
from sbc.endpoints.registrar import Location, RegistrarEndpoint
from sbc.endpoints.wire import VRRP, Address
from sbc.endpoints.wire import Path as Way
from sbc.live.clock import Clock
from sbc.live.running import run
from sbc.live.shell import Shell
from sbc.live.sockets import Sockets
from sbc.sip.ids import Ids
from sbc.sip.message import Response, parse
from sbc.sip.registrar import Terms
from sbc.sip.uri import SipUri
from scenarios.model.network import VrrpDetection
from tests.live import Ear, here, sockets, until
from tests.sip_peers import configure_baresip

DETECT = VrrpDetection.model_validate({"by": "vrrp", "advert": "100ms"})
EXPIRES = 4
"""Seconds that a registration lasts; baresip refreshes it before they are over."""
LONGEST = 30.0


class Machine:
    """A registrar and the HA daemon that takes its address."""

    def __init__(self, transport: Sockets, clock: Clock, seat: Seat, *, serves: bool) -> None:
        ids = Ids(Random(seat.own.host).getrandbits)  # noqa: S311 - a test has to be repeatable
        self.location = Location()
        self.told: list[object] = []
        self.registrar = Shell(clock, transport, "registrar", self.told.append)
        self.registrar.start(RegistrarEndpoint(ids, self.location, Terms(shortest=1)))
        self.daemon = Shell(clock, transport, "ha", self.told.append, serves=self.registrar)
        transport.hold(self.daemon, seat.own, transports=[VRRP])
        self.daemon.start(ha_daemon(clock.now(), seat, DETECT, Phases(0.0, 0.0), ids, serves=serves))

    @property
    def role(self) -> Role | None:
        return next((each.role for each in reversed(self.told) if isinstance(each, Became)), None)


async def is_found(outside: Sockets, location: Location, caller: Address, aor: SipUri) -> bool:
    """Ask the phone by where the registrar has it: OPTIONS, as RFC 3261 §11 has it."""
    found = location.contact_of(aor)
    assert found is not None
    contact = found.contact
    assert isinstance(contact, SipUri)
    ear = Ear()
    outside.hold(ear, caller, transports=["udp"])
    lines = (
        f"OPTIONS {contact} SIP/2.0",
        f"Via: SIP/2.0/UDP {caller};branch=z9hG4bK{caller.host}",
        f"From: <sip:centre@{caller}>;tag=1",
        f"To: <{aor}>",
        f"Call-ID: {caller}",
        "CSeq: 1 OPTIONS",
        f"Contact: <sip:centre@{caller}>",
        "Max-Forwards: 70",
        "Content-Length: 0",
        "",
        "",
    )
    target = Way(caller, Address(contact.host, contact.port or 5060))
    outside.send(target, "\r\n".join(lines).encode())
    await until(lambda: ear.data)
    answer = parse(ear.data[0])
    return isinstance(answer, Response) and answer.status == 200


@pytest.mark.lab(needs=["baresip"])
def test_baresip_is_found_again_after_the_address_of_its_registrar_has_failed_over(tmp_path: Path) -> None:
    service, phone = here(), here(5_062)
    seats = here(7_112), here(7_112)
    aor = SipUri(service.host, "alice")
    account = f"<sip:alice@{service.host}>;regint={EXPIRES};answermode=manual"
    command = configure_baresip(tmp_path, phone.host, phone.port, phone.port + 1, account)

    async def scene() -> None:
        clock = Clock()
        async with sockets() as one, sockets() as other, sockets() as outside:
            first = Machine(one, clock, Seat(seats[0], seats[1], service, 1, first=True), serves=True)
            second = Machine(other, clock, Seat(seats[1], seats[0], service, 1, first=False), serves=False)
            await until(lambda: (first.role, second.role) == (Role.SERVES, Role.STANDS_BY))
            silence = asyncio.subprocess.DEVNULL
            baresip = await asyncio.create_subprocess_exec(
                *command, cwd=tmp_path, stdin=silence, stdout=silence, stderr=silence
            )
            try:
                await until(lambda: aor in first.location, LONGEST)
                assert await is_found(outside, first.location, here(), aor)
                assert aor not in second.location
                for shell in (first.daemon, first.registrar):
                    shell.stop()
                await until(lambda: second.role is Role.SERVES)
                await until(lambda: aor in second.location, LONGEST)
                assert await is_found(outside, second.location, here(), aor)
            finally:
                baresip.kill()
                await baresip.wait()

    run(scene())
