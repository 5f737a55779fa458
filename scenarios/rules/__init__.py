"""Checks of a plan: functions of the drill alone, each finding citing its rule.

:data:`RULES` is all of them as data, :func:`check` holds a drill to them, :func:`judge` weighs its waivers.
"""

from scenarios.model import Drill
from scenarios.problems import Finding
from scenarios.rules.baseline import BASELINE
from scenarios.rules.expectations import EXPECTATIONS
from scenarios.rules.hours import HOURS
from scenarios.rules.load import LOAD
from scenarios.rules.names import NAMES
from scenarios.rules.packs import PACKS
from scenarios.rules.references import Declared, dangling
from scenarios.rules.rule import Check, Declaration, Rule
from scenarios.rules.structure import STRUCTURE
from scenarios.rules.system import SYSTEM
from scenarios.rules.targets import TARGETS
from scenarios.rules.timeline import TIMELINE
from scenarios.rules.waivers import WAIVERS, Judgement, Waived, weigh
from scenarios.systems import System

_PLAN: dict[Rule, Check] = {
    **SYSTEM,
    **STRUCTURE,
    **TIMELINE,
    **HOURS,
    **BASELINE,
    **LOAD,
    **EXPECTATIONS,
    **TARGETS,
    **PACKS,
}

RULES: tuple[Rule, ...] = (*NAMES, *_PLAN, *WAIVERS)
"""Every rule."""
BY_ID = {rule.id: rule for rule in RULES}


def check(drill: Drill) -> list[Finding]:
    """Return what is wrong with a plan; while a name leads nowhere only that, since all else follows names.

    Rules of a system are for plans that name it (`system:`), in the versions that they are about.
    """
    system = System.of(drill)
    return dangling(drill, Declared.by(drill)) or [
        rule.finding(remark) for rule, look in _PLAN.items() if rule.concerns(system) for remark in look(drill)
    ]


def judge(drill: Drill, findings: list[Finding]) -> Judgement:
    """Sort the findings of :func:`check` into those that stand and those that the drill waives."""
    return weigh(drill, findings, RULES)


__all__ = ["BY_ID", "RULES", "Declaration", "Judgement", "Rule", "Waived", "check", "judge"]
