"""A number of a drill that is sought: where it stands, from where to where, in which steps, and what one of it costs.

`PATH`, `PATH=1..200`, `PATH=10..200:10`, and each with a price, `PATH=1..200@1200`. Values are rungs of a ladder, whole
numbers, so that searches need not know what they mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil, floor

from scenarios.loader import Loaded
from scenarios.model import Drill
from scenarios.model_fields import fields_at
from scenarios.overrides import place_of
from scenarios.portplan import MOST_CONCURRENT
from scenarios.problems import Mark, did_you_mean, path_text
from scenarios.ranges import Amount, in_one_unit, parse_amount, plain
from scenarios.source import Path
from scenarios.units import UnitError

SHAPES = "PATH, PATH=1..200, PATH=10..200:10 or, with the price of one, PATH=1..200@1200"
MOST_RUNGS = 1_000_000
_MOST = MOST_CONCURRENT
"""Where a search among whole numbers ends unless it is told to end elsewhere: at the most ports of a tenant (P8)."""
_STEPS = 100
"""Steps up to the present value of what is no whole number, about, unless the step is given."""
_TIMES = 20
"""Times its present value at which a search of it ends, unless it is told to end elsewhere."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number that is sought."""

    path: str
    """As it was written."""
    place: Path
    """The same as keys and indexes."""
    base: Decimal
    """The value of rung 0."""
    step: Decimal
    unit: str
    low: int
    """The lowest rung."""
    high: int
    now: int | None
    """The rung at or below the value that the drill has; None where it has none."""
    price: float | None
    """Of one unit of it."""
    bounded: bool
    """Whether the user has said from where to where."""

    def text(self, rung: int) -> str:
        """Return the value of a rung as a drill may have it."""
        return Amount(self.base + rung * self.step, self.unit).text

    def number(self, rung: int) -> float:
        """Return the number of a rung, in its unit."""
        return float(self.base + rung * self.step)

    def rung(self, number: float) -> int:
        """Return the highest rung that is no more than a number of its unit, within the ladder."""
        rung = floor((Decimal(repr(number)) - self.base) / self.step)
        return min(max(rung, self.low), self.high)

    def change(self, rung: int) -> str:
        """Return the override that gives a drill this value."""
        return f"{self.path}={self.text(rung)}"


def parse_vary(text: str) -> tuple[str, str | None, float | None]:
    """Split `PATH[=RANGE][@PRICE]` into path, range and price; raises :class:`~scenarios.units.UnitError`."""
    rest, at, price_text = text.rpartition("@") if "]" not in text.rpartition("@")[2] else ("", "", "")
    rest = rest if at else text
    price = None
    if at:
        amount = parse_amount(price_text)
        if amount is None or amount.unit or amount.number <= 0:
            raise UnitError(f"{price_text!r} is no price", f"a number above 0; {SHAPES}")
        price = float(amount.number)
    depth = 0
    for index, char in enumerate(rest):
        depth += (char == "[") - (char == "]")
        if char == "=" and depth <= 0:
            path, span = rest[:index].strip(), rest[index + 1 :].strip()
            if path and span:
                return path, span, price
            raise UnitError("this is not PATH=LOW..HIGH", SHAPES)
    if not rest.strip():
        raise UnitError("no path", SHAPES)
    return rest.strip(), None, price


def quantity(text: str, loaded: Loaded) -> Quantity:
    """Return the number of a drill that is meant.

    Raises :class:`~scenarios.units.UnitError` for what cannot be read or is no number, and
    :class:`~scenarios.problems.DrillError` for a path that leads nowhere.
    """
    path, span, price = parse_vary(text)
    place = place_of(loaded.source.root, path, Mark(f"--vary {text}"))
    fields = fields_at(place[:-1])
    if fields and isinstance(place[-1], str) and place[-1] not in fields:
        near = did_you_mean(place[-1], fields)
        raise UnitError(f"there is no {path_text(place)}{near}", ", ".join(fields))
    now = _present(loaded, place)
    if span is not None:
        low, high, step = _span(span, now)
        base, rungs = low.number, floor((high.number - low.number) / step)
        return _laid(path, place, base, step, low.unit, (0, rungs), now, price, bounded=True)
    if now is None and _is_count(loaded.drill, place):
        return _laid(path, place, Decimal(0), Decimal(1), "", (1, _MOST), None, price, bounded=False)
    if now is None:
        raise UnitError(f"{path_text(place)} has no value that could be made larger or smaller", _NUMBERS)
    if not now.unit and now.number == int(now.number):
        top = max(_MOST, ceil(now.number)) if place[0] != "ports" else _MOST
        return _laid(path, place, Decimal(0), Decimal(1), "", (1, top), now, price, bounded=False)
    step = _round(now.number / _STEPS)
    most = ceil(now.number * _TIMES / step) if now.unit != "%" else floor(Decimal(100) / step)
    return _laid(path, place, Decimal(0), step, now.unit, (1, most), now, price, bounded=False)


_NUMBERS = "a count such as ports, channels or agents, a rate such as arrivals, a duration or a percentage"


def _laid(
    path: str,
    place: Path,
    base: Decimal,
    step: Decimal,
    unit: str,
    ends: tuple[int, int],
    now: Amount | None,
    price: float | None,
    *,
    bounded: bool,
) -> Quantity:
    if ends[1] > MOST_RUNGS:
        raise UnitError(f"more than {MOST_RUNGS:,} values", SHAPES)
    rung = None
    if now is not None:
        both = in_one_unit([now.text, Amount(base, unit).text])
        rung = None if both is None or both[0].unit != unit else floor((both[0].number - base) / step)
    return Quantity(path, place, base, step, unit, *ends, rung, price, bounded)


def _present(loaded: Loaded, place: Path) -> Amount | None:
    """Return the value that a drill's file has at a place; None where it has none."""
    node = loaded.source.root
    for part in place:
        child = node.child(part)
        if child is None:
            return None
        node = child
    if isinstance(node.value, dict | list) or node.value is None or isinstance(node.value, bool):
        raise UnitError(f"{path_text(place)} is no number", _NUMBERS)
    amount = parse_amount(str(node.value))
    if amount is None:
        raise UnitError(f"{path_text(place)} is {str(node.value)!r}, which is no number", _NUMBERS)
    return amount


def _is_count(drill: Drill, place: Path) -> bool:
    """Whether the language has a count at a place where the file has nothing."""
    info = fields_at(place[:-1]).get(str(place[-1]))
    return info is not None and "int" in str(info.annotation)


def _span(text: str, now: Amount | None) -> tuple[Amount, Amount, Decimal]:
    """Read `LOW..HIGH` or `LOW..HIGH:STEP`."""
    first, dots, rest = text.partition("..")
    last, colon, step = rest.partition(":")
    texts = [first, last, *([step] if colon else [])]
    amounts = in_one_unit([each.strip() for each in texts]) if dots else None
    if amounts is None:
        raise UnitError(f"{text!r} is no range of numbers", SHAPES)
    low, high = amounts[:2]
    if low.number >= high.number or (colon and amounts[2].number <= 0):
        raise UnitError(f"{text!r} leads nowhere: from the smaller to the larger, by a step above 0", SHAPES)
    return low, high, amounts[2].number if colon else _usual_step(amounts[:2], now)


def _usual_step(ends: Sequence[Amount], now: Amount | None) -> Decimal:
    """Return the step of a range without one: 1 of what is counted, else about a hundredth of the present value."""
    low, high = ends
    if not low.unit and all(end.number == int(end.number) for end in ends):
        return Decimal(1)
    both = None if now is None else in_one_unit([now.text, low.text])
    centre = (low.number + high.number) / 2 if both is None or both[1].unit != low.unit else both[0].number
    return _round((centre or high.number) / _STEPS)


def _round(number: Decimal) -> Decimal:
    """Return a number with one digit, 1, 2 or 5."""
    power = Decimal(1).scaleb(number.adjusted())
    digit = max(each for each in (1, 2, 5) if each * power <= number)
    return Decimal(plain(digit * power))
