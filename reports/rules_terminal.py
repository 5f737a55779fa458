"""The rules that plans are held to, on a terminal: all in two tables, or one with all that belongs to it."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text as Styled

from scenarios.catalogue.row import Held, Place
from scenarios.coverage import LETTERS, Entry, field
from scenarios.metrics import METRICS
from scenarios.rules import Rule
from scenarios.systems import SYSTEMS, version_text
from scenarios.text import Text, Translate

_HELD = {
    Held.PARAMETER: Text("parameter"),
    Held.BEHAVIOUR: Text("behaviour"),
    Held.METRIC: Text("metric"),
    Held.NOT: Text("not held"),
}


def print_list(console: Console, checks: Sequence[Rule], rows: Sequence[Entry], say: Translate) -> None:
    """Print checks and rows, a line each where it fits."""
    if not checks and not rows:
        console.print(Styled(say(Text("No rule is like that."))))
    if checks:
        table = _columns(say, Text("check"), Text("severity"), Text("rows"), Text("plans"), Text("why"))
        for rule in checks:
            table.add_row(
                rule.id,
                say(rule.severity),
                " ".join(rule.cites),
                scope_of(rule, say),
                Styled(say(rule.why)),
            )
        console.print(table)
    if checks and rows:
        console.print()
    if rows:
        table = _columns(say, Text("row"), Text("held by"), Text("fact"))
        for each in rows:
            table.add_row(each.row.id, Styled(_summary(each, say)), Styled(say(each.row.fact)))
        console.print(table)


def print_rule(console: Console, rule: Rule, rows: Sequence[Entry], say: Translate) -> None:
    """Explain a plan check."""
    console.print(Styled.assemble((rule.id, "bold"), "  ", say(rule.severity)))
    console.print(Styled(say(rule.why)))
    console.print()
    table = _grid()
    table.add_row(Styled(say(Text("plans"))), Styled(scope_of(rule, say)))
    table.add_row(Styled(say(Text("waivable"))), Styled(say(Text("yes") if rule.waivable else Text("no"))))
    for each in rows:
        table.add_row(Styled(each.row.id), Styled(say(each.row.fact)))
    console.print(table)


def print_row(console: Console, about: Entry, say: Translate) -> None:
    """Explain a row of the catalogue, and whatever holds a plan to it."""
    console.print(Styled.assemble((about.row.id, "bold"), "  ", (LETTERS[about.row.id[0]], "dim")))
    console.print(Styled(say(about.row.fact)))
    console.print()
    table = _grid()
    for rule in about.checks:
        told = f"{rule.id} ({say(rule.severity)}, {scope_of(rule, say)}): {say(rule.why)}"
        table.add_row(Styled(say(Text("check"))), Styled(told))
    for place in about.places:
        table.add_row(Styled(say(_HELD[place.held])), Styled("\n".join(_lines(place, say))))
    if not table.row_count:
        text = Text("Nothing holds a plan to it by itself; code and documentation cite it.")
        table.add_row(Styled(say(text)))
    console.print(table)


def scope_of(rule: Rule, say: Translate = str) -> str:
    """Say for which plans a rule is: all, or those for a system in some versions."""
    if rule.system is None:
        return say(Text("all"))
    title = SYSTEMS[rule.system]
    match rule.since, rule.before:
        case (), None:
            return title
        case since, None:
            return say(Text("{system} from {since}", system=title, since=version_text(since)))
        case (), before:
            return say(Text("{system} before {before}", system=title, before=version_text(before)))
        case since, before:
            ends = {"since": version_text(since), "before": version_text(before)}
            return say(Text("{system} from {since}, before {before}", system=title, **ends))


def _lines(place: Place, say: Translate) -> Iterator[str]:
    yield say(place.where)
    if place.held is Held.PARAMETER:
        found = field(place.where)
        if found.default is not None:
            yield say(Text("by default {value}", value=found.default))
        yield found.meaning
    elif place.held is Held.BEHAVIOUR:
        yield say(Text("seen in {metric} of the drill {drill}", metric=place.metric, drill=place.drill))
    elif place.held is Held.METRIC:
        yield METRICS[place.where].definition


def _summary(each: Entry, say: Translate) -> str:
    held = dict.fromkeys([*(Text("check") for _ in each.checks), *(_HELD[place.held] for place in each.places)])
    return ", ".join(map(say, held)) or "–"


def _columns(say: Translate, *headers: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for header in headers:
        table.add_column(say(header), overflow="fold")
    table.columns[0].no_wrap = True
    return table


def _grid() -> Table:
    return Table.grid(padding=(0, 2, 0, 0))
