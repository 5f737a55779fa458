"""Where the parts of a plan stand on the simulated network: their addresses, segments and links."""

from collections.abc import Iterator
from typing import NamedTuple

from sbc.endpoints.line import Real
from sbc.endpoints.wire import Address, End
from scenarios.model import Drill
from sim.packets.network import Link, Network

REPLICATION_PORT = 7_000
"""On which a SIP process hears of the other's calls; a port of this network's own choice."""
PROBE_PORT = 5_080
"""From which an HA daemon probes the service address; 5060 of the machine belongs to its SIP process."""


class NodeAddresses(NamedTuple):
    """The addresses of one machine of a pair."""

    own: Address
    """Its own; in an active-active pair the one that it serves at."""
    ha: Address
    """On the link to the other machine: the HA daemon's."""

    @property
    def replication(self) -> Address:
        """On the same link: the SIP process's."""
        return Address(self.ha.host, REPLICATION_PORT)

    @property
    def probe(self) -> Address:
        """On the site's network, where the service address is: the HA daemon's, if it probes."""
        return Address(self.own.host, PROBE_PORT)


class PairAddresses(NamedTuple):
    """The addresses of a pair."""

    service: Address
    nodes: tuple[NodeAddresses, NodeAddresses]


class Plan(NamedTuple):
    """Which networks the parts of a plan have their addresses from: the first numbers of each, for a /16."""

    site: str
    """Of a site, by its number; that of an office's phones is 100 higher, and 100 is for phones without one."""
    backbone: str
    """Of the links between the nodes of the pairs."""
    carriers: str

    def sites(self, number: int) -> str:
        """Return the network of a site."""
        return self.site.format(number)

    def phones(self, office: int) -> str:
        """Return the network of the phones of an office, from 1 on; 0 for those without one."""
        return self.site.format(100 + office)


PRIVATE = Plan("10.{}", "172.16", "198.18")
"""As in a real plan (RFC 1918, RFC 2544)."""


class Topology:
    """The network that a plan describes, laid out.

    Each site, each carrier's line and each link between two nodes is a segment. All links take
    :data:`~sim.packets.network.DELAY`; a carrier's line that is lost says so at once.
    """

    def __init__(self, network: Network, drill: Drill, plan: Plan = PRIVATE) -> None:
        self.plan = plan
        self.centres: dict[str, Address] = {}
        """The contact centre's address at each site."""
        self.pairs: dict[str, PairAddresses] = {}
        self.lines: dict[str, Address] = {}
        """The carrier's end of each trunk."""
        self.ends: dict[str, End] = {}
        """What there is to know besides of the carrier's end of trunks that lead to real pairs."""
        self.reals: dict[str, Real] = {}
        """The pairs that are real."""
        self.trunk_links: dict[str, Link] = {}
        self.ha_links: dict[str, Link] = {}
        hosts = {name: addresses(plan.sites(number)) for number, name in enumerate(drill.sites, 1)}
        for name, each in hosts.items():
            self.centres[name] = _place(network, each, site(name))
            network.connect(site(name), site(name), Link())
        backbone = addresses(plan.backbone)
        for name, pair in drill.sbc_pairs.items():
            segment = f"ha:{name}"
            self.ha_links[name] = Link()
            network.connect(segment, segment, self.ha_links[name])
            here = hosts[pair.site]
            service = _place(network, here, site(pair.site))
            first, second = (
                NodeAddresses(_place(network, here, site(pair.site)), _place(network, backbone, segment))
                for _ in range(2)
            )
            self.pairs[name] = PairAddresses(service, (first, second))
        carriers = addresses(plan.carriers)
        for name, trunk in drill.trunks.items():
            segment = f"trunk:{name}"
            self.lines[name] = _place(network, carriers, segment)
            self.trunk_links[name] = Link(refuses=True)
            network.connect(segment, site(drill.sbc_pairs[trunk.via].site), self.trunk_links[name])


def site(name: str) -> str:
    """Return the segment of a site's machines."""
    return f"site:{name}"


def _place(network: Network, hosts: Iterator[str], segment: str) -> Address:
    host = next(hosts)
    network.place(host, segment)
    return Address(host)


def addresses(network: str) -> Iterator[str]:
    """Yield the host addresses of an IPv4 /16 given by its first two numbers."""
    yield from (f"{network}.{third}.{fourth}" for third in range(1, 256) for fourth in range(1, 255))
