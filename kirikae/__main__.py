"""`python -m kirikae` is `kirikae`: see to it that the rooms are those installed beside this package, and begin."""

import os
import sys
from importlib.util import find_spec

_ROOMS = ("kirikae", "reports", "sbc", "scenarios", "sim")


def main() -> None:
    """Start the command line."""
    _find_our_own(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    from kirikae import cli  # it imports rooms

    cli.main()


def _find_our_own(home: str) -> None:
    """Look in ``home`` first where a package of the same name would be found before a room of ours.

    The folder that one works in, or PYTHONPATH, may have `scenarios`, `reports` or `sim` of its own.
    """
    if any(_place(room) != os.path.join(home, room) for room in _ROOMS):
        sys.path.insert(0, home)


def _place(package: str) -> str | None:
    spec = find_spec(package)
    return None if spec is None or spec.origin is None else os.path.dirname(os.path.abspath(spec.origin))


if __name__ == "__main__":
    main()
