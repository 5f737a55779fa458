"""Responsibility for times without service over all replications: by whom and what the plan waited for (G6)."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any, Final, get_args

from reports.judge import Judged
from reports.summary import Cause, Wait
from reports.wording import duration_text
from scenarios.expectations import Query
from scenarios.parties import Owner
from scenarios.text import Text

Json = dict[str, Any]

MOST_OUTAGES = 12
"""Times without service that get a bar, the longest of them."""

OWNERS: Final[Mapping[Owner, Text]] = {
    "customer": Text("customer"),
    "vendor": Text("vendor"),
    "carrier": Text("carrier"),
    "shared": Text("shared or undecided"),
}
"""Who is responsible, in words."""
_WAITS: Final[Mapping[Wait, Callable[[str], Text]]] = {
    Wait.GEAR: lambda pair: Text("until the gear of {pair} noticed and switched", pair=pair),
    Wait.BEGIN: lambda step: Text("until “{step}” was begun", step=step),
    Wait.WORK: lambda step: Text("while “{step}” was done", step=step),
    Wait.REPAIR: lambda fault: Text("until {fault} was repaired", fault=fault),
    Wait.GRANT: lambda step: Text("until the request of “{step}” was granted", step=step),
    Wait.NOTHING: lambda _: Text("nothing that the plan knows of"),
}


def wait_text(cause: Cause) -> Text:
    """Return what the plan waited for, in words."""
    return _WAITS[cause.wait](cause.subject)


@dataclass(frozen=True, slots=True)
class OutageReport:
    """A time without service over all replications, in seconds."""

    query: Query
    runs: int
    """Those in which anybody tried."""
    mean: float
    causes: tuple[tuple[Cause, float], ...]
    """Mean seconds by whom and what the plan waited for, the most first; together they are ``mean``."""

    @property
    def name(self) -> str:
        """What it is of: a number, a site; empty for all who call."""
        return ", ".join(value for _, value in self.query.selectors)

    def of(self, owner: Owner) -> float:
        """Return the mean seconds that one party is responsible for."""
        return fsum(seconds for cause, seconds in self.causes if cause.owner == owner)


def outage_reports(judged: Judged) -> list[OutageReport]:
    """Return what became of each ``outage_minutes`` that is asked for, without a party."""
    asked = judged.summaries[0].responsible if judged.summaries else ()
    return [found for query in asked if (found := _report(judged, query)) is not None]


def _report(judged: Judged, query: Query) -> OutageReport | None:
    values = [(run, value) for run in judged.summaries if (value := run.values[query]) is not None]
    if not values:
        return None
    sums: defaultdict[Cause, list[float]] = defaultdict(list)
    for run, _ in values:
        for cause, seconds in run.responsible[query].items():
            sums[cause].append(seconds)
    means = {cause: fsum(seconds) / len(values) for cause, seconds in sums.items()}
    causes = sorted(means.items(), key=lambda item: (-item[1], item[0]))
    return OutageReport(query, len(values), fsum(value for _, value in values) / len(values), tuple(causes))


def shown_outages(judged: Judged) -> list[OutageReport]:
    """Return those that a page shows: of all who call, of numbers, and those that something is expected of."""
    expected = {judgement.expectation.query for judgement in judged.judgements}
    found = [
        report
        for report in outage_reports(judged)
        if report.query in expected or {name for name, _ in report.query.selectors} <= {"number"}
    ]
    return sorted(found, key=lambda report: -report.mean)[:MOST_OUTAGES]


def outage_chart(reports: Sequence[OutageReport]) -> Json:
    """Return the data of the chart: minutes by party, for each time without service that there was."""
    shown = [report for report in reports if report.mean]
    return {
        "names": [report.name or Text("all who call") for report in shown],
        "owners": [
            {"owner": owner, "name": OWNERS[owner], "mean": [round(report.of(owner) / 60, 3) for report in shown]}
            for owner in get_args(Owner)
        ],
    }


def outage_alternative(reports: Sequence[OutageReport]) -> Text:
    """Say who was responsible for most of the longest time without service."""
    worst = next((report for report in reports if report.mean), None)
    if worst is None:
        return Text("Minutes without service by who is responsible: there was none.")
    (cause, seconds), *_ = worst.causes
    return Text(
        "Minutes without service by who is responsible: {mean} of {name} in the mean of a run, the longest part of it, "
        "{most}, {wait}: {owner}. The table below has the numbers.",
        mean=duration_text(worst.mean),
        name=worst.name or Text("all who call"),
        most=duration_text(seconds),
        wait=wait_text(cause),
        owner=OWNERS[cause.owner],
    )
