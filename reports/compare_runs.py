"""The runs that are compared, as their folders tell: `result.json`, and `replications.json` where there is one."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, Field, ValidationError, model_validator

from reports import replications
from reports.junit_document import NOT_IN_XML
from reports.queries import resolve
from reports.result import VERSION
from reports.statistics import Interval
from reports.summary import Value
from scenarios.expectations import ExpectationError, Query, parse_expectation, parse_query
from scenarios.metrics import METRICS, Combine
from scenarios.model import Verdict
from scenarios.paths import is_file, is_folder

RESULT = "result.json"
_NOT_TOLD = "–"

_MOST = 10**15
"""Beyond any number that a run comes to, and small enough to square and to add up."""
_Number = Annotated[float, Field(allow_inf_nan=False, ge=-_MOST, le=_MOST)]
_Length = Annotated[float, Field(allow_inf_nan=False, ge=0, le=_MOST)]
_Count = Annotated[int, Field(ge=0, le=_MOST)]

Json = dict[str, Any]
M = TypeVar("M", bound=BaseModel)


class RunError(ValueError):
    """A run that cannot be compared: which file, what is wrong with it, and what to do."""


@dataclass(frozen=True, slots=True)
class Told:
    """A value over all runs with its interval, where that is all there is."""

    value: Value
    interval: Interval | None
    runs: int
    never: int
    nothing: int


@dataclass(frozen=True, slots=True)
class Measured:
    """One metric of a run."""

    query: Query
    values: tuple[Value, ...] | None
    """By replication; None for a run of which only the values over all are known."""
    told: Told


@dataclass(frozen=True, slots=True)
class Became:
    """What became of one expectation."""

    verdict: Verdict
    shown: str
    """The value, in words."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A finding of the plan checks."""

    id: str
    severity: str
    path: str
    message: str


@dataclass(frozen=True)
class Run:
    """One side of a comparison."""

    source: str
    """As it was asked for: a folder, a file, a drill."""
    name: str
    file: str
    changes: tuple[str, ...]
    lasts: float
    engine: str
    seed: int
    verdict: Verdict
    expected_verdict: Verdict
    no_evidence: tuple[str, ...]
    done: int
    """Replications."""
    expectations: Mapping[str, Became]
    """By text."""
    expected: frozenset[Query]
    """What something is expected of."""
    metrics: Mapping[str, Measured]
    """By the text of the query."""
    unknown: tuple[str, ...]
    """Metrics that this version of kirikae does not have."""
    steps: tuple[str, ...]
    findings: tuple[Notice, ...]
    software: Mapping[str, str]
    numbers: tuple[int, ...] | None
    """Of the replications; None for a run of which only values over all are known."""
    drill: Mapping[str, Any]
    """What the run depends on; empty where nobody knows."""
    charts: Json | None


class _Scenario(BaseModel):
    name: str
    file: str
    changes: list[str]
    lasts: _Length


class _Done(BaseModel):
    done: _Count


class _Expectation(BaseModel):
    text: str
    verdict: Verdict
    shown: str | None = None  # older versions did not write it


class _Quantile(BaseModel):
    value: _Number | None
    never: bool
    interval: tuple[_Number | None, _Number | None] | None


class _Metric(BaseModel):
    value: _Number | None
    never: bool
    interval: tuple[_Number, _Number] | None
    quantiles: dict[str, _Quantile]
    runs: _Count
    runs_never: _Count
    runs_nothing: _Count

    @model_validator(mode="after")
    def _never_among_the_measured(self) -> Self:
        measured = self.runs - self.runs_nothing
        if not 0 <= self.runs_never <= measured:
            allowed = f"at most {measured}, runs less runs_nothing" if measured >= 0 else "runs_nothing of at most runs"
            raise ValueError(f"runs_never is {self.runs_never} (allowed: {allowed})")
        return self


class _Step(BaseModel):
    step: str


class _Finding(BaseModel):
    id: str
    severity: str
    path: str
    message: str


class _Result(BaseModel):
    version: Literal[1]
    verdict: Verdict
    expected_verdict: Verdict
    scenario: _Scenario
    engine: str
    seed: int
    replications: _Done
    unfinished: bool = False
    no_evidence: list[str]
    expectations: list[_Expectation]
    metrics: dict[str, _Metric]
    steps: list[_Step]
    findings: list[_Finding]
    software: dict[str, str]


class _Line(BaseModel):
    mean: list[_Number]


class _Calls(_Line):
    outcome: str


class _Ports(_Line):
    name: str
    cap: _Count


class _Charts(BaseModel):
    lasts: _Length
    width: _Length = Field(gt=0)
    calls: list[_Calls]
    ports: list[_Ports]


class _Values(BaseModel):
    metric: str
    selectors: dict[str, str]
    after: _Number | None
    before: _Number | None
    values: list[_Number | Literal["never"] | None]


class _Replications(BaseModel):
    version: Literal[1]
    engine: str
    seed: int
    replications: list[int]
    drill: dict[str, Any]
    metrics: dict[str, _Values]
    charts: _Charts | None


def is_run(path: Path) -> bool:
    """Whether a path is meant as that of a run: a folder, or one of its JSON files."""
    return is_folder(path) or path.suffix == ".json"


def read_run(path: Path) -> Run:
    """Read a run by its folder, or by the `result.json` in it; raises :class:`RunError`."""
    file = path / RESULT if is_folder(path) else path
    if is_folder(path) and not is_file(file):
        raise RunError(f"{path}: no {RESULT} is in there (allowed: the folder of a run, its {RESULT}, or a drill)")
    beside = values_of(file)
    return run_of(read_json(file), None if beside is None else read_json(beside), str(path), file, beside or file)


def values_of(file: Path) -> Path | None:
    """Return the file with the values of each replication that belongs to a `result.json`; None where there is none.

    A result that was written elsewhere, by `--json`, has none, whatever lies beside it.
    """
    beside = file.with_name(replications.FILE)
    return beside if file.name == RESULT and is_file(beside) else None


def read_json(path: Path) -> Any:
    """Read a JSON file; raises :class:`RunError`."""
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise RunError(f"{path}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path}: this is no JSON, or only a part of it: {error}") from None


def run_of(result: Any, values: Any, source: str, file: Path, beside: Path) -> Run:
    """Put a run together of what its two files hold, of which the second may be missing.

    ``file`` and ``beside`` are named in what is wrong. Raises :class:`RunError`.
    """
    told = _checked(_Result, result, file, VERSION)
    single = None if values is None else _checked(_Replications, values, beside, replications.VERSION)
    if single is not None:
        _see_that_both_are_of_one_run(told, single, file, beside)
    metrics, unknown = dict[str, Measured](), list[str]()
    for text, metric in told.metrics.items():
        query = _query(text, None if single is None else single.metrics.get(text))
        if query is None:
            unknown.append(text)
            continue
        _see_that_never_may_be(query, text, metric, None if single is None else single.metrics[text], file, beside)
        own = None if single is None else _values(single.metrics[text].values)
        metrics[text] = Measured(query, own, _told(metric))
    return Run(
        source=source,
        name=told.scenario.name,
        file=told.scenario.file,
        changes=tuple(told.scenario.changes),
        lasts=told.scenario.lasts,
        engine=told.engine,
        seed=told.seed,
        verdict=told.verdict,
        expected_verdict=told.expected_verdict,
        no_evidence=tuple(told.no_evidence),
        done=told.replications.done,
        expectations={each.text: Became(each.verdict, each.shown or _NOT_TOLD) for each in told.expectations},
        expected=frozenset(_expected(told)),
        metrics=metrics,
        unknown=tuple(unknown),
        steps=tuple(each.step for each in told.steps),
        findings=tuple(Notice(each.id, each.severity, each.path, each.message) for each in told.findings),
        software=told.software,
        numbers=None if single is None else tuple(single.replications),
        drill={} if single is None else single.drill,
        charts=None if single is None or single.charts is None else single.charts.model_dump(),
    )


def _checked(model: type[M], data: Any, file: Path, version: int) -> M:
    found = data.get("version") if isinstance(data, dict) else None
    if isinstance(found, int) and found != version:
        raise RunError(f"{file}: this is version {found} of the format (allowed: {version}); run the drill again")
    for place, sign in _unwritable(data):
        what = f"there is U+{ord(sign):04X} in it (allowed: no half of a surrogate pair, no control character)"
        raise RunError(f"{file}: this is not what `kirikae run` writes: {place}: {what}")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "all of it"
        what = first["msg"].removeprefix("Value error, ")
        found_there = f", found {first['input']}" if isinstance(first["input"], float) else ""
        raise RunError(f"{file}: this is not what `kirikae run` writes: {place}: {what}{found_there}") from None


def _unwritable(data: Any) -> Iterator[tuple[str, str]]:
    """Yield characters that pages and XML cannot hold, each with its place."""
    todo: list[tuple[str, Any]] = [("", data)]
    while todo:  # and no recursion, for JSON may be as deep as that allows
        place, found = todo.pop()
        if isinstance(found, str):
            if match := NOT_IN_XML.search(found):
                yield place.lstrip(".") or "all of it", match[0]
        elif isinstance(found, dict):
            for key, value in found.items():
                inside = f"{place}.{NOT_IN_XML.sub('?', key)}"
                todo += ((inside, value), (inside, key))
        elif isinstance(found, list):
            todo += ((f"{place}.{index}", each) for index, each in enumerate(found) if not isinstance(each, float))


def _see_that_both_are_of_one_run(told: _Result, single: _Replications, file: Path, beside: Path) -> None:
    same = (told.engine, told.seed, told.replications.done) == (single.engine, single.seed, len(single.replications))
    lengths = {len(each.values) for each in single.metrics.values()} <= {len(single.replications)}
    if same and lengths and single.metrics.keys() == told.metrics.keys():
        return
    if told.unfinished:  # the two are written one after the other, and the run may be killed in between
        raise RunError(f"{file}: the run was not finished, and {beside.name} is of a state before; run the drill again")
    raise RunError(f"{beside}: this is of another run than {file.name} beside it; run the drill again")


def _query(text: str, single: _Values | None) -> Query | None:
    """Return what a metric is about; None where this version does not know it."""
    if single is not None:
        if single.metric not in METRICS:
            return None
        return Query(single.metric, tuple(sorted(single.selectors.items())), single.after, single.before)
    try:
        return resolve(parse_query(text))
    except ExpectationError:
        return None


def _see_that_never_may_be(
    query: Query, text: str, metric: _Metric, single: _Values | None, file: Path, beside: Path
) -> None:
    """Only what is judged run by run may never happen; of anything else there would be no mean."""
    if query.definition.combine is Combine.RUNS:
        return
    why = "never is no value of a metric that is a mean (allowed: numbers, and null)"
    if metric.never or metric.runs_never:
        raise RunError(f"{file}: this is not what `kirikae run` writes: metrics.{text}: {why}")
    if single is not None and "never" in single.values:
        raise RunError(f"{beside}: this is not what `kirikae run` writes: metrics.{text}.values: {why}")


def _values(values: list[float | Literal["never"] | None]) -> tuple[Value, ...]:
    return tuple(math.inf if isinstance(value, str) else value for value in values)


def _told(metric: _Metric) -> Told:
    median = metric.quantiles.get("p50")
    interval = metric.interval
    if median is not None and median.interval is not None:
        low, high = (math.inf if end is None else end for end in median.interval)
        interval = (low, high)
    value = math.inf if metric.never else metric.value
    return Told(value, interval, metric.runs, metric.runs_never, metric.runs_nothing)


def _expected(told: _Result) -> list[Query]:
    found = []
    for each in told.expectations:
        try:
            found.append(resolve(parse_expectation(each.text).query))
        except ExpectationError:  # of another version
            continue
    return found
