"""From a drill file to a :class:`~scenarios.model.Drill`, or to everything that is wrong with it at once."""

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from scenarios.calendar import Moment
from scenarios.encoding import read_text
from scenarios.keys import respell
from scenarios.ledger import SECTIONS, expand
from scenarios.model import Drill, Run
from scenarios.model_fields import named_fields
from scenarios.overrides import Override, apply, parse_override
from scenarios.problems import DrillError, Finding, Problem, path_text
from scenarios.replication import data_of
from scenarios.rules.references import CONTRACT_LIMITS, Declared, dangling
from scenarios.source import Node, Source, read_source
from scenarios.source import Path as TreePath
from scenarios.systems import System
from scenarios.validation import MOST_ERRORS, faults_of


@dataclass(frozen=True, slots=True)
class Loaded:
    """A drill that can be run, and where its parts stand."""

    drill: Drill
    source: Source
    notes: tuple[str, ...]
    """What the user should know about how the files were read."""

    @property
    def tree(self) -> dict[str, object]:
        """All of it as it was read, with ledgers and changes, as plain data."""
        tree = self.source.root.plain()
        return tree if isinstance(tree, dict) else {}


def load(path: Path, overrides: Sequence[str] = ()) -> Loaded:
    """Read a drill and the ledgers beside it; raises :class:`DrillError` with all that is wrong."""
    decoded = read_text(path, str(path))
    loaded = load_text(decoded.text, str(path), overrides, path.parent)
    return Loaded(loaded.drill, loaded.source, (*decoded.notes, *loaded.notes))


def load_text(text: str, name: str, overrides: Sequence[str] = (), base: Path | None = None) -> Loaded:
    """Read a drill from text, and ledgers from the folder ``base``; raises :class:`DrillError`."""
    source = read_source(text, name)
    root = source.root
    problems = [*source.problems, *respell(root)]
    changes = _parsed(overrides, problems)
    _change(root, [change for change in changes if change.path in _LEDGERS], problems)
    more, notes = expand(root, base)
    problems += more
    _change(root, [change for change in changes if change.path not in _LEDGERS], problems)
    try:
        drill = Drill.model_validate(root.plain(), by_name=False)
    except ValidationError as error:
        faults = faults_of(error, source)
        problems += [fault.problem for fault in faults if not _inside(fault.path, source.faulty)]
        if error.error_count() <= MOST_ERRORS:
            problems += _dangling_among_sound(source, {fault.path for fault in faults})
        else:
            problems.append(
                Problem(None, "", f"{error.error_count()} errors in all; the first {MOST_ERRORS} are shown")
            )
        raise DrillError(problems) from None
    problems += [problem_of(finding, source) for finding in dangling(drill, Declared.by(drill))]
    if problems:
        raise DrillError(problems)
    return Loaded(drill, source, tuple(notes))


def problem_of(finding: Finding, source: Source) -> Problem:
    """Return a finding with its place in the file."""
    path = path_text(finding.path)
    return Problem(source.mark(finding.path), path, finding.message, allowed=finding.remedy, rule=finding.id)


_LEDGERS = tuple(f"{section}.csv" for section in SECTIONS)
"""Fields that must be overridden before they are read, so that later overrides can change what they bring."""


_SINGLE = ("run", "ports", "default_caller", "drift", "live", "sync", "system")
"""Parts of one piece that references depend on."""


def _parsed(overrides: Sequence[str], problems: list[Problem]) -> list[Override]:
    parsed = []
    for text in overrides:
        try:
            parsed.append(parse_override(text))
        except DrillError as error:
            problems += error.problems
    return parsed


def _change(root: Node, changes: Sequence[Override], problems: list[Problem]) -> None:
    for change in changes:
        try:
            apply(root, change)
        except DrillError as error:
            problems += error.problems


def _inside(path: TreePath, places: Collection[TreePath]) -> bool:
    return any(path[:length] in places for length in range(len(path) + 1))


def _dangling_among_sound(source: Source, faulty: Collection[TreePath]) -> list[Problem]:
    """Check the names of all parts that are valid by themselves, against all names the file declares."""
    drill, kept = _sound(source.root, faulty)
    problems = []
    for finding in dangling(drill, _declared(source.root, faulty)):
        path = finding.path
        if len(path) > 1 and isinstance(path[1], int):
            path = (path[0], kept[str(path[0])][path[1]], *path[2:])
        moved = Finding(finding.id, finding.severity, path, finding.message, finding.remedy)
        problems.append(problem_of(moved, source))
    return problems


def _sound(root: Node, faulty: Collection[TreePath]) -> tuple[Drill, dict[str, list[int]]]:
    """Return a drill of the valid entries alone, and where in the file's lists its list items stand."""
    broken = {path[:2] for path in faulty}
    parts: dict[str, Any] = {"run": Run.model_construct(lasts=0.0, warm=False, start=Moment(0.0, date(2001, 1, 1)))}
    kept: dict[str, list[int]] = {}
    for section, info in named_fields(Drill).items():
        node = root.child(section)
        whole = None if node is None or (section,) in broken else node.value
        if get_origin(info.annotation) is dict:
            adapter = TypeAdapter[Any](get_args(info.annotation)[1])
            entries = whole.items() if isinstance(whole, dict) else ()
            parts[section] = {key: _valid(adapter, each) for key, each in entries if (section, key) not in broken}
        elif get_origin(info.annotation) is list:
            adapter = TypeAdapter[Any](get_args(info.annotation)[0])
            items = whole if isinstance(whole, list) else []
            kept[section] = [index for index in range(len(items)) if (section, index) not in broken]
            parts[section] = [_valid(adapter, items[index]) for index in kept[section]]
        elif section in _SINGLE and node and info.annotation and not any(path[0] == section for path in broken):
            parts[section] = _valid(TypeAdapter[Any](info.annotation), node)
    return Drill.model_construct(**parts), kept


def _valid(adapter: TypeAdapter[Any], node: Node) -> Any:
    return adapter.validate_python(node.plain(), by_name=False)


def _data(root: Node) -> tuple[str, ...]:
    """Return the classes of data that a file declares, with those of its system."""
    system, sync = root.child("system"), root.child("sync")
    stated = sync.child("data") if sync is not None else None
    own = stated.value if stated is not None and isinstance(stated.value, dict) else ()
    known = {} if system is None else data_of(System.parse(str(system.value)))
    return () if sync is None else tuple(dict.fromkeys([*known, *own]))


def _declared(root: Node, faulty: Collection[TreePath]) -> Declared:
    """Return the names that the tree declares, those of faulty parts included."""

    def names(section: str, label: str = "") -> tuple[str, ...] | None:
        node = root.child(section)
        if (section,) in faulty:
            return None  # it is reported already; what it was meant to declare is not known
        if node is None or not isinstance(node.value, dict | list):
            return ()
        if isinstance(node.value, dict):
            return tuple(node.value)
        found = (item.child(label) for item in node.value)
        return tuple(unicodedata.normalize("NFKC", str(each.value)).strip() for each in found if each)

    def carriers() -> tuple[str, ...] | None:
        node = root.child("trunks")
        trunks = node.value.values() if node is not None and isinstance(node.value, dict) else ()
        found = (trunk.child("carrier") for trunk in trunks)
        return None if names("trunks") is None else tuple(str(each.value).strip() for each in found if each)

    def union(*parts: tuple[str, ...] | None) -> tuple[str, ...] | None:
        known = [part for part in parts if part is not None]
        return tuple(name for part in known for name in part) if len(known) == len(parts) else None

    trunks, pairs, numbers, groups = map(names, ("trunks", "sbc_pairs", "numbers", "agents"))
    contract = tuple(name for name in CONTRACT_LIMITS if root.has("ports", name))
    tapped = None if numbers is None else tuple(name for name in numbers if root.has("numbers", name, "tap"))
    dialled = None if numbers is None else (*numbers, *(names("traffic", "to") or ()))
    changes = names("changes", "name")
    return Declared(
        sites=names("sites"),
        pairs=pairs,
        trunks=trunks,
        carriers=carriers(),
        numbers=numbers,
        queues=union(names("queues"), groups),
        offices=names("offices"),
        groups=groups,
        faults=names("faults", "name"),
        steps=names("runbook", "step"),
        calendars=names("calendars"),
        actors=names("actors"),
        limits=union(contract, trunks, pairs, tapped),
        dialled=dialled,
        data=_data(root) if ("system",) not in faulty and ("sync",) not in faulty else None,
        changes=changes,
        consoles=names("consoles"),
    )
