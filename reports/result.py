"""`result.json`: everything that came out, for programs.

Times are seconds, shares 0 to 1; a value that is never reached is null with `never: true`.

    version           of this format
    verdict           passed, failed or inconclusive
    expected_verdict  the verdict that the drill is meant to have
    exit_code         as the command line returned it
    story             the answer in sentences
    scenario          name, file, changes (`--set`), lasts, start (ISO 8601, or the time of day), timezone
    engine            which engine played it
    seed              same file and seed, same metrics, whatever the number of workers
    replications      asked, done
    interrupted       stopped before the last replication, or unfinished
    unfinished        written while the run went on: it goes on, or was killed
    played            seconds up to which an only replication was played that had not come to its end; null otherwise
    evidence          per fault: at, took_effect_in (replications), first_effect, met_by
    no_evidence       why the run is no evidence; empty if it is
    expectations      per expectation: text, verdict, value, never, shown (the value in words), interval, bound,
                      of_limit, held, runs_share, reason
    precision         what was asked of the intervals, null for nothing: reached, looks (numbers of runs after which
                      intervals were looked at), runs, most, needed (runs that would probably do), goals (metric, of,
                      asked, reach, never (it may be that it never happens), reached)
    metrics           by query: value, never, unit, is (mean or median over replications), interval of the mean,
                      resolves (how near to 0 or 1 so many runs can see, where nearly all have that), lowest, p10, p90,
                      highest, quantiles (p5, p50, p95 of metrics judged run by run, each with value, never and
                      interval, whose ends are null for never; null with too few runs), runs, runs_never,
                      runs_nothing (with nothing to measure)
    steps             per runbook step: step, by, finished_in, open_in (ready, and not finished), ready, started,
                      finished (each p10, p50, p90), open_since and open_begun (ready and started in the runs in which
                      it was open), released_by (what set it off in most runs), cost (mean from ready to finished; where
                      it was open, to the end of the run, and so the least it can be), before_start, waited (for
                      conditions), repeats, repeated_in (runs), search (runs in which nobody was there, mean time, runs
                      by who was reached, empty for nobody), critical_in, critical (mean time it added to the critical
                      path), critical_share
    outages           per time without service (outage_minutes): metric, runs, mean, waits (each owner, wait, subject,
                      mean), which add up to the mean
    losses            attempts without success: direction, number, outcome, reason, mean of a replication
    findings          what the plan checks said before the run: id, severity, rows (of the catalogue), path, file, line,
                      column, message, found, why, remedy
    waivers           finding, reason, findings (those that it covers)
    declared          facts that plan checks took at the plan's word: path, file, line, column, rows, text
    software          versions by name
"""

import json
import math
from dataclasses import asdict
from typing import Any

from reports import lint_result
from reports.charts_outage import OutageReport, outage_reports
from reports.combine import Combined, Quantile, kind_of
from reports.judge import Judged, Judgement
from reports.origin import Origin, software
from reports.precision import Precision, looks
from reports.runbook import Spread, StepReport, step_reports
from reports.statistics import Interval
from reports.story import mean_losses, story
from reports.summary import Value
from reports.wording import moment_text
from scenarios.expectations import Query
from scenarios.model import Fault

VERSION = 1
"""Raised when a key changes its meaning or goes; a new key leaves it as it is."""

Json = dict[str, Any]


def result_text(judged: Judged, origin: Origin) -> str:
    """Return the result as JSON text: UTF-8, one final newline, nothing that depends on when or where it was made."""
    return json.dumps(result(judged, origin), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def result(judged: Judged, origin: Origin) -> Json:
    """Return the result as plain data; times in seconds, shares from 0 to 1."""
    drill, clock = judged.drill, judged.drill.run.clock
    return {
        "version": VERSION,
        "verdict": judged.verdict,
        "expected_verdict": drill.expected_verdict,
        "exit_code": int(judged.exit_code),
        "story": list(story(judged)),
        "scenario": {
            "name": drill.name,
            "file": origin.file,
            "changes": list(origin.changes),
            "lasts": drill.run.lasts,
            "start": clock and moment_text(clock, 0.0),
            "timezone": drill.run.timezone if clock and clock.dated else None,
        },
        "engine": judged.engine,
        "seed": judged.seed,
        "replications": {"asked": drill.run.replications, "done": judged.finished},
        "precision": judged.precision and _precision(judged.precision),
        "interrupted": judged.interrupted,
        "unfinished": judged.unfinished,
        "played": judged.until,
        "evidence": [_evidence(judged, fault) for fault in drill.faults],
        "no_evidence": list(judged.no_evidence),
        "expectations": [expectation_data(judgement) for judgement in judged.judgements],
        "metrics": {str(query): metric_data(query, combined) for query, combined in judged.metrics.items()},
        "steps": [_step(step) for step in step_reports(drill, judged.summaries)],
        "outages": [_outage(found) for found in outage_reports(judged)],
        "losses": [{**loss._asdict(), "mean": count} for loss, count in mean_losses(judged)],
        "findings": lint_result.findings(judged.plan),
        "waivers": [
            {
                "finding": waiver.finding,
                "reason": waiver.reason,
                "findings": lint_result.waived(judged.plan, waiver.finding),
            }
            for waiver in drill.waivers
        ],
        "declared": lint_result.declarations(judged.plan),
        "software": software(),
    }


def _evidence(judged: Judged, fault: Fault) -> Json:
    effects = [summary.effects[fault.name] for summary in judged.summaries if fault.name in summary.effects]
    return {
        "fault": fault.name,
        "at": fault.at,
        "took_effect_in": len(effects),
        "first_effect": min((effect.at for effect in effects), default=None),
        "met_by": sorted({effect.met for effect in effects}),
    }


def expectation_data(judgement: Judgement) -> Json:
    """Return what became of one expectation."""
    expectation, held = judgement.expectation, judgement.held
    return {
        "text": expectation.text,
        "verdict": judgement.verdict,
        **_number(judgement.value),
        "shown": judgement.shown,
        "interval": _interval(judgement.interval),
        "bound": expectation.bound,
        "of_limit": expectation.of_limit,
        "held": held and {"runs": held.runs, "of": held.of, "interval": _interval(held.interval)},
        "runs_share": expectation.runs_share if held else None,
        "reason": judgement.reason,
    }


def metric_data(query: Query, combined: Combined) -> Json:
    """Return what came out for one query over all replications."""
    spread, ends = combined.spread or (None, None), combined.ends or (None, None)
    return {
        **_number(combined.value),
        "unit": query.definition.unit,
        "is": kind_of(query),
        "interval": _interval(combined.interval),
        "resolves": combined.rare and combined.rare.edge,
        "lowest": _finite(ends[0]),
        "p10": _finite(spread[0]),
        "p90": _finite(spread[1]),
        "highest": _finite(ends[1]),
        "quantiles": {f"p{each.share * 100:.0f}": _quantile(each) for each in combined.quantiles},
        "runs": combined.runs,
        "runs_never": combined.never,
        "runs_nothing": combined.nothing,
    }


def _quantile(found: Quantile) -> Json:
    interval = None if found.interval is None else [_finite(end) for end in found.interval]
    return {**_number(found.value), "interval": interval}


def _precision(found: Precision) -> Json:
    return {
        "reached": found.reached,
        "looks": [runs for runs in looks(found.most) if runs <= found.runs],
        "runs": found.runs,
        "most": found.most,
        "needed": found.needed,
        "goals": [
            {
                "metric": str(goal.goal.query),
                "of": kind_of(goal.goal.query),
                "asked": goal.asked,
                "reach": _finite(goal.reach),
                "never": goal.reach is not None and math.isinf(goal.reach),
                "reached": goal.enough,
            }
            for goal in found.goals
        ],
    }


def _step(step: StepReport) -> Json:
    return {
        "step": step.step,
        "by": step.by,
        "finished_in": step.finished_in,
        "open_in": step.open_in,
        "ready": _spread(step.ready),
        "started": _spread(step.started),
        "finished": _spread(step.finished),
        "open_since": _spread(step.open_since),
        "open_begun": _spread(step.open_begun),
        "released_by": step.released_by or None,
        "cost": step.cost,
        "before_start": step.before_start,
        "waited": step.waited,
        "repeats": step.repeats,
        "repeated_in": step.repeated_in,
        "search": step.search and asdict(step.search),
        "critical_in": step.critical_in,
        "critical": step.critical,
        "critical_share": step.critical_share,
    }


def _outage(found: OutageReport) -> Json:
    return {
        "metric": str(found.query),
        "runs": found.runs,
        "mean": found.mean,
        "waits": [{**cause._asdict(), "mean": seconds} for cause, seconds in found.causes],
    }


def _number(value: Value) -> Json:
    """Return a value; JSON knows no infinity, so that never is null and a flag."""
    return {"value": _finite(value), "never": value is not None and math.isinf(value)}


def _finite(value: Value) -> float | None:
    return None if value is None or math.isinf(value) else value


def _interval(interval: Interval | None) -> list[float] | None:
    return None if interval is None else list(interval)


def _spread(spread: Spread | None) -> Json | None:
    return None if spread is None else {"p10": spread.p10, "p50": spread.p50, "p90": spread.p90}
