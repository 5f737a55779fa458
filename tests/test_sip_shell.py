import socket
from typing import Any

import pytest

from sbc.sip.message import Response, parse
from sbc.sip.testkit import new_request
from sbc.sip.transaction import RequestReceived
from sbc.sip.transactions import Transactions
from tests.sip_shell import HOST, LONGEST, Shell


def accept(shell: Shell[Transactions], event: Any) -> None:
    if isinstance(event, RequestReceived):
        shell.core.respond(shell.now, event.transaction, Response.answer(event.request, 200, to_tag="shell"))


@pytest.mark.parametrize("asks", [True, False], ids=["rport", "no rport"])
def test_a_response_goes_to_the_port_that_rfc_3581_says(asks: bool) -> None:
    with (
        Shell(lambda _: Transactions(), accept) as shell,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as named,
    ):
        for each in (source, named):
            each.bind((HOST, 0))
            each.settimeout(LONGEST)
        request = new_request("OPTIONS", "phone", "shell")
        via = f"SIP/2.0/UDP phone.example:{named.getsockname()[1]};branch=z9hG4bK1" + (";rport" if asks else "")
        source.sendto(request.with_headers(request.headers.replace("Via", via)).encode(), (HOST, shell.port))
        shell.run(lambda: shell.sent("200 OPTIONS"))
        answered = parse((source if asks else named).recv(65535)).via
        assert answered.received == HOST
        assert answered.rport == (source.getsockname()[1] if asks else None)
