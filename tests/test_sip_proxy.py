"""The proxy on a network in memory, by literal times and messages: RFC 3261 §16, RFC 5393, rules S2, S3 and S9."""

import gc
import weakref
from collections.abc import Callable, Sequence
from math import inf
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbc.decisions.table import ImpossibleEventError
from sbc.sip.call import Way
from sbc.sip.fields import Via, parse_via
from sbc.sip.hop import cancel_for
from sbc.sip.ids import Ids
from sbc.sip.message import Request, Response
from sbc.sip.passage import Answer, Done, Target, Tried, Wanted, best
from sbc.sip.proxy import Proxy
from sbc.sip.relay import loop_mark, place_of, place_of_sender, refusal
from sbc.sip.testkit import Link, Network, Packet, User, answer, new_request, nth, request, response, sent_by
from sbc.sip.transaction import AckReceived, Flow, RequestReceived, ResponseReceived, Send
from sbc.sip.transactions import Transactions
from sbc.sip.uri import SipUri, Uri, parse_uri

HOME = SipUri("proxy.example")
RECORD_ROUTE = "<sip:proxy.example;lr>"
Later = Sequence[tuple[float, int]]


def ids(seed: int) -> Ids:
    return Ids(Random(seed).getrandbits)  # noqa: S311


def locate(uri: Uri, flow: Flow | None, name: str = "proxy") -> Way:
    assert isinstance(uri, SipUri)
    return Way(flow or Link(name, uri.host.partition(".")[0]), Via("UDP", f"{name}.example"))


def to(name: str) -> Target:
    return Target(SipUri(f"{name}.example", user="0612345678"))


def sends(*targets: str) -> Callable[[User[Proxy], Any], None]:
    def react(user: User[Proxy], event: Any) -> None:
        if isinstance(event, Wanted):
            user.party.forward(user.network.now, event.passage, [to(name) for name in targets])

    return react


def answers(*what: tuple[float, int], headers: Sequence[tuple[str, object]] = ()) -> Callable[[User[Any], Any], None]:
    """Answer each INVITE so many seconds after it came with each status; a CANCEL as a phone does."""
    ringing: dict[Any, bool] = {}

    def react(user: User[Transactions], event: Any) -> None:
        network = user.network
        if not isinstance(event, RequestReceived):
            return
        if event.request.method == "CANCEL":
            invite = event.transaction.cancels
            user.party.respond(network.now, event.transaction, Response.answer(event.request, 200, to_tag=user.name))
            if invite is not None and ringing.pop(invite, False):
                user.party.respond(network.now, invite, Response.answer(invite.request, 487, to_tag=user.name))
            return
        ringing[event.transaction] = True

        def say(status: int) -> None:
            if event.transaction in ringing:
                if status >= 200:
                    del ringing[event.transaction]
                extra = [("Contact", f"<sip:{user.name}.example>"), *headers]
                reply = Response.answer(event.request, status, to_tag=user.name, headers=extra)
                user.party.respond(network.now, event.transaction, reply)

        for after, status in what:
            network.at(network.now + after, lambda status=status: say(status))  # type: ignore[misc]

    return react


class Rig:
    """alice, a proxy that tries targets in order, and the targets: by their answers, dead without any.

    No target says 100 by itself.
    """

    def __init__(self, targets: dict[str, Later | Callable[[User[Any], Any], None]], **options: Any) -> None:
        self.network = Network(delay=0.0)
        self.proxy = self.network.join("proxy", Proxy([HOME], ids(1), locate, **options), sends(*targets))
        self.alice = self.network.join("alice", Transactions())
        for name, what in targets.items():
            self.network.join(name, Transactions(), what if callable(what) else answers(*what))
            if not callable(what) and 100 not in [status for _, status in what]:
                self.network.drop(sent_by(name, response(100)))

    def call(self, until: float = 400.0, method: str = "INVITE", **fields: Any) -> "Rig":
        self.invite = new_request(method, "alice", "proxy", **fields)
        self.alice.party.request(self.network.now, self.alice.to("proxy"), self.invite)
        self.network.run(until)
        return self

    def cancel_at(self, at: float) -> None:
        self.network.at(
            at, lambda: self.alice.party.request(at, self.alice.to("proxy"), cancel_for(self.invite)) and None
        )

    @property
    def heard(self) -> list[tuple[float, int]]:
        """When alice heard which response to her request, 100 left out."""
        return [
            (heard.at, heard.event.response.status)
            for heard in self.alice.heard
            if isinstance(heard.event, ResponseReceived)
            and heard.event.response.status > 100
            and heard.event.response.cseq.method != "CANCEL"
        ]

    @property
    def last(self) -> Response:
        heard = [event.response for event in self.alice.events if isinstance(event, ResponseReceived)]
        assert isinstance(heard[-1], Response)
        return heard[-1]

    @property
    def tried(self) -> list[tuple[str, int]]:
        return [
            (str(event.target.uri).partition("@")[2].partition(".")[0], event.status)
            for event in self.proxy.events
            if isinstance(event, Tried)
        ]

    def first(self, name: str, method: str = "INVITE") -> Request:
        """The first request of a method that reached a target."""
        found = next(p.message for p in self.network.wire if p.link.target == name and request(method)(p))
        assert isinstance(found, Request)
        return found

    def reached(self, name: str, method: str = "INVITE") -> list[float]:
        """When requests of a method were sent to a target."""
        return [p.at for p in self.network.wire if p.link.target == name and request(method)(p)]


# One request, one target.


def test_a_forwarded_request_differs_in_what_section_16_6_says_and_in_nothing_else() -> None:
    rig = Rig({"bob": [(0, 200)]}).call(headers=[("X-Unknown", "kept, as it is"), ("Subject", "a")])
    came = rig.first("bob")
    sent = rig.invite
    assert came.uri_text == "sip:0612345678@bob.example"
    assert came.max_forwards == 69
    assert came.headers.values("Record-Route") == [RECORD_ROUTE]
    assert [via.host for via in came.vias] == ["proxy.example", "alice.example"]
    assert came.vias[0].names_transaction
    assert came.vias[0].branch != sent.via.branch
    changed = {"Via", "Record-Route", "Max-Forwards"}
    assert [pair for pair in came.headers if pair[0] not in changed] == [
        pair for pair in sent.headers if pair[0] not in changed
    ]


def test_a_request_without_max_forwards_gets_70() -> None:
    rig = Rig({"bob": [(0, 200)]})
    rig.invite = new_request("INVITE", "alice", "proxy")
    rig.invite = rig.invite.with_headers(rig.invite.headers.without("Max-Forwards"))
    rig.alice.party.request(0, rig.alice.to("proxy"), rig.invite)
    rig.network.run(0.1)
    assert rig.first("bob").max_forwards == 70


def test_a_response_goes_back_without_the_proxys_via_and_is_otherwise_what_the_target_sent() -> None:
    rig = Rig({"bob": answers((0.5, 180), (2, 200), headers=[("X-Bob", "1, 2")])}).call(until=3)
    assert rig.heard == [(0.5, 180), (2, 200)]
    (sent,) = [p.message for p in rig.network.wire if sent_by("bob", response(200))(p)]
    assert list(rig.last.headers) == list(sent.headers)[1:]
    assert sent.headers.values("Via")[1:] == rig.last.headers.values("Via") == [str(rig.invite.via)]


def test_vias_in_one_field_are_taken_apart() -> None:
    def react(user: User[Transactions], event: Any) -> None:
        if isinstance(event, RequestReceived):
            reply = Response.answer(event.request, 200, to_tag="bob")
            joined = ", ".join(reply.headers.values("Via"))
            headers = reply.headers.without("Via").prepend("v", joined)
            user.party.respond(user.network.now, event.transaction, reply.with_headers(headers))

    rig = Rig({"bob": react}).call(until=1)
    assert rig.last.headers.values("Via") == [str(rig.invite.via)]
    assert rig.heard == [(0, 200)]


LADDER = """
     0.000  alice -> proxy  INVITE  0.010
     0.010  proxy -> bob  INVITE  0.020
     0.020  bob -> proxy  180 INVITE  0.030
     0.030  proxy -> alice  180 INVITE  0.040
     2.020  bob -> proxy  200 INVITE  2.030
     2.030  proxy -> alice  200 INVITE  2.040
     2.040  alice -> proxy  ACK  2.050
     2.050  proxy -> bob  ACK  2.060
    60.000  bob -> proxy  BYE  60.010
    60.010  proxy -> alice  BYE  60.020
    60.020  alice -> proxy  200 BYE  60.030
    60.030  proxy -> bob  200 BYE  60.040
"""


def in_dialog(method: str, uri: str, routes: Sequence[str], **fields: Any) -> Request:
    source, target = fields.pop("source", "alice"), fields.pop("target", "bob")
    return new_request(
        method, source, target, to_tag=target, headers=[("Route", route) for route in routes], **fields
    ).with_uri(uri)


def test_one_call_through_a_record_routing_proxy_message_by_message() -> None:
    rig = Rig({"bob": [(0, 180), (2, 200)]})
    rig.network.delay = 0.01

    def acknowledge(user: User[Transactions], event: Any) -> None:
        if isinstance(event, ResponseReceived) and event.response.status == 200:
            ack = in_dialog("ACK", "sip:bob.example", event.response.headers.all("Record-Route"), branch="z9hG4bKa")
            user.party.send(user.to("proxy"), ack)
        elif isinstance(event, RequestReceived):
            reply = Response.answer(event.request, 200)
            user.party.respond(user.network.now, event.transaction, reply)

    rig.alice.react = acknowledge
    bob = next(user for name, user in rig.network._users.items() if name == "bob")
    bye = in_dialog("BYE", "sip:alice.example", [RECORD_ROUTE], source="bob", target="alice", branch="z9hG4bKb")
    rig.network.at(60, lambda: bob.party.request(60, bob.to("proxy"), bye))
    rig.call(until=70)
    assert rig.network.ladder() == LADDER.strip("\n")
    (ack,) = [event for event in bob.events if isinstance(event, AckReceived)]
    assert ack.ack.routes == ()
    assert [via.host for via in ack.ack.vias] == ["proxy.example", "alice.example"]
    assert [event for event in rig.proxy.events if isinstance(event, Wanted)] == rig.proxy.events[:1], (
        "what is within the dialog passes without asking"
    )


# Routes (§16.4, §16.6 step 6).

ON_BOB = "sip:bob@bob.example"


@pytest.mark.parametrize(
    ("uri", "routes", "goes_to", "arrives_for", "arrives_with"),
    [
        (ON_BOB, [RECORD_ROUTE], "bob", ON_BOB, []),
        (ON_BOB, [RECORD_ROUTE, "<sip:carol.example;lr>"], "carol", ON_BOB, ["<sip:carol.example;lr>"]),
        (ON_BOB, [f"{RECORD_ROUTE}, <sip:carol.example;lr>"], "carol", ON_BOB, ["<sip:carol.example;lr>"]),
        # The next proxy is a strict router: it wants itself in the Request-URI, and the target behind the last Route.
        (
            ON_BOB,
            [RECORD_ROUTE, "<sip:carol.example>", "<sip:dave.example;lr>"],
            "carol",
            "sip:carol.example",
            ["<sip:dave.example;lr>", f"<{ON_BOB}>"],
        ),
        # The element before is a strict router: our Record-Route came in the Request-URI.
        ("sip:proxy.example;lr", [f"<{ON_BOB}>"], "bob", ON_BOB, []),
        (
            "sip:proxy.example;lr",
            ["<sip:carol.example;lr>", f"<{ON_BOB}>"],
            "carol",
            ON_BOB,
            ["<sip:carol.example;lr>"],
        ),
    ],
)
def test_a_request_in_a_dialog_takes_its_route(
    uri: str, routes: list[str], goes_to: str, arrives_for: str, arrives_with: list[str]
) -> None:
    rig = Rig({name: [(0, 200)] for name in ("bob", "carol", "dave")})
    rig.alice.party.request(0, rig.alice.to("proxy"), in_dialog("BYE", uri, routes))
    rig.network.run(0.1)
    came = rig.first(goes_to, "BYE")
    assert came.uri_text == arrives_for
    assert list(came.headers.all("Route")) == arrives_with
    assert "Record-Route" not in came.headers
    assert rig.heard == [(0, 200)]


def test_a_route_of_another_proxy_is_left_alone_and_a_new_request_is_for_the_user_to_route() -> None:
    rig = Rig({"bob": [], "carol": []})
    rig.call(until=0.1, headers=[("Route", "<sip:proxy.example;lr>"), ("Route", "<sip:carol.example;lr>")])
    assert isinstance(rig.proxy.events[0], Wanted)
    assert rig.proxy.events[0].request.headers.values("Route") == ["<sip:carol.example;lr>"]


def test_without_record_route_the_proxy_leaves_no_trace_in_the_dialog() -> None:
    assert "Record-Route" not in Rig({"bob": [(0, 200)]}, record_route=False).call().first("bob").headers
    assert "Record-Route" not in Rig({"bob": [(0, 200)]}).call(method="OPTIONS").first("bob", "OPTIONS").headers


# What is refused (§16.3).


@pytest.mark.parametrize(
    ("change", "status", "header"),
    [
        (("Max-Forwards", "0"), 483, None),
        (("Max-Forwards", "1"), 200, None),
        (("Max-Forwards", "300"), 400, None),
        (("Proxy-Require", "foo, bar"), 420, ("Unsupported", "bar, foo")),
        (("Proxy-Require", "privacy"), 420, ("Unsupported", "privacy")),
        (("Route", "<sip:unclosed"), 400, None),
        (("Require", "anything"), 200, None),
    ],
)
def test_a_request_is_refused_as_section_16_3_wants(
    change: tuple[str, str], status: int, header: tuple[str, str] | None
) -> None:
    rig = Rig({"bob": [(0, 200)]})
    invite = new_request("INVITE", "alice", "proxy")
    rig.alice.party.request(0, rig.alice.to("proxy"), invite.with_headers(invite.headers.replace(*change)))
    rig.network.run(0.1)
    assert rig.heard == [(0, status)]
    if header is not None:
        assert rig.last.headers.values(header[0]) == [header[1]]
    assert bool(rig.reached("bob")) == (status == 200)


def two_proxies(onward: Callable[[Request], Target]) -> tuple[Network, list[Packet]]:
    """alice → proxy → carol, a second proxy, which sends the request back; the first sends it where it is told."""
    network = Network(delay=0.0)
    alice = network.join("alice", Transactions())

    def route(user: User[Proxy], event: Any) -> None:
        if isinstance(event, Wanted):
            user.party.forward(user.network.now, event.passage, [onward(event.request)])

    def back(user: User[Proxy], event: Any) -> None:
        if isinstance(event, Wanted):
            target = Target(SipUri("proxy.example", user=event.request.uri_text.partition("@")[0][4:]))
            user.party.forward(user.network.now, event.passage, [target])

    network.join("proxy", Proxy([HOME], ids(1), locate), route)
    second = Proxy([SipUri("carol.example")], ids(2), lambda uri, flow: locate(uri, flow, "carol"))
    network.join("carol", second, back)
    network.join("bob", Transactions(), answer(200))
    invite = new_request("INVITE", "alice", "proxy").with_uri("sip:03@proxy.example")
    alice.party.request(0, alice.to("proxy"), invite)
    network.run(1)
    return network, [packet for packet in network.wire if packet.link.target == "alice"]


def test_a_request_that_comes_back_as_it_was_is_a_loop_and_answered_482() -> None:
    network, heard = two_proxies(lambda request: Target(SipUri("carol.example", user="03")))
    assert [p.what for p in heard] == ["482 INVITE"]
    invites = [p.link[:2] for p in network.wire if request("INVITE")(p)]
    assert invites == [("alice", "proxy"), ("proxy", "carol"), ("carol", "proxy")], "one round, not seventy"


def test_a_request_that_comes_back_for_somebody_else_is_a_spiral_and_passes() -> None:
    def onward(came: Request) -> Target:
        # 03 is forwarded to 06 by way of carol, and 06 is bob's.
        return Target(
            SipUri("carol.example", user="06") if "03@" in came.uri_text else SipUri("bob.example", user="06")
        )

    network, heard = two_proxies(onward)
    assert [p.what for p in heard] == ["200 INVITE"]
    (invite,) = [p.message for p in network.wire if p.link.target == "bob"]
    assert [via.host for via in invite.vias] == ["proxy.example", "carol.example", "proxy.example", "alice.example"]
    assert [hop.uri.host for hop in invite.record_routes if isinstance(hop.uri, SipUri)] == [
        "proxy.example",
        "carol.example",
        "proxy.example",
    ]


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r.with_uri("sip:other@proxy.example"),
        lambda r: r.with_headers(r.headers.add("Route", "<sip:x.example;lr>")),
        lambda r: r.with_headers(r.headers.replace("CSeq", "2 INVITE")),
        lambda r: r.with_headers(r.headers.add("Proxy-Authorization", "Digest x=y")),
        lambda r: r.with_headers(r.headers.replace("Call-ID", "other")),
        lambda r: r.with_headers(r.headers.replace("From", "<sip:a@b>;tag=other")),
        lambda r: r.with_headers(r.headers.replace("To", "<sip:a@b>;tag=other")),
    ],
)
def test_whatever_may_change_the_way_of_a_request_changes_its_mark(change: Callable[[Request], Request]) -> None:
    invite = new_request("INVITE", "alice", "proxy")
    assert loop_mark(change(invite)) != loop_mark(invite)
    assert loop_mark(invite.with_headers(invite.headers.prepend("Via", "SIP/2.0/UDP x"))) == loop_mark(invite)


def test_the_mark_of_another_element_is_no_loop_and_ports_that_go_without_saying_are_known() -> None:
    invite = new_request("INVITE", "alice", "proxy")
    mark = loop_mark(invite)
    for host, port, loops in (("proxy.example", "", True), ("proxy.example", ":5060", True), ("x.example", "", False)):
        came = invite.with_headers(invite.headers.prepend("Via", f"SIP/2.0/UDP {host}{port};branch=z9hG4bK1-{mark}"))
        refused = refusal(came, {("proxy.example", 5060)}, mark)
        assert (refused is not None) == loops
    assert (
        place_of(parse_uri("sips:A.example"))
        == place_of_sender(parse_via("SIP/2.0/TLS a.example"))
        == ("a.example", 5061)
    )
    assert place_of(parse_uri("tel:110")) is None


@pytest.mark.parametrize(("uri", "routes"), [(ON_BOB, []), ("sip:proxy.example", [RECORD_ROUTE])])
def test_a_request_in_a_dialog_that_the_proxy_is_not_led_by_is_for_the_user_to_route(
    uri: str, routes: list[str]
) -> None:
    rig = Rig({"bob": [(0, 200)]})
    rig.alice.party.request(0, rig.alice.to("proxy"), in_dialog("BYE", uri, routes))
    rig.network.run(0.1)
    assert isinstance(rig.proxy.events[0], Wanted)
    assert rig.reached("proxy", "BYE") == [0], "it does not go round"


def test_an_ack_passes_whatever_it_requires() -> None:
    rig = Rig({"bob": []})
    ack = in_dialog("ACK", ON_BOB, [RECORD_ROUTE])
    rig.alice.party.send(rig.alice.to("proxy"), ack.with_headers(ack.headers.add("Proxy-Require", "x")))
    rig.network.run(1)
    assert rig.reached("bob", "ACK") == [0]


# Lists of targets (S2, S3, S9).


@pytest.mark.parametrize("dead", [1, 2, 3])
def test_each_dead_udp_target_costs_the_branch_timer(dead: int) -> None:
    targets: dict[str, Any] = {f"dead{i}": [] for i in range(dead)}
    rig = Rig({**targets, "bob": [(0, 200)]}).call()
    assert rig.reached("bob") == [10.0 * dead]
    assert rig.heard == [(10.0 * dead, 200)]


@pytest.mark.parametrize("dead", [1, 2])
def test_without_branch_timer_each_dead_udp_target_costs_timer_b(dead: int) -> None:
    targets: dict[str, Any] = {f"dead{i}": [] for i in range(dead)}
    rig = Rig({**targets, "bob": [(0, 200)]}, advance_after=inf).call()
    assert rig.reached("bob") == [32.0 * dead]
    assert rig.reached("dead0") == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]


def test_a_list_of_the_dead_is_a_408_after_the_timers_of_all_and_timer_b_of_the_last() -> None:
    rig = Rig({"one": [], "two": [], "three": []}).call()
    assert rig.heard == [(10 + 10 + 32, 408)]
    assert rig.tried == [("one", 408), ("two", 408), ("three", 408)]


@pytest.mark.parametrize("status", [300, 302, 400, 403, 404, 408, 480, 482, 484, 486, 488, 500, 501, 502, 503, 504])
def test_the_list_goes_on_after_408_480_503_504_and_after_nothing_else(status: int) -> None:
    rig = Rig({"bob": [(1, status)], "carol": [(1, 200)]}).call()
    if status in (408, 480, 503, 504):
        assert rig.heard == [(2, 200)]
    else:
        assert rig.heard == [(1, status)]
        assert rig.reached("carol") == []


@pytest.mark.parametrize("status", [500, 502])
def test_it_goes_on_after_500_and_502_where_that_is_configured(status: int) -> None:
    rig = Rig({"bob": [(1, status)], "carol": [(1, 200)]}, also_advances=frozenset([500, 502])).call()
    assert rig.heard == [(2, 200)]


def test_a_refused_datagram_moves_on_at_once() -> None:
    rig = Rig({"bob": [], "carol": [(0, 200)]})
    rig.network.delay = 0.01
    rig.network.refuse("bob")
    rig.call()
    assert rig.tried == [("bob", 503), ("carol", 200)]
    ((at, status),) = rig.heard
    assert (round(at, 6), status) == (0.06, 200)


@pytest.mark.parametrize("status", [408, 480, 503, 504])
def test_after_ringing_no_other_target_is_tried(status: int) -> None:
    rig = Rig({"bob": [(1, 180), (20, status)], "carol": [(0, 200)]}).call()
    assert rig.heard == [(1, 180), (20, {503: 500}.get(status, status))]
    assert rig.reached("carol") == []


def test_a_100_does_not_stop_the_branch_timer_and_the_target_is_cancelled() -> None:
    rig = Rig({"bob": [(1, 100)], "carol": [(1, 200)]}).call()
    assert rig.reached("bob", "CANCEL") == [10]
    assert rig.heard == [(11, 200)]


def test_a_target_that_wakes_up_after_it_was_passed_over_is_cancelled_when_it_first_answers() -> None:
    rig = Rig({"bob": [(12, 180)], "carol": [(5, 180), (9, 200)]}).call()
    assert rig.reached("bob", "CANCEL") == [12]
    assert rig.heard == [(15, 180), (19, 200)], "the ringing of bob is not heard"


def test_a_200_of_a_target_that_was_passed_over_wins_and_ends_the_others() -> None:
    rig = Rig({"bob": [(12, 200)], "carol": [(1, 180), (60, 200)]}).call()
    assert rig.heard == [(11, 180), (12, 200)]
    assert rig.reached("carol", "CANCEL") == [12]
    assert rig.tried == [("bob", 408), ("bob", 200), ("carol", 487)]


def test_503s_alone_become_500_and_say_when_to_come_back() -> None:
    rig = Rig(
        {
            "bob": answers((1, 503), headers=[("Retry-After", 30)]),
            "carol": answers((1, 503), headers=[("Retry-After", "soon")]),
            "dave": answers((1, 503)),
        }
    ).call()
    assert rig.heard == [(3, 500)]
    assert "Retry-After" not in rig.last.headers
    assert [event.again for event in rig.proxy.events if isinstance(event, Tried)] == [31, None, None]
    both: dict[str, Any] = {
        "bob": answers((1, 503), headers=[("Retry-After", 30)]),
        "carol": answers((1, 503)),
    }
    assert "Retry-After" not in Rig(both).call().last.headers
    both["carol"] = answers((1, 503), headers=[("Retry-After", 60)])
    rig = Rig(both).call()
    assert (rig.last.status, rig.last.retry_after) == (500, (29, None))  # bob at 31, and it is 2 now
    both["carol"] = answers((1, 500), headers=[("Retry-After", 60)])
    assert Rig(both).call().last.retry_after == (60, None)  # carol's own, as it is


def test_one_503_of_several_answers_is_never_what_the_caller_hears() -> None:
    assert Rig({"bob": [(1, 504)], "carol": [(1, 503)]}).call().heard == [(2, 504)]
    assert Rig({"bob": [(1, 480)], "carol": [(1, 503)]}).call().heard == [(2, 480)]
    assert Rig({"bob": [], "carol": [(1, 503)]}).call().heard == [(11, 408)]


@pytest.mark.parametrize("status", [600, 603, 604, 606])
def test_a_6xx_stops_all(status: int) -> None:
    rig = Rig({"bob": [(1, 480)], "carol": [(1, status)], "dave": [(1, 200)]}).call()
    assert rig.heard == [(2, status)]
    assert rig.reached("dave") == []


def test_a_6xx_of_a_target_that_was_passed_over_cancels_the_one_that_rings_and_is_what_the_caller_hears() -> None:
    rig = Rig({"bob": [(12, 603)], "carol": [(1, 180)], "dave": [(1, 200)]}).call()
    assert rig.reached("carol", "CANCEL") == [12]
    assert rig.heard == [(11, 180), (12, 603)]
    assert rig.reached("dave") == []


def test_no_targets_at_all_is_a_480_and_a_refusal_is_sent_as_it_is() -> None:
    assert Rig({}).call().heard == [(0, 480)]
    rig = Rig({"bob": [(0, 200)]})
    rig.proxy.react = lambda user, event: (
        user.party.refuse(0, event.passage, 503, headers=[("Retry-After", 5)]) if isinstance(event, Wanted) else None
    )
    assert rig.call().heard == [(0, 503)]
    assert rig.last.retry_after == (5, None)


def test_challenges_of_all_targets_go_up_together() -> None:
    rig = Rig(
        {
            "bob": [(12, 180)],
            "carol": answers((1, 480), headers=[("WWW-Authenticate", "Digest realm=c")]),
            "dave": answers((1, 407), headers=[("Proxy-Authenticate", "Digest realm=d")]),
        }
    ).call()
    assert rig.heard == [(12, 407)]
    assert rig.last.headers.values("Proxy-Authenticate") == ["Digest realm=d"]


def test_of_equal_answers_the_last_is_heard_unless_one_was_silence() -> None:
    assert best([Answer(480, Response(480)), Answer(486, Response(486))]).status == 486
    assert best([Answer(408), Answer(480, Response(480))]).status == 408
    assert best([Answer(408, Response(408)), Answer(480, Response(480))]).status == 480


def test_a_challenge_brings_along_all_others() -> None:
    one = Response(401, headers=[("WWW-Authenticate", "Digest realm=a")])
    two = Response(407, headers=[("Proxy-Authenticate", "Digest realm=b"), ("Proxy-Authenticate", "Digest realm=c")])
    chosen = best([Answer(407, two), Answer(480, Response(480)), Answer(401, one)]).response
    assert chosen is not None
    assert chosen.status == 401
    assert chosen.headers.values("WWW-Authenticate") == ["Digest realm=a"]
    assert chosen.headers.values("Proxy-Authenticate") == ["Digest realm=b", "Digest realm=c"]


def test_a_6xx_goes_up_when_all_branches_have_ended() -> None:
    rig = Rig({"bob": [(12, 603)], "carol": [(1, 180)]})
    rig.network.delay = 0.25
    rig.call()
    # To bob 0.5 s, 12 s there, back 0.25 s; CANCEL to carol and her 487 take 0.5 s, the way to alice 0.25 s.
    assert rig.heard[-1] == (0.5 + 12 + 0.25 + 0.5 + 0.25, 603)


def test_an_ack_that_is_refused_by_the_network_changes_nothing() -> None:
    rig = Rig({"bob": [(1, 486)], "carol": [(0, 200)]})
    rig.network.delay = 0.01
    rig.network.at(1.025, lambda: rig.network.refuse("bob"))
    rig.call()
    assert rig.tried == [("bob", 486)]
    assert len(rig.proxy.party) == 0


def test_a_target_is_reached_by_the_connection_that_it_made() -> None:
    rig = Rig({"bob": [], "carol": [(0, 200)]})
    rig.proxy.react = lambda user, event: (
        user.party.forward(0, event.passage, [Target(to("bob").uri, Link("proxy", "carol"))])
        if isinstance(event, Wanted)
        else None
    )
    assert rig.call(until=5).heard == [(0, 200)]
    assert rig.first("carol").uri_text == "sip:0612345678@bob.example"


def test_every_branch_has_the_proxys_own_via_and_the_same_mark() -> None:
    rig = Rig({"bob": [(0, 503)], "carol": [(0, 503)]}).call()
    one, two = (parse_via(rig.first(name).headers.values("Via")[0]).branch or "" for name in ("bob", "carol"))
    assert one != two
    assert one.rpartition("-")[2] == two.rpartition("-")[2]


# Hanging up, and waiting.


def test_a_cancel_while_it_rings_reaches_the_phone_and_both_sides_are_answered() -> None:
    rig = Rig({"bob": [(1, 180)], "carol": [(0, 200)]})
    rig.cancel_at(5)
    rig.call()
    assert rig.reached("bob", "CANCEL") == [5]
    assert rig.heard == [(1, 180), (5, 487)]
    assert rig.reached("carol") == []
    cancelled = [p for p in rig.network.wire if p.link.target == "alice" and p.what == "200 CANCEL"]
    assert [p.at for p in cancelled] == [5]


def test_a_cancel_before_anything_was_answered_waits_for_a_provisional_response() -> None:
    rig = Rig({"bob": [(3, 180)], "carol": [(0, 200)]})
    rig.cancel_at(2)
    rig.call()
    assert rig.reached("bob", "CANCEL") == [3]
    assert rig.heard == [(3, 487)]


def test_a_cancel_towards_a_dead_target_is_a_487_when_timer_b_fires() -> None:
    rig = Rig({"bob": [], "carol": [(0, 200)]})
    rig.cancel_at(2)
    rig.call()
    assert rig.reached("bob", "CANCEL") == []
    assert rig.heard == [(32, 487)]
    assert rig.reached("carol") == []


def test_a_200_that_crosses_the_cancel_passes() -> None:
    rig = Rig({"bob": [(1, 180), (5, 200)]})
    rig.network.hold(request("CANCEL"), 0.5)
    rig.cancel_at(4.8)
    rig.call()
    assert rig.heard == [(1, 180), (5, 200)]


def test_a_cancel_without_effect_is_given_up_after_32_s() -> None:
    rig = Rig({"bob": [(1, 180)]})
    rig.network.drop(lambda packet: packet.what in ("CANCEL", "487 INVITE") and packet.link.target == "bob")
    rig.cancel_at(5)
    rig.call()
    assert rig.heard == [(1, 180), (37, 487)]


def test_a_cancel_of_nothing_is_a_481_and_one_before_targets_are_known_a_487() -> None:
    rig = Rig({"bob": []})
    rig.invite = new_request("INVITE", "alice", "proxy")
    rig.cancel_at(0)
    rig.network.run(1)
    assert [p.what for p in rig.network.sent("proxy")] == ["481 CANCEL"]
    rig = Rig({"bob": []})
    rig.proxy.react = None
    rig.cancel_at(1)
    rig.call()
    assert rig.heard == [(1, 487)]
    (wanted,) = [event for event in rig.proxy.events if isinstance(event, Wanted)]
    rig.proxy.party.forward(400, wanted.passage, [to("bob")])
    rig.network.run(401)
    assert rig.reached("bob") == []


def test_a_phone_that_rings_for_ever_is_cancelled_by_timer_c_which_every_sign_of_it_restarts() -> None:
    rig = Rig({"bob": [(1, 180), (101, 180), (200, 183)], "carol": [(0, 200)]}).call(until=500)
    assert rig.reached("bob", "CANCEL") == [200 + 181]
    assert rig.heard == [(1, 180), (101, 180), (200, 183), (381, 487)]


def test_a_target_that_only_ever_says_100_is_passed_over_by_timer_c_where_there_is_no_branch_timer() -> None:
    rig = Rig({"bob": [(1, 100)], "carol": [(1, 200)]}, advance_after=inf).call(until=500)
    assert rig.reached("bob", "CANCEL") == [181]
    assert rig.heard == [(182, 200)]


def test_two_phones_behind_one_target_both_reach_the_caller_when_they_answer() -> None:
    rig = Rig({"bob": [(1, 180)]})

    def fork(user: User[Transactions], event: Any) -> None:
        if isinstance(event, RequestReceived):
            for tag in ("one", "two"):
                reply = Response.answer(event.request, 200, to_tag=tag)
                user.party.respond(user.network.now, event.transaction, reply)

    rig.network._users["bob"].react = fork
    rig.call()
    assert rig.heard == [(0, 200), (0, 200)]
    tags = [event.response.to.tag for event in rig.alice.events if isinstance(event, ResponseReceived)]
    assert tags == ["one", "two"]
    assert [event for event in rig.proxy.events if isinstance(event, Done)] == [Done(rig.proxy.events[0].passage, 200)]


# Requests other than INVITE.


def test_other_requests_advance_on_the_same_answers_and_their_1xx_stay_on_their_hop() -> None:
    rig = Rig({"bob": [(1, 503)], "carol": [(1, 183), (2, 200)]}).call(method="OPTIONS")
    assert rig.heard == [(3, 200)]


def test_other_requests_wait_the_branch_timer_and_nobody_sends_a_408_for_them() -> None:
    assert Rig({"bob": [], "carol": [(1, 200)]}).call(method="MESSAGE").heard == [(11, 200)]
    rig = Rig({"bob": []}).call(method="MESSAGE")
    assert rig.tried == [("bob", 408)]
    assert rig.heard == []


def test_when_whoever_asked_has_given_up_no_further_target_is_tried() -> None:
    rig = Rig({f"dead{i}": [] for i in range(6)}).call(method="MESSAGE")
    assert [name for name, _ in rig.tried] == ["dead0", "dead1", "dead2", "dead3"], (
        "0, 10, 20, 30 s; at 32 s it is over"
    )


# ACK, copies, loss, leftovers.


def test_an_ack_that_leads_nowhere_or_loops_is_dropped() -> None:
    rig = Rig({"bob": []})
    for ack in (
        new_request("ACK", "alice", "proxy"),
        in_dialog("ACK", ON_BOB, [RECORD_ROUTE]).with_headers(
            in_dialog("ACK", ON_BOB, [RECORD_ROUTE]).headers.replace("Max-Forwards", 0)
        ),
        in_dialog("ACK", ON_BOB, ["<sip:unclosed"]),
    ):
        rig.alice.party.send(rig.alice.to("proxy"), ack)
    rig.network.run(1)
    assert rig.network.sent("proxy") == []


def test_a_lost_and_a_doubled_packet_change_nothing() -> None:
    rig = Rig({"bob": [(1, 180), (5, 200)]})
    rig.network.drop(nth(1, when=sent_by("proxy", request("INVITE"))))
    rig.network.duplicate(sent_by("bob"), after=0.1)
    rig.call()
    assert rig.heard[:1] == [(1.5, 180)]
    assert rig.heard[-1][1] == 200


def test_what_cannot_be_read_is_answered_and_a_flood_finds_503() -> None:
    proxy = Proxy([HOME], ids(1), locate, transactions=Transactions(room=1))
    link = Link("proxy", "alice")

    def told(message: Request) -> list[int]:
        proxy.receive(0, link, message)
        return [out.message.status for out in proxy.take() if isinstance(out, Send)]  # type: ignore[union-attr]

    bad = new_request("INVITE", "alice", "proxy", branch="z9hG4bKbad")
    assert told(bad.with_headers(bad.headers.replace("CSeq", "x"))) == [400]
    assert told(Request("INVITE", HOME, bad.headers, version="SIP/3.0")) == [505]
    assert told(bad.with_uri("urn:service:sos")) == [416]
    assert told(bad.with_headers(bad.headers.without("Via"))) == []
    assert told(new_request("INVITE", "alice", "proxy", branch="z9hG4bK1")) == []
    assert told(new_request("INVITE", "alice", "proxy", branch="z9hG4bK2")) == [503]


def test_nothing_is_left_when_all_is_over() -> None:
    rig = Rig({"bob": [], "carol": [(1, 100)], "dave": [(1, 180), (30, 200)]})
    rig.cancel_at(300)
    rig.call(until=1000)
    proxy = rig.proxy.party
    assert len(proxy) == 0
    assert not proxy._branches
    assert proxy.deadline() == inf
    assert all(not event.passage.branches for event in rig.proxy.events)


def test_a_request_is_decided_about_once() -> None:
    rig = Rig({"bob": [(1, 180)]}).call(until=2)
    passage = rig.proxy.events[0].passage
    with pytest.raises(ImpossibleEventError):
        rig.proxy.party.forward(2, passage, [to("carol")])
    with pytest.raises(ImpossibleEventError):
        rig.proxy.party.refuse(2, passage, 503)


def test_nothing_refers_back_to_a_request_that_is_over() -> None:
    rig = Rig({"bob": [(0, 503)], "carol": [], "dave": [(1, 180), (2, 200)]}).call(until=1000)
    passage = weakref.ref(rig.proxy.events[0].passage)
    gc.disable()
    try:
        rig.proxy.heard.clear()
        assert passage() is None
    finally:
        gc.enable()


# The best response (§16.7) against a plain reading of it.

FINAL = [300, 302, 401, 404, 407, 408, 415, 420, 480, 484, 486, 487, 500, 502, 503, 504, 600, 603]


def plainly(statuses: Sequence[int]) -> set[int]:
    """What §16.7 step 6 lets the caller hear of these answers."""
    if any(status >= 600 for status in statuses):
        return {status for status in statuses if status >= 600}
    for lowest in (3, 4, 5):
        of_class = {status for status in statuses if status // 100 == lowest}
        if of_class & {401, 407, 415, 420, 484}:
            return of_class & {401, 407, 415, 420, 484}
        if of_class == {503}:
            return {500}
        if of_class:
            return of_class - {503}
    raise AssertionError(statuses)


@given(st.lists(st.sampled_from(FINAL), min_size=1, max_size=6))
def test_the_best_response_is_one_that_section_16_7_allows(statuses: list[int]) -> None:
    assert best([Answer(status, Response(status)) for status in statuses]).status in plainly(statuses)


STEPS = st.sampled_from([None, *FINAL])
RINGS = st.booleans()


def expected(targets: Sequence[tuple[bool, int | None]]) -> tuple[list[int], set[int]]:
    """Which targets are tried and what the caller may hear at the end, by the words of S2 and S9 and of §16.7."""
    heard: list[int] = []
    tried = []
    for i, (rings, status) in enumerate(targets):
        tried.append(i)
        if status == 200:
            return tried, {200}
        heard.append(408 if status is None else status)
        if rings or heard[-1] not in (408, 480, 503, 504):
            break
    return tried, plainly(heard)


@given(st.lists(st.tuples(RINGS, st.sampled_from([None, 200, *FINAL])), min_size=1, max_size=5))
def test_random_targets_are_tried_and_answered_as_a_plain_reading_of_the_rules_has_it(
    targets: list[tuple[bool, int | None]],
) -> None:
    behaviour = {
        f"t{i}": [*([(1.0, 180)] if rings else []), *([(2.0, status)] if status is not None else [])]
        for i, (rings, status) in enumerate(targets)
    }
    rig = Rig(dict(behaviour)).call(until=1000)
    tried, allowed = expected(targets)
    assert [i for i in range(len(targets)) if rig.reached(f"t{i}")] == tried
    final = [status for _, status in rig.heard if status >= 200]
    rang_for_ever = targets[tried[-1]] == (True, None)
    assert len(final) == 1
    assert final[0] in ({487} | allowed if rang_for_ever else allowed)


@given(
    st.lists(st.tuples(RINGS, st.sampled_from([None, 200, 408, 486, 503, 603])), min_size=1, max_size=4),
    st.sampled_from([0.0, 1.0, 2.0, 10.0, 11.0, 12.0, 32.0]) | st.floats(0, 60),
    st.sampled_from([0.0, 0.3]),
)
def test_whenever_the_caller_hangs_up_there_is_one_final_response_and_nothing_is_left(
    targets: list[tuple[bool, int | None]], at: float, delay: float
) -> None:
    behaviour = {
        f"t{i}": [*([(1.0, 180)] if rings else []), *([(2.0, status)] if status is not None else [])]
        for i, (rings, status) in enumerate(targets)
    }
    rig = Rig(dict(behaviour))
    rig.network.delay = delay
    rig.cancel_at(at)
    rig.call(until=1000)
    assert len([status for _, status in rig.heard if status >= 200]) == 1
    after = [when for name in behaviour for when in rig.reached(name)[:1] if when > at + delay]
    assert after == [], "once the CANCEL has arrived nobody new is called"
    assert len(rig.proxy.party) == 0
    assert rig.proxy.party.deadline() == inf
