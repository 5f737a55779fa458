"""The back-to-back user agent between user agents in memory: hidden topology, mapping, advance (S8, S9), ends."""

import gc
import re
import weakref
from collections.abc import Callable, Sequence
from math import inf
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbc.sip.agent import UserAgent
from sbc.sip.b2bua import BackToBack
from sbc.sip.bridge import Closed, Denial, Incoming, Joined, Onward, Tried
from sbc.sip.call import (
    Arrived,
    Asked,
    Call,
    ChangeAsked,
    Changed,
    Ended,
    Offered,
    Progress,
    Replied,
    Unchanged,
    Up,
    Way,
)
from sbc.sip.causes import Causes
from sbc.sip.fields import Address, parse_address, parse_via
from sbc.sip.ids import Ids
from sbc.sip.message import Request, Response
from sbc.sip.passage import Target, Wanted
from sbc.sip.proxy import Proxy
from sbc.sip.session_timer import Timing
from sbc.sip.testkit import Link, Network, User, new_request, request, response, sent_by
from sbc.sip.transaction import Flow, RequestReceived, Send
from sbc.sip.transactions import Transactions
from sbc.sip.uri import SipUri, Uri
from sbc.sip.usage import Event, State
from tests.agents import ANSWER, OFFER, invite, join

SBC = SipUri("sbc.example")
ANONYMOUS = parse_address('"Anonymous" <sip:anonymous@anonymous.invalid>')
React = Callable[[User[UserAgent], Any], None]


def locate(uri: Uri, flow: Flow | None) -> Way:
    host = uri.host if isinstance(uri, SipUri) else ""
    return Way(Link("sbc", host.removesuffix(".example")), parse_via("SIP/2.0/UDP sbc.example"))


def onward(name: str) -> Onward:
    return Onward(SipUri(f"{name}.example", "0612345678"))


def phone(
    *statuses: tuple[float, int], headers: Sequence[tuple[str, object]] = (), body: bytes = ANSWER, early: bytes = b""
) -> React:
    """A phone that answers a call so many seconds after it came with each status, and accepts every change."""

    def react(user: User[UserAgent], event: Any) -> None:
        agent, network = user.party, user.network

        def say(call: Call, status: int) -> None:
            if call.state is not State.ARRIVED:
                return
            if status < 200:
                agent.ring(network.now, call, status, headers=headers, body=early)
            elif status < 300:
                agent.answer(network.now, call, headers=headers, body=body)
            else:
                agent.refuse(network.now, call, status, headers=headers)

        if isinstance(event, Arrived):
            for after, status in statuses:
                network.at(network.now + after, lambda status=status: say(event.call, status))  # type: ignore[misc]
        elif isinstance(event, ChangeAsked):
            agent.answer(network.now, event.call, body=body)
        elif isinstance(event, Asked):
            agent.respond(network.now, event, 200)

    return react


class Rig:
    """alice calls through an SBC, which tries targets in order."""

    def __init__(
        self, targets: dict[str, Sequence[tuple[float, int]] | React], *, denial: Denial | None = None, **options: Any
    ) -> None:
        self.network = Network(delay=0.0)
        names = list(targets)

        def route(user: User[BackToBack], event: Any) -> None:
            if isinstance(event, Incoming) and denial is not None:
                user.party.deny(user.network.now, event.bridge, denial)
            elif isinstance(event, Incoming):
                user.party.connect(user.network.now, event.bridge, [onward(name) for name in names])

        bits = Random(7).getrandbits  # noqa: S311
        self.sbc = self.network.join("sbc", BackToBack(SBC, Ids(bits), locate, **options), route)
        self.alice = join(self.network, "alice")
        self.phones = {}
        for name, what in targets.items():
            self.phones[name] = join(self.network, name, what if callable(what) else phone(*what), allow=["INFO"])
            if not callable(what) and 100 not in [status for _, status in what]:
                self.network.drop(sent_by(name, response(100)))

    def call(self, until: float = 300.0, **options: Any) -> "Rig":
        self.ours = invite(self.alice, "sbc", **options)
        self.network.run(until)
        return self

    @property
    def heard(self) -> list[tuple[float, int]]:
        """When alice heard which response to her INVITE; 100 left out, a 2xx stands for being up."""
        said = []
        for heard in self.alice.heard:
            event = heard.event
            if isinstance(event, Progress) and event.response.status > 100:
                said.append((heard.at, event.response.status))
            elif isinstance(event, Up):
                said.append((heard.at, 200))
            elif isinstance(event, Ended) and isinstance(event.message, Response):
                said.append((heard.at, event.message.status))
        return said

    @property
    def tried(self) -> list[tuple[str, int]]:
        return [
            (event.target.uri.host.removesuffix(".example"), event.status)
            for event in self.sbc.events
            if isinstance(event, Tried)
        ]

    @property
    def closed(self) -> Closed:
        (closed,) = [event for event in self.sbc.events if isinstance(event, Closed)]
        assert isinstance(closed, Closed)
        return closed

    def reached(self, name: str, method: str = "INVITE") -> list[float]:
        return [p.at for p in self.network.wire if p.link.target == name and request(method)(p)]

    def first(self, name: str, method: str = "INVITE") -> Request:
        found = next(p.message for p in self.network.wire if p.link.target == name and request(method)(p))
        assert isinstance(found, Request)
        return found

    def refused(self) -> Response:
        (ended,) = [event for event in self.alice.events if isinstance(event, Ended)]
        assert isinstance(ended.message, Response)
        return ended.message

    def theirs(self, name: str = "bob") -> Call:
        return next(event.call for event in self.phones[name].events if isinstance(event, Arrived))

    def assert_nothing_is_left(self) -> None:
        self.network.run(self.network.now + 200)
        assert len(self.sbc.party) == 0
        assert not self.sbc.party._asking
        assert self.sbc.party.deadline() == inf
        assert self.network.idle()


# One call.

LADDER = """
     0.000  alice -> sbc  INVITE  0.010
     0.010  sbc -> bob  INVITE  0.020
     0.020  bob -> sbc  180 INVITE  0.030
     0.030  sbc -> alice  180 INVITE  0.040
     2.020  bob -> sbc  200 INVITE  2.030
     2.030  sbc -> bob  ACK  2.040
     2.030  sbc -> alice  200 INVITE  2.040
     2.040  alice -> sbc  ACK  2.050
    60.000  alice -> sbc  BYE  60.010
    60.010  sbc -> alice  200 BYE  60.020
    60.010  sbc -> bob  BYE  60.020
    60.020  bob -> sbc  200 BYE  60.030
"""


def test_one_call_through_the_middle_message_by_message() -> None:
    rig = Rig({"bob": [(0, 180), (2, 200)]})
    rig.network.delay = 0.01
    rig.network.at(60, lambda: rig.alice.party.hang_up(60, rig.ours))
    rig.call(until=100)
    assert rig.network.ladder() == LADDER.strip("\n")
    assert [type(event) for event in rig.sbc.events] == [Incoming, Joined, Closed]
    assert rig.closed.why is not None
    assert (rig.closed.why.why, rig.closed.status) == (Event.BYE, 0)
    assert (rig.ours.session.local, rig.ours.session.remote) == (OFFER, ANSWER)
    assert (rig.theirs().session.local, rig.theirs().session.remote) == (ANSWER, OFFER)
    rig.assert_nothing_is_left()


def words(message: Request | Response) -> set[str]:
    """What in a message could tell of a network: host names, tags, branches, Call-IDs; the description left out."""
    text = "\n".join([message.start_line, *(value for _, value in message.headers)])
    return {word for word in re.findall(r"[\w.@-]{6,}", text) if not word.isalpha()}


def test_nothing_that_names_one_side_reaches_the_other() -> None:
    rig = Rig({"bob": phone((0, 180), (2, 200), headers=[("Server", "bob-1.7.2.inside"), ("X-Trunk", "b_secret")])})

    def edge_locate(uri: Uri, flow: Flow | None) -> Way:
        return Way(Link("edge", locate(uri, flow).flow.target), parse_via("SIP/2.0/UDP edge.example"))  # type: ignore[attr-defined]

    def onwards(user: User[Proxy], event: Any) -> None:
        if isinstance(event, Wanted):
            user.party.forward(user.network.now, event.passage, [Target(event.request.uri)])

    bits = Random(8).getrandbits  # noqa: S311
    rig.network.join("edge", Proxy([SipUri("edge.example")], Ids(bits), edge_locate), onwards)
    rig.alice.react = phone()
    rig.network.at(5, lambda: rig.phones["bob"].party.reinvite(5, rig.theirs(), body=ANSWER + b"a=sendonly\r\n"))
    rig.network.at(60, lambda: rig.alice.party.hang_up(60, rig.ours))
    rig.call(headers=[("User-Agent", "alice-9.1.inside")], routes=[parse_address("<sip:edge.example;lr>")])
    assert rig.closed.why is not None
    says: dict[str, set[str]] = {"a": set(), "b": set()}
    heard: dict[str, set[str]] = {"a": set(), "b": set()}
    for packet in rig.network.wire:
        if packet.link.source == "sbc":
            heard["b" if packet.link.target == "bob" else "a"] |= words(packet.message)
        elif packet.link.target == "sbc":
            says["b" if packet.link.source == "bob" else "a"] |= words(packet.message)
    # The middle is known to both by one name; what was dialled is what the target gets.
    known = {"sbc.example", "alice@sbc.example", "0612345678@bob.example", "application"}
    assert {"edge.example", "alice-9.1.inside", rig.ours.call_id, rig.ours.tag} <= says["a"]
    assert {"bob-1.7.2.inside", "b_secret", rig.theirs().call_id, rig.theirs().tag} <= says["b"]
    assert (says["a"] - known) & heard["b"] == set()
    assert (says["b"] - known) & heard["a"] == set()
    assert not any("alice.example" in word or "edge" in word for word in heard["b"])
    assert not any("bob" in word for word in heard["a"])
    came = rig.first("bob")
    assert len(came.vias) == 1
    assert "Record-Route" not in came.headers
    assert str(came.from_.uri) == "sip:alice@sbc.example"
    assert str(came.to.uri) == "sip:0612345678@bob.example"


def test_an_anonymous_caller_stays_anonymous_and_the_asserted_number_passes_with_its_privacy() -> None:
    rig = Rig({"bob": [(0, 200)]})
    asserted = "<sip:+81312345678@carrier.example;user=phone>"
    call = rig.alice.party.invite(
        0, SBC, ANONYMOUS, Address(SBC), headers=[("P-Asserted-Identity", asserted), ("Privacy", "id")], body=OFFER
    )
    rig.network.run(1)
    came = rig.first("bob")
    assert str(came.from_.uri) == "sip:anonymous@anonymous.invalid"
    assert came.headers.values("P-Asserted-Identity") == [asserted]
    assert came.headers.values("Privacy") == ["id"]
    assert call.state is State.UP


def test_which_header_fields_pass_is_configured() -> None:
    fields = [("P-Asserted-Identity", "<sip:1@x>"), ("Subject", "s")]
    assert "Subject" not in Rig({"bob": [(0, 200)]}).call(headers=fields).first("bob").headers
    came = Rig({"bob": [(0, 200)]}, carried=["Subject"]).call(headers=fields).first("bob")
    assert came.headers.values("Subject") == ["s"]
    assert "P-Asserted-Identity" not in came.headers


@pytest.mark.parametrize("status", [180, 181, 182, 183])
def test_provisional_responses_pass_and_100_does_not(status: int) -> None:
    rig = Rig({"bob": phone((1, 100), (2, status), (3, 200), early=ANSWER)}).call(until=5)
    assert rig.heard == [(2, status), (3, 200)]
    (progress,) = [
        event.response for event in rig.alice.events if isinstance(event, Progress) and event.response.status > 100
    ]
    assert progress.body == ANSWER


def test_without_an_offer_the_answer_travels_in_the_ack() -> None:
    rig = Rig({"bob": phone((0, 200), body=OFFER)})

    def answers(user: User[UserAgent], event: Any) -> None:
        if isinstance(event, Offered):
            user.party.answer(user.network.now, event.call, body=ANSWER)

    rig.alice.react = answers
    rig.call(until=5, body=b"")
    assert rig.first("bob").body == b""
    assert rig.first("bob", "ACK").body == ANSWER
    assert (rig.ours.session.local, rig.theirs().session.local) == (ANSWER, OFFER)
    assert [type(event) for event in rig.sbc.events] == [Incoming, Joined]


def raw(*answers: tuple[int, bytes]) -> Callable[[User[Transactions], Any], None]:
    """A peer that answers an INVITE at once with each status and body, whatever the rules of offer and answer say."""

    def react(user: User[Transactions], event: Any) -> None:
        if isinstance(event, RequestReceived) and event.request.method == "INVITE":
            for status, body in answers:
                headers = [("Contact", "<sip:bob.example>"), *([("Content-Type", "application/sdp")] if body else [])]
                reply = Response.answer(event.request, status, to_tag="bob", headers=headers, body=body)
                user.party.respond(user.network.now, event.transaction, reply)

    return react


@pytest.mark.parametrize(
    ("offer", "answers", "bodies"),
    [
        (OFFER, [(183, ANSWER), (200, b"")], [ANSWER, ANSWER]),  # the 2xx repeats what the 183 has said
        (b"", [(183, OFFER)], [b""]),  # an offer that may not be made there
    ],
)
def test_descriptions_of_odd_peers_arrive_where_they_may(
    offer: bytes, answers: list[tuple[int, bytes]], bodies: list[bytes]
) -> None:
    rig = Rig({"bob": []})
    rig.network.join("bob", Transactions(), raw(*answers))
    rig.call(until=0.1, body=offer)
    statuses = [status for status, _ in answers]
    sent = [p.message for p in rig.network.wire if p.link.target == "alice" and isinstance(p.message, Response)]
    assert [message.body for message in sent if message.status in statuses] == bodies


def test_a_telephone_number_is_shown_as_this_elements_and_a_target_is_reached_by_its_route() -> None:
    rig = Rig({"bob": [(0, 200)]})
    target = Onward(SipUri("carol.example"), [parse_address("<sip:bob.example;lr>")])
    rig.sbc.react = lambda user, event: (
        user.party.connect(0, event.bridge, [target]) if isinstance(event, Incoming) else None
    )
    rig.alice.party.invite(0, SBC, parse_address("<tel:+81-3-1234-5678>"), Address(SBC), body=OFFER)
    rig.network.run(1)
    came = rig.first("bob")
    assert str(came.from_.uri) == "sip:+81312345678@sbc.example"
    assert came.uri_text == "sip:carol.example"
    assert came.headers.values("Route") == ["<sip:bob.example;lr>"]


# Failures: what the caller hears (S8), and which target is next (S9).

HEARD = {301: 480, 302: 480, 401: 403, 407: 403, 408: 408, 421: 500, 480: 480}


@pytest.mark.parametrize(
    "status", [301, 302, 400, 403, 404, 410, 480, 482, 484, 486, 487, 488, 500, 502, 503, 600, 603]
)
def test_a_refusal_passes_with_a_cause_of_its_own(status: int) -> None:
    rig = Rig({"bob": [(1, status)]}).call()
    heard = HEARD.get(status, status)
    assert rig.heard == [(1, heard)]
    cause = {403: 21, 404: 1, 486: 17, 503: 41, 603: 21, 484: 28, 487: None, 488: None}
    if heard in cause:
        expected = [] if cause[heard] is None else [f"Q.850;cause={cause[heard]}"]
        assert rig.refused().headers.values("Reason") == expected
    assert rig.closed.status == heard
    assert rig.closed.why is None
    rig.assert_nothing_is_left()


@pytest.mark.parametrize("status", [401, 407])
def test_a_challenge_to_this_element_is_not_the_callers_to_answer(status: int) -> None:
    challenge = ("WWW-Authenticate", 'Digest realm="b", nonce="n"')
    rig = Rig({"bob": phone((1, status), headers=[challenge])}).call()
    assert rig.heard == [(1, 403)]
    assert "WWW-Authenticate" not in rig.refused().headers


def test_the_cause_of_a_gateway_decides_what_is_heard_and_whether_the_list_goes_on() -> None:
    busy = ("Reason", "Q.850;cause=17")
    no_circuit = ("Reason", 'Q.850;cause=34;text="no circuit"')
    rig = Rig(
        {"bob": phone((1, 500), headers=[no_circuit]), "carol": phone((1, 480), headers=[busy]), "dave": []}
    ).call()
    assert rig.tried == [("bob", 503), ("carol", 486)]
    assert rig.heard == [(2, 486)]
    assert rig.refused().headers.values("Reason") == ["Q.850;cause=17"]
    rig = Rig({"bob": phone((1, 500), headers=[no_circuit]), "carol": []}, causes=Causes(to_status={})).call()
    assert rig.heard == [(1, 500)]


@pytest.mark.parametrize("status", [403, 404, 408, 480, 486, 488, 500, 502, 503, 504, 600, 603])
def test_the_list_goes_on_after_408_480_503_504_and_after_nothing_else(status: int) -> None:
    rig = Rig({"bob": [(1, status)], "carol": [(1, 200)]}).call(until=5)
    if status in (408, 480, 503, 504):
        assert rig.heard == [(2, 200)]
        assert rig.first("bob").call_id != rig.first("carol").call_id
    else:
        assert rig.heard == [(1, status)]
        assert rig.reached("carol") == []


def test_it_goes_on_after_500_where_that_is_configured_but_never_after_ringing() -> None:
    assert Rig({"bob": [(1, 500)], "carol": [(1, 200)]}, also_advances=frozenset([500])).call(5).heard == [(2, 200)]
    rig = Rig({"bob": [(1, 180), (2, 503)], "carol": [(1, 200)]}).call()
    assert rig.heard == [(1, 180), (2, 503)]


@pytest.mark.parametrize("dead", [1, 2, 3])
def test_each_dead_target_costs_the_branch_timer(dead: int) -> None:
    targets: dict[str, Any] = {f"dead{i}": [] for i in range(dead)}
    rig = Rig({**targets, "bob": [(1, 200)]}).call(until=100)
    assert rig.heard == [(10.0 * dead + 1, 200)]
    assert rig.tried == [(f"dead{i}", 408) for i in range(dead)]


def test_dead_targets_alone_are_a_408_after_their_timers_and_timer_b() -> None:
    rig = Rig({"one": [], "two": []}).call()
    assert rig.heard == [(10 + 32, 408)]
    rig = Rig({"one": [], "two": []}, advance_after=inf).call()
    assert rig.heard == [(32 + 32, 408)]
    rig = Rig({"one": [], "two": [(1, 503)]}).call()
    assert rig.heard == [(11, 408)]
    assert Rig({"one": [], "two": [(1, 503)]}, advance_after=inf).call().heard == [(33, 408)]
    rig.assert_nothing_is_left()


def test_a_target_that_was_passed_over_and_answers_late_is_hung_up_on_and_the_caller_hears_nothing() -> None:
    rig = Rig({"bob": [(12, 200)], "carol": [(5, 180), (9, 200)]}).call(until=100)
    assert rig.heard == [(15, 180), (19, 200)]
    assert rig.reached("bob", "BYE") == [12]
    assert rig.theirs("bob").state is State.OVER


def test_a_target_that_said_100_is_cancelled_when_it_is_passed_over() -> None:
    rig = Rig({"bob": [(0.5, 100)], "carol": [(1, 200)]}).call(until=100)
    assert rig.reached("bob", "CANCEL") == [10]
    assert rig.heard == [(11, 200)]


def test_an_unavailable_target_says_when_to_come_back() -> None:
    rig = Rig(
        {"bob": phone((1, 503), headers=[("Retry-After", 30)]), "carol": phone((1, 486), headers=[("Retry-After", 5)])}
    ).call()
    assert [event.again for event in rig.sbc.events if isinstance(event, Tried)] == [31, None]
    assert "Retry-After" not in rig.refused().headers


def unavailable(after: float, *, again: int | None = None, status: int = 503) -> React:
    return phone((after, status), headers=[] if again is None else [("Retry-After", again)])


@pytest.mark.parametrize(
    ("targets", "wait"),
    [
        ([unavailable(1, again=30)], 30),
        ([unavailable(1, again=30), unavailable(1, again=60)], 29),  # the first of them at 31; it is 2 now
        ([unavailable(1, again=60), unavailable(1, again=30)], 30),
        ([unavailable(1, again=30), unavailable(1)], None),
        ([unavailable(1), unavailable(1, again=30)], None),
        ([unavailable(1, again=1), unavailable(2, again=30)], None),  # the first can be tried already
        ([unavailable(1, again=30, status=480)], None),
        ([unavailable(1, again=30, status=480), unavailable(1, again=30)], None),
    ],
)
def test_a_caller_is_told_when_the_first_of_all_targets_may_be_tried_again(
    targets: list[React], wait: int | None
) -> None:
    rig = Rig({f"target{i}": target for i, target in enumerate(targets)}).call()
    refused = rig.refused()
    assert (None if refused.retry_after is None else refused.retry_after.seconds) == wait


def test_a_refused_datagram_moves_on_at_once() -> None:
    rig = Rig({"bob": [], "carol": [(0, 200)]})
    rig.network.refuse("bob")
    assert rig.call(until=5).heard == [(0, 200)]
    assert rig.tried == [("bob", 503)]


# Admission.


def test_a_call_that_is_not_admitted_hears_why_and_when_to_come_back() -> None:
    rig = Rig({"bob": []}, denial=Denial(503, retry_after=7)).call()
    assert rig.heard == [(0, 503)]
    assert rig.refused().retry_after == (7, None)
    assert rig.reached("bob") == []
    assert (rig.closed.why, rig.closed.status) == (None, 503)
    rig.assert_nothing_is_left()
    assert "Retry-After" not in Rig({"bob": []}, denial=Denial(486)).call().refused().headers
    assert Rig({}).call().heard == [(0, 480)]


def test_a_call_without_hops_left_is_a_483() -> None:
    rig = Rig({"bob": [(0, 200)]})
    invite_ = new_request("INVITE", "alice", "sbc", headers=[("Contact", "<sip:alice.example>")])
    link = Link("sbc", "alice")
    rig.sbc.party.receive(0, link, invite_.with_headers(invite_.headers.replace("Max-Forwards", 0)))
    sent = [out.message for out in rig.sbc.party.take() if isinstance(out, Send)]
    assert [message.start_line for message in sent] == ["SIP/2.0 483 Too Many Hops"]


# Ends.


def test_a_caller_who_gives_up_cancels_the_phone_that_rings() -> None:
    rig = Rig({"bob": [(1, 180)], "carol": [(0, 200)]})
    rig.network.at(5, lambda: rig.alice.party.hang_up(5, rig.ours, headers=[("Reason", "SIP;cause=487")]))
    rig.call()
    assert rig.reached("bob", "CANCEL") == [5]
    assert rig.heard == [(1, 180), (5, 487)]
    assert rig.reached("carol") == []
    assert rig.closed.why is not None
    assert rig.closed.why.why is Event.CANCEL
    rig.assert_nothing_is_left()


def test_a_caller_who_gives_up_before_anything_was_answered_is_free_at_once() -> None:
    rig = Rig({"bob": [(9, 180)], "carol": [(0, 200)]})
    rig.network.at(5, lambda: rig.alice.party.hang_up(5, rig.ours))
    rig.call()
    assert rig.heard == [(5, 487)]
    assert rig.reached("bob", "CANCEL") == [9]
    assert rig.reached("carol") == []
    rig.assert_nothing_is_left()


def test_a_caller_who_gives_up_before_the_user_decides_is_not_passed_on() -> None:
    rig = Rig({"bob": [(0, 200)]})
    rig.sbc.react = None
    rig.network.at(1, lambda: rig.alice.party.hang_up(1, rig.ours))
    rig.call(until=2)
    (incoming,) = [event for event in rig.sbc.events if isinstance(event, Incoming)]
    rig.sbc.party.connect(3, incoming.bridge, [onward("bob")])
    rig.sbc.party.deny(3, incoming.bridge, Denial(503))
    rig.network.run(10)
    assert rig.reached("bob") == []
    assert rig.heard == [(1, 487)]


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_whoever_hangs_up_the_other_hears_it_with_the_reason(who: str) -> None:
    rig = Rig({"bob": [(0, 200)]})

    def end() -> None:
        user, call = (rig.alice, rig.ours) if who == "alice" else (rig.phones["bob"], rig.theirs())
        user.party.hang_up(60, call, headers=[("Reason", 'Q.850;cause=16;text="bye"')])

    rig.network.at(60, end)
    rig.call(until=100)
    other = "bob" if who == "alice" else "alice"
    assert rig.reached(other, "BYE") == [60]
    assert rig.first(other, "BYE").headers.values("Reason") == ['Q.850;cause=16;text="bye"']
    assert rig.closed.why is not None
    assert rig.closed.why.why is Event.BYE
    rig.assert_nothing_is_left()


def test_a_200_without_ack_ends_both_sides() -> None:
    rig = Rig({"bob": [(0, 200)]})
    rig.network.drop(sent_by("alice", request("ACK")))
    rig.call(until=100)
    assert rig.reached("bob", "BYE") == [32]
    assert rig.first("bob", "BYE").headers.values("Reason") == ["SIP;cause=408", "Q.850;cause=102"]
    assert [event for event in rig.sbc.events if isinstance(event, Joined)] == []
    rig.assert_nothing_is_left()


@pytest.mark.parametrize("dead", ["alice", "bob"])
def test_when_one_side_dies_the_session_timer_ends_the_other(dead: str) -> None:
    rig = Rig({"bob": [(0, 200)]}, timing=Timing(90))
    other = "bob" if dead == "alice" else "alice"
    rig.network.at(10, lambda: rig.network.cut("sbc", dead))
    rig.call(until=300)
    # A side is refreshed at 45 s; a refresh without answer ends the call (32 s), a missing one 60 s after the last.
    (at,) = rig.reached(other, "BYE")
    assert 60 <= at <= 45 + 32
    assert rig.closed.why is not None
    rig.assert_nothing_is_left()


def test_a_flow_that_carries_both_sides_and_breaks_ends_both() -> None:
    trunk = Link("sbc", "carrier", reliable=True)
    way = Way(trunk, parse_via("SIP/2.0/TCP sbc.example"))
    bits = Random(3).getrandbits  # noqa: S311
    sbc = BackToBack(SBC, Ids(bits), lambda uri, flow: way)
    sbc.receive(0, trunk, new_request("INVITE", "alice", "sbc", headers=[("Contact", "<sip:alice.example>")]))
    (incoming,) = [out for out in sbc.take() if isinstance(out, Incoming)]
    sbc.connect(0, incoming.bridge, [onward("bob")])
    sbc.transport_error(1, trunk)
    told = [out for out in sbc.take() if not isinstance(out, Send)]
    assert [type(out) for out in told] == [Closed]
    assert len(sbc) == 0


def test_nothing_refers_back_to_a_call_that_is_over() -> None:
    rig = Rig({"bob": [(0, 503)], "carol": [(1, 180), (2, 200)]})
    rig.network.at(60, lambda: rig.alice.party.hang_up(60, rig.ours))
    rig.call(until=300)
    bridge = weakref.ref(rig.closed.bridge)
    gc.disable()
    try:
        rig.sbc.heard.clear()
        assert bridge() is None
    finally:
        gc.enable()


# Changes while the call is up.


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_a_change_passes_with_its_answer(who: str) -> None:
    held, agreed = OFFER + b"a=sendonly\r\n", ANSWER + b"a=recvonly\r\n"
    rig = Rig({"bob": phone((0, 200))})
    asks, other = ("alice", "bob") if who == "alice" else ("bob", "alice")

    def accept(user: User[UserAgent], event: Any) -> None:
        if isinstance(event, ChangeAsked):
            user.party.answer(user.network.now, event.call, body=agreed)
        elif isinstance(event, Arrived):
            user.party.answer(user.network.now, event.call, body=ANSWER)

    rig.alice.react = rig.phones["bob"].react = accept

    def change() -> None:
        user, call = (rig.alice, rig.ours) if who == "alice" else (rig.phones["bob"], rig.theirs())
        user.party.reinvite(20, call, body=held)

    rig.network.at(20, change)
    rig.call(until=60)
    asked = rig.ours if who == "alice" else rig.theirs()
    answered = rig.theirs() if who == "alice" else rig.ours
    assert (asked.session.local, asked.session.remote) == (held, agreed)
    assert (answered.session.local, answered.session.remote) == (agreed, held)
    users = {"alice": rig.alice, "bob": rig.phones["bob"]}
    assert [type(event) for event in users[asks].events if isinstance(event, Changed)] == [Changed]
    assert [type(event) for event in users[other].events if isinstance(event, Changed)] == [Changed]


def test_a_change_that_the_other_side_refuses_is_refused_and_the_call_goes_on() -> None:
    rig = Rig({"bob": phone((0, 200))})

    def refuse(user: User[UserAgent], event: Any) -> None:
        if isinstance(event, ChangeAsked):
            user.party.refuse(user.network.now, event.call, 488)
        elif isinstance(event, Arrived):
            user.party.answer(user.network.now, event.call, body=ANSWER)

    rig.phones["bob"].react = refuse
    rig.network.at(20, lambda: rig.alice.party.reinvite(20, rig.ours, body=OFFER + b"a=inactive\r\n"))
    rig.call(until=60)
    (unchanged,) = [event for event in rig.alice.events if isinstance(event, Unchanged)]
    assert isinstance(unchanged.message, Response)
    assert unchanged.message.status == 488
    assert (rig.ours.state, rig.theirs().state) == (State.UP, State.UP)
    assert rig.ours.session.local == OFFER


def test_a_change_without_offer_is_answered_in_the_ack_on_both_sides() -> None:
    rig = Rig({"bob": phone((0, 200), body=ANSWER)})
    final = OFFER + b"a=final\r\n"

    def answers(user: User[UserAgent], event: Any) -> None:
        if isinstance(event, Offered):
            user.party.answer(user.network.now, event.call, body=final)

    rig.alice.react = answers
    rig.network.at(20, lambda: rig.alice.party.reinvite(20, rig.ours, body=b""))
    rig.call(until=60)
    assert (rig.ours.session.local, rig.theirs().session.remote) == (final, final)
    assert (rig.ours.session.remote, rig.theirs().session.local) == (ANSWER, ANSWER)


def test_changes_from_both_sides_at_once_are_settled_one_after_the_other() -> None:
    rig = Rig({"bob": phone((0, 200))})
    rig.alice.react = phone()
    rig.network.delay = 0.01
    rig.network.at(20, lambda: rig.alice.party.reinvite(20, rig.ours, body=OFFER + b"a=1\r\n"))
    rig.network.at(20, lambda: rig.phones["bob"].party.reinvite(20, rig.theirs(), body=ANSWER + b"a=2\r\n"))
    rig.call(until=120)
    assert (rig.ours.state, rig.theirs().state) == (State.UP, State.UP)
    assert rig.ours.turn.name == rig.theirs().turn.name == "STILL"
    assert rig.ours.session.local == rig.theirs().session.remote
    assert rig.ours.session.remote == rig.theirs().session.local


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_info_passes_to_the_other_side_and_its_answer_back(who: str) -> None:
    rig = Rig({"bob": phone((0, 200))})
    body = b"Signal=5\r\nDuration=160\r\n"

    def ask() -> None:
        user, call = (rig.alice, rig.ours) if who == "alice" else (rig.phones["bob"], rig.theirs())
        user.party.request_within(20, call, "INFO", headers=[("Content-Type", "application/dtmf-relay")], body=body)

    rig.network.at(20, ask)
    rig.call(until=60)
    other = "bob" if who == "alice" else "alice"
    came = rig.first(other, "INFO")
    assert (came.body, came.content_type) == (body, "application/dtmf-relay")
    asker = rig.alice if who == "alice" else rig.phones["bob"]
    (replied,) = [event for event in asker.events if isinstance(event, Replied)]
    assert replied.response is not None
    assert replied.response.status == (200 if who == "alice" else 405), "alice does not allow INFO"


def ask_at_20(rig: Rig) -> None:
    rig.network.at(20, lambda: rig.alice.party.request_within(20, rig.ours, "INFO") and None)


def test_an_info_that_nobody_answers_ends_the_call_on_both_sides() -> None:
    rig = Rig({"bob": [(0, 200)]})
    rig.network.at(19, lambda: rig.network.cut("sbc", "bob"))
    ask_at_20(rig)
    rig.call(until=100)
    assert rig.reached("alice", "BYE") == [20 + 32]
    assert rig.first("alice", "BYE").headers.values("Reason") == ["SIP;cause=408", "Q.850;cause=102"]
    assert (len(rig.sbc.party), rig.sbc.party._asking) == (0, {})


def test_a_side_that_does_not_know_the_call_any_more_ends_it_and_the_other_hears_why() -> None:
    rig = Rig({"bob": phone((0, 200))})
    bob = rig.phones["bob"]
    answering = bob.react
    assert answering is not None
    bob.react = lambda user, event: (
        user.party.respond(20, event, 481) if isinstance(event, Asked) else answering(user, event)
    )
    ask_at_20(rig)
    rig.call(until=100)
    assert rig.first("alice", "BYE").headers.values("Reason") == ["SIP;cause=481", "Q.850;cause=41"]


def test_an_info_before_both_sides_are_up_finds_no_other_side() -> None:
    rig = Rig({"bob": [(0, 200)]})
    rig.network.drop(sent_by("alice", request("ACK")))
    rig.network.at(1, lambda: rig.phones["bob"].party.request_within(1, rig.theirs(), "INFO") and None)
    rig.call(until=2)
    (replied,) = [event for event in rig.phones["bob"].events if isinstance(event, Replied)]
    assert replied.response is not None
    assert replied.response.status == 481


def test_a_reason_passes_only_where_that_is_configured() -> None:
    rig = Rig({"bob": [(0, 200)]}, carried=[])
    rig.network.at(60, lambda: rig.alice.party.hang_up(60, rig.ours, headers=[("Reason", "Q.850;cause=16")]))
    rig.call(until=100)
    assert "Reason" not in rig.first("bob", "BYE").headers


# Whatever the targets do.


@given(
    st.lists(
        st.tuples(st.booleans(), st.sampled_from([None, 200, 302, 404, 408, 480, 486, 500, 503, 504, 603])),
        min_size=1,
        max_size=4,
    ),
    st.none() | st.sampled_from([0.0, 1.0, 2.0, 10.0, 11.0, 12.0, 32.0]) | st.floats(0, 60),
)
def test_random_targets_and_a_caller_who_may_hang_up_leave_nothing_and_one_story(
    targets: list[tuple[bool, int | None]], hangs_up: float | None
) -> None:
    behaviour: dict[str, Any] = {
        f"t{i}": [*([(1.0, 180)] if rings else []), *([(2.0, status)] if status is not None else [])]
        for i, (rings, status) in enumerate(targets)
    }
    rig = Rig(behaviour)
    if hangs_up is not None:
        rig.network.at(hangs_up, lambda: rig.alice.party.hang_up(rig.network.now, rig.ours))
    rig.call(until=120)
    if hangs_up is None:
        heard: list[int] = []
        silent = False
        tried = 0
        for rings, status in targets:
            tried += 1
            heard.append(408 if status is None and not rings else status or 0)
            silent = silent or status is None
            if rings or heard[-1] not in (408, 480, 503, 504):
                break
        assert [name for name in behaviour if rig.reached(name)] == list(behaviour)[:tried]
        last = 408 if silent and heard[-1] in (408, 480, 503, 504) else heard[-1]
        final = [status for _, status in rig.heard if status >= 200]
        assert final == ([{302: 480}.get(last, last)] if last else [])
    if rig.ours.state in (State.UP, State.PROCEEDING, State.CALLING):
        rig.alice.party.hang_up(rig.network.now, rig.ours)
    rig.network.run(300)
    assert len([event for event in rig.sbc.events if isinstance(event, Closed)]) == 1
    answers = [len(user.party) for user, what in zip(rig.phones.values(), behaviour.values(), strict=True) if what]
    assert answers == [0] * len(answers)
    rig.assert_nothing_is_left()
