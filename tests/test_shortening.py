"""`live:` of a drill: people's time and the number of callers are scaled, and nothing of SIP."""

from pathlib import Path

import pytest

from scenarios.distributions import Distribution, Shape
from scenarios.loader import load
from scenarios.model import Drill, Start, SwitchSoftphones
from scenarios.rules import check
from scenarios.shortening import shortened
from tests.made_plans import FREE_DIAL, INBOUND, SWITCH, plan, step
from tests.test_schema import DRILLS

SURGE = {**INBOUND, "surge": {"at": "tokyo-lost", "factor": 2, "for": "20m"}}
NOTICED = {"after": "tokyo-lost", "delay": {"uniform": ["2m", "4m"]}}
STEPS = [
    step("activate", {"activate": "osaka"}, by="boss", starts=NOTICED),
    {
        **SWITCH,
        "takes": {"lognormal": {"mean": "3m", "cv": 0.5}},
        "does": {"softphones": "sales", "site": "osaka", "login": "1m"},
    },
    step("planned", {"drain": "tokyo-edge", "retry_after": "1m"}, starts={"at": "50m"}),
]
FAULTS = [
    {"name": "tokyo-lost", "at": "10m", "site": "tokyo", "for": "30m"},
    {"name": "boot", "at": "20m", "pair": "osaka-edge", "fails": "active", "how": "restarted", "for": "30s"},
    {"name": "rest", "at": "30m", "office": "hq"},
]


def made(**live: str) -> Drill:
    return plan(
        live=live,
        traffic=[SURGE],
        offices={"hq": {}},
        faults=FAULTS,
        runbook=STEPS,
        actors={
            "administrator": {"reachable": {"exponential": "10m"}, "deputy": "boss", "deputy_after": "5m"},
            "boss": {"reachable": "50%"},
        },
        expect=["recovery_time <= 30m", "blocked_ratio{after=40m, before=50m} < 1%"],
        drift={"for": "20m", "allow": {"asr{after=40m}": "1%", "takeover_time": "0.2s"}},
    )


def test_nothing_to_scale_changes_nothing() -> None:
    assert shortened(made()) == made()
    assert shortened(plan()) == plan()


def test_the_timeline_is_scaled() -> None:
    drill = shortened(made(timeline="10%"))
    assert drill.run.lasts == 360
    assert [(fault.at, fault.lasts) for fault in drill.faults] == [(60, 180), (120, 30), (180, None)]
    assert drill.traffic[0].surge is not None
    assert drill.traffic[0].surge.lasts == 120
    activate, switch, planned = drill.runbook
    assert activate.starts == Start.model_validate({"after": "tokyo-lost", "delay": {"uniform": ["12s", "24s"]}})
    assert activate.takes == Distribution(Shape.CONSTANT, (6,))
    assert switch.takes == Distribution(Shape.LOGNORMAL, (18, 0.5))
    assert isinstance(switch.does, SwitchSoftphones)
    assert switch.does.login == Distribution(Shape.CONSTANT, (6,))
    assert planned.starts == Start.model_validate({"at": "5m"})
    assert drill.actors["administrator"].reachable == Distribution(Shape.EXPONENTIAL, (60,))
    assert drill.actors["administrator"].deputy_after == Distribution(Shape.CONSTANT, (30,))
    assert drill.actors["boss"].reachable == 0.5
    windows = [(each.query.after, each.query.before) for each in drill.expect]
    assert windows == [(None, None), (240, 300)]
    assert drill.drift.lasts == 120
    assert [each.query.after for each in drill.drift.allow] == [240, None]


def test_callers_come_and_go_faster_and_as_many_are_up_at_a_time() -> None:
    before, after = made(), shortened(made(timeline="10%"))
    assert after.traffic[0].talk.mean == pytest.approx(before.traffic[0].talk.mean / 10)
    assert after.traffic[0].arrivals.peak == pytest.approx(before.traffic[0].arrivals.peak * 10)
    erlangs = [drill.traffic[0].arrivals.peak * drill.traffic[0].talk.mean for drill in (before, after)]
    assert erlangs[0] == pytest.approx(erlangs[1])


def test_a_live_run_may_be_held_to_expectations_of_its_own() -> None:
    drill = plan(live={"timeline": "10%", "expect": ["dropped == 0", "answered{after=30s} >= 5"]})
    assert shortened(drill).expect == drill.live.expect
    assert drill.live.expect[1].query.after == 30


def test_what_is_up_to_sip_and_sbcs_is_not_scaled() -> None:
    before, after = made(), shortened(made(timeline="10%"))
    for section in ("sites", "sbc_pairs", "trunks", "numbers", "ports", "queues", "agents", "targets"):
        assert getattr(after, section) == getattr(before, section), section
    assert after.traffic[0].silence_hangup == before.traffic[0].silence_hangup
    assert after.runbook[2].does == before.runbook[2].does
    assert [each.bound for each in after.expect] == [each.bound for each in before.expect]


def test_traffic_is_scaled_by_itself() -> None:
    before, after = made(), shortened(made(traffic="25%"))
    assert after.traffic[0].arrivals.peak == before.traffic[0].arrivals.peak / 4
    assert after.traffic[0].to == FREE_DIAL
    assert (after.run, after.faults, after.runbook) == (before.run, before.faults, before.runbook)


@pytest.mark.parametrize(
    ("live", "lasts"),
    [
        ({"for": "5m"}, 300),
        ({"for": "5m", "timeline": "10%"}, 300),
        ({"for": "7m", "timeline": "10%"}, 360),
        ({"for": "2h"}, 3600),
    ],
    ids=str,
)
def test_a_live_run_ends_with_its_own_time_or_with_the_plan(live: dict[str, str], lasts: float) -> None:
    assert shortened(made(**live)).run.lasts == lasts


def test_what_is_shortened_is_not_shortened_again() -> None:
    once = shortened(made(**{"for": "5m", "timeline": "10%", "traffic": "50%"}))
    assert shortened(once) == once


@pytest.mark.parametrize("path", DRILLS, ids=lambda path: path.name)
def test_bundled_drills_stay_sound_at_a_tenth_of_their_timeline(path: Path) -> None:
    before = {finding.id for finding in check(load(path).drill)}
    drill = load(path, ["live.timeline=10%"]).drill
    # What a drill expects of its own live run is written for the timeline that it has there.
    drill = drill.model_copy(update={"live": drill.live.model_copy(update={"expect": []})})
    assert {finding.id for finding in check(shortened(drill))} <= before
