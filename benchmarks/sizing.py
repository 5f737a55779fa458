"""How many runs `kirikae size` needs for a number, and how many brute force would need for the same.

Brute force looks at every number from the lowest that plan checks allow up to the answer, and decides each by Student's
interval alone. How many runs that takes is worked out from the spread of a few, as they can be thousands.
"""

import contextlib
import io
import json
import tempfile
from math import ceil
from pathlib import Path
from statistics import NormalDist, mean, stdev
from typing import NamedTuple

from benchmarks.measure import Json, Options, table
from benchmarks.whole_run import RunError
from kirikae import size
from kirikae.sizing.measuring import Meter, Series
from reports.console import safe_console
from scenarios.loader import load
from sim.crew import Crew
from sim.sizing import FIRST, batch_ends

CONFIDENCE = 0.95
TRIED = 12
"""Runs that the spread of brute force is taken from."""


class Case(NamedTuple):
    """A number to find."""

    name: str
    vary: str
    answer: str | None
    """What Rule K has; None where there is no formula."""
    plan: Json


def _plan(lasts: str, target: str, stream: Json, **more: Json | list[Json]) -> Json:
    return {
        "kirikae": 1,
        "name": "a number to find",
        "run": {"for": lasts, "warm": True},
        "sites": {"tokyo": {}},
        "sbc_pairs": {"edge": {"site": "tokyo", "ports": 400}},
        "trunks": {"ntt": {"via": "edge", "channels": 400}},
        "numbers": {"03-1234-5678": {"trunk": "ntt"}},
        "traffic": [{"to": "03-1234-5678", **stream}],
        "expect": [target],
        **more,
    }


_TALK = {"exponential": "20s"}
_LOST = {"name": "node-lost", "at": "1m", "pair": "edge", "fails": "active"}
_SHARED = {"site": "tokyo", "ports": 400, "mode": "active-active", "detect": {"by": "failure"}, "keeps": "none"}
_PROBED = {"site": "tokyo", "ports": 20, "keeps": "none", "detect": {"by": "options", "every": "5s", "timeout": "2s"}}
_SOON = {"share": "80%", "after": {"exponential": "15s"}, "times": 5}
_LATE = {"share": "50%", "after": {"exponential": "5m"}, "times": 20}

CASES = (
    Case(
        "45 lines for 33.333 E, 1 %",
        "trunks.ntt.channels",
        "45",
        _plan("10m", "blocked_ratio < 1%", {"arrivals": "1.66667/s", "talk": _TALK}),
    ),
    Case(
        "117 ports a node for 100 E, 1 %, one lost",
        "sbc_pairs.edge.ports",
        "117",
        _plan(
            "10m",
            "blocked_ratio{after=3m} < 1%",
            {"arrivals": "5/s", "talk": _TALK},
            sbc_pairs={"edge": _SHARED},
            faults=[_LOST],
        ),
    ),
    Case(
        "11 lines for 5.5 E, 3 %, half retry",
        "trunks.ntt.channels",
        "11",
        _plan("90m", "blocked_ratio{after=20m} < 3%", {"arrivals": "16.5/m", "talk": _TALK, "retry": _LATE}),
    ),
    Case(
        "failover and redials, 4 %: no formula",
        "sbc_pairs.edge.ports",
        None,
        _plan(
            "10m",
            "blocked_ratio < 4%",
            {"arrivals": "30/m", "talk": _TALK, "retry": _SOON},
            sbc_pairs={"edge": _PROBED},
            faults=[{**_LOST, "at": "4m"}],
        ),
    ),
)


def main(options: Options) -> Json:
    """Find each number, and work out what brute force would need for it."""
    figures = {case.name: _figures(case) for case in CASES}
    print("sizing: runs until a number is found, with 95% confidence; brute force worked out from the spread of runs")
    rows = [
        (
            name,
            each["answer"],
            f"{each['runs']:,}",
            f"{each['values']:,}",
            f"{each['brute_force']:,}",
            f"{each['brute_force'] / each['runs']:,.0f}",
        )
        for name, each in figures.items()
    ]
    print(table(("", "answer", "runs", "values", "brute force", "times"), rows))
    return figures


def _figures(case: Case) -> Json:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "plan.kirikae.yaml"
        path.write_text(json.dumps(case.plan), encoding="utf-8")  # JSON is YAML
        out = Path(name) / "size.json"
        asked = size.Options(
            [case.vary], [], False, f"{CONFIDENCE:.0%}", [], "calls", None, 1_536, None, None, None, False, str(out)
        )
        with contextlib.redirect_stdout(io.StringIO()) as shown:
            size.size(path, path.name, asked, safe_console(shown))
        found = json.loads(out.read_text(encoding="utf-8"))
        answer = found["answer"] and found["answer"]["values"][0]
        if answer is None or (case.answer is not None and answer != case.answer):
            raise RunError(f"{case.name}: {answer} was found")
        least = min(int(each["values"][0]) for each in found["looked"])
        allowed = [rule for rule in found["rules"] if rule.startswith("below ")]
        first = int(allowed[0].split()[1]) if allowed else least
        force = sum(_by_force(path, case.vary, value) for value in range(first, int(answer) + 1))
    return {
        "answer": answer,
        "runs": found["runs"]["search"],
        "values": len(found["looked"]),
        "brute_force": force,
    }


def _by_force(path: Path, vary: str, value: int) -> int:
    """Return the runs that Student's interval needs to tell a value from the target, about."""
    drill = load(path, [f"{vary}={value}"]).drill
    (target,) = drill.expect
    series = Series(drill)
    Meter(Crew(), drill.run.seed, "calls", (target,), CONFIDENCE, len(batch_ends())).sights(series, TRIED)
    values = [float(ran.values[0] or 0.0) for ran in series.runs]
    gap = abs(mean(values) - target.bound)
    z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
    return max(FIRST, ceil((z * stdev(values) / gap) ** 2)) if gap else 0
