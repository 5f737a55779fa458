"""The closed forms the other way round: the one quantity that is missing, such as the load that some ports may carry.

Whole numbers are the smallest that meet a goal (ports, agents) or the largest (sources). Reals are the end of the range
that meets it, found by halving a bracket down to rounding, on the side where the goal is met. Either is right because
each formula is monotone in what is sought; each function says why. `CannotBeMetError` means that nothing meets the
goal, or that everything does; other ValueErrors, that a quantity is out of range.
"""

import math
from collections.abc import Callable

from scenarios.theory.engset import engset
from scenarios.theory.erlang import MOST_LOAD, checked_load, erlang_b, erlang_c, mean_wait, service_level
from scenarios.theory.erlang_a import answered_within, erlang_a
from scenarios.theory.extended_b import extended_erlang_b
from scenarios.theory.search import largest, last, smallest

MOST_PATIENCE = 1e4
"""Longest patience that is sought, in mean talks."""
LEAST_PATIENCE = 1e-4
"""Shortest patience that is sought, in mean talks."""

Goal = Callable[[float, int], bool]
"""Whether a load in erlang and a number of ports or agents meet a goal.

Less load and more ports or agents must never be worse, no load at all must meet it, and enough load miss it.
"""


class CannotBeMetError(ValueError):
    """A goal that no value of what is sought meets, or every one."""


def most_load(goal: Goal, servers: int) -> float:
    """Return the largest load in erlang that meets a goal with so many ports or agents.

    Raises :class:`CannotBeMetError` with none of them.
    """
    if servers < 1:
        raise CannotBeMetError("cannot be met: nothing is carried without ports or agents")
    high = float(servers)
    while goal(high, servers):
        high *= 2
    return last(lambda load: goal(load, servers), 0.0, high)


def fewest(goal: Goal, load: float) -> int:
    """Return the smallest number of ports or agents, one at least, that meets a goal at a load in erlang.

    Raises ValueError for a load that is not from 0 to `MOST_LOAD`.
    """
    if checked_load(load) > MOST_LOAD:
        raise ValueError(f"load must be at most {MOST_LOAD:.0f} erlang, not {load:g}")
    return smallest(lambda servers: goal(load, servers), 1)


# Goals


def blocks(share: float) -> Goal:
    """Erlang B at or below a share (0 to 1, both out of the question).

    It rises with the load: dB/dA = B · (n/A - 1 + B), and n ports never carry A · (1 - B) = n. It falls with the ports:
    1/B(n) has one term more than 1/B(n-1), and no other is smaller.
    """
    _proper("blocking", share)
    return lambda load, ports: erlang_b(load, ports) <= share


def waits(share: float) -> Goal:
    """Erlang C at or below a share.

    1/C = 1 + (1 - A/n) · (1/B - 1), and with less load or more agents both factors grow.
    """
    _proper("wait", share)
    return lambda load, agents: erlang_c(load, agents) <= share


def answers_after(seconds: float, holding: float) -> Goal:
    """The mean wait of Erlang C, C · holding / (n - A), at or below so many seconds; it moves as C does, and faster."""
    _positive("asa", seconds)
    _positive("holding", holding)
    return lambda load, agents: mean_wait(load, agents, holding) <= seconds


def answers(level: float, within: float, holding: float) -> Goal:
    """A share of callers, at least, answered within so many seconds, under Erlang C.

    The share who wait longer, C · exp(-(n - A) · within / holding), has two factors that move the same way.
    """
    _proper("level", level)
    _positive("holding", holding)
    checked_load(within)
    return lambda load, agents: service_level(load, agents, holding, within) >= level


def impatient_wait(share: float, impatience: float) -> Goal:
    """Erlang A's share of callers who wait at or below a share.

    More load or fewer agents make each state's ratio to the one below larger, and so the queue stochastically longer.
    """
    _proper("wait", share)
    return lambda load, agents: erlang_a(load, agents, impatience).wait <= share


def abandons(share: float, impatience: float) -> Goal:
    """Erlang A's share of callers who give up at or below a share.

    It is the mean share that the virtual wait costs, which is stochastically longer with more load or fewer agents.
    """
    _proper("abandon", share)
    return lambda load, agents: erlang_a(load, agents, impatience).abandon <= share


def impatient_answers(level: float, within: float, impatience: float) -> Goal:
    """A share of callers, at least, answered within a time in mean talks, under Erlang A; why, as in `abandons`."""
    _proper("level", level)
    checked_load(within)
    return lambda load, agents: answered_within(load, agents, impatience, within) >= level


# Extended Erlang B


def load_with_retries(ports: int, blocking: float, retry: float) -> float:
    """Return the largest load of first attempts in erlang that so many ports refuse at most a share of, with retries.

    The load offered with retries, x, is at its largest where B(x) is the goal, and x · (1 - retry · B(x)) are first
    attempts; with more of these, more is offered. Raises ValueError unless 0 ≤ `retry` < 1, or as `most_load` does.
    """
    if not 0 <= retry < 1:
        raise ValueError(f"retry must be at least 0 and below 1, not {retry:g}")
    offered = most_load(blocks(blocking), ports)
    return offered * (1.0 - retry * erlang_b(offered, ports))


def retry_for(load: float, ports: int, blocking: float) -> float:
    """Return the largest share of those refused who may retry while attempts are blocked at most so much.

    More who retry offer more. Solves load + retry · x · B(x) = x where B(x) is the goal. Raises
    :class:`CannotBeMetError` where it is missed without retries, or met however many retry.
    """
    _proper("blocking", blocking)
    without = erlang_b(load, ports)
    if without > blocking:
        raise CannotBeMetError(f"cannot be met: blocking is {without:.4g} even if nobody tries again")
    offered = most_load(blocks(blocking), ports)
    retry = max(0.0, (1.0 - load / offered) / erlang_b(offered, ports))
    if retry >= 1:
        most = extended_erlang_b(load, ports, math.nextafter(1.0, 0.0)).blocking
        raise CannotBeMetError(f"nothing to find: blocking is at most {most:.4g} however many try again")
    return retry


# Engset


def engset_ports(sources: int, each: float, blocking: float) -> int:
    """Return the smallest number of ports at which sources find at most a share of their attempts blocked.

    With as many ports as sources none is; the inverse of the share has a term more for each port, as Erlang's has.
    Raises ValueError as `engset` does.
    """
    _proper("blocking", blocking)
    return smallest(lambda ports: engset(sources, ports, each).call <= blocking)


def engset_sources(ports: int, each: float, blocking: float) -> int:
    """Return the largest number of sources that find at most a share of their attempts blocked.

    Each term of the inverse of the share, n / ((S - n) · each) · …, falls with every source more. Raises
    :class:`CannotBeMetError` without a port.
    """
    _proper("blocking", blocking)
    if ports < 1:
        raise CannotBeMetError("cannot be met: without ports every attempt is blocked")
    return largest(lambda sources: engset(sources, ports, each).call <= blocking, ports)


def engset_each(sources: int, ports: int, blocking: float) -> float:
    """Return the largest load of an idle source, in erlang, at which at most a share of attempts is blocked.

    Each term of the inverse of the share falls as that load grows. Raises :class:`CannotBeMetError` without a port, or
    with a port for each source.
    """
    _proper("blocking", blocking)
    if ports < 1:
        raise CannotBeMetError("cannot be met: without ports every attempt is blocked")
    if ports >= sources:
        raise CannotBeMetError(f"nothing to find: {sources} sources never find {ports} ports busy")

    def meets(each: float) -> bool:
        return engset(sources, ports, each).call <= blocking

    high = 1.0
    while meets(high):
        high *= 2
    return last(meets, 0.0, high)


# Times


def target_time(load: float, agents: int, holding: float, level: float) -> float:
    """Return the seconds within which a share of callers is answered, under Erlang C; the share grows with them.

    Raises :class:`CannotBeMetError` where the agents cannot keep up.
    """
    _proper("level", level)
    _keeps_up(load, agents)
    waiting = erlang_c(load, agents)
    return max(0.0, math.log(waiting / (1 - level)) * holding / (agents - load)) if waiting else 0.0


def holding_for_asa(load: float, agents: int, asa: float) -> float:
    """Return the longest mean holding time in seconds at which Erlang C's mean wait, its multiple, is at most `asa`.

    Raises :class:`CannotBeMetError` where the agents cannot keep up, or nobody waits.
    """
    _positive("asa", asa)
    _keeps_up(load, agents)
    return asa * (agents - load) / _waiting(load, agents)


def holding_for_level(load: float, agents: int, level: float, within: float) -> float:
    """Return the longest mean holding time in seconds at which a share of callers is answered within so many seconds.

    At one load, longer calls make all waits longer alike. Raises :class:`CannotBeMetError` where the agents cannot keep
    up, or where so many do not wait at all.
    """
    _proper("level", level)
    _positive("within", within)
    _keeps_up(load, agents)
    over = _waiting(load, agents) / (1 - level)
    if over <= 1:
        raise CannotBeMetError(f"nothing to find: {1 - erlang_c(load, agents):.4g} do not wait, however long calls are")
    return (agents - load) * within / math.log(over)


def patience_for_abandon(load: float, agents: int, abandon: float) -> float:
    """Return the shortest patience, in mean talks, at which Erlang A lets at most a share of callers give up.

    The more patient callers are, the fewer give up: from Erlang B's share down to what the agents cannot take on.
    Raises :class:`CannotBeMetError` outside of these.
    """
    _proper("abandon", abandon)
    return _patience(lambda patience: erlang_a(load, agents, 1 / patience).abandon <= abandon, longest=False)


def patience_for_wait(load: float, agents: int, wait: float) -> float:
    """Return the longest patience, in mean talks, at which Erlang A lets at most a share of callers wait.

    The more patient callers are, the longer is the queue: from Erlang B's share of busy time up to Erlang C's. Raises
    :class:`CannotBeMetError` outside of these.
    """
    _proper("wait", wait)
    return _patience(lambda patience: erlang_a(load, agents, 1 / patience).wait <= wait, longest=True)


def patience_for_asa(load: float, agents: int, asa: float) -> float:
    """Return the longest patience at which Erlang A's mean wait is at most `asa`, both in mean talks.

    Why, and what is raised, is as in `patience_for_wait`.
    """
    _positive("asa", asa)
    return _patience(lambda patience: erlang_a(load, agents, 1 / patience).abandon * patience <= asa, longest=True)


def _patience(meets: Callable[[float], bool], *, longest: bool) -> float:
    best, worst = (LEAST_PATIENCE, MOST_PATIENCE) if longest else (MOST_PATIENCE, LEAST_PATIENCE)
    if not meets(best):
        raise CannotBeMetError("cannot be met: however patient callers are, or impatient")
    if meets(worst):
        raise CannotBeMetError("nothing to find: it is met however patient callers are, or impatient")
    return last(meets, best, worst)


def _keeps_up(load: float, agents: int) -> None:
    if load >= agents:
        raise CannotBeMetError(f"cannot be met: {agents} agents cannot keep up with {load:g} erlang")


def _waiting(load: float, agents: int) -> float:
    waiting = erlang_c(load, agents)
    if waiting == 0:
        raise CannotBeMetError("nothing to find: nobody waits, however long calls are")
    return waiting


def _proper(name: str, share: float) -> None:
    if not 0 < share < 1:
        raise ValueError(f"{name} must be above 0 and below 1, not {share:g}")


def _positive(name: str, value: float) -> None:
    if not 0 < value < math.inf:
        raise ValueError(f"{name} must be above 0 and finite, not {value:g}")
