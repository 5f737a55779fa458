"""A live run aimed at real pairs: from which addresses of this machine they are reached, and where everything is."""

import socket
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address

from sbc.decisions.permission import Ceiling, Permission, ceiling, dialling_refused
from sbc.endpoints.line import Real
from sbc.endpoints.naming import ByHeader, ByNumber, Naming
from sbc.endpoints.wire import Address, End
from sbc.live.gear import Gear
from sbc.live.transport import family_of
from scenarios.addresses import Transport
from scenarios.model import Drill, HeaderKey, Side, Target
from sim.live.network import LiveNetwork, Outlet
from sim.live.pairs import LiveError
from sim.packets.topology import Plan, Topology


@dataclass(frozen=True, slots=True)
class Aim:
    """What a live run may do to the real pairs of its drill."""

    permission: Permission
    gear: Gear

    def ceiling(self, drill: Drill) -> Ceiling | None:
        """Return what holds back new calls, if anything does."""
        most = ceiling(drill, self.permission)
        return None if most is None else Ceiling(most)

    def reaches(self, address: Address) -> bool:
        """Whether anything may be sent to an address; never to a name, which could lead anywhere."""
        try:
            ip = ip_address(address.host)
        except ValueError:
            return False
        return self.permission.allows(ip)


class RealTopology(Topology):
    """The network of a drill some of whose pairs are real: these are where they are, and the rest is on loopback.

    The first trunk that leads to a real pair ends where the pair sends its calls to; others end at ports of their own.
    """

    def __init__(self, network: LiveNetwork, drill: Drill, plan: Plan, aim: Aim) -> None:
        """Raises LiveError where a pair cannot be reached."""
        super().__init__(network, drill, plan)
        self.watches: dict[str, End] = {}
        """Where each real pair is asked from whether it answers; no line of a carrier is in between."""
        refuses = partial(dialling_refused, drill, aim.permission)
        for name, target in drill.targets.items():
            inside = target.inside or Side(send_to=target.outside.send_to)
            centre = end_of(inside)
            self.pairs[name] = self.pairs[name]._replace(service=_there(target.outside))
            naming = _naming(target)
            self.reals[name] = Real(naming, _there(inside), centre, refuses)
            network.let_out(centre.local, Outlet(_transports(inside), None, aim.reaches, name, naming))
            end = end_of(target.outside)
            self.watches[name] = watch = beside(end)
            network.let_out(watch.local, Outlet((watch.transport,), None, aim.reaches, name, naming))
            for trunk in (trunk for trunk, plan_of in drill.trunks.items() if plan_of.via == name):
                self.ends[trunk], self.lines[trunk] = end, end.local
                link = self.trunk_links[trunk]
                network.let_out(end.local, Outlet(_transports(target.outside), link, aim.reaches, name, naming))
                end = beside(end)


def end_of(side: Side) -> End:
    """Return where SIP is spoken with one side of a pair; raises LiveError where there is no way to it."""
    there, listen = _there(side), side.listen_on
    local = _by_which(there, side.send_to.transport) if listen is None else Address(listen.host, listen.port)
    seen = side.advertise
    shown = local if seen is None else Address(seen.host, local.port if seen.port is None else seen.port)
    return End(local, shown, str(side.send_to.transport))


def beside(end: End) -> End:
    """Return another end at a free port of the same address; a NAT is taken to keep ports."""
    port = _free_port(Address(end.local.host, 0), end.transport)
    return End(Address(end.local.host, port), Address(end.shown.host, port), end.transport)


def _there(side: Side) -> Address:
    return Address(side.send_to.host, side.send_to.port)


def _transports(side: Side) -> tuple[str, ...]:
    named = (side.send_to,) if side.listen_on is None else (side.send_to, side.listen_on)
    return tuple(dict.fromkeys(str(each.transport) for each in named))


def _naming(target: Target) -> Naming:
    return ByHeader(target.key.header) if isinstance(target.key, HeaderKey) else ByNumber()


def _by_which(there: Address, transport: str) -> Address:
    """Return the address of this machine by which another is reached, with a port that is free."""
    with socket.socket(family_of(there), socket.SOCK_DGRAM) as asks:
        try:
            asks.connect(there)  # sends nothing: the system only looks its routes up
        except OSError as error:
            raise LiveError(f"no way leads to {there}: {error.strerror}") from None
        host = asks.getsockname()[0]
    return Address(host, _free_port(Address(host, 0), transport))


def _free_port(local: Address, transport: str) -> int:
    kind = socket.SOCK_STREAM if transport == Transport.TCP else socket.SOCK_DGRAM
    with socket.socket(family_of(local), kind) as asks:
        try:
            asks.bind(local)
        except OSError as error:
            raise LiveError(f"{local.host} is no address of this machine: {error.strerror}") from None
        port: int = asks.getsockname()[1]
    return port
