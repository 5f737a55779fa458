"""What callers do, whatever the engine: they arrive, dial, hang up, try again, and leave a record of every attempt.

Which event leads where is in :mod:`sbc.decisions.call`; an engine adds how each effect is carried out.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import chain, islice
from math import inf
from typing import Any

import simpy

from sbc.decisions.call import TABLE, Effect, Event, redials_at
from sbc.decisions.table import bound, follow
from sbc.decisions.trunk import NOTHING_ANSWERS
from scenarios.evidence import Outcome
from scenarios.load import CallerBlock
from sim.call import Call, Stream
from sim.log import Log

# Every call needs it, and up to Python 3.11 to read a member off its enumeration takes ten times as long as a name.
_COMPLETED = Outcome.COMPLETED
_CONTENT = (Outcome.COMPLETED, Outcome.CLOSED)
"""Outcomes after which nobody tries again."""

Act = Callable[[Call, float], None]
"""How an effect is carried out, at a moment."""


class Lifecycle(ABC):
    """All callers of a run, each led through the table of calls."""

    def __init__(self, env: simpy.Environment, log: Log, lasts: float, effects: Mapping[Effect, Act]) -> None:
        """``effects``: what an engine does; what is in words only, the same for all, is done here."""
        self._env = env
        self._log = log
        self._lasts = lasts
        self._attempts = 0
        self._on_due: list[Callable[[Any], None]] = [self._due]
        self._table = bound(
            TABLE,
            {
                Effect.COMPLETE: self._complete,
                Effect.ABANDON: self._abandon,
                Effect.CANCEL: self._cancel,
                Effect.REFUSE: self._refuse,
                Effect.CUT: self._cut,
                Effect.PAUSE: self._pause,
                **effects,
            },
        )
        self.unsettled: dict[Call, None] = {}
        """Attempts that hold no port: in set-up, waiting for an agent to place them, or to be called back."""

    def tell(self, call: Call, event: Event, now: float) -> None:
        """Let something happen to a call."""
        call.state, effects = follow(self._table, call.state, event)
        for carry_out in effects:
            carry_out(call, now)

    def _due(self, call: Call) -> None:
        call.callbacks = self._on_due
        now = self._env.now
        if now >= call.due:
            call.due = inf
            self.tell(call, call.brings, now)

    def play(self, stream: Stream, blocks: Iterator[CallerBlock]) -> None:
        """Let the callers of a stream arrive."""
        callers: Iterator[tuple[Any, ...]] = chain.from_iterable(
            zip(block.at, block.talk, block.patience, block.tries, block.again, strict=True) for block in blocks
        )
        if stream.plan.sources is not None:
            stream.source_free = partial(self._source_free, stream, callers)
            callers = islice(callers, stream.plan.sources)

        def expect_next(now: float) -> None:
            if (caller := next(callers, None)) is not None:
                self._caller(arrives, stream, caller).wait(caller[0], stream.begins, now)

        def arrive(call: Call) -> None:
            now = self._env.now
            call.callbacks = self._on_due
            self.tell(call, stream.begins, now)
            expect_next(now)

        arrives: list[Callable[[Any], None]] = [arrive]
        expect_next(self._env.now)

    def _source_free(self, stream: Stream, callers: Iterator[tuple[Any, ...]], at: float) -> None:
        """One of few sources has done with a call, and will place another after a pause."""
        if (caller := next(callers, None)) is not None:
            self._caller(self._on_due, stream, caller).wait(at + caller[0], stream.begins, self._env.now)

    def _caller(self, callbacks: list[Callable[[Any], None]], stream: Stream, draws: tuple[Any, ...]) -> Call:
        call = Call(self._env, callbacks, stream, draws)
        if stream.hears is not None:
            call.hears = next(stream.hears)
        return call

    def _begin(self, call: Call, number: str, now: float) -> None:
        call.begin(self._attempts, number, now)
        self._attempts += 1

    @abstractmethod
    def confirmed(self, call: Call) -> bool:
        """Whether the INVITE of a delivered call has had its 200 OK: somebody, or the queue, has answered (W9)."""

    # Ends

    def refuse(self, call: Call, outcome: Outcome, reason: str, sip: int, now: float) -> None:
        """Refuse a call in set-up for good."""
        call.refusal = outcome, reason, sip
        self.tell(call, Event.REFUSED, now)

    def _complete(self, call: Call, now: float) -> None:
        self._record(call, _COMPLETED, "", 200, now)

    def _abandon(self, call: Call, now: float) -> None:
        if call.stream.group:
            self._record(call, Outcome.ABANDONED, "no agent free", 0, now)
        else:
            self._record(call, Outcome.ABANDONED, "gave up waiting", 200 if self.confirmed(call) else 487, now)

    def _cancel(self, call: Call, now: float) -> None:
        self._record(call, Outcome.FAILED, NOTHING_ANSWERS.reason, 487, now)

    def _refuse(self, call: Call, now: float) -> None:
        self._record(call, *call.refusal, now)

    def _cut(self, call: Call, now: float) -> None:
        self._record(call, Outcome.DROPPED, call.reason, 200 if self.confirmed(call) else 408, now)

    def _record(self, call: Call, outcome: Outcome, reason: str, sip: int, now: float) -> None:
        if self.unsettled:
            self.unsettled.pop(call, None)
        call.redials = inf
        if outcome not in _CONTENT:
            call.redials = redials_at(now + call.held_on, call.tries, call.willing, call.again)
        if call.redials == inf and call.stream.source_free is not None:
            call.stream.source_free(now + call.held_on)
        if now >= 0:  # what ends in the warm-up is not part of the run
            self._log.call(call.record(now, outcome, reason, sip, final=call.redials >= self._lasts))

    def _pause(self, call: Call, now: float) -> None:
        call.wait(call.redials, call.stream.begins, now)
        if call.redials == inf:
            self.tell(call, Event.GIVEN_UP, now)
