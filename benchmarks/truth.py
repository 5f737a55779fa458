"""Whether contenders are right, which comes before how fast they are."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from benchmarks.bare import bare
from benchmarks.measure import Json
from benchmarks.workload import HOLDING, Contender, Tally, Workload, draw
from reports.statistics import mean_interval
from scenarios.theory.erlang import erlang_b

CONFIDENCE = 0.99
SEEDS = range(8)
OVERLOAD = 1.1
"""Load offered to the small pair of the trial, of what it can carry: so that much is refused."""
TRIAL = Workload(calls=5_000, ports=99, rate=OVERLOAD * 99 / HOLDING)
LOSS = replace(TRIAL, fails=False, redials=False)
LONG = 20
"""How many times as long as the trial the loss part is played for Erlang B."""
EMPTY = 10
"""The ports fill up in the first part of so many, which is left out."""


class DisagreementError(Exception):
    """Contenders that should have counted the same did not, or not what theory says; no time is worth telling."""


def same(tallies: Mapping[str, Tally]) -> Tally:
    """Return the tally that all agree on; raises DisagreementError."""
    if len(set(tallies.values())) != 1:
        raise DisagreementError("; ".join(f"{name}: {tally}" for name, tally in tallies.items()))
    return next(iter(tallies.values()))


def check(contenders: Mapping[str, Contender], own_draws: Collection[str]) -> Json:
    """Hold contenders to the bare loop, call by call, and it to Erlang B; raises DisagreementError.

    Those that make their ``own_draws`` are held to Erlang B themselves. Returns the `figures`, and `lines` that say the
    same to people.
    """
    exact = {name: contender for name, contender in contenders.items() if name not in own_draws}
    tally = trial(exact)
    agreed(exact, LOSS)
    long = replace(LOSS, calls=LONG * LOSS.calls)
    losses = {"same draws": refused("same draws", bare, long)}
    losses |= {name: refused(name, contenders[name], replace(long, calls=long.calls // 4)) for name in own_draws}
    counted = f"{tally.attempts:,} attempts, {tally.blocked:,} refused, {tally.lost:,} lost"
    lines = [f"trial at {TRIAL.ports} ports, counted alike by {'; '.join(exact)}: {counted}"]
    for name, share in losses.items():
        low, high = share["interval"]
        lines.append(f"{OVERLOAD:.0%} load, {name}: {low:.2%} to {high:.2%} refused; Erlang B {share['erlang_b']:.2%}")
    return {"lines": lines, "figures": {"trial": tally._asdict(), "loss": losses}}


def trial(contenders: Mapping[str, Contender]) -> Tally:
    """Let all play the trial, failover and redials included; raises DisagreementError unless they count the same."""
    tally = agreed(contenders, TRIAL)
    if not tally.blocked or not tally.lost:
        raise DisagreementError(f"the trial shows nothing: {tally}")
    return tally


def agreed(contenders: Mapping[str, Contender], workload: Workload) -> Tally:
    """Return what all count when they play the same draws; raises DisagreementError."""
    load = draw(workload, seed=1)
    return same({name: contender(load) for name, contender in contenders.items()})


def refused(name: str, contender: Contender, workload: Workload) -> Json:
    """Hold the share of refused calls, without failover and redials, against Erlang B; raises DisagreementError.

    The same draws always play the same way, so the beginning is played by itself and its counts are taken off.
    """
    interval = mean_interval(list(_shares(contender, workload)), CONFIDENCE)
    expected = erlang_b(workload.erlang, workload.ports)
    if interval is None or not interval[0] <= expected <= interval[1]:
        raise DisagreementError(f"{name}: refuses a share in {interval}, Erlang B says {expected:.4f}")
    return {"interval": list(interval), "erlang_b": expected}


def _shares(contender: Contender, workload: Workload) -> Iterator[float]:
    for seed in SEEDS:
        whole = contender(draw(workload, seed))
        begin = contender(draw(replace(workload, calls=workload.calls // EMPTY), seed))
        yield (whole.blocked - begin.blocked) / (whole.attempts - begin.attempts)
