"""Dialogs, offers and answers against RFC 3261 §12 and RFC 3264, by grids drawn by hand and by cases of the RFC."""

from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbc.decisions.table import ImpossibleEventError
from sbc.sip import dialog as dialogs
from sbc.sip import offer as offers
from sbc.sip.dialog import Dialog
from sbc.sip.errors import ParseError
from sbc.sip.fields import Via, parse_via
from sbc.sip.message import Request, Response
from sbc.sip.offer import Negotiation
from sbc.sip.testkit import new_request
from tests.tables import Pair, assert_every_mutation_is_noticed, disagreements

DIALOG = """
          EARLY       CONFIRMED   TERMINATED
ACCEPTED  CONFIRMED   CONFIRMED   .
ENDED     TERMINATED  TERMINATED  .
"""
OFFER = """
             IDLE     OFFERED  ASKED
OFFER_SENT   OFFERED  .        .
OFFER_CAME   ASKED    .        .
ANSWER_SENT  .        .        IDLE
ANSWER_CAME  .        IDLE     .
DROPPED      .        IDLE     IDLE
"""


def plain(grid: str, states: type[Enum], events: type[Enum]) -> dict[Pair, object]:
    head, *lines = [line.split() for line in grid.strip().splitlines()]
    return {
        (states[state], events[event]): states[target]
        for event, *cells in lines
        for state, target in zip(head, cells, strict=True)
        if target != "."
    }


def wrong_dialog() -> list[Pair]:
    oracle = plain(DIALOG, dialogs.State, dialogs.Event)
    return disagreements(dialogs.TABLE, oracle, dialogs.State, dialogs.Event)


def wrong_offer() -> list[Pair]:
    return disagreements(offers.TABLE, plain(OFFER, offers.State, offers.Event), offers.State, offers.Event)


def test_every_state_and_event_of_dialogs_and_offers_does_what_is_drawn() -> None:
    assert wrong_dialog() == []
    assert wrong_offer() == []


def test_deleting_or_redirecting_any_row_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert_every_mutation_is_noticed(dialogs.TABLE, wrong_dialog, dialogs.State, monkeypatch)
    assert_every_mutation_is_noticed(offers.TABLE, wrong_offer, offers.State, monkeypatch)


VIA = parse_via("SIP/2.0/UDP alice.example;branch=z9hG4bKnext")
BOB = "<sip:bob@192.0.2.4>"
P1, P2 = "<sip:p1.example;lr>", "<sip:p2.example;lr>"


def invitation(*headers: tuple[str, object]) -> Request:
    return new_request("INVITE", "alice", "bob", headers=[("Contact", "<sip:alice@192.0.2.1>"), *headers])


def ok(request: Request, *headers: tuple[str, object], status: int = 200, tag: str = "bob") -> Response:
    return Response.answer(request, status, to_tag=tag, headers=headers)


def caller(*headers: tuple[str, object], status: int = 200) -> Dialog:
    return Dialog.as_caller(invitation(), ok(invitation(), ("Contact", BOB), *headers, status=status))


def test_the_caller_takes_the_record_route_backwards_and_the_callee_as_it_came() -> None:
    # §12.1: the first in the request is the proxy nearest to the callee.
    recorded = [("Record-Route", f"{P2}, {P1}")]
    ours = caller(*recorded).request("BYE", VIA)
    assert ours.headers.values("Route") == [P1, P2]
    assert ours.uri_text == "sip:bob@192.0.2.4"
    came = invitation(*recorded)
    theirs = Dialog.as_callee(came, ok(came, ("Contact", BOB))).request("BYE", VIA)
    assert theirs.headers.values("Route") == [P2, P1]
    assert theirs.uri_text == "sip:alice@192.0.2.1"


def test_a_strict_router_gets_its_own_uri_and_the_target_goes_last() -> None:
    # §12.2.1.1: the example of §16.12.1.2 seen from the user agent.
    strict = "<sip:p1.example>"
    dialog = caller(("Record-Route", f"{P2}, {strict}"))
    request = dialog.request("BYE", VIA)
    assert request.uri_text == "sip:p1.example"
    assert request.headers.values("Route") == [P2, BOB]
    assert str(dialog.next_hop) == "sip:p1.example"


def test_without_a_route_set_the_target_is_the_next_hop() -> None:
    dialog = caller()
    assert str(dialog.next_hop) == "sip:bob@192.0.2.4"
    assert "Route" not in dialog.request("BYE", VIA).headers


def test_the_tags_of_a_request_are_ours_in_from_and_theirs_in_to() -> None:
    request = caller().request("INFO", VIA)
    assert (request.from_.tag, request.to.tag, request.call_id) == ("alice", "bob", "1@kit")


def test_requests_count_on_from_the_invite_and_the_ack_has_the_number_of_its_invite() -> None:
    dialog = caller()
    assert [dialog.request("INFO", VIA).cseq.number for _ in range(3)] == [2, 3, 4]
    assert dialog.ack(invitation().cseq, VIA).cseq == (1, "ACK")
    came = invitation()
    theirs = Dialog.as_callee(came, ok(came, ("Contact", BOB)))
    assert theirs.request("INFO", VIA).cseq.number == 1, "each side counts for itself"


@given(numbers=st.lists(st.integers(1, 20), max_size=20))
def test_a_request_comes_in_its_turn_when_its_number_is_higher_than_all_before(numbers: list[int]) -> None:
    came = new_request("INVITE", "alice", "bob", cseq=5, headers=[("Contact", "<sip:alice@192.0.2.1>")])
    dialog = Dialog.as_callee(came, ok(came, ("Contact", BOB)))
    highest = 5
    for number in numbers:
        assert dialog.takes(new_request("INFO", "alice", "bob", cseq=number, to_tag="bob")) is (number > highest)
        highest = max(highest, number)
        assert dialog.takes(new_request("ACK", "alice", "bob", cseq=1, to_tag="bob")), "has the number of its INVITE"


def test_the_callers_first_request_may_have_any_number_for_who_has_heard_none() -> None:
    dialog = caller()
    assert dialog.takes(new_request("BYE", "bob", "alice", cseq=0))
    assert not dialog.takes(new_request("BYE", "bob", "alice", cseq=0))


def test_a_2xx_recomputes_the_routes_and_the_target_of_an_early_dialog() -> None:
    # §13.2.2.4: only the route set of the 2xx counts, RFC 2543 proxies did not copy it into the 1xx.
    dialog = caller(("Record-Route", P1), status=180)
    before = dialog.state
    dialog.confirm(ok(invitation(), ("Contact", "<sip:bob@192.0.2.5>"), ("Record-Route", P2)))
    request = dialog.request("BYE", VIA)
    assert (request.uri_text, request.headers.values("Route")) == ("sip:bob@192.0.2.5", [P2])
    assert (before, dialog.state) == (dialogs.State.EARLY, dialogs.State.CONFIRMED)


def test_a_target_refresh_changes_the_target_and_never_the_routes() -> None:
    dialog = caller(("Record-Route", P1))
    again = new_request("INVITE", "bob", "alice", headers=[("Contact", "<sip:new@192.0.2.9>"), ("Record-Route", P2)])
    dialog.refresh_target(again)
    assert str(dialog.remote_target) == "sip:new@192.0.2.9"
    assert dialog.request("BYE", VIA).headers.values("Route") == [P1]
    dialog.refresh_target(new_request("INVITE", "bob", "alice"))
    assert str(dialog.remote_target) == "sip:new@192.0.2.9", "none is given, none is taken"


def test_a_peer_of_rfc_2543_has_no_tag_and_need_not_give_a_contact() -> None:
    old = Response.answer(invitation(), 200)
    dialog = Dialog.as_caller(invitation(), old)
    assert dialog.remote.tag is None
    assert str(dialog.remote_target) == "sip:bob.example", "the Request-URI"
    assert dialog.request("BYE", VIA).to.tag is None


def test_an_invite_needs_exactly_one_contact_to_begin_a_dialog() -> None:
    for contacts in ([], [("Contact", "<sip:a@a.example>"), ("Contact", "<sip:b@b.example>")]):
        came = new_request("INVITE", "alice", "bob", headers=contacts)
        with pytest.raises(ParseError) as refused:
            Dialog.as_callee(came, ok(came, ("Contact", BOB)))
        assert refused.value.status == 400


def test_an_answer_makes_the_session_and_a_dropped_offer_leaves_the_last_one() -> None:
    session = Negotiation()
    session.sent(b"offer 1")
    session.came(b"answer 1")
    assert (session.local, session.remote) == (b"offer 1", b"answer 1")
    session.came(b"offer 2")
    proposed = session.proposed
    session.dropped()
    assert (proposed, session.proposed) == (b"offer 2", None)
    assert (session.local, session.remote) == (b"offer 1", b"answer 1")
    session.came(b"offer 3")
    session.sent(b"answer 3")
    assert (session.local, session.remote) == (b"answer 3", b"offer 3")


def test_nobody_offers_while_an_offer_is_open() -> None:
    session = Negotiation()
    session.sent(b"offer")
    with pytest.raises(ImpossibleEventError):
        session.sent(b"another")
    with pytest.raises(ImpossibleEventError):
        session.preview()
    session.came(b"answer")
    session.came(b"theirs")
    session.preview()
    with pytest.raises(ImpossibleEventError):
        session.came(b"theirs again")


def test_a_via_is_taken_as_it_is_given() -> None:
    assert isinstance(VIA, Via)
    assert caller().request("BYE", VIA).via == VIA
