"""Which number an outbound call shows, and which ways that leaves to a phone of a site (Z15, Z32, Z37)."""

from typing import NamedTuple

import pytest

from sbc.decisions.ways_out import from_site, shown


class Way(NamedTuple):
    trunk: str
    site: str


@pytest.mark.parametrize(
    ("wish", "number"),
    [(None, "default's"), ("default", "default's"), ("terminal", "phone's"), ("03-1234-5678", "03-1234-5678")],
)
def test_a_call_shows_the_default_the_phones_own_or_a_number_that_it_names(wish: str | None, number: str) -> None:
    assert shown(wish, "default's", "phone's") == number


@pytest.mark.parametrize("wish", [None, "default", "terminal"])
def test_without_such_a_number_it_shows_none(wish: str | None) -> None:
    assert shown(wish, None, None) is None


def test_a_phone_calls_by_the_trunks_of_its_own_site_in_their_order() -> None:
    ways = [Way("a", "tokyo"), Way("b", "osaka"), Way("c", "tokyo")]
    assert from_site(ways, "tokyo") == (ways[0], ways[2])
    assert from_site(ways, "nagoya") == ()
