"""The rehearsal sheet for programs: `kirikae runbook --json`.

version      of this format
language     of its sentences
drill, file  its name, and the file as given
seed, changes, engine
runs         simulated; interrupted, and asked
anchor       what people count from: kind, at (seconds since the start of the run)
start        date and time at the start of the run (null: the run has no clock), and its timezone
events       key, name, at, over (seconds since the start), breaks
steps        number, step, by, does, waits, decisions (each a list of sentences), call, consoles,
             begun_in, finished_in (runs), begins, ends (p50, p90 in seconds since the start), takes (p50, p90 in
             seconds); null where too few runs came so far
people       name, works_for, steps, reached
consoles     name, address, site, needs, steps
"""

import json
from collections.abc import Sequence
from math import isinf
from typing import Any

from reports.origin import Origin
from reports.sheet import Expected, Sheet
from reports.wording import moment_text
from scenarios.text import Text, Translate

VERSION = 1
"""Raised when a key changes its meaning or goes; a new key leaves it as it is."""

Json = dict[str, Any]


def sheet_text(sheet: Sheet, origin: Origin, language: str, say: Translate) -> str:
    """Return the sheet as JSON text: UTF-8, one final newline."""
    run = sheet.drill.run
    clock = run.clock
    told: Json = {
        "version": VERSION,
        "language": language,
        "drill": sheet.drill.name,
        "file": origin.file,
        "changes": list(origin.changes),
        "seed": run.seed,
        "runs": sheet.runs,
        "asked": sheet.asked,
        "interrupted": sheet.interrupted,
        "anchor": {"kind": sheet.anchor, "at": sheet.zero},
        "start": None if clock is None else moment_text(clock, 0.0),
        "timezone": run.timezone if clock is not None and clock.dated else None,
        "events": [
            {"key": event.key, "name": event.name, "at": event.at, "over": event.over, "breaks": list(event.breaks)}
            for event in sheet.events
        ],
        "steps": [
            {
                "number": step.number,
                "step": step.step,
                "by": step.by,
                "does": _said(step.does, say),
                "waits": _said(step.waits, say),
                "decisions": _said(step.decisions, say),
                "call": step.call,
                "consoles": list(step.consoles),
                "begun_in": step.begun_in,
                "finished_in": step.finished_in,
                "begins": _expected(step.begins),
                "ends": _expected(step.ends),
                "takes": _expected(step.takes),
            }
            for step in sheet.steps
        ],
        "people": [
            {
                "name": person.name,
                "works_for": person.works_for,
                "steps": list(person.steps),
                "reached": _said(person.reached, say),
            }
            for person in sheet.people
        ],
        "consoles": [
            {
                "name": place.name,
                "address": place.address,
                "site": place.site,
                "needs": list(place.needs),
                "steps": list(place.steps),
            }
            for place in sheet.places
        ],
    }
    return json.dumps(told, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _said(texts: Sequence[Text], say: Translate) -> list[str]:
    return [say(text) for text in texts]


def _expected(expected: Expected) -> Json:
    return {name: None if isinf(value) else value for name, value in (("p50", expected.p50), ("p90", expected.p90))}
