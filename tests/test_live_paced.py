"""The agenda of a live run keeps step with a clock: here with that of a loop in virtual time, so that all is exact."""

import asyncio
from collections.abc import Callable, Generator, Sequence
from typing import Any

import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st

from sim.live.paced import STEPS_AT_ONCE, PacedEnvironment
from sim.timer import later
from tests.live import VirtualLoop, virtually

ENDS = 10.0
NEAR = pytest.approx


class Scene:
    """A paced environment on the loop that is running, and what happens in it."""

    def __init__(self, starts: float = 0.0) -> None:
        self.loop = asyncio.get_running_loop()
        self.clock: Callable[[], float] = lambda: starts + self.loop.time()
        self.env = PacedEnvironment(lambda: self.clock(), starts)
        self.late: list[float] = []
        self.env.late = self.late.append
        self.happened: list[tuple[object, float, float]] = []
        """What, at which time of the agenda, and at which time of the clock."""

    def happens(self, what: object) -> None:
        self.happened.append((what, self.env.now, self.clock()))

    def at(self, due: float, what: object, works: float = 0.0) -> None:
        """Let something happen that keeps the loop busy for a while."""

        def happens() -> None:
            self.happens(what)
            self.busy(works)

        later(self.env, due - self.env.now, happens)

    def busy(self, seconds: float) -> None:
        """Let time pass in which the loop does nothing else."""
        assert isinstance(self.loop, VirtualLoop)
        self.loop.pass_by(seconds)


# Multiples of 1/1024 s, whose sums are exact: what is due at the same time stays so.
@given(
    st.lists(st.integers(0, 1024 * int(ENDS) - 1).map(lambda k: k / 1024), max_size=30),
    st.integers(-100, 100).map(float),
)
def test_everything_happens_in_order_and_when_it_is_due(dues: Sequence[float], starts: float) -> None:
    async def scene() -> None:
        it = Scene(starts)
        for number, due in enumerate(dues):
            it.at(starts + due, number)
        await it.env.play(starts + ENDS)
        assert [what for what, _, _ in it.happened] == sorted(range(len(dues)), key=lambda k: (starts + dues[k], k))
        for what, now, clock in it.happened:
            assert isinstance(what, int)
            assert now == starts + dues[what]
            assert clock == NEAR(now, abs=1e-6)
        assert it.env.now == starts + ENDS == NEAR(it.clock())
        assert it.late == NEAR([0.0] * len(dues), abs=1e-6)

    virtually(scene())


def test_a_schedule_does_not_drift_though_each_event_takes_its_time() -> None:
    async def scene() -> None:
        it = Scene()

        def ticks() -> Generator[simpy.Event, Any, None]:
            for number in range(90):
                yield it.env.timeout(0.1)
                it.happens(number)
                it.busy(0.03)

        it.env.process(ticks())
        await it.env.play(ENDS)
        assert [clock for _, _, clock in it.happened] == NEAR([0.1 * k for k in range(1, 91)])

    virtually(scene())


def test_what_is_late_happens_at_once_at_the_time_it_was_due_for_and_how_late_is_told() -> None:
    async def scene() -> None:
        it = Scene()
        it.at(1.0, "long", works=0.5)
        for due in (1.1, 1.3, 1.5, 1.75):
            it.at(due, "waits")
        await it.env.play(2.0)
        assert [now for _, now, _ in it.happened] == NEAR([1.0, 1.1, 1.3, 1.5, 1.75])
        assert [clock for _, _, clock in it.happened] == NEAR([1.0, 1.5, 1.5, 1.5, 1.75])
        assert it.late == NEAR([0.0, 0.4, 0.2, 0.0, 0.0], abs=1e-9)

    virtually(scene())


def test_what_comes_from_outside_happens_now_and_after_all_that_was_due_before() -> None:
    async def scene() -> None:
        it = Scene()
        it.at(0.5, "first", works=1.0)
        it.at(0.9, "second")
        it.at(1.5, "third")
        it.at(2.0, "last")
        playing = asyncio.ensure_future(it.env.play(3.0))
        # The loop comes round when the first is carried out; a datagram that waits then is older than what is due next.
        it.loop.call_at(0.5, lambda: it.loop.call_soon(it.env.outside, lambda: it.happens("datagram")))
        await playing
        assert [what for what, _, _ in it.happened] == ["first", "second", "third", "datagram", "last"]
        assert {what: now for what, now, _ in it.happened}["datagram"] == NEAR(1.5)

    virtually(scene())


def test_outside_alone_carries_out_what_is_due_and_says_how_late_it_was() -> None:
    async def scene() -> None:
        it = Scene()
        it.at(0.5, "due")
        it.at(1.5, "not yet")
        it.busy(1.0)
        it.env.outside(lambda: it.happens("datagram"))
        assert it.happened == [("due", 0.5, 1.0), ("datagram", 1.0, 1.0)]
        assert it.late == [0.5]

    virtually(scene())


def test_what_comes_from_outside_may_be_the_next_to_be_waited_for() -> None:
    async def scene() -> None:
        it = Scene()
        it.at(5.0, "far")
        it.loop.call_at(1.0, it.env.outside, lambda: it.at(it.env.now + 0.25, "near"))
        await it.env.play(ENDS)
        assert [what for what, _, _ in it.happened] == ["near", "far"]
        assert [clock for _, _, clock in it.happened] == NEAR([1.25, 5.0])

    virtually(scene())


def test_time_never_passes_the_end_though_something_comes_after_it() -> None:
    async def scene() -> None:
        it = Scene()
        it.at(1.5, "long", works=1.5)
        it.at(2.5, "too late")
        await it.env.play(2.0)
        it.env.outside(lambda: it.happens("datagram"))
        assert [(what, now) for what, now, _ in it.happened] == [("long", 1.5), ("datagram", 2.0)]
        assert it.clock() == NEAR(3.0)

    virtually(scene())


def test_a_run_may_be_played_on() -> None:
    async def scene() -> None:
        it = Scene()
        it.at(1.0, "one")
        it.at(3.0, "two")
        await it.env.play(2.0)
        assert it.env.now == 2.0
        await it.env.play(4.0)
        assert [what for what, _, _ in it.happened] == ["one", "two"]
        assert [clock for _, _, clock in it.happened] == NEAR([1.0, 3.0])

    virtually(scene())


def test_a_run_may_be_ended_before_its_time() -> None:
    async def scene() -> None:
        it = Scene()
        it.env.finish()  # nothing is played yet: nothing ends
        later(it.env, 1.5, it.env.finish)
        it.at(2.0, "never")
        await it.env.play(ENDS)
        assert it.clock() == NEAR(1.5)
        assert it.happened == []

    virtually(scene())


@pytest.mark.parametrize("error", [ValueError("why"), KeyboardInterrupt(), SystemExit(3)], ids=repr)
@pytest.mark.parametrize("whence", ["an event", "a process", "outside", "told"])
def test_what_is_raised_ends_the_run(whence: str, error: BaseException) -> None:
    async def scene() -> None:
        it = Scene()

        def fails() -> None:
            raise error

        def process() -> Generator[simpy.Event, Any, None]:
            yield it.env.timeout(1.0)
            raise error

        match whence:
            case "an event":
                later(it.env, 1.0, fails)
            case "a process":
                it.env.process(process())
            case "outside":
                it.loop.call_at(1.0, it.env.outside, fails)
            case _:
                it.loop.call_at(1.0, it.env.fail, error)
        it.at(2.0, "never")
        with pytest.raises(type(error)) as raised:
            await it.env.play(ENDS)
        assert raised.value.args == error.args
        assert it.clock() == NEAR(1.0)
        assert it.happened == []

    virtually(scene())


def test_sockets_have_their_turn_while_much_is_due_at_once() -> None:
    async def scene() -> None:
        it = Scene()
        for number in range(3 * STEPS_AT_ONCE):
            it.at(1.0, number)
        seen: list[int] = []

        def look(_: Any = None) -> None:
            seen.append(len(it.happened))
            if len(it.happened) < 3 * STEPS_AT_ONCE:
                it.loop.call_soon(look)

        it.loop.call_at(1.0, look)
        await it.env.play(2.0)
        assert {STEPS_AT_ONCE, 2 * STEPS_AT_ONCE} <= set(seen)

    virtually(scene())
