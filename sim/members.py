"""Active-active pairs: what becomes of calls when one of two serving nodes fails, and who avoids it from when on."""

from collections.abc import Iterator, Mapping
from functools import partial
from math import inf

import simpy

from sbc.decisions import member as machine
from sbc.decisions.pair import detection_delay
from scenarios.evidence import EventKind
from scenarios.model import FailureDetection, OptionsDetection
from sim.calls import Calls
from sim.log import Log
from sim.timer import later
from sim.world import NodeState, PairState


class Members:
    """Carries out the effects of the machine of each node."""

    def __init__(self, env: simpy.Environment, calls: Calls, phase: Mapping[str, Iterator[float]], log: Log) -> None:
        self._env = env
        self._calls = calls
        self._phase = phase
        self._log = log
        calls.unanswered = self._unanswered

    def lost(self, pair: PairState, node: NodeState) -> None:
        """A node dies or hangs."""
        self._tell(pair, node, machine.Event.LOST)

    def back(self, pair: PairState, node: NodeState) -> None:
        """It works again."""
        self._tell(pair, node, machine.Event.BACK)

    def _unanswered(self, pair: PairState, node: NodeState) -> None:
        """A call has waited for the node in vain."""
        if isinstance(pair.plan.detect, FailureDetection) and node.use is machine.State.UNSEEN:
            self._noticed(pair, node, node.watch)

    def _noticed(self, pair: PairState, node: NodeState, watch: int) -> None:
        if watch != node.watch:
            return
        self._log.entry(EventKind.DETECTED, pair.name, by=pair.plan.detect.by)
        if isinstance(pair.plan.detect, OptionsDetection) and pair.in_use:
            self._log.effect(node.failed_by, "probe")
        self._tell(pair, node, machine.Event.NOTICED)

    def _tell(self, pair: PairState, node: NodeState, event: machine.Event) -> None:
        node.use, effects = machine.step(node.use, event)
        for effect in effects:
            match effect:
                case machine.Effect.NODE_GONE:
                    self._gone(pair, node)
                case machine.Effect.WATCH:
                    self._watch(pair, node)
                case machine.Effect.STOP_WATCH:
                    node.watch += 1
                case machine.Effect.OTHER_SERVES:
                    other = pair.nodes[1 - pair.nodes.index(node)]
                    self._serves(pair, other)
                case machine.Effect.SERVE_ON:
                    self._serves(pair, node)

    def _gone(self, pair: PairState, node: NodeState) -> None:
        pair.silent_since = self._env.now
        self._log.entry(EventKind.NODE_LOST, pair.name, node=node.name, calls=len(node.calls))
        if node.calls:
            self._log.effect(node.failed_by, "call")
        self._calls.lose(pair, node, f"{node.name} lost", lambda call: False)

    def _watch(self, pair: PairState, node: NodeState) -> None:
        node.watch += 1
        delay = detection_delay(pair.plan.detect, next(self._phase[pair.name]))
        if delay < inf:
            later(self._env, delay, partial(self._noticed, pair, node, node.watch))

    def _serves(self, pair: PairState, node: NodeState) -> None:
        outage = self._env.now - pair.silent_since
        self._log.entry(EventKind.TAKEOVER, pair.name, node=node.name, outage=outage, kept=0)
