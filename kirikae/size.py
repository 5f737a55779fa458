"""`kirikae size`: the smallest number that meets a target, or the cheapest combination of several."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console

from kirikae.engines import VIRTUAL
from kirikae.options import OptionError
from kirikae.output import output, put
from kirikae.runner import crew
from kirikae.sizing.candidates import Candidates
from kirikae.sizing.measuring import Meter
from kirikae.sizing.seeking import Work, seek_one, seek_several, stands
from reports import files
from reports.exit_codes import ExitCode
from reports.origin import Origin
from reports.pace import Estimate
from reports.sizing_result import sizing_text
from reports.sizing_terminal import print_sizing
from reports.wording import duration_text
from scenarios.closed_form import closed_form
from scenarios.expectations import Expectation, ExpectationError, parse_expectation
from scenarios.loader import Loaded, load
from scenarios.model import Drill
from scenarios.problems import did_you_mean
from scenarios.quantity import Quantity, quantity
from scenarios.rules.references import Declared, dangling
from scenarios.units import UnitError, parse_share
from sim.sizing import FIRST, Standing, batch_ends


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for; None leaves it to the drill or to a default."""

    vary: Sequence[str]
    targets: Sequence[str]
    maximise: bool
    confidence: str
    changes: Sequence[str]
    engine: str
    seed: int | None
    most: int
    start: str | None
    workers: int | None
    cluster: str | None
    beside: bool
    json: str | None


def size(path: Path, name: str, options: Options, console: Console) -> ExitCode:
    """Look for the number, and say what was found.

    Raises :class:`~kirikae.options.OptionError`, :class:`~scenarios.problems.DrillError` and
    :class:`~reports.files.ReportError`.
    """
    _see_that_options_fit(options)
    loaded = load(path, options.changes)
    targets = _targets(options.targets, loaded.drill)
    quantities = [_quantity(text, loaded, path, options) for text in options.vary]
    confidence = _confidence(options.confidence)
    seed = loaded.drill.run.seed if options.seed is None else options.seed
    ends = batch_ends(options.most)
    with crew(options.workers, options.cluster) as hands, _status(console) as tell:
        meter = Meter(hands, seed, options.engine, targets, confidence, len(ends))
        candidates = Candidates(path, tuple(options.changes), tuple(quantities), options.maximise)
        work = Work(candidates, meter, ends, options.maximise, options.start, options.beside)
        meter.tell = partial(_tell, work, Estimate(), tell)
        work.forms = [closed_form(candidates.nearest_drill(), each.place, targets) for each in quantities]
        find = seek_one if len(quantities) == 1 else seek_several
        sizing = find(work)
    text = sizing_text(sizing, Origin(name, tuple(options.changes)))
    if options.json not in (None, "-"):
        files.write_whole(Path(str(options.json)), text)
    with output("; the exit code says how it came out"):
        if options.json == "-":
            put(text)
        print_sizing(console, sizing)
    return sizing.exit_code


# What is asked


def _see_that_options_fit(options: Options) -> None:
    if options.engine not in VIRTUAL:
        near = did_you_mean(options.engine, VIRTUAL)
        raise OptionError(
            f"--engine {options.engine}: not one that makes many runs{near} (allowed: {', '.join(VIRTUAL)})"
        )
    if not options.vary:
        raise OptionError("--vary: nothing is to be found (allowed: a number of the drill, such as ports.tenant)")
    priced = ["@" in each.rpartition("]")[2] for each in options.vary]
    if any(priced) != all(priced):
        raise OptionError("--vary: some have a price and some have none (allowed: a price for each, or for none)")
    if options.maximise and len(options.vary) > 1:
        raise OptionError("--maximise: only one number can be made as large as may be (allowed: one --vary)")
    if options.most < FIRST:
        raise OptionError(f"--most {options.most}: too few runs to tell anything (allowed: {FIRST} or more)")


def _confidence(text: str) -> float:
    try:
        share = parse_share(text)
    except UnitError as error:
        raise OptionError(f"--confidence {text}: {error.reason} (allowed: {error.allowed})") from None
    if not 0.5 <= share < 1:
        raise OptionError(f"--confidence {text}: out of range (allowed: from 50% to below 100%)")
    return share


def _targets(texts: Sequence[str], drill: Drill) -> tuple[Expectation, ...]:
    """Read the targets, or take what the drill expects; names that lead nowhere are told as in a file."""
    found = []
    for text in texts:
        try:
            found.append(parse_expectation(text))
        except ExpectationError as error:
            raise OptionError(f"--target {text}: {error.reason} (allowed: {error.allowed})") from None
    if not found:
        return tuple(drill.expect)
    asked = drill.model_copy(update={"expect": found})
    for finding in dangling(asked, Declared.by(asked)):
        if finding.path[0] == "expect":
            text = found[int(finding.path[1])].text
            raise OptionError(f"--target {text}: {finding.message} (allowed: {finding.remedy})")
    return tuple(found)


def _quantity(text: str, loaded: Loaded, path: Path, options: Options) -> Quantity:
    """Read what is varied; the drill has to take its lowest value as it takes any other."""
    try:
        found = quantity(text, loaded)
    except UnitError as error:
        raise OptionError(f"--vary {text}: {error.reason} (allowed: {error.allowed})") from None
    if found.place[-1] == "arrivals" and not options.maximise:
        raise OptionError(f"--vary {text}: the fewest calls are always the best (allowed with --maximise)")
    load(path, [*options.changes, found.change(found.high)])
    return found


@contextmanager
def _status(console: Console) -> Iterator[Callable[[str], None]]:
    """Show one line that changes, on a terminal."""
    if not console.is_interactive:
        yield lambda text: None
        return
    with console.status("") as status:
        yield status.update


def _tell(work: Work, estimate: Estimate, tell: Callable[[str], None], runs: int) -> None:
    now = time.monotonic()
    estimate.take(now, runs)
    tell(progress_text(runs, _known(work), estimate.left(now, work.meter.wanted)))


def progress_text(runs: int, known: str, left: float | None) -> str:
    """Say how far a search is; ``left``: about how many seconds it is to its next look, None where nobody can tell yet.

    How many looks follow depends on what they find, so that nobody can tell when it ends.
    """
    look = "" if left is None else f"; next look in about {duration_text(round(left))}"
    return f"{runs:,} runs; {known}{look}; end unknown"


def _known(work: Work) -> str:
    """Say how far the search is."""
    texts = {
        standing: [
            work.candidates.text(point) for point in sorted(work.settled) if stands(work.settled[point], standing)
        ]
        for standing in (Standing.FAILS, Standing.MEETS)
    }
    if work.maximise or len(work.candidates.quantities) > 1:
        return f"{len(work.settled)} values looked at"
    missed, met = texts[Standing.FAILS], texts[Standing.MEETS]
    parts = [f"missed with {missed[-1]}"] if missed else []
    parts += [f"met with {met[0]}"] if met else []
    return ", ".join(parts) or "looking at the first value"
