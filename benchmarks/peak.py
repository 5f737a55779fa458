"""Run a command and print what it cost; ``python -m benchmarks.peak COMMAND…``.

On Linux the peak of a program begins at that of the process that started it. So the one that measures has to be a
process of its own, and small: this module imports nothing else of ours.
"""

import json
import resource
import subprocess
import sys


def main(command: list[str]) -> int:
    """Run ``command`` with its standard output thrown away; print seconds of processor time, bytes and exit code."""
    code = subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(json.dumps({"seconds": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss * 1024, "code": code}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
