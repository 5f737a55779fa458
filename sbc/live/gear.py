"""Real gear during a live run: faults by the commands of the drill, and everything undone before it is over."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from sbc.live.interrupts import Interrupts
from sbc.live.locks import Locks
from sbc.live.processes import Ran, end, execute, terminate
from scenarios.addresses import Address
from scenarios.model import Command, Drill
from scenarios.rules.targets import targets_of
from scenarios.units import format_duration

_AGAIN = 1.0
"""Seconds between two tries to verify, and between two questions whether a node is well."""


class GearError(Exception):
    """What can go wrong with real gear:

    - :class:`NotReadyError`: the run must not begin; nothing was done.
    - :class:`CommandFailedError`: a fault was not brought about; the run is no evidence.
    - :class:`NotUndoneError`: the gear is not as it was; somebody has to see to it.
    """


class NotReadyError(GearError):
    """A node is not well, or a secret is missing, before anything is done."""


class CommandFailedError(GearError):
    """A command that brings a fault about has failed, or was not over in time."""


class NotUndoneError(GearError):
    """Something could not be undone or verified; the text says what to run by hand."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What is done to real gear for one fault."""

    fault: str
    pairs: tuple[str, ...]
    """The real pairs that it breaks."""
    command: Command


Health = Callable[[Address], str | None]
"""Asks a node by OPTIONS; returns what is wrong, or None when it is well."""


def deeds_of(drill: Drill) -> dict[str, Deed]:
    """Return the commands that a live run would run, by fault; none for a pair that is emulated."""
    found = {}
    for fault in drill.faults:
        pairs = targets_of(drill, fault)
        if pairs and fault.command is not None:
            found[fault.name] = Deed(fault.name, tuple(pairs), fault.command)
    return found


@dataclass(frozen=True, slots=True)
class Waiting:
    """How to wait for gear that is coming back; tests wait otherwise."""

    now: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep


class Gear:
    """The real pairs of one run; made by :func:`real_gear`.

    :meth:`strike` and :meth:`mend` block for as long as the commands take, and so are for a thread beside the event
    loop (`asyncio.to_thread`).
    """

    def __init__(
        self,
        deeds: Mapping[str, Deed],
        interrupts: Interrupts,
        owe: Callable[[list[str]], None],
        say: Callable[[str], None],
        waiting: Waiting,
    ) -> None:
        self.interrupts = interrupts
        """Set `interrupts.ask` to what stops the run in good order."""
        self._deeds = deeds
        self._owe, self._say, self._waiting = owe, say, waiting
        self._owed: list[Deed] = []
        self._left: list[str] = []
        self._struck: set[str] = set()
        self._busy = threading.Lock()
        self._breaking: Popen[bytes] | None = None
        self._abandoned = self._closed = False

    def __contains__(self, fault: str) -> bool:
        """Whether a fault is brought about by a command."""
        return fault in self._deeds

    @property
    def struck(self) -> frozenset[str]:
        """The pairs that something was done to."""
        return frozenset(self._struck)

    def strike(self, fault: str) -> None:
        """Bring a fault about; raises :class:`CommandFailedError`. From the attempt on it is owed to be undone."""
        deed = self._deeds[fault]
        with self._busy:
            if self._abandoned or self._closed:
                raise CommandFailedError(f"{fault}: the run is over")
            self._owed.append(deed)
            try:
                self._note()
            except OSError as error:
                self._owed.remove(deed)
                raise CommandFailedError(f"{fault}: what is to be undone cannot be written down: {error}") from None
            self._struck.update(deed.pairs)
            ran = execute(deed.command.run, deed.command.timeout, self._in_progress)
        if not ran.done:
            raise CommandFailedError(f"{fault}: its command {ran.told}")

    def mend(self, fault: str) -> None:
        """Put a fault right whose time is over, if it is owed; what fails is told when the run is over."""
        with self._held(), self._busy:
            for deed in [each for each in self._owed if each.fault == fault]:
                self._undo(deed)

    def abandon(self) -> None:
        """Ask a command to end that is bringing a fault about at this moment, and bring about no more.

        What undoes a fault is never ended so.
        """
        self._abandoned = True
        if (breaking := self._breaking) is not None:
            terminate(breaking)

    def close(self) -> list[str]:
        """Undo what is owed, the last first; return what could not be, each with what to run by hand."""
        self._closed = True
        if (breaking := self._breaking) is not None:
            end(breaking)
        with self._busy:
            for deed in reversed(self._owed.copy()):
                self._undo(deed)
        return self._left

    def _undo(self, deed: Deed) -> None:
        """Undo a deed, once, whatever comes of it."""
        with suppress(OSError):  # a closed terminal must not keep anything from being undone, nor a full disk below
            self._say(f"Undoing {deed.fault}: {deed.command.undo}")
        ran = execute(deed.command.undo, deed.command.timeout)
        if ran.done and deed.command.verify is not None:
            ran = self._verified(deed.command)
            if not ran.done:
                ran = Ran(done=False, told=f"seemed to work, but {deed.command.verify} {ran.told}")
        self._owed.remove(deed)
        if not ran.done:
            self._left.append(f"{deed.fault}: to undo it {ran.told}\nRun by hand:  {deed.command.undo}")
        with suppress(OSError):
            self._note()

    def _verified(self, command: Command) -> Ran:
        line, until = command.verify, self._waiting.now() + command.timeout
        assert line is not None  # noqa: S101 - its caller has looked
        while True:
            left = until - self._waiting.now()
            ran = execute(line, max(left, _AGAIN))
            if ran.done or left <= _AGAIN:
                return ran
            self._waiting.pause(_AGAIN)

    def _note(self) -> None:
        """Write down what is owed, what has failed included."""
        self._owe([*self._left, *(f"{deed.fault}: {deed.command.undo}" for deed in reversed(self._owed))])

    def _in_progress(self, process: Popen[bytes] | None) -> None:
        self._breaking = process
        # Whoever stopped the run while the command was being started has seen no process to end.
        if process is not None and (self._abandoned or self._closed):
            end(process)

    def _held(self) -> AbstractContextManager[None]:
        here = threading.current_thread() is threading.main_thread()
        return self.interrupts.held() if here else nullcontext()


@contextmanager
def real_gear(
    drill: Drill,
    *,
    healthy: Health,
    folder: Path,
    holder: str,
    say: Callable[[str], None],
    waiting: Waiting | None = None,
) -> Iterator[Gear]:
    """Have the real pairs of a drill for one run, and leave them as they were however it ends.

    Needs the main thread, outside any event loop. ``healthy`` asks one node, ``folder`` holds the locks, ``holder`` is
    what another run is told, ``say`` shows a line to a person. Raises :class:`~sbc.live.locks.LockError` and
    :class:`NotReadyError` before anything is done, and :class:`NotUndoneError` at the end, whatever ended the run.
    """
    waiting, deeds = waiting or Waiting(), deeds_of(drill)
    addresses = [address for target in drill.targets.values() for address in target.addresses]
    with Locks(folder, addresses, holder) as locks:
        for left in locks.owed:
            say(f"A run before this one was killed and may have left this undone: {left}")
        _see_that_all_is_ready(drill, deeds, healthy)
        locks.owe([])
        with Interrupts(say) as interrupts:
            gear = Gear(deeds, interrupts, locks.owe, say, waiting)
            interrupts.abandon = gear.abandon
            try:
                try:
                    yield gear
                finally:
                    interrupts.enough()
            finally:
                left_over = gear.close()
                left_over += _not_well(drill, gear, healthy, waiting)
                if left_over:
                    raise NotUndoneError("\n".join(["THE GEAR IS NOT AS IT WAS.", *left_over]))


def _see_that_all_is_ready(drill: Drill, deeds: Mapping[str, Deed], healthy: Health) -> None:
    """Raise :class:`NotReadyError` unless all nodes are well and all secrets are there."""
    lines = [
        line
        for deed in deeds.values()
        for line in (deed.command.run, deed.command.undo, deed.command.verify)
        if line is not None
    ]
    wrong = [
        f"the environment variable {secret.name} is not set, or is empty"
        for line in lines
        for secret in line.secrets
        if not os.environ.get(secret.name)
    ]
    wrong += [
        f"{name}: {node} is not well: {problem}"
        for name, target in drill.targets.items()
        for node in target.nodes or ()
        if (problem := _asked(healthy, node)) is not None
    ]
    if wrong:
        raise NotReadyError("\n".join([*dict.fromkeys(wrong), "Nothing was sent and nothing was done."]))


def _not_well(drill: Drill, gear: Gear, healthy: Health, waiting: Waiting) -> list[str]:
    """Return the nodes of pairs that something was done to and that do not come back in the time they have."""
    patience = max((deed.command.timeout for deed in deeds_of(drill).values()), default=0.0)
    until = waiting.now() + patience
    found = []
    for name in sorted(gear.struck):
        for node in drill.targets[name].nodes or ():
            problem = _asked(healthy, node)
            while problem is not None and waiting.now() < until:
                waiting.pause(_AGAIN)
                problem = _asked(healthy, node)
            if problem is not None:
                found.append(f"{name}: {node} is not well {format_duration(patience)} after all was undone: {problem}")
    return found


def _asked(healthy: Health, node: Address) -> str | None:
    try:
        return healthy(node)
    except OSError as error:
        return f"cannot be asked: {error}"
