"""The systems a plan can be for: `system: biztel-3.9` names one and its version, which decide the rules that count."""

import re
from typing import NamedTuple, Self

from scenarios.model import Drill

Version = tuple[int, ...]
"""``(3, 9)`` for 3.9; compared part by part."""

SYSTEMS = {
    "biztel": "BIZTEL DR service",
    "cxone-ports": "NICE CXone Self-Service Port Management",
}
"""Systems with rules of their own, by the name that `system:` begins with."""
FOLLOWING = {
    "cxone-bcp": "NICE CXone Business Continuity Plan",
    "webex-cc": "Cisco Webex Contact Center",
    "genesys-cloud": "Genesys Cloud, formerly PureCloud",
}
"""Systems that a plan may name, which only the general rules know so far."""
_WRITTEN = re.compile(r"(?P<name>.*?)(?:-v?(?P<version>\d+(?:\.\d+){0,3}))?", re.IGNORECASE)


class System(NamedTuple):
    """A system as a plan names it."""

    name: str
    """One of :data:`SYSTEMS`, or what the plan says if that is none of them."""
    version: Version | None = None
    """None where the plan does not say, which is taken for the newest."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``biztel-3.9``, ``BIZTEL`` or ``cxone-ports``."""
        found = _WRITTEN.fullmatch(text.strip())
        assert found is not None  # noqa: S101  # the pattern takes any line
        version = found["version"]
        return cls(found["name"].casefold(), tuple(map(int, version.split("."))) if version else None)

    @classmethod
    def of(cls, drill: Drill) -> Self | None:
        """Return the system of a drill, or None for a plan that names none."""
        return cls.parse(drill.system) if drill.system is not None else None

    @property
    def known(self) -> bool:
        """Whether there are rules about it."""
        return self.name in SYSTEMS

    def is_at_least(self, version: Version) -> bool:
        """Whether it is of a version, or a later one."""
        return self.version is None or _padded(self.version) >= _padded(version)


def _padded(version: Version) -> Version:
    return (*version, *(0,) * (4 - len(version)))


def version_text(version: Version) -> str:
    """Return a version as people write it: ``3.6.10``."""
    return ".".join(map(str, version))
