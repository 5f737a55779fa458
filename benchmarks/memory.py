"""Whether memory stays flat as a run grows: the peak of a whole `kirikae run`, five times as many callers apart."""

from benchmarks.contestants import WITH, WITHOUT
from benchmarks.measure import Json, Options, table
from benchmarks.whole_run import whole_run
from benchmarks.workload import Workload

TIMES = (4, 20)
"""Sizes, in multiples of the callers asked for: 200,000 and a million by default."""
FLAT = 1.1
"""Growth of the peak that still counts as flat: two runs of one size differ by a few per cent."""
MIB = 1024 * 1024
SEED = 1


def main(options: Options) -> Json:
    """Run both sizes with and without per-call files, and print their peaks."""
    sizes = [times * options.calls for times in TIMES]
    print(f"memory: peak of resident memory of one replication, {' and '.join(f'{size:,}' for size in sizes)} callers")
    peaks = {
        name: [whole_run(Workload(size), SEED, calls=calls)[1].peak for size in sizes]
        for name, calls in ((WITHOUT, False), (WITH, True))
    }
    growths = {name: last / first for name, (first, last) in peaks.items()}
    print(
        table(
            ("", *(f"{size:,} callers" for size in sizes), "growth", "flat"),
            [
                (name, *(f"{peak / MIB:.0f} MiB" for peak in each), f"{growths[name]:.2f}", _flat(growths[name]))
                for name, each in peaks.items()
            ],
        )
    )
    return {"sizes": sizes, "peak_bytes": peaks, "growth": growths}


def _flat(growth: float) -> str:
    return "yes" if growth <= FLAT else "no"
