"""Signals during a live run: the first stops it, once, and none stops what must not be stopped."""

import signal
from collections.abc import Iterator

import pytest

from sbc.live.interrupts import SIGNALS, Interrupts


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture(autouse=True)
def attentive() -> Iterator[None]:
    """Ignore no signal, however these tests were started: in the background, say."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def interrupts(said: list[str], attentive: None) -> Iterator[Interrupts]:
    with Interrupts(said.append) as entered:
        yield entered


def come(number: signal.Signals = signal.SIGTERM) -> None:
    signal.raise_signal(number)


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_the_first_signal_ends_a_run_and_a_second_does_not_end_it_again(
    interrupts: Interrupts, said: list[str], number: signal.Signals
) -> None:
    with pytest.raises(KeyboardInterrupt):
        come(number)
    come(number)
    assert len(said) == 1


def test_who_can_stop_in_good_order_is_asked_and_when_that_does_not_help_the_run_is_ended(
    interrupts: Interrupts, said: list[str]
) -> None:
    asked: list[str] = []
    interrupts.ask = lambda: asked.append("asked")
    interrupts.abandon = lambda: asked.append("abandoned")
    come()
    assert asked == ["abandoned", "asked"]
    with pytest.raises(KeyboardInterrupt):
        come()
    assert asked == ["abandoned", "asked", "abandoned"]
    come()
    assert len(said) == 1


def test_a_signal_that_comes_at_a_bad_time_counts_afterwards(interrupts: Interrupts) -> None:
    done = []

    def work() -> None:
        with interrupts.held():
            with interrupts.held():
                come()
            done.append("all of it")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["all of it"]


def test_nothing_counts_afterwards_where_no_signal_came(interrupts: Interrupts) -> None:
    with interrupts.held():
        pass
    with pytest.raises(KeyboardInterrupt):
        come()


def test_when_a_run_is_over_a_signal_only_says_that_it_has_to_wait(interrupts: Interrupts, said: list[str]) -> None:
    interrupts.enough()
    come()
    assert said == ["What was done to the gear is being undone; this cannot be stopped."]


def test_handlers_are_put_back(said: list[str]) -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with Interrupts(said.append):
        assert [signal.getsignal(number) for number in SIGNALS] != before
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_a_run_that_is_to_outlive_its_terminal_does(said: list[str]) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interrupts(said.append):
            come(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert said == []
