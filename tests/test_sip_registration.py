"""Registration: the phone and the registrar against RFC 3261 §10, RFC 5626 and each other."""

import random
from collections.abc import Callable
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbc.decisions.registration import CLIENTS, State
from sbc.sip.digest import Algorithm, DigestClient, DigestServer, secret
from sbc.sip.fields import Via
from sbc.sip.grammar import Params
from sbc.sip.ids import Ids
from sbc.sip.message import Request, Response, parse
from sbc.sip.registrar import Registrar, Terms
from sbc.sip.registration import Down, Register, RegistrationClient, Up
from sbc.sip.uri import SipUri

AOR = SipUri("example.jp", "alice")
CONTACT = SipUri("192.0.2.10", "alice", 5060)
REGISTRARS = [SipUri("tokyo.example.jp"), SipUri("osaka.example.jp")]


def ids(seed: int = 1) -> Ids:
    return Ids(random.Random(seed).getrandbits)  # noqa: S311 # a test has to be repeatable


def phone(**options: object) -> RegistrationClient:
    names = ids()

    def via() -> Via:
        return Via("UDP", "192.0.2.10", 5060, Params([("branch", names.branch())]))

    return RegistrationClient(AOR, CONTACT, options.pop("registrars", REGISTRARS[:1]), names, via, **options)  # type: ignore[arg-type] # options go through as they are


def sent(client: RegistrationClient) -> Request:
    """The one REGISTER that a phone sends now, as it comes off the wire on the other side."""
    [request] = [output.request for output in client.take() if isinstance(output, Register)]
    arrived = parse(request.encode())
    assert arrived == request
    return request


def register(
    contact: str | None = f"<{CONTACT}>", call_id: str = "c1", cseq: int = 1, aor: SipUri = AOR, **fields: object
) -> Request:
    headers = [] if contact is None else [("Contact", contact)]
    return Request.build(
        "REGISTER",
        "sip:example.jp",
        via="SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKx",
        from_=f"<{aor}>;tag=1",
        to=f"<{aor}>",
        call_id=call_id,
        cseq=cseq,
        headers=[*headers, *((name.replace("_", "-"), value) for name, value in fields.items())],
    )


def contacts(response: Response) -> dict[str, int | None]:
    assert response.status == 200
    return {str(each.uri): each.expires for each in response.contacts}


# The registrar: RFC 3261 §10.3, step by step


def test_a_contact_is_kept_until_it_expires_and_the_answer_counts_down() -> None:
    registrar = Registrar(ids())
    assert contacts(registrar.register(0.0, register(Expires=120))) == {str(CONTACT): 120}
    assert contacts(registrar.register(60.5, register(None, cseq=2))) == {str(CONTACT): 60}
    assert [str(binding.contact.uri) for binding in registrar.contacts(119.9, AOR)] == [str(CONTACT)]
    assert registrar.contacts(120.0, AOR) == []
    assert registrar.deadline() == 120.0
    registrar.expire(120.0)
    assert (len(registrar), registrar.deadline()) == (0, inf)


def test_a_contacts_own_expiry_goes_before_the_header_and_both_before_the_default() -> None:
    registrar = Registrar(ids(), Terms(default=900))
    assert contacts(registrar.register(0.0, register("<sip:a@h>;expires=90, <sip:b@h>", Expires=80))) == {
        "sip:a@h": 90,
        "sip:b@h": 80,
    }
    assert contacts(registrar.register(0.0, register("<sip:c@h>", cseq=2)))["sip:c@h"] == 900


def test_too_brief_is_refused_with_the_least_and_too_long_is_cut() -> None:
    registrar = Registrar(ids(), Terms(shortest=60, longest=600))
    refused = registrar.register(0.0, register(Expires=59))
    assert (refused.status, refused.min_expires) == (423, 60)
    assert contacts(registrar.register(0.0, register(Expires=60, cseq=2))) == {str(CONTACT): 60}
    assert contacts(registrar.register(0.0, register(Expires=601, cseq=3))) == {str(CONTACT): 600}


def test_an_hour_is_never_too_brief() -> None:
    registrar = Registrar(ids(), Terms(shortest=7200, longest=7200))
    assert registrar.register(0.0, register(Expires=3599)).status == 423
    assert contacts(registrar.register(0.0, register(Expires=3600, cseq=2))) == {str(CONTACT): 3600}


def test_zero_removes_one_contact_and_a_star_removes_all() -> None:
    registrar = Registrar(ids())
    registrar.register(0.0, register("<sip:a@h>, <sip:b@h>, <sip:c@h>"))
    assert set(contacts(registrar.register(1.0, register("<sip:a@h>;expires=0", cseq=2)))) == {"sip:b@h", "sip:c@h"}
    assert contacts(registrar.register(2.0, register("*", cseq=3, Expires=0))) == {}
    assert len(registrar) == 0


def test_a_star_without_zero_is_a_bad_request() -> None:
    registrar = Registrar(ids())
    registrar.register(0.0, register())
    assert registrar.register(1.0, register("*", cseq=2)).status == 400
    assert registrar.register(1.0, register("*", cseq=3, Expires=60)).status == 400
    assert len(registrar) == 1


def test_an_older_request_of_the_same_phone_changes_nothing_but_another_phone_may() -> None:
    registrar = Registrar(ids())
    registrar.register(0.0, register(cseq=5, Expires=100))
    assert registrar.register(1.0, register(cseq=5, Expires=0)).status == 500
    assert registrar.register(1.0, register("*", cseq=4, Expires=0)).status == 500
    assert len(registrar) == 1
    assert contacts(registrar.register(1.0, register(call_id="c2", cseq=1, Expires=0))) == {}


def test_a_request_is_taken_as_a_whole_or_not_at_all() -> None:
    registrar = Registrar(ids(), Terms(contacts=2))
    assert registrar.register(0.0, register("<sip:a@h>, <sip:b@h>, <sip:c@h>")).status == 403
    assert registrar.register(0.0, register("<sip:a@h>, <sip:b@h>;expires=1")).status == 423
    assert len(registrar) == 0


def test_contacts_come_by_preference_and_equal_uris_are_one_contact() -> None:
    registrar = Registrar(ids())
    registrar.register(0.0, register("<sip:low@h>;q=0.2, <sip:best@h>, <sip:mid@h>;q=0.5"))
    registrar.register(0.0, register("<sip:low@H>;q=0.1", cseq=2))
    assert [str(binding.contact.uri) for binding in registrar.contacts(1.0, AOR)] == [
        "sip:best@h",
        "sip:mid@h",
        "sip:low@H",
    ]


def test_parameters_of_the_address_of_record_do_not_count_and_escapes_are_resolved() -> None:
    registrar = Registrar(ids())
    registrar.register(0.0, register(aor=SipUri("EXAMPLE.jp", "%61lice", params=Params([("x", "1")]))))
    assert len(registrar.contacts(1.0, AOR)) == 1


def test_an_extension_that_is_required_and_unknown_is_named() -> None:
    answer = Registrar(ids()).register(0.0, register(Require="outbound, path"))
    assert (answer.status, answer.unsupported) == (420, frozenset(["outbound"]))


def test_an_address_of_record_that_is_unknown_is_not_found() -> None:
    assert Registrar(ids(), knows=lambda user: user == "bob").register(0.0, register()).status == 404


def test_a_malformed_contact_is_a_bad_request() -> None:
    assert Registrar(ids()).register(0.0, register("<sip:a@h")).status == 400


def test_above_its_rate_a_registrar_is_busy_and_says_for_how_long() -> None:
    registrar = Registrar(ids(), Terms(rate=2.0, retry_after=30))
    answers = [registrar.register(i / 10, register(call_id=f"c{i}", contact=f"<sip:p{i}@h>")) for i in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 503]
    assert answers[2].retry_after is not None
    assert answers[2].retry_after.seconds == 30


def test_a_full_registrar_is_busy_until_contacts_expire() -> None:
    registrar = Registrar(ids(), Terms(bindings=1))
    assert registrar.register(0.0, register("<sip:a@h>", Expires=60)).status == 200
    assert registrar.register(1.0, register("<sip:b@h>", call_id="c2", Expires=60)).status == 503
    assert registrar.register(60.0, register("<sip:b@h>", call_id="c2", cseq=2, Expires=60)).status == 200


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 2), st.sampled_from([0, 60, 61, 300]), st.floats(0, 40)),
        max_size=40,
    )
)
def test_what_a_registrar_holds_is_what_a_plain_table_would(history: list[tuple[int, int, int, float]]) -> None:
    registrar, table, now = Registrar(ids()), dict[tuple[int, int], float](), 0.0
    for cseq, (user, contact, expires, pause) in enumerate(history):
        now += pause
        aor = SipUri("example.jp", f"u{user}")
        registrar.register(now, register(f"<sip:p{contact}@h>", cseq=cseq, aor=aor, Expires=expires))
        table[user, contact] = now + expires
        table = {key: at for key, at in table.items() if at > now}
        for each in range(4):
            held = registrar.contacts(now, SipUri("example.jp", f"u{each}"))
            assert {str(binding.contact.uri): binding.expires_at for binding in held} == {
                f"sip:p{where}@h": at for (whose, where), at in table.items() if whose == each
            }
        assert len(registrar) == len(table)
        assert registrar.deadline() <= min(table.values(), default=inf)


# The phone


def accept(client: RegistrationClient, now: float, request: Request, expires: int = 300) -> None:
    headers = [("Contact", f"<{CONTACT}>;expires={expires}")]
    client.answered(now, request, Response.answer(request, 200, to_tag="t", headers=headers))


def test_a_phone_refreshes_at_half_the_expiry_that_was_granted() -> None:
    client = phone(expires=300)
    client.set(0.0)
    client.fire(0.0)
    first = sent(client)
    assert (first.expires, str(first.contacts[0].uri), first.uri_text) == (300, str(CONTACT), "sip:tokyo.example.jp")
    accept(client, 0.1, first, expires=120)
    assert client.take() == [Up(0, 120)]
    assert client.deadline() == pytest.approx(60.1)
    client.fire(60.0)
    assert client.take() == []
    client.fire(60.1)
    again = sent(client)
    assert (again.call_id, again.cseq.number, again.from_) == (first.call_id, first.cseq.number + 1, first.from_)
    assert again.via.branch != first.via.branch


def test_a_challenge_is_answered_at_once_and_a_wrong_password_is_a_failure() -> None:
    guard = DigestServer(
        "example.jp", b"key", lambda user, algorithm: secret(algorithm, user, "example.jp", "right"),
        algorithms=[Algorithm.SHA_256],
    )  # fmt: skip
    for password, state in (("right", State.REGISTERED), ("wrong", State.WAITING)):
        registrar = Registrar(ids(2), guard=guard)
        client = phone(login=DigestClient("alice", password))
        client.set(0.0)
        client.fire(0.0)
        for _ in range(2):
            request = sent(client)
            client.answered(0.0, request, registrar.register(0.0, request))
        assert client.state is state


def test_somebody_else_may_not_register_for_alice() -> None:
    guard = DigestServer("example.jp", b"key", lambda user, algorithm: secret(algorithm, user, "example.jp", "x"))
    registrar = Registrar(ids(2), guard=guard)
    client = phone(login=DigestClient("mallory", "x"))
    client.set(0.0)
    client.fire(0.0)
    first = sent(client)
    client.answered(0.0, first, registrar.register(0.0, first))
    assert registrar.register(0.0, sent(client)).status == 403


def test_a_registrar_that_never_stops_challenging_is_left_alone() -> None:
    client = phone(login=DigestClient("alice", "x"))
    client.set(0.0)
    client.fire(0.0)
    for i in range(4):
        request = sent(client)
        offer = f'Digest realm="r", nonce="{i}", stale=true, qop="auth"'
        client.answered(0.0, request, Response.answer(request, 401, headers=[("WWW-Authenticate", offer)]))
    assert client.state is State.WAITING
    assert client.take() == []


def test_a_phone_that_asks_for_too_little_asks_for_what_the_registrar_wants() -> None:
    registrar, client = Registrar(ids(2), Terms(shortest=600)), phone(expires=60)
    client.set(0.0)
    client.fire(0.0)
    first = sent(client)
    client.answered(0.0, first, registrar.register(0.0, first))
    second = sent(client)
    assert second.expires == 600
    client.answered(0.0, second, registrar.register(0.0, second))
    assert client.take() == [Up(0, 600)]


def refuse(client: RegistrationClient, now: float, request: Request, status: int = 503, **headers: object) -> None:
    fields = [(name.replace("_", "-"), value) for name, value in headers.items()]
    client.answered(now, request, Response.answer(request, status, to_tag="t", headers=fields))


def silence(client: RegistrationClient, now: float, request: Request) -> None:
    client.unanswered(now, request)


@pytest.mark.parametrize("fails", [refuse, silence])
def test_a_503_and_silence_lead_on_to_the_next_registrar_and_back_only_after_a_pause(
    fails: Callable[[RegistrationClient, float, Request], None],
) -> None:
    client = phone(registrars=REGISTRARS, client=CLIENTS["audiocodes"])
    client.set(0.0)
    client.fire(0.0)
    fails(client, 1.0, sent(client))
    outputs = client.take()
    assert [type(output) for output in outputs] == [Down, Register]
    assert isinstance(outputs[1], Register)
    assert (outputs[1].registrar, outputs[1].request.uri_text) == (1, "sip:osaka.example.jp")
    fails(client, 2.0, outputs[1].request)
    assert client.take() == []
    assert client.deadline() == 2.0 + 32.0  # S12


def test_another_refusal_does_not_lead_on() -> None:
    client = phone(registrars=REGISTRARS)
    client.set(0.0)
    client.fire(0.0)
    refuse(client, 1.0, sent(client), status=403)
    assert client.take() == []


def test_retry_after_passes_before_the_pause_of_the_client_begins() -> None:
    for asked, due in ((120, 1.0 + 120 + 32), (5, 1.0 + 5 + 32)):
        client = phone(client=CLIENTS["audiocodes"])
        client.set(0.0)
        client.fire(0.0)
        refuse(client, 1.0, sent(client), Retry_After=asked)
        assert client.deadline() == due


def test_rfc_5626_doubles_the_pause_up_to_half_an_hour_and_draws_from_its_upper_half() -> None:
    client, now = phone(client=CLIENTS["rfc5626"]), 0.0
    client.set(now)
    for longest in (60, 120, 240, 480, 960, 1800, 1800):  # S4: min(1800, 30 x 2^n)
        client.fire(now)
        failed = now + 32.0
        silence(client, failed, sent(client))
        now = client.deadline()
        assert failed + longest / 2 <= now <= failed + longest


@pytest.mark.parametrize(("fails", "base"), [(refuse, 90), (silence, 30)])
def test_whether_a_flow_is_left_by_rfc_5626_says_an_answer_even_a_refusal(
    fails: Callable[[RegistrationClient, float, Request], None], base: int
) -> None:
    """§4.5: the first wait is from the upper half of 2 x 90 s while a flow works, of 2 x 30 s when none does."""
    client = phone(client=CLIENTS["rfc5626"])
    client.set(0.0)
    client.fire(0.0)
    accept(client, 0.0, sent(client))
    client.take()
    client.fire(client.deadline())
    fails(client, 200.0, sent(client))
    assert 200.0 + base <= client.deadline() <= 200.0 + 2 * base


def test_waits_are_spread_over_a_time_of_their_own() -> None:
    """S13: the 32 s of the client, and up to 20 s more."""
    client, waits, now = phone(client=CLIENTS["audiocodes"], spread=20.0), [], 0.0
    client.set(now)
    for _ in range(50):
        client.fire(now)
        silence(client, now + 32.0, sent(client))
        waits.append(client.deadline() - now - 32.0)
        now = client.deadline()
    assert 32.0 <= min(waits) < 36.0
    assert 48.0 < max(waits) < 52.0


def test_a_phone_that_is_set_to_other_registrars_asks_the_first_of_them_when_it_is_told_to() -> None:
    client = phone(registrars=REGISTRARS, client=CLIENTS["asterisk"])
    client.set(0.0)
    client.sign_out(1.0)
    client.take()
    client.set(2.0, [SipUri("nagoya.example.jp")], after=5.0)
    assert client.deadline() == 7.0
    client.fire(7.0)
    request = sent(client)
    assert (request.uri_text, str(request.to.uri)) == ("sip:nagoya.example.jp", str(AOR))
    refuse(client, 8.0, request)
    assert client.take() == [], "there is no other"


def test_each_registrar_may_have_a_domain_of_its_own() -> None:
    client = phone(registrars=REGISTRARS, domains=True)
    client.set(0.0)
    client.fire(0.0)
    first = sent(client)
    assert (str(first.to.uri), str(first.from_.uri)) == ("sip:alice@tokyo.example.jp",) * 2
    refuse(client, 1.0, first)
    second = sent(client)
    assert (str(second.to.uri), second.from_.tag) == ("sip:alice@osaka.example.jp", first.from_.tag)


def test_who_listens_hears_of_contacts_when_they_change_and_when_the_last_is_gone() -> None:
    heard: list[tuple[object, int]] = []
    registrar = Registrar(ids(), Terms(rate=1.0), stored=lambda key, bindings: heard.append((key, len(bindings))))
    alice = ("alice", "example.jp")
    assert registrar.register(-5.0, register(Expires=60), limited=False).status == 200
    assert registrar.register(-5.0, register("<sip:b@h>", cseq=2, Expires=90), limited=False).status == 200
    assert registrar.sample(0.0) == 0
    registrar.expire(55.0)
    registrar.expire(85.0)
    assert heard == [(alice, 1), (alice, 2), (alice, 1), (alice, 0)]


def test_a_late_answer_to_a_request_given_up_counts_for_nothing() -> None:
    client = phone(registrars=REGISTRARS)
    client.set(0.0)
    client.fire(0.0)
    first = sent(client)
    silence(client, 32.0, first)
    client.take()
    accept(client, 33.0, first)
    assert client.state is State.REGISTERING
    assert client.take() == []


def test_signing_out_takes_the_contact_away_at_the_registrar() -> None:
    registrar, client = Registrar(ids(2)), phone()
    client.set(0.0)
    client.fire(0.0)
    first = sent(client)
    client.answered(0.0, first, registrar.register(0.0, first))
    assert len(registrar.contacts(1.0, AOR)) == 1
    client.take()
    client.sign_out(1.0)
    last = sent(client)
    client.answered(1.0, last, registrar.register(1.0, last))
    assert registrar.contacts(1.0, AOR) == []
    assert (client.state, client.deadline(), client.take()) == (State.OFF, inf, [])


def test_signing_out_answers_a_challenge_too() -> None:
    client = phone(login=DigestClient("alice", "x"))
    client.set(0.0)
    client.fire(0.0)
    accept(client, 0.0, sent(client))
    client.take()
    client.sign_out(1.0)
    request = sent(client)
    offer = 'Digest realm="r", nonce="n", qop="auth"'
    client.answered(1.0, request, Response.answer(request, 401, headers=[("WWW-Authenticate", offer)]))
    again = sent(client)
    assert (again.expires, "Authorization" in again.headers) == (0, True)


def test_only_a_phone_that_keeps_a_connection_notices_that_it_breaks() -> None:
    for name, state in (("jssip", State.WAITING), ("plain", State.REGISTERED)):
        client = phone(client=CLIENTS[name])
        client.set(0.0)
        client.fire(0.0)
        accept(client, 0.0, sent(client))
        client.disconnected(10.0)
        assert client.state is state
