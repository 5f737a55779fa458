"""`kirikae size` on a terminal: the number, what it rests on, and what stands beside it."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports.sizing import Outcome, Seen, Sizing
from reports.standing import Sight
from reports.terminal import columns
from reports.wording import number_of, share_text, value_text
from scenarios.expectations import Expectation
from scenarios.metrics import Combine
from scenarios.model import Verdict
from scenarios.units import format_share

_STYLES = {
    Outcome.FOUND: "bold green",
    Outcome.NONE: "bold red",
    Outcome.EITHER: "bold yellow",
    Outcome.STOPPED: "bold yellow",
    Outcome.NO_EVIDENCE: "bold yellow",
}
_VERDICTS = {Verdict.PASSED: "meets", Verdict.FAILED: "misses", Verdict.INCONCLUSIVE: "cannot tell"}
_VERDICT_STYLES = {Verdict.PASSED: "green", Verdict.FAILED: "red", Verdict.INCONCLUSIVE: "yellow"}
_NEAREST = 7
"""Values shown of those that were looked at."""
_REASONS = 4
"""Reasons shown why calls were lost."""


def print_sizing(console: Console, sizing: Sizing) -> None:
    """Print what was found."""
    headline = Text(_headline(sizing), style=_STYLES[sizing.outcome])
    console.print(Text.assemble(headline, "  ", (sizing.drill.name, "bold")))
    for sentence in _sentences(sizing):
        console.print(Text(sentence))
    if sizing.looked:
        console.print()
        console.print(_looked(sizing))
    _print_beside(console, sizing)
    for remark in (*sizing.rules, *sizing.remarks):
        console.print()
        console.print(_item(Text(_sentence(remark))))


def _headline(sizing: Sizing) -> str:
    if sizing.answer is None or sizing.outcome is Outcome.NONE:
        return sizing.outcome.upper()
    if len(sizing.sought) > 1:
        return "THE CHEAPEST" if sizing.outcome is Outcome.FOUND else sizing.outcome.upper()
    if sizing.outcome is Outcome.EITHER and sizing.undecided:
        return f"{sizing.undecided[0].values[0]} OR {sizing.answer.values[0]}"
    return sizing.answer.values[0]


def _sentences(sizing: Sizing) -> Iterator[str]:
    what = " and ".join(target.text for target in sizing.targets)
    sure = format_share(sizing.confidence)
    match sizing.outcome:
        case Outcome.FOUND | Outcome.EITHER | Outcome.NO_EVIDENCE if sizing.answer is not None:
            yield from _answered(sizing, sizing.answer, what, sure)
        case Outcome.STOPPED:
            yield f"Stopped after {number_of(sizing.all_runs, 'run')}, before the number was found for {what}."
            yield _bracket(sizing)
        case _:
            top = sizing.before
            end = "the least" if sizing.maximise else "the most"
            tried = "" if top is None else f", not even with {_named(sizing, top)}, {end} that was looked at"
            verb = "cannot be met" if sizing.outcome is Outcome.NONE else "was not shown to be met"
            yield f"{what} {verb}{tried} ({sure} confidence)."
    shown = sizing.outcome is Outcome.NONE or (sizing.answer is None and sizing.binding)
    if shown and sizing.binding:
        yield f"What loses calls there instead: {'; '.join(_bindings(sizing))}."


def _answered(sizing: Sizing, answer: Seen, what: str, sure: str) -> Iterator[str]:
    kind = "largest" if sizing.maximise else "smallest" if len(sizing.sought) == 1 else "cheapest combination"
    named = _named(sizing, answer)
    if sizing.outcome is Outcome.FOUND:
        yield f"{named} is the {kind} that meets {what}, with {sure} confidence."
    else:
        yield f"{named} meets {what}, with {sure} confidence."
    if answer.cost is not None:
        yield f"It costs {answer.cost:,.0f}."
    if sizing.undecided:
        some = ", ".join(" + ".join(each.values) for each in sizing.undecided[:3])
        more = f" and {len(sizing.undecided) - 3} more" if len(sizing.undecided) > 3 else ""
        yield (
            f"Whether {some}{more} would do as well cannot be told with {number_of(sizing.most, 'run')}; "
            "--most allows for more."
        )


def _bracket(sizing: Sizing) -> str:
    met = [each for each in sizing.looked if each.verdict is Verdict.PASSED]
    missed = [each for each in sizing.looked if each.verdict is Verdict.FAILED]
    if len(sizing.sought) > 1:
        best = f"; the cheapest that meets it so far is {_named(sizing, sizing.answer)}" if sizing.answer else ""
        return f"{number_of(len(sizing.looked), 'combination')} had been looked at{best}."
    if sizing.maximise:
        met, missed = met[::-1], missed[::-1]
    parts = [f"missed with {missed[-1].values[0]}"] if missed else []
    parts += [f"met with {met[0].values[0]}"] if met else []
    return f"By then it was known to be {' and '.join(parts)}." if parts else "Nothing was known by then."


def _named(sizing: Sizing, seen: Seen) -> str:
    return ", ".join(f"{each.path} = {value}" for each, value in zip(sizing.sought, seen.values, strict=True))


def _bindings(sizing: Sizing) -> Iterator[str]:
    for each in sizing.binding[:_REASONS]:
        of = f" by {each.reason}" if each.reason else ""
        full = ""
        if each.cap is not None:
            full = f", which has {each.cap:,}"
            if each.peak is not None and each.peak >= each.cap:
                full += " and is full"
        yield f"{share_text(each.share)} of them are {each.outcome}{of}{full}"


# What was looked at


def _looked(sizing: Sizing) -> Table:
    several = len(sizing.sought) > 1
    prices = any(each.price is not None for each in sizing.sought)
    heads = [each.path for each in sizing.sought]
    table = columns(
        *heads,
        *(["cost"] if prices else []),
        *(target.text for target in sizing.targets),
        "runs",
        "",
        right=(*heads, "cost", "runs"),
    )
    for seen in sizing.frontier or _nearest(sizing) if several else _nearest(sizing):
        is_answer = sizing.answer is not None and seen.values == sizing.answer.values
        table.add_row(
            *(Text(value) for value in seen.values),
            *([Text("–" if seen.cost is None else f"{seen.cost:,.0f}")] if prices else []),
            *(_sight(target, each) for target, each in zip(sizing.targets, seen.sights, strict=True)),
            Text(f"{seen.runs:,}"),
            Text(_VERDICTS[seen.verdict], style=_VERDICT_STYLES[seen.verdict]),
            style="bold" if is_answer else None,
        )
    return table


def _nearest(sizing: Sizing) -> Sequence[Seen]:
    """Return the values around the answer, or around the end of the search."""
    if len(sizing.sought) > 1:
        kept = sorted(sizing.looked, key=lambda seen: seen.cost or 0.0)
        return [each for each in kept if sizing.answer is None or each.verdict is not Verdict.FAILED][:_NEAREST]
    centre = sizing.answer or sizing.before
    values = [each.values for each in sizing.looked]
    if centre is None or centre.values not in values:
        return sizing.looked[-_NEAREST:]
    at = values.index(centre.values)
    first = max(0, min(at - _NEAREST // 2, len(values) - _NEAREST))
    return sizing.looked[first : first + _NEAREST]


def _sight(target: Expectation, sight: Sight) -> Text:
    """Return a value with its interval, with as many digits as tell it from the bound."""
    metric = target.query.definition
    if sight.value is None or sight.nothing:
        return Text("nothing to measure")
    if metric.combine is Combine.RUNS:
        return Text(f"in {format_share(round(sight.value, 3))} of runs")
    if sight.interval is None:
        return Text(value_text(sight.value, metric.unit))
    if metric.unit == "share":
        value, low, high = (format_share(round(each, 4)) for each in (sight.value, *sight.interval))
    else:
        value, low, high = (value_text(each, metric.unit) for each in (sight.value, *sight.interval))
    return Text(f"{value} ({low.removesuffix('%') if high.endswith('%') else low} to {high})")


# What stands beside it


def _print_beside(console: Console, sizing: Sizing) -> None:
    for each in sizing.formulas:
        says = f"{each.formula} says {each.answer} for {each.path}, with {each.erlang:,.4g} erlang and {each.target}"
        console.print()
        console.print(Text(_sentence(f"{says}: {each.difference}" if each.difference else says)))
    if sizing.causes and sizing.answer is not None:
        console.print()
        console.print(Text("What formulas do not know, and what it comes to at the answer:"))
        table = columns("", *(target.text for target in sizing.targets))
        rows = [("as it is", sizing.answer.sights), *((each.words, each.sights) for each in sizing.causes)]
        for words, sights in rows:
            table.add_row(Text(words), *(_sight(*pair) for pair in zip(sizing.targets, sights, strict=True)))
        console.print(table)
    if sizing.days:
        console.print()
        needed = any(each.needed for each in sizing.days)
        console.print(Text("Other days, with the answer as it is:"))
        table = columns("", *(target.text for target in sizing.targets), "", *(["needed"] if needed else []))
        for day in sizing.days:
            table.add_row(
                Text(day.words),
                *(_sight(*pair) for pair in zip(sizing.targets, day.sights, strict=True)),
                Text(_VERDICTS[day.verdict], style=_VERDICT_STYLES[day.verdict]),
                *([Text(day.needed)] if needed else []),
            )
        console.print(table)
    if sizing.looked:
        console.print()
        console.print(Text(_effort(sizing), style="dim"))


def _effort(sizing: Sizing) -> str:
    beside = sizing.all_runs - sizing.runs
    more = f", and {number_of(beside, 'run')} for what stands beside the answer" if beside > 0 else ""
    return (
        f"{number_of(len(sizing.looked), 'value')} looked at in {number_of(sizing.runs, 'run')}{more}; "
        f"seed {sizing.seed}. Intervals are those of the decision."
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _item(text: Text) -> Table:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_row(Text("-"), text)
    return grid
