"""User agents that are asked for a password (RFC 3261 §22): whatever was challenged is sent again, with credentials."""

from typing import Any

import pytest

from sbc.sip.call import Ended, Replied, Up
from sbc.sip.digest import FIELDS, Algorithm, DigestClient, DigestServer, Judgement, secret
from sbc.sip.message import Request, Response
from sbc.sip.testkit import Network, User, request
from sbc.sip.transaction import RequestReceived
from sbc.sip.transactions import Transactions
from sbc.sip.usage import Event, State
from tests.agents import ANSWER, address, invite, join


class Guard:
    """Answers every request 200, once it knows who asks."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.server = DigestServer("kit", b"key", lambda user, algorithm: secret(algorithm, user, "kit", "right"))
        self.salts = 0

    def react(self, user: User[Transactions], event: Any) -> None:
        if isinstance(event, RequestReceived):
            self.answer(user, event)

    def answer(self, user: User[Transactions], event: RequestReceived) -> None:
        now = user.network.now
        fields: list[tuple[str, object]] = [("Contact", "<sip:bob@bob.example>")]
        status, body = 200, b""
        judgement = self.server.check(now, event.request, self.status).judgement
        if judgement is not Judgement.ACCEPTED:
            self.salts += 1
            name = FIELDS[self.status].challenge
            challenges = self.server.challenges(now, str(self.salts), stale=judgement is Judgement.STALE)
            status, fields = self.status, [(name, each) for each in challenges]
        elif event.request.method == "INVITE":
            fields, body = [*fields, ("Content-Type", "application/sdp")], ANSWER
        reply = Response.answer(event.request, status, to_tag="bob", headers=fields, body=body)
        user.party.respond(now, event.transaction, reply)


def guarded(password: str, status: int = 401) -> tuple[Network, User[Any]]:
    network = Network(0.01)
    login = DigestClient("alice", password, algorithms=[Algorithm.SHA_256])
    network.join("bob", Transactions(), Guard(status).react)
    return network, join(network, "alice", login=login)


def sent(network: Network, method: str) -> list[Request]:
    return [packet.message for packet in network.sent("alice", request(method)) if isinstance(packet.message, Request)]


@pytest.mark.parametrize("status", [401, 407])
def test_a_challenged_invite_is_sent_again_in_the_same_call_and_its_ack_repeats_the_credentials(status: int) -> None:
    network, alice = guarded("right", status)
    call = invite(alice, "bob")
    network.run(1.0)
    name = FIELDS[status].answer
    first, again = sent(network, "INVITE")
    assert [each.cseq.number for each in (first, again)] == [1, 2]
    assert (first.call_id, first.from_) == (again.call_id, again.from_)
    assert first.via.branch != again.via.branch
    assert first.to.tag is again.to.tag is None
    refused, accepted = sent(network, "ACK")
    assert refused.headers.get(name) is None
    assert accepted.headers.get(name) == again.headers.get(name)
    assert [type(event) for event in alice.events] == [Up]
    alice.party.hang_up(network.now, call)
    network.run(60.0)
    assert call.state is State.OVER
    assert "200 BYE" in [packet.what for packet in network.sent("bob")]
    assert (network.idle(), len(alice.party)) == (True, 0)


def test_a_wrong_password_is_refused_and_not_tried_again() -> None:
    network, alice = guarded("wrong")
    invite(alice, "bob")
    network.run(60.0)
    assert len(sent(network, "INVITE")) == 2
    [end] = alice.events
    assert isinstance(end, Ended)
    assert (end.why, end.status) == (Event.FAILURE, 401)
    assert (network.idle(), len(alice.party)) == (True, 0)


def test_a_challenge_to_a_call_that_was_given_up_meanwhile_ends_it() -> None:
    network, alice = guarded("right")
    call = invite(alice, "bob")
    network.at(0.015, lambda: alice.party.hang_up(network.now, call))
    network.run(60.0)
    assert len(sent(network, "INVITE")) == 1
    assert [event.why for event in alice.events] == [Event.HANG_UP]


def test_other_requests_are_sent_again_outside_and_within_a_call() -> None:
    network, alice = guarded("right")
    bob = address("bob")
    asking = alice.party.request(network.now, "OPTIONS", bob.uri, address("alice"), bob)
    network.run(1.0)
    call = invite(alice, "bob")
    network.run(2.0)
    within = alice.party.request_within(network.now, call, "INFO")
    network.run(3.0)
    replies = {event.asking: event.response for event in alice.events if isinstance(event, Replied)}
    assert [response and response.status for response in replies.values()] == [200, 200]
    assert list(replies) == [asking, within]
    first, again = sent(network, "OPTIONS")
    assert (first.call_id, first.from_.tag, again.cseq.number) == (again.call_id, again.from_.tag, 2)
    assert len(sent(network, "INFO")) >= 1


def test_a_reinvite_is_sent_again_with_its_offer() -> None:
    network, alice = guarded("right")
    call = invite(alice, "bob")
    network.run(400.0)  # longer than the nonce lives
    new = ANSWER.replace(b"4000", b"4002")
    alice.party.reinvite(network.now, call, body=new)
    network.run(401.0)
    assert [each.body for each in sent(network, "INVITE")[2:]] == [new, new]
    assert call.session.local == new
    assert call.state is State.UP
    alice.party.hang_up(network.now, call)
    network.run(800.0)
    assert (network.idle(), len(alice.party)) == (True, 0)


def test_branches_that_rang_before_a_challenge_are_forgotten_with_it() -> None:
    network = Network(0.01)
    alice = join(network, "alice", login=DigestClient("alice", "right"))
    guard = Guard(401)

    def ring(user: User[Transactions], event: Any) -> None:
        if isinstance(event, RequestReceived) and event.request.method == "INVITE":
            tag = f"ring{event.request.cseq.number}"
            fields = [("Contact", "<sip:bob@bob.example>")]
            user.party.respond(
                user.network.now, event.transaction, Response.answer(event.request, 180, to_tag=tag, headers=fields)
            )
            user.network.at(user.network.now + 1.0, lambda: guard.answer(user, event))

    network.join("bob", Transactions(), ring)
    call = invite(alice, "bob")
    network.run(1.5)
    assert list(call.early) == ["ring2"]


def test_a_server_that_always_asks_anew_is_believed_three_times() -> None:
    network = Network(0.01)
    alice = join(network, "alice", login=DigestClient("alice", "right"))
    nonces = iter(range(100))

    def challenge(user: User[Transactions], event: Any) -> None:
        if isinstance(event, RequestReceived):
            value = f'Digest realm="kit", nonce="{next(nonces)}", stale=true, qop="auth"'
            reply = Response.answer(event.request, 401, to_tag="bob", headers=[("WWW-Authenticate", value)])
            user.party.respond(user.network.now, event.transaction, reply)

    network.join("bob", Transactions(), challenge)
    invite(alice, "bob")
    bob = address("bob")
    alice.party.request(network.now, "OPTIONS", bob.uri, address("alice"), bob)
    network.run(60.0)
    assert (len(sent(network, "INVITE")), len(sent(network, "OPTIONS"))) == (4, 4)
    assert sorted(type(event).__name__ for event in alice.events) == ["Ended", "Replied"]
