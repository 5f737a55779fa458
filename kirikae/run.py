"""`kirikae run`: check the plan, play it, judge it, write the folder, say what came out."""

import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path

from rich.console import Console

from kirikae.engines import IN_REAL_TIME, WITH_MESSAGES
from kirikae.lint import chosen_language
from kirikae.live_options import LiveOptions, aimed, permission
from kirikae.options import OptionError
from kirikae.output import output, put
from kirikae.progress import progress
from kirikae.real import aimed_at
from kirikae.runner import (
    ENGINES,
    crew,
    no_cluster_in_real_time,
    record,
    run_all,
    run_live,
    run_until,
)
from kirikae.unfinished import Unfinished
from kirikae.watching import REFRESH, REFRESH_LIVE, Screen, Watching
from reports import files
from reports.checked import Checked, checked
from reports.console import safe_console
from reports.exit_codes import ExitCode
from reports.folder import (
    CALLS,
    CAPTURED,
    DETAIL,
    JOURNAL,
    Tee,
    WireTee,
    capture_file,
    detail_files,
    write_all,
    write_report,
)
from reports.judge import Judged, judge
from reports.ladders import NoLadderError, RunFolder
from reports.lint_terminal import print_checked
from reports.origin import Origin
from reports.precision import MOST, looks, precision
from reports.queries import default_queries, resolve
from reports.result import result_text
from reports.snapshot import Snapshot
from reports.summary import RunSummary
from reports.sweep_changes import effective
from reports.terminal import print_summary
from reports.terminal_snapshot import print_snapshot
from reports.wording import number_of
from sbc.decisions.permission import Permission
from sbc.live.gear import NotUndoneError
from scenarios.evidence import Recorder, WireRecorder
from scenarios.loader import Loaded
from scenarios.model import Drill, Verdict
from scenarios.precision import Asked, Goal, goals, parse_asked
from scenarios.problems import did_you_mean
from scenarios.shortening import shortened
from scenarios.text import Text, translator
from scenarios.units import UnitError, format_duration, parse_duration
from sim.crew import Crew, Replications
from sim.live import engine as live

RUNS = Path("runs")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for; None leaves it to the drill or to a default."""

    engine: str
    seed: int | None
    replications: int | None
    out: Path | None
    workers: int | None
    cluster: str | None
    detail: int | None
    calls: bool
    pcap: bool
    strict: bool
    at: str | None
    json: str | None
    precision: Sequence[str]
    live: LiveOptions
    language: str | None = None
    """Of the plan checks, and the one that the report is shown in first; None: what the environment asks for."""

    @property
    def captured(self) -> bool:
        """Whether `packets.pcap` is to be written."""
        return self.pcap and self.engine in WITH_MESSAGES


def rehearse(loaded: Loaded, name: str, changes: Sequence[str], options: Options, console: Console) -> ExitCode:
    """Run a drill and write its results, or look at a moment of it if that is asked for.

    Raises :class:`OptionError`, and :class:`~reports.files.ReportError` when results cannot be written.
    """
    if options.engine not in ENGINES:
        near = did_you_mean(options.engine, ENGINES)
        raise OptionError(f"--engine {options.engine}: there is no such engine{near} (allowed: {', '.join(ENGINES)})")
    if options.live.given and options.engine not in IN_REAL_TIME:
        raise OptionError(f"{options.live.given[0]}: this is for runs in real time (allowed with --engine live)")
    no_cluster_in_real_time(options.cluster, [options.engine])
    allowed = permission(options.live)
    loaded = replace(loaded, drill=aimed(loaded.drill, options.live.targets))
    language = chosen_language(options.language)
    plan = checked_plan(loaded, name, console, language)
    if plan.errors:
        return ExitCode.INVALID
    asked = _precision(loaded.drill, options)
    drill = _as_asked(loaded.drill, options)
    if options.engine in IN_REAL_TIME and drill.targets and drill.run.replications > 1:
        raise OptionError("--replications: a run on real pairs is played once (allowed: 1)")
    if options.detail is not None and options.detail >= drill.run.replications:
        last = drill.run.replications - 1
        raise OptionError(f"--detail {options.detail}: there is no such replication (allowed 0 to {last})")
    if options.at is not None:
        return _look(drill, _moment(options, drill), options, console)
    with crew(options.workers, options.cluster) as hands:
        out = files.folder(options.out or _new_folder(name))
        origin = Origin(name, tuple(changes), tuple(options.precision), effective(loaded.tree))
        _remove_detail(out)
        judging = partial(_judged, drill, options.engine, plan, asked)
        real = options.engine in IN_REAL_TIME
        unfinished = Unfinished(out, origin, partial(judging, unfinished=True), language, aside=real)
        screen = Screen(console, REFRESH_LIVE if real else REFRESH)
        watching = Watching(drill, options.engine, screen, unfinished, in_real_time=real, at_most=bool(asked))
        runs, owed = _play(drill, out, options, watching, hands, allowed, name, asked)
    judged = judging(
        tuple(runs.results.values()),
        interrupted=runs.interrupted,
        spoilt=(Text("the gear is not as it was"),) if owed is not None else (),
    )
    write_all(out, judged, origin, tuple(runs.results), language=language)
    detail = _write_detail(out, judged, options)
    if detail is not None and options.captured:
        _add_ladders(out, judged, origin, language)
    if options.json not in (None, "-"):
        files.write_whole(Path(str(options.json)), result_text(judged, origin))
    # Whatever becomes of the output, the results are written, and the exit code says the verdict.
    with output(f"; the results are in {out}"):
        if options.json == "-":
            put(result_text(judged, origin))
        print_summary(console, judged)
        if detail is not None:
            _name_files(console, detail, out, options)
        console.print(f"Report: {out / 'report.html'}", soft_wrap=True)
    if owed is not None:
        raise owed
    return judged.exit_code


def _judged(
    drill: Drill,
    engine: str,
    plan: Checked,
    asked: Sequence[Goal],
    summaries: Sequence[RunSummary],
    *,
    interrupted: bool = False,
    unfinished: bool = False,
    spoilt: tuple[Text, ...] = (),
) -> Judged:
    return judge(
        drill,
        summaries,
        engine=engine,
        seed=drill.run.seed,
        interrupted=interrupted,
        plan=plan,
        spoilt=spoilt,
        precision=precision(asked, summaries, drill.run.replications) if asked and summaries else None,
        unfinished=unfinished,
    )


def _look(drill: Drill, at: float, options: Options, console: Console) -> ExitCode:
    """Play one replication alone and show a moment of it; its files are written where a folder is given."""
    replication = options.detail or 0
    snapshot = Snapshot(drill, at)
    with _files(options.out, drill, options) as (recorder, wire), progress(console, "replications", 1):
        recorder = snapshot if recorder is None else Tee(snapshot, recorder)
        wire = snapshot if wire is None else WireTee(snapshot, wire)
        record(drill, drill.run.seed, replication, recorder, options.engine, wire=wire, strict=options.strict)
    with output():
        print_snapshot(console, snapshot, f"Replication {replication}, seed {drill.run.seed}, {options.engine} engine")
        if options.out is not None and options.calls:
            console.print()
            _name_files(console, replication, options.out, options)
    return ExitCode.PASSED


def _moment(options: Options, drill: Drill) -> float:
    allowed = f"0s to {format_duration(drill.run.lasts)}"
    if options.engine in IN_REAL_TIME:
        raise OptionError(
            "--at looks at a moment that can be played again; a live run cannot (its packets.pcap can be read)"
        )
    if options.cluster is not None:
        raise OptionError("--at plays one replication, in this process: there is nothing for --cluster")
    if options.json is not None:
        raise OptionError("--at shows a moment and judges nothing: there is no result for --json")
    try:
        at = parse_duration(options.at)
    except UnitError as error:
        raise OptionError(f"--at {options.at}: {error} (allowed: a moment of the run, {allowed})") from error
    if at > drill.run.lasts:
        raise OptionError(f"--at {options.at}: the run is over by then (allowed: {allowed})")
    return at


def _name_files(console: Console, replication: int, out: Path, options: Options) -> None:
    names = [CALLS, JOURNAL, *(CAPTURED if options.captured else [])]
    console.print(f"Replication {replication} in full: {', '.join(str(out / name) for name in names)}", soft_wrap=True)


def checked_plan(loaded: Loaded, name: str, console: Console, language: str | None = None) -> Checked:
    """Hold the plan to its rules, and show what they find; one with errors must not be run.

    What is only declared is counted in the summary and listed in the report: here it would hide the findings.
    """
    plan = checked(loaded, name)
    if plan.errors:
        console = safe_console(sys.stderr)
    print_checked(console, replace(plan, declared=()), translator(chosen_language(language)))
    if plan.errors:
        console.print(f"The plan has {number_of(plan.errors, 'error')}; nothing was run.", soft_wrap=True)
    return plan


def _as_asked(drill: Drill, options: Options) -> Drill:
    replications = options.replications
    if options.engine in IN_REAL_TIME:
        drill, replications = shortened(drill), replications or 1
    elif replications is None and _asked(drill, options):
        own = drill.run.precision is not None and "replications" in drill.run.model_fields_set
        replications = drill.run.replications if own else MOST
    asked = {"seed": options.seed, "replications": replications}
    run = drill.run.model_copy(update={key: value for key, value in asked.items() if value is not None})
    return drill.model_copy(update={"run": run})


def _asked(drill: Drill, options: Options) -> tuple[Asked, ...]:
    """Return what is asked for on the command line, else in the file; raises :class:`OptionError`."""
    if not options.precision:
        return drill.run.precision or ()
    try:
        return tuple(map(parse_asked, options.precision))
    except UnitError as error:
        words = " ".join(f"--precision {shlex.quote(text)}" for text in options.precision)
        raise OptionError(f"{words}: {error.reason} (allowed: {error.allowed})") from None


def _precision(drill: Drill, options: Options) -> tuple[Goal, ...]:
    """Return the intervals that are to be narrow enough; raises :class:`OptionError`."""
    if options.engine in IN_REAL_TIME:
        if options.precision:
            raise OptionError(
                "--precision: runs in real time are as many as --replications says (allowed in virtual time)"
            )
        return ()
    try:
        return goals(_asked(drill, options), drill.expect)
    except UnitError as error:
        where = "--precision" if options.precision else "run.precision"
        raise OptionError(f"{where}: {error.reason} (allowed: {error.allowed})") from None


def _new_folder(name: str) -> Path:
    stem = Path(name).name.partition(".")[0] or "drill"
    return next(path for number in count(1) if _made(path := RUNS / f"{stem}-{number:03}"))


def _made(path: Path) -> bool:
    """Whether this folder is made here, and nobody else's."""
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        return False
    except OSError as error:
        raise files.ReportError(path, error) from error
    return True


def _play(
    drill: Drill,
    out: Path,
    options: Options,
    watching: Watching,
    hands: Crew,
    allowed: Permission,
    name: str,
    asked: tuple[Goal, ...],
) -> tuple[Replications[RunSummary], NotUndoneError | None]:
    """Play all replications; an only one, or the first in real time, is written down in full on the way.

    Returned beside them is what could not be undone after a run that is evidence otherwise.
    """
    if options.engine in IN_REAL_TIME:
        return _play_live(drill, out, options, watching, allowed, name)
    with watching:
        if asked and drill.run.replications > 1:
            return _play_until(drill, options, watching, hands, asked), None
        return _play_at_once(drill, out, options, watching, hands), None


def _play_until(
    drill: Drill, options: Options, watching: Watching, hands: Crew, asked: tuple[Goal, ...]
) -> Replications[RunSummary]:
    """Play replications until the intervals asked for are narrow enough."""
    most = drill.run.replications
    return run_until(
        drill,
        seed=drill.run.seed,
        ends=looks(most),
        enough=lambda summaries: precision(asked, summaries, most).reached,
        queries=tuple(dict.fromkeys((*default_queries(drill), *(resolve(goal.query) for goal in asked)))),
        crew=hands,
        onlooker=watching,
        engine=options.engine,
        strict=options.strict,
    )


def _play_at_once(
    drill: Drill, out: Path, options: Options, watching: Watching, hands: Crew
) -> Replications[RunSummary]:
    run = partial(
        run_all,
        drill,
        seed=drill.run.seed,
        replications=drill.run.replications,
        crew=hands,
        engine=options.engine,
        strict=options.strict,
        onlooker=watching,
    )
    if not options.calls or drill.run.replications > 1:
        return run()
    with _files(out, drill, options) as (recorder, wire):
        runs = run(also=recorder, wire=wire)
    if runs.interrupted:
        _remove_detail(out)
    return runs


def _play_live(
    drill: Drill, out: Path, options: Options, watching: Watching, allowed: Permission, name: str
) -> tuple[Replications[RunSummary], NotUndoneError | None]:
    runs: Replications[RunSummary] | None = None
    try:
        with (
            aimed_at(drill, allowed, name) as aim,
            watching,
            _files(out, drill, options) as (recorder, wire),
        ):
            runs = run_live(
                drill,
                seed=drill.run.seed,
                replications=drill.run.replications,
                play=partial(live.play, aim=aim, pulse=watching.pulse),
                onlooker=watching,
                also=recorder,
                wire=wire,
            )
    except NotUndoneError as error:
        if runs is None:
            raise
        return runs, error
    return runs, None


@contextmanager
def _files(out: Path | None, drill: Drill, options: Options) -> Iterator[tuple[Recorder | None, WireRecorder | None]]:
    """Yield what writes the files of one replication into a folder, if there is one."""
    if out is None or not options.calls:
        yield None, None
        return
    _remove_detail(files.folder(out))
    clock = drill.run.clock
    with detail_files(out, clock) as recorder, capture_file(out, clock) if options.captured else nullcontext() as wire:
        yield recorder, wire


def _remove_detail(out: Path) -> None:
    for name in DETAIL:
        files.remove(out / name)


def _write_detail(out: Path, judged: Judged, options: Options) -> int | None:
    """See that one replication is there with everything written down; return which."""
    if options.calls and options.engine in IN_REAL_TIME:
        return 0
    if not options.calls or judged.interrupted:
        return None
    if judged.drill.run.replications == 1:
        return 0
    replication = _telling(judged) if options.detail is None else options.detail
    with _files(out, judged.drill, options) as (recorder, wire):
        assert recorder is not None  # noqa: S101 - there is a folder
        record(judged.drill, judged.seed, replication, recorder, judged.engine, wire=wire, strict=options.strict)
    return replication


def _add_ladders(out: Path, judged: Judged, origin: Origin, language: str) -> None:
    """Write the report again, with the ladders that tell most of the replication that is there in full."""
    try:
        found = RunFolder(out).telling().ladders
    except NoLadderError as error:  # whatever a real pair has sent, the run is judged
        safe_console(sys.stderr).print(f"{error}; the report has no ladders", soft_wrap=True)
        return
    if found:
        write_report(out, judged, origin, found, language=language)


def _telling(judged: Judged) -> int:
    """Return the first replication that misses an expectation, or 0."""
    for index, summary in enumerate(judged.summaries):
        alone = judge(judged.drill, [summary], engine=judged.engine, seed=judged.seed)
        if any(judgement.verdict is Verdict.FAILED for judgement in alone.judgements):
            return index
    return 0
