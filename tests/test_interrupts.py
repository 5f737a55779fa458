"""Signals during a live run: the first stops it, once, and none stops what must not be stopped."""

import io
import signal
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

import pytest

from sbc.live.interrupts import SIGNALS, Interrupts


class Said:
    """What a person was told."""

    def __init__(self) -> None:
        self.lines: SimpleQueue[str] = SimpleQueue()

    def once(self) -> str:
        """Return what was told, when it is; nothing more may be."""
        line = self.lines.get(timeout=30)
        assert self.lines.empty()
        return line


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture(autouse=True)
def attentive() -> Iterator[None]:
    """Ignore no signal, however these tests were started: in the background, say."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def interrupts(said: Said, attentive: None) -> Iterator[Interrupts]:
    with Interrupts(said.lines.put) as entered:
        yield entered


def come(number: signal.Signals = signal.SIGTERM) -> None:
    signal.raise_signal(number)


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_the_first_signal_ends_a_run_and_a_second_does_not_end_it_again(
    interrupts: Interrupts, said: Said, number: signal.Signals
) -> None:
    with pytest.raises(KeyboardInterrupt):
        come(number)
    come(number)
    said.once()


def test_who_can_stop_in_good_order_is_asked_and_when_that_does_not_help_the_run_is_ended(
    interrupts: Interrupts, said: Said
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
    said.once()


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


def test_when_a_run_is_over_a_signal_only_says_that_it_has_to_wait(interrupts: Interrupts, said: Said) -> None:
    interrupts.enough()
    come()
    assert said.once() == "What was done to the gear is being undone; this cannot be stopped."


class Terminal(io.RawIOBase):
    """Keeps what is written to it, and sends a signal in the midst of the first line."""

    def __init__(self) -> None:
        self.shown = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        if not self.shown:
            come()
        self.shown += bytes(data)
        return len(data)


def test_a_signal_while_a_line_is_written_spoils_neither_the_line_nor_what_goes_on() -> None:
    terminal = Terminal()
    lines = io.TextIOWrapper(io.BufferedWriter(terminal), write_through=True)

    def say(line: str) -> None:
        print(line, file=lines, flush=True)

    with Interrupts(say) as interrupts:
        interrupts.enough()
        say("Undoing.")
    assert terminal.shown.decode().splitlines() == [
        "Undoing.",
        "What was done to the gear is being undone; this cannot be stopped.",
    ]


def test_handlers_are_put_back(said: Said) -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with Interrupts(said.lines.put):
        assert [signal.getsignal(number) for number in SIGNALS] != before
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_a_run_that_is_to_outlive_its_terminal_does(said: Said) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interrupts(said.lines.put):
            come(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert said.lines.empty()
