"""The rules that plans are held to, for programs: `kirikae rules --json`.

    version   of this format
    language  of whys and facts
    checks    per plan check: id, severity, waivable, why, rows (that it cites), system (null: all plans), since, before
    rows      per row of the catalogue: id, fact, checks (by id), and
              places  held (parameter, behaviour, metric or not held), where, and of a parameter default and meaning, of
                      a behaviour drill and metric, of a metric definition

One check or row is written like all of them, beside the rows or checks that belong to it.
"""

import json
from collections.abc import Iterable
from typing import Any

from scenarios.catalogue.row import Held, Place
from scenarios.coverage import Entry, field
from scenarios.metrics import METRICS
from scenarios.rules import Rule
from scenarios.systems import version_text
from scenarios.text import Translate

VERSION = 1
"""Raised when a key changes its meaning or goes; a new key leaves it as it is."""

Json = dict[str, Any]


def rules_text(checks: Iterable[Rule], rows: Iterable[Entry], language: str, say: Translate) -> str:
    """Return rules as JSON text: UTF-8, one final newline."""
    told = {
        "version": VERSION,
        "language": language,
        "checks": [_check(rule, say) for rule in checks],
        "rows": [_row(each, say) for each in rows],
    }
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def _check(rule: Rule, say: Translate) -> Json:
    return {
        "id": rule.id,
        "severity": rule.severity,
        "waivable": rule.waivable,
        "why": say(rule.why),
        "rows": list(rule.cites),
        "system": rule.system,
        "since": version_text(rule.since) if rule.since else None,
        "before": version_text(rule.before) if rule.before else None,
    }


def _row(each: Entry, say: Translate) -> Json:
    return {
        "id": each.row.id,
        "fact": say(each.row.fact),
        "checks": [rule.id for rule in each.checks],
        "places": [{"held": place.held, "where": say(place.where), **_more(place)} for place in each.places],
    }


def _more(place: Place) -> Json:
    match place.held:
        case Held.PARAMETER:
            found = field(place.where)
            return {"default": found.default, "meaning": found.meaning}
        case Held.BEHAVIOUR:
            return {"drill": place.drill, "metric": place.metric}
        case Held.METRIC:
            return {"definition": METRICS[place.where].definition}
        case Held.NOT:
            return {}
