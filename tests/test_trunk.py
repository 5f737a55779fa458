"""What a new call hears on a trunk in trouble, drawn by hand."""

from collections.abc import Iterator

import pytest

from sbc.decisions.advance import Rests
from sbc.decisions.trunk import Refusal, Trouble, restricted, turns_away

CUT: dict[str, None] = {"cut": None}


class Lots:
    """A restriction whose lots are known beforehand."""

    def __init__(self, *lots: bool, answer: int = 503, retry_after: float | None = None) -> None:
        self._lots: Iterator[bool] = iter(lots)
        self.answer = answer
        self.retry_after = retry_after

    def refuses(self) -> bool:
        return next(self._lots)


@pytest.mark.parametrize(
    ("trouble", "refusal"),
    [
        (Trouble(down_by=CUT), Refusal("trunk lost", 503, None, ["cut"])),
        (Trouble(refuses_by={"a": None}), Refusal("trunk answers 503", 503, None, ["a"])),
        (Trouble(refuses_by={"a": 5.0, "b": None, "c": 9.0}), Refusal("trunk answers 503", 503, 9.0, ["a", "b", "c"])),
        # A trunk that is cut asks for nothing, whatever it would say.
        (Trouble(down_by=CUT, refuses_by={"a": 5.0}), Refusal("trunk lost", 503, None, ["cut", "a"])),
    ],
)
def test_a_broken_trunk_refuses_as_drawn(trouble: Trouble, refusal: Refusal) -> None:
    assert trouble.refusal == refusal


def test_a_trunk_that_rests_is_not_asked_and_no_lot_is_drawn() -> None:
    rests, lots = Rests(), dict[str, bool]()
    rests.answered(100.0, "ntt", 503, 30.0)
    trunk = Trouble(restricted_by={"quake": Lots()})
    assert turns_away(trunk, lots, 129.0, rests, "ntt") == Refusal("trunk left alone (Retry-After)", 503)
    assert lots == {}


def test_each_restriction_is_drawn_once_for_a_call_until_one_refuses() -> None:
    lots: dict[str, bool] = {}
    trunk = Trouble(restricted_by={"a": Lots(False), "b": Lots(True, answer=480), "c": Lots()})
    expected = Refusal("restricted by the carrier", 480, None, ("b",))
    assert [restricted(trunk, lots), restricted(trunk, lots)] == [expected, expected]
    assert lots == {"a": False, "b": True}


def test_a_call_that_no_lot_has_hit_goes_through() -> None:
    assert restricted(Trouble(restricted_by={"a": Lots(False)}), {}) is None
    assert restricted(Trouble(down_by=CUT), {}) is None


@pytest.mark.parametrize(("answer", "rests_then"), [(503, True), (480, False)])
def test_only_a_503_with_retry_after_makes_the_trunk_rest(answer: int, rests_then: bool) -> None:
    rests = Rests()
    trunk = Trouble(restricted_by={"a": Lots(True, answer=answer, retry_after=30.0)})
    turns_away(trunk, {}, 100.0, rests, "ntt")
    assert [rests.rests(now, "ntt") for now in (129.9, 130.0)] == [rests_then, False]
