"""What is not as it was when a sweep was begun: which of what it depends on, so that a person knows what to do."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reports.sweep_journal import Stored
from reports.wording import number_of
from scenarios.problems import path_text, show

Json = dict[str, Any]

_LONGEST = 60
"""Characters that are shown of a value."""
_SHOWN = 5
"""Fields or points that are named; of the others it is said how many there are."""
WITHOUT_EFFECT = ("name", "teaches", "expected_verdict", "expect", "waivers", "drift", "live")
"""Parts of a drill on which no run depends that a sweep makes."""
OWN_FIELDS = ("run.seed", "run.replications", "run.precision")
"""Fields that a sweep has of its own."""


def effective(drill: Mapping[str, Any]) -> Json:
    """Return what runs depend on of a drill as plain data."""
    kept = {key: value for key, value in drill.items() if key not in WITHOUT_EFFECT}
    run = kept.get("run")
    return (
        {**kept, "run": {key: value for key, value in run.items() if f"run.{key}" not in OWN_FIELDS}} if run else kept
    )


def changes(
    before: Mapping[str, Any],
    now: Mapping[str, Any],
    points: Mapping[str, Stored],
    asked: Mapping[str, Mapping[str, str]],
    queries: Sequence[str],
) -> list[str]:
    """Return, a clause each, why what is stored is not what is asked for; nothing where it can be used.

    ``before`` and ``now`` are the headers of the journal and of this sweep, ``points`` what is stored, ``asked`` the
    values of each point that is asked for, by key, and ``queries`` what the results are about.
    """
    found = [
        f"{name}: {before.get(name)} there, {now[name]} now"
        for name in ("engine", "seed", "replications")
        if before.get(name) != now[name]
    ]
    there = before.get("software", {})
    found += [
        f"{name}: version {there.get(name, 'unknown')} there, {version} now"
        for name, version in now["software"].items()
        if there.get(name) != version
    ]
    gone = {key: stored.set for key, stored in points.items() if key not in asked and stored.runs}
    same_values = [dict(values) for values in asked.values()]
    if any(dict(values) in same_values for values in gone.values()):
        fields = list(differences((), before.get("drill", {}), now["drill"]))
        found.append(f"the drill, with its ledgers and --set: {_some(fields, 'field') or 'the order of its parts'}")
    elif gone:
        missing = [values_text(values) for values in gone.values()]
        found.append(f"--vary: not asked for any more are {_some(missing, 'point')}")
    finished = [points[key] for key in asked.keys() & points.keys() if len(points[key].runs) == now["replications"]]
    unknown = {query for stored in finished for query in queries if query not in stored.queries}
    if unknown:
        found.append(f"--metric, --target or expectations: not measured there {_some(sorted(unknown), 'metric')}")
    return found


def values_text(values: Mapping[str, str]) -> str:
    """Return the values of a point as the command line has them."""
    return ", ".join(f"{path}={value}" for path, value in values.items())


def _some(texts: Sequence[str], one: str) -> str:
    more = [f"and {number_of(len(texts) - _SHOWN, 'more ' + one)}"] if len(texts) > _SHOWN else []
    return "; ".join([*texts[:_SHOWN], *more])


def differences(path: tuple[str | int, ...], before: object, now: object) -> Iterator[str]:
    """Yield each field that differs, below ``path``, with what it was and what it is."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*before, *now]):
            yield from differences((*path, key), before.get(key), now.get(key))
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for index, (old, new) in enumerate(zip(before, now, strict=True)):
            yield from differences((*path, index), old, new)
    elif before != now:
        yield f"{path_text(path)} was {_said(before)}, is {_said(now)}"


def _said(value: object) -> str:
    """Return a value on one line: what is nested as a file may have it, too."""
    if not isinstance(value, dict | list):
        return show(value)
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
