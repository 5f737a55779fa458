"""The registrar endpoint and its location service: what it answers, what it tells, what it forgets."""

from math import inf
from random import Random

import pytest

from sbc.endpoints.registrar import (
    Bound,
    Identity,
    Location,
    Reached,
    RegistrarEndpoint,
    Service,
    SignInRefused,
    Unbound,
)
from sbc.endpoints.wire import Address, Datagram, Path
from sbc.sip import fields
from sbc.sip.ids import Ids
from sbc.sip.message import Request, Response
from sbc.sip.registrar import Terms
from sbc.sip.transaction import Send
from sbc.sip.uri import SipUri

PHONE, TOKYO = Address("192.0.2.7"), Address("192.0.2.10")
AOR = SipUri("tokyo", "agent-7")


class Site:
    """A registrar and what it says."""

    def __init__(self, terms: Terms | None = None, *, signs_in: bool = False) -> None:
        self.location = Location()
        ids = Ids(Random(1).getrandbits)  # noqa: S311 - a test has to be repeatable
        self.endpoint = RegistrarEndpoint(ids, self.location, terms or Terms(), signs_in=lambda user: signs_in)
        self.told: list[object] = []
        self._branch = 0

    def send(
        self, now: float, method: str = "REGISTER", *, data: bytes | None = None, **headers: object
    ) -> list[Response]:
        """Send a request and return the responses."""
        self._branch += 1
        request = Request.build(
            method,
            "sip:tokyo",
            via=f"SIP/2.0/UDP {PHONE};branch=z9hG4bK{self._branch}",
            from_=f"<{AOR}>;tag=1",
            to=f"<{AOR}>",
            call_id="c",
            cseq=self._branch,
            headers=list(headers.items()),
        )
        self.endpoint.receive(now, Datagram(Path(PHONE, TOKYO), None if data else request, data))
        return self.out()

    def register(self, now: float, contact: str = f"<sip:agent-7@{PHONE}>", expires: int = 60) -> Response:
        (response,) = self.send(now, Contact=contact, Expires=expires)
        return response

    def out(self) -> list[Response]:
        responses = []
        for output in self.endpoint.take():
            if isinstance(output, Send):
                assert output.flow == Path(TOKYO, PHONE)
                assert isinstance(output.message, Response)
                responses.append(output.message)
            else:
                self.told.append(output)
        return responses

    def fire(self, now: float) -> None:
        self.endpoint.fire(now)
        assert self.out() == []


def test_a_contact_is_known_from_its_register_until_it_expires_and_others_are_told() -> None:
    site = Site()
    assert site.register(0.0).status == 200
    assert site.told == [Bound("agent-7@tokyo")]
    assert AOR in site.location
    assert site.location.contact_of(AOR) == Reached(SipUri("192.0.2.7", "agent-7", 5060), ())
    assert site.location.contact_of(SipUri("osaka", "agent-7")) is None
    assert site.register(30.0).status == 200
    assert site.told == [Bound("agent-7@tokyo")], "a refresh is no news"
    while site.endpoint.deadline() < 90.0:
        site.fire(site.endpoint.deadline())
    assert len(site.location) == 1
    site.fire(90.0)
    assert site.told == [Bound("agent-7@tokyo"), Unbound("agent-7@tokyo")]
    assert (len(site.location), site.location.contact_of(AOR)) == (0, None)
    assert (len(site.endpoint), site.endpoint.deadline()) == (0, inf)


def test_a_contact_that_is_removed_is_told_of_at_once() -> None:
    site = Site()
    site.register(0.0)
    assert site.register(1.0, expires=0).status == 200
    assert site.told == [Bound("agent-7@tokyo"), Unbound("agent-7@tokyo")]


def test_of_several_contacts_the_preferred_one_is_named_and_its_path() -> None:
    site = Site()
    (response,) = site.send(0.0, Contact="<sip:a@192.0.2.8>;q=0.5, <sip:b@192.0.2.9>", Path="<sip:edge;lr>", Expires=60)
    assert response.status == 200
    reached = site.location.contact_of(AOR)
    assert reached is not None
    assert reached.contact == SipUri("192.0.2.9", "b")
    assert [str(each) for each in reached.path] == ["<sip:edge;lr>"]
    assert isinstance(reached.path[0], fields.Address)


def test_a_copy_of_a_register_is_answered_again_and_counted_once() -> None:
    site = Site(Terms(rate=1.0))
    first = site.send(0.0, Contact="<sip:a@192.0.2.8>")
    site._branch -= 1
    again = site.send(0.5, Contact="<sip:a@192.0.2.8>")
    assert [response.status for response in (*first, *again)] == [200, 200]
    assert site.endpoint.sample(0.6) == 1


def test_above_its_rate_it_asks_to_come_back_later() -> None:
    site = Site(Terms(rate=2.0, retry_after=30))
    answers = [site.register(0.1 * i) for i in range(4)]
    assert [response.status for response in answers] == [200, 200, 503, 503]
    assert [response.retry_after and response.retry_after.seconds for response in answers] == [None, None, 30, 30]
    assert site.endpoint.sample(0.5) == 4


def test_out_of_service_it_takes_nobody_and_keeps_what_it_has() -> None:
    site = Site()
    site.register(0.0)
    site.endpoint.event(1.0, Service(is_open=False))
    refused = site.register(2.0)
    assert (refused.status, refused.retry_after) == (503, None)
    assert AOR in site.location
    site.endpoint.event(3.0, Service(is_open=True))
    assert site.register(4.0).status == 200


@pytest.mark.parametrize("signs_in", [True, False])
def test_while_nobody_can_sign_in_only_those_are_taken_who_need_not_or_are_registered(signs_in: bool) -> None:
    site = Site(signs_in=signs_in)
    site.endpoint.event(0.0, Identity(works=False))
    assert site.register(0.0).status == (503 if signs_in else 200)
    assert [type(report) for report in site.told] == [SignInRefused if signs_in else Bound]
    site.endpoint.event(1.0, Identity(works=True))
    assert site.register(1.0).status == 200
    site.endpoint.event(2.0, Identity(works=False))
    assert site.register(2.0).status == 200


def test_what_it_is_not_for_is_answered_as_the_rfc_says() -> None:
    site = Site()
    assert [response.status for response in site.send(0.0, "OPTIONS")] == [200]
    assert [response.status for response in site.send(0.0, "MESSAGE")] == [405]
    assert [response.status for response in site.send(0.0, "CANCEL")] == [481]
    assert site.send(0.0, data=b"\r\n\r\n") == []
    (bad,) = site.send(0.0, data=b"REGISTER sip:tokyo SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKx\r\n\r\n")
    assert bad.status == 400


def test_one_that_begins_anew_knows_nobody() -> None:
    site = Site()
    site.register(0.0)
    RegistrarEndpoint(Ids(Random(2).getrandbits), site.location, Terms())  # noqa: S311 - likewise
    assert len(site.location) == 0
