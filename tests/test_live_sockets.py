"""Addresses, datagrams and connections on the real sockets of loopback; the other ends are the standard library's."""

import asyncio
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path as File

import pytest

from sbc.endpoints.endpoint import Broken
from sbc.endpoints.wire import VRRP, Address, Path
from sbc.live import running
from sbc.live.tcp import listeners
from sbc.live.transport import BindError
from sbc.live.udp import AT_ONCE, BUFFER
from tests.live import OPTIONS, Ear, here, on_each_loop, sockets, until

MANY = 20


@contextmanager
def datagrams(address: Address) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        plain.bind(address)
        plain.setblocking(False)
        yield plain


async def next_of(plain: socket.socket) -> bytes:
    """Return the only datagram that comes."""
    found: list[bytes] = []

    def came() -> bool:
        found.extend(everything(plain))
        return bool(found)

    await until(came)
    (data,) = found
    return data


def everything(plain: socket.socket) -> list[bytes]:
    found = []
    while True:
        try:
            found.append(plain.recv(70_000))
        except BlockingIOError:
            return found


# Datagrams


@on_each_loop
async def test_datagrams_go_both_ways_with_the_addresses_of_both_ends() -> None:
    ours, theirs, ear = here(), here(), Ear()
    async with sockets() as transport:
        with datagrams(theirs) as plain:
            transport.hold(ear, ours)
            plain.sendto(b"hello", ours)
            await until(lambda: ear.datagrams)
            transport.send(ear.datagrams[0].path.back(), b"and hello to you")
            assert await next_of(plain) == b"and hello to you"
        assert ear.datagrams[0].path == Path(theirs, ours, "udp")
        assert (transport.counters.sent, transport.counters.received) == (1, 1)


@on_each_loop
async def test_adverts_are_datagrams_that_arrive_as_adverts() -> None:
    one, other, ear = here(112), here(112), Ear()
    async with sockets() as transport:
        transport.hold(Ear(), one, transports=[VRRP])
        transport.hold(ear, other, transports=[VRRP])
        transport.send(Path(one, other, VRRP), b"advert")
        await until(lambda: ear.datagrams)
        assert ear.datagrams[0].path == Path(one, other, VRRP)
        transport.send(Path(one, other, "udp"), b"no advert")
        assert transport.counters.homeless == 1


@on_each_loop
async def test_the_system_says_how_large_its_buffers_are() -> None:
    address = here()
    async with sockets() as transport:
        transport.hold(Ear(), address)
        limits = (int(File(f"/proc/sys/net/core/{name}").read_text("ascii")) for name in ("rmem_max", "wmem_max"))
        assert transport.buffers(address) == tuple(min(BUFFER, limit) for limit in limits)


@on_each_loop
async def test_what_finds_no_room_in_the_queue_is_dropped_and_counted() -> None:
    ours, theirs = here(), here()
    async with sockets(room=3) as transport:
        with datagrams(theirs) as plain:
            transport.hold(Ear(), ours)
            for number in range(8):
                transport.send(Path(ours, theirs), b"%d" % number)
            assert transport.counters.dropped == 5
            await until(lambda: transport.counters.sent == 3)
            assert everything(plain) == [b"0", b"1", b"2"]


@on_each_loop
async def test_an_address_that_stands_sends_at_once_and_in_order() -> None:
    ours, theirs, ear = here(), here(), Ear()
    async with sockets() as transport:
        with datagrams(theirs) as plain:
            transport.hold(ear, ours)
            plain.sendto(b"it stands", ours)
            await until(lambda: ear.datagrams)
            for number in range(MANY):
                transport.send(Path(ours, theirs), b"%d" % number)
            assert transport.counters.sent == MANY
            assert everything(plain) == [b"%d" % number for number in range(MANY)]


@on_each_loop
async def test_what_comes_while_the_process_is_busy_arrives_in_order() -> None:
    ours, theirs, ear = here(), here(), Ear()
    async with sockets() as transport:
        with datagrams(theirs) as plain:
            transport.hold(ear, ours)
            for turn in range(3):  # the loop is at another place of its round each time
                for number in range(2 * AT_ONCE):
                    plain.sendto(b"%d" % number, ours)
                await until(lambda turn=turn: len(ear.datagrams) == 2 * AT_ONCE * (turn + 1))  # type: ignore[misc]
    assert ear.data == [b"%d" % number for number in range(2 * AT_ONCE)] * 3


@on_each_loop
async def test_what_is_in_the_queue_is_sent_before_an_address_is_released() -> None:
    ours, theirs = here(), here()
    async with sockets() as transport:
        with datagrams(theirs) as plain:
            transport.hold(Ear(), ours)
            for number in range(3):
                transport.send(Path(ours, theirs), b"%d" % number)
            transport.release(ours)
            assert everything(plain) == [b"0", b"1", b"2"]
            transport.send(Path(ours, theirs), b"3")
            assert transport.counters.homeless == 1


@on_each_loop
async def test_nothing_arrives_at_an_address_that_was_released() -> None:
    ours, theirs, ear = here(), here(), Ear()
    async with sockets() as transport:
        transport.hold(ear, ours)
        with datagrams(theirs) as plain:
            plain.sendto(b"too late", ours)
            transport.release(ours)
    assert ear.datagrams == []


@pytest.mark.asyncio
async def test_a_refusal_is_told_of_whom_it_is_and_costs_nothing_sent_to_others() -> None:
    """Left alone, Linux fails the next call on the socket for it, whatever that is for."""
    ours, theirs, nobody, ear = here(), here(), here(), Ear()
    async with sockets() as transport:
        with datagrams(theirs) as plain:
            transport.hold(ear, ours)
            for number in range(MANY):
                transport.send(Path(ours, nobody), b"to nobody")
                transport.send(Path(ours, theirs), b"%d" % number)
            await until(lambda: transport.counters.sent == 2 * MANY)
            assert everything(plain) == [b"%d" % number for number in range(MANY)]
        await until(lambda: ear.events)
        assert set(ear.events) == {Broken(Path(ours, nobody))}
        await until(lambda: transport.counters.refused == MANY)
        transport.send(Path(ours, nobody), b"again")
        ear.events.clear()
        await until(lambda: ear.events)
        with datagrams(theirs) as plain:
            for turn in (1, 2, 3):
                plain.sendto(b"still there?", ours)
                await until(lambda turn=turn: len(ear.datagrams) == turn)  # type: ignore[misc] # bound at once


@pytest.mark.asyncio
async def test_the_loop_sleeps_after_a_refusal() -> None:
    ours, ear = here(), Ear()
    async with sockets() as transport:
        transport.hold(ear, ours)
        transport.send(Path(ours, here()), b"to nobody")
        await until(lambda: ear.events)
        loop = asyncio.get_running_loop()
        selected = 0
        select = loop._selector.select  # type: ignore[attr-defined] # how often it wakes is told nowhere else

        def counted(timeout: float | None) -> object:
            nonlocal selected
            selected += 1
            return select(timeout)

        loop._selector.select = counted  # type: ignore[attr-defined] # as above
        await asyncio.sleep(0.05)
        assert selected < 10


def test_on_uvloop_a_refusal_is_silence() -> None:
    """With IP_RECVERR the process would end: libuv takes an error for a length."""
    pytest.importorskip("uvloop")

    async def scene() -> None:
        ours, theirs, ear = here(), here(), Ear()
        async with sockets() as transport:
            with datagrams(theirs) as plain:
                transport.hold(ear, ours)
                for number in range(MANY):
                    transport.send(Path(ours, here()), b"to nobody")
                    transport.send(Path(ours, theirs), b"%d" % number)
                    assert await next_of(plain) == b"%d" % number
        assert not transport.hears_refusals
        assert ear.events == []

    running.run(scene(), fast=True)


@on_each_loop
async def test_what_the_system_will_not_send_breaks_the_path() -> None:
    ours, theirs, ear = here(), here(), Ear()
    async with sockets() as transport:
        transport.hold(ear, ours)
        transport.send(Path(ours, theirs), bytes(70_000))
        await until(lambda: ear.events)
        assert ear.events == [Broken(Path(ours, theirs))]
        assert transport.counters.failed == 1


# Addresses


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
@pytest.mark.parametrize("shared", [False, True])
@on_each_loop
async def test_a_port_that_another_program_has_is_a_clear_error(kind: int, shared: bool) -> None:
    address = here()
    async with sockets() as transport:
        with socket.socket(socket.AF_INET, kind) as other:
            other.bind(address)
            if kind == socket.SOCK_STREAM:
                other.listen()
            with pytest.raises(BindError) as caught:
                transport.hold(Ear(), address, shared=shared)
        assert caught.value.__cause__ is None
        name = "udp" if kind == socket.SOCK_DGRAM else "tcp"
        assert str(caught.value) == (
            f"cannot hold {name} {address}: another program has it, perhaps another live run; "
            "stop that program, or choose another port or address; live runs at the same time need a network namespace "
            "each: `unshare --net --map-root-user`, and in it `ip link set lo up`"
        )
        transport.send(Path(address, here()), b"from nowhere")
        assert transport.counters.homeless == 1  # nothing is left of the first try
        transport.hold(Ear(), address)


@on_each_loop
async def test_two_processes_of_ours_do_not_share_an_address_by_accident() -> None:
    address = here()
    async with sockets() as one, sockets() as other:
        one.hold(Ear(), address)
        for transport in ("udp", "tcp"):
            for shared in (False, True):
                if (transport, shared) != ("tcp", True):
                    with pytest.raises(BindError, match="another program has it"):
                        other.hold(Ear(), address, shared=shared, transports=[transport])


@on_each_loop
async def test_too_many_open_files_are_a_clear_error() -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with sockets() as transport:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
        try:
            with pytest.raises(BindError, match="may open no more files; raise their number with `ulimit -n`"):
                transport.hold(Ear(), here())
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@on_each_loop
async def test_an_address_of_another_machine_is_a_clear_error() -> None:
    async with sockets() as transport:
        with pytest.raises(BindError, match=r"udp 192\.0\.2\.1:5060: no interface of this machine has that address"):
            transport.hold(Ear(), Address("192.0.2.1"))


STOPPED = """
import asyncio, sys
from sbc.endpoints.wire import Address
from sbc.live.sockets import Sockets

class Answers:
    def receive(self, datagram):
        transport.send(datagram.path.back(), b"the first")
    def tell(self, event):
        pass

async def main():
    global transport
    transport = Sockets()
    transport.hold(Answers(), Address(sys.argv[1]), shared=True)
    print("held", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@on_each_loop
async def test_a_service_address_moves_although_its_holder_is_stopped() -> None:
    service, theirs, ear = here(), here(), Ear()
    first = subprocess.Popen([sys.executable, "-c", STOPPED, service.host], stdout=subprocess.PIPE)
    try:
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        async with sockets() as transport:
            with datagrams(theirs) as plain:
                plain.sendto(b"who is there?", service)
                assert await next_of(plain) == b"the first"
                os.kill(first.pid, signal.SIGSTOP)
                assert os.WIFSTOPPED(os.waitpid(first.pid, os.WUNTRACED)[1])
                transport.hold(ear, service, shared=True)
                for _ in range(MANY):
                    plain.sendto(b"and now?", service)
                await until(lambda: len(ear.datagrams) == MANY)
                await knock(service)
                await until(lambda: len(ear.datagrams) == 2 * MANY)
                os.kill(first.pid, signal.SIGCONT)
                plain.sendto(b"and now?", service)
                await knock(service)
                await until(lambda: len(ear.datagrams) == 3 * MANY + 1)
                assert everything(plain) == []
                transport.release(service)
                plain.sendto(b"and now?", service)
                assert await next_of(plain) == b"the first"
    finally:
        first.kill()
        first.wait()
        first.stdout and first.stdout.close()


async def knock(service: Address) -> None:
    """Send a message on each of many new connections."""
    for _ in range(MANY):
        _, writer = await asyncio.open_connection(*service)
        writer.write(OPTIONS)
        await writer.drain()
        writer.close()


@pytest.mark.parametrize("last", ["udp", "tcp"])
@on_each_loop
async def test_an_address_is_the_last_takers_however_often_it_moves(last: str) -> None:
    service, theirs = here(), here()
    async with sockets() as one, sockets() as other:
        for turn in range(4):
            ear = Ear()
            (one, other)[turn % 2].hold(ear, service, shared=True, transports=[last])
            if last == "tcp":
                assert listeners(service) == min(turn + 1, 2)
                await knock(service)
            else:
                with datagrams(theirs) as plain:
                    for _ in range(MANY):
                        plain.sendto(b"whose?", service)
            await until(lambda ear=ear: len(ear.datagrams) == MANY)  # type: ignore[misc] # bound at once


# Connections


@on_each_loop
async def test_one_connection_serves_both_ways_and_both_ends_call_it_by_one_path() -> None:
    one, other, first, second = here(), here(), Ear(), Ear()
    async with sockets() as transport:
        transport.hold(first, one)
        transport.hold(second, other)
        path = Path(one, other, "tcp")
        transport.send(path, OPTIONS)
        transport.send(path, OPTIONS)
        await until(lambda: len(second.datagrams) == 2)
        assert [datagram.path for datagram in second.datagrams] == [path, path]
        transport.send(path.back(), OPTIONS)
        await until(lambda: first.datagrams)
        assert first.datagrams[0].path == path.back()
        assert first.data == [OPTIONS]
        assert (first.events, second.events) == ([], [])


@on_each_loop
async def test_where_its_own_port_will_not_do_a_connection_leaves_from_another() -> None:
    ours, theirs, ear = here(), here(), Ear()
    async with sockets() as transport:
        transport.hold(Ear(), ours)
        transport.hold(ear, theirs)
        with socket.socket() as taken:
            for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
                taken.setsockopt(socket.SOL_SOCKET, option, 1)
            taken.bind(ours)
            taken.connect(theirs)
            transport.send(Path(ours, theirs, "tcp"), OPTIONS)
            await until(lambda: ear.datagrams)
            source = ear.datagrams[0].path.local
            assert source.host == ours.host
            assert source.port != ours.port


@on_each_loop
async def test_a_connection_that_is_refused_breaks_the_path() -> None:
    ours, nobody, ear = here(), here(), Ear()
    async with sockets() as transport:
        transport.hold(ear, ours)
        transport.send(Path(ours, nobody, "tcp"), OPTIONS)
        await until(lambda: ear.events)
        assert ear.events == [Broken(Path(ours, nobody, "tcp"))]
        assert transport.counters.failed == 1


@pytest.mark.parametrize("resets", [False, True])
@on_each_loop
async def test_a_connection_that_the_far_end_ends_is_told_of_once_and_made_anew(resets: bool) -> None:
    ours, ear = here(), Ear()
    async with sockets() as transport:
        with socket.create_server(here()) as far:
            transport.hold(ear, ours)
            path = Path(ours, Address(*far.getsockname()), "tcp")
            for turn in (1, 2, 3):
                transport.send(path, OPTIONS)
                far.setblocking(False)
                accepted, source = await asyncio.get_running_loop().sock_accept(far)
                assert source[0] == ours.host
                if resets:
                    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                accepted.close()
                await until(lambda turn=turn: len(ear.events) == turn)  # type: ignore[misc] # bound at once
            assert ear.events == [Broken(path)] * 3


@on_each_loop
async def test_what_cannot_be_read_is_answered_and_ends_the_connection() -> None:
    ours, ear = here(), Ear()
    async with sockets() as transport:
        transport.hold(ear, ours)
        reader, writer = await asyncio.open_connection(*ours)
        writer.write(OPTIONS + b"\r\n\r\n" + OPTIONS.replace(b"Content-Length", b"X-Length"))
        assert await reader.readexactly(2) == b"\r\n"
        answer = await reader.read()
        assert answer.startswith(b"SIP/2.0 400 ")
        writer.close()
        await until(lambda: ear.events)
        assert ear.data == [OPTIONS]
        assert len(ear.events) == 1


@on_each_loop
async def test_messages_beyond_the_room_of_a_connection_that_is_not_up_are_dropped() -> None:
    ours, theirs, ear = here(), here(), Ear()
    async with sockets(room=2) as transport:
        transport.hold(Ear(), ours)
        transport.hold(ear, theirs)
        for _ in range(5):
            transport.send(Path(ours, theirs, "tcp"), OPTIONS)
        assert transport.counters.dropped == 3
        await until(lambda: len(ear.datagrams) == 2)


@on_each_loop
async def test_what_a_far_end_does_not_take_is_bounded() -> None:
    ours = here()
    async with sockets() as transport:
        with socket.create_server(here()) as far:
            transport.hold(Ear(), ours)
            path = Path(ours, Address(*far.getsockname()), "tcp")
            message = OPTIONS.replace(b"Content-Length: 0", b"Content-Length: 60000") + bytes(60_000)
            transport.send(path, message)
            await until(lambda: transport.counters.sent == 1)
            for _ in range(1_000):
                transport.send(path, message)
            assert transport.counters.dropped > 0
            assert transport.counters.sent * len(message) < 16 * 1024 * 1024
