"""Where a report comes from: what was played and how, whether it is evidence, and how to have it again."""

from typing import Any, Final

from reports.assumptions import ASSUMPTIONS
from reports.judge import Judged
from reports.origin import Origin, software
from reports.wording import clock_text, duration_text, set_apart, span_text
from scenarios.calendar import Clock
from scenarios.text import Text

_LIVE: Final = "live"
"""The engine that plays in real time."""
_ENGINES: Final = {
    "calls": Text("call attempts move, in virtual time"),
    "packets": Text("the very SIP messages move, in virtual time"),
    _LIVE: Text("SIP messages on real sockets, in real time"),
}


def origin_facts(judged: Judged, origin: Origin) -> dict[str, Any]:
    """Return what the section about it is filled with."""
    run, clock = judged.drill.run, judged.drill.run.clock
    live = judged.engine == _LIVE
    return {
        "origin": origin,
        "software": software(),
        "command": origin.command(judged.engine, judged.seed, run.replications),
        "played": _played(judged),
        "hours": _hours(judged, clock) if clock is not None else "",
        "replications": _replications(judged),
        "engine": _ENGINES.get(judged.engine, ""),
        "again": Text("A run in real time never comes out quite the same.")
        if live
        else Text("The same file, seed and versions give the same result, on any number of processors."),
        "assumptions": [(each.about, each.says[judged.engine]) for each in ASSUMPTIONS if judged.engine in each.says],
    }


def evidence_text(judged: Judged) -> Text | None:
    """Say of each fault whether it took effect; None without a fault."""
    told = []
    for fault in judged.drill.faults:
        at, missing = moment_text(judged.drill.run.clock, fault.at), judged.missing_evidence.get(fault.name, 0)
        if missing:
            runs = len(judged.summaries)
            told.append(
                Text(
                    "{fault} at {moment} took no effect in {missing} of {runs} runs",
                    fault=fault.name,
                    moment=at,
                    missing=missing,
                    runs=runs,
                )
            )
        else:
            told.append(Text("{fault} at {moment} took effect in every run", fault=fault.name, moment=at))
    return set_apart(told) if told else None


def moment_text(clock: Clock | None, at: float) -> Text:
    """Return a moment of the run, ``10m``, and what the clock on the wall shows: ``10m (03:00)``."""
    since = duration_text(at)
    return since if clock is None else Text("{since} ({clock})", since=since, clock=clock_text(clock, at))


def _played(judged: Judged) -> Text:
    run = judged.drill.run
    lasts = duration_text(run.lasts)
    if judged.engine == _LIVE:
        if run.warm:
            return Text("{lasts} of a plan in real time, calls in progress at the start", lasts=lasts)
        return Text("{lasts} of a plan in real time, empty at the start", lasts=lasts)
    if run.warm:
        return Text("{lasts} of a plan in virtual time, calls in progress at the start", lasts=lasts)
    return Text("{lasts} of a plan in virtual time, empty at the start", lasts=lasts)


def _hours(judged: Judged, clock: Clock) -> Text:
    hours = span_text(clock_text(clock, 0), clock_text(clock, judged.drill.run.lasts))
    if not clock.dated:
        return hours
    return Text("{hours}, {timezone}", hours=hours, timezone=judged.drill.run.timezone)


def _replications(judged: Judged) -> Text:
    done, asked = f"{len(judged.summaries):,}", f"{judged.drill.run.replications:,}"
    if judged.precision is not None:
        return Text("{done} of at most {asked}", done=done, asked=asked)
    return Text("{done} of {asked}", done=done, asked=asked)
