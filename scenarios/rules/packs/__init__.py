"""Rules of single systems, and of numbers in Japan; :attr:`~scenarios.rules.rule.Rule.system` says whose."""

from scenarios.rules.packs.biztel import BIZTEL
from scenarios.rules.packs.numbers import NUMBERS
from scenarios.rules.packs.port_management import PORT_MANAGEMENT
from scenarios.rules.packs.sync import SYNC
from scenarios.rules.rule import Check, Rule

PACKS: dict[Rule, Check] = {**BIZTEL, **SYNC, **NUMBERS, **PORT_MANAGEMENT}

__all__ = ["PACKS"]
