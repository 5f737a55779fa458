"""A real SBC pair in network namespaces of its own: Kamailio with keepalived on two nodes, and a place beside them.

Kamailio is a Record-Routing proxy there: calls from the carrier go on to the contact centre, and the other way round.
keepalived moves both service addresses at once. What stands beside is for kirikae, and for a capture of its traffic
that kirikae does not read.
"""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from tests.keepalived import LONGEST, ip, namespace
from tests.lab import peer

OUTSIDE, INSIDE = "192.0.2.10", "192.0.2.20"
"""The service addresses."""
NODES: Final = ("192.0.2.1", "192.0.2.2")
CARRIER, CENTRE = "192.0.2.100", "192.0.2.101"
"""Where kirikae is the one and the other."""
NETWORK: Final = "192.0.2.0/24"
CABLE: Final = "ext"
"""The interface that each namespace has."""
FREE: Final = "192.0.2.250"
"""An address of the network that nobody has: a node with its cable out has no route to it."""

_PROXY: Final = """#!KAMAILIO
children=1
fork=yes
log_stderror=yes
debug=1
disable_tcp=yes
dns=no
rev_dns=no
auto_aliases=no
listen=udp:{own}:5060
listen=udp:{outside}:5060
listen=udp:{inside}:5060
loadmodule "kex.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "siputils.so"
loadmodule "textops.so"
request_route {{
  if (is_method("OPTIONS") && !has_totag()) {{
    sl_send_reply("200", "OK");
    exit;
  }}
  if (has_totag()) {{
    if (loose_route()) t_relay();
    else if (!is_method("ACK")) sl_send_reply("481", "Unknown");
    else if (t_check_trans()) t_relay();
    exit;
  }}
  if (is_method("CANCEL")) {{
    if (t_check_trans()) t_relay();
    exit;
  }}
  t_check_trans();
  record_route();
  if ($si == "{carrier}") {{
    $du = "sip:{centre}:5060";
    $fs = "udp:{inside}:5060";
  }} else {{
    $du = "sip:{carrier}:5060";
    $fs = "udp:{outside}:5060";
  }}
  t_relay();
}}
"""
_VRRP: Final = """global_defs {{
  script_user root
}}
vrrp_instance sbc {{
  state BACKUP
  interface {cable}
  version {version}
  virtual_router_id 10
  priority {priority}
  advert_int {advert:g}
  virtual_ipaddress {{
    {outside}/24
    {inside}/24
  }}
}}
"""


class Lab(NamedTuple):
    """The pair, and the place beside it."""

    nodes: tuple[str, str]
    """Their namespaces; the first serves whenever it can."""
    beside: str
    """The namespace that kirikae runs in."""


@contextmanager
def lab(folder: Path, version: int, advert: float) -> Iterator[Lab]:
    """Start a pair with these adverts, seconds; all of it is gone when the context ends."""
    name = f"kkp{os.getpid()}"
    with ExitStack() as stack:
        first, second, beside, wire = (stack.enter_context(namespace(f"{name}{end}")) for end in "abkw")
        ip("-n", wire, "link", "add", "bridge", "type", "bridge")
        ip("-n", wire, "link", "set", "bridge", "up")
        for space, addresses in ((first, NODES[:1]), (second, NODES[1:]), (beside, (CARRIER, CENTRE))):
            _plug(wire, space, f"port{space[-1]}", addresses)
        for node, space in enumerate((first, second)):
            home = folder / f"node{node}"
            home.mkdir()
            _start_node(stack, space, home, node, version, advert)
        lab = Lab((first, second), beside)
        _await(lambda: _hears(first) and _hears(second), "no SIP process listens")
        _await(lambda: _has(first, OUTSIDE) and not _has(second, OUTSIDE), "the first node does not serve")
        yield lab


@contextmanager
def captured(space: str, file: Path) -> Iterator[None]:
    """Capture the SIP that passes in a namespace."""
    log = file.with_suffix(".log")
    words = [peer("tshark"), "-i", CABLE, "-f", "udp port 5060", "-w", str(file), "-q"]
    with _running(space, words, log):
        _await(lambda: "Capturing on" in log.read_text() and file.exists(), "tshark does not capture")
        yield
        time.sleep(0.5)  # what was captured last is on its way to the file


def outages(file: Path, least: float) -> list[float]:
    """Return how long nobody answered at the service address, seconds each time, as a capture has it.

    From the first OPTIONS or INVITE that had no answer to the first answer to any; shorter than ``least`` is none.
    """
    fields = ("frame.time_epoch", "ip.src", "ip.dst", "sip.Method", "sip.Call-ID", "sip.CSeq.seq", "sip.CSeq.method")
    words = [peer("tshark"), "-r", str(file), "-Y", "sip", "-T", "fields"]
    for field in fields:
        words += ["-e", field]
    read = subprocess.run(words, check=True, capture_output=True, text=True, timeout=LONGEST)
    rows = [line.split("\t") for line in read.stdout.splitlines()]
    asked: dict[tuple[str, str], float] = {}
    """Those that have no answer yet, each when it was sent last."""
    unheard: list[float] = []
    """When those were sent that were sent again, or that nobody has answered since."""
    heard: list[float] = []
    for at, source, target, method, call, number, of in rows:
        if of not in ("OPTIONS", "INVITE"):
            continue
        if target == OUTSIDE and method:
            if (call, number) in asked:
                unheard.append(asked[call, number])
            asked[call, number] = float(at)
        elif source == OUTSIDE and not method and (call, number) in asked:
            del asked[call, number]
            heard.append(float(at))
    found = []
    last = 0.0
    for sent in sorted([*unheard, *asked.values()]):
        again = next((at for at in heard if at > sent), None)
        if again is not None and sent >= last and again - sent >= least:
            found.append(again - sent)
            last = again
    return found


def _plug(wire: str, space: str, port: str, addresses: tuple[str, ...]) -> None:
    ip("link", "add", CABLE, "netns", space, "type", "veth", "peer", "name", port, "netns", wire)
    ip("-n", wire, "link", "set", port, "master", "bridge", "up")
    ip("-n", space, "link", "set", "lo", "up")
    for address in addresses:
        ip("-n", space, "address", "add", f"{address}/24", "dev", CABLE)
    ip("-n", space, "link", "set", CABLE, "up")


def _start_node(stack: ExitStack, space: str, home: Path, node: int, version: int, advert: float) -> None:
    # A SIP process listens at the service addresses before its node has them.
    words = [peer("ip"), "netns", "exec", space, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_nonlocal_bind"]
    subprocess.run(words, check=True, capture_output=True)
    proxy, vrrp = home / "kamailio.cfg", home / "keepalived.conf"
    proxy.write_text(_PROXY.format(own=NODES[node], outside=OUTSIDE, inside=INSIDE, carrier=CARRIER, centre=CENTRE))
    vrrp.write_text(
        _VRRP.format(
            cable=CABLE, version=version, advert=advert, priority=(150, 100)[node], outside=OUTSIDE, inside=INSIDE
        )
    )
    kamailio = [peer("kamailio"), "-DD", "-E", "-f", str(proxy), "-Y", str(home), "-w", str(home), "-m", "32"]
    keepalived = [
        peer("keepalived"), "--dont-fork", "--log-console", "--vrrp", "--use-file", str(vrrp),
        "--pid", str(home / "keepalived.pid"), "--vrrp_pid", str(home / "vrrp.pid"),
    ]  # fmt: skip
    stack.enter_context(_running(space, kamailio, home / "kamailio.log"))
    stack.enter_context(_running(space, keepalived, home / "keepalived.log"))


@contextmanager
def _running(space: str, words: list[str], log: Path) -> Iterator[None]:
    """Run a program in a namespace, and end it with all that it has started."""
    command = [peer("ip"), "netns", "exec", space, *words]
    with open(log, "wb") as told, subprocess.Popen(command, stdout=told, stderr=told) as program:
        try:
            yield
        finally:
            program.terminate()
            try:
                program.wait(LONGEST)
            except subprocess.TimeoutExpired:
                program.kill()


def _has(space: str, address: str) -> bool:
    words = [peer("ip"), "-n", space, "-brief", "address", "show", "dev", CABLE]
    told = subprocess.run(words, check=True, capture_output=True, text=True)
    return f"{address}/" in told.stdout


def _hears(space: str) -> bool:
    """Whether somebody listens at port 5060, which is 13C4, of all three addresses."""
    words = [peer("ip"), "netns", "exec", space, "cat", "/proc/net/udp"]
    told = subprocess.run(words, check=True, capture_output=True, text=True)
    return told.stdout.count(":13C4 ") >= 3


def _await(holds: Callable[[], bool], otherwise: str) -> None:
    limit = time.monotonic() + LONGEST
    while not holds():
        if time.monotonic() > limit:
            raise TimeoutError(otherwise)
        time.sleep(0.05)  # between two looks at what other programs have done, which nothing tells
