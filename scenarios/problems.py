"""What is wrong with a file, said so that a person can act on it: where, what was found, what is allowed."""

import bisect
import difflib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from scenarios.text import Text

_SHOWN = 60
"""Characters of a found value that a message shows."""
_COMPARED = 60
"""Names that a misspelt one is compared with."""
_BEGINNING = 3
"""Characters from which on the beginning of a name stands for it."""


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in a file; lines and columns count from 1, and 0 means the file or option as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong."""

    mark: Mark | None
    path: str
    """The field, as ``trunks.ntt-tokyo.channels``; empty when it is about the file."""
    message: str
    found: str | None = None
    allowed: str | None = None
    rule: str | None = None
    """The id of the plan check that it breaks, if there was a plan to check."""

    def __str__(self) -> str:
        where = [str(part) for part in (self.mark, self.path) if part]
        sides = [f"{word} {text}" for word, text in (("found", self.found), ("allowed", self.allowed)) if text]
        line = ": ".join([*where, self.message]) + (f" ({'; '.join(sides)})" if sides else "")
        return " ".join(line.splitlines())


class DrillError(Exception):
    """A drill that cannot be used; :attr:`problems` holds everything that is wrong, in order of position."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(dict.fromkeys(problems), key=_position))
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


def _position(problem: Problem) -> tuple[bool, Mark, str]:
    return problem.mark is None, problem.mark or Mark(""), problem.path


class Severity(StrEnum):
    """How much a finding matters; an unwaived error keeps a drill from running."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says about a plan: a function of the :class:`~scenarios.model.Drill` alone."""

    id: str
    severity: Severity
    path: tuple[str | int, ...]
    """Keys and list indexes from the top of the drill; its last part may be a field that is missing."""
    message: str
    """What is so, citing the rule, and did-you-mean."""
    remedy: str
    """What would put it right."""


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` for the likeliest candidate, or nothing."""
    near = nearest(word, candidates)
    return Text("; did you mean {name!r}?", name=near) if near else ""


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate most like ``word``, if one is much like it; width and case do not matter."""
    folded = {fold(candidate): str(candidate) for candidate in candidates}
    sought = fold(word[:_SHOWN])
    likely = list(folded) if len(folded) <= _COMPARED else _neighbours(sought, folded)
    near = difflib.get_close_matches(sought, likely, n=1)
    if not near and len(sought) >= _BEGINNING:
        longer = [each for each in folded if each.startswith(sought)]
        near = longer if len(longer) == 1 else []
    return folded[near[0]] if near else None


def _neighbours(word: str, others: Iterable[str]) -> list[str]:
    """Return those of very many words that begin or end most like ``word``; comparing with all takes seconds."""
    found: list[str] = []
    for step in (1, -1):
        ordered = sorted(other[::step] for other in others)
        place = bisect.bisect(ordered, word[::step])
        near = ordered[max(0, place - _COMPARED // 4) : place + _COMPARED // 4]
        found += [other[::step] for other in near]
    return found


def fold(text: str) -> str:
    """Return ``text`` without differences of width and case (NFKC, case folding)."""
    return unicodedata.normalize("NFKC", text).casefold()


def show(value: object) -> str:
    """Return a found value as one short line."""
    match value:
        case dict():
            text = f"fields {', '.join(map(str, value))}" if value else "an empty mapping"
        case list():
            text = f"a list of {len(value)}" if value else "an empty list"
        case None:
            text = "nothing"
        case bool():
            text = str(value).lower()
        case str():
            text = repr(value[: _SHOWN + 1])
        case _:
            text = str(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def path_text(path: Sequence[str | int]) -> str:
    """Return a path as people write it: ``faults[0].at``, ``trunks[ntt.tokyo].via``."""
    text = ""
    for part in path:
        if isinstance(part, int) or not part or any(char in part for char in ".[] ="):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text
