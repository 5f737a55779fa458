"""The JSON Schema that editors use, held against the drills and against the loader by another validator."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from scenarios.loader import load_text
from scenarios.problems import DrillError
from scenarios.schema import json_schema
from scenarios.source import read_source

DRILLS = sorted((Path(__file__).parent.parent / "scenarios" / "drills").glob("*.yaml"))
_TOKYO = next(path for path in DRILLS if path.name.startswith("tokyo-osaka-dr")).read_text(encoding="utf-8")
GOOD = "".join(line for line in _TOKYO.splitlines(keepends=True) if not line.startswith("live:"))
"""Without what a live run scales: tests add that, and what cannot be scaled."""
SCHEMA = json_schema()
EDITOR = jsonschema.Draft202012Validator(SCHEMA)


def tree(text: str) -> object:
    """Return what an editor sees of a drill."""
    return read_source(text, "d.yaml").root.plain()


def test_the_schema_is_one_of_its_dialect() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", DRILLS, ids=lambda path: path.name)
def test_every_bundled_drill_fits_the_schema(path: Path) -> None:
    EDITOR.validate(tree(path.read_text(encoding="utf-8")))


# Old text, new text: everything an editor can judge without following names.
WRONG = [
    ("for: 90m", "for: 90"),
    ("for: 90m", "for: soon"),
    ("warm: true", "warm: on"),
    ("warm: true", "warm: true, wram: true"),
    ("channels: 300, ", ""),
    ("channels: 300", "channels: 0"),
    ("channels: 300", "channels: many"),
    ("role: primary", "role: primry"),
    ("by: vrrp, ", ""),
    ("advert: 1s", "every: 1s"),
    ("share: 70%", "share: 0.7"),
    ("0.5/s", "0.5"),
    ("{exponential: 60s}", "{expo: 60s}"),
    ("{uniform: [1m, 5m]}", "{uniform: [1m]}"),
    ("{mean: 3m, cv: 1.2}", "{mean: 3m}"),
    ("{activate: osaka}", "{activte: osaka}"),
    ("expect:", "expectations:"),
    ("kirikae: 1", "kirikae: 2"),
    ("warm: true", "warm: true, start: 2026-11-24"),
    ("sites:\n", "calendars: {office: {hours: {mon: nine to five}}}\nsites:\n"),
    ("sites:\n", "calendars: {office: {}}\nsites:\n"),
    ("sites:\n", "actors: {administrator: {reachable: 0.3}}\nsites:\n"),
    ("  0120-123-456: {", "  free dial: {"),
    ("sites:\n", "targets: {tokyo-edge: {}}\nsites:\n"),
    ("sites:\n", "targets: {tokyo-edge: {outside: {send_to: 192.0.2.1}}}\nsites:\n"),
    ("sites:\n", "targets: {tokyo-edge: {outside: {send_to: udp:192.0.2.1}, nodes: [udp:192.0.2.2]}}\nsites:\n"),
    ("sites:\n", "live: {traffic: 0.5}\nsites:\n"),
    ("fails: all}", "fails: all, command: {run: stop}}"),
]


@pytest.mark.parametrize(("old", "new"), WRONG)
def test_what_the_schema_refuses_the_loader_refuses(old: str, new: str) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    assert not EDITOR.is_valid(tree(text))
    with pytest.raises(DrillError):
        load_text(text, "d.yaml")


RIGHT = [
    ("for: 90m", "for: １時間 ３０分"),
    ("at: 10m", "at: 0"),
    ("0.5/s", "{profile: {'08:00': 0.1/s, '12:00': ３０／ｍ}}"),
    ("share: 70%", "share: ７０％"),
    ("{exponential: 60s}", "{empirical: [10s, 20s]}"),
    ("channels: 300", "channels: ３００"),
    ("after: press the DR button", "after: [press the DR button]"),
    ("shows: default", "shows: 03-1234-5678"),
    ("warm: true", "warm: true, start: 09:00"),
    ("warm: true", "warm: true, start: 2026-11-24 09:00, timezone: Europe/Berlin"),
    ("administrator: {may:", "b: {reachable: {exponential: 5m}}\n  administrator: {reachable: ３０％, deputy: b, may:"),
    ("03-1234-5678: {trunk", "０３１２３４５６７８: {trunk"),
    ("sites:\n", "targets: {tokyo-edge: {outside: {send_to: TCP:192.0.2.1}, key: {header: X-A}}}\nsites:\n"),
    ("sites:\n", "live: {for: 5m, traffic: 50%, timeline: 10%}\nsites:\n"),
    ("fails: all}", "fails: all, command: {run: stop it, undo: [start, 1], timeout: 1m}}"),
]


@pytest.mark.parametrize(("old", "new"), RIGHT)
def test_what_the_loader_reads_the_schema_admits(old: str, new: str) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    EDITOR.validate(tree(text))
    load_text(text if "start: " in text else text.replace("warm: true", "warm: true, start: 09:00"), "d.yaml")


def test_ledgers_fit_the_schema() -> None:
    text = GOOD.replace("numbers:\n", "numbers:\n  csv: numbers.csv\n").replace(
        "agents:\n", "agents:\n  csv: agents.csv\n"
    )
    EDITOR.validate(tree(text.replace("count: 120, ", "")))


def objects(schema: object) -> list[dict[str, Any]]:
    """Return every schema of an object with named fields, at any depth."""
    if isinstance(schema, list):
        return [found for each in schema for found in objects(each)]
    if not isinstance(schema, dict):
        return []
    inner = [found for each in schema.values() for found in objects(each)]
    return [schema, *inner] if schema.get("type") == "object" and "properties" in schema else inner


def test_every_part_closes_its_fields() -> None:
    assert all("additionalProperties" in each for each in objects(SCHEMA))


def test_every_field_explains_itself() -> None:
    fields = [
        (part.get("title"), name, field)
        for part in objects(SCHEMA["$defs"])
        for name, field in part["properties"].items()
    ]
    shapes = {"mean", "cv", "profile"} | set(SCHEMA["$defs"]["Distribution"]["anyOf"][1]["properties"])
    missing = [(part, name) for part, name, field in fields if "description" not in field and name not in shapes]
    assert missing == []


def test_defaults_are_written_as_in_a_file() -> None:
    assert SCHEMA["$defs"]["Softphone"]["properties"]["expires"]["default"] == "5m"
    assert SCHEMA["$defs"]["Step"]["properties"]["fails"]["default"] == "0%"
