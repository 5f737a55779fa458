"""What a rule is made of; the rules themselves stand in tables at the end of the modules beside this one."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

from scenarios.model import Drill
from scenarios.problems import Finding, Severity
from scenarios.systems import System, Version
from scenarios.text import Text

Path = tuple[str | int, ...]


class Remark(NamedTuple):
    """What a check has to say about one place of a plan; fields as in :class:`~scenarios.problems.Finding`."""

    path: Path
    message: Text
    remedy: Text


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule that a plan is held to."""

    id: str
    severity: Severity
    why: str
    """One sentence: what goes wrong in a plan that breaks it."""
    waivable: bool = True
    """Whether an author may accept it with a reason; without this the run could mean nothing."""
    cites: tuple[str, ...] = ()
    """The rows of the catalogue that it holds a plan to, such as ``Z29``."""
    system: str | None = None
    """The system whose plans it is about; None for all plans."""
    since: Version = ()
    """The first version of that system that it is about."""
    before: Version | None = None
    """The first version that it is no longer about."""

    def finding(self, remark: Remark) -> Finding:
        """Return a remark as a finding of this rule."""
        return Finding(self.id, self.severity, *remark)

    def rows_in(self, message: str) -> tuple[str, ...]:
        """Return those rows that a finding of it is about: the message names them."""
        return tuple(row for row in self.cites if re.search(rf"\b{row}\b", message))

    def concerns(self, system: System | None) -> bool:
        """Whether plans for a system are held to it."""
        if self.system is None:
            return True
        if system is None or system.name != self.system or not system.is_at_least(self.since):
            return False
        return self.before is None or (system.version is not None and not system.is_at_least(self.before))


class Declaration(NamedTuple):
    """A fact that a plan states and that nothing in it can prove, but which a rule is content with."""

    path: Path
    cites: tuple[str, ...]
    """The rows of the catalogue that it satisfies."""
    text: str
    """What is taken at its word."""


Check = Callable[[Drill], Iterable[Remark]]
"""Looks at a plan in which every name leads somewhere, and says where it breaks a rule."""

Declarations = Callable[[Drill], Iterable[Declaration]]
"""Looks for what a plan only states."""


def listed(names: Iterable[str], most: int = 5) -> Text:
    """Return names in one line, cut short where there are many."""
    every = list(names)
    shown = ", ".join(every[:most])
    if len(every) <= most:
        return Text("{names}", names=shown)
    return Text("{names} and {more} more", names=shown, more=len(every) - most)


def both(names: Iterable[str]) -> str:
    """Return names, of which there is one at least, with the word between them that says that all are meant."""
    return reduce(lambda before, name: Text("{names} and {name}", names=before, name=name), names)
