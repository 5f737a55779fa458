"""Sentences of the rehearsal sheet that all its forms share: terminal, paper, CSV, JSON."""

from collections.abc import Iterator, Mapping

from reports.sheet import Anchor, Event, Sheet, SheetStep
from scenarios.calendar import Clock
from scenarios.text import Text

FILLED: Mapping[str, Text] = {
    "began": Text("actual begin"),
    "ended": Text("actual end"),
    "initials": Text("initials"),
    "remarks": Text("remarks"),
}
"""What people fill in, by what it is called in code."""

PARTIES: Mapping[str, Text] = {
    "customer": Text("customer"),
    "vendor": Text("vendor"),
    "carrier": Text("carrier"),
}
"""Whose people somebody is one of."""


def event_text(sheet: Sheet, event: Event) -> Text:
    """Say what happens by itself."""
    if not event.name:
        planned = sheet.anchor is Anchor.PLANNED
        return Text("the planned work may begin") if planned else Text("the rehearsal begins")
    breaks = ", ".join(event.breaks)
    if event.over is None:
        return Text("lost: {breaks}", breaks=breaks)
    return Text("lost: {breaks}; back at {moment}", breaks=breaks, moment=sheet.moment(event.over))


def never_text(step: SheetStep) -> Text:
    """Say in how many runs a step was not finished."""
    return Text("in {count} of {runs} runs never", count=step.never_in, runs=step.runs)


def reading(sheet: Sheet) -> Iterator[Text]:
    """Say how the times of a sheet are to be read, and what they are made of."""
    clock = sheet.drill.run.clock
    first = sheet.events[0]
    match sheet.anchor:
        case Anchor.FAULT:
            since = Text("the moment of {fault}", fault=first.name)
        case Anchor.PLANNED:
            since = Text("the beginning of the planned work")
        case Anchor.START:
            since = Text("the beginning of the rehearsal")
    if clock is None:
        yield Text("Times are counted from {since}.", since=since)
    else:
        yield Text(
            "Times are by the clock of a run that begins at {start}{zone}.", start=_start(clock), zone=_zone(sheet)
        )
    yield Text(
        "Expected: half of {runs} simulated runs were there by the first time (p50), nine in ten by the second (p90).",
        runs=sheet.runs,
    )
    if any(step.never_in for step in sheet.steps):
        yield Text(
            "Runs that did not finish a step count as later than any time; > means: not by then, when the run ends."
        )
    if sheet.interrupted:
        yield Text("Stopped: only {runs} of {asked} runs were played.", runs=sheet.runs, asked=sheet.asked)


def filling(sheet: Sheet) -> Text:
    """Say how it is filled in."""
    if sheet.drill.run.clock is None:
        return Text(
            "Write times by the clock, such as 10:32 or 10:32:05, that of line {key} too, or minutes since: 32m.",
            key=sheet.events[0].key,
        )
    return Text("Write times by the clock, such as 10:32 or 10:32:05, that of line {key} too.", key=sheet.events[0].key)


def _start(clock: Clock) -> str:
    return f"{clock.at(0):%Y-%m-%d %H:%M}" if clock.dated else f"{clock.at(0):%H:%M}"


def _zone(sheet: Sheet) -> str:
    clock = sheet.drill.run.clock
    return f" ({sheet.drill.run.timezone})" if clock is not None and clock.dated else ""
