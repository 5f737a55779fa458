"""`kirikae drift` on a terminal: what differs, what cannot be told, and why that may be."""

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports.assumptions import Assumption, likely_causes
from reports.drift import Agreement, Difference, Drift, MetricDrift, Pairing
from reports.wording import NEVER, NOTHING, difference_text, number_of, reach_text, value_text
from scenarios.metrics import Unit
from scenarios.units import format_duration

_STYLES = {Agreement.AGREES: "green", Agreement.DIFFERS: "bold red", Agreement.UNCLEAR: "yellow"}
_HEADLINES = {
    Agreement.AGREES: "THE ENGINES AGREE",
    Agreement.DIFFERS: "THE ENGINES DIFFER",
    Agreement.UNCLEAR: "CANNOT TELL",
}
_SIDE_BY_SIDE = 100
"""Columns from which on a metric fits into one line."""


def print_drift(console: Console, drift: Drift, *, everything: bool = False) -> None:
    """Print how far apart the engines are: what differs, what is unclear and what the drill expects, or all metrics."""
    headline = Text(_HEADLINES[drift.agreement], style=_STYLES[drift.agreement])
    console.print(Text.assemble(headline, "  ", (drift.drill.name, "bold")))
    for sentence in _sentences(drift):
        console.print(Text(sentence))
    for pairing in drift.pairings:
        console.print()
        console.print(Text(_counts(pairing)))
        shown = [each for each in _sorted(pairing) if everything or _worth_showing(each)]
        if shown:
            console.print()
            groups = _alike(shown)
            console.print(_rows(pairing, groups) if console.width >= _SIDE_BY_SIDE else _blocks(pairing, groups))
        if len(shown) < len(pairing.metrics):
            console.print()
            console.print(Text("--all shows the others, which agree.", style="dim"))
        _print_causes(console, pairing)


def _sentences(drift: Drift) -> Iterator[str]:
    names = " and ".join((", ".join(side.name for side in drift.sides[:-1]), drift.sides[-1].name))
    runs = number_of(len(drift.sides[0].summaries), "run")
    yield f"{names}, {runs} each, with the same callers (seed {drift.seed})."
    if drift.drill.run.lasts < drift.lasts:
        yield f"Of {format_duration(drift.lasts)} the first {format_duration(drift.drill.run.lasts)} were played."
    for side in drift.sides:
        if side.changes:
            yield f"{side.name} is {side.engine} with {', '.join(side.changes)}."
    for clause in drift.no_evidence:
        yield f"The runs are no evidence: {clause}."
    if drift.idle:
        covered = ", ".join(each.text for each in drift.idle)
        yield f"Nothing that is compared falls under drift.allow: {covered}."


def _counts(pairing: Pairing) -> str:
    """Return how many metrics came out how."""
    agree, differ, unclear = (pairing.those(each) for each in (Agreement.AGREES, Agreement.DIFFERS, Agreement.UNCLEAR))
    parts = [f"{len(differ)} of {number_of(len(pairing.metrics), 'metric')} differ by more than is allowed"]
    if unclear:
        needed = [metric.needed for metric in unclear if metric.needed is not None]
        more = f", for which about {max(needed):,} runs would be needed" if len(needed) == len(unclear) else ""
        parts.append(f"{len(unclear)} cannot be told{more}")
    identical = sum(metric.identical for metric in agree)
    exactly = f", {'all' if identical == len(agree) else identical} of them to the last digit" if identical else ""
    parts.append(f"{len(agree)} agree{exactly}")
    return f"{pairing.second.name} against {pairing.first.name}: {'; '.join(parts)}."


def _sorted(pairing: Pairing) -> list[MetricDrift]:
    order = (Agreement.DIFFERS, Agreement.UNCLEAR, Agreement.AGREES)
    return sorted(pairing.metrics, key=lambda metric: (order.index(metric.agreement), not metric.expected))


def _worth_showing(metric: MetricDrift) -> bool:
    return metric.expected or metric.significant or metric.agreement is not Agreement.AGREES


def _alike(metrics: Iterable[MetricDrift]) -> list[list[MetricDrift]]:
    """Put queries of one metric together that have the same numbers, as those of a pair and of its site."""
    groups: dict[object, list[MetricDrift]] = {}
    for each in metrics:
        groups.setdefault(
            (each.query.metric, each.first, each.second, each.value, each.never, each.nothing), []
        ).append(each)
    return list(groups.values())


def _rows(pairing: Pairing, groups: Iterable[list[MetricDrift]]) -> Table:
    """Return a table with one line for each metric, or a few that are alike."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("")
    table.add_column("metric", overflow="fold")
    for header in (pairing.first.name, pairing.second.name):
        table.add_column(header, justify="right")
    table.add_column("difference (95%)", overflow="fold")
    table.add_column("allowed")
    for metric, *alike in groups:
        unit = metric.query.definition.unit
        name = Text(str(metric.query))
        for remark in _remarks(pairing, metric, alike):
            name.append(f"\n{remark}", style="dim")
        table.add_row(
            _outcome(metric),
            name,
            *(Text(_mean(metric, value, unit)) for value in (metric.first, metric.second)),
            Text(_difference(metric.value, unit)),
            Text(_allowed(metric.value, unit)),
        )
    return table


def _blocks(pairing: Pairing, groups: Iterable[list[MetricDrift]]) -> Table:
    """Return a few short lines for each metric, for a narrow terminal."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(overflow="fold")
    for metric, *alike in groups:
        unit = metric.query.definition.unit
        text = Text(str(metric.query))
        first, second = (
            f"{side.name} {_mean(metric, value, unit)}"
            for side, value in ((pairing.first, metric.first), (pairing.second, metric.second))
        )
        text.append(f"\n{first}, {second}")
        if metric.value is not None:
            text.append(f"\n{_difference(metric.value, unit)}, allowed {_allowed(metric.value, unit)}")
        for remark in _remarks(pairing, metric, alike):
            text.append(f"\n{remark}", style="dim")
        table.add_row(_outcome(metric), text)
    return table


def _outcome(metric: MetricDrift) -> Text:
    return Text(metric.agreement, style=_STYLES[metric.agreement])


def _mean(metric: MetricDrift, value: float | None, unit: Unit) -> str:
    if value is not None:
        return value_text(value, unit)
    return NEVER if metric.never.first and metric.never.second else "–"


def _difference(difference: Difference | None, unit: Unit) -> str:
    if difference is None:
        return "–"
    mean = difference_text(difference.mean, unit)
    if difference.interval is None:
        return f"{mean} (one run)"
    low, high = (difference_text(end, unit).removesuffix(" points") for end in difference.interval)
    return mean if low == high else f"{mean} ({low} to {high})"


def _allowed(difference: Difference | None, unit: Unit) -> str:
    if difference is None:
        return "–"
    return reach_text(difference.allowed, unit)


def _remarks(pairing: Pairing, metric: MetricDrift, alike: Iterable[MetricDrift]) -> Iterator[str]:
    """Yield what the numbers of a metric do not show."""
    runs = len(pairing.first.summaries)
    yield from (f"also {each.query}" for each in alike)
    for what, seen in ((NEVER, metric.never), (NOTHING, metric.nothing)):
        if seen.difference is not None:
            both = f"{seen.first} with {pairing.first.name}, {seen.second} with {pairing.second.name}"
            yield f"{what} in {both}, of {number_of(runs, 'run')}"
    if metric.agreement is Agreement.UNCLEAR and runs > 1:
        needed = f"about {metric.needed:,} runs could tell" if metric.needed is not None else _NO_END
        yield needed
    if metric.agreement is Agreement.AGREES and metric.significant:
        yield "small, but more than chance"


_NO_END = "more runs than can be made: the difference is about as large as is allowed"


def _print_causes(console: Console, pairing: Pairing) -> None:
    """Print what may have set the engines apart, each time with the metrics that it moves."""
    differing = pairing.those(Agreement.DIFFERS)
    if not differing or pairing.first.engine == pairing.second.engine:
        return
    console.print()
    for cause, names in _causes(pairing, differing).items():
        moved = ", ".join(names)
        if cause is None:
            _print_item(console, "Unexplained", f"{moved}. No assumption is on record; look for an error in an engine.")
        else:
            says = "; ".join(f"{engine}: {text}" for engine, text in cause.says.items())
            _print_item(console, f"Likely cause: {cause.about}", f"{moved}. {says}.")


def _causes(pairing: Pairing, metrics: Iterable[MetricDrift]) -> dict[Assumption | None, list[str]]:
    """Return names of metrics by the assumption that moves them first; None where none is on record."""
    found: dict[Assumption | None, list[str]] = {}
    for name in dict.fromkeys(metric.query.metric for metric in metrics):
        likely = likely_causes(name, (pairing.first.engine, pairing.second.engine))
        found.setdefault(likely[0] if likely else None, []).append(name)
    return found


def _print_item(console: Console, label: str, text: str) -> None:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_row(Text("-"), Text.assemble((label, "bold"), f": {text}"))
    console.print(grid)
