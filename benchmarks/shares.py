"""Where the time of a profile goes, by the parts of the program: own time, with the built-ins that each part calls."""

import cProfile
import pstats
from collections import Counter
from typing import Final

from benchmarks.measure import table

PARTS: Final = (
    ("sbc/sip/transaction", "SIP transactions and their timers"),
    ("sbc/sip/agenda", "SIP transactions and their timers"),
    *((f"sbc/sip/{name}", "SIP messages: parsed, read typed, built, written") for name in (
        "building", "fields", "framing", "grammar", "headers", "message", "sdp", "typed", "uri", "validate",
    )),
    ("sbc/sip/", "SIP calls: user agents, bridge, dialogs"),
    ("sbc/endpoints/", "endpoints and their tables"),
    ("sbc/decisions/", "endpoints and their tables"),
    ("sbc/live/", "sockets and shells, system calls included"),
    ("sim/", "hosts, network, agenda"),
    ("simpy/", "hosts, network, agenda"),
    ("asyncio", "asyncio and asyncio-dgram, system calls included"),
    ("selectors", "asyncio and asyncio-dgram, system calls included"),
)  # fmt: skip
"""Pieces of the names of files, the first that fits, and what they are parts of."""
OTHER: Final = "the rest"
WAITS: Final = "<method 'poll' of 'select.epoll' objects>"
"""What is no work, but the time until there is some; what each call of it costs is lost with it."""


def shares(profiler: cProfile.Profile) -> str:
    """Return a table of the parts and their shares of the time, waiting left out."""
    found: Counter[str] = Counter()
    for (file, _, name), (_, _, own, _, callers) in pstats.Stats(profiler).stats.items():  # type: ignore[attr-defined]  # typeshed has it not
        if name == WAITS:
            continue
        if file == "~":
            for (caller, _, _), (_, _, taken, _) in callers.items():
                found[_part(caller)] += taken
        else:
            found[_part(file)] += own
    whole = sum(found.values())
    return table(("part", "share"), [(part, f"{taken / whole:.0%}") for part, taken in found.most_common()])


def _part(file: str) -> str:
    return next((part for piece, part in PARTS if piece in file), OTHER)
