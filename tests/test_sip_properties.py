"""What holds for every SIP message: generated, mutated, arbitrary, hostile."""

import re
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import sbc.sip
from sbc.sip.errors import ParseError, SipError
from sbc.sip.fields import (
    Address,
    CSeq,
    Reason,
    Via,
    parse_address,
    parse_any_address,
    parse_any_cseq,
    parse_any_via,
    parse_auth,
    parse_cseq,
    parse_reason,
    parse_retry_after,
    parse_via,
)
from sbc.sip.framing import KeepAlive, StreamFramer, datagram
from sbc.sip.limits import Limits
from sbc.sip.message import Request, Response, parse
from sbc.sip.sdp import parse_sdp
from sbc.sip.typed import Once, TypedHeaders
from sbc.sip.uri import Uri, parse_uri
from sbc.sip.validate import validate
from tests import sip_messages as made

TYPED = [
    name for name, kind in {**vars(TypedHeaders), **vars(Request)}.items() if isinstance(kind, Once) and name[0] != "_"
]

ASKED = (
    b"A sip:b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=1\r\nFrom: <sip:a@b>;tag=1\r\nTo: b:c\r\ni: 1\r\nCSeq: 1 A\r\n\r\n"
)


def outcome(read: Callable[[], object]) -> object:
    """What a reading gives, or how it is refused; anything but a ParseError goes through, and fails the test."""
    try:
        return read()
    except ParseError as error:
        refused = error
    assert refused.reason
    assert refused.status in (None, 400, 416, 505, 513)
    return str(refused), refused.status


@given(made.messages)
def test_what_is_written_is_read_back_the_same(message: Request | Response) -> None:
    again = parse(message.encode())
    assert again == message
    assert hash(again) == hash(message)
    assert again.encode() == message.encode()


@given(made.requests())
def test_a_message_built_of_typed_values_is_valid_and_says_what_was_put_in(message: Request) -> None:
    again = parse(message.encode())
    assert isinstance(again, Request)
    validate(again)
    for name in TYPED:
        assert outcome(lambda name=name: getattr(again, name)) == outcome(lambda name=name: getattr(message, name))  # type: ignore[misc]
    response = Response.answer(again, 200, to_tag="x")
    assert response.vias == again.vias
    validate(response)
    assert parse(response.encode()) == response


@given(
    made.requests() | made.mutants(),
    st.sampled_from([100, 180, 200, 486]),
    st.lists(st.sampled_from([("v", "SIP/2.0/UDP x;branch=y"), ("FROM", "<sip:a@b>"), ("Contact", "<sip:c@d>")])),
)
@example(ASKED, 200, [("i", "2")])
@example(ASKED, 200, [("v", "SIP/2.0/UDP x;branch=y")])
def test_what_a_response_shares_with_its_request_is_what_its_own_text_says(
    request: Request | bytes, status: int, headers: list[tuple[str, str]]
) -> None:
    try:
        made_of = parse(request) if isinstance(request, bytes) else request
    except ParseError:
        return
    if not isinstance(made_of, Request):
        return
    for name in TYPED:
        outcome(lambda name=name: getattr(made_of, name))  # type: ignore[misc]
    response = Response.answer(made_of, status, to_tag="x", headers=headers)
    again = parse(response.encode())
    for name in set(TYPED) & set(vars(TypedHeaders)):
        assert outcome(lambda name=name: getattr(response, name)) == outcome(lambda name=name: getattr(again, name))  # type: ignore[misc]


@given(made.vias)
def test_a_via_says_what_was_put_in(via: Via) -> None:
    assert parse_via(str(via)) == via


@given(made.addresses)
def test_an_address_says_what_was_put_in(address: Address) -> None:
    assert parse_address(str(address)) == address


@given(made.uris)
def test_a_uri_says_what_was_put_in_and_equals_itself(uri: Uri) -> None:
    assert parse_uri(str(uri)) == uri
    assert uri.equivalent(parse_uri(str(uri)))


@given(made.reasons)
def test_a_reason_says_what_was_put_in(reason: Reason) -> None:
    assert parse_reason(str(reason)) == reason


@given(made.cseqs)
def test_a_cseq_says_what_was_put_in(cseq: CSeq) -> None:
    assert parse_cseq(str(cseq)) == cseq


def spiced(values: st.SearchStrategy[Any]) -> st.SearchStrategy[str]:
    """Texts of values, some with a character too many."""
    spice = st.sampled_from(["", "", "", '"', ";", "<", " ", "%", "\\", ":99999", "=", ";tag=1", ";TAG=2", "@", "\t"])
    return st.tuples(values.map(str), spice, st.integers(0, 60)).map(lambda t: t[0][: t[2]] + t[1] + t[0][t[2] :])


@given(spiced(made.addresses))
@example("<sip:a@b:65536>")
@example("<sip:a@b>;x=1;X=2")
@example("a  <sips:a#@b;lr>")
def test_the_quick_and_the_careful_way_read_an_address_alike(text: str) -> None:
    assert outcome(lambda: parse_address(text)) == outcome(lambda: parse_any_address(text))


@given(spiced(made.vias))
@example("SIP/2.0/UDP a:65536")
@example("SIP/2.0/UDP a;x=1;X=2")
def test_the_quick_and_the_careful_way_read_a_via_alike(text: str) -> None:
    assert outcome(lambda: parse_via(text)) == outcome(lambda: parse_any_via(text))


@given(spiced(made.cseqs))
def test_the_quick_and_the_careful_way_read_a_cseq_alike(text: str) -> None:
    assert outcome(lambda: parse_cseq(text)) == outcome(lambda: parse_any_cseq(text))


def read_all(data: bytes, limits: Limits) -> None:
    """Take a datagram as hard as can be: nothing but the documented errors may come of it."""
    message: Request | Response | KeepAlive | ParseError
    try:
        message = datagram(data, limits)
    except ParseError as error:
        message = error
    if isinstance(message, ParseError):
        assert message.status in (None, 400, 513)
        if message.status is not None and message.message is not None:
            assert isinstance(message.message, Request)
            parse(Response.answer(message.message, message.status).encode())
        return
    if isinstance(message, KeepAlive):
        return
    assert len(message.headers) <= limits.fields
    assert len(message.body) <= limits.body
    assert all(len(name) + len(value) < limits.line for name, value in message.headers)
    assert parse(message.encode(), limits) == message
    for name in TYPED:
        if hasattr(type(message), name):
            outcome(lambda name=name: getattr(message, name))  # type: ignore[misc]
    for name in {name for name, _ in message.headers}:
        outcome(lambda name=name: message.headers.all(name))  # type: ignore[misc]
        outcome(lambda name=name: message.auth(name))  # type: ignore[misc]
    outcome(lambda: validate(message))
    outcome(lambda: parse_sdp(message.body))
    if isinstance(message, Request):
        parse(Response.answer(message, 400, to_tag="x").encode())


@given(made.mutants())
def test_a_mutated_message_raises_nothing_but_parse_errors(data: bytes) -> None:
    read_all(data, Limits())


@given(st.binary(max_size=300))
@example(b"SIP/2.0 200\r\n\r\n")
@example(b"A b SIP/2.0\r\n: x\r\n\r\n")
@example(b"A b SIP/2.0\r\n x\r\n\r\n")
def test_arbitrary_bytes_raise_nothing_but_parse_errors(data: bytes) -> None:
    read_all(data, Limits())
    read_all(b"A b SIP/2.0\r\n" + data, Limits())
    outcome(lambda: parse_sdp(data))


@given(made.mutants(), st.integers(0, 400), st.integers(0, 60), st.integers(0, 8), st.integers(0, 20))
def test_nothing_beyond_the_limits_is_taken(data: bytes, head: int, line: int, fields: int, body: int) -> None:
    read_all(data, Limits(head, line, fields, body))


@given(st.lists(made.mutants() | st.binary(max_size=50), max_size=5), st.integers(1, 50))
def test_a_stream_holds_no_more_than_a_message(pieces: list[bytes], chunk: int) -> None:
    limits = Limits(head=400, body=20)
    framer = StreamFramer(limits)
    stream = b"".join(pieces)
    for at in range(0, len(stream), chunk):
        framer.feed(stream[at : at + chunk])
        assert len(framer._buffer) <= limits.head + 4 + limits.body + chunk


@given(st.text(max_size=60))
def test_arbitrary_text_as_any_value_raises_nothing_but_sip_errors(text: str) -> None:
    for parse_it in (parse_via, parse_address, parse_uri, parse_cseq, parse_reason, parse_retry_after, parse_auth):
        outcome(lambda parse_it=parse_it: parse_it(text))  # type: ignore[misc]
    message = Request("A", "sip:b", [("X", text)])
    try:
        data = message.encode()
    except SipError:
        return
    assert parse(data).headers.get("X") == text.strip(" \t")


# Time. Regular expressions are possessive, so that each looks at a character once; what is left is Python, of which the
# calls are counted, into C as well: no clock, and no doubt.

PATTERNS = [
    (module.stem, name, pattern)
    for module in sorted(Path(sbc.sip.__path__[0]).glob("*.py"))
    for name, pattern in vars(
        import_module(f"sbc.sip.{module.stem}" if module.stem != "__init__" else "sbc.sip")
    ).items()
    if isinstance(pattern, re.Pattern)
]


def open_ended(parsed: Any) -> list[Any]:
    """Repeats without an end that may be given back, character by character."""
    found = []
    for code, argument in parsed:
        if code in (_constants.MAX_REPEAT, _constants.MIN_REPEAT) and argument[1] is _constants.MAXREPEAT:
            found.append((code, argument))
        for part in argument if isinstance(argument, tuple) else (argument,):
            if isinstance(part, _parser.SubPattern):
                found += open_ended(part)
            elif isinstance(part, list):
                found += [
                    bad for branch in part if isinstance(branch, _parser.SubPattern) for bad in open_ended(branch)
                ]
    return found


def test_the_search_for_patterns_that_go_back_finds_them() -> None:
    for bad in (r"a+", r"(?:a*b)?", r"x|(?:y|z+)", r"(?=a*?)", r"(?:(a+)b)++"):
        assert open_ended(_parser.parse(bad))
    assert not open_ended(_parser.parse(r"(?:a++b)*+[c]{1,5}d?"))


@pytest.mark.parametrize(
    ("module", "name", "pattern"), PATTERNS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_no_regular_expression_goes_back(module: str, name: str, pattern: re.Pattern[str]) -> None:
    assert open_ended(_parser.parse(pattern.pattern)) == []


def calls(work: Callable[[], object]) -> int:
    """How many calls a piece of work makes, of Python's and of C's functions."""
    count = 0

    def note(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        outcome(work)
    finally:
        sys.setprofile(None)
    return count


HOSTILE = [
    *(
        '"',
        '\\"',
        '"\\',
        '""',
        "<",
        "<>",
        ";",
        ";a",
        "; ",
        ",",
        ", ",
        '",',
        '"",',
        " ",
        "\t",
        "%",
        "%4",
        "@",
        ":",
        "a:",
    ),
    *("[", "=", ';a="', "(", "()", "/", " / ", "?", "&", "-", "0", "é"),
    *("<sip:a>,", '"a" <sip:a@b;c=d>;e="f",', "SIP/2.0/UDP a;b=c,"),
]


@pytest.mark.parametrize("unit", HOSTILE)
def test_twice_the_hostile_text_is_twice_the_work(unit: str) -> None:
    roomy = Limits(head=10**7, line=10**7)

    def message(size: int) -> bytes:
        value = unit * size
        names = (
            "Via",
            "From",
            "To",
            "Contact",
            "Route",
            "Reason",
            "Retry-After",
            "Session-Expires",
            "Authorization",
            "Privacy",
        )
        lines = "".join(f"{name}: x{value}\r\n{name}: {value}\r\n" for name in names)
        return f"A sip:{value.replace(' ', '')} SIP/2.0\r\n{lines}\r\n".encode()

    small, large = message(400), message(800)
    assert calls(lambda: read_all(large, roomy)) <= 2.1 * calls(lambda: read_all(small, roomy)) + 100


@pytest.mark.parametrize(
    "unit", ["X: y\r\n", "X:\r\n y\r\n", "Via: SIP/2.0/UDP a\r\n", "v: a,b\r\n", "bad\r\n", "\r\n \r\n", " \r\n"]
)
def test_twice_the_lines_are_twice_the_work(unit: str) -> None:
    roomy = Limits(head=10**7, fields=10**6)

    def message(size: int) -> bytes:
        return f"A sip:b SIP/2.0\r\nY: 1{unit * size}\r\n\r\n".encode()

    small, large = message(300), message(600)
    assert calls(lambda: read_all(large, roomy)) <= 2.1 * calls(lambda: read_all(small, roomy)) + 100


def test_a_stream_in_single_bytes_is_searched_once() -> None:
    """The end of the header fields is looked for from where the last search stopped, not from the beginning."""
    looked: list[int] = []

    class Buffer(bytearray):
        def find(self, sub: Any, start: Any = 0, end: Any = None) -> int:
            looked.append(min(len(self), end) - start)
            return super().find(sub, start, end)

    framer = StreamFramer()
    framer._buffer = Buffer()
    for octet in b"A sip:b SIP/2.0\r\n" + b"X: y\r\n" * 1000:
        framer.feed(bytes([octet]))
    assert max(looked) <= 4
