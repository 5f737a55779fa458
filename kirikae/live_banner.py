"""What a live run on real pairs is about to do, for the person who has started it."""

from collections.abc import Iterator

from sbc.decisions.dialling import EMERGENCY
from sbc.decisions.permission import Permission, ceiling, numbers_dialled, peak_rate
from sbc.live.gear import deeds_of
from scenarios.model import Drill, Side, Target
from scenarios.rules.rule import listed
from scenarios.units import format_duration

_WIDTH = 10


def banner(drill: Drill, permission: Permission) -> str:
    """Return what will be sent where and done to what, line by line; nothing where all pairs are emulated.

    The drill is the one that will be played, shortened. No secret is in it: commands name them only.
    """
    if not drill.targets:
        return ""
    return "\n".join(["This sends real SIP to real systems.", *(f"  {line}" for line in _lines(drill, permission))])


def _lines(drill: Drill, permission: Permission) -> Iterator[str]:
    for name, target in drill.targets.items():
        yield from _of_target(name, target)
    most = ceiling(drill, permission)
    limit = "" if most is None else f", never more than {most:g}/s"
    yield _row("calls", f"up to {peak_rate(drill):g}/s on average{limit}, for {format_duration(drill.run.lasts)}")
    yield _row("numbers", listed(numbers_dialled(drill)))
    yield _row("never", ", ".join(EMERGENCY))
    for deed in deeds_of(drill).values():
        fault = drill.fault_named(deed.fault)
        at = "" if fault is None else f" at {format_duration(fault.at)}"
        yield _row("runs", f"{deed.command.run}   ({deed.fault}{at})")
        yield _row("undone by", str(deed.command.undo))


def _of_target(name: str, target: Target) -> Iterator[str]:
    yield _row("to", f"{name}: {_side(target.outside)}" + ("" if target.inside else ", on both sides"))
    if target.inside is not None:
        yield _row("", f"{name}, inside: {_side(target.inside)}")
    yield _row("", f"{name}, watched by OPTIONS every {format_duration(target.probe_every)}")
    if target.nodes is not None:
        yield _row("", f"{name}, nodes asked by OPTIONS: {', '.join(map(str, target.nodes))}")


def _side(side: Side) -> str:
    heard = "" if side.listen_on is None else f", heard at {side.listen_on}"
    shown = "" if side.advertise is None else f" as {side.advertise}"
    return f"{side.send_to}{heard}{shown}"


def _row(label: str, text: str) -> str:
    return f"{label:<{_WIDTH}}{text}"
