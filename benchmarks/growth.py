"""What an attempt costs as the pair grows, with the same load in proportion to its ports."""

from functools import partial

from benchmarks import truth
from benchmarks.contestants import BARE, ENGINE, FULL, TEXTBOOK, take
from benchmarks.measure import Json, Options, Spread, ratios, table, turn_about
from benchmarks.workload import HOLDING, PORTS, RATE, Workload, draw

SIZES = (99, 999, PORTS)
AIM = 1.5
"""How many times as much an attempt may cost at the largest size as at the smallest."""
SHOWN = (ENGINE, TEXTBOOK, BARE)
SEED = 1


def main(options: Options) -> Json:
    """Time the contestants at every size, turn about, and print what an attempt costs."""
    calls = max(1, options.calls // 2)
    print(
        f"growth: {calls:,} callers at {RATE * HOLDING / PORTS:.0%} of what a node carries, CPU microseconds an attempt"
    )
    loads = {size: draw(Workload(calls, size, RATE * size / PORTS), SEED) for size in SIZES}
    for load in loads.values():
        truth.same({name: FULL[name](load) for name in SHOWN})
    found = turn_about(
        {(name, size): partial(take, FULL[name], loads[size]) for name in SHOWN for size in SIZES}, options.repeats
    )
    costs = {key: [1e6 / each.speed for each in takes] for key, takes in found.items()}
    growths = {name: ratios(costs[name, SIZES[-1]], costs[name, SIZES[0]]) for name in SHOWN}
    rows = [
        (name, *(Spread.of(costs[name, size]).shown(".1f") for size in SIZES), growths[name].shown(".2f"))
        for name in SHOWN
    ]
    print(table(("", *(f"{size:,} ports" for size in SIZES), "growth"), rows))
    met = "met" if growths[ENGINE].median < AIM else "not met"
    print(f"  aim: {ENGINE} below {AIM:g}: {met}")
    return {
        "microseconds_an_attempt": {
            name: {str(size): Spread.of(costs[name, size]).json() for size in SIZES} for name in SHOWN
        },
        "growth": {name: growth.json() for name, growth in growths.items()},
    }
