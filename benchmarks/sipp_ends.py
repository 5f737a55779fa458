"""SIPp at both ends of what is measured: one that calls at a rate, whatever becomes of the calls, and one that answers.

Only addresses of 127.0.0.0/8 are used, an end each, and port 5060.
"""

import csv
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.whole_run import RunError
from sbc.endpoints.wire import Address

SCENARIOS: Final = Path(__file__).parent / "sipp"
CALLER: Final = Address("127.240.0.1")
MIDDLE: Final = Address("127.240.0.2")
CALLEE: Final = Address("127.240.0.3")
STARTS_WITHIN: Final = 30.0
"""Seconds that a program may take until it listens: Python on a busy machine takes some."""
LOOKS_EVERY: Final = 0.02
"""Seconds after which it is looked again whether it does."""
BEHIND: Final = 1.5
"""Seconds after the last call was due by which all calls have to be over: who falls behind without losing one fails."""
GIVES_UP: Final = 3.0
"""Seconds after which whoever still calls is stopped."""
_MANY: Final = 1_000_000
"""More calls than are ever in progress: none waits for another to end."""


class Trial(NamedTuple):
    """What became of calls at one rate."""

    rate: float
    """Calls a second that were due."""
    good: bool
    """Whether none failed, and all were over in time."""
    again: int
    """Messages that the caller sent again."""
    work: float = 0.0
    """Milliseconds of the processor that the one who is measured took for a call."""
    late: float = 0.0
    """Seconds that a call was placed late at most, where that is known."""


_PACKAGES: Final = {"sipp": "sip-tester", "kamailio": "kamailio"}


def missing(program: str) -> str:
    """Return what to say of a program if it is not installed, else nothing."""
    if located(program) is not None:
        return ""
    return f"not measured: {program} is not installed (Debian: apt-get install {_PACKAGES[program]})"


def located(program: str) -> str | None:
    """Return the path of a program, or None; daemons live in sbin, which is not on every user's PATH."""
    return shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))


# Cores.


def cores() -> tuple[set[int], set[int]]:
    """Return the core of what is measured and those of all others; the same where there is but one."""
    *others, own = sorted(os.sched_getaffinity(0))
    return {own}, set(others) or {own}


@contextmanager
def on(where: Collection[int]) -> Iterator[None]:
    """Let what is started here run on some cores only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, where)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def worked(*processes: int) -> float:
    """Return seconds of the processor that processes have taken."""
    ticks = 0
    for each in processes:
        fields = Path(f"/proc/{each}/stat").read_text("ascii").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def children(process: int) -> list[int]:
    """Return the processes that one has started."""
    return [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text("ascii").split()]


# Ends.


def listens(address: Address) -> bool:
    """Whether some process has a UDP address."""
    number = "".join(f"{int(part):02X}" for part in reversed(address.host.split(".")))
    if sys.byteorder == "big":
        number = "".join(f"{int(part):02X}" for part in address.host.split("."))
    asked = f"{number}:{address.port:04X}"
    return any(line.split()[1] == asked for line in Path("/proc/net/udp").read_text("ascii").splitlines()[1:])


def await_listener(address: Address, by: "subprocess.Popen[bytes] | None" = None) -> None:
    """Wait until an address is listened on; raises RunError if it never is, or ``by`` has ended."""
    ends = time.monotonic() + STARTS_WITHIN
    while not listens(address):
        if by is not None and by.poll() is not None:
            raise RunError(f"the program for {address} has ended at once, with status {by.returncode}")
        if time.monotonic() > ends:
            raise RunError(f"nobody listens on {address} after {STARTS_WITHIN:g} s")
        time.sleep(LOOKS_EVERY)


def await_silence(address: Address) -> None:
    """Wait until an address is listened on no more; raises RunError if it always is."""
    ends = time.monotonic() + STARTS_WITHIN
    while listens(address):
        if time.monotonic() > ends:
            raise RunError(f"another program has {address}")
        time.sleep(LOOKS_EVERY)


def _command(scenario: str, own: Address, *options: str) -> list[str]:
    program = located("sipp")
    if program is None:
        raise RunError(missing("sipp"))
    bound = ["-i", own.host, "-bind_local", "-p", str(own.port), "-t", "u1", "-nostdin", "-l", str(_MANY)]
    return [program, "-sf", str(SCENARIOS / scenario), *bound, *options]


@contextmanager
def program(command: list[str], where: Collection[int], folder: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program on some cores, in a process group of its own, and end it with all that it has started."""
    with on(where):
        started = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(1.0)
        except subprocess.TimeoutExpired:
            os.killpg(started.pid, 9)
            started.wait()


@contextmanager
def callee(where: Collection[int], address: Address = CALLEE) -> Iterator[int]:
    """Run a SIPp that answers, and yield its process once it listens."""
    await_silence(address)
    with (
        tempfile.TemporaryDirectory() as folder,
        program(_command("callee.xml", address), where, folder) as started,
    ):
        await_listener(address, started)
        yield started.pid


def calls(rate: float, seconds: float, target: Address, where: Collection[int]) -> tuple[Trial, float]:
    """Let a SIPp call at a rate; return what became of the calls, and the processor seconds that it took itself."""
    many = round(rate * seconds)
    with tempfile.TemporaryDirectory() as folder:
        options = ["-r", f"{rate:g}", "-m", str(many), "-trace_stat", "-stf", "stat.csv"]
        command = [*_command("caller.xml", CALLER, *options), f"{target.host}:{target.port}"]
        began, before = time.monotonic(), os.times()
        with program(command, where, folder) as started:
            try:
                status = started.wait(seconds + GIVES_UP)
            except subprocess.TimeoutExpired:
                status = -1
            took = time.monotonic() - began
        after = os.times()
        with (Path(folder) / "stat.csv").open(newline="") as file:
            rows = list(csv.DictReader(file, delimiter=";"))
    last = rows[-1] if rows else {}  # none of who was stopped before the first
    counts = {name: int(value) for name, value in last.items() if name and value and value.isdecimal()}
    good = status == 0 and counts["SuccessfulCall(C)"] == many and took <= seconds + BEHIND
    own = after.children_user + after.children_system - before.children_user - before.children_system
    return Trial(rate, good, counts.get("Retransmissions(C)", 0)), own


# Which rate is the highest.


GROWS: Final = 1.5
HALVINGS: Final = 2
EASES: Final = 0.8
LEAST: Final = 5.0
"""Calls a second: who cannot do that is not measured."""


def highest(attempt: Callable[[float, float], Trial], first: float, short: float, seconds: float) -> Trial | None:
    """Return the trial of the highest rate found at which ``attempt`` of a rate and a time is good; None for none.

    The rate grows by half while trials of ``short`` seconds are good, and the gap to the first that is not is halved
    :data:`HALVINGS` times. What is found has to be good for ``seconds``, else it is tried with a fifth less. Each trial
    has a second chance, as others may just have wanted the machine.
    """

    def twice(rate: float, seconds: float) -> Trial:
        once = attempt(rate, seconds)
        return once if once.good else attempt(rate, seconds)

    good, bad = 0.0, 0.0
    rate = first
    while not bad:
        if twice(rate, short).good:
            good, rate = rate, rate * GROWS
        elif good:
            bad = rate
        else:
            rate /= GROWS * GROWS
            if rate < LEAST:
                return None
    for _ in range(HALVINGS):
        middle = (good + bad) / 2
        if twice(middle, short).good:
            good = middle
        else:
            bad = middle
    while good >= LEAST:
        found = twice(good, seconds)
        if found.good:
            return found
        good *= EASES
    return None
