"""Phones that no step can move: hard phones that were not prepared (Z25), in both engines, computed by hand."""

import pytest

from scenarios.evidence import EventKind, Outcome
from tests.drills import ENGINES, OSAKA, TOKYO, Caller, callers, played
from tests.test_engine_people import BOTH, switch, two_sites


def answered(engine: str, **phone: object) -> tuple[list[bool], list[float]]:
    """Switch a group at 20 s; return who of callers to Tokyo and Osaka at 30 s is answered, and when the step ends."""
    staff = {"staff": {"count": 2, "softphone": {"sites": BOTH, **phone}}}
    plan = two_sites(switch(takes="10s"), agents=staff)
    one = Caller(30.0, talk=5.0, patience=20.0)
    recorder = played(plan, callers(one), callers(one), engine=engine)
    fates = [each.outcome is Outcome.COMPLETED for each in sorted(recorder.records, key=lambda each: each.number)]
    return fates, [entry.at for entry in recorder.of(EventKind.STEP_FINISHED)]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("prepared", ["no", "unknown"])
def test_hard_phones_that_were_not_prepared_stay_and_the_step_takes_its_time(engine: str, prepared: str) -> None:
    fates, finished = answered(engine, phone="hard", prepared=prepared)
    assert dict(zip((TOKYO, OSAKA), fates, strict=True)) == {TOKYO: True, OSAKA: False}
    assert finished == [20.0]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("phone", [{"phone": "hard", "prepared": "yes"}, {"phone": "soft"}])
def test_those_that_were_prepared_move_like_softphones(engine: str, phone: dict[str, object]) -> None:
    fates, finished = answered(engine, **phone)
    assert dict(zip((TOKYO, OSAKA), fates, strict=True)) == {TOKYO: False, OSAKA: True}
    assert finished == [pytest.approx(20.0, abs=0.1)]
