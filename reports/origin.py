"""Where a result comes from: the file, what was changed for this run, the software, and how to have it again."""

import platform
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

_PACKAGES = ("kirikae", "numpy", "phonenumbers", "simpy")
"""Software that decides what comes out."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What was asked for on the command line."""

    file: str
    """As given."""
    changes: tuple[str, ...] = ()
    """Each `path=value` of `--set`."""
    precision: tuple[str, ...] = ()
    """Each of `--precision`."""
    drill: Mapping[str, Any] = field(default_factory=dict)
    """What runs depend on of the drill, as plain data; empty where nobody asks."""

    def command(self, engine: str, seed: int, replications: int) -> str:
        """Return the command that gives the same result again."""
        asked = ["--engine", engine, "--seed", str(seed), "--replications", str(replications)]
        changes = [word for change in self.changes for word in ("--set", change)]
        narrow = [word for width in self.precision for word in ("--precision", width)]
        return shlex.join(["kirikae", "run", self.file, *asked, *narrow, *changes])


def software() -> dict[str, str]:
    """Return the versions of the software that decides what comes out."""
    return {**{package: version(package) for package in _PACKAGES}, "python": platform.python_version()}
