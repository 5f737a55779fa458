"""Times that vary, and arrivals over the day, as a drill states them; engines draw from them."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from scenarios.problems import did_you_mean
from scenarios.units import (
    DURATIONS,
    RATES,
    UnitError,
    format_duration,
    parse_clock,
    parse_duration,
    parse_number,
    parse_rate,
)

MAX_CV = 20.0
"""Largest coefficient of variation; beyond it no sample mean settles."""


class Shape(StrEnum):
    """Families of distributions."""

    CONSTANT = "constant"
    EXPONENTIAL = "exponential"
    UNIFORM = "uniform"
    TRIANGULAR = "triangular"
    LOGNORMAL = "lognormal"
    GAMMA = "gamma"
    EMPIRICAL = "empirical"


@dataclass(frozen=True, slots=True)
class Distribution:
    """A distribution of times, in seconds."""

    shape: Shape
    parameters: tuple[float, ...]
    """constant: value; exponential: mean; uniform: low, high; triangular: low, mode, high; lognormal, gamma:
    mean, cv; empirical: values of equal weight."""

    @property
    def mean(self) -> float:
        """Expected value, in seconds."""
        match self.shape:
            case Shape.UNIFORM | Shape.TRIANGULAR | Shape.EMPIRICAL:
                return sum(self.parameters) / len(self.parameters)
            case Shape.CONSTANT | Shape.EXPONENTIAL | Shape.LOGNORMAL | Shape.GAMMA:
                return self.parameters[0]

    @property
    def times(self) -> tuple[float, ...]:
        """The parameters that are times: all but a coefficient of variation."""
        return self.parameters[:1] if self.shape in (Shape.LOGNORMAL, Shape.GAMMA) else self.parameters

    def scaled(self, factor: float) -> "Distribution":
        """Return the same shape with all times multiplied by ``factor``, above 0."""
        times = self.times
        return Distribution(self.shape, (*(time * factor for time in times), *self.parameters[len(times) :]))


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Arrivals of a Poisson process whose rate is a step function of the time of day."""

    steps: tuple[tuple[float, float], ...]
    """Seconds since midnight and the rate per second from then on, in order; the last holds past midnight."""

    @property
    def constant(self) -> bool:
        """Whether the rate is the same at every time of day."""
        return len({rate for _, rate in self.steps}) == 1

    @property
    def peak(self) -> float:
        """Highest rate, per second."""
        return max(rate for _, rate in self.steps)

    def rate_at(self, seconds_of_day: float) -> float:
        """Return the rate per second at a time of day, in seconds since midnight; any day's will do."""
        index = bisect_right(self.steps, seconds_of_day % 86_400.0, key=lambda step: step[0])
        return self.steps[index - 1][1]


def parse_distribution(value: object) -> Distribution:
    """Read what a drill states as ``3m`` or ``{gamma: {mean: 3m, cv: 1.2}}``; raises :class:`UnitError`."""
    if isinstance(value, Distribution):
        return value
    if not isinstance(value, dict):
        return Distribution(Shape.CONSTANT, (parse_duration(value),))
    if len(value) != 1:
        raise UnitError("a distribution has exactly one shape", f"one of {', '.join(Shape)}")
    ((key, stated),) = value.items()
    if key not in _FORMS:
        raise UnitError(f"unknown distribution {key!r}{did_you_mean(str(key), Shape)}", ", ".join(Shape))
    shape = Shape(key)
    form = _FORMS[shape]
    return Distribution(shape, form.read(stated, (shape.value,), f"{{{shape}: {form.example}}}"))


def format_distribution(distribution: Distribution) -> str:
    """Return a distribution as a drill states it in one line, its times to the millisecond."""
    times = [format_duration(time) for time in distribution.times]
    match distribution.shape:
        case Shape.CONSTANT:
            return times[0]
        case Shape.EXPONENTIAL:
            stated = times[0]
        case Shape.LOGNORMAL | Shape.GAMMA:
            stated = f"{{mean: {times[0]}, cv: {distribution.parameters[1]:g}}}"
        case Shape.UNIFORM | Shape.TRIANGULAR | Shape.EMPIRICAL:
            stated = f"[{', '.join(times)}]"
    return f"{{{distribution.shape}: {stated}}}"


def parse_arrivals(value: object) -> Arrivals:
    """Read what a drill states as ``0.5/s`` or ``{profile: {"08:00": 0.1/s}}``; raises :class:`UnitError`."""
    if isinstance(value, Arrivals):
        return value
    arrivals = Arrivals(_profile(value) if isinstance(value, dict) else ((0.0, parse_rate(value)),))
    if arrivals.peak == 0:
        raise UnitError("nobody ever arrives", "a rate above 0")
    return arrivals


ARRIVALS = f'{RATES}, or {{profile: {{"08:00": 0.1/s, "12:00": 0.5/s}}}}'


def _profile(value: dict[object, object]) -> tuple[tuple[float, float], ...]:
    stated = value.get("profile")
    if len(value) != 1 or not isinstance(stated, dict) or not stated:
        raise UnitError("this is neither a rate nor a profile", ARRIVALS)
    steps: dict[float, float] = {}
    for clock, rate in stated.items():
        within = ("profile", str(clock))
        moment = _inside(parse_clock, clock, within)
        if moment in steps:
            raise UnitError(f"{clock} stands twice", "each time of day once", within)
        steps[moment] = _inside(parse_rate, rate, within)
    return tuple(sorted(steps.items()))


def _inside(parse: Callable[[object], float], value: object, within: tuple[str | int, ...]) -> float:
    """Parse a part of a larger value; an error says which part."""
    try:
        return parse(value)
    except UnitError as error:
        raise UnitError(error.reason, error.allowed, within) from None


def _one(value: object, within: tuple[str | int, ...], allowed: str) -> tuple[float, ...]:
    if isinstance(value, dict | list):
        raise UnitError("this shape takes one duration", allowed, within)
    return (_inside(parse_duration, value, within),)


def _mean(value: object, within: tuple[str | int, ...], allowed: str) -> tuple[float, ...]:
    parameters = _one(value, within, allowed)
    if parameters[0] == 0:
        raise UnitError("a mean must be above 0", allowed, within)
    return parameters


def _bounds(value: object, within: tuple[str | int, ...], allowed: str) -> tuple[float, ...]:
    """Read the durations of a uniform or triangular distribution, which must not decrease."""
    names = _BOUNDS[Shape(str(within[0]))]
    if not isinstance(value, list) or len(value) != len(names):
        raise UnitError(f"this shape takes {len(names)} durations: {', '.join(names)}", allowed, within)
    bounds = _each(value, within)
    for index, (name, lower, upper) in enumerate(zip(names, bounds, bounds[1:], strict=False)):
        if upper < lower:
            later = names[index + 1]
            raise UnitError(f"{later} {value[index + 1]} is below {name} {value[index]}", allowed, (*within, index + 1))
    if bounds[0] == bounds[-1]:
        raise UnitError(f"all durations are the same; write {value[0]} alone", allowed, within)
    return bounds


def _values(value: object, within: tuple[str | int, ...], allowed: str) -> tuple[float, ...]:
    if not isinstance(value, list) or not value:
        raise UnitError("this shape takes a list of durations", allowed, within)
    return _each(value, within)


def _each(value: list[object], within: tuple[str | int, ...]) -> tuple[float, ...]:
    return tuple(_inside(parse_duration, each, (*within, index)) for index, each in enumerate(value))


def _mean_and_cv(value: object, within: tuple[str | int, ...], allowed: str) -> tuple[float, ...]:
    if not isinstance(value, dict):
        raise UnitError("this shape takes a mean and a cv (coefficient of variation)", allowed, within)
    for key in value:
        if key not in ("mean", "cv"):
            hint = did_you_mean(str(key), ("mean", "cv"))
            raise UnitError(f"unknown field {key!r}{hint}", allowed, (*within, str(key)))
    for key in ("mean", "cv"):
        if key not in value:
            raise UnitError(f"the {key} is missing", allowed, within)
    (mean,) = _mean(value["mean"], (*within, "mean"), allowed)
    cv = _inside(lambda found: parse_number(found, "a cv", _CV), value["cv"], (*within, "cv"))
    if not 0 < cv <= MAX_CV:
        raise UnitError("the coefficient of variation is out of range", _CV, (*within, "cv"))
    return mean, cv


_CV = f"standard deviation over mean: above 0, at most {MAX_CV:g}"
_BOUNDS = {Shape.UNIFORM: ("low", "high"), Shape.TRIANGULAR: ("low", "mode", "high")}


class _Form(NamedTuple):
    """How a shape's parameters are written."""

    read: Callable[[object, tuple[str | int, ...], str], tuple[float, ...]]
    example: str


_FORMS: dict[str, _Form] = {
    Shape.CONSTANT: _Form(_one, "3m"),
    Shape.EXPONENTIAL: _Form(_mean, "60s"),
    Shape.UNIFORM: _Form(_bounds, "[1m, 5m]"),
    Shape.TRIANGULAR: _Form(_bounds, "[2m, 5m, 15m]"),
    Shape.LOGNORMAL: _Form(_mean_and_cv, "{mean: 3m, cv: 1.2}"),
    Shape.GAMMA: _Form(_mean_and_cv, "{mean: 3m, cv: 0.5}"),
    Shape.EMPIRICAL: _Form(_values, "[10s, 20s, 40s]"),
}

DISTRIBUTIONS = f"{DURATIONS}, or one of " + ", ".join(f"{{{shape}: {form.example}}}" for shape, form in _FORMS.items())
