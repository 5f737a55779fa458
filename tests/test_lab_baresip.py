"""Calls between our user agent and baresip: a whole softphone, which checks what SIPp does not look at."""

import secrets
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sbc.sip.agent import UserAgent
from sbc.sip.call import Arrived, Call, ChangeAsked, Changed, Ended, Progress, Up
from sbc.sip.fields import Address
from sbc.sip.grammar import NO_PARAMS, Params
from sbc.sip.ids import Ids
from sbc.sip.sdp import PCMU, Origin, answer, offer, parse_sdp
from sbc.sip.uri import SipUri
from sbc.sip.usage import Event
from tests.sip_peers import Baresip, baresip
from tests.sip_shell import HOST, Shell

BOTH_TRANSPORTS = pytest.mark.parametrize("transport", ["udp", "tcp"])
BY_HAND = f"<sip:alice@{HOST}>;regint=0;answermode=manual"
BY_ITSELF = f"<sip:alice@{HOST}>;regint=0;answermode=auto"


@pytest.fixture
def speech() -> Iterator[socket.socket]:
    """The socket that a call's speech is sent to."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtp:
        rtp.bind((HOST, 0))
        rtp.settimeout(10)
        yield rtp


class Person:
    """Somebody at our end, who answers when asked to and grants every change."""

    def __init__(self, speech: socket.socket, *, answers: bool = True) -> None:
        self.port: int = speech.getsockname()[1]
        self.answers = answers
        self.shell: Shell[UserAgent] = Shell(self._agent, self._react)

    def _agent(self, shell: Shell[UserAgent]) -> UserAgent:
        us = Address(SipUri(HOST, "kirikae", shell.port))
        return UserAgent(us, Ids(secrets.randbits), shell.way)

    def _react(self, shell: Shell[UserAgent], event: Any) -> None:
        match event:
            case Arrived(call, request):
                shell.core.ring(shell.now, call)
                if self.answers:
                    shell.core.answer(shell.now, call, body=self._answer(request.body))
            case ChangeAsked(call, request):
                shell.core.answer(shell.now, call, body=self._answer(request.body))

    def _answer(self, offered: bytes) -> bytes:
        return answer(parse_sdp(offered), Origin(HOST, 2), self.port, [PCMU]).encode()

    def call(self, phone: Baresip, transport: str) -> Call:
        """Call a baresip."""
        params = NO_PARAMS if transport == "udp" else Params([("transport", transport)])
        them = SipUri(HOST, "alice", phone.port, params)
        us = Address(SipUri(HOST, "kirikae", self.shell.port))
        body = offer(Origin(HOST, 1), self.port, [PCMU]).encode()
        return self.shell.core.invite(self.shell.now, them, us, Address(them), body=body)

    def ends(self) -> list[Event]:
        return [event.why for event in self.shell.told(Ended)]


def speaks(speech: socket.socket) -> bool:
    """Whether 20 ms of PCMU come: RTP version 2, payload type 0."""
    packet = speech.recv(2048)
    return packet[0] >> 6 == 2 and packet[1] & 0x7F == 0 and len(packet) == 12 + 160


@pytest.mark.lab(needs=["baresip"])
@BOTH_TRANSPORTS
@pytest.mark.parametrize("who", ["baresip", "we"])
def test_baresip_calls_speaks_and_either_hangs_up(
    tmp_path: Path, speech: socket.socket, transport: str, who: str
) -> None:
    person = Person(speech)
    with person.shell as shell, baresip(shell, tmp_path, BY_HAND) as phone:
        phone.ask("dial", f"sip:kirikae@{HOST}:{shell.port};transport={transport}")
        shell.run(lambda: shell.told(Up) and phone.heard("CALL_ESTABLISHED"))
        assert speaks(speech)
        if who == "we":
            shell.core.hang_up(shell.now, shell.told(Up)[0].call)
        else:
            phone.ask("hangup")
        shell.run(lambda: phone.heard("CALL_CLOSED") and shell.has_seen("200 BYE"))
        assert person.ends() == [Event.HANG_UP if who == "we" else Event.BYE]
        assert phone.heard("CALL_RINGING"), "it has seen our 180"
        assert shell.unreadable == []


@pytest.mark.lab(needs=["baresip"])
@BOTH_TRANSPORTS
@pytest.mark.parametrize("who", ["baresip", "we"])
def test_we_call_baresip_it_speaks_and_either_hangs_up(
    tmp_path: Path, speech: socket.socket, transport: str, who: str
) -> None:
    person = Person(speech)
    with person.shell as shell, baresip(shell, tmp_path, BY_ITSELF) as phone:
        call = person.call(phone, transport)
        shell.run(lambda: shell.told(Up) and phone.heard("CALL_ESTABLISHED"))
        assert speaks(speech)
        if who == "we":
            shell.core.hang_up(shell.now, call)
        else:
            phone.ask("hangup")
        shell.run(lambda: phone.heard("CALL_CLOSED") and shell.has_seen("200 BYE"))
        assert person.ends() == [Event.HANG_UP if who == "we" else Event.BYE]
        assert shell.unreadable == []


@pytest.mark.lab(needs=["baresip"])
def test_baresip_gives_up_a_call_that_rings_here(tmp_path: Path, speech: socket.socket) -> None:
    person = Person(speech, answers=False)
    with person.shell as shell, baresip(shell, tmp_path, BY_HAND) as phone:
        phone.ask("dial", f"sip:kirikae@{HOST}:{shell.port}")
        shell.run(lambda: phone.heard("CALL_RINGING"))
        phone.ask("hangup")
        shell.run(lambda: shell.received("ACK"))
        assert person.ends() == [Event.CANCEL]
        assert shell.kinds(sent=True) == ["180 INVITE", "200 CANCEL", "487 INVITE"]


@pytest.mark.lab(needs=["baresip"])
def test_we_give_up_a_call_that_rings_at_baresip(tmp_path: Path, speech: socket.socket) -> None:
    person = Person(speech)
    with person.shell as shell, baresip(shell, tmp_path, BY_HAND) as phone:
        call = person.call(phone, "udp")
        shell.run(lambda: [event for event in shell.told(Progress) if event.response.status == 180])
        shell.core.hang_up(shell.now, call)
        shell.run(lambda: shell.told(Ended) and phone.heard("CALL_CLOSED"))
        assert [event.status for event in shell.told(Ended)] == [487]


@pytest.mark.lab(needs=["baresip"])
def test_baresip_refuses_and_we_are_told_why(tmp_path: Path, speech: socket.socket) -> None:
    person = Person(speech)
    with person.shell as shell, baresip(shell, tmp_path, BY_HAND) as phone:
        person.call(phone, "udp")
        shell.run(lambda: phone.heard("CALL_INCOMING"))
        phone.ask("hangup")
        shell.run(lambda: shell.told(Ended))
        assert [(event.why, event.status) for event in shell.told(Ended)] == [(Event.FAILURE, 486)]


@pytest.mark.lab(needs=["baresip"])
def test_baresip_holds_and_resumes(tmp_path: Path, speech: socket.socket) -> None:
    person = Person(speech)
    with person.shell as shell, baresip(shell, tmp_path, BY_HAND) as phone:
        phone.ask("dial", f"sip:kirikae@{HOST}:{shell.port}")
        shell.run(lambda: shell.told(Up))
        for command in ("hold", "resume"):
            done = len(shell.told(Changed))
            phone.ask(command)
            shell.run(lambda done=done: len(shell.told(Changed)) > done)  # type: ignore[misc] # bound at once
        asked = [parse_sdp(event.request.body) for event in shell.told(ChangeAsked)]
        assert [each.on_hold(each.audio) for each in asked if each.audio] == [True, False]
        assert phone.heard("CALL_CLOSED") == []
