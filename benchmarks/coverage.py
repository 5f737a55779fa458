"""How often the 95 % intervals cover what they are to cover, over experiments whose seeds were fixed beforehand.

The engine plays one small drill again and again: ten ports that refuse a tenth of the calls, and a node that dies.
These runs are the population, so that its mean and its quantiles, which the intervals are to cover, are known without
any error. An experiment draws its runs from it, as `kirikae run` would make them, and judges them as that does.

Populations whose shape is known say how much is left where runs are more skewed than those of the drill.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.measure import Json, Options, table
from kirikae.runner import Task
from reports.combine import Combined, combine
from reports.precision import looks, reached
from reports.statistics import mean_interval, quantile, share_interval
from scenarios.expectations import Query
from scenarios.metrics import METRICS, Combine
from scenarios.model import Drill
from scenarios.precision import Goal, parse_asked

EXPERIMENTS: Final = 2_000
RUNS: Final = 100
"""Of an experiment whose number of runs is fixed: as many as a drill has unless it says otherwise."""
MOST: Final = 2_000
"""Runs after which an experiment gives up a precision."""
SEED: Final = 20_261_122
BLOCKED: Final = Query("blocked_ratio")
TAKEOVER: Final = Query("takeover_time", (("pair", "edge"),))
ADVERT: Final = 0.1
"""Seconds."""

Values = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Values]


class Covered(NamedTuple):
    """How often an interval covered the truth, and of how many runs it was."""

    what: str
    rule: str
    truth: float
    hits: int
    experiments: int
    runs: float
    """Of an experiment, on the mean."""

    @property
    def share(self) -> float:
        """The coverage."""
        return self.hits / self.experiments


class Shape(NamedTuple):
    """A population of known mean, values from 0 on."""

    name: str
    mean: float
    draw: Draw


def _hit(share: float, worst: float) -> Draw:
    """Return what draws runs of which a share lose up to ``worst``, and the others nothing."""
    return lambda draws, size: (draws.random(size) < share) * draws.uniform(0, worst, size)


SHAPES: Final = (
    Shape("normal", 0.1, lambda draws, size: draws.normal(0.1, 0.025, size)),
    Shape("exponential", 0.1, lambda draws, size: draws.exponential(0.1, size)),
    Shape("gamma of shape 1/2", 0.1, lambda draws, size: draws.gamma(0.5, 0.2, size)),
    Shape("lognormal, cv 1.3", 0.1, lambda draws, size: 0.1 * draws.lognormal(-0.5, 1.0, size)),
    Shape("none in 80% of runs", 0.01, _hit(0.2, 0.1)),
    Shape("none in 99% of runs", 0.0005, _hit(0.01, 0.1)),
)
"""By how skewed they are; the last are blocked ratios of plans in which most runs have none."""


def plan() -> Drill:
    """Return the drill: 20 s of 8 erlang, so that a run takes milliseconds."""
    number = "03-1234-5678"
    return Drill.model_validate(
        {
            "kirikae": 1,
            "name": "Ten ports, and a node that dies",
            "run": {"for": "20s", "warm": True},
            "sites": {"tokyo": {}},
            "sbc_pairs": {"edge": {"site": "tokyo", "ports": 10, "detect": {"by": "vrrp", "advert": f"{ADVERT!r}s"}}},
            "trunks": {"line": {"via": "edge", "channels": 10}},
            "numbers": {number: {"trunk": "line"}},
            "traffic": [{"to": number, "arrivals": "2/s", "talk": {"exponential": "4s"}}],
            "faults": [{"name": "lost", "at": "5s", "pair": "edge", "fails": "active"}],
            "expect": ["blocked_ratio < 50%", "takeover_time{pair=edge} <= 1s"],
        }
    )


def played(runs: int) -> dict[Query, Values]:
    """Play the drill so many times and return the values of both metrics."""
    task = Task(plan(), SEED, (BLOCKED, TAKEOVER))
    summaries = [task.run(index) for index in range(runs)]
    return {query: np.array([summary.values[query] for summary in summaries], dtype=float) for query in task.queries}


def drawn_from(population: Values) -> Draw:
    """Return what draws runs from those that were played."""
    return lambda draws, size: draws.choice(population, size)


def fixed(what: str, query: Query, draw: Draw, truth: float, share: float | None, runs: int = RUNS) -> Covered:
    """Cover the mean, or the quantile at ``share``, from a fixed number of runs."""

    def experiment(draws: np.random.Generator) -> tuple[bool, int]:
        found = _combined(query, draw(draws, runs))
        return _covers(found, share, truth), runs

    return _repeated(what, f"{runs} runs", truth, experiment)


def stopped(what: str, query: Query, draw: Draw, truth: float, reach: str, most: int = MOST) -> Covered:
    """Cover the mean, or the median, from as many runs as `--precision` takes."""
    asked = parse_asked(f"{query}={reach}")
    goal = Goal(query, asked.reach)
    share = 0.5 if query.definition.combine is Combine.RUNS else None

    def experiment(draws: np.random.Generator) -> tuple[bool, int]:
        values = draw(draws, most)
        for runs in looks(most):
            found = _combined(query, values[:runs])
            if reached(goal, found).enough:
                break
        return _covers(found, share, truth), runs

    return _repeated(what, f"--precision {reach}", truth, experiment)


def at_once(what: str, draw: Draw, truth: float, reach: float, most: int = MOST) -> Covered:
    """Cover the mean from as many runs as it takes where one looks after every run from the tenth on: a broken rule."""

    def experiment(draws: np.random.Generator) -> tuple[bool, int]:
        values = draw(draws, most)
        counts = np.arange(1, most + 1)
        means = values.cumsum() / counts
        spread = np.sqrt(np.maximum((values**2).cumsum() / counts - means**2, 0) * counts / np.maximum(counts - 1, 1))
        narrow = (counts >= 10) & (1.96 * spread / np.sqrt(counts) <= reach)
        runs = int(narrow.argmax()) + 1 if narrow.any() else most
        low, high = mean_interval(values[:runs].tolist()) or (0.0, 0.0)
        return low <= truth <= high, runs

    return _repeated(what, "a look after every run", truth, experiment)


def _combined(query: Query, values: Values) -> Combined:
    return combine(METRICS[query.metric], values.tolist())


def _covers(found: Combined, share: float | None, truth: float) -> bool:
    interval = found.interval
    if share is not None:
        interval = next(each.interval for each in found.quantiles if each.share == share)
    return interval is not None and interval[0] <= truth <= interval[1]


def _repeated(
    what: str, rule: str, truth: float, experiment: Callable[[np.random.Generator], tuple[bool, int]]
) -> Covered:
    each = [experiment(np.random.default_rng((SEED, number))) for number in range(EXPERIMENTS)]
    return Covered(what, rule, truth, sum(hit for hit, _ in each), len(each), sum(runs for _, runs in each) / len(each))


def of_the_drill(population: dict[Query, Values]) -> list[Covered]:
    """Return what intervals cover of the runs that were played."""
    blocked, takeover = population[BLOCKED], population[TAKEOVER]
    mean = float(blocked.mean())
    quantiles = {share: quantile(takeover.tolist(), share) for share in (0.5, 0.95)}
    times, ratios = drawn_from(takeover), drawn_from(blocked)
    return [
        fixed("blocked_ratio, mean", BLOCKED, ratios, mean, None),
        fixed("takeover_time, median", TAKEOVER, times, quantiles[0.5], 0.5),
        fixed("takeover_time, p95", TAKEOVER, times, quantiles[0.95], 0.95),
        stopped("blocked_ratio, mean", BLOCKED, ratios, mean, "1.5 points"),
        stopped("blocked_ratio, mean", BLOCKED, ratios, mean, "10%"),
        stopped("takeover_time, median", TAKEOVER, times, quantiles[0.5], "0.008s"),
        at_once("blocked_ratio, mean", ratios, mean, 0.025),
    ]


def of_shapes(shapes: Sequence[Shape] = SHAPES) -> list[Covered]:
    """Return what intervals cover of populations of known shape: as shares, which are 0 in many runs of some."""
    found = []
    for shape in shapes:
        found.append(fixed(shape.name, BLOCKED, shape.draw, shape.mean, None))
        found.append(stopped(shape.name, BLOCKED, shape.draw, shape.mean, "15%"))
    return found


def main(options: Options) -> Json:
    """Print how often intervals cover the truth; return the same. For ten callers of the workload a run is played."""
    runs = max(options.calls // 10, RUNS)
    population = played(runs)
    blocked, takeover = population[BLOCKED], population[TAKEOVER]
    print(
        f"coverage: {EXPERIMENTS:,} experiments on {runs:,} runs of the drill; blocked_ratio "
        f"{blocked.mean():.4f}, deviation {blocked.std():.4f}, none in {(blocked == 0).mean():.1%} of runs; "
        f"takeover_time from {takeover.min():.4f} to {takeover.max():.4f} s"
    )
    rows = {"drill": of_the_drill(population), "shapes": of_shapes()}
    for name, each in rows.items():
        print(f"\n{name}")
        print(table(("interval of", "runs by", "truth", "runs", "covers", "(95%)"), [_row(one) for one in each]))
    return {name: [{**one._asdict(), "share": one.share} for one in each] for name, each in rows.items()}


def _row(one: Covered) -> tuple[str, ...]:
    low, high = share_interval(one.hits, one.experiments)
    return (
        one.what,
        one.rule,
        f"{one.truth:.4g}",
        f"{one.runs:.0f}",
        f"{one.share:.1%}",
        f"{low:.1%} to {high:.1%}",
    )
