"""Run every benchmark: `make bench`, or `python -m benchmarks NAME…` for some."""

import sys
from collections.abc import Callable

from benchmarks import loss, sip_codec

BENCHMARKS: dict[str, Callable[[], None]] = {"loss": loss.main, "sip_codec": sip_codec.main}


def run(names: list[str]) -> int:
    """Run the named benchmarks, or all; returns 2 for an unknown name."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    for name in names or BENCHMARKS:
        BENCHMARKS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
