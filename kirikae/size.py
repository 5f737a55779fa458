"""`kirikae size`: the smallest number that meets a target, or the cheapest combination of several."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from rich.console import Console

from kirikae import beside
from kirikae.candidates import Candidates
from kirikae.measuring import Meter, StoppedError, alike, binding, without_effect
from kirikae.options import OptionError
from kirikae.run import output, put
from kirikae.runner import ENGINES, IN_REAL_TIME, crew
from reports import files
from reports.exit_codes import ExitCode
from reports.origin import Origin
from reports.sizing import Outcome, Seen, Sizing, Sought
from reports.sizing_result import sizing_text
from reports.sizing_terminal import print_sizing
from scenarios.closed_form import ClosedForm, closed_form
from scenarios.expectations import Expectation, ExpectationError, parse_expectation
from scenarios.loader import Loaded, load
from scenarios.model import Drill, Verdict
from scenarios.problems import did_you_mean
from scenarios.quantity import Quantity, quantity
from scenarios.rules.references import Declared, dangling
from scenarios.units import UnitError, parse_share
from sim.combining import Combining, Point
from sim.sizing import FIRST, Found, Look, Search, Settled, Standing, allowed_range, batch_ends

_VERDICTS = {Standing.MEETS: Verdict.PASSED, Standing.FAILS: Verdict.FAILED, Standing.OPEN: Verdict.INCONCLUSIVE}
_PLENTY = 4
"""Times the formula's number, or the present one, that is the most of each of several, unless a range is given."""


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
    beside: bool
    json: str | None


@dataclass
class _Work:
    """What all parts of a search need."""

    candidates: Candidates
    meter: Meter
    ends: tuple[int, ...]
    maximise: bool
    console: Console
    forms: list[ClosedForm | None] = field(default_factory=list)
    settled: dict[Point, Settled] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    @property
    def sign(self) -> int:
        """What makes a higher place an easier one."""
        return -1 if self.maximise else 1

    def seen(self, point: Point) -> Seen:
        """Return what is known of a combination that was looked at."""
        settled = self.settled[point]
        series = self.candidates.series(point)
        verdict = _VERDICTS[settled.look.standing]
        sights = self.meter.sights(series, settled.runs)
        return Seen(self.candidates.texts(point), self.candidates.cost(point), settled.runs, verdict, sights)


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
    with crew(options.workers) as hands, _status(console) as tell:
        meter = Meter(hands, seed, options.engine, targets, confidence, len(ends))
        candidates = Candidates(path, tuple(options.changes), tuple(quantities), options.maximise)
        work = _Work(candidates, meter, ends, options.maximise, console)
        meter.tell = partial(_tell, work, tell)
        work.forms = [closed_form(candidates.nearest_drill(), each.place, targets) for each in quantities]
        find = _one if len(quantities) == 1 else _several
        sizing = find(work, options)
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
    virtual = [name for name in ENGINES if name not in IN_REAL_TIME]
    if options.engine not in virtual:
        near = did_you_mean(options.engine, virtual)
        raise OptionError(
            f"--engine {options.engine}: not one that makes many runs{near} (allowed: {', '.join(virtual)})"
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
    if not console.is_terminal:
        yield lambda text: None
        return
    with console.status("") as status:
        yield status.update


def _tell(work: _Work, tell: Callable[[str], None], runs: int) -> None:
    tell(f"{runs:,} runs; {_known(work)}")


def _known(work: _Work) -> str:
    """Say how far the search is."""
    texts = {
        standing: [work.candidates.text(point) for point in sorted(work.settled) if _is(work.settled[point], standing)]
        for standing in (Standing.FAILS, Standing.MEETS)
    }
    if work.maximise or len(work.candidates.quantities) > 1:
        return f"{len(work.settled)} values looked at"
    missed, met = texts[Standing.FAILS], texts[Standing.MEETS]
    parts = [f"missed with {missed[-1]}"] if missed else []
    parts += [f"met with {met[0]}"] if met else []
    return ", ".join(parts) or "looking at the first value"


def _is(settled: Settled, standing: Standing) -> bool:
    return settled.look.standing is standing


# One number


def _one(work: _Work, options: Options) -> Sizing:
    candidates, sign = work.candidates, work.sign
    (sought,) = candidates.quantities
    start = _start(work, options, 0)
    ends = sorted((sign * sought.low, sign * sought.high))
    tries = [sign * rung for rung in (start, sought.now) if rung is not None]
    span = allowed_range(lambda place: candidates.allowed((sign * place,)), ends[0], ends[1], tries)
    if span is None:
        raise OptionError(f"--vary {sought.path}: {candidates.why_not((start,))}")
    search = Search(
        lambda place, runs: _look(work, (sign * place,), runs),
        work.ends,
        *span,
        lambda one, other: alike(candidates.series((sign * one,)), candidates.series((sign * other,))),
    )
    search.settled = _Mirror(work.settled, sign)
    rules = _edges(work, ends, span)
    try:
        found = search.find(sign * start)
        return _of_one(work, search, found, rules, options)
    except StoppedError:
        return _stopped(work, rules)


class _Mirror(dict[int, Settled]):
    """What a search has settled, kept by the values that it was about as well."""

    def __init__(self, points: dict[Point, Settled], sign: int) -> None:
        self._points = points
        self._sign = sign

    def __setitem__(self, place: int, settled: Settled) -> None:
        super().__setitem__(place, settled)
        self._points[self._sign * place,] = settled


def _look(work: _Work, point: Point, runs: int) -> Look:
    return work.meter.look(work.candidates.series(point), runs)


def _start(work: _Work, options: Options, index: int) -> int:
    """Return the rung to begin at: what the user says, what the formula says, what the drill has, or the middle."""
    sought, form = work.candidates.quantities[index], work.forms[index]
    if options.start is not None:
        try:
            return sought.rung(float(options.start))
        except ValueError:
            raise OptionError(f"--start {options.start}: not a number (allowed: one such as 45)") from None
    if form is not None:
        return sought.rung(beside.in_unit(sought, form.answer))
    if sought.now is not None:
        return min(max(sought.now, sought.low), sought.high)
    return (sought.low + min(sought.high, 64)) // 2


def _edges(work: _Work, ends: Sequence[int], span: tuple[int, int]) -> list[str]:
    """Say which values plan checks rule out."""
    candidates, sign = work.candidates, work.sign
    rules = []
    for end, edge, outward in ((ends[0], span[0], -1), (ends[1], span[1], 1)):
        if end != edge:
            beyond = sign * (edge + outward)
            side = "below" if beyond < sign * edge else "above"
            why = candidates.why_not((beyond,))
            rules.append(f"{side} {candidates.text((sign * edge,))} nothing is proposed: {why}")
    return rules


def _of_one(work: _Work, search: Search, found: Found, rules: list[str], options: Options) -> Sizing:
    candidates, sign = work.candidates, work.sign
    (sought,) = candidates.quantities
    looked = tuple(work.seen(point) for point in sorted(work.settled))
    runs = work.meter.made
    if found.answer is None:
        return _cannot(work, search, found, rules, looked)
    point = (sign * found.answer,)
    if (
        found.answer == search.low
        and search.low == sign * (sought.high if sign < 0 else sought.low)
        and (_changes_nothing(work, search))
    ):
        raise OptionError(
            f"--vary {sought.path}: every run is the same with the smallest and with larger values, so that "
            f"{' and '.join(target.text for target in work.meter.targets)} is met by all of them "
            "(allowed: a number that the target depends on)"
        )
    undecided = [(sign * place,) for place in found.undecided if place in search.settled]
    outcome = Outcome.EITHER if found.undecided else Outcome.FOUND
    series = candidates.series(point)
    if missing := without_effect(series):
        work.remarks.append(f"no run is evidence: {' and '.join(missing)} took no effect in any of them")
        outcome = Outcome.NO_EVIDENCE
    if found.irregular:
        odd = ", ".join(candidates.text((sign * place,)) for place in found.irregular)
        work.remarks.append(
            f"the target is not met on one side only: {odd} came out the other way round than the values around it"
        )
        outcome = Outcome.EITHER
    if found.answer == search.low and not rules:
        lowest = "highest" if options.maximise else "lowest"
        work.remarks.append(f"this is the {lowest} value that was looked for")
    sizing = _sizing(work, outcome, work.seen(point), looked, rules, runs)
    more = beside.Beside(work.meter, candidates, work.ends, work.sign, work.forms)
    extra = more.of(point) if options.beside else beside.NOTHING
    before = None if found.fails is None else work.seen((sign * found.fails,))
    return _replaced(
        sizing,
        before=before,
        undecided=tuple(work.seen(each) for each in undecided),
        all_runs=work.meter.made,
        formulas=more.formulas(point),
        causes=extra.causes,
        days=extra.days,
        binding=binding(series),
    )


def _changes_nothing(work: _Work, search: Search) -> bool:
    """Whether the lowest place and one far above it come out the same in every run."""
    far = min(search.low + max(abs(search.low), 1), search.high)
    if far == search.low:
        return False
    search.probe(far, work.ends[0])
    one, other = (work.candidates.series((work.sign * place,)) for place in (search.low, far))
    return alike(one, other)


def _cannot(work: _Work, search: Search, found: Found, rules: list[str], looked: tuple[Seen, ...]) -> Sizing:
    """Say that nothing meets the target, and what loses the calls instead."""
    top = (work.sign * max(found.settled),)
    if any(_is(settled, Standing.MEETS) for settled in found.settled.values()):
        opposite = "without --maximise" if work.maximise else "with --maximise"
        work.remarks.append(f"it is met at the other end of the range: look {opposite}")
    if found.flat:
        work.remarks.append("the number makes no difference there: every run is the same with all values looked at")
    elif max(found.settled) < search.high:
        work.remarks.append(f"from {work.candidates.text(top)} on nothing changes any more")
    if any(_is(settled, Standing.OPEN) for settled in found.settled.values()):
        work.remarks.append("of some values the runs cannot tell")
    outcome = Outcome.EITHER if _is(found.settled[max(found.settled)], Standing.OPEN) else Outcome.NONE
    sizing = _sizing(work, outcome, None, looked, rules, work.meter.made)
    return _replaced(
        sizing,
        before=work.seen(top),
        binding=binding(work.candidates.series(top)),
        formulas=beside.Beside(work.meter, work.candidates, work.ends, work.sign, work.forms).formulas(None),
        all_runs=work.meter.made,
    )


def _stopped(work: _Work, rules: list[str]) -> Sizing:
    looked = tuple(work.seen(point) for point in sorted(work.settled))
    return _sizing(work, Outcome.STOPPED, None, looked, rules, work.meter.made)


def _sizing(
    work: _Work, outcome: Outcome, answer: Seen | None, looked: tuple[Seen, ...], rules: list[str], runs: int
) -> Sizing:
    meter = work.meter
    sought = tuple(
        Sought(each.path, each.text(each.low), each.text(each.high), _now(each), each.price)
        for each in work.candidates.quantities
    )
    return Sizing(
        drill=work.candidates.nearest_drill(),
        seed=meter.seed,
        confidence=meter.confidence,
        most=work.ends[-1],
        maximise=work.maximise,
        targets=meter.targets,
        sought=sought,
        outcome=outcome,
        answer=answer,
        looked=looked,
        runs=runs,
        all_runs=meter.made,
        rules=tuple(rules),
        remarks=tuple(work.remarks),
    )


def _replaced(sizing: Sizing, **more: object) -> Sizing:
    return Sizing(**{**vars(sizing), **more})


def _now(sought: Quantity) -> str | None:
    return None if sought.now is None else sought.text(sought.now)


# Several


def _several(work: _Work, options: Options) -> Sizing:
    candidates = work.candidates
    start = tuple(_start(work, options, index) for index in range(len(candidates.quantities)))
    highest = tuple(
        each.high if each.bounded else min(each.high, _PLENTY * max(rung, each.now or 1))
        for each, rung in zip(candidates.quantities, start, strict=True)
    )
    search = Combining(
        partial(_look, work),
        work.ends,
        tuple(each.low for each in candidates.quantities),
        highest,
        candidates.rank,
        candidates.allowed,
        settled=work.settled,
    )
    rules: list[str] = []
    try:
        found = search.find(start)
        runs, looked = work.meter.made, tuple(work.seen(point) for point in sorted(work.settled))
        if found.answer is None:
            if not candidates.allowed(highest):
                rules.append(f"{candidates.text(highest)} is not proposed: {candidates.why_not(highest)}")
            sizing = _sizing(work, Outcome.NONE, None, looked, rules, runs)
            return _replaced(
                sizing, before=work.seen(highest), binding=binding(candidates.series(highest)), all_runs=runs
            )
        rules += candidates.ruled_out()
        outcome = Outcome.EITHER if found.undecided else Outcome.FOUND
        if found.floor is not None and found.floor < candidates.rank(found.answer):
            outcome = Outcome.EITHER
            work.remarks.append(
                f"the search was given up after {search.most} combinations; none costs less than {found.floor:,.6g}"
            )
        sizing = _sizing(work, outcome, work.seen(found.answer), looked, rules, runs)
        more = beside.Beside(work.meter, candidates, work.ends, work.sign, work.forms)
        extra = more.of(found.answer) if options.beside else beside.NOTHING
        return _replaced(
            sizing,
            undecided=tuple(work.seen(point) for point in found.undecided),
            formulas=more.formulas(found.answer),
            causes=extra.causes,
            days=extra.days,
            frontier=more.frontier(found.answer, highest, work.settled) if options.beside else (),
            binding=binding(candidates.series(found.answer)),
            floor=found.floor,
            all_runs=work.meter.made,
        )
    except StoppedError:
        sizing = _stopped(work, rules)
        return sizing if search.best is None else _replaced(sizing, answer=work.seen(search.best))
