"""Rules about port limits and requests to change them."""

from scenarios.rules.rule import Check, Declarations, Rule

PORT_MANAGEMENT: dict[Rule, Check] = {}

DECLARED: tuple[Declarations, ...] = ()
