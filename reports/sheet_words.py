"""What a step of the runbook does and waits for, and where somebody decides, in words for people on the day.

All are texts, so that they are said in every language of the catalogues.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from scenarios.distributions import Distribution
from scenarios.model import (
    DUTIES,
    Activate,
    Actor,
    Announce,
    CallerNumbers,
    Deactivate,
    DefaultCaller,
    Delete,
    Drain,
    Drill,
    Enter,
    Export,
    Forward,
    LookAtSync,
    RequestPorts,
    Reroute,
    Resume,
    ResumeSync,
    Step,
    SwitchNodes,
    SwitchSoftphones,
    Verify,
    VerifyOut,
    When,
)
from scenarios.text import Text
from scenarios.units import format_duration, format_share

AGENTS = "agents"
"""The actor of steps that every agent takes alone."""

Moments = Callable[[float], str]
"""Says a moment, given in seconds since the start of the run, as the sheet does."""


def deeds(drill: Drill, step: Step) -> tuple[Text, ...]:
    """Say what a step does: its effect, and what it is for where no effect says so."""
    effect = _effect(drill, step)
    return (*([] if effect is None else [effect]), *(DUTIES[duty] for duty in step.duties))


def _effect(drill: Drill, step: Step) -> Text | None:
    match step.does:
        case Activate(activate=site):
            return Text("{site} is put into service: from then on it takes calls and phones.", site=site)
        case Deactivate(deactivate=site):
            return Text("{site} is taken out of service: it refuses new calls and phones, calls up go on.", site=site)
        case DefaultCaller(default_caller=number):
            return Text("Calls out show {number}, unless they choose another number.", number=number)
        case SwitchSoftphones(softphones=group, site=site, login=login):
            values = {"count": drill.agents[group].count, "group": group, "site": site}
            if drill.agents[group].softphone.stays:
                return Text(
                    "The {count} agents of {group} try to switch to {site}: their phones are not prepared for it.",
                    **values,
                )
            if login is not None:
                return Text(
                    "Each of the {count} agents of {group} switches the phone to {site} and signs in again; over with "
                    "the last of them.",
                    **values,
                )
            return Text(
                "Each of the {count} agents of {group} switches the phone to {site}; over with the last of them.",
                **values,
            )
        case CallerNumbers(caller_numbers=group, to=number):
            return Text("The phones of {group} show {number} as their own number.", group=group, number=number)
        case Reroute(route=number, to=to):
            return Text("Calls to {number} lead to {to} from then on.", number=number, to=to)
        case Forward(forward=number, to=to):
            warp = drill.numbers[number].voice_warp
            channels = 0 if warp is None else warp.channels
            return Text(
                "The carrier forwards {number} to {to}, at most {channels} calls at a time.",
                number=number,
                to=to,
                channels=channels,
            )
        case Announce(announce=number, to=to):
            return Text("Callers of {number} are told to dial {to}.", number=number, to=to)
        case Verify(verify=number):
            return Text("A test call to {number}; it is repeated until it reaches somebody.", number=number)
        case VerifyOut(verify_out=group) as test:
            return Text(
                "Test calls out from a phone of {group} to {to}, with every number that it can show; repeated until all"
                " of them leave.",
                group=group,
                to=drill.called_by_test(test) or "?",
            )
        case Drain(drain=pair):
            return Text("{pair} refuses new calls, calls up go on.", pair=pair)
        case Resume(resume=pair):
            return Text("{pair} takes new calls again.", pair=pair)
        case SwitchNodes(switch=pair):
            if drill.sbc_pairs[pair].keeps == "none":
                return Text("The two nodes of {pair} change roles; calls that are up are cut.", pair=pair)
            return Text("The two nodes of {pair} change roles.", pair=pair)
        case RequestPorts(request_ports=ports):
            limits = ", ".join(f"{name} {value}" for name, value in ports.model_dump(exclude_none=True).items())
            return Text("A request for other limits on ports is filed: {limits}.", limits=limits)
        case Enter(enter=change, site=site):
            return Text("The change “{change}” is made at {site}.", change=change, site=site)
        case LookAtSync(look_at_sync=site):
            return Text("Somebody looks whether {site} still gets copies of the data.", site=site)
        case ResumeSync(resume_sync=site):
            return Text("Data are copied to {site} again; what only {site} has is overwritten.", site=site)
        case Export(export=data, site=site):
            return Text("What {site} has of “{data}” is saved elsewhere.", site=site, data=data)
        case Delete(delete=data, site=site):
            return Text("What {site} has of “{data}” is deleted for good.", site=site, data=data)
        case None:
            return None


# What it waits for


def numbered(drill: Drill) -> Mapping[str, int]:
    """Return the number of each step on the sheet, from 1 in file order."""
    return {step.step: number for number, step in enumerate(drill.runbook, 1)}


def waits(drill: Drill, step: Step, moment: Moments) -> tuple[Text, ...]:
    """Say what must be so before a step can be begun, conditions apart, which are go/no-go points.

    ``moment`` says when something is expected.
    """
    return (*_set_off(drill, step, moment), *_consoles(drill, step))


def _set_off(drill: Drill, step: Step, moment: Moments) -> Iterator[Text]:
    numbers = numbered(drill)
    if step.starts is not None and step.starts.after is not None:
        fault = step.starts.after
        if step.starts.delay is None:
            yield Text("{fault} has happened", fault=fault)
        else:
            yield Text("{fault} has happened, and somebody has decided to act", fault=fault)
    if step.starts is not None and step.starts.at is not None:
        yield Text("the time planned for it: {moment}", moment=moment(step.starts.at))
    for before in step.predecessors:
        yield Text("step {number}, {step}, is finished", number=numbers[before], step=before)


def _conditions(drill: Drill, when: When, moment: Moments) -> Iterator[Text]:
    if when.repaired is not None:
        fault = drill.fault_named(when.repaired)
        if fault is None or fault.lasts is None:
            yield Text("{fault} is over", fault=when.repaired)
        else:
            over = moment(fault.at + fault.lasts)
            yield Text("{fault} is over (expected {moment})", fault=when.repaired, moment=over)
    if when.in_service is not None:
        yield Text("{site} is in service", site=when.in_service)
    if when.idle is not None:
        yield Text("no call is up on {pair}", pair=when.idle)
    if when.granted is not None:
        numbers = numbered(drill)
        yield Text("the ports of step {number}, {step}, are granted", number=numbers[when.granted], step=when.granted)
    if when.registered is not None:
        share = format_share(when.share)
        values = {"share": share, "group": when.registered, "site": when.site}
        yield Text("{share} of the phones of {group} are registered at {site}", **values)


def _consoles(drill: Drill, step: Step) -> Iterator[Text]:
    for name in step.consoles:
        if places := drill.consoles[name].places:
            yield Text(
                "{console} can be reached, for which {places} must be up", console=name, places=", ".join(places)
            )


# Go or no-go


def decisions(drill: Drill, step: Step, moment: Moments) -> tuple[Text, ...]:
    """Say what is decided or checked at a step before anybody goes on; empty where it is no go/no-go point.

    Such points are: a fault that somebody decides to act on, and the first planned step; conditions of the plan
    (`when`); a test call, a look at replication and a drained pair that is to take calls again, which decide whether to
    go on; the first step of the way back; and what cannot be undone.
    """
    return (
        *_to_act(drill, step),
        *_to_return(drill, step),
        *_on_conditions(drill, step, moment),
        *_on_check(drill, step),
        *_no_way_back(step),
    )


def _to_act(drill: Drill, step: Step) -> Iterator[Text]:
    starts = step.starts
    if starts is None or step.by == AGENTS:
        return
    if starts.after is not None and starts.delay is not None:
        yield Text("Act on {fault}, or wait for its end?", fault=starts.after)
    planned = [each.starts.at for each in drill.runbook if each.starts is not None and each.starts.at is not None]
    if starts.at is not None and starts.at == min(planned):
        yield Text("Begin with the planned work, or put it off?")


def _on_conditions(drill: Drill, step: Step, moment: Moments) -> Iterator[Text]:
    if step.when is not None:
        for condition in _conditions(drill, step.when, moment):
            yield Text("Go only when: {condition}.", condition=condition)


def _on_check(drill: Drill, step: Step) -> Iterator[Text]:
    if isinstance(step.does, Resume):
        yield Text("Is {pair} fit for calls again?", pair=step.does.resume)
    if not isinstance(step.does, Verify | VerifyOut | LookAtSync):
        return
    numbers = numbered(drill)
    after = ", ".join(str(numbers[each.step]) for each in drill.runbook if step.step in each.predecessors)
    if isinstance(step.does, LookAtSync):
        yield Text("Are the copies up to date? If not, know what is missing before you go on.")
    elif after:
        yield Text("Did the call get through? If not, find out why; do not begin with step {steps}.", steps=after)
    else:
        yield Text("Did the call get through? If not, it is not over: find out why.")


def _to_return(drill: Drill, step: Step) -> Iterator[Text]:
    back = returning(drill)
    if step.step == next((each.step for each in drill.runbook if each.step in back), None):
        yield Text("Go back now, or stay for today?")


def _no_way_back(step: Step) -> Iterator[Text]:
    match step.does:
        case ResumeSync(resume_sync=site):
            yield Text("No way back: is everything saved that only {site} has?", site=site)
        case Delete(delete=data):
            yield Text("No way back: is “{data}” saved?", data=data)
        case _:
            pass


def returning(drill: Drill) -> frozenset[str]:
    """Return the steps that bring things back to where they were, and those that follow on them.

    They undo what a step before them in the file did: phones at the first site of their group again, a number that
    leads where it did, the default number; or they take a site out of service, or let data be copied again.
    """
    moved: set[object] = set()
    found: set[str] = set()
    for step in drill.runbook:
        if _undoes(drill, step, moved) or any(before in found for before in step.predecessors):
            found.add(step.step)
    return frozenset(found)


def _undoes(drill: Drill, step: Step, moved: set[object]) -> bool:
    """Tell whether a step undoes what is in ``moved``, and put there what it moves itself."""
    match step.does:
        case Deactivate() | ResumeSync():
            return True
        case SwitchSoftphones(softphones=group, site=site):
            thing, home = ("phones", group), site == drill.agents[group].softphone.sites[0]
        case Reroute(route=number, to=to):
            entry = drill.numbers.get(number)
            thing, home = ("number", number), entry is not None and to == entry.to
        case DefaultCaller(default_caller=number):
            thing, home = ("default", ""), number == drill.default_caller
        case _:
            return False
    if not home:
        moved.add(thing)
    return home and thing in moved


# People


def reached(actor: Actor) -> tuple[Text, ...]:
    """Say how somebody is reached who is not always there."""
    said: list[Text] = []
    if actor.hours is not None:
        said.append(Text("on duty by the calendar {calendar}", calendar=actor.hours))
    if isinstance(actor.reachable, Distribution):
        said.append(Text("otherwise reached after {time} on average", time=_about(actor.reachable)))
    elif actor.reachable is not None:
        said.append(Text("otherwise {share} of calls reach them", share=format_share(actor.reachable)))
    if actor.deputy is not None:
        if actor.deputy_after is None:
            said.append(Text("if not there: {deputy}", deputy=actor.deputy))
        else:
            time = _about(actor.deputy_after)
            said.append(Text("if not there: {deputy}, after {time}", deputy=actor.deputy, time=time))
    return tuple(said)


def _about(time: Distribution) -> str:
    return format_duration(round(time.mean))


def stand_ins(actors: Mapping[str, Actor], names: Sequence[str]) -> tuple[str, ...]:
    """Return people with their deputies, each once, in the order in which they are called."""
    found: dict[str, None] = {}
    for name in names:
        called: str | None = name
        while called is not None and called not in found:
            found[called] = None
            called = actors[called].deputy if called in actors else None
    return tuple(found)
