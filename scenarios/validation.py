"""From what pydantic finds wrong in a tree to problems with a place, in plain words."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from scenarios.model import ACTIONS
from scenarios.model_fields import fields_at
from scenarios.problems import Mark, Problem, did_you_mean, nearest, path_text, show
from scenarios.source import Node, Path, Source
from scenarios.syntax import look_alike
from scenarios.units import format_share


class Fault(NamedTuple):
    """A problem and the path of the value it is about."""

    path: Path
    problem: Problem


class _Place(NamedTuple):
    """Where an error of pydantic's belongs in the tree."""

    path: Path
    node: Node
    tail: tuple[str | int, ...]
    """What of the location is not in the tree: a missing field, the tag of a union, `[key]`."""


MOST_ERRORS = 500
"""Errors that are explained; nobody reads more before correcting these."""

_WORDS = {
    "model_type": "fields are needed here",
    "model_attributes_type": "fields are needed here",
    "dict_type": "fields are needed here",
    "list_type": "a list is needed here",
    "literal_error": "unknown value",
    "enum": "unknown value",
    "greater_than": "too small",
    "greater_than_equal": "too small",
    "less_than": "too large",
    "less_than_equal": "too large",
    "too_short": "too few entries",
    "too_long": "too many entries",
    "string_too_short": "too short",
}
_BOUNDS = {"gt": "above {}", "ge": "at least {}", "lt": "below {}", "le": "at most {}"}
_NEEDS_FIELDS = ("model_type", "model_attributes_type", "dict_type")


def faults_of(error: ValidationError, source: Source) -> list[Fault]:
    """Return one fault for each place that a validation error is about; of very many, only the first."""
    details = error.errors(include_url=False)[:MOST_ERRORS]
    places = [_place(source.root, each["loc"]) for each in details]
    outer = {place.path[:length] for place in places for length in range(len(place.path))}
    found: dict[Path, Problem] = {}
    meant: set[Path] = set()  # fields that are missing only because they are misspelt
    for each, place in zip(details, places, strict=True):
        if place.tail and each["type"] != "missing" and place.path in outer:
            continue  # one alternative of a union; another one came further, and its error says more
        fault = _fault(each, place)
        found[fault.path] = _merged(found.get(fault.path), fault.problem)
        if each["type"] == "extra_forbidden":
            near = nearest(str(fault.path[-1]), fields_at(each["loc"][:-1]))
            meant |= {(*fault.path[:-1], near)} if near else set()
    return [Fault(path, problem) for path, problem in found.items() if path not in meant or source.root.has(*path)]


def _place(root: Node, location: Sequence[str | int]) -> _Place:
    path: list[str | int] = []
    node, tail = root, list[str | int]()
    for part in location:
        child = node.child(part)
        if child is None:
            tail.append(part)
        else:
            path, node, tail = [*path, part], child, []
    return _Place(tuple(path), node, tuple(tail))


def _fault(detail: ErrorDetails, place: _Place) -> Fault:
    kind, context = detail["type"], detail.get("ctx", {})
    path, node = place.path, place.node
    if place.tail[-1:] == ("[key]",):
        reason, allowed = context.get("reason", detail["msg"]), context.get("allowed")
        return Fault(path, Problem(node.named_at, path_text(path), str(reason), show(path[-1]), allowed))
    match kind:
        case "missing":
            return _missing(path, str(place.tail[-1]), node, fields_at(detail["loc"][:-1]))
        case "extra_forbidden":
            return _unknown(path, node, list(fields_at(detail["loc"][:-1])))
        case "union_tag_not_found" | "union_tag_invalid":
            return _no_kind(path, node, context)
        case "drill":
            within = tuple(context["within"])
            inner = _place(node, within).node
            return _at(
                (*path, *within), inner.place if within else node.mark, context["reason"], inner, context["allowed"]
            )
    message = _WORDS.get(kind, detail["msg"])
    allowed = _allowed(kind, context, detail["loc"], node)
    if kind in ("literal_error", "enum") and isinstance(node.value, str):
        message += did_you_mean(node.value, re.findall(r"'([^']*)'", allowed or ""))
    if isinstance(node.value, str):
        message += look_alike(node.value) if kind in _NEEDS_FIELDS else ""
    return _at(path, node.mark, message, node, allowed)


def _at(path: Path, mark: Mark, message: str, found: Node | None, allowed: str | None) -> Fault:
    shown = show(found.plain()) if found else None
    return Fault(path, Problem(mark, path_text(path), message, shown, allowed))


def _missing(path: Path, field: str, parent: Node, fields: Mapping[str, FieldInfo]) -> Fault:
    info = fields.get(field)
    meaning = f": {' '.join(info.description.split())}" if info and info.description else ""
    return _at((*path, field), parent.place, f"this field is missing{meaning}", None, None)


def _unknown(path: Path, node: Node, known: list[str]) -> Fault:
    name = str(path[-1])
    message = f"unknown field {name!r}{did_you_mean(name, known)}{look_alike(name)}"
    return _at(path, node.named_at, message, None, ", ".join(known))


def _no_kind(path: Path, node: Node, context: Mapping[str, object]) -> Fault:
    """Say that a part is none of its kinds, which are told apart by a value or by which field they have."""
    field = str(context["discriminator"]).strip("'")
    stated = node.child(field)
    if stated is not None:
        allowed = str(context["expected_tags"])
        hint = did_you_mean(str(stated.value), re.findall(r"'([^']*)'", allowed))
        return _at((*path, field), stated.mark, f"unknown kind{hint}", stated, allowed)
    if isinstance(node.value, dict) and field in fields_at(path):
        return _at((*path, field), node.place, "this field is missing, which says what kind it is", None, None)
    allowed = f"one of {', '.join(ACTIONS)}"
    if not isinstance(node.value, dict):
        return _at(path, node.mark, "fields are needed here", node, allowed)
    hint = next(filter(None, (did_you_mean(name, ACTIONS) for name in node.value)), "")
    return _at(path, node.place, f"no known action{hint}", node, allowed)


def _allowed(kind: str, context: dict[str, object], location: Sequence[str | int], node: Node) -> str | None:
    if kind in _NEEDS_FIELDS:
        known = ", ".join(fields_at(location))
        return f"fields such as {known}" if known else "names, each with its fields"
    if kind == "list_type":
        return "items that begin with '- ', or [a, b]"
    for limit, words in _BOUNDS.items():
        if limit in context:
            bound = context[limit]
            share = isinstance(node.value, str) and node.value.strip().endswith(("%", "％"))
            return words.format(format_share(bound) if share and isinstance(bound, int | float) else bound)
    if kind == "too_short":
        return f"at least {context['min_length']}"
    if kind == "too_long":
        return f"at most {context['max_length']}"
    if kind == "string_too_short":
        return f"at least {context['min_length']} characters"
    return str(context["expected"]) if "expected" in context else None


def _merged(first: Problem | None, second: Problem) -> Problem:
    """Join what two alternatives of a union allow at one place."""
    if first is None or first == second:
        return second
    allowed = " or ".join(dict.fromkeys(side for side in (first.allowed, second.allowed) if side))
    return Problem(first.mark, first.path, first.message, first.found, allowed or None)
