"""Rules about contract, people and order of a BIZTEL switch."""

from scenarios.rules.rule import Check, Declarations, Rule

BIZTEL: dict[Rule, Check] = {}

DECLARED: tuple[Declarations, ...] = ()
