"""Plan checks of calendars, shifts and actors."""

import pytest
from pydantic import ValidationError

from scenarios.loader import load_text
from scenarios.problems import DrillError
from scenarios.rules import check
from tests.made_plans import FREE_DIAL, INBOUND, TOKYO, ids, only, plan

OFFICE = {"office": {"hours": {"mon-fri": "09:00-18:00"}}}
SUNDAY = {"for": "1h", "warm": True, "start": "2026-11-22 03:00"}
TUESDAY = {"for": "1h", "warm": True, "start": "2026-11-24 10:00"}
STAFF = {"softphone": {"sites": ["tokyo", "osaka"]}}


def opened(calendar: str = "office") -> dict[str, object]:
    return {FREE_DIAL: {"to": TOKYO, "open": calendar}}


def shifts(count: int = 20, **heads: int) -> dict[str, object]:
    return {"sales": {**STAFF, "count": count, "shifts": heads}}


def test_a_plan_within_its_hours_is_sound() -> None:
    assert ids(plan(run=TUESDAY, calendars=OFFICE, numbers=opened())) == []


@pytest.mark.parametrize("run", [{"for": "1h", "warm": True}, {"for": "1h", "warm": True, "start": "09:00"}])
def test_calendars_need_a_date(run: dict[str, object]) -> None:
    finding = only(plan(run=run, calendars=OFFICE, numbers=opened()))
    assert (finding.id, finding.path) == ("hours-without-start", ("run", "start"))


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"numbers": opened("offcie")}, ("numbers", FREE_DIAL, "open")),
        ({"queues": {"sales": {"agents": ["sales"], "open": "offcie"}}}, ("queues", "sales", "open")),
        ({"agents": shifts(offcie=20)}, ("agents", "sales", "shifts", "offcie")),
        ({"actors": {"administrator": {"hours": "offcie"}}}, ("actors", "administrator", "hours")),
    ],
)
def test_the_name_of_a_calendar_leads_to_one(changes: dict[str, object], path: tuple[str, ...]) -> None:
    finding = only(plan(run=TUESDAY, calendars=OFFICE, **changes))
    assert (finding.id, finding.path) == ("dangling-reference", path)
    assert "no calendar is called 'offcie'; did you mean 'office'?" in finding.message


def test_as_soon_as_there_are_actors_every_step_is_taken_by_one_of_them() -> None:
    findings = check(plan(actors={"administrtor": {}}))
    assert [finding.path for finding in findings] == [("runbook", index, "by") for index in range(3)]
    assert "no actor is called 'administrator'; did you mean 'administrtor'?" in findings[0].message
    assert ids(plan(actors={"administrator": {}})) == []


def test_a_time_after_which_the_deputy_is_called_needs_a_deputy() -> None:
    finding = only(plan(actors={"administrator": {"deputy_after": "10m"}}))
    assert (finding.id, finding.path) == ("not-applicable", ("actors", "administrator", "deputy_after"))


def test_agents_are_no_actor_of_their_own() -> None:
    found = ids(plan(actors={"administrator": {}, "agents": {}}))
    assert found == ["not-applicable"]


def test_a_deputy_is_an_actor() -> None:
    finding = only(plan(actors={"administrator": {"deputy": "someone"}}))
    assert (finding.id, finding.path) == ("dangling-reference", ("actors", "administrator", "deputy"))


def test_deputies_do_not_stand_in_for_each_other_in_a_circle() -> None:
    actors = {"administrator": {"deputy": "b"}, "b": {"deputy": "c"}, "c": {"deputy": "administrator"}}
    finding = only(plan(actors=actors))
    assert finding.id == "deputy-cycle"
    assert "administrator → b → c → administrator" in finding.message


@pytest.mark.parametrize("heads", [{"office": 21}, {"office": 19}])
def test_shifts_have_as_many_people_as_there_are_phones(heads: dict[str, int]) -> None:
    finding = only(plan(run=TUESDAY, calendars=OFFICE, agents=shifts(**heads)))
    assert (finding.id, finding.path) == ("shift-head-count", ("agents", "sales", "shifts"))
    assert f"have {heads['office']} people, but the group has 20" in finding.message


def test_the_load_is_held_against_the_people_on_duty() -> None:
    """10 erlang at 2/m of five minutes each, and 1 of calls placed, for 20 people in all, of whom 12 come at 10:30."""
    halves = {
        "early": {"hours": {"mon-fri": "09:00-10:30"}},
        "late": {"hours": {"mon-fri": "10:30-18:00"}},
    }
    busy = [{**INBOUND, "arrivals": "2/m", "talk": "5m"}]
    assert ids(plan(run=TUESDAY, calendars=halves, agents=shifts(early=12, late=8), traffic=busy)) == [
        "overloaded-baseline"
    ]
    finding = only(plan(run=TUESDAY, calendars=halves, agents=shifts(early=12, late=8), traffic=busy))
    assert "10 erlang of talk and wrap-up are offered before any fault to the 8 agents" in finding.message
    assert ids(plan(run=TUESDAY, calendars=halves, agents=shifts(28, early=12, late=16), traffic=busy)) == []


def test_calls_while_nobody_is_on_duty_are_an_error_unless_the_number_is_closed() -> None:
    morning = {"early": {"hours": {"mon-fri": "09:00-10:30"}}}
    finding = only(plan(run=TUESDAY, calendars=morning, agents=shifts(early=20), traffic=[INBOUND]))
    assert finding.id == "overloaded-baseline"
    assert "6 erlang are offered from 30m on, when nobody of sales is on duty" in finding.message
    closed = plan(run=TUESDAY, calendars=morning, agents=shifts(early=20), traffic=[INBOUND], numbers=opened("early"))
    assert ids(closed) == []


def test_nothing_is_closed_where_nothing_keeps_hours() -> None:
    finding = only(plan(expect=["closed < 10"]))
    assert finding.id == "nothing-to-measure"
    assert ids(plan(run=TUESDAY, calendars=OFFICE, numbers=opened(), expect=["closed < 10"])) == []


def test_what_is_closed_throughout_the_run_is_told() -> None:
    finding = only(plan(run=SUNDAY, calendars=OFFICE, numbers=opened()))
    assert (finding.id, finding.path) == ("never-open", ("numbers", FREE_DIAL, "open"))


@pytest.mark.parametrize("section", [{"calendars": OFFICE, "run": TUESDAY}, {"actors": {"administrator": {}, "x": {}}}])
def test_a_calendar_or_actor_without_use_is_told(section: dict[str, object]) -> None:
    assert ids(plan(**section)) == ["orphan-part"]


# Actors out of reach


@pytest.mark.parametrize(
    ("administrator", "found"),
    [
        ({"hours": "office"}, 3),
        ({"hours": "office", "reachable": "0%"}, 3),
        ({"reachable": "0%"}, 3),
        ({"hours": "office", "reachable": "1%"}, 0),
        ({"hours": "office", "reachable": {"exponential": "5h"}}, 0),
        ({"hours": "office", "deputy": "second"}, 3),
        ({"hours": "office", "deputy": "third"}, 0),
        ({}, 0),
    ],
)
def test_a_step_that_nobody_can_be_reached_for_is_an_error(administrator: dict[str, object], found: int) -> None:
    actors = {"administrator": administrator, "second": {"hours": "office"}, "third": {}}
    used = {name: actor for name, actor in actors.items() if name in ("administrator", administrator.get("deputy"))}
    extra = {} if "hours" in administrator else {"numbers": opened()}
    night = plan(run=SUNDAY, calendars=OFFICE, actors=used, **extra)
    assert [each for each in ids(night) if each != "never-open"] == ["unreachable-actor"] * found


def test_hours_that_are_over_when_a_step_begins_at_the_earliest_are_no_help() -> None:
    """The office closes at 18:00; the fault happens ten minutes after the start."""
    actors = {"administrator": {"hours": "office"}}
    late = {"for": "1h", "warm": True, "start": "2026-11-24 17:55"}
    assert ids(plan(run=late, calendars=OFFICE, actors=actors)) == ["unreachable-actor"] * 3
    assert ids(plan(run={**late, "start": "2026-11-24 17:45"}, calendars=OFFICE, actors=actors)) == []


def test_a_file_with_other_errors_still_has_its_calendars_checked() -> None:
    text = """
kirikae: 1
name: two mistakes
run: {for: 1h, warm: soon, start: 2026-11-24 09:00}
calendars: {office: {hours: {mon-fri: 09:00-18:00}}}
sites: {tokyo: {}}
sbc_pairs: {edge: {site: tokyo, ports: 10}}
trunks: {ntt: {via: edge, channels: 10}}
numbers: {03-1234-5678: {trunk: ntt, open: offic}}
traffic: [{to: 03-1234-5678, arrivals: 1/m, talk: 1m}]
expect: [asr > 50%]
"""
    with pytest.raises(DrillError) as caught:
        load_text(text, "d.yaml")
    assert [problem.path for problem in caught.value.problems] == ["run.warm", "numbers.03-1234-5678.open"]


@pytest.mark.parametrize("stated", [0.5, "often"])
def test_whoever_says_badly_how_an_actor_is_reached_is_told_of_shares_and_of_times(stated: object) -> None:
    with pytest.raises(ValidationError) as caught:
        plan(actors={"administrator": {"reachable": stated}})
    assert caught.value.errors()[0]["ctx"]["allowed"].startswith("a percentage from 0% to 100%, or a duration")
