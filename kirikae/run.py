"""`kirikae run`: check the plan, play it, judge it, write the folder, say what came out."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

from rich.console import Console

from kirikae.progress import progress
from kirikae.runner import record, run_all
from reports import files
from reports.exit_codes import ExitCode
from reports.folder import detail_files, write_all
from reports.judge import Judged, judge
from reports.origin import Origin
from reports.result import result_text
from reports.summary import RunSummary
from reports.terminal import print_summary, safe_console
from reports.wording import number_of
from scenarios import rules
from scenarios.loader import Loaded, problem_of
from scenarios.model import Drill, Verdict
from scenarios.problems import Finding
from scenarios.source import Source
from sim.replicate import Replications

ENGINE = "calls"
RUNS = Path("runs")
_DETAIL_FILES = ("calls.csv", "journal.jsonl")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for; None leaves it to the drill or to a default."""

    seed: int | None
    replications: int | None
    out: Path | None
    workers: int | None
    detail: int | None
    calls: bool
    json: str | None


def rehearse(loaded: Loaded, name: str, changes: Sequence[str], options: Options, console: Console) -> ExitCode:
    """Run a drill and write its results; raises :class:`~reports.files.ReportError` when they cannot be written."""
    if not _plan_stands(loaded, console):
        return ExitCode.INVALID
    drill = _as_asked(loaded.drill, options)
    if options.detail is not None and options.detail >= drill.run.replications:
        last = drill.run.replications - 1
        text = f"--detail {options.detail}: there is no such replication (allowed 0 to {last})"
        safe_console(sys.stderr).print(text, soft_wrap=True)
        return ExitCode.INVALID
    out = files.folder(options.out or _new_folder(name))
    origin = Origin(name, tuple(changes))
    _remove_detail(out)
    runs = _play(drill, out, options, console)
    judged = judge(drill, runs.results.values(), engine=ENGINE, seed=drill.run.seed, interrupted=runs.interrupted)
    write_all(out, judged, origin)
    detail = _write_detail(out, judged, options)
    if options.json not in (None, "-"):
        files.write_whole(Path(str(options.json)), result_text(judged, origin))
    try:
        if options.json == "-":
            put(result_text(judged, origin))
        print_summary(console, judged)
        if detail is not None:
            calls, journal = out / "calls.csv", out / "journal.jsonl"
            console.print(f"Replication {detail} in full: {calls}, {journal}", soft_wrap=True)
        console.print(f"Report: {out / 'report.html'}", soft_wrap=True)
    except OSError as error:
        # The reader is gone or the disk full: the results are written all the same, and the exit code says the verdict.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        safe_console(sys.stderr).print(f"output: {error.strerror}; the results are in {out}", soft_wrap=True)
    return judged.exit_code


def put(text: str) -> None:
    """Write text for programs to standard output: UTF-8, whatever the terminal's encoding is."""
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()


def _plan_stands(loaded: Loaded, console: Console) -> bool:
    """Hold the plan to its rules, and show what they find."""
    verdict = rules.judge(loaded.drill, rules.check(loaded.drill))
    lines = [f"note: {note}" for note in loaded.notes]
    lines += [_shown(finding, loaded.source) for finding in (*verdict.errors, *verdict.remarks)]
    lines += [f"waived [{item.finding.id}] {item.finding.message} (reason: {item.reason})" for item in verdict.waived]
    if verdict.errors:
        lines.append(f"The plan has {number_of(len(verdict.errors), 'error')}; nothing was run.")
        console = safe_console(sys.stderr)
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    return not verdict.errors


def _shown(finding: Finding, source: Source) -> str:
    return f"{problem_of(finding, source)} [{finding.severity}: {finding.id}]"


def _as_asked(drill: Drill, options: Options) -> Drill:
    asked = {"seed": options.seed, "replications": options.replications}
    run = drill.run.model_copy(update={key: value for key, value in asked.items() if value is not None})
    return drill.model_copy(update={"run": run})


def _new_folder(name: str) -> Path:
    stem = Path(name).name.partition(".")[0] or "drill"
    return next(path for number in count(1) if not (path := RUNS / f"{stem}-{number:03}").exists())


def _play(drill: Drill, out: Path, options: Options, console: Console) -> Replications[RunSummary]:
    """Play all replications; an only one is written down in full on the way."""
    run = partial(run_all, drill, seed=drill.run.seed, replications=drill.run.replications, workers=options.workers)
    with progress(console, "replications", drill.run.replications) as done:
        if not options.calls or drill.run.replications > 1:
            return run(done=done)
        with detail_files(out, drill.run.clock) as recorder:
            runs = run(done=done, also=recorder)
    if runs.interrupted:
        _remove_detail(out)
    return runs


def _remove_detail(out: Path) -> None:
    for name in _DETAIL_FILES:
        files.remove(out / name)


def _write_detail(out: Path, judged: Judged, options: Options) -> int | None:
    """See that one replication is there with everything written down; return which."""
    if not options.calls or judged.interrupted:
        return None
    if judged.drill.run.replications == 1:
        return 0
    replication = _telling(judged) if options.detail is None else options.detail
    with detail_files(out, judged.drill.run.clock) as recorder:
        record(judged.drill, judged.seed, replication, recorder)
    return replication


def _telling(judged: Judged) -> int:
    """Return the first replication that misses an expectation, or 0."""
    for index, summary in enumerate(judged.summaries):
        alone = judge(judged.drill, [summary], engine=judged.engine, seed=judged.seed)
        if any(judgement.verdict is Verdict.FAILED for judgement in alone.judgements):
            return index
    return 0
