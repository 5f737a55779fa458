"""A message handed over as it was built says what its own bytes say."""

from functools import partial
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from sbc.sip.b2bua import BackToBack
from sbc.sip.bridge import Incoming, Onward
from sbc.sip.ids import Ids
from sbc.sip.message import Fields, Request, Response, parse_head
from sbc.sip.testkit import Link, Network, User, nth
from sbc.sip.typed import TypedHeaders
from sbc.sip.uri import SipUri
from tests import sip_messages as made
from tests.agents import invite, join
from tests.test_sip_b2bua import SBC, locate, phone
from tests.test_sip_properties import TYPED, outcome

HEADERS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["Contact", "m", "Record-Route", "Route"]), made.addresses),
        st.tuples(st.just("Reason"), made.reasons),
        st.tuples(st.sampled_from(["Timestamp", "Supported", "X-Any", "Max-Forwards"]), made.words),
        st.tuples(st.sampled_from(["To", "f", "VIA", "Content-Length"]), made.words),
    ),
    max_size=4,
)
URIS = made.sip_uris | st.just("sip:bob@example.org") | st.just("no uri")


@st.composite
def built(draw: st.DrawFn) -> Request:
    """Requests as they are built, of typed values and of texts that may be wrong."""
    return Request.build(
        draw(st.sampled_from(["INVITE", "BYE", "ACK"])),
        draw(URIS),
        via=draw(made.vias | st.just("SIP/2.0/UDP a.example;branch=z9hG4bK1") | st.just("not a Via")),
        from_=draw(made.addresses | st.just("<sip:a@b>;tag=1")),
        to=draw(made.addresses | st.just("Bob <sip:b@c> ; tag=2") | st.just('"')),
        call_id=draw(made.words | st.just("two words") | st.just(" 1@a ")),
        cseq=draw(st.integers(0, 2**31 - 1)),
        max_forwards=draw(st.integers(0, 300)),
        headers=draw(HEADERS),
        body=draw(made.bodies),
    )


def assert_says_what_is_written(message: Request | Response, order: Random) -> None:
    """Read a message and its bytes in one order or another, and find no difference."""
    again = parse_head(message.encode().partition(b"\r\n\r\n")[0])
    names = [name for name in TYPED if hasattr(Request if isinstance(message, Request) else TypedHeaders, name)]
    order.shuffle(names)
    for name in names:
        assert read(message, name) == read(again, name), name
    assert message.headers == again.headers
    for key in ("via", "from", "to", "call-id", "max-forwards", "record-route", "timestamp", "contact", "x-any"):
        assert message.headers.values(key) == again.headers.values(key)
        assert (key in message.headers) == (key in again.headers)


def read(message: Request | Response, name: str) -> object:
    """A typed value, or why there is none."""
    return outcome(partial(getattr, message, name))


@given(request=built(), order=st.randoms(use_true_random=False))
def test_a_request_says_what_its_bytes_say(request: Request, order: Random) -> None:
    assert_says_what_is_written(request, order)


@given(
    request=built(),
    names=st.lists(st.sampled_from(TYPED)),
    status=st.sampled_from([100, 180, 200, 486]),
    tag=st.none() | made.words,
    headers=HEADERS,
    order=st.randoms(use_true_random=False),
)
def test_a_response_says_what_its_bytes_say_and_is_the_same_for_a_request_that_was_parsed(
    request: Request, names: list[str], status: int, tag: str | None, headers: Fields, order: Random
) -> None:
    parsed = parse_head(request.encode().partition(b"\r\n\r\n")[0])
    assert isinstance(parsed, Request)
    for name in names:
        read(request, name)
    response = Response.answer(request, status, to_tag=tag, headers=headers)
    other = Response.answer(parsed, status, to_tag=tag, headers=headers)
    assert_says_what_is_written(response, order)
    assert_says_what_is_written(other, order)
    assert response.encode() == other.encode()


def traffic(lost: set[int], hangs_up: float, *, on_wire: bool) -> list[tuple[float, Link, bytes, tuple[float, ...]]]:
    """What is sent while alice calls bob through an SBC, some packets being lost."""
    network = Network(delay=0.01, on_wire=on_wire)

    def connect(user: User[BackToBack], event: object) -> None:
        if isinstance(event, Incoming):
            user.party.connect(network.now, event.bridge, [Onward(SipUri("bob.example", "0612345678"))])

    network.join("sbc", BackToBack(SBC, Ids(Random(7).getrandbits), locate), connect)  # noqa: S311 - to be repeatable
    alice = join(network, "alice")
    join(network, "bob", phone((0.1, 180), (1.0, 200)))
    network.drop(nth(*lost))
    call = invite(alice, "sbc")
    network.at(hangs_up, lambda: alice.party.hang_up(network.now, call))
    network.run(until=300.0)
    assert network.idle()
    return [(packet.at, packet.link, packet.message.encode(), packet.arrivals) for packet in network.wire]


@given(lost=st.sets(st.integers(1, 20), max_size=8), hangs_up=st.sampled_from([0.0, 0.05, 0.5, 1.05, 60.0]))
def test_calls_go_alike_whether_messages_are_parsed_or_handed_over(lost: set[int], hangs_up: float) -> None:
    assert traffic(lost, hangs_up, on_wire=False) == traffic(lost, hangs_up, on_wire=True)
