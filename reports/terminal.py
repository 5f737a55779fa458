"""The summary on a terminal: the verdict, what was asked, what was lost, and what each step cost."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports import wording
from reports.checked import Checked
from reports.judge import Judged
from reports.runbook import StepReport, step_reports
from reports.story import story
from reports.wording import number_of
from scenarios.calendar import Clock
from scenarios.model import Verdict
from scenarios.problems import Severity

STYLES = {Verdict.PASSED: "bold green", Verdict.FAILED: "bold red", Verdict.INCONCLUSIVE: "bold yellow"}
"""How verdicts look."""


def print_summary(console: Console, judged: Judged) -> None:
    """Print what came out of a run."""
    first, *more = story(judged)
    verdict = Text(judged.verdict.upper(), style=STYLES[judged.verdict])
    console.print(Text.assemble(verdict, "  ", (judged.drill.name, "bold"), (f"  {judged.engine} engine", "dim")))
    console.print(Text(first))
    if (clock := judged.drill.run.clock) is not None:
        run = judged.drill.run
        zone = f", {run.timezone}" if clock.dated else ""
        console.print(Text(f"The run: {wording.clock_text(clock, 0)} to {wording.clock_text(clock, run.lasts)}{zone}."))
    for sentence in more:
        console.print(_grid([Text("-"), Text(sentence)]))
    console.print()
    console.print(_expectations(judged))
    if any(judgement.quantiles for judgement in judged.judgements):
        console.print()
        console.print(_quantiles(judged))
    if judged.drill.runbook and judged.summaries:
        console.print()
        console.print(_steps(judged))
    if plan := plan_sentence(judged.plan):
        console.print()
        console.print(Text(plan))


def plan_sentence(plan: Checked) -> str:
    """Say how much the plan checks found, waived and had to believe; nothing where there is none of it."""
    found = [number_of(plan.count(each), each) for each in Severity if plan.count(each)]
    waived = number_of(len(plan.waived), "finding") + " waived with a reason" if plan.waived else ""
    declared = number_of(len(plan.declared), "fact") + " declared, not checked" if plan.declared else ""
    parts = [*found, *filter(None, (waived, declared))]
    return f"The plan: {', '.join(parts)}." if parts else ""


def _expectations(judged: Judged) -> Table:
    table = columns("verdict", "expectation", "value", "interval (95%)")
    for judgement in judged.judgements:
        expectation = Text(judgement.expectation.text)
        if judgement.verdict is not Verdict.PASSED:
            expectation.append(f"\n{judgement.reason}", style="dim")
        verdict = Text(judgement.verdict, style=STYLES[judgement.verdict])
        table.add_row(verdict, expectation, Text(judgement.shown), Text(judgement.confidence))
    return table


def _quantiles(judged: Judged) -> Table:
    """Show what the runs stay within, for expectations that are judged run by run; each query once."""
    table = columns("over the runs, with intervals (95%)", "p5", "median", "p95")
    shown = {judgement.query_text: judgement for judgement in judged.judgements if judgement.quantiles}
    for name, judgement in shown.items():
        table.add_row(Text(name), *map(Text, judgement.quantile_texts))
    return table


def _steps(judged: Judged) -> Table:
    steps = step_reports(judged.drill, judged.summaries)
    most = max(step.critical for step in steps)
    conditions = ("waiting for conditions",) if any(step.when for step in judged.drill.runbook) else ()
    clock = judged.drill.run.clock
    finished = () if clock is None else ("finished",)
    headers = ("step", "by", "cost", "before it was begun", *conditions, "share of the way", *finished)
    table = columns(*headers, right=("cost",))
    for step in steps:
        unfinished = step.runs - step.finished_in
        share = wording.share_text(unfinished / step.runs)
        name = f"{step.step} (not finished in {share} of runs)" if unfinished else step.step
        table.add_row(
            Text(name),
            Text(step.by),
            Text(wording.cost_text(step.cost, least=step.open_in > 0)),
            Text("–" if step.before_start is None else wording.duration_text(step.before_start)),
            *(Text("–" if step.waited is None else wording.duration_text(step.waited)) for _ in conditions),
            Text(wording.share_text(step.critical_share)),
            *([] if clock is None else [Text(_finished(step, clock))]),
            style="bold" if step.critical == most > 0 else None,
        )
    return table


def _finished(step: StepReport, clock: Clock) -> str:
    """Return when half of the runs had finished a step, by the run and by the clock."""
    if step.finished is None:
        return "–"
    return f"{wording.duration_text(step.finished.p50)} ({wording.clock_text(clock, step.finished.p50)})"


def columns(*headers: str, right: Iterable[str] = ()) -> Table:
    """Return an empty table without lines, whose cells are broken rather than cut."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for header in headers:
        table.add_column(header, justify="right" if header in right else "left", overflow="fold")
    return table


def _grid(cells: Iterable[Text]) -> Table:
    """Return cells side by side, so that a sentence that is broken keeps its indent."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_row(*cells)
    return grid
