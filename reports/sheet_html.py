"""The rehearsal sheet for paper: one HTML file, made for A4, that needs nothing from anywhere and runs no script."""

import shlex

from reports.origin import Origin, software
from reports.pages import environment, source
from reports.sheet import Sheet, SheetStep
from reports.sheet_labels import FILLED, PARTIES, event_text, filling, never_text, reading
from scenarios.text import Text, Translate

_LABELS = {
    "sheet": Text("Rehearsal sheet"),
    "date": Text("date"),
    "lead": Text("led by"),
    "happens": Text("What happens by itself"),
    "steps": Text("Steps"),
    "no": Text("no."),
    "event": Text("event"),
    "step": Text("step"),
    "who": Text("who"),
    "expected": Text("expected"),
    "begin": Text("begin"),
    "end": Text("end"),
    "before": Text("not before"),
    "decide": Text("go / no-go"),
    "go": Text("go"),
    "no_go": Text("no-go"),
    "does": Text("what happens"),
    "console": Text("console"),
    "call": Text("number to call"),
    "people": Text("People"),
    "of": Text("of the"),
    "numbers": Text("steps"),
    "reached": Text("how they are reached"),
    "phone": Text("phone"),
    "consoles": Text("Consoles"),
    "address": Text("address"),
    "site": Text("site"),
    "needs": Text("needs"),
    "made": Text("How this sheet was made"),
    **FILLED,
}


def sheet_html(sheet: Sheet, origin: Origin, language: str, say: Translate) -> str:
    """Return the sheet as HTML."""
    return (
        environment()
        .get_template("sheet.html.j2")
        .render(
            sheet=sheet,
            language=language,
            say=say,
            labels={name: say(label) for name, label in _LABELS.items()},
            reading=[say(sentence) for sentence in reading(sheet)],
            filling=say(filling(sheet)),
            event_text=lambda event: say(event_text(sheet, event)),
            never_text=lambda step: say(never_text(step)),
            party=lambda person: say(PARTIES[person.works_for]),
            ink=_ink,
            command=_command(sheet, origin),
            software=software(),
            style=source("sheet.css"),
        )
    )


def _ink(step: SheetStep) -> str:
    """Return the class of a step: whether it is a go/no-go point."""
    return "decision" if step.decisions else "plain"


def _command(sheet: Sheet, origin: Origin) -> str:
    run = sheet.drill.run
    changes = [word for change in origin.changes for word in ("--set", change)]
    asked = ["--seed", str(run.seed), "--replications", str(run.replications)]
    return shlex.join(["kirikae", "runbook", origin.file, *asked, *changes])
