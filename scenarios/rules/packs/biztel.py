"""Rules about contract, people and order of a BIZTEL switch."""

from scenarios.rules.packs import biztel_contract, biztel_order, biztel_people
from scenarios.rules.rule import Check, Declarations, Rule

BIZTEL: dict[Rule, Check] = {**biztel_contract.CONTRACT, **biztel_people.PEOPLE, **biztel_order.ORDER}

DECLARED: tuple[Declarations, ...] = (biztel_contract.declared, biztel_people.declared, biztel_order.declared)
