"""The quantities of the closed forms: how each is written, read and said. One value, a list or a range of them."""

import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import NamedTuple

from scenarios.theory.erlang import MOST_LOAD
from scenarios.units import UnitError, format_duration, parse_duration, parse_number, parse_rate, parse_share

MOST_SERVERS = 100_000_000
"""Most ports, agents or sources."""
MOST_VALUES = 10_000
"""Most values of a list or range, and most rows of a table."""

_WHOLE = f"a whole number from 0 to {MOST_SERVERS}"
_ERLANG = f"a number such as 33.333, at most {MOST_LOAD:.0f}"


class Kind(NamedTuple):
    """How amounts of a kind are read from text, and written."""

    parse: Callable[[str], float]
    text: Callable[[float], str]
    unit: str
    """What a bare number means, for columns of CSV files."""


class Quantity(NamedTuple):
    """Something that a formula connects with others."""

    kind: Kind
    phrase: str
    """A few words with a gap for the amount."""
    goal: str = ""
    """What is meant when it is given: that it comes out so `at most`, or `at least`; or it is known."""

    def said(self, amount: float) -> str:
        """Return the amount in words."""
        return self.phrase.format(self.kind.text(amount))


def _erlang(text: str) -> float:
    load = parse_number(text, "a load", _ERLANG)
    if load > MOST_LOAD:
        raise UnitError(f"a load of more than {MOST_LOAD:.0f} erlang", _ERLANG)
    return load


def _whole(text: str) -> int:
    number = parse_number(text, "a whole number", _WHOLE)
    if number > MOST_SERVERS or number != int(number):
        raise UnitError("not a whole number, or too large", _WHOLE)
    return int(number)


def _amount_text(amount: float) -> str:
    """Three decimals, or four digits of what is small."""
    return f"{amount:,.3f}".rstrip("0").rstrip(".") if amount >= 1 or amount == 0 else f"{amount:.4g}"


def _count_text(count: float) -> str:
    return f"{count:,.0f}"


def _share_text(share: float) -> str:
    return f"{100 * share:.4g}%"


def _time_text(seconds: float) -> str:
    """To the hundredth of a second, to the millisecond below one, and two digits of what is shorter still."""
    if math.isinf(seconds):
        return "endless time"
    return (
        f"{1000 * seconds:.2g}ms" if 0 < seconds < 0.001 else format_duration(round(seconds, 2 if seconds > 1 else 3))
    )


def _rate_text(rate: float) -> str:
    """In the first unit that says it exactly, or else in the first with at least one of it."""
    amounts = {"s": rate, "m": 60 * rate, "h": 3600 * rate}
    exact = [unit for unit, amount in amounts.items() if amount >= 0.1 and math.isclose(amount, round(amount, 3))]
    unit = (exact or [unit for unit, amount in amounts.items() if amount >= 1] or ["h"])[0]
    return f"{_amount_text(amounts[unit])}/{unit}"


_LOAD = Kind(_erlang, _amount_text, "erlang")
_COUNT = Kind(_whole, _count_text, "")
_SHARE = Kind(parse_share, _share_text, "share")
_TIME = Kind(parse_duration, _time_text, "seconds")
_RATE = Kind(parse_rate, _rate_text, "per second")

QUANTITIES: dict[str, Quantity] = {
    "load": Quantity(_LOAD, "{} erlang offered"),
    "arrivals": Quantity(_RATE, "arrivals at {}"),
    "holding": Quantity(_TIME, "calls of {}"),
    "ports": Quantity(_COUNT, "{} ports"),
    "agents": Quantity(_COUNT, "{} agents"),
    "sources": Quantity(_COUNT, "{} sources"),
    "each": Quantity(_LOAD, "{} erlang from an idle source"),
    "retry": Quantity(_SHARE, "{} of those refused trying again"),
    "patience": Quantity(_TIME, "a mean patience of {}"),
    "within": Quantity(_TIME, "a target time of {}"),
    "blocking": Quantity(_SHARE, "{} of attempts refused", "at most"),
    "wait": Quantity(_SHARE, "{} of callers waiting", "at most"),
    "asa": Quantity(_TIME, "a mean wait of {}", "at most"),
    "level": Quantity(_SHARE, "{} answered within the target time", "at least"),
    "abandon": Quantity(_SHARE, "{} of callers giving up", "at most"),
    "offered": Quantity(_LOAD, "{} erlang with the further attempts"),
    "busy": Quantity(_SHARE, "all ports busy {} of the time"),
}
"""By the name of the option; the last two are only ever found."""

_ROUNDING = Decimal("1e-9")
"""Part of a step that the last value of a range may be short of."""

LISTS = "one value, a list such as 10,20,30, or a range with a step such as 10..100/10"


def values(name: str, text: str) -> tuple[float, ...]:
    """Return the values that an option stands for: one, a list, or a range; raises UnitError."""
    parse = QUANTITIES[name].kind.parse
    found: list[float] = []
    for part in text.split(","):
        found += _range(part, parse) if ".." in part else [parse(part)]
        if len(found) > MOST_VALUES:
            raise UnitError(f"more than {MOST_VALUES} values", LISTS)
    return tuple(found)


def _range(text: str, parse: Callable[[str], float]) -> list[float]:
    first_text, _, rest = text.partition("..")
    first, (last, step) = parse(first_text), _last_and_step(rest, parse)
    if step <= 0 or last < first:
        raise UnitError(f"{text!r} leads nowhere", LISTS)
    # In decimals, so that 0.1..0.5/0.1 are the values that a person means; rates an hour are rounded even so.
    start, end, each = (Decimal(str(value)) for value in (first, last, step))
    steps = int((end - start) / each + _ROUNDING)
    if steps >= MOST_VALUES:
        raise UnitError(f"more than {MOST_VALUES} values", LISTS)
    return [type(first)(start + k * each) for k in range(steps + 1)]


def _last_and_step(text: str, parse: Callable[[str], float]) -> tuple[float, float]:
    """Read `100/10`, and `2/s/0.5/s`, where a slash may stand inside either."""

    def readings() -> Iterator[tuple[float, float]]:
        pieces = text.split("/")
        for cut in range(1, len(pieces)):
            try:
                yield parse("/".join(pieces[:cut])), parse("/".join(pieces[cut:]))
            except UnitError:
                continue

    found = next(readings(), None)
    if found is None:
        raise UnitError(f"the range ends in {text!r}, which is not a last value, a slash and a step", LISTS)
    return found
