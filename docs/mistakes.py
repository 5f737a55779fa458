"""Run the drills about classic mistakes and their corrected twins, and print what came out: `python -m docs.mistakes`.

The page about the bundled drills has the table taken over; the tests of the drills hold the page to what comes out.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
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
    Mistake(
        "dr-button-late",
        "dr-button-first",
        "softphones move to a site that nobody has activated (Z29)",
        "softphones_back{agents=desk} <= 20m",
    ),
    Mistake(
        "dr-edited-in-peace",
        "dr-edited-in-peace-fixed",
        "an edit of the DR copy has stopped the replication (Z44)",
        "data_lost{data=ip-restrictions} == 0",
    ),
    Mistake(
        "login-at-the-lost-site",
        "login-at-the-lost-site-fixed",
        "the carrier's console is out of reach with its login (Z38)",
        "outage_minutes{number=0120-123-456} <= 13m",
    ),
)
"""All of them."""


class Row(NamedTuple):
    """What the page says of a mistake."""

    value: str
    verdict: str
    its_value: str
    its_verdict: str


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


def row_on(page: Path, mistake: Mistake) -> Row:
    """Return what a page says of a mistake; raises ValueError where it has no row, or more than one."""
    begins = f"| `{mistake.drill}` | {mistake.why} | `{mistake.sees}` |"
    lines = page.read_text("utf-8").splitlines()
    (line,) = (each for each in lines if each.startswith(begins) and f"`{mistake.twin}`" in each)
    value, verdict, _, its_value, its_verdict = line.removeprefix(begins).strip("| ").split(" | ")
    return Row(value, verdict, its_value, its_verdict)


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
