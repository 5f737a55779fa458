"""What the plan checks say of a file: findings at their lines, what is waived, and what is only declared."""

from collections.abc import Iterable
from dataclasses import dataclass

from scenarios import rules
from scenarios.loader import Loaded, problem_of
from scenarios.model import Verdict
from scenarios.problems import Finding, Mark, Problem, Severity, path_text
from scenarios.rules import Rule
from scenarios.rules.names import UNREADABLE


@dataclass(frozen=True, slots=True)
class Found:
    """One finding, or one problem that keeps a file from being read, and where it stands."""

    problem: Problem
    rule: Rule
    reason: str = ""
    """Why its author accepts it; empty for one that stands."""

    @property
    def severity(self) -> Severity:
        """How much it matters."""
        return self.rule.severity

    @property
    def rows(self) -> tuple[str, ...]:
        """The rows of the catalogue that it is about."""
        return self.rule.rows_in(self.problem.message)


@dataclass(frozen=True, slots=True)
class Declared:
    """A fact that is taken at the plan's word, and where it stands."""

    mark: Mark
    path: str
    rows: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Expected:
    """One expectation, as it was written, and where it stands."""

    mark: Mark
    text: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What the plan checks say of one file; everything in order of place."""

    file: str
    """As it was asked for."""
    source: str = ""
    """The file that was read, as marks name it."""
    found: tuple[Found, ...] = ()
    """Findings that stand, and problems."""
    waived: tuple[Found, ...] = ()
    declared: tuple[Declared, ...] = ()
    notes: tuple[str, ...] = ()
    """How the file was read."""
    readable: bool = True
    """Whether there was a plan to check."""
    expected_verdict: Verdict | None = None
    """What the drill is meant to come to; None for a file that is no drill."""
    expectations: tuple[Expected, ...] = ()
    """In the order of the file."""

    def count(self, severity: Severity) -> int:
        """Return how many findings of a severity stand."""
        return sum(found.severity is severity for found in self.found)

    @property
    def errors(self) -> int:
        """How many findings and problems keep the drill from running."""
        return self.count(Severity.ERROR)

    def name_of(self, mark: Mark | None) -> str:
        """Return the file of a mark, the drill itself as it was asked for."""
        return self.file if mark is None or mark.file == self.source else mark.file


def checked(loaded: Loaded, name: str) -> Checked:
    """Hold a plan to all rules; ``name`` is the file as it was asked for."""
    judgement = rules.judge(loaded.drill, rules.check(loaded.drill))
    source = loaded.source
    declared = (
        Declared(source.mark(each.path), path_text(each.path), each.cites, each.text) for each in judgement.declared
    )
    expected = (Expected(source.mark(("expect", index)), each.text) for index, each in enumerate(loaded.drill.expect))

    def found(finding: Finding, reason: str = "") -> Found:
        return Found(problem_of(finding, source), rules.BY_ID[finding.id], reason)

    return Checked(
        name,
        source.file,
        _sorted(found(finding) for finding in (*judgement.errors, *judgement.remarks)),
        _sorted(found(each.finding, each.reason) for each in judgement.waived),
        tuple(sorted(declared, key=lambda each: (each.mark, each.path))),
        loaded.notes,
        expected_verdict=loaded.drill.expected_verdict,
        expectations=tuple(expected),
    )


def unreadable(name: str, source: str, problems: Iterable[Problem]) -> Checked:
    """Return what is to be said of a file that is no drill; all problems are errors."""
    every = (Found(each, rules.BY_ID[each.rule] if each.rule else UNREADABLE) for each in problems)
    return Checked(name, source, _sorted(every), readable=False)


def _sorted(every: Iterable[Found]) -> tuple[Found, ...]:
    return tuple(sorted(every, key=_position))


def _position(found: Found) -> tuple[bool, Mark, str]:
    mark = found.problem.mark
    return mark is None, mark or Mark(""), found.problem.path
