"""Rules about replication, consoles and functions of the other site."""

from scenarios.rules.rule import Check, Declarations, Rule

SYNC: dict[Rule, Check] = {}

DECLARED: tuple[Declarations, ...] = ()
