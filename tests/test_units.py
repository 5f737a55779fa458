"""Quantities as people write them: durations, rates, shares, times of day, distributions, arrivals."""

import math
import pickle
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.distributions import Arrivals, Distribution, Shape, parse_arrivals, parse_distribution
from scenarios.units import (
    UnitError,
    format_duration,
    format_share,
    parse_clock,
    parse_duration,
    parse_rate,
    parse_share,
)

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90m", 90 * MINUTE),
        ("1h30m", 90 * MINUTE),
        ("1h 30m", 90 * MINUTE),
        ("500ms", 0.5),
        ("2 min", 120.0),
        ("1.5h", 5400.0),
        ("3 minutes 20 seconds", 200.0),
        ("1d12h", 1.5 * DAY),
        ("0", 0.0),
        ("0s", 0.0),
        ("2H", 2 * HOUR),
        ("９０ｍ", 90 * MINUTE),
        ("１．５　時間", 5400.0),
        ("30分", 30 * MINUTE),
        ("1時間30分15秒", 5415.0),
        ("0.1s", 0.1),
        ("366d", 366 * DAY),
    ],
)
def test_a_duration_is_read_as_people_write_it(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("zero", [0, "0", "０"])
def test_zero_needs_no_unit(zero: object) -> None:
    assert parse_duration(zero) == 0.0


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (90, "90 has no unit; write 90s for seconds or 90m for minutes"),
        ("1.5", "1.5 has no unit"),
        ("-5m", "cannot be negative"),
        (-5, "cannot be negative"),
        ("90 minuts", "'minuts' is not a unit of time"),
        ("30m1h", "the largest first"),
        ("1m1m", "each unit stands once"),
        ("367d", "more than 366 days"),
        ("1h30", "not a duration"),
        ("m", "not a duration"),
        ("1..5s", "not a duration"),
        ("inf", "not a duration"),
        ("nan", "not a duration"),
        (math.inf, "not a duration"),
        (math.nan, "not a duration"),
        ("1e3s", "'e' is not a unit of time"),
        ("٣m", "not a duration"),
        ("", "not a duration"),
        (None, "not a duration"),
        (True, "not a duration"),
        ([1], "not a duration"),
        ("9" * 5000 + "s", "not a duration"),
    ],
)
def test_a_duration_that_is_none_says_why_and_what_is_allowed(found: object, said: str) -> None:
    with pytest.raises(UnitError) as error:
        parse_duration(found)
    assert said in error.value.reason
    assert error.value.allowed


@given(st.floats(min_value=0, max_value=366 * DAY - 1))
def test_a_formatted_duration_reads_back_to_the_millisecond(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds, abs=0.0005 + 1e-9)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (210.0, "3m30s"),
        (0.45, "450ms"),
        (0.0, "0s"),
        (1.5, "1.5s"),
        (90 * MINUTE, "1h30m"),
        (2 * DAY + 1, "2d1s"),
        (59.9996, "1m"),
        (-5.0, "-5s"),
        (-0.0001, "0s"),
    ],
)
def test_a_duration_is_shown_as_a_person_would_say_it(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "per_second"),
    [
        ("0.5/s", 0.5),
        ("30/m", 0.5),
        ("1800/h", 0.5),
        ("30 / min", 0.5),
        ("０．５／ｓ", 0.5),
        ("30/分", 0.5),
        ("0/s", 0.0),
    ],
)
def test_a_rate_is_read_per_second(text: str, per_second: float) -> None:
    assert parse_rate(text) == pytest.approx(per_second)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (0.5, "0.5 has no unit; write 0.5/s, 0.5/m or 0.5/h"),
        ("-1/s", "cannot be negative"),
        ("x/s", "'x' is not a number"),
        ("3/fortnight", "'fortnight' is not a unit of time"),
        ("5/ms", "'ms' is not a unit of time for a rate"),
        ("10001/s", "more than 10000/s"),
        ("fast", "not a rate"),
        ({}, "not a rate"),
    ],
)
def test_a_rate_that_is_none_says_why(found: object, said: str) -> None:
    with pytest.raises(UnitError) as error:
        parse_rate(found)
    assert said in error.value.reason


@pytest.mark.parametrize(
    ("text", "share"), [("70%", 0.7), ("0%", 0.0), ("100%", 1.0), ("0.5 %", 0.005), ("７０％", 0.7)]
)
def test_a_share_is_a_percentage(text: str, share: float) -> None:
    assert parse_share(text) == share


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (0.7, "write 70%"),
        (70, "write 70%"),
        ("1", "write 100%"),
        ("101%", "more than everything"),
        ("-1%", "cannot be negative"),
        ("half", "not a percentage"),
        ("x%", "not a number"),
    ],
)
def test_a_share_without_percent_sign_or_out_of_range_is_refused(found: object, said: str) -> None:
    with pytest.raises(UnitError) as error:
        parse_share(found)
    assert said in error.value.reason


@pytest.mark.parametrize(("share", "text"), [(0.7, "70%"), (0.0125, "1.25%"), (1.0, "100%"), (0.0, "0%"), (1e-9, "0%")])
def test_a_share_is_shown_as_a_percentage(share: float, text: str) -> None:
    assert format_share(share) == text


@pytest.mark.parametrize(
    ("text", "seconds"), [("09:00", 9 * HOUR), ("9:30", 9.5 * HOUR), ("23:59:59", DAY - 1), ("０９：００", 9 * HOUR)]
)
def test_a_time_of_day_is_seconds_since_midnight(text: str, seconds: float) -> None:
    assert parse_clock(text) == seconds


@pytest.mark.parametrize("found", ["24:00", "09:60", "9", "nine", 540, None, "09:00:60"])
def test_a_time_that_no_clock_shows_is_refused(found: object) -> None:
    with pytest.raises(UnitError):
        parse_clock(found)


# Means by the textbook formula of each family.
FORMS: list[tuple[object, Distribution, float]] = [
    ("3m", Distribution(Shape.CONSTANT, (180.0,)), 180.0),
    ({"constant": "3m"}, Distribution(Shape.CONSTANT, (180.0,)), 180.0),
    ({"exponential": "60s"}, Distribution(Shape.EXPONENTIAL, (60.0,)), 60.0),
    ({"uniform": ["1m", "5m"]}, Distribution(Shape.UNIFORM, (60.0, 300.0)), 180.0),
    ({"triangular": ["2m", "5m", "15m"]}, Distribution(Shape.TRIANGULAR, (120.0, 300.0, 900.0)), 440.0),
    ({"lognormal": {"mean": "3m", "cv": 1.2}}, Distribution(Shape.LOGNORMAL, (180.0, 1.2)), 180.0),
    ({"gamma": {"mean": "3m", "cv": "０．５"}}, Distribution(Shape.GAMMA, (180.0, 0.5)), 180.0),
    (
        {"empirical": ["10s", "20s", "40s"]},
        Distribution(Shape.EMPIRICAL, (10.0, 20.0, 40.0)),
        statistics.mean((10, 20, 40)),
    ),
]


@pytest.mark.parametrize(("stated", "distribution", "mean"), FORMS)
def test_every_form_of_distribution_is_read_and_has_its_mean(
    stated: object, distribution: Distribution, mean: float
) -> None:
    parsed = parse_distribution(stated)
    assert parsed == distribution
    assert parsed.mean == pytest.approx(mean)
    assert pickle.loads(pickle.dumps(parsed)) == parsed  # noqa: S301
    assert hash(parsed) == hash(distribution)


def test_every_shape_has_a_form() -> None:
    assert {distribution.shape for _, distribution, _ in FORMS} == set(Shape)


@pytest.mark.parametrize(
    ("stated", "within", "said"),
    [
        ({"lognormal": {"mean": "3m", "cv": -1}}, ("lognormal", "cv"), "cannot be negative"),
        ({"lognormal": {"mean": "3m", "cv": 0}}, ("lognormal", "cv"), "out of range"),
        ({"lognormal": {"mean": "0s", "cv": 1}}, ("lognormal", "mean"), "above 0"),
        ({"lognormal": {"mean": "3m"}}, ("lognormal",), "the cv is missing"),
        ({"lognormal": {"men": "3m", "cv": 1}}, ("lognormal", "men"), "did you mean 'mean'?"),
        ({"lognormal": "3m"}, ("lognormal",), "takes a mean and a cv"),
        ({"triangular": ["2m", "15m", "5m"]}, ("triangular", 2), "high 5m is below mode 15m"),
        ({"triangular": ["5m", "2m", "15m"]}, ("triangular", 1), "mode 2m is below low 5m"),
        ({"triangular": ["5m", "5m", "5m"]}, ("triangular",), "write 5m alone"),
        ({"uniform": ["5m", "1m"]}, ("uniform", 1), "high 1m is below low 5m"),
        ({"uniform": ["5m"]}, ("uniform",), "takes 2 durations"),
        ({"uniform": [1, "5m"]}, ("uniform", 0), "1 has no unit"),
        ({"exponential": "0s"}, ("exponential",), "above 0"),
        ({"exponential": ["1m"]}, ("exponential",), "takes one duration"),
        ({"empirical": []}, ("empirical",), "takes a list"),
        ({"expo": "1m"}, (), "did you mean 'exponential'?"),
        ({"constant": "1m", "uniform": []}, (), "exactly one shape"),
        ({}, (), "exactly one shape"),
        (["1m"], (), "not a duration"),
    ],
)
def test_a_wrong_distribution_says_which_part_is_wrong(
    stated: object, within: tuple[str | int, ...], said: str
) -> None:
    with pytest.raises(UnitError) as error:
        parse_distribution(stated)
    assert error.value.within == within
    assert said in error.value.reason


def test_arrivals_over_the_day_hold_past_midnight() -> None:
    arrivals = parse_arrivals({"profile": {"12:00": "30/m", "8:00": "0.1/s", "18:00": "0/s"}})
    assert arrivals == Arrivals(((8 * HOUR, 0.1), (12 * HOUR, 0.5), (18 * HOUR, 0.0)))
    assert [arrivals.rate_at(hour * HOUR) for hour in (0, 7.99, 8, 11.99, 12, 18, 23, 24 + 12)] == [
        0.0, 0.0, 0.1, 0.1, 0.5, 0.0, 0.0, 0.5,
    ]  # fmt: skip
    assert arrivals.peak == 0.5
    assert not arrivals.constant


def test_a_single_rate_is_constant() -> None:
    arrivals = parse_arrivals("30/m")
    assert arrivals.constant
    assert arrivals.rate_at(12345.0) == arrivals.peak == 0.5


@pytest.mark.parametrize(
    ("stated", "within", "said"),
    [
        ({"profile": {"08:00": 0.1}}, ("profile", "08:00"), "has no unit"),
        ({"profile": {"25:00": "1/s"}}, ("profile", "25:00"), "no such time"),
        ({"profile": {"8:00": "1/s", "08:00": "2/s"}}, ("profile", "08:00"), "stands twice"),
        ({"profile": {}}, (), "neither a rate nor a profile"),
        ({"profil": {"08:00": "1/s"}}, (), "neither a rate nor a profile"),
        ({"profile": {"08:00": "0/s"}}, (), "nobody ever arrives"),
        ("0/s", (), "nobody ever arrives"),
    ],
)
def test_wrong_arrivals_say_which_part_is_wrong(stated: object, within: tuple[str, ...], said: str) -> None:
    with pytest.raises(UnitError) as error:
        parse_arrivals(stated)
    assert error.value.within == within
    assert said in error.value.reason
