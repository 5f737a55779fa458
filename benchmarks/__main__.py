"""Run the benchmarks: `make bench`, or `python -m benchmarks [NAME…] [--calls N] [--repeats R] [--json FILE]`."""

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import (
    coverage,
    executors,
    failover,
    growth,
    live,
    looking,
    memory,
    packets,
    report_page,
    sip_calls,
    sip_codec,
    sip_transactions,
    sizing,
)
from benchmarks.measure import Json, Options
from benchmarks.truth import DisagreementError
from benchmarks.whole_run import RunError

BENCHMARKS: dict[str, Callable[[Options], Json]] = {
    "coverage": coverage.main,
    "executors": executors.main,
    "failover": failover.main,
    "growth": growth.main,
    "live": live.main,
    "looking": looking.main,
    "memory": memory.main,
    "packets": packets.main,
    "report_page": report_page.main,
    "sip_calls": sip_calls.main,
    "sip_codec": sip_codec.main,
    "sip_transactions": sip_transactions.main,
    "sizing": sizing.main,
}
"""What there is to measure: each prints a table and returns the same figures as plain data."""


def main(arguments: Sequence[str]) -> int:
    """Run the named benchmarks, or all; 1 when a contender is wrong or fails, 2 for a wrong command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(BENCHMARKS)}; by default all")
    parser.add_argument("--calls", type=_whole, default=50_000, help="callers of the workload (default %(default)s)")
    parser.add_argument("--repeats", type=_whole, default=3, help="rounds, turn about (default %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="also write the figures there; - is standard output")
    asked = parser.parse_args(arguments)
    if unknown := [name for name in asked.names if name not in BENCHMARKS]:
        parser.error(f"no benchmark {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}")
    options = Options(asked.calls, asked.repeats)
    try:
        with contextlib.redirect_stdout(sys.stderr if asked.json == "-" else sys.stdout):
            figures = {name: BENCHMARKS[name](options) for name in asked.names or BENCHMARKS}
    except (DisagreementError, RunError) as error:
        print(f"not measured: {error}", file=sys.stderr)
        return 1
    if asked.json is not None:
        text = json.dumps({"calls": asked.calls, "repeats": asked.repeats, **figures}, indent=1) + "\n"
        if asked.json == "-":
            sys.stdout.write(text)
        else:
            Path(asked.json).write_text(text, encoding="utf-8")
    return 0


def _whole(text: str) -> int:
    """Read a count of at least one."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 1")
    return int(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
