"""The system that a plan is for: its name and version decide which rules count, and a slip there silences them."""

from collections.abc import Iterator

from scenarios.model import Drill
from scenarios.problems import Severity, did_you_mean
from scenarios.rules.packs import PACKS
from scenarios.rules.rule import Check, Remark, Rule, listed
from scenarios.systems import FOLLOWING, SYSTEMS, System, version_text
from scenarios.text import Text

_PATH = ("system",)


def _unknown(drill: Drill) -> Iterator[Remark]:
    system = System.of(drill)
    known = (*SYSTEMS, *FOLLOWING)
    if system is None or system.name in known:
        return
    message = Text(
        "no system is called {name!r}, and only the general rules count{hint}",
        name=system.name,
        hint=did_you_mean(system.name, known),
    )
    yield Remark(_PATH, message, Text("one of {names}", names=listed(known)))


def _general_rules_only(drill: Drill) -> Iterator[Remark]:
    system = System.of(drill)
    if system is not None and system.name in FOLLOWING:
        message = Text("there are no rules for {title} yet: only the general ones count", title=FOLLOWING[system.name])
        yield Remark(_PATH, message, Text("a reader who holds the plan to its documents"))


def _without_version(drill: Drill) -> Iterator[Remark]:
    system = System.of(drill)
    if system is None or system.version is not None:
        return
    versions = {
        version
        for rule in PACKS
        if rule.system == system.name
        for version in (rule.since, rule.before or ())
        if version
    }
    if versions:
        changed = listed(map(version_text, sorted(versions)))
        message = Text(
            "rules for {name} change with versions {versions}, and without one the newest is assumed",
            name=system.name,
            versions=changed,
        )
        yield Remark(_PATH, message, Text("the version in use, such as {name}-3.9", name=system.name))


SYSTEM: dict[Rule, Check] = {
    Rule(
        "unknown-system",
        Severity.WARNING,
        "A system whose name is misspelt is a system whose rules are not applied.",
    ): _unknown,
    Rule(
        "system-without-rules",
        Severity.NOTE,
        "A plan that only the general rules have seen may break a rule of its own system.",
    ): _general_rules_only,
    Rule(
        "system-without-version",
        Severity.NOTE,
        "What a system can do depends on its version, and a plan may rely on what the one in use lacks.",
    ): _without_version,
}
"""Rules about `system`."""
