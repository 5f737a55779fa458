"""Why calls had no success, in words that can be said in other languages."""

from collections.abc import Callable, Mapping
from typing import Final

from scenarios.text import Text

_REASONS: Final[Mapping[str, Text]] = {
    text: text
    for text in (
        Text("050 behind a plain free dial number"),
        Text("caller number not usable"),
        Text("closed"),
        Text("drained"),
        Text("ended by the other side"),
        Text("gave up waiting"),
        Text("no agent free"),
        Text("no common codec"),
        Text("no fixed line for emergency calls"),
        Text("no node in use"),
        Text("no such trunk"),
        Text("nothing answers"),
        Text("nothing in common"),
        Text("number not in service"),
        Text("queue full"),
        Text("refused"),
        Text("restricted by the carrier"),
        Text("routing loop"),
        Text("site lost"),
        Text("site not in service"),
        Text("source not allowed"),
        Text("trunk answers 503"),
        Text("trunk left alone (Retry-After)"),
        Text("trunk lost"),
        Text("wait too long"),
    )
}
"""Those that engines write as they stand."""
_PARTS: Final[Mapping[str, Callable[[str], Text]]] = {
    "lost": lambda part: Text("{part} lost", part=part),
    "resigned": lambda part: Text("{part} resigned", part=part),
    "cps": lambda part: Text("{part} cps", part=part),
}
"""Those that say of a part what became of it, or what of it was at its limit."""


def reason_text(reason: str) -> str:
    """Return why an attempt had no success, as engines write it; what is not known is a name, such as a limit's."""
    known = _REASONS.get(reason)
    if known is not None:
        return known
    part, _, became = reason.rpartition(" ")
    return _PARTS[became](part) if part and became in _PARTS else reason
