"""Digest authentication against the examples of the RFCs, another implementation, and hand-made abuses."""

import pytest
from aiosipua.auth import SipDigestAuth, build_credentials
from aiosipua.headers import parse_auth as parse_auth_of_aiosipua
from hypothesis import given
from hypothesis import strategies as st

from sbc.sip.digest import Algorithm, Answer, Challenge, DigestClient, DigestServer, Judgement, secret
from sbc.sip.errors import ParseError
from sbc.sip.fields import parse_auth
from sbc.sip.message import Request, Response

USER, PASSWORD, REALM = "alice", "secret", "example.jp"
KEY = b"the key of the server"
TEXT = st.text(st.characters(min_codepoint=0x20, exclude_characters="\x7f", exclude_categories=["Cs"]), max_size=20)


def request(method: str = "REGISTER", uri: str = "sip:example.jp") -> Request:
    return Request.build(
        method, uri, via="SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa", from_="<sip:alice@example.jp>;tag=1",
        to="<sip:alice@example.jp>", call_id="c", cseq=1,
    )  # fmt: skip


def challenge_response(*challenges: object, status: int = 401) -> Response:
    field = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    return Response.answer(request(), status, headers=[(field, each) for each in challenges])


def server(**options: object) -> DigestServer:
    def secrets(username: str, algorithm: Algorithm) -> str | None:
        return secret(algorithm, USER, REALM, PASSWORD) if username == USER else None

    return DigestServer(REALM, KEY, secrets, **options)  # type: ignore[arg-type] # options go through as they are


def answered(now: float, guard: DigestServer, client: DigestClient, salt: str = "salt") -> Request:
    client.take(request(), challenge_response(*guard.challenges(now, salt)))
    return client.authorize(request(), "cnonce")


# The computation


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        (Algorithm.MD5, "8ca523f5e9506fed4657c9700eebdbec"),
        (Algorithm.SHA_256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc_7616_section_3_9_1(algorithm: Algorithm, response: str) -> None:
    answer = Answer(
        "GET",
        "/dir/index.html",
        "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        "00000001",
    )
    kept = secret(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life")
    assert answer.response(algorithm, kept) == response


def test_the_example_of_rfc_2617_section_3_5() -> None:
    answer = Answer("GET", "/dir/index.html", "dcd98b7102dd2f0e8b11d0f600bfb0c093", "0a4f113b", "00000001")
    kept = secret(Algorithm.MD5, "Mufasa", "testrealm@host.com", "Circle Of Life")
    assert answer.response(Algorithm.MD5, kept) == "6629fae49393a05397450978507c4ef1"


def test_without_a_quality_of_protection_the_response_is_that_of_rfc_2069() -> None:
    answer = Answer("GET", "/dir/index.html", "dcd98b7102dd2f0e8b11d0f600bfb0c093")
    kept = secret(Algorithm.MD5, "Mufasa", "testrealm@host.com", "CircleOfLife")
    assert answer.response(Algorithm.MD5, kept) == "1949323746fe6a43ef61f9606e7febea"  # section 2.4, erratum 749


def test_sha_512_256_is_not_sha_512_cut_short() -> None:
    """FIPS 180-4, appendix C: SHA-512/256 of "abc"."""
    assert Algorithm.SHA_512_256.digest("abc") == "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"


def test_a_session_hashes_the_secret_again_with_both_nonces() -> None:
    plain, session = Algorithm.MD5, Algorithm.MD5_SESS
    again = plain.digest(secret(plain, USER, REALM, PASSWORD), "nonce", "cnonce")
    expected = plain.digest(again, "nonce", "00000001", "cnonce", "auth", plain.digest("REGISTER", "sip:a"))
    answer = Answer("REGISTER", "sip:a", "nonce", "cnonce", "00000001")
    assert answer.response(session, secret(session, USER, REALM, PASSWORD)) == expected


@given(
    user=TEXT, password=TEXT, realm=TEXT, nonce=TEXT.filter(len), cnonce=TEXT, opaque=st.none() | TEXT,
    algorithm=st.sampled_from([Algorithm.MD5, Algorithm.SHA_256]), qop=st.sampled_from([None, "auth", "auth,auth-int"]),
)  # fmt: skip
def test_credentials_are_those_of_another_implementation(
    user: str,
    password: str,
    realm: str,
    nonce: str,
    cnonce: str,
    opaque: str | None,
    algorithm: Algorithm,
    qop: str | None,
) -> None:
    challenge = Challenge(realm, nonce, algorithm, opaque, qop=qop is not None)
    client = DigestClient(user, password)
    assert client.take(request(), challenge_response(challenge))
    ours = client.authorize(request(), cnonce).auth("Authorization")[0].params
    text = str(challenge) if qop is None else str(challenge).replace('qop="auth"', f'qop="{qop}"')
    # Theirs reads no escapes in quoted strings, so the comparison goes by values, not by the text on the wire.
    read = parse_auth_of_aiosipua(text)
    read.params.update(parse_auth(text).params)
    theirs = build_credentials(SipDigestAuth(user, password), read, "REGISTER", "sip:example.jp", cnonce=cnonce)
    assert theirs is not None
    assert dict(ours) == theirs.params


# The client


def test_the_first_challenge_that_can_be_answered_is_taken_and_the_others_of_its_realm_are_not() -> None:
    client = DigestClient(USER, PASSWORD)
    offers = [
        'Digest realm="r", nonce="n0", algorithm=SHA-1024, qop="auth"',
        'Bearer realm="r"',
        'Digest realm="r", nonce="n1", algorithm=SHA-512-256, qop="auth-int"',
        'Digest realm="r", nonce="n2", algorithm=SHA-256, qop="auth"',
        'Digest realm="r", nonce="n3", qop="auth"',
    ]
    assert client.take(request(), challenge_response(*offers))
    [value] = client.authorize(request(), "c").auth("Authorization")
    assert (value.params["nonce"], value.params["algorithm"]) == ("n2", "SHA-256")


def test_a_challenge_that_names_no_algorithm_gets_credentials_that_name_none() -> None:
    client = DigestClient(USER, PASSWORD)
    assert client.take(request(), challenge_response('Digest realm="r", nonce="n", qop="auth"'))
    assert "algorithm" not in client.authorize(request(), "c").auth("Authorization")[0].params


def test_a_proxy_and_a_registrar_are_answered_side_by_side_with_a_count_of_their_own() -> None:
    client = DigestClient(USER, PASSWORD)
    assert client.take(request(), challenge_response('Digest realm="p", nonce="n", qop="auth"', status=407))
    first = client.authorize(request(), "c")
    assert client.take(first, challenge_response('Digest realm="r", nonce="m", qop="auth"'))
    second = client.authorize(request(), "c")
    assert second.auth("Proxy-Authorization")[0].params["nc"] == "00000002"
    assert second.auth("Authorization")[0].params["nc"] == "00000001"


def test_a_password_meant_for_one_realm_is_not_given_to_another() -> None:
    client = DigestClient(USER, PASSWORD, realm="r")
    assert not client.take(request(), challenge_response('Digest realm="other", nonce="n"'))
    assert "Authorization" not in client.authorize(request(), "c").headers


def test_an_answer_that_was_refused_is_not_sent_again() -> None:
    client = DigestClient(USER, PASSWORD)
    assert client.take(request(), challenge_response('Digest realm="r", nonce="n", qop="auth"'))
    sent = client.authorize(request(), "c")
    assert not client.take(sent, challenge_response('Digest realm="r", nonce="m", qop="auth"'))
    assert "Authorization" not in client.authorize(request(), "c").headers


@pytest.mark.parametrize(("nonce", "again"), [("m", True), ("n", False)])
def test_a_stale_nonce_is_worth_another_try_only_with_a_new_one(nonce: str, again: bool) -> None:
    client = DigestClient(USER, PASSWORD)
    assert client.take(request(), challenge_response('Digest realm="r", nonce="n", qop="auth"'))
    sent = client.authorize(request(), "c")
    assert client.take(sent, challenge_response(f'Digest realm="r", nonce="{nonce}", stale=TRUE, qop="auth"')) is again


@pytest.mark.parametrize("missing", ["realm", "nonce"])
def test_a_challenge_that_lacks_something_is_an_error(missing: str) -> None:
    params = {"realm": '"r"', "nonce": '"n"'}
    del params[missing]
    text = "Digest " + ", ".join(f"{name}={value}" for name, value in params.items())
    with pytest.raises(ParseError, match=f"without {missing}"):
        DigestClient(USER, PASSWORD).take(request(), challenge_response(text))


# The server


@pytest.mark.parametrize("algorithm", Algorithm)
def test_the_server_accepts_what_the_client_answers(algorithm: Algorithm) -> None:
    guard, client = server(algorithms=[algorithm]), DigestClient(USER, PASSWORD)
    assert guard.check(0.5, answered(0.0, guard, client)) == (Judgement.ACCEPTED, USER)
    assert guard.check(0.6, client.authorize(request(), "other")) == (Judgement.ACCEPTED, USER)


def test_a_challenge_without_a_quality_of_protection_is_good_for_one_request() -> None:
    guard, client = server(algorithms=[Algorithm.MD5]), DigestClient(USER, PASSWORD)
    [offer] = guard.challenges(0.0, "s")
    client.take(request(), challenge_response(str(offer).replace(', qop="auth"', "")))
    assert guard.check(1.0, client.authorize(request(), "")).judgement is Judgement.ACCEPTED
    assert guard.check(1.0, client.authorize(request(), "")).judgement is Judgement.STALE


def test_no_credentials_for_our_realm_are_missing_credentials() -> None:
    guard, client = server(), DigestClient(USER, PASSWORD)
    assert guard.check(0.0, request()).judgement is Judgement.MISSING
    client.take(request(), challenge_response('Digest realm="elsewhere", nonce="n", qop="auth"'))
    assert guard.check(0.0, client.authorize(request(), "c")).judgement is Judgement.MISSING


def test_a_proxy_looks_into_its_own_field() -> None:
    guard, client = server(), DigestClient(USER, PASSWORD)
    client.take(request(), challenge_response(*guard.challenges(0.0, "s"), status=407))
    sent = client.authorize(request(), "c")
    assert guard.check(0.0, sent, 407).judgement is Judgement.ACCEPTED
    assert guard.check(0.0, sent, 401).judgement is Judgement.MISSING


@pytest.mark.parametrize(("user", "password"), [(USER, "wrong"), ("mallory", PASSWORD)])
def test_a_stranger_or_a_wrong_password_is_refused(user: str, password: str) -> None:
    guard = server()
    assert guard.check(0.0, answered(0.0, guard, DigestClient(user, password))) == (Judgement.REFUSED, user)


def test_a_nonce_of_another_server_is_refused() -> None:
    other = DigestServer(REALM, b"another key", lambda user, algorithm: None)
    assert server().check(0.0, answered(0.0, other, DigestClient(USER, PASSWORD))).judgement is Judgement.REFUSED


def test_a_nonce_expires_with_its_lifetime_and_the_client_goes_on_with_a_new_one() -> None:
    guard, client = server(lifetime=300.0), DigestClient(USER, PASSWORD)
    sent = answered(0.0, guard, client)
    assert guard.check(300.0, sent).judgement is Judgement.ACCEPTED
    late = client.authorize(request(), "c")
    assert guard.check(300.1, late).judgement is Judgement.STALE
    assert client.take(late, challenge_response(*guard.challenges(300.1, "new", stale=True)))
    assert guard.check(300.2, client.authorize(request(), "c")).judgement is Judgement.ACCEPTED


def test_credentials_seen_before_are_not_accepted_again() -> None:
    guard, client = server(), DigestClient(USER, PASSWORD)
    sent = answered(0.0, guard, client)
    assert guard.check(1.0, sent).judgement is Judgement.ACCEPTED
    assert guard.check(1.0, sent).judgement is Judgement.STALE


def test_forgetting_a_nonce_does_not_let_its_credentials_in_again() -> None:
    guard = server(most=2)
    copies = []
    for i in range(4):
        sent = answered(float(i), guard, DigestClient(USER, PASSWORD), salt=f"s{i}")
        assert guard.check(float(i), sent).judgement is Judgement.ACCEPTED
        copies.append(sent)
    assert [guard.check(4.0, sent).judgement for sent in copies] == [Judgement.STALE] * 4


def test_an_algorithm_that_was_not_offered_is_refused() -> None:
    guard, client = server(algorithms=[Algorithm.SHA_256]), DigestClient(USER, PASSWORD)
    [offer] = guard.challenges(0.0, "s")
    client.take(request(), challenge_response(Challenge(REALM, offer.nonce, Algorithm.MD5)))
    assert guard.check(0.0, client.authorize(request(), "c")).judgement is Judgement.REFUSED


@pytest.mark.parametrize(
    ("part", "instead", "said"),
    [
        ("nc=00000001", "nc=1", "eight hexadecimal"),
        ("nc=00000001", "nc=0000000g", "eight hexadecimal"),
        (", nc=00000001", "", "without nc"),
        (', cnonce="cnonce"', "", "without cnonce"),
        (f'username="{USER}", ', "", "without username"),
        ('uri="sip:example.jp", ', "", "without uri"),
        ("qop=auth,", "qop=auth-int,", "not offered"),
    ],
)
def test_credentials_that_lack_something_deserve_a_400(part: str, instead: str, said: str) -> None:
    guard = server()
    sent = answered(0.0, guard, DigestClient(USER, PASSWORD))
    text = sent.headers.get("Authorization")
    assert text is not None
    assert part in text
    spoilt = sent.with_headers(sent.headers.replace("Authorization", text.replace(part, instead)))
    with pytest.raises(ParseError, match=said) as raised:
        guard.check(0.0, spoilt)
    assert raised.value.status == 400


@given(username=TEXT, realm=TEXT, opaque=TEXT)
def test_quotes_and_backslashes_come_through(username: str, realm: str, opaque: str) -> None:
    def secrets(name: str, algorithm: Algorithm) -> str | None:
        return secret(algorithm, username, realm, PASSWORD) if name == username else None

    guard = DigestServer(realm, KEY, secrets)
    client = DigestClient(username, PASSWORD)
    offers = [str(offer).replace("Digest ", 'Digest opaque="x", ') for offer in guard.challenges(0.0, "s")]
    assert client.take(request(), challenge_response(*offers))
    assert guard.check(0.0, client.authorize(request(), "c")) == (Judgement.ACCEPTED, username)
