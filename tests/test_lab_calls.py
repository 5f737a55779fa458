"""Our user agent in calls with SIPp and baresip: each side is asked what it saw."""

import hashlib
import secrets
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from sbc.sip.agent import UserAgent
from sbc.sip.call import Arrived, Call, ChangeAsked, Changed, Ended, Progress, Up
from sbc.sip.digest import Algorithm, DigestClient, DigestServer, Judgement, secret
from sbc.sip.fields import Address
from sbc.sip.grammar import NO_PARAMS, Params
from sbc.sip.ids import Ids
from sbc.sip.message import Request
from sbc.sip.sdp import PCMU, Direction, Origin, answer, offer, parse_sdp
from sbc.sip.uri import SipUri
from sbc.sip.usage import Event, State
from tests.sip_peers import good, sipp, sipp_server
from tests.sip_shell import HOST, Shell, free_port

Agent: TypeAlias = Shell[UserAgent]
User: TypeAlias = Callable[[Agent, Any], None]

TRANSPORTS = pytest.mark.parametrize("transport", ["u1", "t1"])
REALM = "lab.example.jp"
PASSWORD = "kyoto-station"  # noqa: S105 # everybody may know it
NOWHERE = 9
"""The port of the service that discards all it gets: nobody listens to the speech."""

OFFER = offer(Origin(HOST, 1), NOWHERE, [PCMU])


def agent(user: User, login: DigestClient | None = None) -> Agent:
    """A user agent on sockets, with its user."""

    def make(shell: Agent) -> UserAgent:
        us = Address(SipUri(HOST, "kirikae", shell.port))
        return UserAgent(us, Ids(secrets.randbits), shell.way, login=login)

    return Shell(make, user)


def call(shell: Agent, port: int, transport: str = "u1", user: str = "service") -> Call:
    """Call a program."""
    params = Params([("transport", "tcp")]) if transport == "t1" else NO_PARAMS
    them = SipUri(HOST, user, port, params)
    us = Address(SipUri(HOST, "kirikae", shell.port))
    return shell.core.invite(shell.now, them, us, Address(SipUri(HOST, user, port)), body=OFFER.encode())


def answered(body: bytes) -> bytes:
    """Our answer to an offer."""
    return answer(parse_sdp(body), Origin(HOST, 2), NOWHERE, [PCMU]).encode()


def friendly(shell: Agent, event: Any) -> None:
    """Ring, answer, and grant every change."""
    match event:
        case Arrived(call, request):
            shell.core.ring(shell.now, call)
            shell.core.answer(shell.now, call, body=answered(request.body))
        case ChangeAsked(call, request):
            shell.core.answer(shell.now, call, body=answered(request.body))


def brief(shell: Agent, event: Any) -> None:
    """Hang up as soon as a call is up."""
    if isinstance(event, Up):
        shell.core.hang_up(shell.now, event.call)


def ends(shell: Agent) -> list[Event]:
    return [event.why for event in shell.told(Ended)]


def direction(body: bytes | None) -> Direction:
    assert body is not None
    session = parse_sdp(body)
    assert session.audio is not None
    return session.direction(session.audio)


# SIPp's own scenarios.


@pytest.mark.lab(needs=["sipp"])
@TRANSPORTS
def test_sipp_calls_and_hangs_up(tmp_path: Path, transport: str) -> None:
    with agent(friendly) as shell:
        with sipp(shell, tmp_path, "uac", "-t", transport, "-r", 20, calls=10) as caller:
            shell.run(caller.has_ended)
        assert caller.verdict() == good(10)
        assert len(shell.told(Up)) == 10
        assert ends(shell) == [Event.BYE] * 10
        assert Counter(shell.kinds(sent=True)) == {
            "180 INVITE": 10,
            "200 INVITE": 10,
            "200 BYE": 10,
        }


@pytest.mark.lab(needs=["sipp"])
@TRANSPORTS
def test_we_call_sipp_and_hang_up(tmp_path: Path, transport: str) -> None:
    port = free_port()
    with agent(brief) as shell:
        with sipp_server(shell, tmp_path, port, "uas", "-t", transport, calls=10) as called:
            calls = [call(shell, port, transport) for _ in range(10)]
            shell.run(called.has_ended)
        assert called.verdict() == good(10)
        assert [event.response.status for event in shell.told(Progress)] == [180] * 10
        assert ends(shell) == [Event.HANG_UP] * 10
        assert {each.state for each in calls} == {State.OVER}
        assert Counter(shell.kinds(sent=True)) == {"INVITE": 10, "ACK": 10, "BYE": 10}


# Scenarios of ours.


@pytest.mark.lab(needs=["sipp"])
@TRANSPORTS
def test_sipp_finds_our_answer_to_its_challenge_right_for_invite_and_bye(tmp_path: Path, transport: str) -> None:
    port = free_port()
    with agent(brief, DigestClient("alice", PASSWORD)) as shell:
        with sipp_server(shell, tmp_path, port, "uas_401.xml", "-t", transport) as called:
            call(shell, port, transport)
            shell.run(called.has_ended)
        assert called.verdict() == good(1)
        assert shell.kinds(sent=False) == ["401 INVITE", "200 INVITE", "200 BYE"]
        assert ends(shell) == [Event.HANG_UP]


@pytest.mark.lab(needs=["sipp"])
def test_a_wrong_password_ends_the_call_with_what_sipp_says(tmp_path: Path) -> None:
    port = free_port()
    with agent(brief, DigestClient("alice", "wrong")) as shell:
        with sipp_server(shell, tmp_path, port, "uas_401.xml") as called:
            call(shell, port)
            shell.run(called.has_ended)
        assert called.verdict() == good(1), "it has sent its 403 and got the ACK"
        [end] = shell.told(Ended)
        assert (end.why, end.status) == (Event.FAILURE, 403)
        assert shell.told(Up) == []


def digest(request: Request) -> tuple[str, str]:
    """The response that a request's Proxy-Authorization has, and the one it should have by RFC 2617, section 3.2.2."""
    [value] = request.auth("Proxy-Authorization")
    said = value.params

    def md5(*parts: str) -> str:
        return hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()

    user, deed = md5("alice", said["realm"], PASSWORD), md5(request.method, request.uri_text)
    return said["response"], md5(user, said["nonce"], said["nc"], said["cnonce"], said["qop"], deed)


@pytest.mark.lab(needs=["sipp"])
def test_we_get_by_a_proxy_that_challenges_and_show_it_our_credentials_until_the_end(tmp_path: Path) -> None:
    port = free_port()
    with agent(brief, DigestClient("alice", PASSWORD)) as shell:
        with sipp_server(shell, tmp_path, port, "uas_407.xml") as called:
            call(shell, port)
            shell.run(called.has_ended)
        assert called.verdict() == good(1)
        assert shell.kinds(sent=True) == ["INVITE", "ACK", "INVITE", "ACK", "BYE"]
        for request in [shell.sent("INVITE")[1], *shell.sent("BYE")]:
            assert isinstance(request, Request)
            said, right = digest(request)
            assert said == right


@pytest.mark.lab(needs=["sipp"])
def test_sipp_gets_through_our_challenge(tmp_path: Path) -> None:
    def kept(user: str, algorithm: Algorithm) -> str | None:
        return secret(algorithm, user, REALM, PASSWORD) if user == "alice" else None

    guard = DigestServer(REALM, secrets.token_bytes(16), kept, algorithms=[Algorithm.MD5])

    def guarded(shell: Agent, event: Any) -> None:
        if isinstance(event, Arrived):
            judgement, _ = guard.check(shell.now, event.request, 407)
            if judgement is Judgement.ACCEPTED:
                friendly(shell, event)
            else:
                [challenge] = guard.challenges(shell.now, secrets.token_hex(8))
                headers = [("Proxy-Authenticate", challenge)]
                shell.core.refuse(shell.now, event.call, 407, headers=headers)

    with agent(guarded) as shell:
        with sipp(shell, tmp_path, "uac_407.xml", "-au", "alice", "-ap", PASSWORD) as caller:
            shell.run(caller.has_ended)
        assert caller.verdict() == good(1)
        assert ends(shell) == [Event.REFUSE, Event.BYE]


@pytest.mark.lab(needs=["sipp"])
@TRANSPORTS
def test_we_cancel_a_call_that_rings_at_sipp(tmp_path: Path, transport: str) -> None:
    def impatient(shell: Agent, event: Any) -> None:
        if isinstance(event, Progress):
            shell.core.hang_up(shell.now, event.call)

    port = free_port()
    with agent(impatient) as shell:
        with sipp_server(shell, tmp_path, port, "uas_cancelled.xml", "-t", transport) as called:
            call(shell, port, transport)
            shell.run(called.has_ended)
        assert called.verdict() == good(1)
        [end] = shell.told(Ended)
        assert end.status == 487
        assert shell.kinds(sent=True) == ["INVITE", "CANCEL", "ACK"]
        assert len({each.message.via for each in shell.wire if each.sent}) == 1, "SIPp does not look at the branch"


@pytest.mark.lab(needs=["sipp"])
@TRANSPORTS
def test_sipp_cancels_a_call_that_rings_here(tmp_path: Path, transport: str) -> None:
    def ringing(shell: Agent, event: Any) -> None:
        if isinstance(event, Arrived):
            shell.core.ring(shell.now, event.call)

    with agent(ringing) as shell:
        with sipp(shell, tmp_path, "uac_cancels.xml", "-t", transport) as caller:
            shell.run(caller.has_ended)
        assert caller.verdict() == good(1)
        assert ends(shell) == [Event.CANCEL]
        assert shell.kinds(sent=True) == ["180 INVITE", "200 CANCEL", "487 INVITE"]


@pytest.mark.lab(needs=["sipp"])
@TRANSPORTS
def test_sipp_puts_us_on_hold_and_takes_us_back(tmp_path: Path, transport: str) -> None:
    with agent(friendly) as shell:
        with sipp(shell, tmp_path, "uac_holds.xml", "-t", transport) as caller:
            shell.run(caller.has_ended)
        assert caller.verdict() == good(1)
        asked = [direction(event.request.body) for event in shell.told(ChangeAsked)]
        assert asked == [Direction.SENDONLY, Direction.SENDRECV]
        assert len(shell.told(Changed)) == 2
        assert ends(shell) == [Event.BYE]


class Holding:
    """A user who puts a call on hold, takes it back and hangs up."""

    def __init__(self) -> None:
        self.seen: list[Direction] = []

    def __call__(self, shell: Agent, event: Any) -> None:
        held = OFFER.directed(Direction.SENDONLY)
        match event:
            case Up(call):
                shell.core.reinvite(shell.now, call, body=held.encode())
            case Changed(call):
                self.seen.append(direction(call.session.remote))
                if len(self.seen) == 1:
                    shell.core.reinvite(shell.now, call, body=held.directed(Direction.SENDRECV).encode())
                else:
                    shell.core.hang_up(shell.now, call)


@pytest.mark.lab(needs=["sipp"])
@TRANSPORTS
def test_we_put_sipp_on_hold_and_take_it_back(tmp_path: Path, transport: str) -> None:
    port, user = free_port(), Holding()
    with agent(user) as shell:
        with sipp_server(shell, tmp_path, port, "uas_held.xml", "-t", transport) as called:
            call(shell, port, transport)
            shell.run(called.has_ended)
        assert called.verdict() == good(1)
        assert user.seen == [Direction.RECVONLY, Direction.SENDRECV]
        assert ends(shell) == [Event.HANG_UP]


@pytest.mark.lab(needs=["sipp"])
def test_reinvites_that_meet_are_answered_491_and_ours_comes_back_in_its_time(tmp_path: Path) -> None:
    def user(shell: Agent, event: Any) -> None:
        match event:
            case Up(call):
                shell.core.reinvite(shell.now, call, body=OFFER.directed(Direction.SENDONLY).encode())
            case Changed(call):
                shell.core.hang_up(shell.now, call)

    port = free_port()
    with agent(user) as shell:
        with sipp_server(shell, tmp_path, port, "uas_glare.xml") as called:
            call(shell, port)
            shell.run(called.has_ended)
        assert called.verdict() == good(1)
        assert shell.told(ChangeAsked) == [], "theirs was not for our user to decide"
        assert len(shell.sent("491 INVITE")) == len(shell.received("491 INVITE")) == 1
        _, _, again = (each.at for each in shell.wire if each.sent and each.what == "INVITE")
        [refused] = (each.at for each in shell.wire if not each.sent and each.what == "491 INVITE")
        assert 2.1 <= again - refused < 4.0 + 0.5, "RFC 3261, section 14.1: 2.1 to 4 s for who owns the Call-ID"
        assert ends(shell) == [Event.HANG_UP]


# Packets lost.


LOST = 10
"""Per cent of the packets that SIPp sends or gets, and loses."""

MANY = 50
"""Calls, so that some of each kind of packet are lost."""


def copies(shell: Agent) -> int:
    """How many of our datagrams were repetitions."""
    sent = [each.message for each in shell.wire if each.sent]
    return len(sent) - len(set(sent))


@pytest.mark.lab(needs=["sipp"])
def test_calls_of_sipp_come_through_though_packets_are_lost(tmp_path: Path) -> None:
    with agent(friendly) as shell:
        with sipp(shell, tmp_path, "uac_lossy.xml", "-lost", LOST, "-r", 50, calls=MANY) as caller:
            shell.run(caller.has_ended)
        assert caller.verdict() == good(MANY)
        assert "lost" in caller.messages()
        assert caller.statistics()["Retransmissions(C)"] > 0
        assert copies(shell) > 0
        assert ends(shell) == [Event.BYE] * MANY


@pytest.mark.lab(needs=["sipp"])
def test_our_calls_come_through_though_packets_are_lost(tmp_path: Path) -> None:
    port = free_port()
    with agent(lambda shell, event: None) as shell:
        with sipp_server(shell, tmp_path, port, "uas_lossy.xml", "-lost", LOST, calls=MANY) as called:
            calls = [call(shell, port) for _ in range(MANY)]
            shell.run(called.has_ended)
        assert called.verdict() == good(MANY)
        assert "lost" in called.messages()
        assert called.statistics()["Retransmissions(C)"] > 0
        assert copies(shell) > 0
        assert len(shell.told(Up)) == MANY
        assert ends(shell) == [Event.BYE] * MANY
        assert {each.state for each in calls} == {State.OVER}
