"""User agents over a network with a hand-moved clock: each race of a call by the times of the RFCs."""

from typing import Any

import pytest

from sbc.decisions.table import ImpossibleEventError
from sbc.sip.agent import UserAgent
from sbc.sip.call import Arrived, Asked, Call, ChangeAsked, Changed, Ended, Offered, Progress, Replied, Unchanged, Up
from sbc.sip.message import Request, Response
from sbc.sip.offer import State as OfferState
from sbc.sip.session_timer import Timing
from sbc.sip.testkit import Network, Reaction, User, new_request, nth, request, response, sent_by
from sbc.sip.transactions import Transactions
from sbc.sip.usage import Event, State
from tests.agents import ANSWER, OFFER, address, invite, join

USUAL = Timing()
D = 0.01
"""One way, seconds."""

COPIES_OF_2XX = [0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
"""§13.3.1.4: T1, doubling until T2, for 64·T1."""


def answering(after: float = 0.0, ring: bool = True, body: bytes = ANSWER) -> Reaction:
    """Ring at once, answer later, and accept every change."""

    def react(user: User[UserAgent], event: Any) -> None:
        agent, network = user.party, user.network
        if isinstance(event, Arrived):
            if ring:
                agent.ring(network.now, event.call)
            network.at(network.now + after, lambda: agent.answer(network.now, event.call, body=body))
        elif isinstance(event, ChangeAsked):
            agent.answer(network.now, event.call, body=body)

    return react


def ended(user: User[UserAgent]) -> list[tuple[float, Event]]:
    return [(round(heard.at, 6), heard.event.why) for heard in user.heard if isinstance(heard.event, Ended)]


def whats(network: Network, name: str) -> list[str]:
    return [packet.what for packet in network.sent(name)]


def at(network: Network, name: str, what: str) -> list[float]:
    return [round(packet.at, 6) for packet in network.sent(name) if packet.what == what]


def call_of(user: User[UserAgent]) -> Call:
    (call,) = [event.call for event in user.events if isinstance(event, Arrived)]
    return call


def assert_silent_and_empty(network: Network, *users: User[UserAgent]) -> None:
    assert network.idle()
    assert [len(user.party) for user in users] == [0] * len(users)


def pair(*, timing: Timing = USUAL, **options: Any) -> tuple[Network, User[UserAgent], User[UserAgent]]:
    network = Network(D)
    return network, join(network, "alice", timing=timing), join(network, "bob", answering(**options), timing=timing)


# The plain call.


def test_a_call_takes_seven_messages_and_leaves_nothing() -> None:
    network, alice, bob = pair(after=1.0)
    call = invite(alice, "bob")
    network.run(10.0)
    assert (call.state, call_of(bob).state) == (State.UP, State.UP)
    assert (call.session.local, call.session.remote) == (OFFER, ANSWER)
    assert (call_of(bob).session.local, call_of(bob).session.remote) == (ANSWER, OFFER)
    alice.party.hang_up(network.now, call)
    network.run(100.0)
    assert [packet.what for packet in network.wire] == [
        "INVITE", "180 INVITE", "200 INVITE", "ACK", "BYE", "200 BYE",
    ]  # fmt: skip
    assert [type(event) for event in alice.events] == [Progress, Up, Ended]
    assert [type(event) for event in bob.events] == [Arrived, Up, Ended]
    assert (ended(alice), ended(bob)) == ([(10.0, Event.HANG_UP)], [(10.01, Event.BYE)])
    assert_silent_and_empty(network, alice, bob)


def test_who_was_called_may_hang_up_too() -> None:
    network, alice, bob = pair()
    call = invite(alice, "bob")
    network.run(1.0)
    bob.party.hang_up(network.now, call_of(bob), headers=[("Reason", "Q.850;cause=16")])
    network.run(50.0)
    [end] = [event for event in alice.events if isinstance(event, Ended)]
    assert end.message is not None
    assert (end.why, end.message.reasons[0].cause, end.status) == (Event.BYE, 16, 0)
    assert call.state is State.OVER
    assert_silent_and_empty(network, alice, bob)


def test_a_refusal_is_passed_up_with_its_retry_after() -> None:
    network = Network(D)
    alice = join(network, "alice")

    def refuse(user: User[UserAgent], event: Any) -> None:
        if isinstance(event, Arrived):
            user.party.refuse(user.network.now, event.call, 503, headers=[("Retry-After", 30)])

    bob = join(network, "bob", refuse)
    invite(alice, "bob")
    network.run(60.0)
    [end] = [event for event in alice.events if isinstance(event, Ended)]
    assert end.message is not None
    assert (end.why, end.status, str(end.message.headers.get("Retry-After"))) == (Event.FAILURE, 503, "30")
    assert ended(bob) == [(0.01, Event.REFUSE)]
    assert whats(network, "alice") == ["INVITE", "ACK"]
    assert_silent_and_empty(network, alice, bob)


def test_an_unanswered_invite_ends_after_timer_b_as_a_408_and_a_refused_flow_as_a_503() -> None:
    network = Network(D)
    alice, _ = join(network, "alice"), join(network, "bob")
    network.drop(request("INVITE"))
    invite(alice, "bob")
    network.run(100.0)
    assert ended(alice) == [(32.0, Event.TIMED_OUT)]
    network.refuse("bob")
    network = Network(D)
    carol, _ = join(network, "carol"), join(network, "bob")
    network.refuse("bob")
    invite(carol, "bob")
    network.run(100.0)
    assert ended(carol) == [(0.02, Event.BROKEN)]
    assert [event.status for event in (*alice.events, *carol.events)] == [408, 503]
    assert_silent_and_empty(network, alice, carol)


# CANCEL.


def test_a_cancel_waits_for_a_provisional_response() -> None:
    network = Network(D)
    alice, bob = join(network, "alice"), join(network, "bob")
    network.drop(nth(1, 2, when=request("INVITE")))
    call = invite(alice, "bob")
    network.at(0.7, lambda: alice.party.hang_up(network.now, call))
    network.run(100.0)
    # The third copy, at 1.5 s, gets through; 0.2 s later bob's transaction says 100.
    assert at(network, "alice", "CANCEL") == [1.72]
    assert whats(network, "bob") == ["100 INVITE", "200 CANCEL", "487 INVITE"]
    assert (ended(alice), ended(bob)) == ([(1.74, Event.HANG_UP)], [(1.73, Event.CANCEL)])
    assert_silent_and_empty(network, alice, bob)


def test_a_2xx_that_crosses_the_cancel_is_acknowledged_and_ended_by_bye() -> None:
    network, alice, bob = pair(after=1.0)
    call = invite(alice, "bob")
    network.at(1.015, lambda: alice.party.hang_up(network.now, call))
    network.run(100.0)
    assert whats(network, "alice") == ["INVITE", "CANCEL", "ACK", "BYE"]
    assert whats(network, "bob") == ["180 INVITE", "200 INVITE", "200 CANCEL", "200 BYE"]
    assert not any(isinstance(event, Up) for event in alice.events), "its user had hung up"
    assert (ended(alice), ended(bob)) == ([(1.02, Event.HANG_UP)], [(1.03, Event.BYE)])
    assert_silent_and_empty(network, alice, bob)


def test_a_2xx_before_any_provisional_response_ends_a_call_given_up_by_bye() -> None:
    network, alice, bob = pair(ring=False)
    call = invite(alice, "bob")
    network.at(0.005, lambda: alice.party.hang_up(network.now, call))
    network.run(100.0)
    assert whats(network, "alice") == ["INVITE", "ACK", "BYE"]
    assert_silent_and_empty(network, alice, bob)


def test_a_cancel_without_effect_is_given_up_after_64_t1() -> None:
    network = Network(D)
    alice = join(network, "alice")

    def ring(user: User[UserAgent], event: Any) -> None:
        if isinstance(event, Arrived):
            user.party.ring(user.network.now, event.call)

    bob = join(network, "bob", ring)
    network.drop(sent_by("bob", response(487)))
    call = invite(alice, "bob")
    network.at(5.0, lambda: alice.party.hang_up(network.now, call))
    network.run(200.0)
    assert at(network, "alice", "CANCEL") == [5.0]
    assert ended(alice) == [(37.0, Event.HANG_UP)]
    assert_silent_and_empty(network, alice, bob)


def test_a_cancel_for_nothing_is_answered_481_and_one_that_comes_too_late_changes_nothing() -> None:
    network, alice, bob = pair()
    call = invite(alice, "bob")
    network.hold(request("CANCEL"), 1.0)
    network.run(0.015)
    alice.party.hang_up(network.now, call)
    network.run(100.0)
    assert "481 CANCEL" not in whats(network, "bob")
    bob.party.receive(network.now, bob.to("alice"), new_request("CANCEL", "alice", "bob", branch="z9hG4bKnone"))
    network.run(200.0)
    assert "481 CANCEL" in whats(network, "bob")
    assert_silent_and_empty(network, alice, bob)


# 2xx and ACK.


def test_a_2xx_is_repeated_until_64_t1_and_then_answered_by_a_bye_of_its_own() -> None:
    network, alice, bob = pair(ring=False)
    network.drop(request("ACK"))
    call = invite(alice, "bob")
    network.run(200.0)
    assert at(network, "bob", "200 INVITE") == pytest.approx([D + offset for offset in COPIES_OF_2XX])
    assert at(network, "alice", "ACK") == pytest.approx([3 * D - D + offset for offset in COPIES_OF_2XX])
    assert at(network, "bob", "BYE") == [32.01]
    assert (ended(alice), ended(bob)) == ([(32.02, Event.BYE)], [(32.01, Event.NO_ACK)])
    acks = {packet.message.encode() for packet in network.sent("alice", request("ACK"))}
    assert len(acks) == 1, "one ACK for all copies (§13.2.2.4)"
    assert call.state is State.OVER
    assert_silent_and_empty(network, alice, bob)


def test_who_hangs_up_before_the_ack_waits_for_it_with_the_bye() -> None:
    network, alice, bob = pair(ring=False)
    network.drop(nth(1, 2, when=request("ACK")))
    invite(alice, "bob")
    network.run(0.1)
    bob.party.hang_up(network.now, call_of(bob))
    network.run(100.0)
    # The third ACK answers the copy of the 2xx sent 1.5 s after the first.
    assert at(network, "bob", "BYE") == [1.53]
    assert ended(bob) == [(1.53, Event.HANG_UP)]
    assert_silent_and_empty(network, alice, bob)


def test_a_bye_that_overtakes_the_2xx_ends_the_call_for_both() -> None:
    network, alice, bob = pair(ring=False)
    network.hold(nth(1, when=response(200)), 0.3)
    network.drop(request("ACK"))
    network.hold(sent_by("bob", nth(2, 3, 4, 5, 6, 7, 8, 9, 10, 11, when=response(200))), 40.0)
    invite(alice, "bob")
    network.run(300.0)
    assert {why for _, why in ended(bob)} == {Event.NO_ACK}
    assert len(ended(alice)) == 1
    assert_silent_and_empty(network, alice, bob)


def test_an_offer_in_the_2xx_waits_for_the_answer_that_the_ack_carries() -> None:
    network = Network(D)
    alice, bob = join(network, "alice"), join(network, "bob", answering(body=OFFER))
    call = invite(alice, "bob", body=b"")
    network.run(1.0)
    assert [type(event) for event in alice.events] == [Progress, Offered]
    assert call.session.proposed == OFFER
    assert at(network, "bob", "200 INVITE") == [0.01, 0.51]
    alice.party.answer(network.now, call, body=ANSWER)
    network.run(2.0)
    assert (call.session.local, call.session.remote) == (ANSWER, OFFER)
    assert (call_of(bob).session.local, call_of(bob).session.remote) == (OFFER, ANSWER)
    assert at(network, "bob", "200 INVITE") == [0.01, 0.51]
    assert (call.state, call_of(bob).state) == (State.UP, State.UP)


# Forks.


def forked(*tags: str) -> Reaction:
    """Answer an INVITE as several phones behind a forking proxy would."""

    def react(user: User[Any], event: Any) -> None:
        if hasattr(event, "transaction") and isinstance(getattr(event, "request", None), Request):
            if event.request.method == "INVITE":
                for status in (180, 200):
                    for tag in tags:
                        reply = Response.answer(
                            event.request,
                            status,
                            to_tag=tag,
                            headers=[("Contact", "<sip:bob@bob.example>"), ("Content-Type", "application/sdp")],
                            body=ANSWER if status == 200 else b"",
                        )
                        user.party.respond(user.network.now, event.transaction, reply)
            else:
                user.party.respond(user.network.now, event.transaction, Response.answer(event.request, 200))

    return react


def test_further_branches_that_answer_are_acknowledged_and_ended() -> None:
    network = Network(D)
    alice = join(network, "alice")
    network.join("bob", Transactions(), forked("one", "two", "three"))
    network.duplicate(response(200), after=0.2)
    call = invite(alice, "bob")
    network.run(0.015)
    network.run(1.0)
    acks = [packet.message.to.tag for packet in network.sent("alice", request("ACK"))]
    assert acks == ["one", "two", "three"] * 2, "each copy is acknowledged"
    assert [packet.message.to.tag for packet in network.sent("alice", request("BYE"))] == ["two", "three"]
    assert call.state is State.UP
    assert call.dialog is not None
    assert call.dialog.remote.tag == "one"
    assert [type(event) for event in alice.events] == [Progress] * 3 + [Up]


def test_each_branch_that_rings_has_an_early_dialog_of_its_own() -> None:
    network = Network(D)
    alice = join(network, "alice")
    network.join("bob", Transactions(), forked("one", "two"))
    network.drop(response(200))
    call = invite(alice, "bob")
    network.run(0.1)
    assert sorted(call.early) == ["one", "two"]
    assert [leg.session.state for leg in call.early.values()] == [OfferState.OFFERED] * 2


# re-INVITE.


def up(*, timing: Timing = USUAL) -> tuple[Network, User[UserAgent], User[UserAgent], Call, Call]:
    network, alice, bob = pair(ring=False, timing=timing)
    alice.react = answering()
    call = invite(alice, "bob")
    network.run(1.0)
    return network, alice, bob, call, call_of(bob)


def test_a_reinvite_changes_the_session_for_both() -> None:
    network, alice, bob, ours, theirs = up()
    held = OFFER.replace(b"4000", b"4002")
    alice.party.reinvite(network.now, ours, body=held)
    network.run(2.0)
    assert isinstance(alice.events[-1], Changed)
    assert isinstance(bob.events[-1], Changed)
    assert (ours.session.local, theirs.session.remote) == (held, held)
    assert ours.state is theirs.state is State.UP


def test_a_refused_reinvite_leaves_the_session_as_it_was() -> None:
    network, alice, bob, ours, theirs = up()
    bob.react = lambda user, event: (
        user.party.refuse(network.now, event.call, 488) if isinstance(event, ChangeAsked) else None
    )
    alice.party.reinvite(network.now, ours, body=OFFER.replace(b"4000", b"4002"))
    network.run(2.0)
    [unchanged] = [event for event in alice.events if isinstance(event, Unchanged)]
    assert unchanged.message is not None
    assert (ours.session.local, ours.session.remote) == (OFFER, ANSWER)
    assert (theirs.session.local, theirs.session.remote) == (ANSWER, OFFER)
    assert ours.state is theirs.state is State.UP


def test_reinvites_that_meet_are_answered_491_and_tried_again_after_the_waits_of_the_rfc() -> None:
    network, alice, bob, ours, theirs = up()
    alice.party.reinvite(network.now, ours, body=OFFER.replace(b"4000", b"4002"))
    bob.party.reinvite(network.now, theirs, body=ANSWER.replace(b"4000", b"4004"))
    network.run(20.0)
    assert at(network, "alice", "491 INVITE") == at(network, "bob", "491 INVITE") == [1.01]
    [_, second] = at(network, "alice", "INVITE")[1:]
    assert 2.1 <= round(second - 1.02, 6) <= 4.0, "the owner of the Call-ID"
    [_, again] = at(network, "bob", "INVITE")
    assert 0.0 <= round(again - 1.02, 6) <= 2.0, "the other"
    for moment in (second, again):
        assert round((moment - 1.02) * 100, 4) == round((moment - 1.02) * 100), "steps of 10 ms"
    assert sum(isinstance(event, Changed) for event in alice.events) == 2
    assert ours.session.local == theirs.session.remote
    assert ours.session.remote == theirs.session.local


def test_a_2xx_to_a_reinvite_without_ack_ends_the_call() -> None:
    network, alice, bob, ours, theirs = up()
    network.drop(request("ACK"))
    alice.party.reinvite(network.now, ours, body=OFFER.replace(b"4000", b"4002"))
    network.run(200.0)
    assert at(network, "bob", "200 INVITE")[1:] == pytest.approx([1.01 + offset for offset in COPIES_OF_2XX])
    assert at(network, "bob", "BYE") == [33.01]
    assert ours.state is theirs.state is State.OVER
    assert_silent_and_empty(network, alice, bob)


@pytest.mark.parametrize("status", [481, 408])
def test_a_reinvite_to_a_dialog_that_the_other_side_has_lost_ends_the_call(status: int) -> None:
    network, alice, bob, ours, _ = up()
    bob.react = lambda user, event: (
        user.party.refuse(network.now, event.call, status) if isinstance(event, ChangeAsked) else None
    )
    alice.party.reinvite(network.now, ours, body=OFFER.replace(b"4000", b"4002"))
    network.run(100.0)
    assert ended(alice) == [(1.02, Event.GONE)]
    assert "BYE" in whats(network, "alice"), "§12.2.1.2"
    assert_silent_and_empty(network, alice, bob)


def test_a_bye_ends_a_reinvite_that_waits_for_its_answer() -> None:
    network, alice, bob, ours, theirs = up()
    bob.react = None
    alice.party.reinvite(network.now, ours, body=OFFER.replace(b"4000", b"4002"))
    network.run(1.5)
    alice.party.hang_up(network.now, ours)
    network.run(100.0)
    assert "487 INVITE" in whats(network, "bob")
    assert ours.state is theirs.state is State.OVER
    assert_silent_and_empty(network, alice, bob)


def test_byes_that_cross_are_both_answered_and_each_side_is_told_once() -> None:
    network, alice, bob, ours, theirs = up()
    alice.party.hang_up(network.now, ours)
    bob.party.hang_up(network.now, theirs)
    network.run(100.0)
    assert [packet.what for packet in network.wire][-4:] == ["BYE", "BYE", "200 BYE", "200 BYE"]
    assert (ended(alice), ended(bob)) == ([(1.0, Event.HANG_UP)], [(1.0, Event.HANG_UP)])
    assert_silent_and_empty(network, alice, bob)


def test_what_cannot_be_asked_of_a_call_is_refused() -> None:
    network, alice, _, ours, _ = up()
    for verb in (alice.party.answer, alice.party.ring):
        with pytest.raises(ImpossibleEventError):
            verb(network.now, ours)
    with pytest.raises(ImpossibleEventError):
        alice.party.refuse(network.now, ours, 486)
    alice.party.hang_up(network.now, ours)
    with pytest.raises(ImpossibleEventError):
        alice.party.reinvite(network.now, ours)
    with pytest.raises(ImpossibleEventError):
        alice.party.request_within(network.now, ours, "INFO")
    alice.party.hang_up(network.now, ours)


# Other requests.


def test_options_are_answered_with_what_is_allowed() -> None:
    network, alice, _ = pair()
    bob = address("bob")
    asking = alice.party.request(network.now, "OPTIONS", bob.uri, address("alice"), bob)
    network.run(100.0)
    [reply] = alice.events
    assert isinstance(reply, Replied)
    assert reply.asking is asking
    assert reply.response is not None
    assert reply.response.allow == {"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS"}
    assert network.idle()


def test_a_request_that_nobody_answers_is_told_after_timer_f() -> None:
    network, alice, _ = pair()
    network.drop(request("OPTIONS"))
    bob = address("bob")
    alice.party.request(network.now, "OPTIONS", bob.uri, address("alice"), bob)
    network.run(100.0)
    assert [(heard.at, heard.event.response) for heard in alice.heard] == [(32.0, None)]


@pytest.mark.parametrize(
    ("method", "headers", "to_tag", "status", "header"),
    [
        ("PUBLISH", [], None, 405, "Allow"),
        ("JUGGLE", [], None, 501, "Allow"),
        ("INVITE", [("Require", "100rel")], None, 420, "Unsupported"),
        ("INVITE", [("Contact", "<sip:a@a.example>"), ("Content-Encoding", "gzip")], None, 415, "Accept-Encoding"),
        ("INVITE", [], None, 400, None),
        ("INVITE", [("Contact", "<sip:a@a.example>")], "gone", 481, None),
        ("BYE", [], "gone", 481, None),
        ("BYE", [], None, 481, None),
        ("OPTIONS", [], None, 200, "Allow"),
        (
            "INVITE",
            [("Contact", "<sip:a@a.example>"), ("Session-Expires", "60"), ("Supported", "timer")],
            None,
            422,
            "Min-SE",
        ),
    ],
)
def test_requests_are_answered_as_section_8_2_says(
    method: str, headers: list[tuple[str, object]], to_tag: str | None, status: int, header: str | None
) -> None:
    network, _, bob = pair()
    bob.party.receive(0.0, bob.to("alice"), new_request(method, "alice", "bob", to_tag=to_tag, headers=headers))
    network.settle()
    [packet] = network.sent("bob")
    assert isinstance(packet.message, Response)
    assert packet.message.status == status
    assert header is None or header in packet.message.headers
    assert packet.message.to.tag


def test_a_request_that_cannot_be_read_is_answered_as_it_deserves() -> None:
    network, _, bob = pair()
    whole = new_request("OPTIONS", "alice", "bob")
    bob.party.receive(0.0, bob.to("alice"), whole.with_headers(whole.headers.replace("CSeq", "1 INVITE")))
    bob.party.receive(0.0, bob.to("alice"), whole.with_uri("mailto:bob@bob.example"))
    network.settle()
    assert [packet.what.split()[0] for packet in network.sent("bob")] == ["400", "416"]


def test_a_request_that_comes_by_two_ways_is_answered_482_on_the_second() -> None:
    network, _, bob = pair()
    contact = [("Contact", "<sip:a@a.example>")]
    for branch in ("z9hG4bKone", "z9hG4bKtwo"):
        invitation = new_request("INVITE", "alice", "bob", branch=branch, headers=contact)
        bob.party.receive(0.0, bob.to("alice"), invitation)
    network.settle()
    assert [packet.message.via.branch for packet in network.sent("bob", response(482))] == ["z9hG4bKtwo"]


def test_a_request_of_an_allowed_method_is_for_the_user_and_one_out_of_order_is_answered_500() -> None:
    network = Network(D)
    alice = join(network, "alice")
    bob = join(network, "bob", answering(ring=False), allow=["INFO"])
    call = invite(alice, "bob")
    network.run(1.0)
    alice.party.request_within(network.now, call, "INFO", body=b"1")
    network.run(1.1)
    [asked] = [event for event in bob.events if isinstance(event, Asked)]
    assert asked.call is call_of(bob)
    bob.party.respond(network.now, asked, 200)
    network.run(1.2)
    assert isinstance(alice.events[-1], Replied)
    late = asked.request.with_headers(
        asked.request.headers.replace("Via", "SIP/2.0/UDP alice.example;branch=z9hG4bKlate").replace("CSeq", "1 INFO")
    )
    bob.party.receive(network.now, bob.to("alice"), late)
    network.run(1.3)
    assert whats(network, "bob")[-1] == "500 INFO"
