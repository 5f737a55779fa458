"""Rules about numbers in Japan, and what may stand behind which."""

from scenarios.rules.rule import Check, Declarations, Rule

NUMBERS: dict[Rule, Check] = {}

DECLARED: tuple[Declarations, ...] = ()
