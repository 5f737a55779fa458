"""What `kirikae compare --json` writes, for programs.

Times are seconds, shares 0 to 1; a difference is the second run's value less the first's. `never` is null with a flag.

    version       of this format
    worse         whether the second run is worse than is allowed
    exit_code     what the comparison comes to; with `--accept` the command line returns 0 all the same
    headline      the answer in a few words
    story         the sentences of the summary
    kind          paired, independent, separate (of one side only values over all runs are known) or nights
    confidence    of each interval; where runs are known one by one, that which makes it 95 % for all metrics together
    compared      how many runs of each side
    first, second per side: called, source, name, file, changes, engine, seed, runs, verdict, no_evidence
    open          what cannot be told, a clause each
    nights        live: baseline, baseline_needed, recent, recent_needed, error (the chance of a false alarm); else null
    plan          what runs depend on that differs, a clause each; null where nobody knows
    expectations  per expectation of either: text, first and second (verdict and value in words; null where it has none)
    metrics       by query, what changed first: outcome, decides, expected, unit, better, is, first, second (value and
                  never), difference (value, never (1 or -1 where it is infinite) and interval, whose infinite ends are
                  null), allowed, never and nothing (to measure): runs of first and second, of how many, identical
    new, gone     expectations, metrics, steps, findings that only one side has
    software      of both sides
"""

import json
from math import inf, isinf
from typing import Any

from reports.compare import Comparison
from reports.compare_changes import Change, Counts
from reports.compare_intervals import Apart
from reports.compare_runs import Became, Notice, Run
from reports.compare_words import headline, of_what, sentences

VERSION = 1
"""Raised when a key changes its meaning or goes; a new key leaves it as it is."""

Json = dict[str, Any]


def comparison_text(comparison: Comparison) -> str:
    """Return the result as JSON text: UTF-8, one final newline."""
    return json.dumps(comparison_result(comparison), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def comparison_result(comparison: Comparison) -> Json:
    """Return the result as plain data."""
    nights = comparison.nights
    expectations = comparison.expectations
    return {
        "version": VERSION,
        "worse": comparison.worse,
        "exit_code": int(comparison.exit_code),
        "headline": headline(comparison),
        "story": list(sentences(comparison)),
        "kind": comparison.kind,
        "confidence": comparison.confidence,
        "compared": list(comparison.runs),
        "first": _side(comparison.names[0], comparison.first),
        "second": _side(comparison.names[1], comparison.second),
        "open": list(comparison.open),
        "nights": nights
        and {
            "baseline": nights.baseline,
            "baseline_needed": nights.baseline_needed,
            "recent": nights.recent,
            "recent_needed": nights.recent_needed,
            "error": nights.error,
        },
        "plan": None if comparison.plan is None else list(comparison.plan),
        "expectations": [
            {"text": each.text, "first": _became(each.first), "second": _became(each.second)} for each in expectations
        ],
        "metrics": {change.text: _change(comparison, change) for change in comparison.ordered},
        "new": {
            "expectations": [each.text for each in expectations if each.first is None],
            "metrics": list(comparison.new_metrics),
            "steps": list(comparison.new_steps),
            "findings": [_notice(each) for each in comparison.new_findings],
        },
        "gone": {
            "expectations": [each.text for each in expectations if each.second is None],
            "metrics": list(comparison.gone_metrics),
            "steps": list(comparison.gone_steps),
            "findings": [_notice(each) for each in comparison.gone_findings],
        },
        "software": {"first": dict(comparison.first.software), "second": dict(comparison.second.software)},
    }


def _side(name: str, run: Run) -> Json:
    return {
        "called": name,
        "source": run.source,
        "name": run.name,
        "file": run.file,
        "changes": list(run.changes),
        "engine": run.engine,
        "seed": run.seed,
        "runs": run.done,
        "verdict": run.verdict,
        "no_evidence": list(run.no_evidence),
    }


def _change(comparison: Comparison, change: Change) -> Json:
    definition = change.query.definition
    return {
        "outcome": change.outcome,
        "decides": change.decides,
        "expected": change.expected,
        "unit": definition.unit,
        "better": definition.better,
        "is": of_what(change, comparison.kind),
        "first": _number(change.first),
        "second": _number(change.second),
        "difference": change.apart and _apart(change.apart),
        "allowed": change.allowed,
        "never": _counts(change.never),
        "nothing": _counts(change.nothing),
        "identical": change.identical,
    }


def _apart(apart: Apart) -> Json:
    return {
        "value": _finite(apart.value),
        "never": (apart.value == inf) - (apart.value == -inf),
        "interval": None if apart.interval is None else [_finite(end) for end in apart.interval],
    }


def _counts(counts: Counts) -> Json:
    return {
        "first": counts.first,
        "second": counts.second,
        "of": list(counts.of),
        "difference": counts.apart and _apart(counts.apart),
    }


def _number(value: float | None) -> Json:
    return {"value": _finite(value), "never": value is not None and isinf(value)}


def _finite(value: float | None) -> float | None:
    return None if value is None or isinf(value) else value


def _became(became: Became | None) -> Json | None:
    return None if became is None else {"verdict": became.verdict, "shown": became.shown}


def _notice(notice: Notice) -> Json:
    return {"id": notice.id, "severity": notice.severity, "path": notice.path, "message": notice.message}
