"""A machine of an SBC pair: ``python -m sbc.live.machine``. This process is its HA daemon, and starts the SIP process.

The two are apart as on a real machine: a SIP process that hangs does not stop the adverts, and only a check of it
tells, an answer over the channel between them. Both end with whoever has started the machine.
"""

import asyncio
from collections.abc import Collection
from functools import partial
from random import random
from secrets import randbits
from typing import Final

from sbc.endpoints.endpoint import Claimed, Hold, Release
from sbc.endpoints.ha import Became, Check, Checked, Role, Switch, ha_daemon
from sbc.endpoints.passing import Serve
from sbc.endpoints.wire import VRRP, Address, Datagram, Path
from sbc.live.child import Child, begin
from sbc.live.clock import Clock
from sbc.live.impaired import Impaired
from sbc.live.machine_plan import MachinePlan
from sbc.live.running import run
from sbc.live.shell import Shell
from sbc.live.sockets import Sockets
from sbc.live.transport import SIP, BindError
from sbc.live.words import Failed, Freeze, LinkFault, LinkMet, OfSip, Ping, Pong, Renew, SipPlan, Thaw, ToSip, Up
from sbc.sip.ids import Ids
from scenarios.model import OptionsDetection

CHECK_TIMEOUT: Final = 0.1
"""Seconds within which a SIP process that is well answers a check: it is on the same machine."""
_CLAIM: Final = b"ARP "
"""What a datagram begins with that stands for gratuitous ARP: that goes no further than its segment, and loopback has
none."""


class Machine:
    """Two processes, and what passes between them and to whoever has started them."""

    def __init__(self) -> None:
        self._network = Impaired(Sockets(), random)
        self._sip = self._sip_process()
        self._plan: MachinePlan
        self._ha: Shell
        self._role: Role | None = None
        self._frozen = False
        self._may_meet = False
        """Whether no advert has met the fault of the link yet."""
        self._check: asyncio.TimerHandle | None = None
        self._above = begin(self._hear)

    # From whoever has started it.

    def _hear(self, said: object) -> None:
        match said:
            case MachinePlan():
                self._start(said)
            case ToSip(event):
                self._sip.tell(event)
            case Switch():
                self._ha.tell(said)
            case LinkFault():
                if not isinstance(self._plan.detect, OptionsDetection):  # probes pass the site's network
                    said.strike(self._network, self._plan.seat.peer.host)
                    self._may_meet = said != LinkFault()
                self._sip.tell(said)
            case Freeze():
                self._frozen = True
                self._sip.stop()
            case Thaw():
                self._frozen = False
                self._tell_role(clears=False)
                self._sip.go_on()
            case Renew():
                self._frozen = False
                self._sip.kill()
                self._sip = self._sip_process()
                self._start_sip(self._plan.sip)
            case _:
                raise TypeError(f"a machine hears {said!r}")

    def _start(self, plan: MachinePlan) -> None:
        self._plan = plan
        clock, detect, seat = Clock(plan.sip.origin), plan.detect, plan.seat
        self._start_sip(plan.sip)
        self._ha = Shell(clock, _Handing(self), plan.sip.node.post.name, self._told)
        transport = "udp" if isinstance(detect, OptionsDetection) else VRRP
        self._announces = Path(seat.own, seat.peer, transport)
        try:
            self._network.hold(self, seat.own, transports=(transport,))
        except BindError as error:
            self._above.tell(Failed(str(error)))
        self._ha.start(ha_daemon(clock.now(), seat, detect, plan.phases, Ids(randbits), serves=plan.serves))

    def _sip_process(self) -> Child:
        child = Child("sbc.live.sip_process")
        child.hear, child.ended = self._of_sip, self._sip_lost
        return child

    def _start_sip(self, plan: SipPlan) -> None:
        self._sip.tell(plan)
        if self._role is not None:
            if self._role is Role.SERVES:
                self._sip.tell(Hold(self._plan.seat.service))
            self._tell_role(clears=False)

    # From the SIP process.

    def _of_sip(self, said: object) -> None:
        match said:
            case Pong():
                self._checked(passed=True)
            case Up() if self._role is None:
                self._above.tell(said)
            case OfSip() | Failed():
                self._above.tell(said)

    def _sip_lost(self) -> None:
        self._above.tell(Failed("its SIP process has ended by itself"))

    # From the daemon.

    def _told(self, report: object) -> None:
        match report:
            case Check():
                if self._check is None:
                    loop = asyncio.get_running_loop()
                    self._check = loop.call_later(CHECK_TIMEOUT, partial(self._checked, passed=False))
                    self._sip.tell(Ping())
                return
            case Became(role, _):
                self._role = role
                self._tell_role(clears=not self._frozen)
        self._above.tell(report)

    def _checked(self, *, passed: bool) -> None:
        if self._check is not None:
            self._check.cancel()
            self._check = None
            self._ha.tell(Checked(passed))

    def _tell_role(self, *, clears: bool) -> None:
        self._sip.tell(Serve(self._role is Role.SERVES, clears=clears))

    # Its addresses and datagrams.

    def receive(self, datagram: Datagram) -> None:
        """Take in what the other machine sends."""
        if datagram.data.startswith(_CLAIM):
            claimed = _claimed(datagram.data)
            if claimed is not None:
                self._ha.tell(Claimed(claimed))
        else:
            self._ha.receive(datagram)

    def tell(self, event: object) -> None:
        """Take in that something sent was refused."""
        self._ha.tell(event)

    def hold(self, address: Address) -> None:
        """Let the SIP process have an address, and say so."""
        self._sip.tell(Hold(address))
        self._network.send(self._announces, _CLAIM + str(address).encode())

    def release(self, address: Address) -> None:
        """Let it give an address up."""
        self._sip.tell(Release(address))

    def send(self, path: Path, data: bytes) -> None:
        """Send what the daemon sends."""
        before = self._harmed()
        self._network.send(path, data)
        if self._may_meet and self._harmed() > before:
            self._may_meet = False
            self._above.tell(LinkMet())

    def _harmed(self) -> int:
        return self._network.fates.cut + self._network.fates.lost


class _Handing:
    """The transport of a daemon: the service address goes to the SIP process."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def hold(
        self, receiver: object, address: Address, *, shared: bool = False, transports: Collection[str] = SIP
    ) -> None:
        self._machine.hold(address)

    def release(self, address: Address) -> None:
        self._machine.release(address)

    def send(self, path: Path, data: bytes) -> None:
        self._machine.send(path, data)


def _claimed(data: bytes) -> Address | None:
    """Return the address that a datagram claims; None where a stranger's claims none."""
    try:
        host, _, port = data.removeprefix(_CLAIM).decode().rpartition(":")
        return Address(host, int(port))
    except ValueError:
        return None


async def _live() -> None:
    Machine()
    await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    run(_live())
