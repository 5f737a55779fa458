"""A drill's file as a tree of values that know where they stand: safe YAML without its traps.

Scalars follow a narrowed YAML 1.2 core schema: `null` and `~`, `true` and `false`, and decimal numbers that read back
as they were written. Everything else stays the text of the source: `0120123456`, `1:30` and `on` mean what they say.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import yaml

from scenarios.problems import DrillError, Mark, Problem, did_you_mean, path_text, show
from scenarios.syntax import WIDE_SPACES, explain, look_alike, unprintable

MAX_DEPTH = 40
"""Deepest nesting of mappings and lists."""
MAX_NODES = 100_000
"""Most values in a file, aliases written out."""
_SHOWN_DEPTH = 8

_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LONGEST_NUMBER = 32
_NULLS = ("", "~", "null")
_BOOLEANS = {"true": True, "false": False}
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_FLOAT = re.compile(r"-?[0-9]{1,15}\.[0-9]{1,15}")

Scalar = str | int | float | bool | None
Path = tuple[str | int, ...]


@dataclass(slots=True, eq=False)
class Node:
    """One value of the tree."""

    value: "Scalar | dict[str, Node] | list[Node]"
    mark: Mark
    key: Mark | None = None
    """Where the key stands that leads to it, if one does."""

    @property
    def place(self) -> Mark:
        """Where a person looks for it: a scalar where it stands, a mapping or list at the key that leads to it."""
        return self.named_at if isinstance(self.value, dict | list) else self.mark

    @property
    def named_at(self) -> Mark:
        """Where the key stands that leads to it, or itself if none does."""
        return self.key or self.mark

    def child(self, part: str | int) -> "Node | None":
        """Return the value under a key or index, or None."""
        match self.value, part:
            case dict() as mapping, str():
                found: Node | None = mapping.get(part)
            case list() as items, int() if 0 <= part < len(items):
                found = items[part]
            case _:
                found = None
        return found

    def has(self, *path: str | int) -> bool:
        """Tell whether something stands at a path."""
        node: Node | None = self
        for part in path:
            node = node.child(part) if node else None
        return node is not None

    def plain(self) -> object:
        """Return the value as plain dicts, lists and scalars."""
        match self.value:
            case dict() as mapping:
                return {key: child.plain() for key, child in mapping.items()}
            case list() as items:
                return [item.plain() for item in items]
            case scalar:
                return scalar

    def copied(self, key: Mark | None) -> "Node":
        """Return a copy of the whole branch to stand under another key."""
        match self.value:
            case dict() as mapping:
                return Node({name: child.copied(child.key) for name, child in mapping.items()}, self.mark, key)
            case list() as items:
                return Node([item.copied(None) for item in items], self.mark, key)
            case scalar:
                return Node(scalar, self.mark, key)

    def branches(self) -> Iterator["Node"]:
        """Iterate over the children."""
        if isinstance(self.value, dict):
            yield from self.value.values()
        elif isinstance(self.value, list):
            yield from self.value


@dataclass(frozen=True, slots=True)
class Source:
    """Where everything in a drill stands."""

    file: str
    root: Node
    problems: tuple[Problem, ...] = ()
    """What was wrong but left a tree, such as a key that stands twice."""
    faulty: frozenset[Path] = frozenset()
    """Paths of the values those problems are about."""

    def node(self, path: Sequence[str | int]) -> Node:
        """Return the value at a path, or the last one on the way that exists."""
        node = self.root
        for part in path:
            child = node.child(part)
            if child is None:
                break
            node = child
        return node

    def mark(self, path: Sequence[str | int]) -> Mark:
        """Return where the field at a path stands, or the innermost part around it that does."""
        return self.node(path).place


def read_source(text: str, file: str) -> Source:
    """Return the tree of one YAML document with a mapping at its top; raises :class:`DrillError`."""
    odd = unprintable(text, file)
    if odd is not None:
        raise DrillError([odd])
    builder = _Builder(file)
    root = builder.read(text)
    if builder.misplaced:
        raise DrillError([*builder.misplaced, *builder.problems])
    if root is None or root.value is None:
        raise DrillError(
            [Problem(Mark(file), "", "the file is empty", allowed="a drill, which begins with 'kirikae: 1'")]
        )
    if not isinstance(root.value, dict):
        hint = look_alike(root.value) if isinstance(root.value, str) else ""
        allowed = "fields such as 'kirikae: 1' and 'name: …'"
        raise DrillError([Problem(root.mark, "", f"the file is not a drill{hint}", show(root.plain()), allowed)])
    return Source(file, root, tuple(builder.problems), frozenset(builder.faulty))


def read_value(text: str, mark: Mark) -> Node:
    """Return one YAML value, such as the right side of `--set`, every part of it standing at ``mark``."""
    odd = unprintable(text, mark.file)
    if odd is not None:
        raise DrillError([Problem(mark, "", odd.message)])
    builder = _Builder(mark.file, everywhere=mark)
    root = builder.read(text)
    if builder.problems or builder.misplaced:
        raise DrillError([*builder.problems, *builder.misplaced])
    return root or Node(None, mark)


def resolve(text: str) -> Scalar:
    """Return what unquoted text means; a number only where its text reads back the same, full-width or not."""
    text = text.strip(WIDE_SPACES)
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    folded = text if text.isascii() or len(text) > _LONGEST_NUMBER else unicodedata.normalize("NFKC", text)
    for pattern, number in ((_INTEGER, int), (_FLOAT, float)):
        if pattern.fullmatch(folded) and str(number(folded)) == folded:
            return number(folded)
    return text


@dataclass(slots=True)
class _Open:
    """A mapping or list whose end has not come."""

    node: Node
    flow: bool
    anchor: str | None
    part: str | int = 0
    """The key or index of the value that comes next."""
    key: Mark | None = None
    """Where that key stands; None while a mapping waits for a key."""
    seen: dict[str, Mark] = field(default_factory=dict)
    """Keys so far, width and composition folded."""

    @property
    def wants_key(self) -> bool:
        """Whether a mapping's next value is the name of a field."""
        return isinstance(self.node.value, dict) and self.key is None


class _Builder:
    """Builds the tree from parser events on a stack of its own, so that depth and size are bounded while reading."""

    def __init__(self, file: str, everywhere: Mark | None = None) -> None:
        self.file = file
        self.everywhere = everywhere
        self.problems: list[Problem] = []
        self.misplaced: list[Problem] = []
        self.faulty: set[Path] = set()
        self.root: Node | None = None
        self.stack: list[_Open] = []
        self.anchors: dict[str, Node | None] = {}
        self.nodes = 0
        self.documents = 0

    def read(self, text: str) -> Node | None:
        """Return the document's root, or None for an empty stream; raises :class:`DrillError`."""
        try:
            for event in yaml.parse(text, Loader=_LOADER):
                self._take(event)
        except yaml.YAMLError as error:
            # What is misplaced came first and explains the rest.
            problem = explain(error, text, self.file)
            here = self.misplaced or [replace(problem, mark=self.everywhere or problem.mark)]
            raise DrillError([*here, *self.problems]) from None
        return self.root

    def _take(self, event: yaml.Event) -> None:
        match event:
            case yaml.DocumentStartEvent():
                self.documents += 1
                if self.documents > 1:
                    raise self._fatal(event, "a second document begins here ('---')", "one drill in a file")
            case yaml.AliasEvent():
                self._add(self._alias(event))
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._open(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._close()

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        self._count(event, 1)
        top = self.stack[-1] if self.stack else None
        if top and top.wants_key:
            self._key(event, top)
            return
        plain = not event.style and event.tag is None
        node = Node(resolve(event.value) if plain else event.value, self._mark(event))
        self._refuse_tag(event)
        self._anchored(event.anchor, node)
        self._add(node)

    def _key(self, event: yaml.ScalarEvent, top: _Open) -> None:
        """Take the next key of the innermost mapping."""
        text, mark = event.value, self._mark(event)
        top.part, top.key = text.strip(WIDE_SPACES), mark
        self._refuse_tag(event)
        self._anchored(event.anchor, Node(text, mark))
        if not event.style:
            self._refuse_odd_key(text, mark, top)
        folded = unicodedata.normalize("NFKC", top.part)
        if folded in top.seen:
            first = top.seen[folded]
            where = f"line {first.line}, column {first.column}" if first.line else str(first)
            self._report(f"{top.part!r} stands twice; the first is at {where}", "each name once")
        else:
            top.seen[folded] = mark

    def _refuse_odd_key(self, text: str, mark: Mark, top: _Open) -> None:
        """Note an unquoted key that shows a slip of the keyboard, or YAML that a drill does not have."""
        if text[:1] and text[:1] in WIDE_SPACES and not top.flow:
            name = "a full-width space (U+3000)" if text[0] == "\u3000" else "a no-break space (U+00A0)"
            self.misplaced.append(Problem(mark, "", f"the line is indented with {name}; use ordinary spaces"))
        elif "：" in text or ":\u3000" in text:
            self.misplaced.append(Problem(mark, "", f"{show(text)} is not a field name{look_alike(text)}"))
        elif text == "<<":
            self._report("merge keys ('<<') are not read", "the fields themselves, or '*name' for a whole value")

    def _open(self, event: yaml.CollectionStartEvent) -> None:
        self._count(event, 1)
        if len(self.stack) >= MAX_DEPTH:
            raise self._fatal(event, "nested too deeply", f"at most {MAX_DEPTH} levels")
        mapping = isinstance(event, yaml.MappingStartEvent)
        if self.stack and self.stack[-1].wants_key:
            raise self._fatal(event, "a list or mapping cannot be a field name", "text before the ':'")
        self._refuse_tag(event)
        node = Node({} if mapping else [], self._mark(event))
        if event.anchor:
            self.anchors[event.anchor] = None
        self.stack.append(_Open(node, bool(event.flow_style), event.anchor))

    def _close(self) -> None:
        done = self.stack.pop()
        self._anchored(done.anchor, done.node)
        self._add(done.node)

    def _alias(self, event: yaml.AliasEvent) -> Node:
        """Return a copy of what an alias stands for."""
        name = str(event.anchor)
        if name not in self.anchors:
            hint = did_you_mean(name, self.anchors)
            raise self._fatal(event, f"nothing above is anchored as '&{name}'{hint}", "quotes around it, if it is text")
        node = self.anchors[name]
        if node is None:
            raise self._fatal(event, f"'*{name}' stands inside what it repeats", "an alias of something finished")
        if self.stack and self.stack[-1].wants_key:
            raise self._fatal(event, "an alias cannot be a field name", "the name itself")
        size, height = _extent(node)
        self._count(event, size)
        if len(self.stack) + height > MAX_DEPTH:
            raise self._fatal(event, "nested too deeply", f"at most {MAX_DEPTH} levels")
        return node.copied(None)

    def _anchored(self, anchor: str | None, node: Node) -> None:
        if anchor:
            self.anchors[anchor] = node

    def _add(self, node: Node) -> None:
        """Put a finished value where it belongs."""
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        if isinstance(top.node.value, dict):
            node.key, top.key = top.key, None
            top.node.value.setdefault(str(top.part), node)
        elif isinstance(top.node.value, list):
            top.node.value.append(node)
            top.part = len(top.node.value)

    def _refuse_tag(self, event: yaml.NodeEvent) -> None:
        tag = getattr(event, "tag", None)
        if tag is not None:
            text = tag.replace("tag:yaml.org,2002:", "!!")
            self._report(f"the tag {show(text)} is not read: nothing in a drill is evaluated", "plain values", event)

    def _report(self, message: str, allowed: str, event: yaml.Event | None = None) -> None:
        """Note what is wrong with the value that comes next."""
        path = self._path()
        mark = self._mark(event) if event else self.stack[-1].key
        self.faulty.add(path)
        self.problems.append(Problem(mark, path_text(path), message, allowed=allowed))

    def _count(self, event: yaml.Event, more: int) -> None:
        self.nodes += more
        if self.nodes > MAX_NODES:
            raise self._fatal(event, "too many values, counting what aliases repeat", f"at most {MAX_NODES}")

    def _fatal(self, event: yaml.Event, message: str, allowed: str) -> DrillError:
        path = self._path()
        shown = path_text(path[:_SHOWN_DEPTH]) + ("…" if len(path) > _SHOWN_DEPTH else "")
        return DrillError(
            [Problem(self._mark(event), shown, message, allowed=allowed), *self.misplaced, *self.problems]
        )

    def _path(self) -> Path:
        """Return the path of the value that comes next."""
        return tuple(frame.part for frame in self.stack if not frame.wants_key)

    def _mark(self, event: yaml.Event) -> Mark:
        if self.everywhere or event.start_mark is None:
            return self.everywhere or Mark(self.file)
        return Mark(self.file, event.start_mark.line + 1, event.start_mark.column + 1)


def _extent(node: Node) -> tuple[int, int]:
    """Return the number of values in a branch and its height."""
    size, height, level = 1, 0, [node]
    while level := [child for parent in level for child in parent.branches()]:
        size, height = size + len(level), height + 1
    return size, height
