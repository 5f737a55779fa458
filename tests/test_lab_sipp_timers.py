import socket
import subprocess
import time

import pytest

from sbc.decisions.timers import invite_offsets
from tests.lab import peer

COPIES = 4  # up to 3.5 s; the rest of the 32 s would show no more than the doubling already does
LATE = 0.2  # a busy machine sends late; a wrong interval is off by half a second or more


@pytest.mark.lab(needs=["sipp"])
def test_sipp_repeats_an_unanswered_invite_at_our_offsets() -> None:
    copies: list[tuple[float, bytes]] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.settimeout(10)
        host, port = silent.getsockname()
        command = [peer("sipp"), "-sn", "uac", f"{host}:{port}", "-i", host, "-m", "1", "-nostdin"]
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as sipp:
            try:
                for _ in range(COPIES):
                    datagram = silent.recv(65535)
                    copies.append((time.monotonic(), datagram))
            finally:
                sipp.kill()

    first_at, first = copies[0]
    assert first.startswith(b"INVITE sip:")
    assert {datagram for _, datagram in copies} == {first}, "copies of one request, not several calls"
    assert [at - first_at for at, _ in copies] == pytest.approx(invite_offsets()[:COPIES], abs=LATE)
