"""`kirikae sweep`: one drill at many points; what is finished is stored, and never made twice."""

import json
import pickle
import re
import shlex
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from kirikae.cluster import ClusterLostError
from kirikae.engines import VIRTUAL
from kirikae.options import OptionError
from kirikae.output import output, put
from kirikae.progress import progress
from kirikae.run import RUNS
from kirikae.runner import Task, crew
from kirikae.sweep_plans import Plan, planned, print_found
from reports import files
from reports.console import safe_console
from reports.exit_codes import ExitCode
from reports.origin import Origin, software
from reports.queries import default_queries, resolve
from reports.sweep import Sweep, columns, finished
from reports.sweep_changes import OWN_FIELDS, WITHOUT_EFFECT, changes, effective
from reports.sweep_files import CSV, PAGE, write_sweep
from reports.sweep_journal import Journal, JournalError, Measured
from reports.sweep_result import sweep_text
from reports.sweep_terminal import print_sweep
from reports.wording import number_of
from scenarios.expectations import (
    DEFAULT_RUNS_SHARE,
    Expectation,
    ExpectationError,
    Query,
    parse_expectation,
    parse_query,
)
from scenarios.loader import Loaded, load
from scenarios.model import Drill
from scenarios.problems import did_you_mean
from scenarios.ranges import Axis, parse_axis
from scenarios.rules.references import Declared, dangling
from scenarios.units import UnitError
from sim.crew import Crew
from sim.designs import Point, grid, grid_size, latin_hypercube

MOST_POINTS = 2_000
"""Of one sweep: every task carries the drills of all."""
_LONGEST_NAME = 80
"""Characters of the name of a folder that nobody has named."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for; None leaves it to the drill or to a default."""

    varied: Sequence[str]
    lhs: int | None
    metrics: Sequence[str]
    targets: Sequence[str]
    changes: Sequence[str]
    engine: str
    seed: int | None
    replications: int | None
    out: Path | None
    fresh: bool
    workers: int | None
    cluster: str | None
    json: str | None


@dataclass(frozen=True, slots=True)
class Runs:
    """What workers need to make any run of any point; picklable, and small enough to be sent with every task."""

    tasks: Mapping[int, bytes]
    """By point, pickled and compressed: a task is about a few of them."""
    replications: int

    def run(self, index: int) -> Measured:
        """Make one run; the runs of a point have indices that follow each other."""
        point, replication = divmod(index, self.replications)
        task = _task(self.tasks[point])
        summary = task.run(replication)
        values = tuple(summary.values[query] for query in task.queries)
        return Measured(values, tuple(map(summary.parts_of.get, task.queries)), dict(summary.effects))


@lru_cache(maxsize=4)
def _task(data: bytes) -> Task:
    task: Task = pickle.loads(zlib.decompress(data))  # noqa: S301 - what this very program has pickled
    return task


def sweep(path: Path, name: str, options: Options, console: Console) -> ExitCode:
    """Make the runs of all points that are not there yet, and write what came out.

    Raises :class:`~kirikae.options.OptionError`, :class:`~scenarios.problems.DrillError` and
    :class:`~reports.files.ReportError`.
    """
    _see_that_it_is_virtual(options.engine)
    axes, hands = _axes(options), crew(options.workers, options.cluster)
    common = [*options.changes, *_expected(options.targets)]
    base = load(path, common)
    seed = base.drill.run.seed if options.seed is None else options.seed
    replications = options.replications or base.drill.run.replications
    asked = _queries(options.metrics, base.drill, options.engine)
    points = _points(axes, options, seed)
    with progress(console, "points checked", len(points)) as done:
        plans = planned(path, name, common, [axis.path for axis in axes], points, done)
    if plans.wrong:
        stderr = safe_console(sys.stderr)
        print_found(stderr, plans, plans.wrong)
        refused = f"{plans.refused} of {number_of(len(plans.points), 'point')} cannot be run; nothing was run."
        stderr.print(f"{refused} What is meant to be so can be waived in the drill, with a reason.", soft_wrap=True)
        return ExitCode.INVALID
    print_found(console, plans, plans.remarks)
    if len(plans.plans) < (options.lhs or 0):
        console.print(f"Of {options.lhs} points, {len(plans.plans)} are not alike.")
    conditions = _Conditions(seed, replications)
    made = _Sweep(base, plans.plans, plans.paths, asked, options, conditions, hands, console)
    out = files.folder(options.out or _folder(name, axes))
    origin, command = Origin(name, tuple(options.changes)), _command(name, options)
    try:
        with Journal(out, fresh=options.fresh) as journal:
            made.make_missing(journal)
            result = made.result(journal)
            write_sweep(out, result, origin, command)
    except JournalError as error:
        raise OptionError(str(error)) from None
    return _tell(result, out, origin, command, options, console)


class _Conditions(NamedTuple):
    """What is the same at all points: common random numbers."""

    seed: int
    replications: int


@dataclass(frozen=True, slots=True)
class _Sweep:
    """What is to be made, and how."""

    base: Loaded
    plans: tuple[Plan, ...]
    paths: tuple[str, ...]
    asked: tuple[Query, ...]
    """Metrics that the command line names."""
    options: Options
    conditions: _Conditions
    hands: Crew
    console: Console

    def make_missing(self, journal: Journal) -> None:
        """Make every run that the journal does not have."""
        self._see_that_it_fits(journal)
        seed, replications = self.conditions
        tasks = [Task(plan.drill, seed, self._queries(plan), self.options.engine) for plan in self.plans]
        for plan, task in zip(self.plans, tasks, strict=True):
            stored, queries = journal.points.get(plan.key), tuple(map(str, task.queries))
            if stored is None or (len(stored.runs) < replications and stored.queries != queries):
                journal.point(plan.key, plan.set, queries)
        there = [journal.points[plan.key].runs for plan in self.plans]
        missing = [
            point * replications + replication
            for point, runs in enumerate(there)
            for replication in range(replications)
            if replication not in runs
        ]
        begun = len(there) * replications - len(missing)
        if begun:
            ready = sum(len(runs) == replications for runs in there)
            rest = "; the others follow." if missing else "; nothing has to be run."
            self.console.print(f"{ready} of {number_of(len(there), 'point')} are there{rest}", soft_wrap=True)

        def kept(results: Mapping[int, Measured]) -> None:
            for point, group in groupby(sorted(results), lambda index: index // replications):
                runs = {index % replications: results[index] for index in group}
                last = len(there[point].keys() | runs.keys()) == replications
                journal.keep(self.plans[point].key, runs, last=last)

        wanted = {index // replications for index in missing}
        run = Runs({point: zlib.compress(pickle.dumps(tasks[point])) for point in sorted(wanted)}, replications)
        if not missing:
            return
        with (
            self.hands,
            progress(self.console, "runs", len(there) * replications, begun) as done,
            _workers_may_die(),
        ):
            self.hands.compute(run.run, missing, lambda count: done(begun + count), kept)

    def result(self, journal: Journal) -> Sweep:
        """Return what came out at all points that are finished."""
        seed, replications = self.conditions
        expected = self.base.drill.expect if self.options.targets or not self.asked else ()
        return Sweep(
            self.base.drill,
            self.options.engine,
            seed,
            replications,
            self.paths,
            self.options.lhs is not None,
            columns(self.asked, expected),
            tuple(
                finished(plan.key, plan.values, plan.drill, stored, self._queries(plan), self.options.engine, seed)
                for plan in self.plans
                if len((stored := journal.points[plan.key]).runs) == replications
            ),
            len(self.plans),
        )

    def _queries(self, plan: Plan) -> tuple[Query, ...]:
        return tuple(dict.fromkeys((*self.asked, *default_queries(plan.drill))))

    def _see_that_it_fits(self, journal: Journal) -> None:
        """Raise :class:`~reports.sweep_journal.JournalError` if the journal is about something else."""
        header = {
            "engine": self.options.engine,
            "seed": self.conditions.seed,
            "replications": self.conditions.replications,
            "software": software(),
            "drill": effective(self.base.tree),
        }
        if journal.torn:
            self.console.print(f"{journal.path}: the last record was torn; its run is made again.", soft_wrap=True)
        if journal.damaged:
            lost = number_of(journal.damaged, "record")
            self.console.print(f"{journal.path}: {lost} cannot be read; what they held is made again.", soft_wrap=True)
        if journal.header is None or not any(stored.runs for stored in journal.points.values()):
            journal.begin(header)
            return
        asked = {plan.key: plan.set for plan in self.plans}
        wanted = [str(column.query) for column in columns(self.asked, self.base.drill.expect)]
        found = changes(journal.header, header, journal.points, asked, wanted)
        if found:
            clauses = "\n".join(f"  - {clause}" for clause in found)
            raise JournalError(
                f"{journal.path.parent} holds another sweep:\n{clauses}\n"
                "Choose another folder with --out, or --fresh to throw away what is there."
            )


@contextmanager
def _workers_may_die() -> Iterator[None]:
    """Stop as after Ctrl-C where a worker was ended from outside: what is finished is stored."""
    try:
        yield
    except ClusterLostError as error:
        safe_console(sys.stderr).print(str(error), soft_wrap=True)
    except BrokenExecutor:
        said = "A worker process was ended from outside, by a signal or for want of memory."
        safe_console(sys.stderr).print(said, soft_wrap=True)


def _tell(result: Sweep, out: Path, origin: Origin, command: str, options: Options, console: Console) -> ExitCode:
    """Say what came out, and how to go on where points are missing."""
    if options.json not in (None, "-"):
        files.write_whole(Path(str(options.json)), sweep_text(result, origin, command))
    with output(f"; the results are in {out}"):
        if options.json == "-":
            put(sweep_text(result, origin, command))
        print_sweep(console, result)
        console.print()
        console.print(f"Table: {out / CSV}  Charts: {out / PAGE}", soft_wrap=True)
    if not result.interrupted:
        return ExitCode.PASSED
    left = result.asked - len(result.points)
    safe_console(sys.stderr).print(
        f"Stopped: {left} of {number_of(result.asked, 'point')} to go, and what is done is stored.\n"
        f"The same command goes on: {command}",
        soft_wrap=True,
    )
    return ExitCode.INCONCLUSIVE


def _see_that_it_is_virtual(engine: str) -> None:
    if engine not in VIRTUAL:
        near = did_you_mean(engine, VIRTUAL)
        raise OptionError(f"--engine {engine}: a sweep is for an engine in virtual time{near} ({_allowed(VIRTUAL)})")


def _axes(options: Options) -> list[Axis]:
    """Read every `--vary`; raises :class:`~kirikae.options.OptionError`."""
    axes: list[Axis] = []
    for text in options.varied:
        try:
            axis = parse_axis(text)
        except UnitError as error:
            raise OptionError(f"--vary {text}: {error.reason} (allowed: {error.allowed})") from None
        if any(axis.path == each.path for each in axes):
            raise OptionError(f"--vary {text}: {axis.path} stands twice (allowed: all its values in one --vary)")
        if axis.path in OWN_FIELDS:
            raise OptionError(f"--vary {text}: the same for all points, so that they can be compared ({_ELSEWHERE})")
        if re.split(r"[.\[]", axis.path)[0] in WITHOUT_EFFECT:
            raise OptionError(f"--vary {text}: no run depends on it (allowed: what changes the plan or its day)")
        if axis.span is not None and options.lhs is None:
            example = f"{text}:{'5' if axis.span.whole else 'STEP'}"
            raise OptionError(f"--vary {text}: a range without a step is for --lhs (allowed: {example})")
        axes.append(axis)
    if not axes:
        raise OptionError("nothing is varied (allowed: --vary PATH=VALUES, such as --vary ports.tenant=90..120:5)")
    return axes


_ELSEWHERE = "allowed: --seed and --replications"


def _points(axes: Sequence[Axis], options: Options, seed: int) -> list[Point]:
    if options.lhs is not None:
        if options.lhs > MOST_POINTS:
            raise OptionError(f"--lhs {options.lhs}: more points than a sweep has (allowed: up to {MOST_POINTS:,})")
        return latin_hypercube(axes, options.lhs, seed)
    if grid_size(axes) > MOST_POINTS:
        wanted = f"{grid_size(axes):,} combinations"
        raise OptionError(f"--vary: {wanted} (allowed: up to {MOST_POINTS:,}; --lhs takes a sample of any space)")
    return grid(axes)


def _expected(targets: Sequence[str]) -> list[str]:
    """Return the change that puts targets in the place of the drill's expectations, if there are any."""
    for text in targets:
        try:
            parse_expectation(text)
        except ExpectationError as error:
            raise OptionError(f"--target {text}: {error.reason} (allowed: {error.allowed})") from None
    return [f"expect={json.dumps(list(targets), ensure_ascii=False)}"] if targets else []


def _queries(metrics: Sequence[str], drill: Drill, engine: str) -> tuple[Query, ...]:
    """Read every `--metric`; raises :class:`~kirikae.options.OptionError`."""
    return tuple(dict.fromkeys(_query(text, drill, engine) for text in metrics))


def _query(text: str, drill: Drill, engine: str) -> Query:
    try:
        query = parse_query(text)
    except ExpectationError as error:
        raise OptionError(f"--metric {text}: {error.reason} (allowed: {error.allowed})") from None
    for key in query.definition.required:
        if key not in dict(query.selectors):
            raise OptionError(f"--metric {text}: it needs a selector (allowed: {query.metric}{{{key}=…}})")
    if engine not in query.definition.engines:
        raise OptionError(f"--metric {text}: the {engine} engine cannot tell ({_allowed(query.definition.engines)})")
    named = drill.model_copy(update={"expect": [Expectation(query, ">=", 0.0, False, DEFAULT_RUNS_SHARE, text)]})
    for finding in dangling(named, Declared.by(drill)):
        if finding.path[0] == "expect":
            raise OptionError(f"--metric {text}: {finding.message} (allowed: {finding.remedy})")
    return resolve(query)


def _allowed(names: Iterable[str]) -> str:
    return f"allowed: {', '.join(names)}"


def _folder(name: str, axes: Sequence[Axis]) -> Path:
    """Return where a sweep goes that nobody has named a folder for: always the same, so that it can go on."""
    stem = Path(name).name.partition(".")[0] or "drill"
    varied = "-".join(re.sub(r"[^\w.]+", "-", axis.path).strip("-.") for axis in axes)
    return RUNS / f"{stem}-sweep-{varied}"[:_LONGEST_NAME].rstrip("-.")


def _command(name: str, options: Options) -> str:
    """Return the command that goes on, or gives the same again."""
    given: list[tuple[str, Sequence[object]]] = [
        ("--vary", options.varied),
        ("--lhs", () if options.lhs is None else (options.lhs,)),
        ("--metric", options.metrics),
        ("--target", options.targets),
        ("--set", options.changes),
        ("--engine", (options.engine,)),
        ("--seed", () if options.seed is None else (options.seed,)),
        ("--replications", () if options.replications is None else (options.replications,)),
        ("--out", () if options.out is None else (options.out,)),
    ]
    return shlex.join(
        ["kirikae", "sweep", name, *(word for key, each in given for one in each for word in (key, str(one)))]
    )
