"""What a plan only declares: facts that satisfy a rule and that nothing in the plan can prove."""

from collections.abc import Collection

from scenarios.model import Drill
from scenarios.rules.packs import DECLARED
from scenarios.rules.rule import Declaration, Rule
from scenarios.systems import System


def declarations(drill: Drill, rules: Collection[Rule]) -> tuple[Declaration, ...]:
    """Return what a plan states and no rule can check; every name in it has to lead somewhere.

    What only satisfies rules of another system or version is no statement that this plan rests on.
    """
    system = System.of(drill)
    applied = {row for rule in rules if rule.concerns(system) for row in rule.cites}
    elsewhere = {row for rule in rules for row in rule.cites} - applied
    return tuple(
        declaration
        for look in DECLARED
        for declaration in look(drill)
        if not (declaration.cites and elsewhere.issuperset(declaration.cites))
    )
