"""Run the drills about classic mistakes and their corrected twins, and print what came out: `python -m docs.mistakes`.

The page about the bundled drills has the table taken over; a test runs them again and holds the page to it.
"""

import sys
from collections.abc import Iterator
from typing import NamedTuple

from kirikae import drills
from kirikae.runner import run_all
from reports.judge import Judged, Judgement, judge
from scenarios.loader import load


class Mistake(NamedTuple):
    """A drill that is meant to fail, and the same day with the mistake put right."""

    drill: str
    twin: str
    why: str
    """The stated reason."""
    sees: str
    """The expectation that fails for it, and that the twin meets, as written in both."""


MISTAKES = (
    Mistake(
        "free-dial-to-050",
        "free-dial-to-06",
        "a 050 number behind a plain free dial number (Z17)",
        "failed_ratio{number=0120-123-456, after=35m} < 1%",
    ),
    Mistake(
        "default-caller-forgotten",
        "default-caller-changed",
        "calls out show a number of the site that is lost (Z32)",
        "asr{direction=out, after=30m} >= 99%",
    ),
    Mistake(
        "published-03-only",
        "published-03-behind-0120",
        "callers know a line that ends with its site (Z20)",
        "caller_loss{after=30m} < 5%",
    ),
    Mistake(
        "published-03-only",
        "published-03-forwarded",
        "nobody forwards it at the carrier (Z39)",
        "failed_ratio{after=30m} < 1%",
    ),
    Mistake(
        "port-exhaustion",
        "port-exhaustion-fixed",
        "no room for the callers who come back (J7)",
        "blocked_ratio{limit=tenant, after=15m} < 1%",
    ),
    Mistake(
        "campaign-ports-late",
        "campaign-ports-timely",
        "one large request on the day is still in review (P6, P12)",
        "blocked_ratio{limit=tenant} < 1%",
    ),
    Mistake(
        "campaign-ports-refused",
        "campaign-ports-timely",
        "no request is one that can be granted (P7-P10)",
        "blocked_ratio{limit=tenant} < 1%",
    ),
)
"""All of them."""

_HEAD = ("drill", "it fails because", "what sees it", "value", "comes out", "twin", "its value", "comes out")


def rehearsed(
    name: str, *, replications: int | None = None, engine: str = "calls", workers: int | None = None
) -> Judged:
    """Run a bundled drill, as often as it says unless told otherwise."""
    drill = load(drills.find(name)).drill
    runs = replications or drill.run.replications
    results = run_all(drill, seed=drill.run.seed, replications=runs, workers=workers, engine=engine).results
    return judge(drill, results.values(), engine=engine, seed=drill.run.seed)


def seen(judged: Judged, expectation: str) -> Judgement:
    """Return what became of an expectation, as it is written in the drill."""
    return next(each for each in judged.judgements if each.expectation.text == expectation)


def table(workers: int | None = None) -> Iterator[str]:
    """Yield the lines of the table."""
    names = dict.fromkeys(name for each in MISTAKES for name in (each.drill, each.twin))
    played = {name: rehearsed(name, workers=workers) for name in names}
    for row in (_HEAD, ["---"] * len(_HEAD), *(_row(each, played) for each in MISTAKES)):
        yield f"| {' | '.join(row)} |"


def _row(mistake: Mistake, played: dict[str, Judged]) -> Iterator[str]:
    drill, twin = played[mistake.drill], played[mistake.twin]
    found = seen(drill, mistake.sees)
    yield f"`{mistake.drill}`"
    yield mistake.why
    yield f"`{mistake.sees}`"
    yield found.shown
    yield str(drill.verdict)
    yield f"`{mistake.twin}`"
    yield seen(twin, mistake.sees).shown
    yield str(twin.verdict)


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in table())
