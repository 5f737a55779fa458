"""Ctrl-C, SIGTERM and a closed terminal during a live run: the first stops the run, and none stops an undo."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from types import FrameType, TracebackType
from typing import Self

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Handler = Callable[[int, FrameType | None], object] | int | signal.Handlers | None


class Interrupts:
    """Holds the handlers of :data:`SIGNALS` for as long as it is entered; for the main thread alone.

    The first signal calls :attr:`ask`, or raises KeyboardInterrupt where nothing is to be asked. One more after
    :attr:`ask` raises it as well, since asking did not help. It is raised once in all.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        """Take what tells a person something: a line of text."""
        self.ask: Callable[[], None] | None = None
        """What asks the run to stop in good order; called in the main thread between two instructions."""
        self.abandon: Callable[[], None] = lambda: None
        """What ends a command in progress, without waiting for it."""
        self._say = say
        self._to_say: SimpleQueue[str | None] = SimpleQueue()
        self._speaker = threading.Thread(target=self._speak, name="answers to signals", daemon=True)
        self._asked = self._raised = self._held = False
        self._put_off = 0
        self._before: dict[signal.Signals, Handler] = {}

    def __enter__(self) -> Self:
        self._speaker.start()
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
                self._before[number] = signal.signal(number, self._came)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, signal.SIG_DFL if before is None else before)
        self._to_say.put(None)
        self._speaker.join()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let nothing interrupt what is done within; a signal that came meanwhile counts afterwards."""
        self._put_off += 1
        try:
            yield
        finally:
            self._put_off -= 1
        if self._held and not self._put_off:
            self._held = False
            self._act()

    def enough(self) -> None:
        """From now on a signal only says that it has to wait: the run is over, and what it did is undone."""
        self._raised = True

    def _came(self, number: int, frame: FrameType | None) -> None:
        if self._raised:
            self._to_say.put("What was done to the gear is being undone; this cannot be stopped.")
        elif self._put_off:
            self._held = True
        else:
            self._act()

    def _act(self) -> None:
        self.abandon()
        if self.ask is not None and not self._asked:
            self._asked = True
            self.ask()
        elif not self._raised:
            self._raised = True
            raise KeyboardInterrupt

    def _speak(self) -> None:
        """Say what there is to be said, in a thread of its own.

        A handler that wrote by itself while the main thread is writing would fail within the undo that it has
        interrupted; a SimpleQueue may be filled at any moment.
        """
        for line in iter(self._to_say.get, None):
            with suppress(OSError):  # the terminal may be gone
                self._say(line)
