"""The lines of a CSV file (RFC 4180) with the place of every cell, so that what is wrong can be shown there."""

import csv
import io
import re
from collections.abc import Iterator
from functools import cache

from scenarios.problems import DrillError, Mark, Problem

_LINE_END = re.compile(r"\r\n|\r|\n")


def rows(text: str, name: str, section: str, delimiter: str = ",") -> Iterator[tuple[Mark, list[str], list[int]]]:
    """Iterate over lines that are not blank: their place, their cells, and the column where each cell begins.

    ``name`` is that of the file, ``section`` the part of the drill that it is for. Raises :class:`DrillError` where the
    text is not CSV.
    """
    physical = _LINE_END.split(text)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                starts = [match.start() + 1 for match in _cell(delimiter).finditer(physical[line - 1])]
                columns = (starts + [1] * len(cells))[: len(cells)]
                yield Mark(name, line, 1), cells, columns
            line = reader.line_num + 1
    except csv.Error as error:
        raise DrillError([Problem(Mark(name, line, 1), section, f"not CSV: {error}")]) from None


@cache
def _cell(delimiter: str) -> re.Pattern[str]:
    end = re.escape(delimiter)
    return re.compile(rf'(?:"(?:[^"]|"")*+"|[^{end}]*)(?:{end}|$)')
