"""The search for a number of a drill: what is looked at, and what is made of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from kirikae.options import OptionError
from kirikae.sizing import beside
from kirikae.sizing.candidates import Candidates
from kirikae.sizing.measuring import Meter, StoppedError, alike, binding, without_effect
from reports.sizing import Outcome, Seen, Sizing, Sought
from scenarios.closed_form import ClosedForm
from scenarios.model import Verdict
from scenarios.quantity import Quantity
from sim.combining import Combining, Point
from sim.sizing import Found, Look, Search, Settled, Standing, allowed_range

_VERDICTS = {Standing.MEETS: Verdict.PASSED, Standing.FAILS: Verdict.FAILED, Standing.OPEN: Verdict.INCONCLUSIVE}
_PLENTY = 4
"""Times the formula's number, or the present one, that is the most of each of several, unless a range is given."""


@dataclass
class Work:
    """What all parts of a search need."""

    candidates: Candidates
    meter: Meter
    ends: tuple[int, ...]
    maximise: bool
    start: str | None
    """Where to begin, as the user says."""
    beside: bool
    """Whether what stands beside an answer is wanted."""
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


def stands(settled: Settled, standing: Standing) -> bool:
    """Whether a value came out so."""
    return settled.look.standing is standing


# One number


def seek_one(work: Work) -> Sizing:
    """Look for the smallest or the largest value of one number; raises :class:`~kirikae.options.OptionError`."""
    candidates, sign = work.candidates, work.sign
    (sought,) = candidates.quantities
    start = _start(work, 0)
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
        return _of_one(work, search, found, rules)
    except (StoppedError, KeyboardInterrupt):
        return _stopped(work, rules)


class _Mirror(dict[int, Settled]):
    """What a search has settled, kept by the values that it was about as well."""

    def __init__(self, points: dict[Point, Settled], sign: int) -> None:
        self._points = points
        self._sign = sign

    def __setitem__(self, place: int, settled: Settled) -> None:
        super().__setitem__(place, settled)
        self._points[self._sign * place,] = settled


def _look(work: Work, point: Point, runs: int) -> Look:
    return work.meter.look(work.candidates.series(point), runs)


def _start(work: Work, index: int) -> int:
    """Return the rung to begin at: what the user says, what the formula says, what the drill has, or the middle."""
    sought, form = work.candidates.quantities[index], work.forms[index]
    if work.start is not None:
        try:
            return sought.rung(float(work.start))
        except ValueError:
            raise OptionError(f"--start {work.start}: not a number (allowed: one such as 45)") from None
    if form is not None:
        return sought.rung(beside.in_unit(sought, form.answer))
    if sought.now is not None:
        return min(max(sought.now, sought.low), sought.high)
    return (sought.low + min(sought.high, 64)) // 2


def _edges(work: Work, ends: Sequence[int], span: tuple[int, int]) -> list[str]:
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


def _of_one(work: Work, search: Search, found: Found, rules: list[str]) -> Sizing:
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
        lowest = "highest" if work.maximise else "lowest"
        work.remarks.append(f"this is the {lowest} value that was looked for")
    sizing = _sizing(work, outcome, work.seen(point), looked, rules, runs)
    more = beside.Beside(work.meter, candidates, work.ends, work.sign, work.forms)
    extra = _beside(work, more, point)
    before = None if found.fails is None else work.seen((sign * found.fails,))
    return _replaced(
        sizing,
        before=before,
        undecided=tuple(work.seen(each) for each in undecided),
        all_runs=work.meter.made,
        remarks=tuple(work.remarks),
        formulas=more.formulas(point),
        causes=extra.causes,
        days=extra.days,
        binding=binding(series),
    )


def _beside(work: Work, more: beside.Beside, point: Point, highest: Point | None = None) -> beside.Extra:
    """Return what stands beside an answer; when somebody stops that, the answer stays."""
    try:
        return more.of(point, highest, work.settled) if work.beside else beside.NOTHING
    except (StoppedError, KeyboardInterrupt):
        work.remarks.append("stopped before all was measured that stands beside the answer")
        return beside.NOTHING


def _changes_nothing(work: Work, search: Search) -> bool:
    """Whether the lowest place and one far above it come out the same in every run."""
    far = min(search.low + max(abs(search.low), 1), search.high)
    if far == search.low:
        return False
    search.probe(far, work.ends[0])
    one, other = (work.candidates.series((work.sign * place,)) for place in (search.low, far))
    return alike(one, other)


def _cannot(work: Work, search: Search, found: Found, rules: list[str], looked: tuple[Seen, ...]) -> Sizing:
    """Say that nothing meets the target, and what loses the calls instead."""
    top = (work.sign * max(found.settled),)
    if any(stands(settled, Standing.MEETS) for settled in found.settled.values()):
        opposite = "without --maximise" if work.maximise else "with --maximise"
        work.remarks.append(f"it is met at the other end of the range: look {opposite}")
    if found.flat:
        work.remarks.append("the number makes no difference there: every run is the same with all values looked at")
    elif max(found.settled) < search.high:
        work.remarks.append(f"from {work.candidates.text(top)} on nothing changes any more")
    if any(stands(settled, Standing.OPEN) for settled in found.settled.values()):
        work.remarks.append("of some values the runs cannot tell")
    outcome = Outcome.EITHER if stands(found.settled[max(found.settled)], Standing.OPEN) else Outcome.NONE
    sizing = _sizing(work, outcome, None, looked, rules, work.meter.made)
    return _replaced(
        sizing,
        before=work.seen(top),
        binding=binding(work.candidates.series(top)),
        formulas=beside.Beside(work.meter, work.candidates, work.ends, work.sign, work.forms).formulas(None),
        all_runs=work.meter.made,
    )


def _stopped(work: Work, rules: list[str]) -> Sizing:
    looked = tuple(work.seen(point) for point in sorted(work.settled))
    return _sizing(work, Outcome.STOPPED, None, looked, rules, work.meter.made)


def _sizing(
    work: Work, outcome: Outcome, answer: Seen | None, looked: tuple[Seen, ...], rules: list[str], runs: int
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


def seek_several(work: Work) -> Sizing:
    """Look for the cheapest combination of several numbers."""
    candidates = work.candidates
    start = tuple(_start(work, index) for index in range(len(candidates.quantities)))
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
        extra = _beside(work, more, found.answer, highest)
        return _replaced(
            sizing,
            undecided=tuple(work.seen(point) for point in found.undecided),
            formulas=more.formulas(found.answer),
            causes=extra.causes,
            days=extra.days,
            frontier=extra.frontier,
            remarks=tuple(work.remarks),
            binding=binding(candidates.series(found.answer)),
            floor=found.floor,
            all_runs=work.meter.made,
        )
    except (StoppedError, KeyboardInterrupt):
        sizing = _stopped(work, rules)
        return sizing if search.best is None else _replaced(sizing, answer=work.seen(search.best))
