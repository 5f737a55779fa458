"""What the live engine takes: calls through a node, calls that the carrier places, phones that come back.

Each part stands beside a peer that does the same on the same machine: Kamailio, SIPp, the `packets` engine. Figures are
of the clock on the wall, as failures are. `python -m benchmarks.live` takes other times and numbers, and profiles.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from benchmarks import passing, placing, returning
from benchmarks.measure import Json, Options

SECONDS: Final = 30.0
"""For which a rate has to be good."""
SHARE: Final = 5
"""The part of the callers asked for that there are phones: 10,000 by default."""
PROFILED: Final = (80.0, 5.0)
"""Calls a second while a program is profiled, which makes it slower, and for how many seconds."""


def main(options: Options) -> Json:
    """Print what the three parts take; return the same."""
    return {
        "node": passing.main(SECONDS),
        "generator": placing.main(SECONDS),
        "phones": returning.main(max(1, options.calls // SHARE)),
    }


def command(arguments: Sequence[str]) -> None:
    """Run one part."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live", description=command.__doc__)
    parser.add_argument("part", choices=["node", "generator", "phones", "profile-node", "profile-generator"])
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for which a rate has to be good (%(default)g)")
    parser.add_argument("--phones", type=int, default=10_000, help="softphones that come back (%(default)s)")
    asked = parser.parse_args(arguments)
    match asked.part:
        case "node":
            passing.main(asked.seconds)
        case "generator":
            placing.main(asked.seconds)
        case "phones":
            returning.main(asked.phones)
        case "profile-node":
            passing.profile(*PROFILED)
        case _:
            placing.profile(*PROFILED)


if __name__ == "__main__":
    command(sys.argv[1:])
