"""Drills about classic mistakes fail for the stated reason in each engine, and their twins do not."""

from pathlib import Path

import pytest

from docs.mistakes import MISTAKES, Mistake, rehearsed, row_on, seen
from kirikae import drills
from scenarios.loader import load
from scenarios.model import Verdict

PAGE = Path("docs/drills.md")

mistakes = pytest.mark.parametrize("mistake", MISTAKES, ids=lambda each: f"{each.drill}, {each.twin}")


def test_every_drill_that_is_meant_to_fail_is_such_a_mistake() -> None:
    meant = {name for name, _ in drills.bundled() if load(drills.find(name)).drill.expected_verdict is Verdict.FAILED}
    assert meant == {mistake.drill for mistake in MISTAKES}


@mistakes
def test_mistake_and_twin_are_asked_the_same_and_the_page_names_both(mistake: Mistake) -> None:
    asked = [{each.text for each in load(drills.find(name)).drill.expect} for name in (mistake.drill, mistake.twin)]
    assert all(mistake.sees in each for each in asked)
    row = row_on(PAGE, mistake)
    assert (row.verdict, row.its_verdict) == ("failed", "passed"), row


@pytest.mark.slow
@mistakes
def test_with_messages_the_mistake_fails_for_the_stated_reason_too(mistake: Mistake) -> None:
    """What comes out in `calls`, as often as a drill says, is held by the tests of the drills."""
    drill = rehearsed(mistake.drill, replications=1, engine="packets", workers=1)
    assert drill.verdict is Verdict.FAILED
    assert seen(drill, mistake.sees).verdict is Verdict.FAILED
    twin = rehearsed(mistake.twin, replications=1, engine="packets", workers=1)
    assert seen(twin, mistake.sees).verdict is Verdict.PASSED
