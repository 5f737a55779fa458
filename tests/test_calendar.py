"""Wall-clock arithmetic: against the standard library on any day, and by hand on the days that are odd."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from math import inf
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scenarios.calendar import ALWAYS, Clock, Holidays, Moment, Openings, WeeklyHours, openings
from scenarios.hours import parse_holidays, parse_hours, parse_start, parse_zone
from scenarios.units import UnitError

HOUR = 3600.0
NONE = Holidays()


def clock(text: str, zone: str = "Asia/Tokyo") -> Clock:
    return Clock.of(parse_start(text), zone)


def spans(hours: object, start: str, lasts: float, zone: str = "Asia/Tokyo", holidays: object = ()) -> list[object]:
    """Return when something is open in a run, in hours since its start."""
    closed = parse_holidays(holidays) if holidays else NONE
    found = openings(parse_hours(hours), closed, clock(start, zone), 0.0, lasts * HOUR)
    return [(begin / HOUR, end / HOUR) for begin, end in found.spans]


# By hand


def test_a_day_in_the_week_is_open_from_its_first_minute_to_before_its_last() -> None:
    office = openings(parse_hours({"mon-fri": "09:00-18:00"}), NONE, clock("2026-11-24 08:00"), 0.0, 24 * HOUR)
    assert [office.is_open(hour * HOUR) for hour in (0, 0.999, 1, 9.999, 10)] == [False, False, True, True, False]
    assert [office.next_open(hour * HOUR) / HOUR for hour in (0, 1, 5, 10)] == [1, 1, 5, inf]


def test_days_and_windows_are_found_over_a_whole_week() -> None:
    # 2026-11-27 is a Friday.
    week = {"mon-fri": ["09:00-12:00", "13:00-18:00"], "sat": "10:00-14:00"}
    assert spans(week, "2026-11-27 12:30", 4 * 24) == [
        (0.5, 5.5), (21.5, 25.5), (68.5, 71.5), (72.5, 77.5), (92.5, 95.5),
    ]  # fmt: skip


def test_hours_past_midnight_belong_to_the_day_they_begin_on() -> None:
    # From Saturday noon: nothing on Saturday night, for only Friday has a night.
    assert spans({"fri": "22:00-06:00"}, "2026-11-27 12:00", 30) == [(10, 18)]
    assert spans({"fri": "22:00-06:00"}, "2026-11-28 03:00", 12) == [(-5, 3)]


def test_round_the_clock_is_one_span_that_never_closes_at_midnight() -> None:
    (span,) = spans({"mon-sun": "00:00-24:00"}, "2026-11-27 12:00", 48)
    assert span == (-36, 60)
    assert (
        openings(parse_hours({"mon-sun": "00:00-24:00"}), NONE, clock("2026-11-27 12:00"), 0, 1e5).changes(0, 1e5) == []
    )


def test_a_range_of_days_may_run_over_the_end_of_the_week() -> None:
    # Saturday to Monday, from Friday noon.
    assert spans({"sat-mon": "10:00-11:00"}, "2026-11-27 12:00", 5 * 24) == [(22, 23), (46, 47), (70, 71)]


def test_a_holiday_keeps_its_own_hours_whatever_its_weekday() -> None:
    """Labour Thanksgiving Day 2026 is Monday, 23 November."""
    hours = {"sun": "22:00-06:00", "mon-fri": "09:00-18:00", "holiday": "10:00-16:00"}
    assert spans(hours, "2026-11-22 12:00", 48, holidays="japan") == [(10, 18), (22, 28), (45, 54)]
    without = {"mon-fri": "09:00-18:00"}
    assert spans(without, "2026-11-22 12:00", 24, holidays="japan") == []
    assert spans(without, "2026-11-22 12:00", 24) == [(21, 30)]
    assert spans(without, "2026-12-28 12:00", 48, holidays=["japan", "2026-12-29"]) == [(-3, 6), (45, 54)]


def test_the_national_holidays_of_2026_are_those_that_the_cabinet_office_has_published() -> None:
    listed = {
        (1, 1), (1, 12), (2, 11), (2, 23), (3, 20), (4, 29), (5, 3), (5, 4), (5, 5), (5, 6), (7, 20), (8, 11),
        (9, 21), (9, 22), (9, 23), (10, 12), (11, 3), (11, 23),
    }  # fmt: skip
    year = [date(2026, 1, 1) + timedelta(days=day) for day in range(365)]
    assert {(day.month, day.day) for day in year if day in Holidays(japan=True)} == listed


@pytest.mark.parametrize(
    ("night", "hours"),
    # Clocks go forward at 02:00 on 29 March 2026, and back at 03:00 on 25 October (Directive 2000/84/EC).
    [("2026-03-28", 7), ("2026-10-24", 9), ("2026-06-20", 8)],
)
def test_a_night_lasts_as_long_as_its_clock_says(night: str, hours: float) -> None:
    assert spans({"sat": "22:00-06:00"}, f"{night} 12:00", 24, "Europe/Berlin") == [(10, 10 + hours)]


def test_an_hour_that_the_clock_skips_begins_as_if_it_had_not_been_put_forward() -> None:
    # 02:30 is not shown; half past two hours after midnight the clock shows 03:30.
    assert spans({"sun": "02:30-05:00"}, "2026-03-29 00:00", 12, "Europe/Berlin") == [(2.5, 4)]
    assert f"{clock('2026-03-29 00:00', 'Europe/Berlin').at(2.5 * HOUR):%H:%M}" == "03:30"
    # What the clock never shows is never open.
    assert spans({"sun": "02:00-03:00"}, "2026-03-29 00:00", 12, "Europe/Berlin") == []


def test_an_hour_that_the_clock_shows_twice_begins_the_first_time() -> None:
    assert spans({"sun": "02:00-03:00"}, "2026-10-25 00:00", 12, "Europe/Berlin") == [(2, 4)]
    assert spans({"sun": "01:00-02:30"}, "2026-10-25 00:00", 12, "Europe/Berlin") == [(1, 2.5)]


def test_a_rate_over_the_day_follows_the_clock_on_the_wall() -> None:
    steps = ((0.0, 1.0), (12 * HOUR, 2.0))
    spring = clock("2026-03-29 00:00", "Europe/Berlin").profile(steps, 0.0, 30 * HOUR)
    assert [(at / HOUR, rate) for at, rate in spring] == [(-24, 1), (-12, 2), (0, 1), (11, 2), (23, 1), (35, 2)]


def test_a_time_of_day_alone_is_the_same_on_any_day_and_in_any_zone() -> None:
    undated = clock("09:00")
    assert not undated.dated
    assert f"{undated.at(90 * 60):%H:%M}" == "10:30"
    assert (12 * HOUR, 5.0) in [(at + 9 * HOUR, rate) for at, rate in undated.profile(((12 * HOUR, 5.0),), 0, 5 * HOUR)]


def test_always_is_always_open() -> None:
    assert [ALWAYS.next_open(now) for now in (-5.0, 0.0, 1e9)] == [-5.0, 0.0, 1e9]
    assert Openings(()).next_open(0.0) == inf


# Against the standard library

windows = st.tuples(st.integers(0, 47), st.integers(1, 48)).filter(lambda window: window[0] != window[1])


def written(half_hours: tuple[int, int]) -> str:
    return "-".join(f"{half // 2:02}:{half % 2 * 30:02}" for half in half_hours)


def apart(several: list[tuple[int, int]]) -> list[str]:
    """Write those that overlap none before them; an end before its beginning is on the next day."""
    kept: list[tuple[int, int]] = []
    for begins, ends in several:
        ends += 48 * (ends <= begins)
        if all(ends <= first or last <= begins for first, last in kept):
            kept.append((begins, ends))
    return [written((begins, ends if ends <= 48 else ends - 48)) for begins, ends in kept]


weeks = st.dictionaries(
    st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday"]),
    st.lists(windows, min_size=1, max_size=3).map(apart),
    min_size=1,
)
days = st.dates(date(2026, 1, 1), date(2027, 12, 31))


def shown_open(hours: WeeklyHours, holidays: set[date], now: datetime) -> bool:
    """Tell from what the clock shows whether a window of today, or one of yesterday that lasts into today, is open."""
    second = now.hour * 3600 + now.minute * 60 + now.second
    for ago in (0, 1):
        day = now.date() - timedelta(days=ago)
        for begins, ends in hours.days[7 if day in holidays else day.weekday()]:
            if begins <= second + ago * 86_400 < ends:
                return True
    return False


@given(
    week=weeks,
    zone=st.sampled_from(["Asia/Tokyo", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
    day=days,
    minute=st.integers(0, 1439),
    away=st.sets(st.integers(-1, 4), max_size=3),
    later=st.lists(st.integers(0, 4 * 86_400), min_size=1, max_size=20),
)
def test_something_is_open_when_the_clock_shows_its_hours(
    week: dict[str, list[str]], zone: str, day: date, minute: int, away: set[int], later: list[int]
) -> None:
    place = ZoneInfo(zone)
    noons = (datetime(day.year, day.month, day.day, 12, tzinfo=place) + timedelta(days=n) for n in range(-2, 7))
    assume(len({noon.utcoffset() for noon in noons}) == 1)  # days on which the clock is changed are tested by hand
    hours, run = parse_hours(week), Clock.of(Moment(minute * 60.0, day), zone)
    near = {day + timedelta(days=each) for each in away}
    found = openings(hours, Holidays(dates=frozenset(near)), run, 0.0, 4 * 86_400.0)
    start = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=place).astimezone(UTC)
    for seconds in later:
        now = (start + timedelta(seconds=seconds)).astimezone(place)
        assert found.is_open(seconds) == shown_open(hours, near, now), now
        assert run.at(seconds) == now
    changes = found.changes(0.0, 4 * 86_400.0)
    assert changes == sorted(set(changes))
    states = [found.is_open(0.0), *map(found.is_open, changes)]
    assert all(one != other for one, other in pairwise(states)), "every change is one"


# As people write it


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-24 09:00", Moment(9 * HOUR, date(2026, 11, 24))),
        ("2026-1-4T09:00:30", Moment(9 * HOUR + 30, date(2026, 1, 4))),
        ("２０２６-11-24　９:00", Moment(9 * HOUR, date(2026, 11, 24))),
        ("17:30", Moment(17.5 * HOUR)),
    ],
)
def test_a_start_is_read_from_the_text_as_it_stands(text: str, moment: Moment) -> None:
    assert parse_start(text) == moment


def test_days_have_japanese_names_too() -> None:
    assert parse_hours({"月-金": "9:00～18:00", "祝日": "10:00-12:00"}) == parse_hours(
        {"mon-fri": "09:00-18:00", "holiday": "10:00-12:00"}
    )


@pytest.mark.parametrize(
    ("read", "value", "says"),
    [
        (parse_start, "2026-11-24", "the time of day is missing"),
        (parse_start, "2026-11-31 09:00", "there is no day 2026-11-31"),
        (parse_start, "20260-11-24 09:00", "neither a date and time nor a time of day"),
        (parse_start, "2026/11/24 09:00", "neither a date and time nor a time of day"),
        (parse_start, "2026-11-24 24:00", "'24:00': no such time of day"),
        (parse_start, "1926-11-24 09:00", "1926 is not between 1970 and 2199"),
        (parse_start, 9, "this is not a time"),
        (parse_zone, "Asia/Tokio", "did you mean 'Asia/Tokyo'?"),
        (parse_zone, "../etc/passwd", "no such time zone"),
        (parse_zone, "Asia", "no such time zone"),
        (parse_zone, "", "no such time zone"),
        (parse_zone, "localtime", "no such time zone"),
        (parse_zone, "posixrules", "no such time zone"),
        (parse_zone, 9, "no such time zone"),
        (parse_hours, {}, "not hours by the day"),
        (parse_hours, "09:00-18:00", "not hours by the day"),
        (parse_hours, {"mno-fri": "09:00-18:00"}, "'mno' is no day of the week; did you mean 'mon'?"),
        (parse_hours, {"mon": "09:00-18:00", "sun-mon": "10:00-11:00"}, "mon stands twice"),
        (parse_hours, {"mon": "09:00"}, "these are not hours"),
        (parse_hours, {"mon": "09:00-09:00"}, "the whole day is 00:00-24:00"),
        (parse_hours, {"mon": ["09:00-25:00"]}, "no such time of day"),
        (parse_hours, {"mon": ["09:00-12:00", "11:59-18:00"]}, "11:59-18:00 overlaps 09:00-12:00"),
        (parse_hours, {"mon": ["23:00-06:00", "22:00-05:00"]}, "22:00-05:00 overlaps 23:00-06:00"),
        (parse_holidays, "japn", "did you mean 'japan'?"),
        (parse_holidays, ["japan", "2026-02-30"], "there is no day 2026-02-30"),
        (parse_holidays, 5, "this is not a holiday"),
    ],
)
def test_what_cannot_be_read_is_said_in_plain_words(read: object, value: object, says: str) -> None:
    with pytest.raises(UnitError) as caught:
        read(value)  # type: ignore[operator]
    assert says in caught.value.reason


def test_no_zone_far_away_is_proposed_for_an_abbreviation() -> None:
    with pytest.raises(UnitError) as caught:
        parse_zone("JST")
    assert caught.value.reason == "no such time zone"
    assert "Asia/Tokyo" in caught.value.allowed


def test_parts_of_a_day_may_touch_each_other_and_reach_into_the_next() -> None:
    hours = parse_hours({"mon-tue": ["09:00-12:00", "12:00-13:00", "22:00-10:00"]})
    assert [len(day) for day in hours.days] == [3, 3, 0, 0, 0, 0, 0, 0]
