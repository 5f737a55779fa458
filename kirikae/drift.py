"""`kirikae drift`: one drill, the same callers, several engines: how far apart what comes out of them is."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from kirikae.engines import IN_REAL_TIME
from kirikae.options import OptionError
from kirikae.output import output, put
from kirikae.progress import progress
from kirikae.run import checked_plan
from kirikae.runner import ENGINES, Paired, Task, crew, in_turn, no_cluster_in_real_time
from reports import files
from reports.console import safe_console
from reports.drift import Drift, Side, common_queries
from reports.drift_result import drift_text
from reports.drift_terminal import print_drift
from reports.exit_codes import ExitCode
from reports.origin import Origin
from reports.summary import RunSummary
from scenarios.loader import Loaded, load
from scenarios.model import Drill
from scenarios.problems import did_you_mean
from scenarios.shortening import shortened
from scenarios.units import UnitError, parse_duration

ENOUGH_LIVE = 5
"""Replications where one of the engines plays in real time, unless somebody asks for more."""
_SHAPE = "names with commas between them, such as calls,packets; the same engine again under a name: calls,other=calls"
_NAME = re.compile(r"[\w-]+")
_FOR_ONE = re.compile(r"(?P<name>[\w-]+):(?P<change>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for; None leaves it to the drill or to a default."""

    engines: str
    changes: Sequence[str]
    seed: int | None
    replications: int | None
    lasts: str | None
    workers: int | None
    cluster: str | None
    json: str | None
    everything: bool


@dataclass(frozen=True, slots=True)
class Chosen:
    """An engine of the comparison, not yet played."""

    name: str
    engine: str
    changes: tuple[str, ...] = ()


def compare(path: Path, name: str, options: Options, console: Console) -> ExitCode:
    """Play a drill in each engine and say how far apart they are.

    Raises :class:`~kirikae.options.OptionError`, :class:`~scenarios.problems.DrillError` and
    :class:`~reports.files.ReportError`.
    """
    chosen, common = share_out(options.changes, chosen_engines(options.engines))
    no_cluster_in_real_time(options.cluster, [each.engine for each in chosen])
    plans = [load(path, [*common, *each.changes]) for each in chosen]
    if not _all_stand(chosen, plans, name, console):
        return ExitCode.INVALID
    first = plans[0].drill
    real_time = any(each.engine in IN_REAL_TIME for each in chosen)
    if real_time:  # one clock for all
        plans = [replace(plan, drill=shortened(plan.drill)) for plan in plans]
        first = plans[0].drill
    lasts = _lasts(options, first)
    drills = [_cut(plan.drill, lasts) for plan in plans]
    seed = first.run.seed if options.seed is None else options.seed
    asked = options.replications or (ENOUGH_LIVE if real_time else first.run.replications)
    queries = common_queries([(drill, each.engine) for drill, each in zip(drills, chosen, strict=True)])
    if not queries:
        raise OptionError(f"{options.engines}: these engines have no metric of this drill in common")
    paired = Paired(tuple(Task(drill, seed, queries, each.engine) for drill, each in zip(drills, chosen, strict=True)))
    with crew(options.workers, options.cluster) as hands, progress(console, "replications", asked) as done:
        if real_time:
            runs = in_turn(paired.run, asked, _stopped, done)
        else:
            runs = hands.compute(paired.run, range(asked), done)
    sides = tuple(
        Side(each.name, each.engine, each.changes, drill, tuple(row[index] for row in runs.results.values()))
        for index, (drill, each) in enumerate(zip(drills, chosen, strict=True))
    )
    drift = Drift(drills[0], first.run.lasts, seed, asked, runs.interrupted, sides)
    text = drift_text(drift, Origin(name, tuple(common)))
    if options.json not in (None, "-"):
        files.write_whole(Path(str(options.json)), text)
    with output("; the exit code says how it came out"):
        if options.json == "-":
            put(text)
        print_drift(console, drift, everything=options.everything)
    return drift.exit_code


def _stopped(summaries: tuple[RunSummary, ...]) -> bool:
    return any(summary.stopped is not None for summary in summaries)


def chosen_engines(text: str) -> list[Chosen]:
    """Read `calls,packets`; the same engine may come again as `name=engine`.

    Raises :class:`~kirikae.options.OptionError`.
    """
    chosen: list[Chosen] = []
    for part in (piece.strip() for piece in text.split(",")):
        name, equals, engine = (piece.strip() for piece in part.partition("="))
        engine = engine if equals else name
        if engine not in ENGINES:
            raise OptionError(
                f"--engines {text}: no engine is called {engine!r}{did_you_mean(engine, ENGINES)} "
                f"(allowed: {', '.join(ENGINES)})"
            )
        if not _NAME.fullmatch(name) or any(name == each.name for each in chosen):
            raise OptionError(f"--engines {text}: {name!r} stands twice or is no name (allowed: {_SHAPE})")
        chosen.append(Chosen(name, engine))
    if len(chosen) < 2:
        raise OptionError(f"--engines {text}: one engine has nothing to differ from (allowed: {_SHAPE})")
    return chosen


def share_out(changes: Sequence[str], chosen: Sequence[Chosen]) -> tuple[list[Chosen], list[str]]:
    """Give each engine the `--set NAME:PATH=VALUE` that is for it; return them, and what is for all.

    Raises :class:`~kirikae.options.OptionError` for a name that none of them has.
    """
    own: dict[str, list[str]] = {each.name: [] for each in chosen}
    common: list[str] = []
    for change in changes:
        match = _FOR_ONE.fullmatch(change)
        if match is None:
            common.append(change)
        elif match["name"] in own:
            own[match["name"]].append(match["change"])
        else:
            raise OptionError(
                f"--set {change}: no engine of this comparison is called {match['name']!r}"
                f"{did_you_mean(match['name'], own)} (allowed: {', '.join(own)})"
            )
    return [Chosen(each.name, each.engine, tuple(own[each.name])) for each in chosen], common


def _all_stand(chosen: Sequence[Chosen], plans: Sequence[Loaded], name: str, console: Console) -> bool:
    """Hold the plan to its rules, and again where it is another for one engine; remarks are made once."""
    silent = safe_console(sys.stdout, quiet=True)
    first, *_ = plans
    others = [plan for each, plan in zip(chosen, plans, strict=True) if each.changes and plan is not first]
    if checked_plan(first, name, console).errors:
        return False
    return not any(checked_plan(plan, name, silent).errors for plan in others)


def _lasts(options: Options, drill: Drill) -> float:
    """Return how much of the run is played: what the command line says, or the drill, at most all of it."""
    if options.lasts is None:
        return min(drill.drift.lasts or drill.run.lasts, drill.run.lasts)
    try:
        asked = parse_duration(options.lasts)
    except UnitError as error:
        raise OptionError(f"--for {options.lasts}: {error.reason} (allowed: {error.allowed})") from None
    if not asked:
        raise OptionError(f"--for {options.lasts}: nothing is left to play (allowed: a duration above 0)")
    return min(asked, drill.run.lasts)


def _cut(drill: Drill, lasts: float) -> Drill:
    return drill.model_copy(update={"run": drill.run.model_copy(update={"lasts": lasts})})
