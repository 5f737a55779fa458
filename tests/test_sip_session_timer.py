"""The session timer: what two sides agree on against RFC 4028 §7 to §9, and when it fires against S5's arithmetic."""

import pytest

from sbc.decisions.session import expires_in, hang_up_after, refresh_after
from sbc.sip.message import Response
from sbc.sip.session_timer import Terms, Timing, asked, grant, granted, is_too_short, settled
from sbc.sip.testkit import Network, User, new_request, request, sent_by
from sbc.sip.transaction import RequestReceived
from sbc.sip.transactions import Transactions
from sbc.sip.usage import Event, State
from tests.agents import invite, join
from tests.test_sip_agent import answering, at, call_of, ended

TIMER = ("Supported", "timer")


def expires(value: str) -> tuple[str, object]:
    return ("Session-Expires", value)


# RFC 4028 table 2: does the caller know the timer, whom does it name, who refreshes; the callee never asks a caller
# that does not know.
@pytest.mark.parametrize(
    ("headers", "terms"),
    [
        ([expires("1800")], Terms(1800, ours=True)),
        ([TIMER, expires("1800")], Terms(1800, ours=False)),
        ([TIMER, expires("1800;refresher=uac")], Terms(1800, ours=False)),
        ([TIMER, expires("1800;refresher=uas")], Terms(1800, ours=True)),
        ([TIMER, expires("3600")], Terms(1800, ours=False)),  # made shorter
        ([TIMER, expires("3600"), ("Min-SE", "2000")], Terms(2000, ours=False)),  # but not below theirs
        ([TIMER, expires("600")], Terms(600, ours=False)),
        ([TIMER], Terms(1800, ours=False)),
        ([], Terms(1800, ours=True)),
        ([expires("80")], Terms(90, ours=True)),  # who does not know it would not understand a 422
    ],
)
def test_who_is_called_accepts_on_the_terms_of_table_2(headers: list[tuple[str, object]], terms: Terms) -> None:
    assert granted(Timing(1800, 90), new_request("INVITE", "alice", "bob", headers=headers)) == terms


def test_who_wants_no_timer_accepts_that_of_the_other_side() -> None:
    wish = new_request("INVITE", "alice", "bob", headers=[TIMER, expires("600")])
    assert granted(Timing(None), wish) == Terms(600, ours=False)
    assert granted(Timing(None), new_request("INVITE", "alice", "bob")) is None
    assert asked(Timing(None)) == []


@pytest.mark.parametrize(("seconds", "knows", "refused"), [(299, True, True), (300, True, False), (299, False, False)])
def test_a_short_interval_is_refused_to_who_knows_the_timer(seconds: int, knows: bool, refused: bool) -> None:
    headers = [expires(str(seconds)), *([TIMER] if knows else [])]
    assert is_too_short(Timing(1800, 300), new_request("INVITE", "alice", "bob", headers=headers)) is refused


@pytest.mark.parametrize("ours", [True, False])
def test_both_sides_have_the_same_terms_after_the_2xx(ours: bool) -> None:
    came = new_request("INVITE", "alice", "bob")
    reply = Response.answer(came, 200, headers=grant(Terms(1800, ours)))
    assert settled(reply) == Terms(1800, not ours)
    assert ("timer" in reply.require) is not ours, "whoever has to refresh must know how"
    assert settled(Response.answer(came, 200)) is None


@pytest.mark.parametrize("ours", [True, False])
def test_a_refresh_keeps_its_refresher(ours: bool) -> None:
    fields = asked(Timing(), Terms(600, ours))
    assert fields == [expires(f"600;refresher={'uac' if ours else 'uas'}")] or str(fields[0][1]) == (
        f"600;refresher={'uac' if ours else 'uas'}"
    )


@pytest.mark.parametrize(
    ("timing", "least", "then"),
    [
        (Timing(1800, 90), 3600, Timing(3600, 3600)),
        (Timing(1800, 90), 1800, None),  # that was asked for already
        (Timing(None, 90), 3600, None),
    ],
)
def test_after_a_422_the_interval_asked_for_is_its_min_se(timing: Timing, least: int, then: Timing | None) -> None:
    refusal = Response.answer(new_request("INVITE", "alice", "bob"), 422, headers=[("Min-SE", least)])
    assert timing.after(refusal) == then
    assert timing.after(Response.answer(new_request("INVITE", "alice", "bob"), 422)) is None


@pytest.mark.parametrize(("interval", "refresh", "hang_up"), [(1800, 900, 1768), (90, 45, 60), (96, 48, 64)])
def test_half_the_interval_and_32_s_or_a_third_before_its_end(interval: int, refresh: float, hang_up: float) -> None:
    assert (refresh_after(interval), hang_up_after(interval)) == (refresh, hang_up)


D = 0.01


def timed(interval: int, callee: int | None = None) -> tuple[Network, User, User]:  # type: ignore[type-arg]
    network = Network(D)
    alice = join(network, "alice", answering(), timing=Timing(interval))
    bob = join(network, "bob", answering(ring=False), timing=Timing(callee or interval))
    return network, alice, bob


def test_the_caller_refreshes_at_every_half_and_nobody_is_told() -> None:
    network, alice, bob = timed(1800)
    call = invite(alice, "bob")
    network.run(2000.0)
    assert at(network, "alice", "INVITE") == [0.0, 900.02, 1800.04]
    assert call.state is call_of(bob).state is State.UP
    assert len(alice.events) == 1
    assert len(bob.events) == 2


def test_the_shorter_interval_counts() -> None:
    network, alice, bob = timed(1800, callee=600)
    invite(alice, "bob")
    network.run(400.0)
    assert at(network, "alice", "INVITE") == [0.0, 300.02]
    assert call_of(bob).terms == Terms(600, ours=False)


@pytest.mark.parametrize("up", [100.0, 1000.0, 2000.0])
def test_a_side_that_waits_in_vain_hangs_up_when_the_calls_engine_says(up: float) -> None:
    network, alice, bob = timed(1800)
    invite(alice, "bob")
    network.at(up, lambda: network.cut("alice", "bob"))
    network.run(6000.0)
    # Each refresh comes a round trip later than the last, as the timer starts with the 2xx.
    refreshes = up // 900
    assert ended(bob) == [(round(D + up + expires_in(1800, up) + 2 * D * refreshes, 6), Event.EXPIRED)]


def test_a_side_whose_refresh_is_not_answered_hangs_up_after_timer_b() -> None:
    network, alice, _ = timed(1800)
    invite(alice, "bob")
    network.at(100.0, lambda: network.cut("alice", "bob"))
    network.run(6000.0)
    assert ended(alice) == [(932.02, Event.GONE)]
    assert network.idle()


def test_a_refresh_that_is_refused_is_tried_again_until_the_session_has_expired() -> None:
    def accept_once(user: User[Transactions], event: object) -> None:
        if isinstance(event, RequestReceived):
            status = 500 if event.request.method == "INVITE" and event.request.to.tag else 200
            fields = [("Contact", "<sip:bob@bob.example>"), expires("1800;refresher=uac")] if status == 200 else []
            user.party.respond(
                user.network.now,
                event.transaction,
                Response.answer(event.request, status, to_tag="bob", headers=fields),
            )

    network = Network(D)
    alice = join(network, "alice")
    network.join("bob", Transactions(), accept_once)
    invite(alice, "bob")
    network.run(4000.0)
    assert at(network, "alice", "INVITE") == [0.0, 900.02, 1117.02, 1334.02, 1551.02]
    assert ended(alice) == [(1768.02, Event.EXPIRED)]
    assert network.idle()


def test_a_422_is_answered_by_the_same_invite_with_a_longer_interval() -> None:
    network = Network(D)
    alice = join(network, "alice", timing=Timing(600))
    bob = join(network, "bob", answering(ring=False), timing=Timing(1800, 900))
    call = invite(alice, "bob")
    network.run(1.0)
    first, again = [packet.message for packet in network.sent("alice", request("INVITE"))]
    assert (first.cseq.number, again.cseq.number) == (1, 2)
    assert first.call_id == again.call_id
    assert again.session_expires is not None
    assert (again.session_expires.seconds, again.min_se) == (900, 900)
    assert call.state is call_of(bob).state is State.UP
    assert call.terms == Terms(900, ours=True)
    assert [packet.what for packet in network.wire if sent_by("bob")(packet)] == ["422 INVITE", "200 INVITE"]
