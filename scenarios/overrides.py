"""`--set path=value`: change one value of a drill, under the same rules as the file itself."""

from collections.abc import Sequence
from typing import NamedTuple

from scenarios.keys import spelled
from scenarios.model_fields import fields_at
from scenarios.problems import DrillError, Mark, Problem, did_you_mean, path_text, show
from scenarios.source import Node, read_value

_SHAPE = "path=value, such as trunks.ntt-tokyo.channels=10 or runbook[press the DR button].takes=3m"
_LABELS = ("name", "step", "finding")
"""Fields by which an item of a list is called."""


class Override(NamedTuple):
    """One `--set`, not yet applied."""

    path: str
    value: str

    @property
    def mark(self) -> Mark:
        """The place its values stand at."""
        return Mark(f"--set {self.path}={self.value}")


def parse_override(text: str) -> Override:
    """Split ``path=value`` at the first '=' outside brackets; raises :class:`DrillError`."""
    depth = 0
    for index, char in enumerate(text):
        depth += (char == "[") - (char == "]")
        if char == "=" and depth <= 0 and text[:index].strip():
            return Override(text[:index].strip(), text[index + 1 :].strip())
    raise DrillError([Problem(Mark(f"--set {text}"), "", "this is not an assignment", show(text), _SHAPE)])


def apply(root: Node, override: Override) -> None:
    """Put the value where the path leads; raises :class:`DrillError` where it leads nowhere."""
    value = read_value(override.value, override.mark)
    node, path = _led(root, override.path, override.mark)
    _put(node, path[-1], value, override.mark)


def place_of(root: Node, path: str, mark: Mark) -> tuple[str | int, ...]:
    """Return where a path leads, as keys and indexes from the top; raises :class:`DrillError` where it leads nowhere.

    Parts on the way that the file left out but the language has are made.
    """
    return tuple(_led(root, path, mark)[1])


def _led(root: Node, rest: str, mark: Mark) -> tuple[Node, list[str | int]]:
    """Return the part that a path leads into, and the path."""
    node, path = root, list[str | int]()
    while True:
        part, rest = _next_part(node, rest, path, mark)
        if not rest:
            return node, [*path, part]
        node = _inner(node, part, path, mark)
        path.append(part)


def _next_part(node: Node, rest: str, path: Sequence[str | int], mark: Mark) -> tuple[str | int, str]:
    """Take the next key or index off the path; a key may hold dots, and the longest that exists is meant."""
    if isinstance(node.value, list):
        label, rest = _label(rest, mark)
        return _index(node.value, label, path, mark), rest
    if not isinstance(node.value, dict):
        message = f"{path_text(path)} is {show(node.plain())} and has no fields; set it as a whole"
        raise DrillError([Problem(mark, path_text(path), message)])
    if rest.startswith("["):
        label, rest = _label(rest, mark)
        return _key(node.value, label, path), rest
    stops = [index for index, char in enumerate(rest) if char in ".["] + [len(rest)]
    for stop in reversed(stops):
        key = _key(node.value, rest[:stop], path)
        if key in node.value:
            return key, rest[stop:].removeprefix(".")
    return _key(node.value, rest[: stops[0]], path), rest[stops[0] :].removeprefix(".")


def _label(rest: str, mark: Mark) -> tuple[str, str]:
    """Take ``[label]`` off the path."""
    label, closed, rest = rest.removeprefix("[").partition("]")
    if not closed:
        raise DrillError([Problem(mark, "", "an item of a list is named in brackets, as faults[0]", allowed=_SHAPE)])
    return label.strip(), rest.removeprefix(".")


def _key(mapping: dict[str, Node], text: str, path: Sequence[str | int]) -> str:
    """Return the key that is meant, in the drill's own spelling."""
    return text.strip() if text.strip() in mapping else spelled(path, text)


def _index(items: list[Node], label: str, path: Sequence[str | int], mark: Mark) -> int:
    """Return the index of the item that a label names, by position or by its name."""
    if label.isascii() and label.isdigit() and len(label) < 10:
        if int(label) < len(items):
            return int(label)
        allowed = f"0 to {len(items) - 1}" if items else "none: the list is empty"
        raise DrillError([Problem(mark, path_text(path), "there is no such item", label, allowed)])
    names = {str(found.value): index for index, item in enumerate(items) for found in map(item.child, _LABELS) if found}
    if label not in names:
        message = f"no item is called {label!r}{did_you_mean(label, names)}"
        raise DrillError([Problem(mark, path_text(path), message, allowed=", ".join(names) or "a position from 0")])
    return names[label]


def _inner(node: Node, part: str | int, path: Sequence[str | int], mark: Mark) -> Node:
    """Return the part on the way, making one that the file left out but the language has."""
    found = node.child(part)
    if found is not None and found.value is not None:
        return found
    fields = fields_at(path)
    if not isinstance(node.value, dict) or part not in fields:
        known = list(dict.fromkeys([*(node.value if isinstance(node.value, dict) else ()), *fields]))
        message = f"there is no {part!r} here{did_you_mean(str(part), known)}"
        raise DrillError([Problem(mark, path_text([*path, part]), message, allowed=", ".join(known))])
    made = Node({}, mark, mark)
    node.value[str(part)] = made
    return made


def _put(node: Node, part: str | int, value: Node, mark: Mark) -> None:
    if isinstance(node.value, list) and isinstance(part, int):
        node.value[part] = value
    elif isinstance(node.value, dict):
        value.key = mark
        node.value[str(part)] = value
