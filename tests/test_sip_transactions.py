"""The transaction layer by literal times and messages: RFC 3261 §17, RFC 6026, RFC 4320; times of rule S1."""

import gc
import sys
import weakref
from collections.abc import Callable
from math import inf
from types import FrameType
from typing import Any, NamedTuple

import pytest

from sbc.sip.errors import ParseError
from sbc.sip.hop import cancel_for
from sbc.sip.machines import State
from sbc.sip.message import Request, Response, parse
from sbc.sip.testkit import new_request
from sbc.sip.transaction import (
    AckReceived,
    ClientTransaction,
    Output,
    Overflow,
    RequestReceived,
    ResponseReceived,
    Send,
    ServerTransaction,
    Stray,
    Terminated,
    TimedOut,
    TransportFailed,
)
from sbc.sip.transactions import BranchError, Transactions


class Wire(NamedTuple):
    name: str
    reliable: bool = False


UDP, TCP = Wire("udp"), Wire("tcp", reliable=True)
INVITE = new_request("INVITE", "alice", "bob")
OPTIONS = new_request("OPTIONS", "alice", "bob")

INVITE_GRID = [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
T2_GRID = [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]


def reply(request: Request, status: int, tag: str = "bob") -> Response:
    return Response.answer(request, status, to_tag=tag)


def run(layer: Transactions, until: float = 1000.0) -> list[tuple[float, Output]]:
    """Fire whatever is due up to a time, at its deadline, and return all outputs with the time."""
    done: list[tuple[float, Output]] = [(-1.0, output) for output in layer.take()]
    while (due := layer.deadline()) <= until:
        layer.fire(due)
        done += [(due, output) for output in layer.take()]
    return done


def sends(done: list[tuple[float, Output]]) -> list[float]:
    return [at for at, output in done if isinstance(output, Send)]


def kinds(outputs: list[Output]) -> list[type[Any]]:
    return [type(output) for output in outputs]


def server(layer: Transactions, request: Request, flow: Wire = UDP, now: float = 0.0) -> ServerTransaction:
    layer.receive(now, flow, request)
    (event,) = layer.take()
    assert isinstance(event, RequestReceived)
    assert event.request is request
    return event.transaction


def client(layer: Transactions, request: Request, flow: Wire = UDP) -> ClientTransaction:
    transaction = layer.request(0.0, flow, request)
    assert layer.take() == [Send(flow, request)]
    return transaction


def acknowledge(request: Request, response: Response) -> Request:
    layer = Transactions()
    layer.request(0.0, UDP, request)
    layer.receive(0.0, UDP, response)
    ack = [output.message for output in layer.take() if isinstance(output, Send)][-1]
    assert isinstance(ack, Request)
    return ack


# The tables of S1.


@pytest.mark.parametrize(("request_", "grid"), [(INVITE, INVITE_GRID), (OPTIONS, T2_GRID)], ids=["INVITE", "OPTIONS"])
def test_an_unanswered_request_is_sent_on_its_grid_and_fails_after_32_s(request_: Request, grid: list[float]) -> None:
    layer = Transactions()
    transaction = client(layer, request_)
    done = run(layer)
    assert [0, *sends(done)] == grid
    assert [(at, output) for at, output in done if not isinstance(output, Send)] == [
        (32, TimedOut(transaction)),
        (32, Terminated(transaction)),
    ]
    assert all(output.message is request_ for _, output in done if isinstance(output, Send))


@pytest.mark.parametrize("request_", [INVITE, OPTIONS], ids=["INVITE", "OPTIONS"])
def test_over_a_reliable_flow_nothing_is_sent_again_and_it_still_fails_after_32_s(request_: Request) -> None:
    layer = Transactions()
    transaction = client(layer, request_, TCP)
    assert run(layer) == [(32, TimedOut(transaction)), (32, Terminated(transaction))]


def test_a_provisional_response_stops_an_invite_and_slows_another_request_to_t2() -> None:
    layer = Transactions()
    client(layer, INVITE)
    layer.receive(0.1, UDP, reply(INVITE, 100))
    assert sends(run(layer)) == []
    layer = Transactions()
    client(layer, OPTIONS)
    assert sends(run(layer, 1.0)) == [0.5]
    layer.receive(1.0, UDP, reply(OPTIONS, 100))
    assert sends(run(layer)[1:]) == [1.5, 5.5, 9.5, 13.5, 17.5, 21.5, 25.5, 29.5]


def test_a_failure_is_sent_until_it_is_acknowledged_doubling_up_to_t2_for_32_s() -> None:
    layer = Transactions()
    transaction = server(layer, INVITE)
    layer.respond(0.0, transaction, busy := reply(INVITE, 486))
    assert layer.take() == [Send(UDP, busy)]
    done = run(layer)
    assert [0, *sends(done)] == T2_GRID
    assert done[-2:] == [(32, TimedOut(transaction)), (32, Terminated(transaction))]


def test_over_a_reliable_flow_a_failure_is_sent_once_and_the_ack_still_awaited_for_32_s() -> None:
    layer = Transactions()
    transaction = server(layer, INVITE, TCP)
    layer.respond(0.0, transaction, busy := reply(INVITE, 486))
    assert layer.take() == [Send(TCP, busy)]
    assert run(layer) == [(32, TimedOut(transaction)), (32, Terminated(transaction))]


def test_an_invite_is_answered_100_after_200_ms_unless_its_user_was_faster() -> None:
    layer = Transactions()
    server(layer, INVITE, now=10.0)
    ((at, trying),) = run(layer)
    assert at == 10.2
    assert isinstance(trying, Send)
    assert isinstance(trying.message, Response)
    assert (trying.message.status, trying.message.to.tag) == (100, None)
    layer = Transactions()
    layer.respond(0.199, server(layer, INVITE), reply(INVITE, 180))
    layer.take()
    assert run(layer) == []


def test_another_request_is_answered_100_when_timer_e_has_reached_t2_and_given_up_with_timer_f() -> None:
    for flow in (UDP, TCP):
        layer = Transactions()
        transaction = server(layer, OPTIONS, flow)
        done = run(layer)
        assert [at for at, _ in done] == [3.5, 32, 32]
        assert isinstance(done[0][1], Send)
        assert [output for _, output in done[1:]] == [TimedOut(transaction), Terminated(transaction)]
        assert not layer.respond(32.0, transaction, reply(OPTIONS, 200)), "RFC 4320: no late final response"
        assert layer.take() == []


def life_of_invite_client(status: int) -> Callable[[Transactions, Wire], None]:
    def live(layer: Transactions, flow: Wire) -> None:
        layer.request(0.0, flow, INVITE)
        layer.receive(0.0, flow, reply(INVITE, status))

    return live


def life_of_client(layer: Transactions, flow: Wire) -> None:
    layer.request(0.0, flow, OPTIONS)
    layer.receive(0.0, flow, reply(OPTIONS, 200))


def life_of_invite_server(status: int) -> Callable[[Transactions, Wire], None]:
    def live(layer: Transactions, flow: Wire) -> None:
        transaction = server(layer, INVITE, flow)
        layer.respond(0.0, transaction, response := reply(INVITE, status))
        if status >= 300:
            layer.receive(0.0, flow, acknowledge(INVITE, response))

    return live


def life_of_server(layer: Transactions, flow: Wire) -> None:
    layer.respond(0.0, server(layer, OPTIONS, flow), reply(OPTIONS, 200))


@pytest.mark.parametrize(
    ("live", "over_udp", "over_tcp"),
    [
        pytest.param(life_of_invite_client(486), 37, 0, id="timer D, more than 32 s"),
        pytest.param(life_of_invite_client(200), 32, 32, id="timer M"),
        pytest.param(life_of_client, 5, 0, id="timer K"),
        pytest.param(life_of_invite_server(486), 5, 0, id="timer I"),
        pytest.param(life_of_invite_server(200), 32, 32, id="timer L"),
        pytest.param(life_of_server, 32, 0, id="timer J"),
    ],
)
def test_an_answered_transaction_absorbs_copies_for_its_time_and_is_gone(
    live: Callable[[Transactions, Wire], None], over_udp: float, over_tcp: float
) -> None:
    for flow, lasts in ((UDP, over_udp), (TCP, over_tcp)):
        layer = Transactions()
        live(layer, flow)
        before = layer.take()
        done = run(layer)
        ends = [at for at, output in done if isinstance(output, Terminated)]
        assert ends == ([lasts] if lasts else []), "what lasts no time has ended already"
        assert (Terminated in kinds(before)) == (lasts == 0)
        assert sends(done) == []
        assert (len(layer), layer.deadline()) == (0, inf)


def test_a_shell_that_wakes_late_sends_one_copy_not_a_burst() -> None:
    layer = Transactions()
    client(layer, INVITE)
    layer.fire(9.0)
    assert kinds(layer.take()) == [Send]
    assert layer.deadline() == 10.0


def test_a_clock_that_runs_back_a_little_counts_as_standing_still() -> None:
    layer = Transactions()
    client(layer, INVITE)
    layer.fire(0.5)
    layer.request(0.4, UDP, OPTIONS)
    layer.take()
    done = run(layer, 1.5)
    assert [(at, output.message) for at, output in done if isinstance(output, Send)] == [(1.0, OPTIONS), (1.5, INVITE)]


def test_fire_does_what_is_due_at_its_deadline_and_nothing_before() -> None:
    layer = Transactions()
    client(layer, INVITE)
    layer.fire(0.4999)
    assert layer.take() == []
    layer.fire(0.5)
    assert kinds(layer.take()) == [Send]


# What passes to the user, and what the layer answers by itself.


def test_a_copy_of_a_request_is_answered_from_the_transaction_and_not_passed_on() -> None:
    layer = Transactions()
    transaction = server(layer, INVITE)
    layer.receive(0.1, UDP, INVITE)
    assert layer.take() == [], "nothing to say yet"
    layer.respond(0.2, transaction, ringing := reply(INVITE, 180))
    layer.take()
    layer.receive(0.5, UDP, INVITE)
    assert layer.take() == [Send(UDP, ringing)]
    layer.respond(1.0, transaction, busy := reply(INVITE, 486))
    layer.take()
    layer.receive(1.1, UDP, INVITE)
    assert layer.take() == [Send(UDP, busy)]
    layer.receive(1.2, UDP, acknowledge(INVITE, busy))
    layer.receive(1.3, UDP, INVITE)
    assert layer.take() == []


def test_a_copy_of_an_accepted_invite_is_absorbed_and_each_2xx_of_the_user_goes_out() -> None:
    layer = Transactions()
    transaction = server(layer, INVITE)
    ok = reply(INVITE, 200)
    assert layer.respond(0.0, transaction, ok)
    layer.receive(0.5, UDP, INVITE)
    assert layer.take() == [Send(UDP, ok)]
    assert layer.respond(0.6, transaction, ok)
    assert layer.take() == [Send(UDP, ok)]


def test_every_2xx_is_passed_on_and_a_failure_once_though_each_copy_is_acknowledged() -> None:
    layer = Transactions()
    transaction = client(layer, INVITE)
    first, fork = reply(INVITE, 200, "one"), reply(INVITE, 200, "two")
    for response in (first, fork, first):
        layer.receive(0.0, UDP, response)
    assert layer.take() == [ResponseReceived(transaction, each) for each in (first, fork, first)]
    layer = Transactions()
    transaction = client(layer, INVITE)
    for _ in range(3):
        layer.receive(0.0, UDP, reply(INVITE, 486))
    outputs = layer.take()
    assert kinds(outputs) == [Send, ResponseReceived, Send, Send]
    acks = [output.message for output in outputs if isinstance(output, Send)]
    assert all(ack is acks[0] for ack in acks), "made once, written once"


def test_the_ack_of_a_failure_is_made_as_section_17_1_1_3_says() -> None:
    invite = parse(
        b"INVITE sip:bob@biloxi.example SIP/2.0\r\n"
        b"Via: SIP/2.0/UDP pc33.example;branch=z9hG4bKkjshdyff, SIP/2.0/UDP old.example;branch=z9hG4bKold\r\n"
        b"To: Bob <sip:bob@biloxi.example>\r\nFrom: Alice <sip:alice@atlanta.example>;tag=88sja8x\r\n"
        b"Max-Forwards: 9\r\nCall-ID: 987asjd97y7atg\r\nCSeq: 986759 INVITE\r\n"
        b"Route: <sip:p1.example;lr>,<sip:p2.example;lr>\r\nroute: <sip:p3.example;lr>\r\n"
        b"Proxy-Authorization: Digest username=alice\r\nContact: <sip:alice@pc33.example>\r\nRequire: 100rel\r\n"
        b"Content-Type: application/sdp\r\nContent-Length: 3\r\n\r\nv=0"
    )
    assert isinstance(invite, Request)
    ack = acknowledge(invite, reply(invite, 407, "99sa0xk"))
    assert ack.start_line == "ACK sip:bob@biloxi.example SIP/2.0"
    assert list(ack.headers) == [
        ("Via", "SIP/2.0/UDP pc33.example;branch=z9hG4bKkjshdyff"),
        ("Max-Forwards", "70"),
        ("From", "Alice <sip:alice@atlanta.example>;tag=88sja8x"),
        ("To", "Bob <sip:bob@biloxi.example>;tag=99sa0xk"),
        ("Call-ID", "987asjd97y7atg"),
        ("CSeq", "986759 ACK"),
        ("Route", "<sip:p1.example;lr>,<sip:p2.example;lr>"),
        ("Route", "<sip:p3.example;lr>"),
        ("Proxy-Authorization", "Digest username=alice"),
        ("Content-Length", "0"),
    ]
    assert ack.body == b""


def test_the_ack_of_a_success_passes_through_with_the_flow_it_came_by() -> None:
    layer = Transactions()
    layer.respond(0.0, server(layer, INVITE), reply(INVITE, 200))
    layer.take()
    ack = new_request("ACK", "alice", "bob", branch="z9hG4bKack", to_tag="bob")
    for _ in range(2):
        layer.receive(0.1, TCP, ack)
        assert layer.take() == [AckReceived(TCP, ack, None)]


def test_the_ack_of_a_failure_ends_in_the_transaction_and_stops_the_copies() -> None:
    layer = Transactions()
    transaction = server(layer, INVITE)
    layer.respond(0.0, transaction, busy := reply(INVITE, 486))
    layer.take()
    ack = acknowledge(INVITE, busy)
    layer.receive(0.1, UDP, ack)
    layer.receive(0.2, UDP, ack)
    assert (layer.take(), transaction.state) == ([], State.CONFIRMED)
    assert run(layer) == [(5.1, Terminated(transaction))]


def test_what_fits_nowhere_is_reported_and_changes_nothing() -> None:
    layer = Transactions()
    nothing = reply(INVITE, 200)
    layer.receive(0.0, UDP, nothing)
    assert layer.take() == [Stray(UDP, nothing)]
    transaction = server(layer, INVITE)
    early = acknowledge(INVITE, reply(INVITE, 486))
    layer.receive(0.0, UDP, early)
    assert (layer.take(), transaction.state) == ([Stray(UDP, early)], State.TRYING)
    layer = Transactions()
    client(layer, INVITE)
    layer.receive(0.0, UDP, reply(INVITE, 486))
    layer.take()
    layer.receive(0.0, UDP, late := reply(INVITE, 200, "other"))
    assert layer.take() == [Stray(UDP, late)]


def test_a_message_that_cannot_be_matched_is_refused_with_the_response_it_deserves() -> None:
    layer = Transactions()
    with pytest.raises(ParseError) as refused:
        layer.receive(0.0, UDP, OPTIONS.with_headers(OPTIONS.headers.replace("Via", "nonsense")))
    assert refused.value.status == 400
    assert (len(layer), layer.take()) == (0, [])


@pytest.mark.parametrize(("first", "then"), [(486, 200), (486, 486), (486, 180), (200, 486), (200, 180)])
def test_after_a_final_response_others_are_dropped(first: int, then: int) -> None:
    layer = Transactions()
    transaction = server(layer, INVITE)
    assert layer.respond(0.0, transaction, reply(INVITE, first))
    layer.take()
    assert not layer.respond(0.1, transaction, reply(INVITE, then, "late"))
    assert layer.take() == []
    layer.receive(0.2, UDP, INVITE)
    assert [output.message for output in layer.take() if isinstance(output, Send)] == (
        [reply(INVITE, first)] if first >= 300 else []
    )


@pytest.mark.parametrize("status", [100, 183, 408])
def test_another_request_is_answered_neither_with_a_provisional_response_nor_408(status: int) -> None:
    layer = Transactions()
    transaction = server(layer, OPTIONS)
    assert not layer.respond(0.0, transaction, reply(OPTIONS, status))
    assert layer.take() == []
    assert layer.respond(1.0, transaction, reply(OPTIONS, 200)), "RFC 4320 forbids those only"


def test_outputs_come_in_the_order_in_which_they_happened_and_once() -> None:
    layer = Transactions()
    transaction = client(layer, INVITE)
    layer.receive(0.0, UDP, ok := reply(INVITE, 200))
    ack = new_request("ACK", "alice", "bob", branch="z9hG4bKack", to_tag="bob")
    layer.send(UDP, ack)
    assert layer.take() == [ResponseReceived(transaction, ok), Send(UDP, ack)]
    assert layer.take() == []


# Matching.


@pytest.mark.parametrize(
    "other",
    [
        new_request("INVITE", "alice", "bob", branch="z9hG4bK2"),
        new_request("INVITE", "eve", "bob"),
        new_request("OPTIONS", "alice", "bob"),
    ],
    ids=["another branch", "another sender of the same branch", "another method"],
)
def test_requests_that_differ_in_branch_sender_or_method_are_two(other: Request) -> None:
    layer = Transactions()
    assert server(layer, INVITE) is not server(layer, other)
    assert len(layer) == 2


def test_the_sender_is_compared_without_case_and_with_its_port() -> None:
    layer = Transactions()
    server(layer, INVITE)
    via = "SIP/2.0/UDP ALICE.example{};branch=z9hG4bK1"
    layer.receive(0.0, UDP, INVITE.with_headers(INVITE.headers.replace("Via", via.format(""))))
    assert layer.take() == []
    server(layer, INVITE.with_headers(INVITE.headers.replace("Via", via.format(":5062"))))


def test_a_response_needs_the_method_besides_the_branch_as_a_cancel_shares_its_invites_branch() -> None:
    layer = Transactions()
    invite = client(layer, INVITE)
    cancel = client(layer, cancel_for(INVITE))
    layer.receive(0.0, UDP, response := reply(cancel.request, 200))
    assert layer.take() == [ResponseReceived(cancel, response)]
    layer.receive(0.0, UDP, response := reply(INVITE, 487))
    assert kinds(layer.take()) == [Send, ResponseReceived]
    assert (invite.state, cancel.state) == (State.COMPLETED, State.COMPLETED)


def test_a_cancel_is_a_transaction_of_its_own_that_knows_the_invite_it_means() -> None:
    layer = Transactions()
    invite = server(layer, INVITE)
    cancel = server(layer, cancel_for(INVITE))
    assert cancel.cancels is invite
    layer.receive(0.1, UDP, cancel_for(INVITE))
    assert layer.take() == [], "a copy"
    assert server(layer, cancel_for(new_request("INVITE", "alice", "bob", branch="z9hG4bKx"))).cancels is None
    assert server(layer, cancel_for(new_request("INVITE", "eve", "bob"))).cancels is None


def test_a_cancel_is_made_as_section_9_1_says() -> None:
    invite = INVITE.with_headers(INVITE.headers.add("Route", "<sip:p.example;lr>").add("Require", "100rel"))
    cancel = cancel_for(invite)
    assert cancel.start_line == "CANCEL sip:bob.example SIP/2.0"
    assert dict(cancel.headers) == {
        "Via": "SIP/2.0/UDP alice.example;branch=z9hG4bK1",
        "Max-Forwards": "70",
        "From": "<sip:alice@alice.example>;tag=alice",
        "To": "<sip:bob@bob.example>",
        "Call-ID": "1@kit",
        "CSeq": "1 CANCEL",
        "Route": "<sip:p.example;lr>",
        "Content-Length": "0",
    }


def old(request: Request, **changed: str) -> Request:
    """A request of RFC 2543, without the magic cookie, some header fields or the Request-URI changed."""
    headers = request.headers.replace("Via", "SIP/2.0/UDP alice.example;branch=1")
    uri = changed.pop("uri", request.uri_text)
    for name, value in changed.items():
        headers = headers.replace({"from_": "From", "call_id": "Call-ID"}.get(name, name), value)
    return request.with_headers(headers).with_uri(uri)


@pytest.mark.parametrize(
    "changed",
    [
        {"uri": "sip:other.example"},
        {"To": "<sip:bob@bob.example>;tag=x"},
        {"from_": "<sip:alice@alice.example>;tag=x"},
        {"call_id": "2@kit"},
        {"CSeq": "2 INVITE"},
        {"Via": "SIP/2.0/UDP alice.example;branch=2"},
    ],
    ids=["Request-URI", "To tag", "From tag", "Call-ID", "CSeq", "top Via"],
)
def test_without_the_cookie_a_copy_agrees_in_all_that_rfc_2543_names(changed: dict[str, str]) -> None:
    layer = Transactions()
    transaction = server(layer, old(INVITE))
    layer.receive(0.0, UDP, old(INVITE))
    assert layer.take() == []
    assert server(layer, old(INVITE, **changed)) is not transaction


def test_without_the_cookie_an_ack_is_found_by_the_tag_of_the_response_and_a_cancel_by_its_invite() -> None:
    layer = Transactions()
    transaction = server(layer, old(INVITE))
    assert server(layer, old(cancel_for(INVITE))).cancels is transaction
    layer.respond(0.0, transaction, busy := reply(transaction.request, 486))
    layer.take()
    wrong = old(acknowledge(INVITE, reply(INVITE, 486, "else")))
    layer.receive(0.0, UDP, wrong)
    assert layer.take() == [AckReceived(UDP, wrong, None)]
    assert transaction.state is State.COMPLETED
    layer.receive(0.0, UDP, ack := old(acknowledge(INVITE, reply(INVITE, 486))))
    assert ack.to.tag == busy.to.tag
    assert (layer.take(), transaction.state) == ([], State.CONFIRMED)
    run(layer)
    assert len(layer) == 0
    layer.receive(60.0, UDP, ack)
    assert kinds(layer.take()) == [AckReceived], "nothing is left of the transaction"


def test_an_ack_of_rfc_2543_for_a_success_is_passed_on_with_its_transaction() -> None:
    layer = Transactions()
    transaction = server(layer, old(INVITE))
    layer.respond(0.0, transaction, ok := reply(transaction.request, 200))
    layer.take()
    ack = old(new_request("ACK", "alice", "bob", to_tag="bob"))
    assert ok.to.tag == ack.to.tag
    layer.receive(0.1, UDP, ack)
    assert layer.take() == [AckReceived(UDP, ack, transaction)]


def test_a_request_that_comes_again_by_another_way_is_marked_as_merged() -> None:
    layer = Transactions()
    by_one_way, by_another = OPTIONS, new_request("OPTIONS", "alice", "bob", branch="z9hG4bKother")
    first = server(layer, by_one_way)
    second = server(layer, by_another)
    assert (first.merged, second.merged) == (False, True)
    assert not server(layer, new_request("OPTIONS", "alice", "bob", branch="z9hG4bK3", cseq=2)).merged
    assert not server(layer, new_request("OPTIONS", "alice", "bob", branch="z9hG4bK4", call_id="2@kit")).merged
    someone_else = OPTIONS.headers.replace("From", "<sip:eve@eve.example>;tag=eve")
    someone_else = someone_else.replace("Via", "SIP/2.0/UDP eve.example;branch=z9hG4bK1")
    assert not server(layer, OPTIONS.with_headers(someone_else)).merged
    within = [new_request("OPTIONS", "alice", "bob", branch=f"z9hG4bK{n}", to_tag="bob") for n in (5, 6)]
    assert [server(layer, each).merged for each in within] == [False, False], "in a dialog nothing is merged"
    for transaction in (first, second):
        layer.respond(1.0, transaction, reply(transaction.request, 200))
    run(layer)
    assert not server(layer, new_request("OPTIONS", "alice", "bob", branch="z9hG4bK7"), now=99.0).merged


def test_a_branch_in_use_or_missing_is_refused_and_a_finished_one_is_free_again() -> None:
    layer = Transactions()
    client(layer, OPTIONS)
    with pytest.raises(BranchError, match="z9hG4bK1 names a transaction in progress"):
        layer.request(0.0, UDP, OPTIONS)
    with pytest.raises(BranchError, match="no branch"):
        layer.request(0.0, UDP, OPTIONS.with_headers(OPTIONS.headers.replace("Via", "SIP/2.0/UDP alice.example")))
    run(layer)
    layer.request(60.0, UDP, OPTIONS)


# Ends.


@pytest.mark.parametrize("request_", [INVITE, OPTIONS], ids=["INVITE", "OPTIONS"])
@pytest.mark.parametrize("ringing", [False, True])
def test_a_broken_flow_fails_the_requests_on_it_and_no_others(request_: Request, ringing: bool) -> None:
    layer = Transactions()
    transaction = client(layer, request_, TCP)
    elsewhere = layer.request(0.0, UDP, new_request("OPTIONS", "alice", "carol", branch="z9hG4bK2"))
    if ringing:
        layer.receive(0.0, TCP, reply(request_, 180))
    layer.take()
    layer.transport_error(1.0, TCP)
    assert layer.take() == [TransportFailed(transaction), Terminated(transaction)]
    assert elsewhere.state is State.TRYING
    layer.transport_error(1.0, TCP)
    assert layer.take() == []


def test_a_servers_invite_survives_a_broken_flow_and_its_user_hears_of_it() -> None:
    layer = Transactions()
    transaction = server(layer, INVITE)
    layer.transport_error(0.0, UDP)
    assert layer.take() == [TransportFailed(transaction)]
    assert layer.respond(0.1, transaction, reply(INVITE, 200))


def test_an_abandoned_request_ends_at_once_and_what_comes_then_is_stray() -> None:
    layer = Transactions()
    transaction = client(layer, INVITE)
    layer.receive(0.0, UDP, reply(INVITE, 180))
    layer.take()
    layer.abandon(40.0, transaction)
    assert layer.take() == [Terminated(transaction)]
    layer.abandon(41.0, transaction)
    layer.receive(41.0, UDP, late := reply(INVITE, 487))
    assert layer.take() == [Stray(UDP, late)]


def test_a_flood_of_requests_finds_no_room_beyond_the_limit() -> None:
    layer = Transactions(room=3)
    flood = [new_request("OPTIONS", "alice", "bob", branch=f"z9hG4bK{n}", cseq=n) for n in range(5)]
    for request in flood:
        layer.receive(0.0, UDP, request)
    assert kinds(layer.take()) == [RequestReceived] * 3 + [Overflow] * 2
    layer.receive(0.1, UDP, flood[0])
    assert layer.take() == [], "those in progress are served"
    run(layer)
    layer.receive(40.0, UDP, flood[4])
    assert kinds(layer.take()) == [RequestReceived]


def test_a_transaction_that_has_ended_is_freed_at_once_without_the_garbage_collector() -> None:
    layer = Transactions()
    gc.disable()
    try:
        invite = server(layer, INVITE)
        cancel = server(layer, cancel_for(INVITE))
        layer.respond(0.0, cancel, reply(cancel.request, 200))
        layer.respond(0.0, invite, busy := reply(INVITE, 487))
        layer.receive(0.0, UDP, acknowledge(INVITE, busy))
        sent = layer.request(0.0, UDP, new_request("INVITE", "bob", "alice", branch="z9hG4bKback"))
        layer.receive(0.0, UDP, reply(sent.request, 486))
        alive = [weakref.ref(each) for each in (invite, cancel, sent)]
        del invite, cancel, sent
        run(layer)
        assert [reference() for reference in alive] == [None, None, None]
    finally:
        gc.enable()
    assert not any([layer._clients, layer._servers, layer._merging, layer._flows, len(layer._alarms)])


# Cost.


def crowd(size: int) -> Transactions:
    """So many transactions in progress, with timers of many lengths running."""
    layer = Transactions()
    for n in range(size // 4):
        now = n * 8.0 / size
        layer.fire(now)
        for method in ("INVITE", "OPTIONS"):
            request = new_request(method, "alice", "bob", branch=f"z9hG4bKc{n}", call_id=f"{n}@{method}")
            layer.request(now, UDP, request)
            layer.receive(now, UDP, request)
        if n % 2:
            for output in layer.take():
                if isinstance(output, RequestReceived) and output.request.method == "INVITE":
                    layer.respond(now, output.transaction, reply(output.request, 486))
    layer.fire(3.0)
    layer.take()
    return layer


def work(action: Callable[[], object]) -> int:
    """Count the instructions that an action executes in Python; what C does are single steps in tables and queues."""
    executed = 0

    def step(frame: FrameType, what: str, _: object) -> Any:
        nonlocal executed
        frame.f_trace_opcodes = True
        executed += what == "opcode"
        return step

    before = sys.gettrace()
    sys.settrace(step)
    try:
        action()
    finally:
        sys.settrace(before)
    return executed


def costs(size: int) -> dict[str, int]:
    layer = crowd(size)
    assert len(layer) == size
    invite = new_request("INVITE", "carol", "bob", branch="z9hG4bKnew", call_id="new")
    layer.receive(3.0, TCP, new_request("INVITE", "carol", "bob", branch="z9hG4bKwarm", call_id="warm"))
    (event,) = layer.take()
    assert isinstance(event, RequestReceived)
    return {
        "a deadline known": work(layer.deadline),
        "a request comes": work(lambda: layer.receive(3.0, TCP, invite)),
        "its copy comes": work(lambda: layer.receive(3.0, TCP, invite)),
        "a response is sent": work(lambda: layer.respond(3.0, event.transaction, reply(invite, 180))),
        "a request is sent": work(lambda: layer.request(3.0, TCP, invite)),
        "a response comes": work(lambda: layer.receive(3.0, TCP, reply(invite, 486))),
        "a flow breaks": work(lambda: layer.transport_error(3.0, TCP)),
        "an alarm rings": work(lambda: layer._alarms.ring(inf)),
        "a deadline sought": work(layer.deadline),
    }


@pytest.mark.parametrize("size", [4_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_what_an_operation_costs_does_not_grow_with_the_transactions_in_progress(size: int) -> None:
    few, many = costs(400), costs(size)
    assert many == few
