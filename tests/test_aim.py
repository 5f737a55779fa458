"""Where a live run speaks with real pairs from, and what it may send to; and how a node is asked whether it is well."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from typing import cast

import pytest

from sbc.decisions.permission import Permission
from sbc.endpoints.lookout import missed_at
from sbc.endpoints.wire import Address, End
from sbc.live import asking
from sbc.live.gear import Gear
from scenarios.addresses import Address as SipAddress
from scenarios.addresses import Transport, parse_address, parse_public_address
from scenarios.model import Side
from sim.live.aim import Aim, beside, end_of
from tests.live import here


def side(send_to: str, listen_on: str | None = None, advertise: str | None = None) -> Side:
    return Side(
        send_to=parse_address(send_to),
        listen_on=None if listen_on is None else parse_address(listen_on),
        advertise=None if advertise is None else parse_public_address(advertise),
    )


def test_an_end_is_where_the_drill_says_it_is() -> None:
    local = Address("192.0.2.200", 5070)
    assert end_of(side("tcp:192.0.2.10", "tcp:192.0.2.200:5070")) == End(local, local, "tcp")


@pytest.mark.parametrize(("advertise", "port"), [("198.51.100.7", 5070), ("198.51.100.7:6060", 6060)])
def test_a_nat_is_what_others_see(advertise: str, port: int) -> None:
    end = end_of(side("udp:192.0.2.10", "udp:192.0.2.200:5070", advertise))
    assert end == End(Address("192.0.2.200", 5070), Address("198.51.100.7", port), "udp")


@pytest.mark.parametrize(("transport", "kind"), [("udp", socket.SOCK_DGRAM), ("tcp", socket.SOCK_STREAM)])
def test_an_end_that_nobody_has_named_is_a_free_port_of_the_address_by_which_the_pair_is_reached(
    transport: str, kind: socket.SocketKind
) -> None:
    end = end_of(side(f"{transport}:127.0.0.9:5060"))
    assert (end.local.host, end.shown, end.transport) == ("127.0.0.1", end.local, transport)
    with socket.socket(socket.AF_INET, kind) as free:
        free.bind(end.local)
        assert beside(end).local.port != end.local.port


@pytest.mark.parametrize(
    ("host", "may"),
    [("127.0.0.9", True), ("192.0.2.10", True), ("192.0.3.10", False), ("sbc.example", False), ("", False)],
)
def test_nothing_is_sent_where_nobody_has_allowed_it_whatever_a_contact_says(host: str, may: bool) -> None:
    aim = Aim(Permission((ip_network("192.0.2.0/24"),)), cast("Gear", None))
    assert aim.reaches(Address(host)) is may


@pytest.mark.parametrize(("every", "missed"), [(0.01, 20), (0.02, 10), (0.05, 4), (0.2, 3), (1.0, 3)])
def test_a_pair_is_silent_after_a_fifth_of_a_second_and_three_probes(every: float, missed: int) -> None:
    assert missed_at(every) == missed


@contextmanager
def node(transport: Transport, status: str) -> Iterator[SipAddress]:
    """Yield the address of a node that answers one question, the second copy of it where it comes by UDP."""
    udp = transport is Transport.UDP
    host, port = here()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM) as sock:
        sock.settimeout(10)
        sock.bind((host, port))
        if not udp:
            sock.listen()

        def answer(question: bytes) -> bytes:
            kept = [line for line in question.split(b"\r\n") if line.split(b":")[0] in KEPT]
            return b"\r\n".join([f"SIP/2.0 {status}".encode(), *kept, b"Content-Length: 0", b"", b""])

        def serve() -> None:
            if udp:
                sock.recv(65_535)
                question, source = sock.recvfrom(65_535)
                sock.sendto(b"what is this?", source)
                sock.sendto(answer(question).replace(b"Call-ID: ", b"Call-ID: another-"), source)
                sock.sendto(answer(question), source)
            else:
                connection, _ = sock.accept()
                with connection:
                    told = answer(connection.recv(65_535))
                    connection.sendall(told[:20])
                    connection.sendall(told[20:])

        thread = threading.Thread(target=serve)
        thread.start()
        yield SipAddress(transport, host, port)
        thread.join()


KEPT = (b"Via", b"From", b"To", b"Call-ID", b"CSeq")


@pytest.mark.slow
@pytest.mark.parametrize("transport", list(Transport))
@pytest.mark.parametrize(
    ("status", "problem"),
    [("200 OK", None), ("405 Not Allowed", None), ("503 Standby", "it answers OPTIONS by 503")],
)
def test_a_node_is_well_that_answers_below_500(transport: Transport, status: str, problem: str | None) -> None:
    with node(transport, status) as address:
        assert asking.problem_of(address) == problem


@pytest.mark.parametrize("transport", list(Transport))
def test_a_node_is_not_well_where_nothing_is_heard(transport: Transport) -> None:
    host, port = here()
    assert asking.problem_of(SipAddress(transport, host, port)) == "nothing is heard there"


def test_a_node_is_not_well_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PATIENCE", 0.05)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        host, port = here()
        deaf.bind((host, port))
        found = asking.problem_of(SipAddress(Transport.UDP, host, port))
    assert found == "no answer to OPTIONS within 0.05 s"
