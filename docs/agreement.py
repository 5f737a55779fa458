"""Write how far two engines are apart on each drill as a table: `python -m docs.agreement FILE…`.

The files are what `kirikae drift NAME --json FILE` wrote of bundled drills. The page about drift has the table
taken over by hand, since the runs behind it take half an hour.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kirikae import drills
from reports.drift import tolerance, usual_tolerance
from reports.queries import default_queries
from reports.wording import difference_text, value_text
from scenarios.loader import load
from scenarios.metrics import Unit
from scenarios.units import format_duration

_HEAD = (
    "drill",
    "played",
    "runs",
    "agree",
    "to the last digit",
    "by what the drill allows",
    "cannot tell",
    "differ",
    "furthest",
)


def main(files: Sequence[str]) -> int:
    """Print the table, one row for each file."""
    rows = [_HEAD, ["---"] * len(_HEAD), *(_row(json.loads(Path(file).read_text(encoding="utf-8"))) for file in files)]
    sys.stdout.writelines(f"| {' | '.join(row)} |\n" for row in rows)
    return 0


def _row(result: Mapping[str, Any]) -> Iterator[str]:
    (pairing,) = result["pairings"]
    metrics: Mapping[str, Any] = pairing["metrics"]
    name = result["scenario"]["file"]
    drill = load(drills.find(name)).drill
    own = {str(query) for query in default_queries(drill) if tolerance(drill, query) != usual_tolerance(query)}

    def count(agreement: str) -> str:
        return str(sum(each["agreement"] == agreement for each in metrics.values()))

    yield f"`{name}`"
    yield format_duration(result["scenario"]["played"])
    yield str(result["replications"]["done"])
    yield count("agrees")
    yield str(sum(_identical(each) for each in metrics.values()))
    yield str(sum(query in own for query in metrics))
    yield count("cannot tell")
    yield count("differs")
    yield _furthest(metrics)


def _parts(metric: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from filter(None, (metric["difference"], metric["never"]["difference"], metric["nothing"]["difference"]))


def _identical(metric: Mapping[str, Any]) -> bool:
    return all(part["interval"] == [0, 0] for part in _parts(metric))


def _furthest(metrics: Mapping[str, Any]) -> str:
    """Return the metric whose mean difference takes most of what is allowed."""
    query, metric = max(
        ((query, each) for query, each in metrics.items() if each["difference"] is not None),
        key=lambda item: abs(item[1]["difference"]["mean"]) / item[1]["difference"]["allowed"],
    )
    unit, found = Unit(metric["unit"]), metric["difference"]
    values = " → ".join(value_text(value, unit) for value in metric["values"].values())
    reach = difference_text(found["allowed"], unit).removeprefix("+")
    return f"`{query}` {values}: {difference_text(found['mean'], unit)} of ±{reach}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
