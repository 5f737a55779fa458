"""What a rehearsal took against what its drill expects, on a terminal."""

import shlex
from collections.abc import Iterator
from math import isinf

from rich.console import Console
from rich.table import Table
from rich.text import Text as Styled

from reports.actuals import Actuals, Measured, Pace, Proposal, SheetActual
from reports.wording import duration_text, share_text
from scenarios.distributions import format_distribution
from scenarios.text import Text, Translate

_PACES = {
    Pace.SLOW: Text("slow (> p90)"),
    Pace.FAST: Text("fast (< p10)"),
    Pace.AS_EXPECTED: Text("as expected"),
}
_STYLES = {Pace.SLOW: "bold red", Pace.FAST: "bold cyan", Pace.AS_EXPECTED: "dim"}
_NOTHING = "–"


def print_actuals(console: Console, actuals: Actuals, say: Translate) -> None:
    """Print each sheet, and what is proposed."""
    console.print(
        Styled(
            say(
                Text(
                    "Against {runs} simulated runs: slower than 90% means that nine runs in ten were faster.",
                    runs=actuals.runs,
                )
            )
        )
    )
    if actuals.runs < actuals.asked:
        stopped = Text("Stopped: only {runs} of {asked} runs were played.", runs=actuals.runs, asked=actuals.asked)
        console.print(Styled(say(stopped)))
    for sheet in actuals.sheets:
        console.print()
        _print_sheet(console, sheet, say)
    console.print()
    _print_proposals(console, actuals, say)


def _print_sheet(console: Console, sheet: SheetActual, say: Translate) -> None:
    console.print(Styled(sheet.filled.file, style="bold"), soft_wrap=True)
    for sentence in remarks(sheet):
        console.print(Styled(say(sentence)))
    if not sheet.filled.steps:
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    headers = (
        Text("step"), Text("took"), Text("p10 to p90"), Text("slower than"), Text("that is"),
        Text("ended after"), Text("p10 to p90"), Text("later than"),
    )  # fmt: skip
    for header in headers:
        table.add_column(say(header), overflow="fold")
    for step in sheet.steps:
        if step.took is not None or step.ended is not None:
            table.add_row(Styled(step.step), *_cells(step.took, say), *_cells(step.ended, say)[:3])
    if sheet.total is not None:
        total = _cells(sheet.total, say)
        table.add_row(Styled(say(Text("in all")), style="bold"), "", "", "", total[3], *total[:3])
    console.print(table)


def remarks(sheet: SheetActual) -> Iterator[Text]:
    """Say what the sheet does not tell."""
    filled = sheet.filled
    if not filled.steps:
        yield Text("No time is filled in.")
        return
    if not filled.anchored:
        yield Text("The time of the first line is not filled in: only how long steps took can be compared.")
    half = [step for step, actual in filled.steps.items() if actual.began is None or actual.ended is None]
    if half:
        yield Text("Begin or end is missing, so that nobody knows how long they took: {steps}.", steps=", ".join(half))
    if filled.missing:
        yield Text("Steps without a line: {steps}.", steps=", ".join(filled.missing))
    blank = [each.step for each in sheet.steps if each.step not in filled.steps and each.step not in filled.missing]
    if blank:
        yield Text("Steps without a time: {steps}.", steps=", ".join(blank))


def _cells(measured: Measured | None, say: Translate) -> tuple[Styled, ...]:
    if measured is None:
        return tuple(Styled(_NOTHING) for _ in range(4))
    low, high = measured.prediction.p10, measured.prediction.p90
    expected = f"{_time(low, say)}–{_time(high, say)}"
    pace = Styled(say(_PACES[measured.pace]), style=_STYLES[measured.pace])
    return Styled(duration_text(measured.value)), Styled(expected), Styled(share_text(measured.quantile)), pace


def _time(seconds: float, say: Translate) -> str:
    return say(Text("never")) if isinf(seconds) else duration_text(seconds)


def _print_proposals(console: Console, actuals: Actuals, say: Translate) -> None:
    for step in actuals.timeless:
        text = Text(
            "{step} takes no time in the drill, and so nothing to multiply: state how long it takes.", step=step
        )
        console.print(Styled(say(text)))
    if not actuals.proposals:
        console.print(Styled(say(Text("Nothing measured speaks against the times in the drill; none are proposed."))))
        return
    console.print(Styled(say(Text("Proposed times")), style="bold"))
    console.print(
        Styled(
            say(
                Text(
                    "A proposal, not a measurement: a few rehearsals do not make a distribution. Its shape stays; its "
                    "times are multiplied so that the drill counts as much as one rehearsal (one sheet moves the "
                    "median half way, on a logarithmic scale)."
                )
            )
        )
    )
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for header in (
        Text("step"),
        Text("measured"),
        Text("median of the runs"),
        Text("times"),
        Text("was"),
        Text("proposed"),
    ):
        table.add_column(say(header), overflow="fold")
    for each in actuals.proposals:
        table.add_row(
            Styled(each.step),
            Styled(", ".join(map(duration_text, each.measured))),
            Styled(duration_text(each.median)),
            Styled(f"{each.factor:.2f}"),
            Styled(format_distribution(each.old)),
            Styled(format_distribution(each.new)),
        )
    console.print(table)
    console.print()
    console.print(Styled(say(Text("For the command line:"))))
    for each in actuals.proposals:
        console.print(Styled(f"  --set {shlex.quote(setting(each))}"), soft_wrap=True)
    console.print(Styled(say(Text("For the runbook of the drill:"))))
    for each in actuals.proposals:
        console.print(Styled(f"  # {each.step}\n    takes: {format_distribution(each.new)}"), soft_wrap=True)


def setting(proposal: Proposal) -> str:
    """Return what `--set` takes."""
    return f"{proposal.path}={format_distribution(proposal.new)}"
