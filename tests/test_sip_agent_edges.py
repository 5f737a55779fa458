"""User agents where it seldom happens: late copies, lost turns, glare to the hundredth, peers that send what is odd."""

import gc
import weakref
from typing import Any

import pytest

from sbc.sip.agent import UserAgent
from sbc.sip.call import Arrived, Call, ChangeAsked, Changed, Ended, Offered, Progress, Unchanged, Up, Way
from sbc.sip.dialog import State as DialogState
from sbc.sip.fields import parse_via
from sbc.sip.ids import Ids
from sbc.sip.message import Request, Response
from sbc.sip.offer import State as OfferState
from sbc.sip.session_timer import Timing
from sbc.sip.testkit import Network, User, new_request, nth, request, response, sent_by
from sbc.sip.transaction import RequestReceived
from sbc.sip.transactions import Transactions
from sbc.sip.usage import Event, State, Turn
from tests.agents import ANSWER, OFFER, address, invite, join
from tests.test_sip_agent import answering, assert_silent_and_empty, at, call_of, ended, pair, up, whats

HELD = OFFER.replace(b"4000", b"4002")
CONTACT = ("Contact", "<sip:bob@bob.example>")


def scripted(*statuses: int, **headers: str) -> Any:
    """Answer INVITEs with these statuses, one for each, and everything else 200."""
    left = list(statuses)

    def react(user: User[Transactions], event: Any) -> None:
        if isinstance(event, RequestReceived):
            status = left.pop(0) if event.request.method == "INVITE" else 200
            fields = [CONTACT, *((name.replace("_", "-"), value) for name, value in headers.items())]
            reply = Response.answer(event.request, status, to_tag="bob", headers=fields)
            user.party.respond(user.network.now, event.transaction, reply)

    return react


# Glare.


@pytest.mark.parametrize(("draw", "owner", "other"), [(0.0, 2.1, 0.0), (1 - 2**-53, 4.0, 2.0)])
def test_the_waits_after_a_glare_reach_from_end_to_end(draw: float, owner: float, other: float) -> None:
    network, alice, bob, ours, theirs = up()
    for user in (alice, bob):
        agent: Any = user.party
        agent._core.ids.uniform = lambda: draw
    alice.party.reinvite(network.now, ours, body=HELD)
    bob.party.reinvite(network.now, theirs, body=HELD)
    network.run(10.0)
    assert [at(network, user.name, "INVITE")[-1] for user in (alice, bob)] == [1.02 + owner, 1.02 + other]


def test_after_a_glare_both_changes_come_to_pass_one_after_the_other() -> None:
    network, alice, bob, ours, theirs = up()
    moved = ANSWER.replace(b"4000", b"4004")
    offered: list[bytes] = []

    def accept(user: User[UserAgent], event: Any) -> None:
        if isinstance(event, ChangeAsked):
            offered.append(event.request.body)
            user.party.answer(user.network.now, event.call, body=event.call.session.local or b"")

    alice.react = bob.react = accept
    alice.party.reinvite(network.now, ours, body=HELD)
    bob.party.reinvite(network.now, theirs, body=moved)
    network.run(20.0)
    assert offered == [moved, HELD], "who does not own the Call-ID comes first"
    assert (ours.session.local, ours.session.remote) == (HELD, moved)
    assert not any(isinstance(event, Unchanged) for event in (*alice.events, *bob.events))


# re-INVITEs that come at the wrong time.


def test_a_reinvite_that_overtakes_the_ack_is_answered_491_and_comes_again() -> None:
    network, alice, bob = pair(ring=False)
    network.drop(nth(1, when=request("ACK")))
    call = invite(alice, "bob")
    network.run(0.1)
    alice.party.reinvite(network.now, call, body=HELD)
    network.run(10.0)
    assert at(network, "bob", "491 INVITE") == [0.11]
    assert isinstance(alice.events[-1], Changed)
    assert call_of(bob).session.remote == HELD


def test_a_second_reinvite_while_the_first_waits_for_the_user_is_answered_500() -> None:
    network, alice, bob, ours, theirs = up()
    bob.react = None
    alice.party.reinvite(network.now, ours, body=HELD)
    network.run(1.5)
    [asked] = [event.request for event in bob.events if isinstance(event, ChangeAsked)]
    fields = asked.headers.replace("CSeq", "9 INVITE").replace("Via", "SIP/2.0/UDP alice.example;branch=z9hG4bKnew")
    bob.party.receive(network.now, bob.to("alice"), asked.with_headers(fields))
    network.run(1.6)
    [busy] = [packet.message for packet in network.sent("bob", response(500))]
    assert isinstance(busy, Response)
    assert busy.retry_after is not None
    assert 0 <= busy.retry_after.seconds <= 10
    bob.party.answer(network.now, theirs, body=ANSWER)
    network.run(2.0)
    assert isinstance(alice.events[-1], Changed)


def test_a_reinvite_without_an_offer_is_answered_with_one_and_the_ack_answers_it() -> None:
    network, alice, bob, ours, theirs = up()

    def offer(user: User[UserAgent], event: Any) -> None:
        if isinstance(event, ChangeAsked):
            user.party.answer(user.network.now, event.call, body=HELD)

    bob.react = offer
    alice.party.reinvite(network.now, ours, body=b"")
    network.run(1.2)
    assert isinstance(alice.events[-1], Offered)
    assert ours.session.proposed == HELD
    alice.party.answer(network.now, ours, body=ANSWER)
    network.run(2.0)
    assert isinstance(alice.events[-1], Changed)
    assert isinstance(bob.events[-1], Changed)
    assert (ours.session.local, ours.session.remote) == (ANSWER, HELD)
    assert (theirs.session.local, theirs.session.remote) == (HELD, ANSWER)


def test_a_cancelled_reinvite_leaves_the_call_and_its_session() -> None:
    network, alice, bob, ours, theirs = up()
    bob.react = None
    alice.party.reinvite(network.now, ours, body=HELD)
    network.run(1.5)
    [asked] = [event.request for event in bob.events if isinstance(event, ChangeAsked)]
    cancel = asked.headers.replace("CSeq", f"{asked.cseq.number} CANCEL").without("Require", "Session-Expires")
    bob.party.receive(network.now, bob.to("alice"), Request("CANCEL", asked.uri_text, cancel))
    network.run(2.0)
    assert whats(network, "bob")[-2:] == ["200 CANCEL", "487 INVITE"]
    assert isinstance(bob.events[-1], Unchanged)
    assert (theirs.state, theirs.turn, theirs.session.remote) == (State.UP, Turn.STILL, OFFER)
    assert (ours.state, ours.session.local) == (State.UP, OFFER)


def test_a_reinvite_moves_the_target_for_both() -> None:
    network, _, bob, ours, theirs = up()
    network.join("carol", Transactions())
    fields = [("Contact", "<sip:alice@carol.example>")]
    again = new_request(
        "INVITE", "alice", "bob", branch="z9hG4bKmoved", call_id=ours.call_id, cseq=7, to_tag=theirs.tag, headers=fields
    )
    tagged = again.headers.replace("From", str(again.from_.with_tag(ours.tag)))
    bob.party.receive(network.now, bob.to("alice"), again.with_headers(tagged))
    network.run(1.5)
    bob.party.hang_up(network.now, theirs)
    network.run(1.6)
    [bye] = list(network.sent("bob", request("BYE")))
    assert bye.link.target == "carol"


def test_the_2xx_to_a_reinvite_moves_the_target_too() -> None:
    network = Network(0.01)
    alice = join(network, "alice")
    network.join("carol", Transactions())

    def move(user: User[Transactions], event: Any) -> None:
        if isinstance(event, RequestReceived):
            host = "carol" if event.request.to.tag else "bob"
            fields = [("Contact", f"<sip:bob@{host}.example>")]
            reply = Response.answer(event.request, 200, to_tag="bob", headers=fields)
            user.party.respond(user.network.now, event.transaction, reply)

    network.join("bob", Transactions(), move)
    call = invite(alice, "bob")
    network.run(1.0)
    alice.party.reinvite(network.now, call, body=HELD)
    network.run(2.0)
    assert [packet.link.target for packet in network.sent("alice", request("ACK"))] == ["bob", "carol"]


# Late copies.


def test_a_2xx_copy_that_comes_after_the_bye_is_acknowledged_like_the_first() -> None:
    network, alice, bob = pair(ring=False)
    network.duplicate(response(200), after=5.0)
    call = invite(alice, "bob")
    network.at(0.1, lambda: alice.party.hang_up(network.now, call))
    network.run(4.0)
    assert (call.state, len(alice.party)) == (State.OVER, 1)
    network.run(100.0)
    assert at(network, "alice", "ACK") == [0.02, 5.02]
    assert_silent_and_empty(network, alice, bob)


def test_an_ack_copy_does_not_void_an_offer_of_ours() -> None:
    network, alice, bob = pair(ring=False)
    network.duplicate(request("ACK"), after=1.0)
    network.hold(sent_by("alice", response(200)), 2.0)
    alice.react = answering()
    invite(alice, "bob")
    network.run(0.9)
    theirs = call_of(bob)
    bob.party.reinvite(network.now, theirs, body=HELD)
    network.run(1.5)
    assert theirs.session.state is OfferState.OFFERED
    network.run(5.0)
    assert theirs.session.local == HELD


def test_acks_are_kept_only_while_copies_may_come() -> None:
    network, alice, _, ours, _ = up()
    for until in (50.0, 100.0, 150.0):
        assert len(ours.acks) == 1
        alice.party.reinvite(network.now, ours, body=HELD)
        network.run(until)
        assert len(ours.acks) == 0
        alice.party.reinvite(network.now, ours, body=OFFER)
        network.run(until + 1)


# Early dialogs.


def test_the_session_of_the_first_provisional_answer_holds_whatever_the_2xx_says() -> None:
    network = Network(0.01)
    alice = join(network, "alice")

    def early(user: User[Transactions], event: Any) -> None:
        if isinstance(event, RequestReceived) and event.request.method == "INVITE":
            for status, body in ((183, ANSWER), (200, HELD)):
                fields = [("Contact", f"<sip:bob{status}@bob.example>"), ("Content-Type", "application/sdp")]
                reply = Response.answer(event.request, status, to_tag="bob", headers=fields, body=body)
                user.party.respond(user.network.now, event.transaction, reply)

    network.join("bob", Transactions(), early)
    call = invite(alice, "bob")
    network.run(1.0)
    assert (call.session.local, call.session.remote) == (OFFER, ANSWER), "§13.2.1"
    assert call.dialog is not None
    assert call.dialog.state is DialogState.CONFIRMED
    assert str(call.dialog.remote_target) == "sip:bob200@bob.example", "but the target is that of the 2xx"


def test_early_dialogs_end_with_the_call_and_with_another_try() -> None:
    network = Network(0.01)
    alice = join(network, "alice")
    network.join("bob", Transactions(), scripted(180))
    call = invite(alice, "bob")
    network.run(1.0)
    [leg] = call.early.values()
    assert leg.dialog.state is DialogState.EARLY
    [server] = alice.party._core.sent
    alice.party.receive(network.now, alice.to("bob"), Response.answer(server.request, 486, to_tag="bob"))
    assert (leg.dialog.state, call.early) == (DialogState.TERMINATED, {})


def test_a_provisional_response_that_cannot_be_read_still_lets_the_call_be_cancelled() -> None:
    network = Network(0.01)
    alice = join(network, "alice")
    network.join("bob", Transactions(), scripted(180, Record_Route="<<"))
    call = invite(alice, "bob")
    network.run(1.0)
    assert [type(event) for event in alice.events] == [Progress]
    assert call.early == {}
    alice.party.hang_up(network.now, call, headers=[("Reason", "SIP;cause=200")])
    network.run(100.0)
    [cancel] = [packet.message for packet in network.sent("alice", request("CANCEL"))]
    assert cancel.reasons[0].cause == 200
    assert ended(alice) == [(33.0, Event.HANG_UP)]
    assert len(alice.party) == 0


@pytest.mark.parametrize("again", [False, True])
def test_a_2xx_that_cannot_be_read_counts_as_not_come(again: bool) -> None:
    network = Network(0.01)
    alice = join(network, "alice")
    network.join("bob", Transactions(), scripted(200, 200, Session_Expires="soon") if not again else scripted(200, 200))
    call = invite(alice, "bob")
    network.run(1.0)
    if again:
        network.treat(lambda packet, delays: delays)
        network.join("bob", Transactions(), scripted(200, Session_Expires="soon"))
        alice.party.reinvite(network.now, call, body=HELD)
    network.run(200.0)
    assert ended(alice) == ([(33.02, Event.GONE)] if again else [(32.02, Event.TIMED_OUT)])
    assert len(alice.party) == 0


# Ringing, answering.


def test_an_answer_without_a_description_leaves_no_offer_open() -> None:
    network = Network(0.01)
    alice, bob = join(network, "alice"), join(network, "bob", answering(ring=False, body=b""))
    call = invite(alice, "bob")
    network.run(1.0)
    theirs = call_of(bob)
    assert call.session.state is theirs.session.state is OfferState.IDLE
    bob.react = answering()
    alice.party.reinvite(network.now, call, body=HELD)
    network.run(2.0)
    assert (theirs.session.remote, call.session.remote) == (HELD, ANSWER)


def test_a_caller_may_end_an_early_dialog_by_bye() -> None:
    network = Network(0.01)
    alice = join(network, "alice")

    def ring(user: User[UserAgent], event: Any) -> None:
        if isinstance(event, Arrived):
            user.party.ring(user.network.now, event.call)

    bob = join(network, "bob", ring)
    call = invite(alice, "bob")
    network.run(1.0)
    theirs = call_of(bob)
    assert theirs.dialog is not None
    [leg] = call.early.values()
    bye = leg.dialog.request("BYE", parse_via("SIP/2.0/UDP alice.example;branch=z9hG4bKbye"))
    bob.party.receive(network.now, bob.to("alice"), bye)
    network.run(100.0)
    assert whats(network, "bob") == ["180 INVITE", "200 BYE", "487 INVITE"]
    assert ended(bob) == [(1.0, Event.BYE)]
    assert ended(alice) == [(1.01, Event.FAILURE)]
    assert_silent_and_empty(network, alice, bob)


def test_a_stranger_with_the_right_tag_of_ours_is_not_the_other_side() -> None:
    network, _, bob, ours, theirs = up()
    bye = new_request("BYE", "mallory", "bob", call_id=ours.call_id, cseq=50, to_tag=theirs.tag)
    bob.party.receive(network.now, bob.to("alice"), bye)
    network.run(1.1)
    assert whats(network, "bob")[-1] == "481 BYE"
    assert theirs.state is State.UP


def test_a_bye_that_nobody_answers_ends_with_timer_f() -> None:
    network, alice, bob, ours, _ = up()
    network.cut("alice", "bob")
    alice.party.hang_up(network.now, ours)
    network.run(33.5)
    assert (ours.state, len(alice.party)) == (State.OVER, 0)
    assert bob.party is not None


def test_a_body_that_is_no_description_is_refused_unless_it_is_optional() -> None:
    network = Network(0.01)
    bob = join(network, "bob")
    for branch, fields in {
        "z9hG4bK1": [("Content-Type", "text/plain")],
        "z9hG4bK2": [("Content-Type", "text/plain"), ("Content-Disposition", "render;handling=optional")],
    }.items():
        message = new_request("INVITE", "alice", "bob", branch=branch, call_id=branch, headers=[CONTACT, *fields])
        bob.party.receive(0.0, bob.to("alice"), message.with_body(b"hello"))
    bob.party.receive(
        0.0,
        bob.to("alice"),
        new_request("INVITE", "alice", "bob", branch="z9hG4bK3", call_id="3", headers=[CONTACT, ("Require", "timer")]),
    )
    network.settle()
    assert whats(network, "bob") == ["415 INVITE"]
    assert [type(event) for event in bob.events] == [Arrived, Arrived]


# Flows and memory.


def test_a_call_over_a_connection_ends_when_it_breaks_while_ringing() -> None:
    network = Network(0.01)

    def stream(name: str, other: str) -> Any:
        def locate(uri: Any, flow: Any) -> Way:
            del uri
            return Way(flow or network._users[name].to(other, reliable=True), parse_via(f"SIP/2.0/TCP {name}.example"))

        return locate

    def ring(user: User[UserAgent], event: Any) -> None:
        if isinstance(event, Arrived):
            user.party.ring(user.network.now, event.call)

    alice = network.join("alice", UserAgent(address("alice"), Ids(lambda bits: 1 << bits - 1), stream("alice", "bob")))
    bob = network.join("bob", UserAgent(address("bob"), Ids(lambda bits: 1), stream("bob", "alice")), ring)
    invite(alice, "bob")
    network.run(1.0)
    network.cut("alice", "bob")
    network.run(100.0)
    assert ended(alice) == [(1.0, Event.BROKEN)]
    assert ended(bob) == [(1.0, Event.BROKEN)]
    assert_silent_and_empty(network, alice, bob)


def test_a_call_that_is_over_leaves_no_reference_cycle() -> None:
    network, alice, bob, ours, theirs = up()
    alice.party.reinvite(network.now, ours, body=HELD)
    network.run(5.0)
    alice.party.hang_up(network.now, ours)
    network.run(200.0)
    gone = [weakref.ref(ours), weakref.ref(theirs)]
    gc.collect()
    gc.disable()
    try:
        for user in (alice, bob):
            user.heard.clear()
        network.wire.clear()
        del ours, theirs
        assert [call() for call in gone] == [None, None]
    finally:
        gc.enable()


def test_up_and_ended_are_told_with_the_message_that_brought_them() -> None:
    network, alice, bob = pair(ring=False)
    call: Call = invite(alice, "bob")
    network.run(1.0)
    alice.party.hang_up(network.now, call)
    network.run(2.0)
    [ours] = [event for event in alice.events if isinstance(event, Up)]
    [theirs] = [event for event in bob.events if isinstance(event, Up)]
    [end] = [event for event in bob.events if isinstance(event, Ended)]
    assert isinstance(ours.message, Response)
    assert isinstance(theirs.message, Request)
    assert isinstance(end.message, Request)
    assert (ours.message.status, theirs.message.method, end.message.method) == (200, "ACK", "BYE")


# A wish that waits after a glare.


def busy(*statuses: int, expires: str = "", then: str = "") -> Any:
    """Answer an INVITE 200, the re-INVITEs after it with these statuses and then 200, everything else 200.

    The 2xx to the first sets the session timer with `expires`, those to the others with `then`.
    """
    left = list(statuses)

    def react(user: User[Transactions], event: Any) -> None:
        if isinstance(event, RequestReceived):
            again = event.request.method == "INVITE" and event.request.to.tag is not None
            status = left.pop(0) if again and left else 200
            fields = [CONTACT]
            if timer := then if again else expires:
                fields.append(("Session-Expires", timer))
            body = b""
            if status == 200 and event.request.method == "INVITE":
                fields, body = [*fields, ("Content-Type", "application/sdp")], ANSWER
            reply = Response.answer(event.request, status, to_tag="bob", headers=fields, body=body)
            user.party.respond(user.network.now, event.transaction, reply)

    return react


def called(react: Any) -> tuple[Network, User[UserAgent], Call]:
    network = Network(0.01)
    alice = join(network, "alice")
    network.join("bob", Transactions(), react)
    return network, alice, invite(alice, "bob")


def test_who_asks_anew_before_the_wait_is_over_asks_once() -> None:
    network, alice, call = called(busy(491))
    network.run(1.0)
    alice.party.reinvite(network.now, call, body=HELD)
    network.run(1.5)
    alice.party.reinvite(network.now, call, body=ANSWER)
    network.run(20.0)
    assert at(network, "alice", "INVITE") == [0.0, 1.0, 1.5]
    assert call.session.local == ANSWER


def test_a_refresh_that_is_due_leaves_the_wish_its_turn() -> None:
    network, alice, call = called(busy(491, expires="90;refresher=uac"))
    network.run(44.9)
    alice.party.reinvite(network.now, call, body=HELD)
    network.run(60.0)
    assert len(at(network, "alice", "INVITE")) == 3
    assert call.session.local == HELD
    assert [type(event) for event in alice.events] == [Up, Changed]


def test_a_2xx_to_a_reinvite_without_session_expires_ends_the_timer() -> None:
    network, alice, call = called(busy(expires="90;refresher=uas"))
    network.run(1.0)
    alice.party.reinvite(network.now, call, body=HELD)
    network.run(500.0)
    assert call.terms is None
    assert call.state is State.UP
    assert network.idle()


def test_a_2xx_that_makes_the_other_side_the_refresher_stops_our_refreshes() -> None:
    network, alice, call = called(busy(expires="90;refresher=uac", then="90;refresher=uas"))
    network.run(1.0)
    alice.party.reinvite(network.now, call, body=HELD)
    network.run(500.0)
    assert len(at(network, "alice", "INVITE")) == 2
    assert ended(alice) == [(61.02, Event.EXPIRED)]


def test_who_hangs_up_while_a_wish_waits_asks_no_more() -> None:
    network, alice, call = called(busy(491))
    network.run(1.0)
    alice.party.reinvite(network.now, call, body=HELD)
    network.run(1.5)
    alice.party.hang_up(network.now, call)
    network.run(20.0)
    assert at(network, "alice", "INVITE") == [0.0, 1.0]
    assert whats(network, "alice")[-1] == "BYE"


def test_the_ack_of_a_reinvite_whose_offer_nobody_answered_has_no_answer() -> None:
    network, alice, bob, ours, _ = up()
    alice.party.reinvite(network.now, ours)
    network.run(1.5)
    assert isinstance(alice.events[-1], Offered)
    alice.party.hang_up(network.now, ours)
    network.run(100.0)
    assert [packet.message.body for packet in network.sent("alice", request("ACK"))] == [b"", b""]
    assert whats(network, "alice")[-2:] == ["ACK", "BYE"]
    assert_silent_and_empty(network, alice, bob)


def test_a_branch_that_answers_after_a_reinvite_is_acknowledged_under_the_number_of_the_first() -> None:
    network, alice, call = called(busy())
    network.run(1.0)
    [first] = network.sent("alice", request("INVITE"))
    assert isinstance(first.message, Request)
    alice.party.reinvite(network.now, call, body=HELD)
    network.run(2.0)
    late = Response.answer(first.message, 200, to_tag="late", headers=[CONTACT])
    alice.party.receive(network.now, alice.to("bob"), late)
    network.run(2.001)
    ack, bye = [packet.message for packet in network.sent("alice")[-2:]]
    assert (str(ack.cseq), ack.to.tag, bye.to.tag) == ("1 ACK", "late", "late")


def test_a_refresh_that_meets_their_change_stays_untold() -> None:
    network, alice, bob, ours, theirs = up(timing=Timing(90))
    network.run(45.015)
    bob.party.reinvite(network.now, theirs, body=HELD)
    network.run(60.0)
    assert "491 INVITE" in whats(network, "alice")
    assert len([event for event in alice.events if isinstance(event, Changed)]) == 1, "theirs"
    assert ours.state is theirs.state is State.UP


def test_a_request_for_which_there_is_no_room_is_answered_503() -> None:
    network = Network(0.01)
    alice = join(network, "alice")
    bob = join(network, "bob", transactions=Transactions(room=0))
    invite(alice, "bob")
    network.run(1.0)
    [end] = alice.events
    assert isinstance(end, Ended)
    assert (end.status, bob.events) == (503, [])


def test_their_change_that_meets_a_refresh_does_not_make_it_a_change() -> None:
    network, alice, call = called(busy(expires="90;refresher=uac", then="90;refresher=uac"))
    network.run(40.0)
    network.hold(sent_by("bob", response(200)), 1.0)
    network.run(45.5)
    theirs = new_request("INVITE", "bob", "alice", call_id=call.call_id, to_tag=call.tag, headers=[CONTACT])
    alice.party.receive(network.now, alice.to("bob"), theirs.with_body(HELD, "application/sdp"))
    network.run(60.0)
    assert {"491 INVITE", "ACK"} < set(whats(network, "alice"))
    assert len(at(network, "alice", "ACK")) == 2, "the refresh went through"
    assert [type(event) for event in alice.events] == [Up]
