"""Names and numbers as keys: one spelling for each, so that two spellings of one number cannot stand side by side."""

import unicodedata
from collections.abc import Sequence

from scenarios.numberplan import NumberError, canonical
from scenarios.problems import Problem, path_text
from scenarios.source import Node

NAMED = (
    "sites", "sbc_pairs", "trunks", "numbers", "queues", "offices", "agents", "calendars", "consoles", "actors",
    "targets",
)  # fmt: skip
"""Sections whose keys are names the author gives."""


def spelled(section: Sequence[str | int], text: str) -> str:
    """Return a key of a section in the drill's own spelling; text that is no number stays for validation to refuse."""
    text = unicodedata.normalize("NFKC", text).strip()
    if tuple(section) != ("numbers",):
        return text
    try:
        return canonical(text)
    except NumberError:
        return text


def respell(root: Node) -> list[Problem]:
    """Bring the keys of all named sections to one spelling; return a problem for each that then stands twice."""
    problems: list[Problem] = []
    for section in NAMED:
        node = root.child(section)
        if node is None or not isinstance(node.value, dict):
            continue
        entries, node.value = node.value, {}
        for text, entry in entries.items():
            if entry.value is None:
                entry.value = {}  # `tokyo:` alone is a part that takes every default
            problems += enter(node.value, section, text, entry)
    return problems


def enter(entries: dict[str, Node], section: str, text: str, entry: Node) -> list[Problem]:
    """Put an entry under its key; return the problem that it is there already."""
    key = spelled((section,), text)
    first = entries.setdefault(key, entry)
    if first is entry:
        return []
    message = f"{text!r} stands twice; the first is at {first.named_at}"
    return [Problem(entry.named_at, path_text((section, key)), message, allowed="each name once")]
