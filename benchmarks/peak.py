"""Run a command and print its seconds, peak of resident memory and exit code: ``python -m benchmarks.peak COMMAND…``.

On Linux the peak of a program begins at that of the process that started it. So the one that measures has to be a
process of its own, and small: this module imports nothing else of ours.
"""

import json
import resource
import subprocess
import sys
import time


def main(command: list[str]) -> int:
    """Run ``command`` with its standard output thrown away."""
    began = time.perf_counter()
    code = subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "peak": peak, "code": code}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
