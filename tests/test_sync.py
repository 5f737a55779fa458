"""Replication against a table drawn by hand, copies worked out by hand, and what holds whatever happens."""

from itertools import pairwise
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbc.decisions import sync
from sbc.decisions.sync import Class, Effect, Event, Replication, Rhythm, State, Taken, step
from tests.tables import Drawing

SYNCING, STOPPED = State.SYNCING, State.STOPPED
DRAWN: dict[State, dict[Event, tuple[State, tuple[Effect, ...]] | None]] = {
    SYNCING: {
        Event.ACTIVATED: (STOPPED, (Effect.FREEZE,)),
        Event.EDITED: (STOPPED, (Effect.FREEZE,)),
        Event.RESUMED: (SYNCING, ()),
    },
    STOPPED: {
        Event.ACTIVATED: (STOPPED, ()),
        Event.EDITED: (STOPPED, ()),
        Event.RESUMED: (SYNCING, (Effect.OVERWRITE,)),
    },
}
DRAWING = Drawing(State, Event, Effect, sync.TABLE, step, DRAWN)

AT_ONCE = Class(Rhythm(0))
HOURLY = Class(Rhythm(3600, first=600))
LOADED_HOURLY = Class(Rhythm(0), Rhythm(3600, first=300))
NEVER = Class(None)
CLASSES = {"settings": AT_ONCE, "addresses": HOURLY, "accounts": LOADED_HOURLY, "histories": NEVER}


def sites(begins: float = 0.0) -> Replication:
    return Replication("tokyo", "osaka", CLASSES, begins)


def ages(taken: list[Taken]) -> dict[str, float]:
    return {each.data: each.age for each in taken}


def losses(taken: list[Taken]) -> dict[str, int]:
    return {each.data: each.lost for each in taken if each.lost}


def test_the_table_is_as_drawn() -> None:
    assert DRAWING.is_complete()
    assert DRAWING.disagreements() == []


@pytest.mark.parametrize("row", sync.TABLE, ids=lambda row: row.name if hasattr(row, "name") else str(row))
def test_each_row_that_is_broken_shows_in_its_cell_alone(row: tuple[State, Event]) -> None:
    assert DRAWING.unnoticed(row) == []


def test_what_comes_every_hour_came_before_the_run_as_well() -> None:
    hourly = Rhythm(3600, first=600)
    assert [hourly.last(now) for now in (-3001, -3000, 0, 599, 600, 4199, 4200)] == [
        -6600, -3000, -3000, -3000, 600, 600, 4200,
    ]  # fmt: skip
    assert [hourly.next(now) for now in (-3000, 0, 600, 601)] == [-3000, 600, 600, 4200]
    assert Rhythm(0).last(17.5) == Rhythm(0).next(17.5) == 17.5


@given(st.floats(0.001, 1e5), st.floats(0, 1e5), st.floats(-1e5, 1e6))
def test_a_rhythm_comes_at_no_moment_between_its_last_and_its_next(every: float, first: float, now: float) -> None:
    rhythm = Rhythm(every, first)
    last, following = rhythm.last(now), rhythm.next(now)
    assert last <= now <= following
    assert following - last <= every * (1 + 1e-6) + 1e-6
    assert rhythm.last(last) == last


def test_a_site_enters_service_with_what_was_replicated_and_loaded_by_then() -> None:
    # Addresses came at 600, accounts were loaded at 300; the run is 1,000 s old.
    stopped, taken = sites().activated(1000)
    assert stopped
    assert ages(taken) == {"settings": 0, "addresses": 400, "accounts": 700, "histories": 1000}


def test_nothing_is_replicated_from_a_site_that_is_lost_and_its_data_grow_no_older() -> None:
    both = sites()
    both.source_is(500, up=False)
    _, taken = both.activated(1000)
    # The replication of addresses at 600 did not happen: they are of -3000. What was loaded at 300 is 200 older than
    # what was lost at 500.
    assert ages(taken) == {"settings": 0, "addresses": 3500, "accounts": 200, "histories": 500}


def test_what_came_before_the_loss_is_loaded_after_it() -> None:
    both = sites()
    both.changed(200, "phone", "accounts", "tokyo")
    both.source_is(250, up=False)
    assert not both.has(299, "phone", "osaka")
    assert both.has(300, "phone", "osaka")
    _, taken = both.activated(400)
    assert ages(taken)["accounts"] == 0


def test_a_site_that_is_back_is_replicated_from_again() -> None:
    both = sites()
    both.source_is(500, up=False)
    both.source_is(700, up=True)
    assert ages(both.activated(1000)[1])["addresses"] == 4000  # that of 600 did not happen, and is not made up for
    later = sites()
    later.source_is(500, up=False)
    later.source_is(600, up=True)
    assert ages(later.activated(1000)[1])["addresses"] == 4000, "it was lost at 600 still"


def test_changes_count_from_the_next_replication_and_load_on() -> None:
    both = sites()
    for name, data, at in (
        ("a", "settings", 10),
        ("b", "addresses", 20),
        ("c", "accounts", 30),
        ("d", "histories", 40),
    ):
        both.changed(at, name, data, "tokyo")
    expected = {"a": 10.0, "b": 600.0, "c": 300.0, "d": inf}
    assert {n: sites().expected(at, data) for n, data, at in (
        ("a", "settings", 10), ("b", "addresses", 20), ("c", "accounts", 30), ("d", "histories", 40)
    )} == expected  # fmt: skip
    for name, due in expected.items():
        if due < inf:
            assert both.has(due, name, "osaka")
    assert both.has(700, "b", "osaka")
    assert not both.has(10_000, "d", "osaka")
    assert both.has(50, "d", "tokyo")


def test_a_change_is_not_there_before_its_replication() -> None:
    both = sites()
    both.changed(20, "b", "addresses", "tokyo")
    assert not both.has(599, "b", "osaka")
    assert both.has(600, "b", "osaka")


def test_an_edit_stops_the_replication_once_and_what_comes_later_is_lost() -> None:
    both = sites()
    assert both.changed(100, "greeting", "settings", "osaka")
    assert not both.changed(110, "another", "settings", "osaka")
    both.changed(120, "phone", "settings", "tokyo")
    assert both.has(100, "greeting", "osaka")
    assert not both.has(5000, "phone", "osaka")
    stopped, taken = both.activated(1000)
    assert not stopped
    assert ages(taken)["settings"] == 900
    assert losses(taken) == {"settings": 1}


def test_what_is_made_in_the_moment_of_the_stop_but_after_it_does_not_come() -> None:
    both = sites()
    both.changed(100, "before", "settings", "tokyo")
    both.activated(100)
    both.changed(100, "after", "settings", "tokyo")
    assert both.has(100, "before", "osaka")
    assert not both.has(200, "after", "osaka")
    both.resumed(200)
    assert both.has(200, "after", "osaka")


def test_a_resync_overwrites_what_was_not_entered_at_the_first_site_as_well() -> None:
    both = sites()
    both.activated(1000)
    for name in ("kept", "gone"):
        both.changed(1100, name, "settings", "osaka")
    both.changed(1150, "own", "histories", "osaka")
    both.changed(1200, "kept", "settings", "tokyo")
    both.changed(1300, "new", "addresses", "tokyo")
    assert losses(both.resumed(1400)) == {"settings": 1}
    assert both.has(1400, "kept", "osaka")
    assert both.has(1400, "own", "osaka"), "each site has its own"
    assert both.has(1400, "new", "osaka"), "a resync brings all of it at once"
    assert not both.has(1400, "gone", "osaka")
    assert ages(both.activated(1500)[1]) == {"settings": 0, "addresses": 100, "accounts": 100, "histories": 1500}


def test_nothing_can_be_resumed_from_a_site_that_is_lost() -> None:
    both = sites()
    both.source_is(10, up=False)
    assert not both.reads
    with pytest.raises(ValueError, match="nothing to replicate from"):
        both.resumed(20)


# Whatever happens


@st.composite
def days(draw: st.DrawFn) -> list[tuple[float, str, str]]:
    """Return what happens, in order: when, what, and the class of data it is about."""
    acts = st.sampled_from(["change", "edit", "lose", "back", "activate", "resume", "look"])
    gaps = draw(st.lists(st.tuples(st.floats(0, 2000), acts, st.sampled_from(list(CLASSES))), max_size=20))
    now, day = 0.0, []
    for gap, act, data in gaps:
        now += gap
        day.append((now, act, data))
    return day


class Played:
    """A day, played; ``there`` says at each moment which of Tokyo's changes Osaka had."""

    def __init__(self, day: list[tuple[float, str, str]], *, looks: bool = False) -> None:
        """``looks``: somebody looks at everything between any two things that happen."""
        self.both = sites()
        self.made: dict[str, float] = {}
        self.data: dict[str, str] = {}
        self.moments: list[tuple[float, State, frozenset[str]]] = []
        before = 0.0
        for number, (now, act, data) in enumerate(day):
            for name in self.made if looks else ():
                self.both.has((before + now) / 2, name, "osaka")
            before = now
            self._do(number, now, act, data)
            there = frozenset(name for name in self.made if self.both.has(now, name, "osaka"))
            self.moments.append((now, self.both.state, there))

    def _do(self, number: int, now: float, act: str, data: str) -> None:
        both = self.both
        match act:
            case "change" if both.reads:
                name = f"change {number}"
                self.made[name], self.data[name] = now, data
                both.changed(now, name, data, "tokyo")
            case "edit":
                both.changed(now, f"edit {number}", data, "osaka")
            case "lose" | "back":
                both.source_is(now, up=act == "back")
            case "activate":
                for taken in both.activated(now)[1]:
                    assert taken.age >= 0
                    assert 0 <= taken.lost <= len(self.made)
            case "resume" if both.reads:
                both.resumed(now)


@given(days())
def test_the_copy_is_never_newer_than_the_original_nor_has_what_is_excluded(day: list[tuple[float, str, str]]) -> None:
    played = Played(day)
    for now, _, there in played.moments:
        assert all(played.made[name] <= now for name in there)
        assert all(played.data[name] != "histories" for name in there)


@given(days())
def test_while_replication_is_stopped_nothing_comes_or_goes(day: list[tuple[float, str, str]]) -> None:
    moments = Played(day).moments
    for (_, before, had), (_, after, has) in pairwise(moments):
        if before is after is STOPPED:
            assert has == had


@given(days())
def test_what_is_there_once_stays(day: list[tuple[float, str, str]]) -> None:
    seen: frozenset[str] = frozenset()
    for _, _, there in Played(day).moments:
        assert seen <= there
        seen = there


@given(days())
def test_looking_changes_nothing(day: list[tuple[float, str, str]]) -> None:
    assert Played(day).moments == Played(day, looks=True).moments
