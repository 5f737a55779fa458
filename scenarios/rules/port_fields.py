"""How requests for ports fit the rest of a plan: what they ask for, who files them, who waits for them."""

from collections.abc import Iterator

from scenarios.model import Drill, RequestPorts
from scenarios.problems import Finding, Severity
from scenarios.rules.rule import Path, listed
from scenarios.systems import System
from scenarios.text import Text

SYSTEM = "cxone-ports"
"""The system whose limits are changed by requests."""


def port_fields(drill: Drill) -> Iterator[Finding]:
    """Yield what is wrong with requests for ports, or with what is said about them; all are errors."""
    system = System.of(drill)
    if drill.port_management is not None:
        if system is None or system.name != SYSTEM:
            message = Text("only plans for {system} change limits by requests", system=SYSTEM)
            yield _error("not-applicable", ("port_management",), message, Text("system: {system}", system=SYSTEM))
        acting = {step.by for step in drill.runbook} | set(drill.actors)
        for name in drill.port_management.permissions:
            if name not in acting:
                message = Text("nobody who takes steps is called {name!r} (G13)", name=name)
                remedy = listed(sorted(acting)) if acting else Text("an actor of the runbook")
                yield _error("dangling-reference", ("port_management", "permissions", name), message, remedy)
    for index, step in enumerate(drill.runbook):
        if isinstance(step.does, RequestPorts):
            yield from _of_request(drill, ("runbook", index, "does", "request_ports"), step.does)
        if step.when is not None and step.when.granted is not None:
            asked = next((each.does for each in drill.runbook if each.step == step.when.granted), None)
            if not isinstance(asked, RequestPorts):
                message = Text("the step {name!r} requests no ports", name=step.when.granted)
                remedy = Text("a step that does {{request_ports: …}}")
                yield _error("not-applicable", ("runbook", index, "when", "granted"), message, remedy)
    for index, expectation in enumerate(drill.expect):
        limit = dict(expectation.query.selectors).get("limit")
        moved = [step.does for step in drill.runbook if isinstance(step.does, RequestPorts)]
        if expectation.of_limit and any(limit in does.request_ports.model_fields_set for does in moved):
            message = Text("steps change the {limit} limit, so that a share of it means nothing", limit=limit)
            yield _error("not-applicable", ("expect", index), message, Text("a number of ports"))


def _of_request(drill: Drill, path: Path, does: RequestPorts) -> Iterator[Finding]:
    asked = does.request_ports.model_dump(exclude_none=True)
    if drill.port_management is None:
        message = Text("nothing says who may request ports, and how long it takes")
        yield _error("exactly-one", path, message, Text("'port_management'"))
    if not asked:
        yield _error("exactly-one", path, Text("the request asks for nothing"), "'tenant', 'outbound', 'agentless'")
    for name in asked:
        if getattr(drill.ports, name) is None:
            message = Text("there is no {name} limit that could be changed", name=name)
            yield _error("not-applicable", (*path, name), message, Text("ports: {{{name}: …}}", name=name))


def _error(rule: str, path: Path, message: str, remedy: str) -> Finding:
    return Finding(rule, Severity.ERROR, path, message, remedy)
