"""Real pairs in a live run: what their addresses can mean, what can be done to them, and what is scaled."""

from collections.abc import Iterator

from scenarios.addresses import Address
from scenarios.model import Drain, Drill, Fault, Resume, Side, Step, SwitchNodes, Target
from scenarios.problems import Finding, Severity
from scenarios.rules.rule import Check, Path, Remark, Rule
from scenarios.text import Text
from scenarios.units import format_duration


def target_fields(drill: Drill) -> Iterator[Finding]:
    """Yield what single fields of `targets`, `live` and `command` cannot show; all findings are errors."""
    sent, heard = dict[Address, Path](), dict[Address, Path]()
    for name, target in drill.targets.items():
        path = ("targets", name)
        if name in drill.sbc_pairs and drill.sbc_pairs[name].mode == "active-active":
            message = Text("calls are sent to one service address, and an active-active pair has two")
            yield _not_applicable(path, message, Text("an active-standby pair"))
        for field, side in _sides(target):
            yield from _of_side((*path, field), side)
        yield from _addresses_twice(path, target, sent, heard)
    for index, fault in enumerate(drill.faults):
        if fault.command is not None and fault.pair is None and fault.site is None:
            message = Text("commands are for gear of the user's own; here the far end is kirikae itself")
            yield _not_applicable(("faults", index, "command"), message, Text("'pair' or 'site', or no 'command'"))
    by_the_clock = drill.calendars or any(not stream.arrivals.constant for stream in drill.traffic)
    by_the_clock = by_the_clock or drill.port_management is not None  # whose limits are for a day
    if by_the_clock and drill.live.timeline < 1:
        message = Text("hours, days and times of day pass as the clock on the wall does, and cannot be scaled")
        remedy = Text("'for' alone, or a plan without hours and profiles")
        yield _not_applicable(("live", "timeline"), message, remedy)


def _of_side(path: Path, side: Side) -> Iterator[Finding]:
    listen, send = side.listen_on, side.send_to
    if listen is None:
        if side.advertise is not None:
            message = Text("this says how others see 'listen_on', and there is none")
            yield _not_applicable((*path, "advertise"), message, Text("'listen_on' with it"))
    elif listen == send:
        message = Text("{address} is where calls are sent to; this machine cannot listen there as well", address=listen)
        yield _not_applicable((*path, "listen_on"), message, Text("an address of this machine"))
    elif listen.ip.version != send.ip.version:
        message = Text(
            "calls from IPv{sent} do not arrive at IPv{heard}", sent=send.ip.version, heard=listen.ip.version
        )
        yield _not_applicable((*path, "listen_on"), message, Text("addresses of one kind"))
    elif listen.loopback != send.loopback:
        message = Text(
            "nothing passes between {send} and {listen}: one is on loopback, the other is not", send=send, listen=listen
        )
        yield _not_applicable((*path, "listen_on"), message, Text("both on loopback, or neither"))


def _addresses_twice(
    path: Path, target: Target, sent: dict[Address, Path], heard: dict[Address, Path]
) -> Iterator[Finding]:
    """Yield what cannot be told apart: pairs by where calls are sent to, sides by where they are heard, two nodes."""
    for field, side in _sides(target):
        here = (*path, field, "send_to")
        first = sent.setdefault(side.send_to, here)
        if first[:2] != path:
            message = Text("{address} is the address of {pair} as well", address=side.send_to, pair=first[1])
            yield _twice(here, message, Text("an address of its own"))
        if side.listen_on is not None and heard.setdefault(side.listen_on, here) != here:
            message = Text("what arrives at {address} could be of another side as well", address=side.listen_on)
            yield _twice((*path, field, "listen_on"), message, Text("a port of its own for each side"))
    if target.nodes is not None and target.nodes[0] == target.nodes[1]:
        message = Text("both nodes have the same address")
        yield _twice((*path, "nodes", 1), message, Text("the address of the other node"))


def _sides(target: Target) -> Iterator[tuple[str, Side]]:
    yield "outside", target.outside
    if target.inside is not None:
        yield "inside", target.inside


def targets_of(drill: Drill, fault: Fault) -> list[str]:
    """Return the real pairs that a fault breaks."""
    return [
        name
        for name in drill.targets
        if name in drill.sbc_pairs and (name == fault.pair or drill.sbc_pairs[name].site == fault.site)
    ]


def _without_nodes(drill: Drill) -> Iterator[Remark]:
    for index, fault in enumerate(drill.faults):
        for name in targets_of(drill, fault) if fault.command is not None else ():
            if drill.targets[name].nodes is None:
                message = Text(
                    "nobody could tell whether {pair} is well before this is done to it, and afterwards", pair=name
                )
                yield Remark(("faults", index, "command"), message, Text("'nodes' of targets.{pair}", pair=name))


def out_of_hand(drill: Drill) -> Iterator[Remark]:
    """Yield the faults and steps that a live run cannot bring about, since they are about a real pair."""
    for index, fault in enumerate(drill.faults):
        names = targets_of(drill, fault)
        if names and fault.command is None:
            message = Text(
                "{pair} is a real pair: a live run cannot bring {fault!r} about", pair=names[0], fault=fault.name
            )
            yield Remark(("faults", index), message, Text("a 'command' that can, with its 'undo'"))
    for index, step in enumerate(drill.runbook):
        pair = _pair_of(step)
        if pair in drill.targets:
            message = Text("{pair} is a real pair: a live run cannot take this step", pair=pair)
            yield Remark(("runbook", index, "does"), message, Text("a plan of its own for the live run"))


def _pair_of(step: Step) -> str | None:
    """Return the pair that a step does something to."""
    match step.does:
        case Drain(drain=pair) | Resume(resume=pair) | SwitchNodes(switch=pair):
            return pair
        case _:
            return None


def _nothing_happens(drill: Drill) -> Iterator[Remark]:
    live, first = drill.live, min((fault.at for fault in drill.faults), default=None)
    if live.lasts is not None and first is not None and first * live.timeline >= live.lasts:
        message = Text(
            "a live run ends after {lasts}, and the first fault comes at {time}",
            lasts=format_duration(live.lasts),
            time=format_duration(first * live.timeline),
        )
        yield Remark(("live", "for"), message, Text("a longer 'for', or a smaller 'timeline'"))


def _not_applicable(path: Path, message: Text, remedy: Text) -> Finding:
    return Finding("not-applicable", Severity.ERROR, path, message, remedy)


def _twice(path: Path, message: Text, remedy: Text) -> Finding:
    return Finding("duplicate-name", Severity.ERROR, path, message, remedy)


TARGETS: dict[Rule, Check] = {
    Rule(
        "command-without-nodes",
        Severity.ERROR,
        "Real gear is touched only while both of its nodes answer, and has to answer again afterwards.",
        waivable=False,
    ): _without_nodes,
    Rule(
        "out-of-hand",
        Severity.WARNING,
        "What happens to a real pair, a live run can bring about only by a command that the drill names.",
    ): out_of_hand,
    Rule(
        "live-without-fault",
        Severity.WARNING,
        "A live run that ends before anything fails shows nothing about the plan.",
    ): _nothing_happens,
}
"""Rules about live runs."""
