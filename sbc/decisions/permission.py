"""What a live run may send where, and do to what: decided before anything is sent, and again for each call."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from math import inf

from sbc.decisions.dialling import EMERGENCY, NumberPattern, never_dialled
from scenarios.addresses import Address
from scenarios.model import Drill, Verify, VerifyOut
from scenarios.numberplan import NumberError, parse_number
from scenarios.problems import path_text
from scenarios.rules.plan import reached
from scenarios.rules.targets import out_of_hand, targets_of

CEILING = 10.0
"""New calls per second that leave this machine at most, unless more are allowed: a small call centre's busy hour."""

_SHOWN = 5
_VERSION = 4
"""Of IP: endpoints write no brackets yet around the addresses of the other."""


@dataclass(frozen=True, slots=True)
class Permission:
    """What the person who starts a live run allows; by default nothing that leaves this machine."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """Where targets may be, besides loopback."""
    numbers: tuple[NumberPattern, ...] = ()
    """What may be dialled off loopback."""
    max_rate: float | None = None
    """New calls per second at most; None: :data:`CEILING` off loopback, and no ceiling on it."""
    commands: bool = False
    """Whether commands that the drill names may be run."""

    def reaches(self, address: Address) -> bool:
        """Whether something may be sent to an address."""
        return self.allows(address.ip)

    def allows(self, ip: IPv4Address | IPv6Address) -> bool:
        """Whether something may be sent to a host."""
        return ip.is_loopback or any(ip in network for network in self.networks)


def off_loopback(drill: Drill) -> bool:
    """Whether anything that a live run sends leaves this machine."""
    return not all(address.loopback for target in drill.targets.values() for address in target.addresses)


def ceiling(drill: Drill, permission: Permission) -> float | None:
    """Return the new calls per second that a live run may place at most, or None where there is no ceiling."""
    if permission.max_rate is not None:
        return permission.max_rate
    return CEILING if off_loopback(drill) else None


def refusals(drill: Drill, permission: Permission) -> list[str]:
    """Return why a live run of a drill, shortened as it will be played, must not begin; nothing where it may."""
    return [
        *_of_addresses(drill, permission),
        *_of_numbers(drill, permission),
        *_of_rate(drill, permission),
        *_of_deeds(drill, permission),
    ]


def dialling_refused(drill: Drill, permission: Permission, number: str) -> str | None:
    """Return why a number must not be dialled in a live run of a drill, or None where it may.

    To be asked for every call: what was checked beforehand is the plan, and this is what is sent.
    """
    if drill.targets and never_dialled(number):
        return f"{number} is or leads to an emergency number; {_NEVER}, on loopback or not"
    if not off_loopback(drill):
        return None
    try:
        info = parse_number(number)
    except NumberError as error:
        return f"{number} {error.reason}; off loopback only whole numbers are dialled"
    if any(pattern.covers(info) for pattern in permission.numbers):
        return None
    return f"{number} is not allowed: say --allow-number {info.text} if it may be called"


_NEVER = f"{', '.join(EMERGENCY)} are never called on a real target"


def numbers_dialled(drill: Drill) -> tuple[str, ...]:
    """Return the numbers that a drill dials, in the order in which it names them, and those behind them.

    Whom agents call back is not among them: callers' numbers are made during the run.
    """
    tested = [step.does.verify for step in drill.runbook if isinstance(step.does, Verify)]
    tests_out = (drill.called_by_test(step.does) for step in drill.runbook if isinstance(step.does, VerifyOut))
    tested += [number for number in tests_out if number is not None]
    overflows = (queue.overflow.to for queue in drill.queues.values() if queue.overflow is not None)
    named = dict.fromkeys((*(stream.to for stream in drill.traffic), *tested, *overflows))
    behind = sorted(reached(drill, named) - named.keys())
    return (*named, *behind)


def peak_rate(drill: Drill) -> float:
    """Return the most new calls per second on average, all surges at once, without those who try again."""
    return sum(
        stream.arrivals.peak * (1.0 if stream.surge is None else max(1.0, stream.surge.factor))
        for stream in drill.traffic
    )


def _of_addresses(drill: Drill, permission: Permission) -> Iterator[str]:
    for name, target in drill.targets.items():
        for address in target.addresses:
            if address.ip.version != _VERSION:
                yield f"{name}: {address} is of IPv6, which follows later; give the pair an address of IPv4"
            elif not permission.reaches(address):
                yield f"{name}: {address} is not on this machine; say --allow-target {address.ip} if it may be called"


def _of_numbers(drill: Drill, permission: Permission) -> Iterator[str]:
    found = [dialling_refused(drill, permission, number) for number in numbers_dialled(drill)]
    refused = [reason for reason in found if reason is not None]
    yield from refused[:_SHOWN]
    if len(refused) > _SHOWN:
        yield f"and {len(refused) - _SHOWN} numbers more"


def _of_rate(drill: Drill, permission: Permission) -> Iterator[str]:
    most, asked = ceiling(drill, permission), peak_rate(drill)
    if most is not None and asked > most:
        yield (
            f"the drill asks for up to {asked:g} new calls a second, and at most {most:g} are allowed: "
            f"scale it (live: {{traffic: …}}), or say --max-rate"
        )


def _of_deeds(drill: Drill, permission: Permission) -> Iterator[str]:
    for remark in out_of_hand(drill):
        yield f"{path_text(remark.path)}: {remark.message}; what could: {remark.remedy}"
    named = [fault.name for fault in drill.faults if fault.command is not None and targets_of(drill, fault)]
    if named and not permission.commands:
        yield f"{', '.join(named)} would run commands of the drill on this machine; say --allow-exec if it may"


class Ceiling:
    """New calls in any stretch of time against a rate; a call above it has to wait."""

    __slots__ = ("_placed", "_window")

    def __init__(self, rate: float) -> None:
        """Take a rate above 0 per second; below one a second the stretch is as long as one call takes."""
        calls = max(1, int(rate))
        self._window = calls / rate
        self._placed: deque[float] = deque([-inf] * calls, calls)

    def earliest(self, now: float) -> float:
        """Return the moment from which on the next call may be placed, now at the earliest."""
        return max(now, self._placed[0] + self._window)

    def place(self, now: float) -> None:
        """Count a call."""
        self._placed.append(now)
