"""How legs are known: numbers as SBCs rewrite them, headers as they pass them on, keys that are nobody's."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbc.endpoints.charging import branched, unbranched
from sbc.endpoints.naming import CHARGING, ByHeader, ByNumber, Naming
from sbc.sip.message import Request, parse
from scenarios.numberplan import NumberError, parse_number

KEYS = st.builds(branched, st.integers(1, 10**6).map(str), st.integers(1, 9))


def invite(caller: str, *lines: str, number: str = "0312345678") -> Request:
    """Return an INVITE as an SBC may send it, from the text of its From."""
    head = [
        f"INVITE sip:{number}@192.0.2.101:5060 SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.20:5060;branch=z9hG4bK1",
        "Max-Forwards: 70",
        f"From: {caller};tag=1",
        f"To: <sip:{number}@192.0.2.101>",
        "Call-ID: 0.1.2.3@192.0.2.20",
        "CSeq: 1 INVITE",
        *lines,
        "Content-Length: 0",
    ]
    message = parse("\r\n".join([*head, "", ""]).encode())
    assert isinstance(message, Request)
    return message


@given(st.lists(KEYS, unique=True, max_size=20))
def test_every_call_has_a_number_of_its_own_and_is_known_by_it(keys: list[str]) -> None:
    naming = ByNumber()
    numbers = [naming.caller(key) for key in keys]
    assert len(set(numbers)) == len(keys)
    assert [naming.caller(key) for key in keys] == numbers
    assert [naming.key_of(invite(f"<sip:{number}@sbc>")) for number in numbers] == keys


@pytest.mark.parametrize(
    "written",
    [
        "<sip:{0}@192.0.2.20>",
        '"Mobile" <sip:+81{1}@192.0.2.20;user=phone>',
        "<sip:0{1};cpc=ordinary@192.0.2.20>",
        "<tel:+81-{1}>",
    ],
)
def test_a_number_is_known_however_an_sbc_writes_it(written: str) -> None:
    naming = ByNumber()
    naming.caller("1")
    number = naming.caller("17.2")
    assert naming.key_of(invite(written.format(number, number.removeprefix("0")))) == "17.2"


def test_a_number_that_is_hidden_in_from_is_read_where_it_is_asserted() -> None:
    naming = ByNumber()
    asserted = f"P-Asserted-Identity: <sip:{naming.caller('3')}@sbc>"
    assert naming.key_of(invite("<sip:anonymous@anonymous.invalid>", asserted)) == "3"


def test_a_call_back_is_known_by_the_number_that_is_called() -> None:
    naming = ByNumber()
    assert naming.key_of(invite("<sip:0312345678@sbc>", number=naming.caller("4"))) == "4"


@pytest.mark.parametrize("caller", ["<sip:0312345678@sbc>", "<sip:sbc>", "<sip:09000000002@sbc>", "<mailto:a@b>"])
def test_who_shows_no_number_of_ours_is_nobody(caller: str) -> None:
    naming = ByNumber()
    naming.caller("1")
    assert naming.key_of(invite(caller)) is None
    assert naming.key_of(invite(caller, "P-Asserted-Identity: <<")) is None


@pytest.mark.parametrize("naming", [ByNumber(), ByHeader("X-Key")])
def test_nobody_has_the_numbers_that_are_shown(naming: Naming) -> None:
    number = naming.caller("1")
    assert re.fullmatch("0[0-9]{10}", number)
    with pytest.raises(NumberError):
        parse_number(number)


@given(KEYS)
def test_a_header_says_the_key_and_names_are_its_own(key: str) -> None:
    naming = ByHeader("X-Correlation-ID")
    [(name, value)] = naming.headers(key)
    assert naming.key_of(invite("<sip:1@sbc>", f"{name}: {value}")) == key
    assert naming.key_of(invite("<sip:1@sbc>", f"x-correlation-id:  {value} ")) == key
    assert naming.key_of(invite("<sip:1@sbc>", "X-Correlation-ID: ")) is None
    assert naming.key_of(invite("<sip:1@sbc>")) is None
    assert CHARGING.key_of(invite("<sip:1@sbc>", f"{name}: {value}")) is None


@pytest.mark.parametrize("key", ["0.1.2.3@192.0.2.20", "a.b", "a", "7.", "x.²"])
def test_a_key_of_strangers_is_no_branch_of_ours(key: str) -> None:
    assert unbranched(key) == (key, 1)
