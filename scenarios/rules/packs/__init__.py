"""Rules of single systems, and of numbers in Japan; :attr:`~scenarios.rules.rule.Rule.system` says whose."""

from scenarios.rules.packs import biztel, numbers, port_management, sync
from scenarios.rules.rule import Check, Declarations, Rule

PACKS: dict[Rule, Check] = {**biztel.BIZTEL, **sync.SYNC, **numbers.NUMBERS, **port_management.PORT_MANAGEMENT}

DECLARED: tuple[Declarations, ...] = (
    *biztel.DECLARED,
    *sync.DECLARED,
    *numbers.DECLARED,
    *port_management.DECLARED,
)
"""What finds the facts that a plan only states."""

__all__ = ["DECLARED", "PACKS"]
