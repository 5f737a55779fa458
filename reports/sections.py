"""The sections of `report.html`: which there are, in what order, and what their templates are filled with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reports.alternatives import calls_alternative, level_alternative, ports_alternative, runbook_alternative
from reports.charts import MOST_LIMITS, bins_played, calls_per_minute, peaks
from reports.charts_levels import levels, service, service_alternative
from reports.charts_losses import loss_alternative, loss_chart
from reports.charts_outage import OWNERS, outage_alternative, shown_outages, wait_text
from reports.charts_recovery import drawn, recoveries, recovery_alternative
from reports.headline import headline, warnings
from reports.judge import Judged
from reports.origin import Origin
from reports.provenance import evidence_text, origin_facts
from reports.runbook import step_reports
from reports.story import mean_losses, story
from reports.wording import DIRECTIONS, OUTCOMES, VERDICTS, duration_text
from scenarios.evidence import Gauge
from scenarios.text import Text

Facts = Mapping[str, Any]
"""What templates know by name."""


@dataclass(frozen=True, slots=True)
class Section:
    """One section: its heading, and whether there is anything to say in it."""

    name: str
    """Of the template in ``report/``, and of the part of the page that links lead to."""
    title: Text
    shown: Callable[[Facts], object]


SECTIONS = (
    Section("story", Text("In words"), lambda facts: True),
    Section("expectations", Text("Expectations"), lambda facts: True),
    Section("calls", Text("Calls over time"), lambda facts: facts["calls"]),
    Section("losses", Text("What was lost"), lambda facts: facts["losses"]),
    Section("runbook", Text("Runbook"), lambda facts: facts["steps"]),
    Section("recovery", Text("Recovery"), lambda facts: facts["recoveries"]),
    Section("outages", Text("Who was responsible"), lambda facts: facts["outages"]),
    Section("ports", Text("Ports against limits"), lambda facts: facts["peaks"]),
    Section(
        "service",
        Text("Queues and service level"),
        lambda facts: facts["service"] or any(level["of"] == Gauge.WAITING for level in facts["levels"]),
    ),
    Section(
        "people",
        Text("Phones and agents"),
        lambda facts: any(level["of"] != Gauge.WAITING for level in facts["levels"]),
    ),
    Section("ladders", Text("Calls, message by message"), lambda facts: facts["ladders"]),
    Section("metrics", Text("All metrics"), lambda facts: facts["judged"].metrics),
    Section(
        "plan",
        Text("What the plan checks say"),
        lambda facts: facts["plan"].found or facts["plan"].waived or facts["plan"].declared,
    ),
    Section("origin", Text("How this came about"), lambda facts: True),
)
"""In the order of the page."""


def facts(judged: Judged, origin: Origin) -> dict[str, Any]:
    """Return what all templates are filled with, in any language; texts are said when they are put out."""
    return {
        "judged": judged,
        "drill": judged.drill,
        "plan": judged.plan,
        "clock": judged.drill.run.clock,
        "headline": headline(judged),
        "warnings": tuple(warnings(judged)),
        "story": story(judged),
        "evidence": evidence_text(judged),
        "verdicts": VERDICTS,
        "outcomes": OUTCOMES,
        "directions": DIRECTIONS,
        **origin_facts(judged, origin),
        **_measured(judged),
    }


def _measured(judged: Judged) -> dict[str, Any]:
    """Return what there is where a replication was played, and its empty likeness where none was."""
    drill, summaries = judged.drill, judged.summaries
    found: dict[str, Any] = {
        "steps": step_reports(drill, summaries) if summaries else (),
        "conditions": any(step.when for step in drill.runbook),
        "losses": mean_losses(judged) if summaries else [],
        "peaks": peaks(drill, summaries) if summaries else [],
        "most_limits": MOST_LIMITS,
        "calls": calls_per_minute(drill, summaries) if summaries else [],
        "waiting": Gauge.WAITING,
        "bin": duration_text(summaries[0].timeline.width) if summaries else "",
        "levels": list(levels(drill, summaries)) if summaries else [],
        "service": service(judged) if summaries else [],
        "recoveries": recoveries(judged) if summaries else [],
        "outages": shown_outages(judged),
        "owners": OWNERS,
        "wait": wait_text,
    }
    found["recoveries_drawn"] = drawn(found["recoveries"])
    found["loss_rows"] = len(loss_chart(found["losses"])["rows"])
    bins = bins_played(drill, summaries).tolist() if summaries else []
    alternative = {
        "calls": calls_alternative(found["calls"], bins),
        "runbook": runbook_alternative(found["steps"]),
        "ports": [ports_alternative(peak) for peak in found["peaks"]],
        "levels": [level_alternative(level) for level in found["levels"]],
        "service": [service_alternative(queue) for queue in found["service"]],
        "losses": loss_alternative(found["losses"]) if found["losses"] else "",
        "recovery": [recovery_alternative(recovery) for recovery in found["recoveries_drawn"]],
        "outages": outage_alternative(found["outages"]),
    }
    return {**found, "alternative": alternative}
