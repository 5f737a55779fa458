"""Where every row of the catalogue is held: by plan checks that cite it, and by the places that are written down."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from scenarios.catalogue import PLACES, ROWS
from scenarios.catalogue.row import Place, Row
from scenarios.rules import RULES, Rule
from scenarios.schema import Schema, json_schema

LETTERS = {
    "N": "NICE CXone Business Continuity",
    "Z": "the BIZTEL DR service",
    "G": "what a customer of Genesys Cloud is responsible for",
    "W": "Webex Contact Center",
    "P": "NICE self-service port management",
    "J": "numbers in Japan",
    "S": "SIP mechanics",
}
"""Whose facts they are, by the letter that ids begin with; in the order in which rows are listed."""
OF_SYSTEM = {"cxone-bcp": "N", "biztel": "Z", "genesys-cloud": "G", "webex-cc": "W", "cxone-ports": "P"}
"""The letter of the facts about a system that a plan can name."""
ROW_ID = re.compile(rf"(?P<letter>[{''.join(LETTERS)}])(?P<number>\d{{1,2}})")


class Entry(NamedTuple):
    """One row with all that holds a plan to it."""

    row: Row
    checks: tuple[Rule, ...]
    places: tuple[Place, ...]


class Field(NamedTuple):
    """A field of the language, as its reference has it."""

    name: str
    meaning: str
    default: object
    """As a file would say it; None where there is none."""


def entry(name: str) -> Entry:
    """Return a row by its id; raises KeyError."""
    return Entry(ROWS[name], tuple(rule for rule in RULES if name in rule.cites), PLACES.get(name, ()))


def entries(letter: str = "") -> Iterator[Entry]:
    """Yield all rows, or those of one letter, in order of their ids."""
    for name in sorted(ROWS, key=_order):
        if name.startswith(letter):
            yield entry(name)


@cache
def _schema() -> Schema:
    return json_schema()


def _order(name: str) -> tuple[int, int]:
    found = ROW_ID.fullmatch(name)
    assert found is not None, name  # noqa: S101  # a row of our own file
    return list(LETTERS).index(found["letter"]), int(found["number"])


def field(name: str) -> Field:
    """Return the field that a parameter names, as ``Sync.every``; raises KeyError where there is none."""
    part, _, key = name.partition(".")
    schema = _schema()
    fields: dict[str, Any] = (schema if part == "Drill" else schema["$defs"][part])["properties"]
    found = fields[key]
    return Field(name, " ".join(found.get("description", "").replace("``", "`").split()), found.get("default"))
