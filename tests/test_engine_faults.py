"""Faults and their repair in the `calls` engine: what is down when, and which fault is seen to take effect."""

from math import inf

import pytest

from scenarios.evidence import EventKind, Gauge, Outcome
from scenarios.model import Drill
from tests.drills import OSAKA, TOKYO, Caller, ListRecorder, callers, drill, played

SURE = {"by": "options", "every": "10ms", "timeout": "3s"}
"""A detection that takes 3.00 to 3.01 s, whatever is drawn."""


def fault(name: str, at: float, lasts: float = inf, **target: str) -> dict[str, object]:
    return {"name": name, "at": f"{at}s", **target, **({} if lasts == inf else {"for": f"{lasts}s"})}


def plan(*faults: dict[str, object], **changes: object) -> Drill:
    """Return one pair with a sure detection and the faults given."""
    pairs = {"edge": {"site": "tokyo", "ports": 50, "detect": SURE}}
    return drill(**{"run": {"for": "10m", "warm": False}, "sbc_pairs": pairs, "faults": list(faults), **changes})


def setups(recorder: ListRecorder) -> dict[float, float | None]:
    """Return by start how long each call took to get through; None when it did not."""
    return {each.start: each.setup for each in recorder.records if each.tries == 1}


def effects(recorder: ListRecorder) -> dict[str, tuple[float, str]]:
    """Return by fault when it took effect and what met it."""
    entries = recorder.of(EventKind.EFFECT)
    assert len({entry.subject for entry in entries}) == len(entries), "only the first effect of a fault is written"
    return {entry.subject: (entry.at, str(entry.detail["met"])) for entry in entries}


# Trunks


def test_a_lost_trunk_refuses_at_once_until_it_is_repaired() -> None:
    lost = plan(fault("cut", 100, 50, trunk="ntt"))
    recorder = played(lost, callers(*(Caller(at, talk=0.5) for at in (99, 101, 149, 151))))
    assert setups(recorder) == {99: 0, 101: None, 149: None, 151: 0}
    refused = [each for each in recorder.records if each.setup is None]
    assert {(each.outcome, each.reason, each.sip, each.end - each.start) for each in refused} == {
        (Outcome.FAILED, "trunk lost", 503, 0)
    }
    assert effects(recorder) == {"cut": (101, "call")}
    (repaired,) = recorder.of(EventKind.REPAIRED)
    assert (repaired.at, repaired.subject) == (150, "cut")


def test_a_trunk_with_two_faults_is_up_when_the_last_is_repaired_and_a_call_meets_all_that_hold_it_down() -> None:
    twice = plan(fault("first", 100, 50, trunk="ntt"), fault("second", 120, 80, trunk="ntt"))
    recorder = played(twice, callers(*(Caller(at) for at in (110, 130, 160, 199, 201))))
    assert setups(recorder) == {110: None, 130: None, 160: None, 199: None, 201: 0}
    assert effects(recorder) == {"first": (110, "call"), "second": (130, "call")}


def test_a_lost_trunk_cuts_off_the_calls_it_carries() -> None:
    recorder = played(plan(fault("cut", 100, trunk="ntt")), callers(Caller(90, talk=60)))
    (call,) = recorder.records
    assert (call.outcome, call.end) == (Outcome.DROPPED, 100)
    assert effects(recorder) == {"cut": (100, "call")}


def test_a_lost_trunk_leaves_the_calls_of_other_trunks_through_the_same_pair() -> None:
    two = plan(
        fault("cut", 100, trunk="ntt"),
        trunks={name: {"via": "edge", "channels": 9} for name in ("ntt", "kddi")},
        numbers={TOKYO: {"trunk": "ntt"}, OSAKA: {"trunk": "kddi"}},
        traffic=[{"to": number, "arrivals": "1/m", "talk": "1m"} for number in (TOKYO, OSAKA)],
    )
    recorder = played(two, callers(Caller(90, talk=50)), callers(Caller(91, talk=50)))
    assert {each.start: (each.outcome, each.end) for each in recorder.records} == {
        90: (Outcome.DROPPED, 100),
        91: (Outcome.COMPLETED, 141),
    }


def test_a_trunk_that_ends_in_a_lost_site_is_lost_though_its_pair_is_elsewhere() -> None:
    abroad = plan(
        fault("lost", 100, 50, site="osaka"),
        sites={"tokyo": {}, "osaka": {}},
        trunks={"ntt": {"via": "edge", "channels": 9, "site": "osaka"}, "kddi": {"via": "edge", "channels": 9}},
        numbers={OSAKA: {"trunk": "ntt"}, TOKYO: {"trunk": "kddi"}},
        traffic=[{"to": number, "arrivals": "1/m", "talk": "1m"} for number in (OSAKA, TOKYO)],
    )
    recorder = played(abroad, callers(Caller(110), Caller(160)), callers(Caller(120)))
    assert setups(recorder) == {110: None, 120: 0, 160: 0}
    assert effects(recorder) == {"lost": (110, "call")}


# Nodes


def test_the_loss_of_the_standby_is_noticed_by_nobody() -> None:
    recorder = played(plan(fault("standby", 100, pair="edge", fails="standby")), callers(Caller(90, 50), Caller(101)))
    assert setups(recorder) == {90: 0, 101: 0}
    assert {each.outcome for each in recorder.records} == {Outcome.COMPLETED}
    assert [entry.kind for entry in recorder.entries] == [EventKind.FAULT]


def test_a_pair_without_its_standby_does_not_survive_the_loss_of_the_other_node() -> None:
    twice = plan(fault("standby", 100, pair="edge", fails="standby"), fault("active", 200, pair="edge", fails="active"))
    recorder = played(twice, callers(Caller(150, talk=100), Caller(210)))
    assert {each.start: each.outcome for each in recorder.records} == {150: Outcome.DROPPED, 210: Outcome.FAILED}
    assert effects(recorder) == {"standby": (200, "call"), "active": (200, "call")}
    assert not recorder.of(EventKind.TAKEOVER)


def test_a_repaired_node_stands_by_and_takes_over_in_its_turn() -> None:
    there_and_back = plan(
        fault("first", 100, 50, pair="edge", fails="active"), fault("second", 200, pair="edge", fails="active")
    )
    recorder = played(there_and_back, callers(Caller(95, talk=200), Caller(101), Caller(160), Caller(201)))
    assert setups(recorder) == {95: 0, 101: 3.5, 160: 0, 201: 3.5}
    assert [entry.detail["node"] for entry in recorder.of(EventKind.TAKEOVER)] == ["edge/2", "edge/1"]
    assert {each.start: each.node for each in recorder.records}[95] == "edge/1"
    assert {each.outcome for each in recorder.records} == {Outcome.COMPLETED}


def test_a_whole_pair_that_is_repaired_serves_after_a_detection_time_and_has_lost_its_calls() -> None:
    recorder = played(plan(fault("pair", 100, 50, pair="edge")), callers(Caller(90, talk=50), Caller(145), Caller(151)))
    assert {each.start: each.outcome for each in recorder.records}[90] is Outcome.DROPPED
    # sent at 145, .5, 146.5, 148.5, 152.5, 160.5; and at 151, .5, 152.5, 154.5: a node serves from 153 on
    assert setups(recorder) == {90: 0, 145: 15.5, 151: 3.5}
    (taken,) = recorder.of(EventKind.TAKEOVER)
    assert taken.detail["outage"] == pytest.approx(53, abs=0.011)
    assert taken.detail["kept"] == 0


def test_a_vrrp_node_that_starts_waits_its_whole_master_down_interval_before_it_serves() -> None:
    """RFC 5798 §6.4.1: it starts as a backup with a full timer, for there is no last advert it could have heard."""
    back = drill(faults=[fault("pair", 100, 50, pair="edge")])
    for replication in range(5):
        (taken,) = played(back, callers(), replication=replication).of(EventKind.TAKEOVER)
        assert taken.at == pytest.approx(150 + 3 + 156 / 256)


def test_a_node_that_returns_before_its_death_is_noticed_does_not_serve_at_once() -> None:
    blip = plan(fault("blip", 100, 1, pair="edge", fails="active"))
    recorder = played(blip, callers(Caller(90, talk=50), Caller(101.5)))
    assert setups(recorder) == {90: 0, 101.5: 3.5}
    assert {each.outcome for each in recorder.records} == {Outcome.COMPLETED}
    (taken,) = recorder.of(EventKind.TAKEOVER)
    assert taken.detail["node"] == "edge/2"
    assert taken.at == pytest.approx(103, abs=0.011)


@pytest.mark.parametrize(
    ("first_back", "second_back", "serves"),
    [(120, 121, "edge/1"), (120, 123, "edge/1"), (121, 120, "edge/2"), (123, 120, "edge/2")],
)
def test_after_a_loss_of_both_the_node_that_came_up_first_is_the_one_that_serves(
    first_back: float, second_back: float, serves: str
) -> None:
    """Each waits its master-down interval from its start; the first to end it serves, whichever served before."""
    recorder = played(
        drill(
            faults=[
                fault("one", 100, first_back - 100, pair="edge", fails="active"),
                fault("two", 101, second_back - 101, pair="edge", fails="standby"),
            ]
        ),
        callers(Caller(90), Caller(130)),
    )
    (taken,) = recorder.of(EventKind.TAKEOVER)
    assert taken.detail["node"] == serves
    assert taken.at == pytest.approx(120 + 3 + 156 / 256)
    assert {each.start: each.node for each in recorder.records}[130] == serves


def test_a_node_that_came_up_later_and_dies_again_does_not_put_off_the_first() -> None:
    recorder = played(
        drill(
            faults=[
                fault("one", 100, 20, pair="edge", fails="active"),
                fault("two", 101, 20, pair="edge", fails="standby"),
                fault("again", 122, 20, pair="edge", fails="standby"),
            ]
        ),
        callers(Caller(90)),
    )
    (taken,) = recorder.of(EventKind.TAKEOVER)
    assert taken.detail["node"] == "edge/1"
    assert taken.at == pytest.approx(120 + 3 + 156 / 256)


def test_the_second_node_lost_before_it_took_over_takes_the_kept_calls_with_it() -> None:
    both = plan(fault("first", 100, pair="edge", fails="active"), fault("second", 102, pair="edge", fails="standby"))
    recorder = played(both, callers(Caller(90, talk=50), Caller(101)))
    (kept,) = (each for each in recorder.records if each.start == 90)
    assert (kept.outcome, kept.end) == (Outcome.DROPPED, 102)
    assert setups(recorder)[101] is None
    assert not recorder.of(EventKind.TAKEOVER)


def test_a_fault_of_the_active_node_hits_nothing_while_none_is_active() -> None:
    three = plan(
        fault("first", 100, 50, pair="edge", fails="active"),
        fault("second", 101, 400, pair="edge", fails="active"),
        fault("third", 200, pair="edge", fails="active"),
    )
    recorder = played(three, callers(Caller(102), Caller(120), Caller(201)))
    assert setups(recorder) == {102: 1.5, 120: 0, 201: 3.5}
    assert set(effects(recorder)) == {"first", "third"}


def test_the_fault_that_silenced_a_pair_takes_effect_on_the_calls_that_meet_the_silence() -> None:
    both = plan(fault("first", 100, pair="edge", fails="active"), fault("second", 101, pair="edge", fails="standby"))
    assert "first" in effects(played(both, callers(Caller(102))))


def test_a_standby_lost_later_is_not_blamed_for_a_silence_that_it_did_not_cause() -> None:
    """The dead node is back, and the other one dies before anybody serves: the silence is still the first fault's."""
    three = plan(
        fault("first", 100, 1, pair="edge", fails="active"),
        fault("second", 102, pair="edge", fails="standby"),
    )
    assert set(effects(played(three, callers(Caller(102.5))))) >= {"first"}


def test_overlapping_faults_of_one_node_hold_it_down_until_the_last_is_repaired() -> None:
    faults = plan(fault("site", 100, 50, site="tokyo"), fault("pair", 120, 80, pair="edge"))
    recorder = played(faults, callers(Caller(160), Caller(199), Caller(204)))
    # 160: sent until 191.5, Timer B; 199: ..., 202.5, 206.5; serving from 203 on
    assert setups(recorder) == {160: None, 199: 7.5, 204: 0}
    assert recorder.of(EventKind.TAKEOVER)[0].at == pytest.approx(203, abs=0.011)


@pytest.mark.parametrize(
    ("keeps", "answers", "talking", "waiting"),
    [
        ("all", True, 200, 210),
        ("all", False, 200, 210),
        ("confirmed", True, 200, 210),
        ("confirmed", False, 200, 100),
        ("none", True, 100, 100),
        ("none", False, 100, 100),
    ],
)
def test_a_pair_keeps_the_calls_it_says_it_keeps(keeps: str, answers: bool, talking: float, waiting: float) -> None:
    kept = plan(
        fault("node", 100, pair="edge", fails="active"),
        sbc_pairs={"edge": {"site": "tokyo", "ports": 50, "detect": SURE, "keeps": keeps}},
        numbers={TOKYO: {"trunk": "ntt", "queue": "line"}},
        queues={"line": {"agents": ["staff"], "answers": answers}},
        agents={"staff": {"count": 1, "softphone": {"sites": ["tokyo"]}}},
    )
    recorder = played(kept, callers(Caller(50, talk=150), Caller(60, talk=10)))
    ends = {each.start: (each.end, each.outcome) for each in recorder.records}
    if waiting == 100:
        assert {each.start: each.talk for each in recorder.records}[60] is None, "nobody answers a call that is cut off"
    assert ends[50] == (talking, Outcome.COMPLETED if talking == 200 else Outcome.DROPPED)
    assert ends[60] == (waiting, Outcome.COMPLETED if waiting == 210 else Outcome.DROPPED)


def test_kept_calls_hold_their_ports_on_the_node_that_took_over() -> None:
    tight = plan(
        fault("node", 100, pair="edge", fails="active"),
        sbc_pairs={"edge": {"site": "tokyo", "ports": 2, "detect": SURE, "keeps": "all"}},
    )
    recorder = played(tight, callers(Caller(90, talk=20), Caller(91, talk=500), Caller(101), Caller(111)))
    assert {each.start: each.outcome for each in recorder.records} == {
        90: Outcome.COMPLETED, 91: Outcome.COMPLETED, 101: Outcome.BLOCKED, 111: Outcome.COMPLETED,
    }  # fmt: skip


# Sites


def test_a_repaired_site_serves_again_and_its_phones_return_within_half_their_expiry() -> None:
    """Refreshes due at 100 to 118 fail 32 s later and are made again 60 s later; those of 118 to 150 are under way."""
    back = plan(
        fault("lost", 100, 50, site="tokyo"),
        numbers={TOKYO: {"trunk": "ntt", "queue": "staff"}},
        agents={"staff": {"count": 20, "softphone": {"sites": ["tokyo"], "expires": "2m"}}},
    )
    recorder = played(back, callers(*(Caller(at) for at in (99, 120, 214, 220))))
    assert setups(recorder) == {99: 0, 120: None, 214: 0, 220: 0}
    returns = [entry.at for entry in recorder.of(EventKind.REGISTERED)]
    assert len(returns) == 20
    assert 150 <= min(returns) < 154
    assert 160 < max(returns) <= 178
    levels = recorder.levels(Gauge.SOFTPHONES, "tokyo")
    assert (levels[90], levels[110], levels[140], levels[220]) == (20, 0, 0, 20)


def test_a_site_with_two_faults_is_back_when_the_last_is_repaired() -> None:
    back = plan(
        fault("first", 100, 50, site="tokyo"),
        fault("second", 130, 70, site="tokyo"),
        numbers={TOKYO: {"trunk": "ntt", "queue": "staff"}},
        agents={"staff": {"count": 20, "softphone": {"sites": ["tokyo"], "expires": "20s"}}},
    )
    recorder = played(back, callers(*(Caller(at) for at in (105, 165, 220))))
    assert setups(recorder) == {105: None, 165: None, 220: 0}
    assert all(200 <= entry.at <= 210 for entry in recorder.of(EventKind.REGISTERED))
    assert len(recorder.of(EventKind.REGISTERED)) == 20
    assert len(recorder.of(EventKind.UNREGISTERED)) == 1
    assert {"first", "second"} >= set(effects(recorder)) >= {"first"}


def test_a_site_that_is_not_in_service_is_no_effect_of_a_fault_elsewhere() -> None:
    dormant = plan(
        fault("unused", 10, pair="edge"),
        sites={"tokyo": {}, "osaka": {"role": "secondary"}},
        sbc_pairs={"edge": {"site": "tokyo", "ports": 5}, "far": {"site": "osaka", "ports": 5}},
        trunks={"ntt": {"via": "edge", "channels": 5}, "kddi": {"via": "far", "channels": 5}},
        numbers={TOKYO: {"trunk": "ntt"}, OSAKA: {"trunk": "kddi"}},
        traffic=[{"to": OSAKA, "arrivals": "1/m", "talk": "1m"}],
    )
    recorder = played(dormant, callers(Caller(20)))
    (call,) = recorder.records
    assert (call.outcome, call.reason, call.sip) == (Outcome.FAILED, "site not in service", 503)
    assert effects(recorder) == {}


# Evidence of effect


@pytest.mark.parametrize(
    "unused",
    [
        {"trunk": "spare"},
        {"pair": "spare-edge"},
        {"pair": "spare-edge", "fails": "active"},
        {"pair": "edge", "fails": "standby"},
        {"site": "nara"},
    ],
    ids=str,
)
def test_a_fault_on_a_part_that_nothing_uses_has_no_effect(unused: dict[str, str]) -> None:
    spare = plan(
        {"name": "idle", "at": "100s", **unused},
        sites={"tokyo": {}, "nara": {}},
        sbc_pairs={"edge": {"site": "tokyo", "ports": 5}, "spare-edge": {"site": "nara", "ports": 5}},
        trunks={"ntt": {"via": "edge", "channels": 5}, "spare": {"via": "spare-edge", "channels": 5}},
        agents={"staff": {"count": 2, "softphone": {"sites": ["tokyo"]}}},
    )
    recorder = played(spare, callers(Caller(90, talk=50), Caller(101), Caller(150)))
    assert {each.outcome for each in recorder.records} == {Outcome.COMPLETED}
    assert effects(recorder) == {}
    assert [entry.subject for entry in recorder.of(EventKind.FAULT)] == ["idle"]


def test_a_call_that_was_up_shows_the_effect_even_when_the_pair_keeps_it() -> None:
    recorder = played(plan(fault("node", 100, pair="edge", fails="active")), callers(Caller(90, talk=50)))
    assert effects(recorder) == {"node": (100, "call")}


def test_a_probe_shows_the_effect_when_no_call_does() -> None:
    recorder = played(plan(fault("node", 100, pair="edge", fails="active")), callers(Caller(10)))
    at, met = effects(recorder)["node"]
    assert met == "probe"
    assert at == pytest.approx(103, abs=0.011)


@pytest.mark.parametrize(
    ("pair", "fails", "noticed"),
    [
        ({"detect": SURE}, "active", 1),
        ({"detect": SURE, "mode": "active-active"}, "active", 1),
        ({"detect": {"by": "vrrp", "track": "1s"}}, "active", 1),
        ({}, "link", 1),
        ({"detect": SURE}, "standby", 0),
    ],
    ids=str,
)
@pytest.mark.parametrize("dialled", [TOKYO, OSAKA])
def test_what_a_probe_sees_is_an_effect_only_where_calls_of_the_plan_can_go(
    pair: dict[str, object], fails: str, noticed: int, dialled: str
) -> None:
    """The spare pair has a number of its own, which somebody dials or nobody does."""
    how = "hung" if "track" in str(pair) else "killed"
    spare = plan(
        fault("unseen", 100, pair="spare", fails=fails, how=how),
        sbc_pairs={"edge": {"site": "tokyo", "ports": 5}, "spare": {"site": "tokyo", "ports": 5, **pair}},
        trunks={"ntt": {"via": "edge", "channels": 5}, "kddi": {"via": "spare", "channels": 5}},
        numbers={TOKYO: {"trunk": "ntt"}, OSAKA: {"trunk": "kddi"}},
        traffic=[{"to": dialled, "arrivals": "1/m", "talk": "1m"}],
    )
    recorder = played(spare, callers(Caller(10)))
    assert len(recorder.of(EventKind.DETECTED)) == noticed, "it is in the journal in any case"
    assert effects(recorder).keys() == ({"unseen"} if dialled == OSAKA and noticed else set())


def test_a_phone_shows_the_effect_at_its_next_refresh_when_no_call_does() -> None:
    quiet = plan(
        fault("lost", 100, site="tokyo"),
        agents={"staff": {"count": 1, "softphone": {"sites": ["tokyo"], "expires": "2m"}}},
    )
    moments = []
    for replication in range(40):
        at, met = effects(played(quiet, callers(Caller(10)), replication=replication))["lost"]
        assert met == "registration"
        moments.append(at)
    assert 100 <= min(moments) < 110
    assert 150 < max(moments) <= 160


def test_a_site_that_is_back_before_any_phone_refreshes_was_met_by_none() -> None:
    blink = drill(
        faults=[fault("blink", 100, 0.1, site="tokyo")],
        agents={"staff": {"count": 1, "softphone": {"sites": ["tokyo"], "expires": "15m"}}},
    )
    assert effects(played(blink, callers(Caller(10)))) == {}
