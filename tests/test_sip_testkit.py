"""The network in memory: what it does to packets, and that its clock and records are right."""

import re

import pytest

from sbc.sip import testkit
from sbc.sip.message import Response
from sbc.sip.testkit import (
    Link,
    Network,
    User,
    answer,
    anything,
    new_request,
    nth,
    request,
    response,
    sent_by,
)
from sbc.sip.transaction import RequestReceived, ResponseReceived, TimedOut, TransportFailed
from sbc.sip.transactions import Transactions

OPTIONS = new_request("OPTIONS", "alice", "bob")


def pair(delay: float = 0.0, *statuses: int) -> tuple[Network, User[Transactions], User[Transactions]]:
    network = Network(delay)
    alice = network.join("alice", Transactions())
    return network, alice, network.join("bob", Transactions(), answer(*statuses))


def heard(user: User[Transactions], kind: type) -> list[float]:
    return [each.at for each in user.heard if isinstance(each.event, kind)]


def test_the_example_of_the_module_does_what_it_says() -> None:
    code = re.search(r"::\n\n(.*?)\n\n\S", testkit.__doc__ or "", re.DOTALL)
    assert code
    exec(re.sub("^    ", "", code[1], flags=re.MULTILINE), vars(testkit) | {"ResponseReceived": ResponseReceived})  # noqa: S102


def test_a_packet_takes_the_delay_of_the_network_and_is_written_and_parsed_on_the_way() -> None:
    network, alice, bob = pair(0.25, 200)
    alice.party.request(network.now, alice.to("bob"), OPTIONS)
    network.run(1.0)
    assert (heard(bob, RequestReceived), heard(alice, ResponseReceived)) == ([0.25], [0.5])
    (event,) = bob.events[:1]
    assert event.request == OPTIONS
    assert event.request is not OPTIONS
    assert network.now == 1.0


def test_what_arrives_when_a_timer_is_due_comes_before_it() -> None:
    network, alice, _ = pair(0.25, 200)
    alice.party.request(network.now, alice.to("bob"), OPTIONS)
    network.run(4.0)
    assert (heard(alice, ResponseReceived), network.times("alice")) == ([0.5], [0.0])


def test_dropped_packets_do_not_arrive_and_are_on_record_as_lost() -> None:
    network, alice, _ = pair(0.0, 200)
    network.drop(nth(1, 3, when=request("OPTIONS")))
    network.drop(response(200))
    alice.party.request(network.now, alice.to("bob"), OPTIONS)
    network.run(3.5)
    assert [packet.arrivals for packet in network.sent("alice")] == [(), (0.5,), (), (3.5,)]
    assert [packet.arrivals for packet in network.sent("bob")] == [(), ()]
    assert "     1.500  alice -> bob  OPTIONS  lost\n" in network.ladder()
    assert network.times("bob", response(200)) == [0.5, 3.5]


def test_duplicates_arrive_twice_and_held_packets_are_overtaken() -> None:
    network = Network()
    alice = network.join("alice", Transactions())
    bob = network.join("bob", Transactions())
    network.duplicate(request("OPTIONS"), after=0.1)
    network.hold(nth(1), 0.3)
    alice.party.request(network.now, alice.to("bob"), OPTIONS)
    network.settle()
    alice.party.request(network.now, alice.to("bob"), new_request("INFO", "alice", "bob", branch="z9hG4bK2"))
    network.run(0.45)
    assert [packet.arrivals for packet in network.wire] == [(0.3, 0.4), (0.0,)]
    assert [each.event.request.method for each in bob.heard] == ["INFO", "OPTIONS"]


def test_any_other_fate_can_be_given_by_a_rule() -> None:
    network, alice, _ = pair()
    network.treat(lambda packet, delays: [0.125] * 3 if sent_by("alice")(packet) else delays)
    alice.party.request(network.now, alice.to("bob"), OPTIONS)
    network.settle()
    assert network.wire[0].arrivals == (0.125, 0.125, 0.125)


def test_rules_leave_reliable_links_alone() -> None:
    network, alice, bob = pair(0.0, 200)
    network.drop(anything)
    alice.party.request(network.now, alice.to("bob", reliable=True), OPTIONS)
    network.settle()
    assert len(bob.heard) == 2
    assert heard(alice, ResponseReceived) == [0.0]


def test_a_cut_link_swallows_datagrams_and_breaks_reliable_flows_until_it_is_healed() -> None:
    network, alice, bob = pair(0.5)
    alice.party.request(network.now, alice.to("bob", reliable=True), OPTIONS)
    network.run(0.25)
    network.cut("alice", "bob")
    network.settle()
    assert heard(alice, TransportFailed) == [0.25]
    alice.party.request(network.now, alice.to("bob", reliable=True), OPTIONS)
    alice.party.request(network.now, alice.to("bob"), new_request("OPTIONS", "alice", "bob", branch="z9hG4bKu"))
    network.run(1.0)
    assert heard(alice, TransportFailed) == [0.25, 0.25]
    assert bob.heard == [], "what was under way is lost as well"
    network.heal("alice", "bob")
    network.run(3.0)
    assert heard(bob, RequestReceived) == [2.25], "the copy that was sent after 1.5 s"


def test_a_host_without_the_party_refuses_and_the_sender_hears_of_it_after_a_round_trip() -> None:
    network, alice, _ = pair(0.05)
    network.refuse("bob")
    alice.party.request(network.now, alice.to("bob"), OPTIONS)
    network.run(1.0)
    assert heard(alice, TransportFailed) == [0.1]


def test_actions_happen_at_their_time_and_never_in_the_past() -> None:
    network, alice, _ = pair()
    times: list[float] = []
    network.at(2.0, lambda: times.append(network.now))
    network.run(1.0)
    network.at(0.5, lambda: times.append(network.now))
    assert not network.idle()
    network.run(5.0)
    assert times == [1.0, 2.0]
    assert network.idle()
    alice.party.request(network.now, alice.to("bob"), OPTIONS)
    assert not network.idle()
    network.run(5.0 + 31.999)
    assert heard(alice, TimedOut) == []
    network.run(5.0 + 32.0)
    assert heard(alice, TimedOut) == [37.0]


def test_a_user_can_answer_later() -> None:
    network = Network()
    alice = network.join("alice", Transactions())

    def ring(user: User[Transactions], event: object) -> None:
        if isinstance(event, RequestReceived):
            ok = Response.answer(event.request, 200, to_tag="bob")
            network.at(network.now + 7.0, lambda: user.party.respond(network.now, event.transaction, ok))

    network.join("bob", Transactions(), ring)
    alice.party.request(network.now, alice.to("bob"), new_request("INVITE", "alice", "bob"))
    network.run(10.0)
    assert [each.at for each in alice.heard] == [0.2, 7.0]


def test_a_party_that_sends_elsewhere_is_told_so() -> None:
    network, alice, _ = pair()
    alice.party.request(network.now, Link("alice", "bob")._replace(target="nobody"), OPTIONS)
    with pytest.raises(KeyError, match="nobody"):
        network.run(1.0)
