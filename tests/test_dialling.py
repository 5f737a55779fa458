"""What may be dialled on a real system: no way of writing 110, 118 or 119 gets through, and no other number is lost."""

from urllib.parse import quote

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from sbc.decisions.dialling import PatternError, never_dialled, parse_pattern
from scenarios.numberplan import NumberError, parse_number

DESKS = st.sampled_from(["110", "118", "119"])
IN_FRONT = st.sampled_from(
    [
        "",
        "0",
        "9",
        "00",
        "184",
        "186",
        "+81",
        "81",
        "010-81",
        "0081",
        "+81-0",
        "001",
        "0033",
        "0088",
        "0091-20",
        "00281",
    ]
)
SEPARATORS = st.sampled_from(["", "-", " ", ".", "(", ")", "\u3000", "‐", "ー", "\u200b", "/"])
WIDTHS = [lambda digit: digit, lambda digit: chr(ord(digit) + 0xFEE0), lambda digit: chr(ord(digit) - 48 + 0x0660)]


@st.composite
def emergency_calls(draw: st.DrawFn) -> str:
    """Return one of the three numbers as it could come out of a plan, a dial plan or a URI."""
    prefix = draw(IN_FRONT) + draw(st.sampled_from(["", "184", "186", "0033"]))
    width = draw(st.sampled_from(WIDTHS))
    text = "".join(draw(SEPARATORS) + (width(char) if char.isdigit() else char) for char in prefix + draw(DESKS))
    behind = draw(st.sampled_from(["", ";phone-context=+81", "@192.0.2.1", ";user=phone", " "]))
    scheme = draw(st.sampled_from(["", "sip:", "sips:", "tel:", "SIP:"]))
    return scheme + (quote(text) if draw(st.booleans()) else text) + behind


@given(emergency_calls())
@example("sip:%31%31%30@sbc")
@example("+81110")
@example("+81 (0) 110")
@example("184-119")
@example("１１８")
@example("0110")
@example("#9110")
def test_an_emergency_number_is_never_dialled_however_it_is_written(text: str) -> None:
    assert never_dialled(text)


@given(DESKS, st.text("0123456789", max_size=12), st.sampled_from(["", "184", "186-"]))
def test_digits_after_it_do_not_make_it_another_number(desk: str, more: str, prefix: str) -> None:
    assert never_dialled(f"{prefix}{desk}{more}")


def test_what_is_too_long_for_a_number_could_hide_one() -> None:
    assert never_dialled("0" * 200)


LEADS = {"090": 8, "080": 8, "070": 8, "03": 8, "06": 8, "011": 7, "0118": 6, "0119": 6, "0184": 6, "0186": 6,
         "0120": 6, "0800": 7, "050": 8}  # fmt: skip
REAL = st.sampled_from(sorted(LEADS)).flatmap(
    lambda lead: st.integers(2 * 10 ** (LEADS[lead] - 1), 10 ** LEADS[lead] - 1).map(lambda rest: f"{lead}{rest}")
)


@given(REAL, st.sampled_from(["", "184", "186", "0033"]))
@example("0118111234", "")
@example("0119111234", "184")
@example("09081184110", "")
@example("0120110119", "")
def test_whole_numbers_of_the_plan_are_no_emergency_numbers(digits: str, prefix: str) -> None:
    try:
        info = parse_number(prefix + digits)
    except NumberError:
        assume(False)
    assert not never_dialled(prefix + digits)
    assert not never_dialled(info.text)
    assert info.e164 is None or not never_dialled(info.e164)


@pytest.mark.parametrize("number", ["104", "115", "117", "171", "177", "188", "189", "#7119", "+1 212-555-1234", ""])
def test_other_short_and_foreign_numbers_are_none_either(number: str) -> None:
    assert not never_dialled(number)


def test_of_all_three_digit_numbers_only_the_three_are_meant() -> None:
    assert [number for number in map("{:03}".format, range(1000)) if never_dialled(number)] == ["110", "118", "119"]


# Patterns

COVERS = [
    ("03-1234-5678", "0312345678", True),
    ("03-1234-5678", "+81 3-1234-5678", True),
    ("+81312345678", "03-1234-5678", True),
    ("03-1234-5678", "184-03-1234-5678", True),
    ("03-1234-5678", "03-1234-5679", False),
    ("050-3123-*", "050-3123-4567", True),
    ("+81 50-3123*", "050-3123-4567", True),
    ("０５０－３１２３－＊", "050-3123-4567", True),
    ("050-3123-*", "050-3124-4567", False),
    ("+1 212-555*", "+1 212-555-1234", True),
    ("+1212555*", "010-1-212-555-1234", True),
    ("+1212555*", "03-1234-5678", False),
    ("031234*", "+1 212-555-1234", False),
]


@pytest.mark.parametrize(("pattern", "number", "covered"), COVERS)
def test_a_pattern_covers_a_number_in_all_its_spellings(pattern: str, number: str, covered: bool) -> None:
    assert parse_pattern(pattern).covers(parse_number(number)) is covered


@pytest.mark.parametrize(
    "text",
    ["*", "0*", "03-12*", "+81*", "110", "119*", "+81110", "184110*", "5678*", "03-1234", "sales", "", "03*5678*"],
)
def test_what_allows_too_much_or_nothing_is_no_pattern(text: str) -> None:
    with pytest.raises(PatternError) as raised:
        parse_pattern(text)
    assert raised.value.allowed


@given(emergency_calls())
def test_no_pattern_allows_an_emergency_number(text: str) -> None:
    with pytest.raises(PatternError):
        parse_pattern(text)
