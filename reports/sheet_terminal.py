"""The rehearsal sheet on a terminal, a block for each step."""

from collections.abc import Iterable

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as Styled

from reports.sheet import Sheet, SheetStep
from reports.sheet_labels import FILLED, PARTIES, event_text, filling, never_text, reading
from scenarios.text import Text, Translate

_INDENT = (0, 0, 0, 4)


def print_sheet(console: Console, sheet: Sheet, say: Translate) -> None:
    """Print the sheet."""
    console.print(Styled.assemble((say(Text("Rehearsal sheet")), "bold"), "  ", (sheet.drill.name, "bold")))
    for sentence in reading(sheet):
        console.print(Styled(say(sentence)))
    console.print(Styled(say(filling(sheet))))
    console.print()
    for event in sheet.events:
        title = event.name or say(event_text(sheet, event))
        console.print(Styled.assemble((f"{event.key:>2}  {title}", "bold"), "  ", sheet.moment(event.at)))
        if event.name:
            console.print(Padding(Styled(say(event_text(sheet, event))), _INDENT, expand=False))
        console.print(Padding(Styled(f"{say(FILLED['began'])}: __________", style="dim"), _INDENT, expand=False))
    for step in sheet.steps:
        console.print()
        _print_step(console, sheet, step, say)
    console.print()
    _print_people(console, sheet, say)


def _print_step(console: Console, sheet: Sheet, step: SheetStep, say: Translate) -> None:
    console.print(Styled.assemble((f"{step.number:>2}  {step.step}", "bold"), f"  {step.by}"))
    table = Table.grid(padding=(0, 2, 0, 0))
    times = Text("begins {begins}, ends {ends}", begins=sheet.span(step.begins), ends=sheet.span(step.ends))
    never = f" ({say(never_text(step))})" if step.never_in else ""
    rows: list[tuple[Text, Iterable[str]]] = [
        (Text("expected"), [say(times) + never]),
        (Text("not before"), map(say, step.waits)),
        (Text("go / no-go"), map(say, step.decisions)),
        (Text("what happens"), map(say, step.does)),
        (Text("console"), (_console(sheet, name) for name in step.consoles)),
        (Text("number to call"), [] if step.call is None else [step.call]),
    ]
    for label, lines in rows:
        text = "\n".join(lines)
        if text:
            style = "bold yellow" if label == "go / no-go" else "dim"
            table.add_row(Styled(say(label), style=style), Styled(text))
    blanks = "   ".join(f"{say(FILLED[field])}: ________" for field in ("began", "ended", "initials"))
    console.print(Padding(table, _INDENT, expand=False))
    console.print(Padding(Styled(blanks, style="dim"), _INDENT, expand=False))


def _console(sheet: Sheet, name: str) -> str:
    address = next(place.address for place in sheet.places if place.name == name)
    return f"{name} {address}" if address else name


def _print_people(console: Console, sheet: Sheet, say: Translate) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for header in (Text("who"), Text("of the"), Text("steps"), Text("how they are reached"), Text("phone")):
        table.add_column(say(header), overflow="fold")
    for person in sheet.people:
        table.add_row(
            Styled(person.name),
            Styled(say(PARTIES[person.works_for])),
            Styled(", ".join(map(str, person.steps)) or "–"),
            Styled("; ".join(map(say, person.reached)) or "–"),
            Styled("____________"),
        )
    console.print(table)
