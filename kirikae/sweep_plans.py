"""The plans of a sweep: the drill at every point, all of them checked before anything runs."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from rich.console import Console

from reports.checked import checked
from reports.lint_terminal import line_of
from reports.sweep_changes import effective, values_text
from scenarios.loader import load
from scenarios.model import Drill
from scenarios.problems import DrillError, Severity
from scenarios.text import language_of, translator
from sim.designs import Point

_KEY_DIGITS = 16
"""Of the hash that is a point's key: among a million points, none are taken for each other."""
_SHOWN = 3
"""Points that are named of those which have something in common."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The drill at one point that can be run."""

    values: Point
    set: Mapping[str, str]
    """Its values by path."""
    drill: Drill
    key: str
    """The same for all drills that give the same runs, however they came about."""


@dataclass(frozen=True, slots=True)
class Plans:
    """All points: those that can be run, and what is to be said of them."""

    paths: tuple[str, ...]
    points: tuple[Point, ...]
    """All that were looked at."""
    plans: tuple[Plan, ...]
    """Those that can be run."""
    wrong: Mapping[str, Sequence[Point]]
    """What keeps points from being run, and at which."""
    remarks: Mapping[str, Sequence[Point]]
    """Warnings of the plan checks, of those about the same field the first, and at which points."""

    @property
    def refused(self) -> int:
        """How many points cannot be run."""
        return len({point for points in self.wrong.values() for point in points})

    def places(self, points: Sequence[Point]) -> str:
        """Return which points these are: by one field alone if that says it."""
        if len(points) == len(self.points):
            return "all points" if len(points) > 1 else "the only point"
        for axis, path in enumerate(self.paths):
            values = dict.fromkeys(point[axis] for point in points)
            if sum(point[axis] in values for point in self.points) == len(points):
                return f"{path}={_some(values)}"
        named = (values_text(dict(zip(self.paths, point, strict=True))) for point in points)
        return _some(named)


def planned(
    path: Path,
    name: str,
    common: Sequence[str],
    paths: Sequence[str],
    points: Sequence[Point],
    done: Callable[[int], None],
) -> Plans:
    """Read the drill at every point and hold it to the rules; ``common`` are changes for all of them.

    A point that is the same drill as one before it is left out. ``done`` hears how many points have been looked at.
    """
    say = translator(language_of())
    plans: dict[str, Plan] = {}
    wrong: dict[str, list[Point]] = {}
    remarks: dict[str, list[Point]] = {}
    first: dict[tuple[str, str], str] = {}
    for count, values in enumerate(points, 1):
        assigned = dict(zip(paths, values, strict=True))
        changes = [f"{field}={value}" for field, value in assigned.items()]

        try:
            loaded = load(path, [*common, *changes])
        except DrillError as error:
            for problem in error.problems:
                wrong.setdefault(_told(str(problem), changes), []).append(values)
        else:
            plan = checked(loaded, name)
            for found in plan.found:
                line = _told(line_of(plan, found, found.severity, say), changes)
                if found.severity is Severity.ERROR:
                    wrong.setdefault(line, []).append(values)
                elif found.severity is Severity.WARNING:
                    # Its numbers differ from point to point; one of them tells what it is about.
                    line = first.setdefault((found.rule.id, found.problem.path), line)
                    remarks.setdefault(line, []).append(values)
            text = json.dumps(effective(loaded.tree), ensure_ascii=False)
            key = sha256(text.encode()).hexdigest()[:_KEY_DIGITS]
            plans.setdefault(key, Plan(values, assigned, loaded.drill, key))
        done(count)
    return Plans(tuple(paths), tuple(points), tuple(plans.values()), wrong, remarks)


def _told(line: str, changes: Iterable[str]) -> str:
    """Call what is varied by the name of its option."""
    for each in changes:
        line = line.replace(f"--set {each}:", f"--vary {each}:")
    return line


def print_found(console: Console, plans: Plans, found: Mapping[str, Sequence[Point]]) -> None:
    """Print findings, each once, and at which points it was found."""
    for line, points in found.items():
        places = plans.places(points)
        console.print(line if f"--vary {places}:" in line else f"{line} (at {places})", soft_wrap=True)


def _some(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return f"{'; '.join(every[:_SHOWN])}{more}"
