"""YAML's complaints in plain words, and characters that look like YAML's own but are not."""

import re
from collections.abc import Container, Iterator

import yaml

from scenarios.problems import Mark, Problem

UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
"""Characters that YAML 1.2 §5.1 does not admit, and the byte order mark inside a text."""

_LOOK_ALIKES = {
    "\u3000": ("a full-width space (U+3000)", "an ordinary space"),
    "\u00a0": ("a no-break space (U+00A0)", "an ordinary space"),
    "：": ("a full-width colon (U+FF1A)", "':' and a space"),
    "，": ("a full-width comma (U+FF0C)", "', '"),
    "、": ("a Japanese comma (U+3001)", "', '"),
    "｛": ("a full-width brace (U+FF5B)", "'{'"),
    "｝": ("a full-width brace (U+FF5D)", "'}'"),
    "［": ("a full-width bracket (U+FF3B)", "'['"),
    "］": ("a full-width bracket (U+FF3D)", "']'"),
    "＃": ("a full-width number sign (U+FF03)", "'#'"),
    "“": ("a curly quote (U+201C)", "'\"'"),
    "”": ("a curly quote (U+201D)", "'\"'"),
    "\t": ("a tab", "spaces"),
}
WIDE_SPACES = "\u3000\u00a0"

# What PyYAML's two parsers say (libyaml's and its own), and what a person can do about it; the first that fits.
_COMPLAINTS = (
    (r"mapping values are not allowed", "': ' cannot stand here; quote what contains it, or check the indentation"),
    (r"character '?\\?t|a tab", "a tab cannot indent; use spaces"),
    (r"cannot start any token", "text cannot begin with this character; put it in quotes"),
    (r"could not find expected ':'", "a field needs ': ' and a value after its name"),
    (r"expected ',' or '\]'", "the list opened at {context} is not closed with ']', or a ',' is missing"),
    (r"expected ',' or '\}'", "the mapping opened at {context} is not closed with '}}', or a ',' is missing"),
    (r"quoted scalar.*(end of stream|document separator)", "the quote opened here is not closed"),
    (r"unknown escape character", "'\\' begins an escape in double quotes; single quotes take text as it is"),
    (r"expected '-' indicator|block collection.*block end", "not an item of the list above; check the indentation"),
    (r"expected key|block end", "this line does not fit those above it; check indentation and quotes"),
    (r"node content", "a value is missing here, or a bracket is closed that was not opened"),
    (r"directive|document start", "a line that begins with '%' is not part of a drill"),
    (r"tag", "tags ('!…') are not read; put text that begins with '!' in quotes"),
    (r"anchor|alias", "after '&' or '*' a name of ASCII letters and digits must follow; put other text in quotes"),
)  # fmt: skip


def explain(error: yaml.YAMLError, text: str, file: str) -> Problem:
    """Return what a syntax error means to the author of the file."""
    problem_mark = getattr(error, "problem_mark", None)
    context_mark = getattr(error, "context_mark", None)
    said = " ".join(str(getattr(error, part, None) or "") for part in ("context", "problem"))
    mark = Mark(file, problem_mark.line + 1, problem_mark.column + 1) if problem_mark else Mark(file)
    context = f"line {context_mark.line + 1}, column {context_mark.column + 1}" if context_mark else "an earlier line"
    lines = text.splitlines()
    if "quoted scalar" in said and context_mark:
        mark = Mark(file, context_mark.line + 1, context_mark.column + 1)
    here = lines[mark.line - 1] if 0 < mark.line <= len(lines) else ""
    if "cannot start any token" in said and here[mark.column - 1 : mark.column] == "\t":
        said = "a tab"
    words = next((plain for pattern, plain in _COMPLAINTS if re.search(pattern, said)), said.strip() or "unreadable")
    # A Japanese comma is ordinary in text; it matters only where YAML missed its own.
    hint = _hint(lines, mark, context_mark, _LOOK_ALIKES if "','" in said else _LOOK_ALIKES.keys() - {"，", "、"})
    return Problem(mark, "", f"not YAML: {words.format(context=context)}{hint}")


def look_alike(text: str) -> str:
    """Return ``; it contains a full-width colon …`` when ``text`` holds a character that looks like YAML's own."""
    found = next((char for char in text if char in _LOOK_ALIKES), None)
    if found is None:
        return ""
    name, instead = _LOOK_ALIKES[found]
    return f"; it contains {name} where YAML reads only {instead}"


def unprintable(text: str, file: str) -> Problem | None:
    """Return the first character that no YAML file may contain."""
    odd = UNPRINTABLE.search(text)
    if odd is None:
        return None
    start = text.rfind("\n", 0, odd.start()) + 1
    mark = Mark(file, text.count("\n", 0, odd.start()) + 1, odd.start() - start + 1)
    return Problem(mark, "", f"the control character U+{ord(odd[0]):04X} cannot stand in a text file")


def _hint(lines: list[str], mark: Mark, context_mark: yaml.error.Mark | None, odd: Container[str]) -> str:
    """Name a look-alike on the line of the error, the one before it, or where the trouble began."""
    for number in _suspects(lines, mark, context_mark):
        code = re.split(r"(?:^|\s)#", lines[number - 1], maxsplit=1)[0]
        for column, char in enumerate(code, 1):
            if char in odd and not (char == "\t" and code[:column].strip()):
                name, instead = _LOOK_ALIKES[char]
                return f"; line {number}, column {column} has {name}: type {instead} instead"
    return ""


def _suspects(lines: list[str], mark: Mark, context_mark: yaml.error.Mark | None) -> Iterator[int]:
    numbers = [mark.line, mark.line - 1, *([context_mark.line + 1] if context_mark else [])]
    return (number for number in numbers if 0 < number <= len(lines))
