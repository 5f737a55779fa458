"""The rules about names, as data; :mod:`scenarios.rules.references` finds what breaks them, in one go."""

from scenarios.problems import Finding, Severity
from scenarios.rules.rule import Path, Rule
from scenarios.text import Text

AGENTS = "agents"
"""The actor of a step whom every agent plays for themselves."""
TARGETS = {
    "site": "sites",
    "pair": "pairs",
    "trunk": "trunks",
    "carrier": "carriers",
    "registrar": "sites",
    "office": "offices",
}
"""What the targets of a fault name."""

_WHY = {
    "dangling-reference": "A name that nothing bears leaves a hole in the plan.",
    "duplicate-name": "A name that two parts bear could mean either.",
    "exactly-one": "Some fields exclude each other, and one of them is needed.",
    "not-applicable": "A field without meaning where it stands is a plan misunderstood.",
    "hours-without-start": "Hours and holidays need to know the day.",
    "profile-without-start": "Arrivals by the time of day need to know the time of day.",
}
_CITES = {"dangling-reference": ("G13",), "duplicate-name": ("G13",), "not-applicable": ("J5", "S2")}

UNREADABLE = Rule("unreadable", Severity.ERROR, "What cannot be read cannot be checked, let alone run.", waivable=False)
"""What is wrong with a file or a value in it before there is a plan; :mod:`scenarios.loader` finds it."""
NAMES = (
    UNREADABLE,
    *(Rule(rule, Severity.ERROR, why, waivable=False, cites=_CITES.get(rule, ())) for rule, why in _WHY.items()),
)
"""Rules without which a drill cannot be read, let alone run."""


def name_error(rule: str, path: Path, message: Text, remedy: Text) -> Finding:
    """Return a finding of one of them."""
    return Finding(rule, Severity.ERROR, path, message, remedy)
