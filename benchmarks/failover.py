"""Loss with failover: kirikae beside a textbook model, a slim one, a bare loop and two other libraries, on one load."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from benchmarks import truth
from benchmarks.bare import bare
from benchmarks.contestants import (
    BARE,
    CIW,
    ENGINE,
    FULL,
    SALABIM,
    SLIM,
    TEXTBOOK,
    WITH,
    WITHOUT,
    Take,
    present,
    take_run,
    takes,
)
from benchmarks.measure import Json, Options, Spread, ratios, table, turn_about
from benchmarks.workload import HOLDING, Load, Tally, Workload, draw

PEERS_SHARE = 10
"""The other libraries play one caller in so many: otherwise they would take most of the time."""
AIMS = {ENGINE: 5.0, WITHOUT: 5.0, WITH: 2.5}
"""How many times as fast as the textbook model these are meant to be."""
YARDSTICK = 2.0
"""How many times as fast as the slim model the bare loop has to be."""
SEED = 1


def main(options: Options) -> Json:
    """Hold all contestants to the truth, then time them turn about; raises DisagreementError."""
    work = Workload(options.calls)
    print(
        f"failover: {work.calls:,} callers at {work.rate:g}/s, holding {HOLDING:g} s, {work.ports:,} ports a node; the "
        "active node dies halfway, and who was lost or refused dials again"
    )
    peers, missing = present()
    truths = truth.check({**FULL, **peers}, own_draws={CIW} & peers.keys())
    for line in (*missing, *truths["lines"]):
        print(f"  {line}")

    fewer = replace(work, calls=max(1, work.calls // PEERS_SHARE))
    less = draw(fewer, SEED)
    loads = dict.fromkeys(FULL, draw(work, SEED))
    loads |= {SALABIM: less, CIW: draw(replace(fewer, fails=False, redials=False), SEED)}
    runs = {name: partial(take_run, work, SEED, calls=calls) for name, calls in ((WITHOUT, False), (WITH, True))}
    actions: dict[str, Callable[[], Take]] = {**takes(loads, FULL), **runs, **takes(loads, peers)}
    found = turn_about(actions, options.repeats)
    tallies = _agreed(found, less)

    speeds = {name: [take.speed for take in found[name]] for name in (ENGINE, *runs, TEXTBOOK, SLIM, BARE, *peers)}
    yardstick = ratios(speeds[BARE], speeds[SLIM])
    contestants = {
        name: {
            "attempts": tallies[name].attempts,
            "attempts_per_second": Spread.of(each).json(),
            "times_textbook": ratios(each, speeds[TEXTBOOK]).json(),
            "times_bare": ratios(each, speeds[BARE]).json(),
        }
        for name, each in speeds.items()
    }
    _show(speeds, tallies)
    whole = tallies[ENGINE]
    print(f"  {whole.lost:,} calls lost, {whole.blocked:,} attempts refused, the same for all that play the whole")
    met = "a yardstick" if yardstick.median >= YARDSTICK else f"no yardstick: it should be {YARDSTICK:g} at least"
    print(f"  bare loop: {yardstick.shown('.1f')} times the slim model, {met}")
    return {"contestants": contestants, "bare_times_slim": yardstick.json(), "missing": missing, **truths["figures"]}


def _agreed(found: Mapping[str, Sequence[Take]], less: Load) -> dict[str, Tally]:
    """Return what each counted, the same in every round and as the others on that load; raises DisagreementError."""
    tallies = {
        name: truth.same({f"{name}, round {i}": take.tally for i, take in enumerate(rounds)})
        for name, rounds in found.items()
    }
    truth.same({name: tally for name, tally in tallies.items() if name in (*FULL, WITHOUT, WITH)})
    if SALABIM in tallies:
        truth.same({SALABIM: tallies[SALABIM], BARE: bare(less)})
    return tallies


def _show(speeds: Mapping[str, Sequence[float]], tallies: Mapping[str, Tally]) -> None:
    rows = []
    for name, each in speeds.items():
        times = ratios(each, speeds[TEXTBOOK])
        aim = AIMS.get(name)
        verdict = "" if aim is None else f"{aim:g} {'met' if times.median >= aim else 'not met'}"
        rows.append((name, f"{tallies[name].attempts:,}", Spread.of(each).shown(",.0f"), times.shown(".2f"), verdict))
    print(table(("", "attempts", "attempts/s (CPU)", "times textbook", "aim"), rows))
