"""The rehearsal sheet as CSV: opened by a spreadsheet, filled in there, and read back by :mod:`reports.filled_sheet`.

A byte order mark makes Excel read UTF-8; CRLF ends the lines (RFC 4180). What a drill says cannot become a formula.
"""

import csv
from collections.abc import Mapping, Sequence
from io import StringIO

from reports.calls_csv import safe_text
from reports.sheet import Event, Expected, Sheet, SheetStep
from reports.sheet_labels import FILLED, event_text, never_text
from scenarios.text import Text, Translate

_END = "\r\n"

HEADERS: Mapping[str, Text] = {
    "no": Text("no."),
    "step": Text("step"),
    "by": Text("who"),
    "does": Text("what happens"),
    "waits": Text("not before"),
    "decision": Text("go / no-go"),
    "consoles": Text("console"),
    "call": Text("number to call"),
    "begins_p50": Text("expected begin (p50)"),
    "begins_p90": Text("expected begin (p90)"),
    "ends_p50": Text("expected end (p50)"),
    "ends_p90": Text("expected end (p90)"),
    "takes_p50": Text("takes (p50)"),
    "takes_p90": Text("takes (p90)"),
    "never": Text("not finished"),
    **FILLED,
}
"""The columns, by what they are called in code."""


def sheet_csv(sheet: Sheet, say: Translate) -> str:
    """Return the sheet as CSV text, without a byte order mark."""
    file = StringIO()
    writer = csv.writer(file, lineterminator=_END)
    writer.writerow([say(header) for header in HEADERS.values()])
    for event in sheet.events:
        writer.writerow(_row(_event(sheet, event, say)))
    for step in sheet.steps:
        writer.writerow(_row(_step(sheet, step, say)))
    return file.getvalue()


def _row(cells: Mapping[str, str]) -> list[str]:
    return [cells.get(field, "") for field in HEADERS]


def _event(sheet: Sheet, event: Event, say: Translate) -> dict[str, str]:
    moment = sheet.moment(event.at)
    return {
        "no": event.key,
        "step": safe_text(event.name),
        "does": safe_text(say(event_text(sheet, event))),
        "begins_p50": moment,
        "begins_p90": moment,
    }


def _step(sheet: Sheet, step: SheetStep, say: Translate) -> dict[str, str]:
    return {
        "no": str(step.number),
        "step": safe_text(step.step),
        "by": safe_text(step.by),
        "does": _sentences(step.does, say),
        "waits": _sentences(step.waits, say),
        "decision": _sentences(step.decisions, say),
        "consoles": safe_text(", ".join(step.consoles)),
        "call": "" if step.call is None else safe_text(step.call),
        **_moments(sheet, "begins", step.begins),
        **_moments(sheet, "ends", step.ends),
        "takes_p50": sheet.time(step.takes.p50),
        "takes_p90": sheet.time(step.takes.p90),
        "never": say(never_text(step)) if step.never_in else "",
    }


def _moments(sheet: Sheet, field: str, expected: Expected) -> dict[str, str]:
    return {f"{field}_p50": sheet.moment(expected.p50), f"{field}_p90": sheet.moment(expected.p90)}


def _sentences(texts: Sequence[Text], say: Translate) -> str:
    return safe_text("; ".join(say(text) for text in texts)) if texts else ""
