"""The JSON Schema of a drill, for editors that complete and check while a person types."""

from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter

from scenarios import fields
from scenarios.keys import NAMED
from scenarios.ledger import SECTIONS
from scenarios.model import Drill
from scenarios.units import format_duration, format_share

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]

# Those that contain others come first.
_SHARED = {
    name: TypeAdapter[Any](kind).json_schema()
    for name, kind in (
        ("Distribution", fields.Distributed),
        ("Arrivals", fields.Arrivals),
        ("Expectation", fields.ExpectationField),
        ("PhoneNumber", fields.PhoneNumber),
        ("Name", fields.Name),
        ("Duration", fields.Duration),
        ("Share", fields.Share),
        ("Line", fields.Line),
        ("Prose", fields.Prose),
    )
}


_WRITTEN: dict[str, Callable[[Any], object]] = {
    "Duration": format_duration,
    "Share": format_share,
    "Distribution": lambda default: {default["shape"]: format_duration(*default["parameters"])},
}
"""How the defaults of these are written in a file."""


def json_schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of a drill file, ledgers in CSV included."""
    schema = Drill.model_json_schema(by_alias=True)
    # A ledger may bring the count of a group.
    schema["$defs"]["AgentGroup"]["required"].remove("count")
    for section in NAMED:
        _name_entries(schema["properties"][section], section)
    definitions = {name: {key: _refer(value) for key, value in shared.items()} for name, shared in _SHARED.items()}
    parts = {name: _refer(part) for name, part in schema.pop("$defs").items()}
    return {"$schema": DIALECT, **_refer(schema), "title": "kirikae drill", "$defs": parts | definitions}


def _name_entries(section: Schema, name: str) -> None:
    """Let a section hold entries under names, and a ledger where there may be one."""
    ((pattern, entry),) = section.pop("patternProperties").items()
    section["additionalProperties"] = entry
    section["propertyNames"] = {"pattern": pattern}
    if name in SECTIONS:
        section["propertyNames"] = {"anyOf": [{"const": "csv"}, {"pattern": pattern}]}
        description = f"A CSV file beside the drill that holds the {name}."
        section["properties"] = {"csv": {"type": "string", "description": description, "examples": [f"{name}.csv"]}}


def _refer(value: Any) -> Any:
    """Return a schema that refers to what it has in common with others instead of repeating it."""
    if isinstance(value, list):
        return [_refer(each) for each in value]
    if not isinstance(value, dict):
        return value
    for name, shared in _SHARED.items():
        told = shared.keys() - {"description"}
        if all(value.get(key) == shared[key] for key in told):
            own = {key: each for key, each in value.items() if key not in told and each != shared.get(key)}
            if name in _WRITTEN and own.get("default") is not None:
                own["default"] = _WRITTEN[name](own["default"])
            return {"$ref": f"#/$defs/{name}", **own}
    return {key: _refer(each) for key, each in value.items()}
