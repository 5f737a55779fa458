"""Numbers and agents from CSV files beside the drill, as offices keep them: Excel's CSV, in CP932 or UTF-8.

`numbers: {csv: numbers.csv}` has one row for each number; `agents: {csv: agents.csv, sales: {…}}` one for each agent,
from which their group gets its count.
"""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from scenarios.encoding import read_text
from scenarios.keys import enter, spelled
from scenarios.paths import is_file
from scenarios.problems import DrillError, Mark, Problem, did_you_mean, fold, show
from scenarios.rows import rows
from scenarios.source import Node

MAX_ROWS = 50_000
"""Most rows of a ledger."""
MOST_PROBLEMS = 100
"""Unknown groups that are explained; nobody reads more before correcting these."""

_HEADERS = {
    "numbers": {
        "number": ("number", "番号", "電話番号"),
        "to": ("to", "転送先", "着信先"),
        "trunk": ("trunk", "トランク", "回線"),
        "queue": ("queue", "キュー", "待ち呼"),
        "tap": ("tap", "上限", "同時通話数"),
    },
    "agents": {"group": ("group", "グループ", "所属")},
}
"""The fields of each ledger, and what their columns may be called."""
SECTIONS = tuple(_HEADERS)

_ZERO_LOST = re.compile(r"[1-9][0-9]{8,9}")
_SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?e\+[0-9]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Row:
    """The cells of one line by field; empty ones are left out."""

    mark: Mark
    cells: dict[str, Node]


def expand(root: Node, base: Path | None) -> tuple[list[Problem], list[str]]:
    """Replace each `csv:` of the tree by the rows of its file beside ``base``; return problems and notes."""
    problems: list[Problem] = []
    notes: list[str] = []
    for section, put in (("numbers", _put_numbers), ("agents", _put_agents)):
        node = root.child(section)
        named = node.child("csv") if node else None
        if node is None or named is None or not isinstance(node.value, dict):
            continue
        del node.value["csv"]
        try:
            ledger = _Ledger(section, named, base, notes)
            problems += put(node.value, ledger.read())
            problems += ledger.problems
        except DrillError as error:
            problems += error.problems
    return problems, notes


class _Ledger:
    """One CSV file, read."""

    def __init__(self, section: str, named: Node, base: Path | None, notes: list[str]) -> None:
        self.section = section
        self.problems: list[Problem] = []
        self.name, path = _beside(section, named, base)
        decoded = read_text(path, self.name)
        notes += decoded.notes
        self.text = decoded.text

    def read(self) -> list[_Row]:
        """Return the rows below the header; raises :class:`DrillError` when the header cannot be understood."""
        lines = rows(self.text, self.name, self.section)
        header = next(lines, None)
        if header is None:
            raise DrillError(
                [Problem(Mark(self.name), self.section, "the file is empty", allowed=self._header_example())]
            )
        fields = self._fields(*header)
        kept: list[_Row] = []
        for mark, cells, columns in lines:
            if len(kept) >= MAX_ROWS:
                raise DrillError([Problem(mark, self.section, "too many rows", allowed=f"at most {MAX_ROWS}")])
            if len(cells) > len(fields):
                extra = Mark(mark.file, mark.line, columns[len(fields)])
                self._problem(extra, "more cells than the header has columns", cells[len(fields)], None)
            found = {
                field: Node(text.strip(), Mark(mark.file, mark.line, column))
                for field, text, column in zip(fields, cells, columns, strict=False)
                if field is not None and text.strip()
            }
            kept.append(_Row(mark, found))
        return [row for row in kept if self._keyed(row)]

    def _fields(self, mark: Mark, cells: list[str], columns: list[int]) -> list[str | None]:
        """Return the field of each column; a ledger of agents may have others."""
        known = {fold(name): field for field, names in _HEADERS[self.section].items() for name in names}
        fields: list[str | None] = []
        for text, column in zip(cells, columns, strict=True):
            field = known.get(fold(text.strip()))
            here = Mark(mark.file, mark.line, column)
            if field is not None and field in fields:
                self._problem(here, f"two columns mean {field!r}", text, "one")
                field = None
            elif field is None and self.section == "numbers" and text.strip():
                hint = did_you_mean(text.strip(), known)
                self._problem(here, f"unknown column {text.strip()!r}{hint}", None, self._header_example())
            fields.append(field)
        key = next(iter(_HEADERS[self.section]))
        if key not in fields:
            self._problem(
                mark,
                f"no column {key!r}: the first line must name the columns",
                ",".join(cells),
                self._header_example(),
            )
            raise DrillError(self.problems)
        return fields

    def _keyed(self, row: _Row) -> bool:
        """Tell whether a row says whom or what it is about; read number columns as Excel may have left them."""
        key = next(iter(_HEADERS[self.section]))
        if key not in row.cells:
            self._problem(row.mark, f"the cell {key!r} of this row is empty", None, None)
        for field in ("number", "to"):
            cell = row.cells.get(field)
            if cell is not None and (reason := _spoilt(str(cell.value))):
                self._problem(cell.mark, reason, str(cell.value), "cells formatted as text before numbers are typed in")
                del row.cells[field]
        return key in row.cells

    def _header_example(self) -> str:
        english, japanese = (",".join(names[index] for names in _HEADERS[self.section].values()) for index in (0, 1))
        return f"columns {english} or {japanese}"

    def _problem(self, mark: Mark, message: str, found: str | None, allowed: str | None) -> None:
        self.problems.append(Problem(mark, self.section, message, show(found) if found else None, allowed))


def _spoilt(text: str) -> str | None:
    """Name what a spreadsheet did to a phone number, if it did."""
    digits = unicodedata.normalize("NFKC", text)
    if _ZERO_LOST.fullmatch(digits):
        return f"a spreadsheet has removed the leading zero; it was probably 0{digits}"
    if _SCIENTIFIC.fullmatch(digits):
        return "a spreadsheet has rounded the number; its digits are lost"
    return None


def _beside(section: str, named: Node, base: Path | None) -> tuple[str, Path]:
    """Return the ledger's name for messages and its path; raises :class:`DrillError`."""
    allowed = "the name of a CSV file beside the drill, such as numbers.csv"
    path = f"{section}.csv"
    if not isinstance(named.value, str):
        raise DrillError([Problem(named.mark, path, "not a file name", show(named.plain()), allowed)])
    if base is None:
        raise DrillError([Problem(named.mark, path, "a drill that is not a file has no files beside it")])
    relative = PurePosixPath(named.value)
    outside = relative.is_absolute() or ".." in relative.parts or PureWindowsPath(named.value).drive
    if outside or "\0" in named.value:
        raise DrillError([Problem(named.mark, path, "the file is not beside the drill", show(named.value), allowed)])
    target = base / relative
    if not is_file(target):
        beside = sorted(other.name for other in base.glob("*.csv"))
        message = f"no such file beside the drill{did_you_mean(named.value, beside)}"
        raise DrillError([Problem(named.mark, path, message, show(named.value), ", ".join(beside) or allowed)])
    if not target.resolve().is_relative_to(base.resolve()):
        raise DrillError([Problem(named.mark, path, "the file is not beside the drill", show(named.value), allowed)])
    return str(target), target


def _put_numbers(numbers: dict[str, Node], rows: list[_Row]) -> list[Problem]:
    """Add a number for each row."""
    problems: list[Problem] = []
    for row in rows:
        number = row.cells.pop("number")
        problems += enter(numbers, "numbers", str(number.value), Node(dict(row.cells), row.mark, number.mark))
    return problems


def _put_agents(groups: dict[str, Node], rows: list[_Row]) -> list[Problem]:
    """Count the rows of each group into it."""
    problems: list[Problem] = []
    members: dict[str, list[Node]] = {}
    for row in rows:
        group = row.cells["group"]
        members.setdefault(spelled(("agents",), str(group.value)), []).append(group)
    for name, agents in members.items():
        if len(problems) >= MOST_PROBLEMS:
            break
        found = groups.get(name)
        if found is None:
            hint = did_you_mean(name, groups)
            message = f"the drill has no group of agents called {name!r}{hint}"
            problems.append(Problem(agents[0].mark, "agents", message, allowed=", ".join(groups) or "agents: {…}"))
        elif isinstance(found.value, dict) and (stated := found.child("count")):
            message = f"the count is stated here and by {len(agents)} rows of {agents[0].mark.file}"
            problems.append(Problem(stated.named_at, f"agents.{name}.count", message, allowed="one of them"))
        elif isinstance(found.value, dict):
            found.value["count"] = Node(len(agents), agents[0].mark)
    return problems
