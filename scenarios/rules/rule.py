"""What a rule is made of; the rules themselves stand in tables at the end of the modules beside this one."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from scenarios.model import Drill
from scenarios.problems import Finding, Severity

Path = tuple[str | int, ...]


class Remark(NamedTuple):
    """What a check has to say about one place of a plan; fields as in :class:`~scenarios.problems.Finding`."""

    path: Path
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule that a plan is held to."""

    id: str
    severity: Severity
    why: str
    """One sentence: what goes wrong in a plan that breaks it."""
    waivable: bool = True
    """Whether an author may accept it with a reason; without this the run could mean nothing."""

    def finding(self, remark: Remark) -> Finding:
        """Return a remark as a finding of this rule."""
        return Finding(self.id, self.severity, *remark)


Check = Callable[[Drill], Iterable[Remark]]
"""Looks at a plan in which every name leads somewhere, and says where it breaks a rule."""


def listed(names: Iterable[str], most: int = 5) -> str:
    """Return names in one line, cut short where there are many."""
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more
