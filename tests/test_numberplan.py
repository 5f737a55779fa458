import subprocess
import sys
from collections.abc import Callable
from typing import NamedTuple

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType as Type

from scenarios.numberplan import (
    CORRECTIONS,
    NumberError,
    NumberInfo,
    NumberKind,
    canonical,
    describe,
    parse_number,
)


def library(text: str) -> phonenumbers.PhoneNumber:
    return phonenumbers.parse(text, "JP")


def library_type(text: str) -> int:
    return phonenumbers.number_type(library(text))


def library_refuses(text: str) -> bool:
    return not phonenumbers.is_valid_number(library(text))


def refusal(text: str) -> NumberError:
    with pytest.raises(NumberError) as caught:
        parse_number(text)
    return caught.value


EXAMPLES = [
    ("0312345678", "03-1234-5678", NumberKind.FIXED),
    ("0661234567", "06-6123-4567", NumberKind.FIXED),
    ("0112112111", "011-211-2111", NumberKind.FIXED),
    ("0429981111", "04-2998-1111", NumberKind.FIXED),
    ("0137272111", "01372-7-2111", NumberKind.FIXED),
    ("0467221234", "0467-22-1234", NumberKind.FIXED),
    ("0120123456", "0120-123-456", NumberKind.FREE_DIAL),
    ("08001234567", "0800-123-4567", NumberKind.FREE_DIAL),
    ("0570012345", "0570-012-345", NumberKind.NAVI_DIAL),
    ("0170123456", "0170-123-456", NumberKind.MESSAGE_DIAL),
    ("0180993456", "0180-993-456", NumberKind.MASS_CALL),
    ("0990512345", "0990-512-345", NumberKind.PREMIUM),
    ("05031234567", "050-3123-4567", NumberKind.IP_PHONE),
    ("06012345678", "060-1234-5678", NumberKind.MOBILE),
    ("07012345678", "070-1234-5678", NumberKind.MOBILE),
    ("08012345678", "080-1234-5678", NumberKind.MOBILE),
    ("09012345678", "090-1234-5678", NumberKind.MOBILE),
    ("02012345678", "020-1234-5678", NumberKind.M2M),
    ("02001234567890", "0200-12345-67890", NumberKind.M2M),
    ("02041234567", "020-4123-4567", NumberKind.PAGER),
    ("110", "110", NumberKind.EMERGENCY),
    ("118", "118", NumberKind.EMERGENCY),
    ("119", "119", NumberKind.EMERGENCY),
    ("117", "117", NumberKind.SHORT_CODE),
    ("0077781234", "0077-78-1234", NumberKind.CARRIER_PREFIXED),
    ("006696831234", "0066-9683-1234", NumberKind.CARRIER_PREFIXED),
    ("+12125551234", "+1 212-555-1234", NumberKind.FOREIGN),
]


@pytest.mark.parametrize(("typed", "text", "kind"), EXAMPLES)
def test_every_range_of_the_plan_has_its_kind_and_its_hyphens(typed: str, text: str, kind: NumberKind) -> None:
    info = parse_number(typed)
    assert (info.text, info.kind, info.digits) == (text, kind, typed.lstrip("+"))
    assert parse_number(text) == info


def test_every_kind_but_invalid_can_be_met_and_described() -> None:
    met = {parse_number(typed).kind for typed, _, _ in EXAMPLES}
    assert met == set(NumberKind) - {NumberKind.INVALID}
    for typed, text, _ in EXAMPLES:
        rows = describe(parse_number(typed))
        assert rows[0] == ("number", text)
        assert all(label and value for label, value in rows)


# J2, one by one: the name, an example, the library's error, and what is right.
LIBRARY_ERRS: dict[str, tuple[str, Callable[[str], bool], NumberKind]] = {
    "J2: a ten-digit 060 is no personal number": (
        "0601234567",
        lambda text: library_type(text) == Type.PERSONAL_NUMBER,
        NumberKind.INVALID,
    ),
    "J2: 118 is an emergency number": (
        "118",
        lambda text: not phonenumbers.is_emergency_number(text, "JP"),
        NumberKind.EMERGENCY,
    ),
    "J2: 0170 is valid": ("0170123456", library_refuses, NumberKind.MESSAGE_DIAL),
    "J2: 0180 is valid": ("0180993456", library_refuses, NumberKind.MASS_CALL),
    "J2: a 14-digit 0200 is valid": ("02001234567890", library_refuses, NumberKind.M2M),
    "J2: an 11-digit 0200 is no pager": (
        "02001234567",
        lambda text: library_type(text) == Type.PAGER,
        NumberKind.INVALID,
    ),
    "J2: an 11-digit 020 is no pager": (
        "02012345678",
        lambda text: library_type(text) == Type.PAGER,
        NumberKind.M2M,
    ),
}


@pytest.mark.parametrize("name", CORRECTIONS)
def test_each_correction_is_still_needed_and_puts_the_library_right(name: str) -> None:
    example, library_errs, right = LIBRARY_ERRS[name]
    assert library_errs(example), f"phonenumbers {phonenumbers.__version__} no longer errs: {name} can go"
    assert CORRECTIONS[name].range.fullmatch(example)
    if right is NumberKind.INVALID:
        refusal(example)
    else:
        assert parse_number(example).kind is right


def test_no_correction_of_j2_is_missing_or_overlaps_another() -> None:
    assert set(CORRECTIONS) == set(LIBRARY_ERRS)
    for name, (example, _, _) in LIBRARY_ERRS.items():
        assert [n for n, c in CORRECTIONS.items() if c.range.fullmatch(example)] == [name]


@pytest.mark.parametrize("typed", ["06-0123-4567", "0600-123-456", "060-123-4567"])
def test_j2_no_ten_digit_060_however_written_is_a_personal_number(typed: str) -> None:
    assert library_type(typed) == Type.PERSONAL_NUMBER, "phonenumbers no longer errs"
    assert "060 numbers have 11 digits, this has 10" in refusal(typed).reason


@pytest.mark.parametrize("typed", ["0120-123-456", "0570-012-345", "0800-123-4567"])
def test_j2_service_numbers_cannot_be_dialled_from_abroad(typed: str) -> None:
    assert phonenumbers.can_be_internationally_dialled(library(typed)), (
        "phonenumbers no longer errs: FROM_ABROAD can go"
    )
    assert not parse_number(typed).dialable_from_abroad


@pytest.mark.parametrize("prefix", ["184", "186", "0033", "0088", "009112", "001", "00234"])
def test_j2_prefixes_are_stripped_and_kept_aside(prefix: str) -> None:
    assert library_refuses(f"{prefix}-03-1234-5678"), "phonenumbers no longer errs: prefixes need not be stripped"
    info = parse_number(f"{prefix}-03-1234-5678")
    assert (info.text, info.prefix, info.e164) == ("03-1234-5678", prefix, "+81312345678")
    assert canonical(f"{prefix}-03-1234-5678") == "03-1234-5678"


def test_j2_a_possible_number_is_not_yet_a_valid_one() -> None:
    assert phonenumbers.is_possible_number(library("050-0123-4567"))
    refusal("050-0123-4567")


def test_prefixes_may_stand_behind_each_other_and_before_a_foreign_or_short_number() -> None:
    assert parse_number("186-0033-03-1234-5678").prefix == "186-0033"
    assert parse_number("0033-010-1-212-555-1234").text == "+1 212-555-1234"
    assert parse_number("001-010-1-212-555-1234").prefix == "001"
    assert parse_number("184-119").kind is NumberKind.EMERGENCY
    assert parse_number("03-1234-5678").prefix is None


@pytest.mark.parametrize(
    "typed",
    [
        "03-1234-5678",
        "0312345678",
        "(03) 1234-5678",
        "03(1234)5678",
        "03.1234.5678",
        "+81 3-1234-5678",
        "+81 (0)3 1234 5678",
        "+810312345678",
        "010-81-3-1234-5678",
        "０３－１２３４－５６７８",
        "＋８１　３　１２３４　５６７８",
        "０３（１２３４）５６７８",
        "03ー1234ー5678",
        "03ｰ1234ｰ5678",
        "03−1234−5678",
        "03―1234―5678",
        "03‐1234‑5678",
        "03─1234─5678",
        "\u3000 03-1234-5678\t",
        "\ufeff\u202a03-1234-5678\u202c",
    ],
)
def test_one_number_has_one_key_however_people_write_it(typed: str) -> None:
    assert canonical(typed) == "03-1234-5678"


fixed = st.builds("0{}{:08d}".format, st.sampled_from("36"), st.integers(10_000_000, 99_999_999))
eleven = st.builds("{}{}{:07d}".format, st.sampled_from(["050", "070", "080", "090"]), st.integers(1, 9),
                   st.integers(0, 9_999_999))  # fmt: skip
services = st.builds("{}{:06d}".format, st.sampled_from(["0120", "0570", "0170", "0180", "0990"]),
                     st.integers(0, 999_999))  # fmt: skip
marks = st.lists(st.sampled_from(["", "", "", "-", " ", "(", ")", "－", "　", "ー", "‐"]), min_size=15, max_size=15)


@given(digits=fixed | eleven | services, marks=marks, wide=st.booleans(), abroad=st.booleans())
def test_spelling_never_changes_the_key(digits: str, marks: list[str], wide: bool, abroad: bool) -> None:
    bare = "+81" + digits[1:] if abroad else digits
    spelled = bare[0] + "".join(mark + digit for mark, digit in zip(marks, bare[1:], strict=False))
    if wide:
        spelled = "".join(chr(ord(c) + 0xFEE0) if c in "+0123456789" else c for c in spelled)
    info = parse_number(spelled)
    assert info.digits == digits
    assert info.text.replace("-", "") == digits
    assert info.e164 == "+81" + digits[1:]
    assert canonical(info.text) == canonical(spelled) == info.text
    assert info.e164 is not None
    assert canonical(info.e164) == info.text


class Range(NamedTuple):
    """A row of J1: what numbers begin with, their digits in all, what they are, and the digits that may follow."""

    lead: str
    digits: int
    kind: NumberKind
    follow: str = "0123456789"


J1 = [
    Range("03", 10, NumberKind.FIXED, "123456789"),
    Range("06", 10, NumberKind.FIXED, "123456789"),
    Range("0120", 10, NumberKind.FREE_DIAL),
    Range("0170", 10, NumberKind.MESSAGE_DIAL),
    Range("0180", 10, NumberKind.MASS_CALL),
    Range("0570", 10, NumberKind.NAVI_DIAL),
    Range("0990", 10, NumberKind.PREMIUM),
    Range("0800", 11, NumberKind.FREE_DIAL),
    Range("050", 11, NumberKind.IP_PHONE, "123456789"),
    Range("060", 11, NumberKind.MOBILE, "123456789"),
    Range("070", 11, NumberKind.MOBILE, "123456789"),
    Range("080", 11, NumberKind.MOBILE, "123456789"),
    Range("090", 11, NumberKind.MOBILE, "123456789"),
    Range("020", 11, NumberKind.M2M, "12356789"),
    Range("0200", 14, NumberKind.M2M),
]
"""Written from the rule, not from the code; of 0AB-J the two areas that plans for BIZTEL are about."""
CARRIERS = ("001", "0033", "0036", "0077", "0088", "009120", "00257")
"""00XY and 0091XY; 002 goes on with two digits."""
IN_FRONT = ("", "184", "186", *CARRIERS, "1840033", "186009120")


def of_range(row: Range, digits: int) -> st.SearchStrategy[str]:
    """Build numbers of a range with so many digits in all."""
    rest = st.text("0123456789", min_size=digits - len(row.lead) - 1, max_size=digits - len(row.lead) - 1)
    return st.builds("{}{}{}".format, st.just(row.lead), st.sampled_from(row.follow), rest)


@settings(max_examples=300)
@given(row=st.sampled_from(J1), data=st.data(), prefix=st.sampled_from(IN_FRONT))
def test_j1_numbers_of_every_range_are_recognised_behind_any_prefix(
    row: Range, data: st.DataObject, prefix: str
) -> None:
    digits = data.draw(of_range(row, row.digits))
    info = parse_number(prefix + digits)
    assert (info.digits, info.kind) == (digits, row.kind)
    assert info.e164 == "+81" + digits[1:]
    assert len(info.e164) == len("+81") + row.digits - 1
    assert (info.prefix or "").replace("-", "") == prefix
    assert info.carrier_code == (digits[3:7] if row.lead == "050" else None)


@settings(max_examples=300)
@given(row=st.sampled_from(J1), data=st.data(), change=st.sampled_from((-2, -1, 1, 2)))
def test_j1_a_number_with_another_length_is_refused(row: Range, data: st.DataObject, change: int) -> None:
    digits = data.draw(of_range(row, row.digits + change))
    longer = [each for each in J1 if each is not row and digits.startswith(each.lead) and len(digits) == each.digits]
    if not longer:  # 03 and 06 are the beginning of no other range, 020 is that of 0200
        refusal(digits)


NO_ZERO = [row for row in J1 if "0" not in row.follow and row.lead not in ("020", "080")]
"""020-0 and 080-0 are the beginnings of other ranges."""


@given(row=st.sampled_from(NO_ZERO), rest=st.text("0123456789", min_size=13, max_size=13))
def test_j1_no_number_goes_on_with_what_its_range_has_not(row: Range, rest: str) -> None:
    digits = (row.lead + "0" + rest)[: row.digits]
    refusal(digits)


@given(st.sampled_from("0123456789"), st.sampled_from("0123456789"))
def test_j1_three_digits_are_a_short_code_without_e164(x: str, y: str) -> None:
    short = f"1{x}{y}"
    if short in ("184", "186"):
        refusal(short)
        return
    info = parse_number(short)
    assert info.e164 is None
    assert (info.kind is NumberKind.EMERGENCY) is (short in ("110", "118", "119"))


def outcome(text: str) -> NumberInfo | NumberError:
    try:
        return parse_number(text)
    except NumberError as error:
        return error


@given(st.text(alphabet="01238+-() ０３－ー", max_size=16) | st.text(alphabet="01９①½²٠#*x電\x00\ud800-", max_size=8))
def test_any_text_is_a_number_or_is_refused_in_words(text: str) -> None:
    found = outcome(text)
    if isinstance(found, NumberError):
        assert str(found) == f"{found.reason}; allowed: {found.allowed}"
        assert found.reason
        assert found.allowed
    else:
        assert canonical(found.text) == found.text
        assert found.kind is not NumberKind.INVALID


@pytest.mark.parametrize(
    ("typed", "said", "allowed"),
    [
        ("0120-123-45", "too short: 0120 numbers have 10 digits, this has 9", "0120-123-456"),
        ("0120-1234-567", "too long: 0120 numbers have 10 digits, this has 11", "0120-123-456"),
        ("0800-123-456", "0800 numbers have 11 digits, this has 10", "0800-123-4567"),
        ("03-1234-567", "too short: fixed (0AB-J) numbers have 10 digits, this has 9", "03-1234-5678"),
        ("03-1234-56789", "too long: fixed (0AB-J) numbers have 10 digits, this has 11", "03-1234-5678"),
        ("050-3123-456", "050 numbers have 11 digits, this has 10", "050-3123-4567"),
        ("0200-1234-567", "0200 numbers have 14 digits, this has 11", "0200-12345-67890"),
        ("050-0123-4567", "goes on with 0 after 050", "050-3123-4567"),
        ("090-0123-4567", "goes on with 0 after 090", "090-1234-5678"),
        ("0600-1234-567", "goes on with 0 after 060", "060-1234-5678"),
        ("0130-123-456", "begins with 0130", "03-1234-5678"),
        ("312345678", "lacks its leading 0", "perhaps 03-1234-5678"),
        ("9012345678", "lacks its leading 0", "perhaps 090-1234-5678"),
        ("81312345678", "lacks its leading +", "perhaps 03-1234-5678"),
        ("1234-5678", "with 8 digits is no short code", "the area code first"),
        ("184", "no number behind it", "184-03-1234-5678"),
        ("184-03-1234-567", "behind 184, is too short", "03-1234-5678"),
        ("0033-3-1234-5678", "neither a carrier prefix", "0033-03-1234-5678"),
        ("0037-680-3-1234-5678", "neither a carrier prefix", "0033-03-1234-5678"),
        ("+81 110", "110 has no E.164 form (J1)", "dialled inside Japan"),
        ("+81 0077-78-1234", "has no E.164 form (J1)", "dialled inside Japan"),
        ("+1 212 555 123", "no valid number of country code +1", "in service"),
        ("+999 1234", "no country code", "+81 for Japan"),
        ("03-1234-567x", "has 'x' in it", "digits, hyphens"),
        ("03-1234+5678", "has '+' in it", "one leading +"),
        ("٠٣-1234-5678", "has '٠٣' in it", "digits, hyphens"),
        ("#7119", "# or * dial", "the number behind it"),
        ("　ー　", "holds no digit", "03-1234-5678"),
        ("", "holds no digit", "03-1234-5678"),
        ("0" * 10_000_000, "is 10000000 characters long", "one telephone number"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_what_would_be_right(typed: str, said: str, allowed: str) -> None:
    error = refusal(typed)
    assert said in error.reason
    assert allowed in error.allowed


@pytest.mark.parametrize("typed", ["110", "118", "119", "104", "0077-78-1234"])
def test_j1_emergency_short_and_00xy_numbers_have_no_e164_form(typed: str) -> None:
    info = parse_number(typed)
    assert info.e164 is None
    assert not info.dialable_from_abroad
    assert ("E.164", "none (J1)") in describe(info)


@pytest.mark.parametrize(
    ("typed", "abroad"),
    [("03-1234-5678", True), ("050-3123-4567", True), ("090-1234-5678", True), ("+1 212 555 1234", True),
     ("0990-512-345", False), ("0170-123-456", False), ("020-1234-5678", False)],
)  # fmt: skip
def test_only_subscriber_numbers_can_be_dialled_from_abroad(typed: str, abroad: bool) -> None:
    assert parse_number(typed).dialable_from_abroad is abroad


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("110", "three-digit"),
        ("117", "three-digit"),
        ("0120-123-456", "Free Dial"),
        ("0800-123-4567", "Free Dial"),
        ("+1 212 555 1234", "international"),
        *(
            (f"{prefix}-03-1234-5678", f"behind {prefix} ")
            for prefix in ("001", "0033", "0081", "0086", "0070", "0077", "0088")
        ),
        ("0077-78-1234", "behind 0077 "),
        ("186-0088-03-1234-5678", "behind 0088 "),
        ("0570-012-345", "J3 does not name"),
        ("0036-03-1234-5678", "J3 does not name the prefix 0036"),
    ],
)
def test_j3_voice_warp_cannot_forward_there_and_says_why(typed: str, reason: str) -> None:
    info = parse_number(typed)
    assert not info.voice_warp_target
    assert reason in info.voice_warp_reason


@pytest.mark.parametrize("typed", ["06-6123-4567", "050-3123-4567", "090-1234-5678", "184-03-1234-5678"])
def test_j3_voice_warp_may_forward_to_lines_mobiles_and_ip_phones(typed: str) -> None:
    assert parse_number(typed).voice_warp_target
    assert "no obstacle" in parse_number(typed).voice_warp_reason


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("03-1234-5678", "yes"),
        ("050-3123-4567", "unknown"),
        ("0120-123-456", "no"),
        ("+1 212 555 1234", "unknown"),
    ],
)
def test_j5_emergency_calls_are_sure_from_fixed_lines_only_where_a_duty_says_so(typed: str, answer: str) -> None:
    assert parse_number(typed).emergency_calls == answer


def rules_of(typed: str) -> set[str]:
    return {s[s.rindex("(") + 1 : s.rindex(")")] for s in parse_number(typed).may_lead_to}


def test_what_may_lead_where_cites_its_rules() -> None:
    assert rules_of("0120-123-456") == rules_of("0800-123-4567") == rules_of("0570-012-345")
    assert rules_of("0120-123-456") == {"Z16", "Z17", "Z19", "Z21"}
    assert rules_of("03-1234-5678") == {"Z16", "Z18", "Z19", "Z20"}
    assert rules_of("06-6123-4567") == {"Z15", "Z16", "Z18", "Z19", "Z21"}
    assert rules_of("050-3123-4567") == {"Z15", "Z16", "Z17", "Z18", "Z20", "Z21"}
    assert rules_of("090-1234-5678") == {"Z16"}
    assert rules_of("110") == set()


def test_the_four_digits_after_050_name_the_carrier() -> None:
    assert parse_number("050-3123-4567").carrier_code == "3123"
    assert parse_number("03-1234-5678").carrier_code is None


@pytest.mark.parametrize(
    ("typed", "area"),
    [
        ("03-1234-5678", "Tokyo"),
        ("06-6123-4567", "Osaka"),
        ("011-211-2111", "Sapporo, Hokkaido"),
        ("0422-21-2345", None),
        ("0120-123-456", None),
        ("050-3123-4567", None),
        ("119", None),
    ],
)
def test_fixed_lines_name_their_area_and_others_none(typed: str, area: str | None) -> None:
    assert parse_number(typed).area == area


def test_the_heavy_tables_of_places_are_loaded_only_for_an_area() -> None:
    code = (
        "import sys; from scenarios.numberplan import parse_number\n"
        "info = parse_number('03-1234-5678'); before = 'phonenumbers.geocoder' in sys.modules\n"
        "info.area; print(before, 'phonenumbers.geocoder' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "True"]


def test_a_number_is_recognised_once() -> None:
    assert parse_number("0120-777-888") is parse_number("0120-777-888")


def test_numbers_are_described_in_rows_for_people() -> None:
    rows = describe(parse_number("186-0033-050-3123-4567"))
    assert rows[:5] == [
        ("number", "050-3123-4567"),
        ("kind", "IP phone"),
        ("E.164", "+815031234567"),
        ("carrier code", "3123"),
        ("dialled behind", "186-0033"),
    ]
    assert ("from abroad", "yes") in rows
    assert ("emergency calls from it", "unknown") in rows
    assert ("Voice Warp to it", "no: cannot forward to a number behind 0033 (J3)") in rows
    assert ("area", "Osaka") in describe(parse_number("06-6123-4567"))
    assert "emergency calls from it" not in dict(describe(parse_number("119")))
