"""Lists and ranges as people write them: each value is one that they would have written themselves."""

import re
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.ranges import MOST_VALUES, Span, parse_amount, parse_axis
from scenarios.units import UnitError, parse_duration, parse_rate, parse_share

WRITTEN = {
    "90,100,110": ["90", "100", "110"],
    "90..120:10": ["90", "100", "110", "120"],
    "90..118:10": ["90", "100", "110"],
    "90..120/10": ["90", "100", "110", "120"],
    "5,10..30:10,100": ["5", "10", "20", "30", "100"],
    "90,100,90": ["90", "100"],
    "0.1..0.5:0.1": ["0.1", "0.2", "0.3", "0.4", "0.5"],
    "10%..30%:10%": ["10%", "20%", "30%"],
    "1.5s..3s:500ms": ["1.5s", "2s", "2.5s", "3s"],
    "90s..150s:30s": ["90s", "120s", "150s"],
    "1m..2m30s:30s": ["1m", "1m30s", "2m", "2m30s"],
    "1時間..3時間:1時間": ["1h", "2h", "3h"],
    "0.5/s..1.25/s:0.25/s": ["0.5/s", "0.75/s", "1/s", "1.25/s"],
    "0.5/s..1.25/s/0.25/s": ["0.5/s", "0.75/s", "1/s", "1.25/s"],
    "30/m..1/s:15/m": ["30/m", "45/m", "60/m"],
    "30 / min .. 60 / min : 15 / min": ["30/m", "45/m", "60/m"],
    "９０..１００:１０": ["90", "100"],  # full-width digits
    "confirmed,none": ["confirmed", "none"],
    "06-1234-5678, 050-3123-4567": ["06-1234-5678", "050-3123-4567"],
    "{lognormal: {mean: 3m, cv: 1.2}}, {exponential: 3m}": ["{lognormal: {mean: 3m, cv: 1.2}}", "{exponential: 3m}"],
    "'a, b..c',[1, 2]": ["'a, b..c'", "[1, 2]"],
    "7": ["7"],
}


@pytest.mark.parametrize(("text", "values"), WRITTEN.items())
def test_a_list_or_range_means_the_values_that_people_would_write(text: str, values: list[str]) -> None:
    axis = parse_axis(f"ports.tenant={text}")
    assert (axis.path, list(axis.values), axis.span) == ("ports.tenant", values, None)


def test_the_path_ends_at_the_first_equals_sign_outside_of_brackets() -> None:
    assert parse_axis("runbook[a=b].takes=1m,2m").path == "runbook[a=b].takes"


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90..120", Span(Decimal(90), Decimal(120), "")),
        ("1m..90s", Span(Decimal(60), Decimal(90), "seconds")),
        ("0.5/s..2/s", Span(Decimal("0.5"), Decimal(2), "/s")),
    ],
)
def test_a_range_without_a_step_is_all_there_is_between(text: str, span: Span) -> None:
    assert parse_axis(f"a={text}").span == span


def test_only_counts_are_whole() -> None:
    spans = [parse_axis(f"a={text}").span for text in ("1..9", "1.0..9", "1s..9s", "1%..9%")]
    assert [span is not None and span.whole for span in spans] == [True, False, False, False]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ports.tenant", "not PATH=VALUES"),
        ("=90", "not PATH=VALUES"),
        ("a=", "not PATH=VALUES"),
        ("a=90..120:0", "leads nowhere"),
        ("a=120..90:5", "leads nowhere"),
        ("a=90..120:-5", "leads nowhere"),
        ("a=90..2m:5", "not all are of the same kind"),
        ("a=90..120:5s", "not all are of the same kind"),
        ("a=90..abc:5", "'abc' is neither"),
        ("a=90..120:", "'' is neither"),
        ("a=1..2,5", "has no step"),
        ("a=5..5", "leads nowhere"),
        ("a=9..5", "leads nowhere"),
        ("a=1,,2", "missing between two commas"),
        (f"a=1..{MOST_VALUES + 1}:1", "more than"),
        ("a=0..1:0.0000001", "more than"),
        ("a=" + ",".join(map(str, range(MOST_VALUES + 1))), "more than"),
    ],
)
def test_what_is_no_list_and_no_range_is_refused_with_an_example(text: str, reason: str) -> None:
    with pytest.raises(UnitError, match=re.escape(reason)) as caught:
        parse_axis(text)
    assert "90..120:5" in caught.value.allowed


KINDS: dict[str, Callable[[str], float]] = {
    "": float,
    "s": parse_duration,
    "m": parse_duration,
    "ms": parse_duration,
    "/s": parse_rate,
    "/m": parse_rate,
    "%": parse_share,
}


@given(
    st.sampled_from(sorted(KINDS)),
    st.decimals(0, 10, places=2),
    st.decimals("0.01", 2, places=2),
    st.integers(1, 20),
)
def test_a_range_begins_at_its_first_value_and_keeps_its_step(unit: str, low: Decimal, step: Decimal, n: int) -> None:
    values = parse_axis(f"a={low}{unit}..{low + n * step}{unit}:{step}{unit}").values
    read = KINDS[unit]
    assert len(values) == n + 1
    expected = [read(f"{low + index * step}{unit}") for index in range(n + 1)]
    assert [read(value) for value in values] == expected


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    with suppress(UnitError):
        axis = parse_axis(text)
        assert axis.values or axis.span


@given(st.text(max_size=12))
def test_whatever_is_an_amount_is_one_again_when_it_is_written(text: str) -> None:
    amount = parse_amount(text)
    if amount is not None and amount.unit not in ("seconds", "ms"):
        again = parse_amount(amount.text)
        assert again is not None
        assert (again.number, again.unit) == (amount.number, amount.unit)
