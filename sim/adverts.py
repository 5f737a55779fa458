"""Adverts on a degraded link, one by one: the standby that misses three takes over though nothing has died."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from math import inf

import simpy

from sbc.decisions import pair as machine
from scenarios.model import VrrpDetection
from sim.log import Log
from sim.timer import later
from sim.world import PairState

Tell = Callable[[PairState, machine.Event], None]


class Adverts:
    """Follows the adverts of pairs while their link is degraded; on a sound one nothing can happen to them."""

    def __init__(self, env: simpy.Environment, phase: Mapping[str, Iterator[float]], tell: Tell, log: Log) -> None:
        self._env = env
        self._phase = phase
        self._tell = tell
        self._log = log

    def follow(self, pair: PairState) -> None:
        """Begin with the next advert, at whatever phase of the interval this is, unless they are followed already."""
        if not pair.followed:
            pair.followed = True
            phase = next(self._phase[pair.name])
            pair.heard = self._env.now - phase * _interval(pair)
            later(self._env, (1 - phase) * _interval(pair), partial(self._sent, pair))

    def phase(self, pair: PairState) -> float:
        """Return the intervals since the standby heard the last advert."""
        return (self._env.now - pair.heard) / _interval(pair)

    def _sent(self, pair: PairState) -> None:
        if not pair.link.degraded_by:
            pair.followed = False
            return
        later(self._env, _interval(pair), partial(self._sent, pair))
        if pair.state is not machine.State.REDUNDANT and pair.state not in machine.PARTED:
            pair.heard = self._env.now  # nobody listens for them; whoever does next begins with a whole interval
            return
        late = pair.link.crossing(self._log, "advert")
        if late and pair.state is machine.State.REDUNDANT:
            self._tell(pair, machine.Event.ADVERT_MISSED)
        if late < inf:
            later(self._env, late, partial(self._arrives, pair))

    def _arrives(self, pair: PairState) -> None:
        if not pair.link_cut_by:
            pair.heard = self._env.now
            if pair.state in machine.PARTED:
                self._tell(pair, machine.Event.ADVERT_HEARD)


def _interval(pair: PairState) -> float:
    assert isinstance(pair.plan.detect, VrrpDetection)  # noqa: S101 - the rules of names leave only these a link
    return pair.plan.detect.advert
