"""Write the generated parts of the documentation: `python -m docs.generate`.

A part stands between `<!-- begin NAME -->` and `<!-- end -->`; a test fails while a page is not up to date.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

from kirikae import drills
from reports.assumptions import ASSUMPTIONS
from reports.rules_terminal import scope_of
from sbc.decisions import call, handover, member, pair, port_requests, probing, registration, runbook, sync, vrrp
from sbc.decisions.timers import RELIABLE, UNRELIABLE, Timer
from sbc.endpoints import visiting
from sbc.sip import bridging, dialog, forking, machines, offer, usage
from sbc.sip.machines import Effect
from scenarios import model
from scenarios.catalogue.row import Held
from scenarios.coverage import LETTERS, Entry, entries
from scenarios.loader import load
from scenarios.metrics import METRICS
from scenarios.model.part import Part
from scenarios.model_fields import named_fields
from scenarios.rules import RULES

FOLDER = Path(__file__).parent
_BLOCK = re.compile(r"(<!-- begin (?P<name>[^>]+?) -->\n).*?(<!-- end -->)", re.DOTALL)

_PARTS: dict[str, type[Part]] = {
    name: part for name, part in vars(model).items() if isinstance(part, type) and issubclass(part, Part)
}


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def _fields(part: type[Any]) -> str:
    def rows() -> Iterator[tuple[str, ...]]:
        for name, info in named_fields(part).items():
            need = "yes" if info.is_required() else ""
            yield f"`{name}`", need, " ".join((info.description or "").replace("``", "`").split())

    return _table(("field", "needed", "meaning"), rows())


def _metrics() -> str:
    def rows() -> Iterator[tuple[str, ...]]:
        for metric in METRICS.values():
            marked = [f"**{name}**" if name in metric.required else name for name in metric.selectors]
            windows = ["after", "before"] if metric.windows else []
            selectors = ", ".join([*marked, *windows])
            yield f"`{metric.name}`", str(metric.unit), str(metric.better), selectors, metric.definition

    return _table(("metric", "unit", "better", "selectors (needed ones bold)", "definition"), rows())


def _rules() -> str:
    rows = (
        (
            f"`{rule.id}`",
            str(rule.severity),
            "yes" if rule.waivable else "no",
            " ".join(rule.cites),
            scope_of(rule),
            rule.why,
        )
        for rule in RULES
    )
    return _table(("id", "severity", "waivable", "rows", "plans", "why"), rows)


def _catalogue(letter: str) -> str:
    rows = ((each.row.id, each.row.fact, "; ".join(_places(each)) or "–") for each in entries(letter))
    return _table(("id", "fact", "held by"), rows)


def _places(each: Entry) -> Iterator[str]:
    for rule in each.checks:
        yield f"check `{rule.id}`"
    for place in each.places:
        match place.held:
            case Held.BEHAVIOUR:
                yield f"behaviour: {place.where.rstrip('.')} (`{place.metric}` of `{place.drill}`)"
            case Held.PARAMETER | Held.METRIC:
                yield f"{place.held} `{place.where}`"
            case Held.NOT:
                yield f"not held: {place.where}"


def _duties() -> str:
    return _table(("duty", "meaning"), ((f"`{duty}`", meaning) for duty, meaning in model.DUTIES.items()))


def _diagram(table: Mapping[Any, Any]) -> str:
    def arrows() -> Iterator[str]:
        for (state, event), after in table.items():
            target, effects = after if isinstance(after, tuple) else (after, ())
            does = ": " + ", ".join(effect.name.lower() for effect in effects) if effects else ""
            yield f"    {state.name} --> {target.name}: {event.name.lower()}{' /' + does[1:] if does else ''}"

    return "```mermaid\nstateDiagram-v2\n" + "\n".join(arrows()) + "\n```\n"


def _machine(table: Mapping[Any, Any], states: type[Enum], events: type[Enum]) -> str:
    return f"{_diagram(table)}\n{_words(states, events)}"


def _transaction(machine: machines.Machine) -> str:
    """Draw a transaction machine, its timers by their letters."""

    def name(item: machines.Event | Effect | Timer) -> str:
        return f"timer {item.name}" if isinstance(item, Timer) else item.name.lower()

    def arrows() -> Iterator[str]:
        for (state, event), (target, effects) in machine.items():
            does = ", ".join(f"start {name(each)}" if isinstance(each, Timer) else name(each) for each in effects)
            yield f"    {state.name} --> {target.name}: {name(event)}{' / ' + does if does else ''}"

    return "```mermaid\nstateDiagram-v2\n" + "\n".join(arrows()) + "\n```\n"


def _words(*kinds: Iterable[Enum]) -> str:
    return _table(("name", "meaning"), ((f"`{item.name}`", item.value) for kind in kinds for item in kind))


def _timers() -> str:
    def shown(seconds: float) -> str:
        return {0.0: "fires at once", inf: "never fires"}.get(seconds, f"{seconds:g} s")

    rows = ((f"`{timer.name}`", shown(UNRELIABLE[timer]), shown(RELIABLE[timer]), timer.value) for timer in Timer)
    return _table(("timer", "over UDP", "over TCP, TLS, WebSocket", "when it fires"), rows)


def _clients() -> str:
    def rows() -> Iterator[tuple[str, ...]]:
        for name, client in registration.CLIENTS.items():
            waits = (_bounds(client, failures) for failures in (1, 2, 3, 10))
            notices = "at once" if client.connected else "at its next refresh"
            yield f"`{name}`", *waits, notices

    head = ("client", "wait after 1 failure", "2", "3", "10", "notices that its registrar is gone")
    return _table(head, rows())


def _bounds(client: registration.Client, failures: int) -> str:
    if client.of_expiry is not None:
        return f"{client.of_expiry:g} × `expires` from one REGISTER to the next"
    low, high = (registration.retry_after(client, failures, draw, expires=0.0) for draw in (0.0, 1.0))
    return f"{low:g} s" if low == high else f"{low:g}–{high:g} s"


def _drills() -> str:
    def rows() -> Iterator[tuple[str, ...]]:
        for name, title in drills.bundled():
            drill = load(drills.find(name)).drill
            yield f"`{name}`", title, str(drill.expected_verdict), drill.teaches or ""

    return _table(("drill", "what happens", "comes out", "what it teaches"), rows())


def _assumptions() -> str:
    engines = list(dict.fromkeys(engine for each in ASSUMPTIONS for engine in each.says))
    rows = (
        (
            each.about,
            *(each.says.get(engine, "") for engine in engines),
            ", ".join(f"`{name}`" for name in each.metrics),
        )
        for each in ASSUMPTIONS
    )
    return _table(("about", *(f"`{engine}`" for engine in engines), "moves"), rows)


_WRITERS: dict[str, Callable[[], str]] = {
    "drills": _drills,
    "assumptions": _assumptions,
    **{f"fields of {name}": partial(_fields, part) for name, part in _PARTS.items()},
    "metrics": _metrics,
    "rules": _rules,
    "duties": _duties,
    **{f"catalogue {letter}": partial(_catalogue, letter) for letter in LETTERS},
    "machine call": lambda: _machine(call.TABLE, call.State, call.Event),
    "machine pair": lambda: _machine(pair.TABLE, pair.State, pair.Event),
    "machine vrrp": lambda: _machine(vrrp.TABLE, vrrp.State, vrrp.Event),
    "words of vrrp": lambda: _words(vrrp.Effect),
    "machine probing": lambda: _machine(probing.TABLE, probing.State, probing.Event),
    "machine member": lambda: _machine(member.TABLE, member.State, member.Event),
    "machine handover": lambda: _machine(handover.TABLE, handover.State, handover.Event),
    "words of handovers": lambda: _words(handover.Effect),
    "machine registration": lambda: _machine(registration.TABLE, registration.State, registration.Event),
    "clients": lambda: _clients(),
    "machine runbook": lambda: _machine(runbook.TABLE, runbook.State, runbook.Event),
    "machine port requests": lambda: _machine(port_requests.TABLE, port_requests.State, port_requests.Event),
    "machine sync": lambda: _machine(sync.TABLE, sync.State, sync.Event),
    "words of sync": lambda: _words(sync.Effect),
    "machine invite client": lambda: _transaction(machines.INVITE_CLIENT),
    "machine non-invite client": lambda: _transaction(machines.NON_INVITE_CLIENT),
    "machine invite server": lambda: _transaction(machines.INVITE_SERVER),
    "machine non-invite server": lambda: _transaction(machines.NON_INVITE_SERVER),
    "words of transactions": lambda: _words(machines.State, machines.Event, Effect),
    "timers": _timers,
    "machine dialog": lambda: _machine(dialog.TABLE, dialog.State, dialog.Event),
    "machine offer": lambda: _machine(offer.TABLE, offer.State, offer.Event),
    "machine sip call": lambda: _machine(usage.CALL, usage.State, usage.Event),
    "machine branch": lambda: _machine(forking.INVITE, forking.State, forking.Event),
    "machine other branch": lambda: _diagram(forking.OTHER),
    "words of branches": lambda: _words(forking.Effect),
    "machine bridge": lambda: _machine(bridging.TABLE, bridging.State, bridging.Event),
    "words of bridges": lambda: _words(bridging.Effect),
    "machine visit": lambda: _machine(visiting.TABLE, visiting.State, visiting.Event),
    "words of visits": lambda: _words(visiting.Effect),
    "machine change": lambda: _machine(usage.CHANGE, usage.Turn, usage.Move),
    "words of calls": lambda: _words(usage.Effect, usage.Deed),
}


def generated(text: str) -> str:
    """Return a page with its generated parts written anew; raises KeyError for a part nobody writes."""
    return _BLOCK.sub(lambda match: f"{match[1]}\n{_WRITERS[match['name']]()}\n{match[3]}", text)


def parts_in(text: str) -> list[str]:
    """Return the names of the generated parts of a page."""
    return [match["name"] for match in _BLOCK.finditer(text)]


def main() -> int:
    """Bring every page up to date and name those that changed."""
    for page in sorted(FOLDER.rglob("*.md")):
        old = page.read_text(encoding="utf-8")
        new = generated(old)
        if new != old:
            page.write_text(new, encoding="utf-8")
            print(page.relative_to(FOLDER))  # noqa: T201 - this is a command
    return 0


if __name__ == "__main__":
    sys.exit(main())
