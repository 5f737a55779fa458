"""Nodes that start, hang and come back in the packet engine hear what the plan has said meanwhile, as in `calls`."""

import pytest

from scenarios.evidence import Outcome
from tests.drills import ENGINES, OSAKA, TOKYO, Caller, callers, drill, played

DRAIN = {"step": "drain", "by": "administrator", "starts": {"at": "20s"}, "takes": "1s", "does": {"drain": "edge"}}
TRACKED = {"by": "vrrp", "advert": "1s", "track": "1s"}

both = pytest.mark.parametrize("engine", ENGINES)


@both
def test_a_site_that_is_not_in_service_yet_refuses_calls_from_the_start(engine: str) -> None:
    plan = drill(
        sites={"tokyo": {"role": "primary"}, "osaka": {"role": "secondary"}},
        sbc_pairs={"edge": {"site": "tokyo", "ports": 10}, "osaka-edge": {"site": "osaka", "ports": 10}},
        trunks={"ntt": {"via": "edge", "channels": 10}, "ntt-osaka": {"via": "osaka-edge", "channels": 10}},
        numbers={TOKYO: {"trunk": "ntt"}, OSAKA: {"trunk": "ntt-osaka"}},
        traffic=[{"to": OSAKA, "arrivals": "1/s", "talk": "10s"}],
    )
    (record,) = played(plan, callers(Caller(5)), engine=engine).records
    assert (record.outcome, record.reason, record.sip) == (Outcome.FAILED, "site not in service", 503)


@both
@pytest.mark.parametrize("how", ["restarted", "hung"])
def test_a_pair_that_is_drained_while_its_node_hears_nothing_is_drained_when_it_is_back(engine: str, how: str) -> None:
    plan = drill(
        sbc_pairs={"edge": {"site": "tokyo", "ports": 10, "detect": {"by": "vrrp"}}},
        faults=[{"name": "x", "at": "15s", "for": "10s", "pair": "edge", "fails": "active", "how": how}],
        runbook=[DRAIN],
    )
    (record,) = played(plan, callers(Caller(40)), engine=engine).records
    assert (record.outcome, record.reason, record.sip) == (Outcome.FAILED, "drained", 503)


@both
def test_a_node_that_hung_past_the_session_timer_ends_none_of_the_calls_that_the_other_has(engine: str) -> None:
    plan = drill(
        sbc_pairs={"edge": {"site": "tokyo", "ports": 10, "detect": TRACKED, "session_timer": "90s"}},
        faults=[{"name": "x", "at": "30s", "for": "2m", "pair": "edge", "fails": "active", "how": "hung"}],
    )
    (record,) = played(plan, callers(Caller(5, talk=200.0)), engine=engine).records
    assert (record.outcome, record.node) == (Outcome.COMPLETED, "edge/2")
    assert record.talk == pytest.approx(200.0, abs=0.1)


@both
@pytest.mark.parametrize("keeps", ["none", "confirmed", "all"])
def test_a_process_that_is_restarted_before_anybody_takes_over_has_lost_its_calls(engine: str, keeps: str) -> None:
    plan = drill(
        sbc_pairs={"edge": {"site": "tokyo", "ports": 10, "keeps": keeps}},
        faults=[{"name": "x", "at": "30s", "for": "1s", "pair": "edge", "fails": "active", "how": "restarted"}],
    )
    (record,) = played(plan, callers(Caller(5, talk=100.0)), engine=engine).records
    assert (record.outcome, record.reason) == (Outcome.DROPPED, "edge/1 lost")


@both
@pytest.mark.parametrize("passes", ["b2bua", "proxy"])
def test_a_call_that_is_answered_goes_on_through_the_next_node(engine: str, passes: str) -> None:
    plan = drill(
        sbc_pairs={"edge": {"site": "tokyo", "ports": 10, "passes": passes, "session_timer": "90s"}},
        faults=[{"name": "x", "at": "30s", "pair": "edge", "fails": "active"}],
    )
    (record,) = played(plan, callers(Caller(5, talk=200.0)), engine=engine).records
    assert (record.outcome, record.node) == (Outcome.COMPLETED, "edge/2")
    assert record.talk == pytest.approx(200.0, abs=0.1)
