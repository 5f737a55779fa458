"""What `kirikae drift --json` writes: how far apart engines are, for programs.

Times are seconds, shares 0 to 1; a difference is the second engine's value less the first's.

    version        of this format
    agreement      agrees, differs or cannot tell
    exit_code      as the command line returned it
    scenario       name, file, lasts, played (of that, from its start)
    seed           same file and seed, same result, whatever the number of workers
    replications   asked, done
    interrupted    stopped before the last replication
    no_evidence    why the runs are no evidence; empty if they are
    engines        per engine, the first first: name, engine, changes (`--set` for all and for this one)
    pairings       the first engine with each of the others: first, second, agreement, metrics, nothing_to_measure
      metrics      by query: agreement, expected (by the drill), unit, values (by engine: the mean of the runs in which
                   both have one), difference (mean, interval, allowed, significant, agreement, runs, needed), never and
                   nothing (to measure): runs by engine, and the difference of their shares; likely_causes: what it is
                   about, and what each engine assumes
    idle           tolerances of the drill that cover nothing
    software       versions by name
"""

import json
from typing import Any

from reports.assumptions import likely_causes
from reports.drift import Agreement, Difference, Drift, MetricDrift, Pairing, Runs
from reports.origin import Origin, software

VERSION = 1
"""Raised when a key changes its meaning or goes; a new key leaves it as it is."""

Json = dict[str, Any]


def drift_text(drift: Drift, origin: Origin) -> str:
    """Return the result as JSON text: UTF-8, one final newline, nothing that depends on when or where it was made."""
    return json.dumps(drift_result(drift, origin), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def drift_result(drift: Drift, origin: Origin) -> Json:
    """Return the result as plain data."""
    return {
        "version": VERSION,
        "agreement": drift.agreement,
        "exit_code": int(drift.exit_code),
        "scenario": {
            "name": drift.drill.name,
            "file": origin.file,
            "lasts": drift.lasts,
            "played": drift.drill.run.lasts,
        },
        "seed": drift.seed,
        "replications": {"asked": drift.asked, "done": len(drift.sides[0].summaries)},
        "interrupted": drift.interrupted,
        "no_evidence": list(drift.no_evidence),
        "engines": [
            {"name": side.name, "engine": side.engine, "changes": [*origin.changes, *side.changes]}
            for side in drift.sides
        ],
        "pairings": [_pairing(pairing) for pairing in drift.pairings],
        "idle": [each.text for each in drift.idle],
        "software": software(),
    }


def _pairing(pairing: Pairing) -> Json:
    return {
        "first": pairing.first.name,
        "second": pairing.second.name,
        "agreement": pairing.agreement,
        "metrics": {str(metric.query): _metric(pairing, metric) for metric in pairing.metrics},
        "nothing_to_measure": [str(query) for query in pairing.silent],
    }


def _metric(pairing: Pairing, metric: MetricDrift) -> Json:
    names, engines = (pairing.first.name, pairing.second.name), (pairing.first.engine, pairing.second.engine)
    causes = likely_causes(metric.query.metric, engines) if metric.agreement is not Agreement.AGREES else []
    return {
        "agreement": metric.agreement,
        "expected": metric.expected,
        "unit": metric.query.definition.unit,
        "values": dict(zip(names, (metric.first, metric.second), strict=True)),
        "difference": metric.value and _difference(metric.value),
        "never": _runs(names, metric.never),
        "nothing": _runs(names, metric.nothing),
        "likely_causes": [{"about": cause.about, **cause.says} for cause in causes],
    }


def _runs(names: tuple[str, str], runs: Runs) -> Json:
    counts = dict(zip(names, (runs.first, runs.second), strict=True))
    return {"runs": counts, "difference": runs.difference and _difference(runs.difference)}


def _difference(difference: Difference) -> Json:
    return {
        "mean": difference.mean,
        "interval": difference.interval and list(difference.interval),
        "allowed": difference.allowed,
        "significant": difference.significant,
        "agreement": difference.agreement,
        "runs": difference.runs,
        "needed": difference.needed,
    }
