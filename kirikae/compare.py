"""`kirikae compare`: two runs, or two versions of a plan, side by side; or one against what was accepted before."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from kirikae import drills
from kirikae.engines import DEFAULT, IN_REAL_TIME, VIRTUAL
from kirikae.options import OptionError
from kirikae.output import output, put
from kirikae.progress import progress
from kirikae.run import checked_plan
from kirikae.runner import Paired, Task, crew
from reports import files
from reports.checked import Checked
from reports.compare import Comparison, compare
from reports.compare_baseline import Baseline, Night, read_baseline
from reports.compare_html import comparison_page
from reports.compare_junit import comparison_junit
from reports.compare_nights import compare_nights
from reports.compare_result import comparison_text
from reports.compare_runs import RESULT, Run, is_run, read_json, read_run, run_of
from reports.compare_terminal import print_comparison
from reports.compare_tolerances import Tolerances, parse_tolerances
from reports.console import safe_console
from reports.exit_codes import ExitCode
from reports.judge import judge
from reports.origin import Origin
from reports.queries import default_queries
from reports.replications import FILE, replications
from reports.result import result
from reports.sweep_changes import effective
from scenarios.loader import Loaded, load
from scenarios.paths import is_folder
from scenarios.problems import did_you_mean
from scenarios.units import UnitError
from sim.crew import Crew

LAST = "last"
"""What `--against` knows."""
SIDES = ("A", "B")
_OF_BASELINE = ("the baseline", "this run")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for; None leaves it to the runs, the drills or a default."""

    against: str | None
    baseline: Path
    accept: bool
    tolerances: Sequence[str]
    engine: str | None
    seed: int | None
    replications: int | None
    changes: Sequence[str]
    changes_a: Sequence[str]
    changes_b: Sequence[str]
    workers: int | None
    cluster: str | None
    everything: bool
    html: Path | None
    json: str | None
    junit: Path | None


class _Data(NamedTuple):
    """A run, and the two files that it is made of."""

    run: Run
    night: Night | None
    """None for a run without values of its replications."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """How drills are played."""

    engine: str
    seed: int
    replications: int


def compare_two(first: str, second: str, options: Options, console: Console) -> ExitCode:
    """Compare two runs or drills, and say how the second came out.

    Raises :class:`~kirikae.options.OptionError`, :class:`~reports.compare_runs.RunError`,
    :class:`~scenarios.problems.DrillError`, :class:`~kirikae.drills.UnknownDrillError` and
    :class:`~reports.files.ReportError`.
    """
    if options.accept:
        raise OptionError("--accept: this is about a baseline (allowed with --against last)")
    tolerances = _tolerances(options.tolerances)
    own = (options.changes_a, options.changes_b)
    sides = [_side(name, [*options.changes, *more]) for name, more in zip((first, second), own, strict=True)]
    _see_that_options_are_of_use(sides, options)
    played = _played(sides, options, console)
    if played is None:
        return ExitCode.INVALID
    (one, _), (other, _) = played
    comparison = compare(one, other, tolerances, SIDES)
    _tell(comparison, tolerances, options, console)
    return comparison.exit_code


def compare_with_last(name: str, options: Options, console: Console) -> ExitCode:
    """Hold a run against the baseline of its drill and engine; raises as :func:`compare_two` does."""
    if options.against != LAST:
        near = did_you_mean(str(options.against), [LAST])
        raise OptionError(f"--against {options.against}: this is not known{near} (allowed: {LAST})")
    for option, given in (("--set-a", options.changes_a), ("--set-b", options.changes_b)):
        if given:
            raise OptionError(f"{option}: there is one drill only (allowed: --set)")
    tolerances = _tolerances(options.tolerances)
    sides = [_side(name, options.changes)]
    _see_that_options_are_of_use(sides, options)
    played = _played(sides, options, console)
    if played is None:
        return ExitCode.INVALID
    ((run, night),) = played
    if night is None:
        raise OptionError(f"{name}: it has no {FILE}, and so is no run to compare later ones with; run the drill again")
    baseline = read_baseline(options.baseline, run.name, run.engine)
    live = run.engine in IN_REAL_TIME
    comparison, kept = _held_against(baseline, run, night, tolerances, live=live)
    if comparison is None:  # whoever collects the files of a night finds them after the first one, too
        code = ExitCode.INCONCLUSIVE if run.no_evidence else ExitCode.PASSED
        _tell(_with_itself(run, tolerances, live=live), tolerances, options, safe_console(sys.stdout, quiet=True))
    else:
        code = comparison.exit_code
        _tell(comparison, tolerances, options, console)
    if options.accept and not run.no_evidence:
        kept, code = _accepted(kept, run, night, comparison), ExitCode.PASSED
    if kept != baseline:
        kept.write()
    with output(f"; the baseline is {baseline.path}"):
        for sentence in _of_the_baseline(baseline, kept, run, night, options, code):
            console.print(sentence, soft_wrap=True)
    return code


def _held_against(
    baseline: Baseline, run: Run, night: Night, tolerances: Tolerances, *, live: bool
) -> tuple[Comparison | None, Baseline]:
    """Compare a run with the baseline, if there is one; return with it what the baseline is then, if none accepts."""
    new = not run.no_evidence and not baseline.has(night)
    if not baseline.accepted:
        return None, baseline.with_night(night) if new else baseline
    if not live:
        (accepted,) = baseline.runs(baseline.accepted[-1:])
        return compare(replace(accepted, source=str(baseline.path)), run, tolerances, _OF_BASELINE), baseline
    now = baseline.with_night(night) if new else baseline
    nights = [replace(each, source=str(baseline.path)) for each in now.runs(now.accepted)]
    # nights of another plan are kept, and say nothing of this one
    comparison = compare_nights(nights, now.runs(now.recent_of(run)), run, tolerances, _OF_BASELINE)
    return comparison, now


def _with_itself(run: Run, tolerances: Tolerances, *, live: bool) -> Comparison:
    if live:
        return compare_nights([run], [], run, tolerances, _OF_BASELINE)
    return compare(run, run, tolerances, _OF_BASELINE)


def _accepted(kept: Baseline, run: Run, night: Night, comparison: Comparison | None) -> Baseline:
    """Return a baseline that begins with what is accepted: this run, or the live nights that were compared."""
    compared = comparison.nights.recent if comparison is not None and comparison.nights is not None else 0
    nights = kept.recent_of(run)[-compared:] if compared else ()
    return replace(kept, accepted=nights or (night,), recent=())


def _of_the_baseline(
    before: Baseline, after: Baseline, run: Run, night: Night, options: Options, code: ExitCode
) -> list[str]:
    """Say what has become of the baseline."""
    live = run.engine in IN_REAL_TIME
    if run.no_evidence:
        return [f"Nothing is stored: this run is no evidence: {'; '.join(run.no_evidence)}."]
    if options.accept:
        what = f"{len(after.accepted)} live nights" if len(after.accepted) > 1 else "this run"
        return [f"Accepted: the baseline is now {what}: {after.path}"]
    if not before.accepted:
        none = f"The first night: there was no baseline of this drill on the {run.engine} engine."
        return [f"{none} This run ({run.verdict}) is it now: {after.path}"]
    if not live:
        rest = "--accept makes this run the baseline." if code is not ExitCode.PASSED else "It stays until --accept."
        return [f"The baseline is {before.path}. {rest}"]
    if before.has(night):
        return [f"This very run is in {before.path} already, and is not counted again."]
    where = "the baseline" if len(after.accepted) > len(before.accepted) else "the last nights"
    return [f"This night is stored with {where}: {after.path}"]


@dataclass(frozen=True, slots=True)
class _Drill:
    """A drill that is to be played."""

    name: str
    changes: tuple[str, ...]
    loaded: Loaded


@dataclass(frozen=True, slots=True)
class _Side:
    """What one side is: a run that is there, or a drill that is to be played."""

    name: str
    data: _Data | None
    changes: tuple[str, ...]
    loaded: Loaded | None


def _side(name: str, changes: Sequence[str]) -> _Side:
    path = Path(name)
    if not is_run(path):
        return _Side(name, None, tuple(changes), load(drills.find(name), changes))
    if changes:
        raise OptionError(f"--set: {name} is a run that is over (allowed: for a drill)")
    return _Side(name, _read(path), (), None)


def _read(path: Path) -> _Data:
    run = read_run(path)
    if run.numbers is None:
        return _Data(run, None)
    file = path / RESULT if is_folder(path) else path
    return _Data(run, Night(read_json(file), read_json(file.with_name(FILE))))


def _see_that_options_are_of_use(sides: Sequence[_Side], options: Options) -> None:
    if any(side.loaded is not None for side in sides):
        return
    given = {
        "--engine": options.engine,
        "--seed": options.seed,
        "--replications": options.replications,
        "--workers": options.workers,
        "--cluster": options.cluster,
    }
    for option, value in given.items():
        if value is not None:
            raise OptionError(f"{option}: nothing is played (allowed with a drill)")


def _played(sides: Sequence[_Side], options: Options, console: Console) -> list[_Data] | None:
    """Return all sides as runs; drills are played with the same callers. None for a plan with errors."""
    todo = [_Drill(side.name, side.changes, side.loaded) for side in sides if side.loaded is not None]
    if not todo:
        return [side.data for side in sides if side.data is not None]
    asked = _asked(sides, options)
    silent, seen = safe_console(sys.stdout, quiet=True), set[str]()
    plans = []
    for drill in todo:
        told = silent if drill.name in seen else console  # remarks on two versions of one plan are made once
        plans.append(checked_plan(drill.loaded, drill.name, told))
        if plans[-1].errors:
            return None
        seen.add(drill.name)
    with crew(options.workers, options.cluster) as hands:
        made = iter(_play(todo, plans, asked, hands, console))
    return [side.data if side.data is not None else next(made) for side in sides]


def _asked(sides: Sequence[_Side], options: Options) -> _Asked:
    """Return how drills are played: as the command line says, else as the run that they are compared with was."""
    there = next((side.data.run for side in sides if side.data is not None), None)
    engine = options.engine or (there.engine if there is not None and there.engine in VIRTUAL else DEFAULT)
    if engine not in VIRTUAL:
        near = did_you_mean(engine, VIRTUAL)
        raise OptionError(
            f"--engine {engine}: what is played for a comparison is played in virtual time{near} "
            f"(allowed: {', '.join(VIRTUAL)}; live runs are compared by their folders)"
        )
    drill = next(side.loaded.drill for side in sides if side.loaded is not None)
    seed = drill.run.seed if there is None else there.seed
    count = drill.run.replications if there is None else there.done
    return _Asked(engine, seed if options.seed is None else options.seed, options.replications or max(count, 1))


def _play(
    todo: Sequence[_Drill], plans: Sequence[Checked], asked: _Asked, hands: Crew, console: Console
) -> list[_Data]:
    """Play all drills, each replication of all of them together, so that whatever is kept has its twin."""
    given = {"seed": asked.seed, "replications": asked.replications, "precision": None}
    as_asked = [
        each.loaded.drill.model_copy(update={"run": each.loaded.drill.run.model_copy(update=given)}) for each in todo
    ]
    tasks = Paired(tuple(Task(drill, asked.seed, default_queries(drill), asked.engine) for drill in as_asked))
    with progress(console, "replications", asked.replications) as done:
        runs = hands.compute(tasks.run, range(asked.replications), done)
    if not runs.results:
        raise KeyboardInterrupt
    made, numbers = [], tuple(runs.results)
    for index, (each, drill, plan) in enumerate(zip(todo, as_asked, plans, strict=True)):
        summaries = [row[index] for row in runs.results.values()]
        judged = judge(drill, summaries, engine=asked.engine, seed=asked.seed, interrupted=runs.interrupted, plan=plan)
        origin = Origin(each.name, each.changes, (), effective(each.loaded.tree))
        night = Night(result(judged, origin), replications(judged, origin, numbers))
        path = Path(each.name)
        made.append(_Data(run_of(night.result, night.replications, each.name, path, path), night))
    return made


def _tolerances(texts: Sequence[str]) -> Tolerances:
    for text in texts:
        try:
            parse_tolerances([text])
        except UnitError as error:
            raise OptionError(f"--tolerance {text}: {error.reason} (allowed: {error.allowed})") from None
    try:
        return parse_tolerances(texts)
    except UnitError as error:
        raise OptionError(f"--tolerance: {error.reason} (allowed: {error.allowed})") from None


def _tell(comparison: Comparison, tolerances: Tolerances, options: Options, console: Console) -> None:
    text = comparison_text(comparison)
    if options.json not in (None, "-"):
        files.write_whole(Path(str(options.json)), text)
    if options.junit is not None:
        files.write_whole(options.junit, comparison_junit(comparison))
    if options.html is not None:
        files.write_whole(options.html, comparison_page(comparison))
    with output("; the exit code says how it came out"):
        if options.json == "-":
            put(text)
        print_comparison(console, comparison, everything=options.everything)
        for compared, _ in tolerances.named:
            if not any(compared.covers(change.query) for change in comparison.changes):
                console.print(f"Nothing that is compared falls under --tolerance {compared.text}.", soft_wrap=True)
        if options.html is not None:
            console.print(f"Charts: {options.html}", soft_wrap=True)
