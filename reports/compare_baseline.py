"""Baselines: what later nights are held against, one file a drill and engine.

In virtual time the same file and seed give the same values, and any difference is one of the plan or of the software.
So one run is the baseline, and it stays until somebody accepts another. A baseline that moved with every night that is
not worse would let a plan get worse a little every night.

Live, the first nights are the baseline, and stay it until somebody accepts; the last nights are kept beside them.

    version   of this format
    drill     its name
    engine    which engine played it
    accepted  the runs of the baseline, oldest first: result and replications, as in the folder of a run
    recent    live: the nights after them, oldest first; of the last few plans, each no more than are ever needed
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reports import files
from reports.compare_nights import BASELINE, MOST_RECENT
from reports.compare_runs import Run, RunError, read_json, run_of
from scenarios.paths import exists

FOLDER = Path("baselines")
VERSION = 1
"""Raised when a key changes its meaning or goes; a new key leaves it as it is."""
_LONGEST_NAME = 40
_MOST_PLANS = 3
"""That last nights are kept of, so that the file of a drill that is changed often does not grow for ever."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Night:
    """One run as its two files hold it."""

    result: Mapping[str, Any]
    replications: Mapping[str, Any]

    @property
    def data(self) -> Json:
        """The same as plain data."""
        return {"result": dict(self.result), "replications": dict(self.replications)}


@dataclass(frozen=True, slots=True)
class Baseline:
    """The file of one drill and engine."""

    path: Path
    drill: str
    engine: str
    accepted: tuple[Night, ...] = ()
    recent: tuple[Night, ...] = ()

    def runs(self, nights: tuple[Night, ...]) -> tuple[Run, ...]:
        """Return nights as runs; raises :class:`~reports.compare_runs.RunError` where one is none."""
        return tuple(run_of(each.result, each.replications, str(self.path), self.path, self.path) for each in nights)

    def has(self, night: Night) -> bool:
        """Whether this very run is in it, to the last digit."""
        return any(each.data == night.data for each in (*self.accepted, *self.recent))

    def with_night(self, night: Night) -> "Baseline":
        """Return it with one more live night: in the baseline while that is not full, else among the last ones."""
        if len(self.accepted) < BASELINE:
            return Baseline(self.path, self.drill, self.engine, (*self.accepted, night), ())
        return Baseline(self.path, self.drill, self.engine, self.accepted, _last((*self.recent, night)))

    def recent_of(self, run: Run) -> tuple[Night, ...]:
        """Return the last nights that count beside a run: those of its plan."""
        recent = zip(self.recent, self.runs(self.recent), strict=True)
        return tuple(night for night, as_run in recent if as_run.drill == run.drill)

    def write(self) -> None:
        """Write the file whole; raises :class:`~reports.files.ReportError`."""
        data = {
            "version": VERSION,
            "drill": self.drill,
            "engine": self.engine,
            "accepted": [each.data for each in self.accepted],
            "recent": [each.data for each in self.recent],
        }
        files.folder(self.path.parent)
        files.write_whole(self.path, json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n")


def _last(nights: Sequence[Night]) -> tuple[Night, ...]:
    """Return the nights that are kept: counted by plan, so that plans played in turn leave each other enough."""
    kept, plans = list[Night](), list[tuple[Any, int]]()
    for night in reversed(nights):
        plan = night.replications.get("drill")
        place = next((index for index, (known, _) in enumerate(plans) if known == plan), None)
        if place is None:
            if len(plans) == _MOST_PLANS:
                continue
            place = len(plans)
            plans.append((plan, 0))
        _, count = plans[place]
        if count < MOST_RECENT:
            plans[place] = (plan, count + 1)
            kept.append(night)
    return tuple(reversed(kept))


def file_of(folder: Path, drill: str, engine: str) -> Path:
    """Return where the baseline of a drill and engine is: a name for people, and a digest for like ones."""
    digest = hashlib.sha256(drill.encode()).hexdigest()[:8]
    slug = re.sub(r"\W+", "-", drill.casefold())[:_LONGEST_NAME].strip("-")
    return folder / f"{slug or 'drill'}-{digest}.{engine}.json"


def read_baseline(folder: Path, drill: str, engine: str) -> Baseline:
    """Read the baseline of a drill and engine; without runs where there is none yet.

    Raises :class:`~reports.compare_runs.RunError` for a file that is broken, which is left as it is.
    """
    path = file_of(folder, drill, engine)
    if not exists(path):
        return Baseline(path, drill, engine)
    data = read_json(path)
    what = "move it away to begin anew"
    if not isinstance(data, dict) or data.get("version") != VERSION:
        found = data.get("version") if isinstance(data, dict) else None
        raise RunError(f"{path}: this is no baseline of this version: {found} (allowed: {VERSION}); {what}")
    if (data.get("drill"), data.get("engine")) != (drill, engine):
        raise RunError(f"{path}: this is the baseline of another drill or engine; {what}")
    baseline = Baseline(path, drill, engine, _nights(data, "accepted", path), _nights(data, "recent", path))
    if not baseline.accepted:
        raise RunError(f"{path}: there is no run in it; {what}")
    try:
        baseline.runs((*baseline.accepted, *baseline.recent))
    except RunError as error:
        raise RunError(f"{error}; {what}") from None
    return baseline


def _nights(data: Json, key: str, path: Path) -> tuple[Night, ...]:
    found = data.get(key)
    try:
        return tuple(Night(dict(each["result"]), dict(each["replications"])) for each in found or ())
    except (KeyError, TypeError, ValueError):
        raise RunError(f"{path}: {key} is not a list of runs; move it away to begin anew") from None
