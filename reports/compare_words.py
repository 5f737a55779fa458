"""A comparison in sentences and short words: what terminal, page and JUnit say alike."""

from collections.abc import Iterator

from reports.compare import Comparison, Kind
from reports.compare_changes import Change, Outcome
from reports.compare_runs import Run
from reports.wording import NEVER, NOTHING, difference_text, number_of, value_text
from scenarios.metrics import Combine, Unit
from scenarios.units import format_duration

_SHOWN = 6
"""Fields of the plan that are named."""


def headline(comparison: Comparison) -> str:
    """Return the answer in a few words."""
    second = comparison.names[1]
    if comparison.worse:
        return f"{second.upper()} IS WORSE"
    if comparison.nights is not None and not comparison.nights.enough:
        return "NOT ENOUGH NIGHTS YET"
    if comparison.open:
        return "CANNOT TELL"
    better = any(change.decides for change in comparison.those(Outcome.BETTER))
    return f"{second.upper()} IS BETTER" if better else f"{second.upper()} IS NOT WORSE"


def sentences(comparison: Comparison) -> Iterator[str]:
    """Yield what was compared, how, and what it came to, the most important first."""
    first, second = comparison.first, comparison.second
    for name, run in zip(comparison.names, (first, second), strict=True):
        yield f"{name[:1].upper()}{name[1:]} is {_run(run)}."
    yield _how(comparison)
    yield from _why(comparison)
    if comparison.plan is None:
        yield "What differs in the plans is not known: one of the runs is of an older version."
    elif comparison.plan:
        more = len(comparison.plan) - _SHOWN
        shown = "; ".join(comparison.plan[:_SHOWN]) + (f"; and {number_of(more, 'more field')}" if more > 0 else "")
        yield f"The drill is not the same: {shown}."
    if first.engine != second.engine:
        yield f"The engines are not the same: {first.engine} and {second.engine}. `kirikae drift` is about that."
    if first.lasts != second.lasts:
        yield f"The runs last {format_duration(first.lasts)} and {format_duration(second.lasts)}."
    changed = [
        f"{name} {first.software.get(name, 'none')}, now {version}"
        for name, version in second.software.items()
        if first.software.get(name) != version
    ]
    if changed:
        yield f"The software is not the same: {'; '.join(changed)}."
    yield from _lists(comparison)


def _run(run: Run) -> str:
    changes = f" with {', '.join(run.changes)}" if run.changes else ""
    verdict = f"{run.verdict}, as it is meant to" if run.verdict is run.expected_verdict else str(run.verdict)
    if run.verdict is run.expected_verdict and run.verdict == "passed":
        verdict = "passed"
    return f"{run.source}{changes}: {number_of(run.done, 'run')} on the {run.engine} engine, seed {run.seed}, {verdict}"


def _how(comparison: Comparison) -> str:
    one, other = comparison.runs
    level = f"Intervals are 95% for the {comparison.together:,} that decide together"
    if comparison.together == 1:
        level = "Intervals are 95%"
    match comparison.kind:
        case Kind.PAIRED:
            return f"Paired: {number_of(one, 'run')} of each with the same callers. {level}."
        case Kind.INDEPENDENT:
            return f"Not paired, for the seeds differ: {one:,} and {number_of(other, 'run')}. {level}."
        case Kind.SEPARATE:
            names = zip(comparison.names, (comparison.first, comparison.second), strict=True)
            old = " and ".join(name for name, run in names if run.numbers is None)
            return (
                f"Not paired: {old} has no replications.json, only values over all runs. Intervals are 95% for each "
                "metric alone and wider than in pairs, and there is nothing to draw; run it again to have both."
            )
        case Kind.NIGHTS:
            return _nights(comparison)


def _nights(comparison: Comparison) -> str:
    nights = comparison.nights
    assert nights is not None  # noqa: S101 - by its kind
    if nights.baseline < nights.baseline_needed:
        return (
            f"Not enough nights yet: {nights.baseline} of {nights.baseline_needed} nights of the baseline, and then "
            f"{number_of(nights.recent_needed, 'night')} to hold against them."
        )
    if nights.recent < nights.recent_needed:
        return (
            f"Not enough nights yet: {nights.recent} of the {nights.recent_needed} nights that are held against "
            f"the {nights.baseline} of the baseline."
        )
    return (
        f"The last {number_of(nights.recent, 'night')} against {nights.baseline} of the baseline. That what has not "
        f"changed is called worse happens in at most {nights.error:.0%} of nights, for all metrics together."
    )


def _why(comparison: Comparison) -> Iterator[str]:
    worse = [change for change in comparison.those(Outcome.WORSE) if change.decides]
    if worse:
        of = number_of(len(comparison.changes), "metric")
        yield f"{len(worse)} of {of} {'is' if len(worse) == 1 else 'are'} worse by more than is allowed."
    for each in comparison.lost:
        yield f"An expectation that held fails: {each.text}."
    if comparison.nights is None or comparison.nights.enough:
        for clause in comparison.open:
            yield f"It cannot be told: {clause}."
    else:
        for clause in comparison.no_evidence:
            yield f"This night is no evidence: {clause}."


def _lists(comparison: Comparison) -> Iterator[str]:
    """Yield what only one side has."""
    for what, new, gone in (
        ("expectation", [e.text for e in comparison.expectations if e.first is None], _gone(comparison)),
        ("metric", comparison.new_metrics, comparison.gone_metrics),
        ("step", comparison.new_steps, comparison.gone_steps),
        (
            "finding",
            [f"{each.id} at {each.path}" for each in comparison.new_findings],
            [f"{each.id} at {each.path}" for each in comparison.gone_findings],
        ),
    ):
        for state, found in (("new", new), ("gone", gone)):
            if found:
                more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
                yield f"{number_of(len(found), f'{state} {what}')}: {', '.join(found[:_SHOWN])}{more}."
    unknown = sorted({*comparison.first.unknown, *comparison.second.unknown})
    if unknown:
        yield f"Metrics that this version does not know: {', '.join(unknown)}."


def _gone(comparison: Comparison) -> list[str]:
    return [each.text for each in comparison.expectations if each.second is None]


def shown(change: Change, value: float | None) -> str:
    """Return a value of a metric, in words."""
    return "–" if value is None else value_text(value, change.query.definition.unit)


def difference_shown(change: Change) -> str:
    """Return the difference with its interval, in words."""
    if change.apart is None:
        return "–"
    unit = change.query.definition.unit
    value = _apart(change.apart.value, unit)
    if change.apart.interval is None:
        return value if change.identical else f"{value} (no interval)"
    low, high = (_apart(end, unit) for end in change.apart.interval)
    return (
        value if low == high == value else f"{value} ({low.removesuffix(' points')} to {high.removesuffix(' points')})"
    )


def _apart(difference: float, unit: Unit) -> str:
    if difference in (float("inf"), -float("inf")):
        return NEVER if difference > 0 else f"no more {NEVER}"
    return difference_text(difference, unit)


def allowed_shown(change: Change) -> str:
    """Return what is allowed, in words; a dash where no way is better."""
    if not change.decides:
        return "–"
    return difference_text(change.allowed, change.query.definition.unit).lstrip("+")


def remarks(change: Change, names: tuple[str, str]) -> Iterator[str]:
    """Yield what the numbers of a metric do not show."""
    for what, counts in ((NEVER, change.never), (NOTHING, change.nothing)):
        if counts.first != counts.second:
            (one, other), (of, of_other) = names, counts.of
            runs = number_of(of_other, "run")
            yield f"{what} in {counts.first} of {of} with {one}, in {counts.second} of {runs} with {other}"


def of_what(change: Change, kind: Kind) -> str:
    """Return what the values of a metric are."""
    if kind is Kind.NIGHTS:
        return "median of nights"
    return "median" if change.query.definition.combine is Combine.RUNS else "mean"
