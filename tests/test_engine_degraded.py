"""Degraded links in the `calls` engine: calls, REGISTERs and adverts that are late or lost, against closed forms."""

from collections import Counter
from math import inf, sqrt
from statistics import mean, stdev

import pytest
from scipy import stats

from scenarios.distributions import Distribution, Shape
from scenarios.evidence import EventKind, Outcome
from scenarios.model import Drill
from sim.draws import Draws
from tests.drills import OSAKA, TOKYO, Caller, ListRecorder, callers, drill, played

INVITE = (0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5)
"""When an INVITE is sent over UDP (S1)."""
NON_INVITE = (0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5)
"""When any other request is (S1)."""
SKEW = 156 / 256


def degraded(at: float = 100, lasts: float = inf, *, name: str = "bad", **more: object) -> dict[str, object]:
    ends = {} if lasts == inf else {"for": f"{lasts}s"}
    target = {} if {"pair", "office", "carrier"} & set(more) else {"trunk": "ntt"}
    return {"name": name, "at": f"{at}s", "how": "degraded", **target, **ends, **more}


def plan(*faults: dict[str, object], lasts: str = "10m", **changes: object) -> Drill:
    return drill(**{"run": {"for": lasts, "warm": False}, "faults": list(faults), **changes})


def setups(recorder: ListRecorder) -> dict[float, float | None]:
    return {each.start: each.setup for each in recorder.records}


def met(recorder: ListRecorder) -> dict[str, tuple[float, str]]:
    return {entry.subject: (entry.at, str(entry.detail["met"])) for entry in recorder.of(EventKind.EFFECT)}


def fits(counts: list[int], shares: list[float]) -> bool:
    total = sum(counts)
    return bool(stats.chisquare(counts, [share * total for share in shares]).pvalue > 1e-4)


# Calls on a trunk


def test_set_up_times_on_a_lossy_trunk_are_those_of_a_geometric_law_on_the_grid() -> None:
    """A copy gets through, and its answer back, with (1 - p)²: a call takes the k-th copy with (1 - q)^k q."""
    loss, calls = 0.3, 3000
    recorder = played(
        plan(degraded(0, loss="30%"), lasts="1h"), callers(*(Caller(1 + each, talk=1) for each in range(calls)))
    )
    through = (1 - loss) ** 2
    counts = Counter(each.setup for each in recorder.records)
    assert set(counts) <= {*INVITE, None}
    expected = [(1 - through) ** copy * through for copy in range(len(INVITE))]
    assert fits([counts[each] for each in INVITE] + [counts[None]], [*expected, (1 - through) ** 7])
    lost = [each for each in recorder.records if each.setup is None]
    assert {(each.outcome, each.sip, each.end - each.start) for each in lost} == {(Outcome.FAILED, 408, 32)}


def test_a_constant_delay_adds_there_and_back_to_every_set_up() -> None:
    recorder = played(plan(degraded(100, 100, delay="400ms")), callers(*(Caller(at) for at in (99, 100.5, 150, 201))))
    assert setups(recorder) == {99: 0, 100.5: pytest.approx(0.8), 150: pytest.approx(0.8), 201: 0}
    assert {each.outcome for each in recorder.records} == {Outcome.COMPLETED}
    assert met(recorder) == {"bad": (100.5, "call")}


def test_a_copy_sent_later_may_overtake_and_then_sets_up_the_call() -> None:
    """Worked out anew for each call from the same draws: the earliest answer to any copy sent before it is there."""
    delay = {"empirical": ["50ms", "3s", "20s"]}
    bad = degraded(0, loss="20%", delay=delay)
    starts = [1 + 40.0 * each for each in range(80)]
    recorder = played(plan(bad, lasts="1h"), callers(*(Caller(at, talk=1) for at in starts)))
    draws = Draws(1, 0)
    luck = draws.uniforms("fault:bad:loss")
    delays = draws.values("fault:bad:delay", Distribution(Shape.EMPIRICAL, (0.05, 3.0, 20.0)))
    expected: list[float | None] = []
    for _ in starts:
        first = inf
        for sent in INVITE:
            if sent < first:
                ways = [(next(luck) < 0.2, next(delays)) for _ in range(2)]
                if not any(lost for lost, _ in ways):
                    first = min(first, sent + sum(late for _, late in ways))
        expected.append(first if first < 32 else None)
    assert [each.setup for each in sorted(recorder.records, key=lambda each: each.start)] == [
        each if each is None else pytest.approx(each) for each in expected
    ]
    grid = {each for each in expected if each is not None}
    assert len(grid) > 8, "delays and losses mix"


def test_a_trunk_that_loses_everything_is_advanced_from_as_a_silent_one() -> None:
    two = plan(
        degraded(loss="100%"),
        trunks={name: {"via": "edge", "channels": 9} for name in ("ntt", "kddi")},
        numbers={TOKYO: {"trunk": ["ntt", "kddi"]}},
    )
    recorder = played(two, callers(Caller(90), Caller(101), Caller(110, patience=4)))
    assert setups(recorder) == {90: 0, 101: 10, 110: None}
    assert {each.start: (each.trunk, each.sip) for each in recorder.records} == {
        90: ("ntt", 200), 101: ("kddi", 200), 110: ("ntt", 487),
    }  # fmt: skip


def test_after_the_repair_the_next_copy_gets_through() -> None:
    recorder = played(plan(degraded(100, 5, loss="100%")), callers(Caller(101)))
    assert setups(recorder) == {101: 7.5}


def test_a_delayed_invite_that_finds_a_silent_pair_is_sent_again() -> None:
    """Silent from 100 to 103.00-103.01; answers would be there 0.2 s after 0, .5, 1.5, 3.5 s from 100.1 on."""
    sure = {"by": "options", "every": "10ms", "timeout": "3s"}
    silent = plan(
        degraded(50, delay="100ms"),
        {"name": "die", "at": "100s", "pair": "edge", "fails": "active"},
        sbc_pairs={"edge": {"site": "tokyo", "ports": 9, "detect": sure}},
    )
    assert setups(played(silent, callers(Caller(100.1)))) == {100.1: pytest.approx(3.7)}


def test_a_degraded_trunk_that_is_lost_refuses_at_once() -> None:
    lost = plan(degraded(100, delay="1s"), {"name": "cut", "at": "200s", "trunk": "ntt"})
    recorder = played(lost, callers(Caller(210)))
    assert [(each.sip, each.end) for each in recorder.records] == [(503, 210)]
    assert met(recorder) == {"cut": (210, "call")}


def test_two_faults_on_one_trunk_add_up_and_each_takes_effect() -> None:
    both = plan(degraded(100, delay="100ms"), degraded(200, name="worse", delay="50ms"))
    recorder = played(both, callers(Caller(150), Caller(250)))
    assert setups(recorder) == {150: pytest.approx(0.2), 250: pytest.approx(0.3)}
    assert met(recorder) == {"bad": (150, "call"), "worse": (250, "call")}


def test_a_fault_of_a_carrier_is_on_all_of_its_trunks_and_on_no_other() -> None:
    trunks = {
        "east": {"via": "edge", "channels": 9, "carrier": "NTT Com"},
        "west": {"via": "edge", "channels": 9, "carrier": "NTT Com"},
        "other": {"via": "edge", "channels": 9, "carrier": "KDDI"},
    }
    numbers = {TOKYO: {"trunk": "east"}, OSAKA: {"trunk": "west"}, "050-3123-4567": {"trunk": "other"}}
    traffic = [{"to": number, "arrivals": "1/m", "talk": "1m"} for number in numbers]
    cut: dict[str, object] = {"name": "cut", "at": "200s", "carrier": "NTT Com"}
    bad = degraded(100, 50, carrier="NTT Com", delay="100ms")
    abroad = plan(bad, cut, trunks=trunks, numbers=numbers, traffic=traffic)
    recorder = played(abroad, *(callers(Caller(110 + each), Caller(210 + each)) for each in range(3)))
    assert setups(recorder) == {
        110: pytest.approx(0.2), 111: pytest.approx(0.2), 112: 0, 210: None, 211: None, 212: 0,
    }  # fmt: skip
    assert met(recorder) == {"bad": (110, "call"), "cut": (210, "call")}


def test_a_lossy_trunk_that_nobody_calls_on_has_no_effect() -> None:
    assert met(played(plan(degraded(loss="50%")), callers(Caller(90)))) == {}


# REGISTERs on an office's line


def office(*faults: dict[str, object], count: int = 1, lasts: str = "12m", **softphone: object) -> Drill:
    group = {"count": count, "office": "hq", "softphone": {"sites": ["tokyo"], **softphone}}
    return plan(
        *faults,
        lasts=lasts,
        offices={"hq": {}},
        agents={"desk": group},
        numbers={TOKYO: {"trunk": "ntt", "queue": "desk"}},
    )


def returns(recorder: ListRecorder) -> dict[object, float]:
    return {entry.detail["agent"]: entry.at for entry in recorder.of(EventKind.REGISTERED)}


BLINK: dict[str, object] = {"name": "blink", "at": "100s", "for": "5s", "registrar": "tokyo"}
"""Takes all registrations; phones find out at their next refresh."""


def test_a_register_on_a_lossy_line_gets_through_by_the_geometric_law_on_its_own_grid() -> None:
    loss, phones = 0.5, 600
    clean = returns(played(office(BLINK, count=phones, expires="8m"), callers()))
    lossy = played(office(BLINK, degraded(106, office="hq", loss="50%"), count=phones, expires="8m"), callers())
    late = returns(lossy)
    asked = [agent for agent, at in clean.items() if at > 106]
    extra = Counter(round(late[agent] - clean[agent], 6) if agent in late else None for agent in asked)
    first = {each: extra[each] for each in NON_INVITE}
    through = (1 - loss) ** 2
    expected = [(1 - through) ** copy * through for copy in range(len(NON_INVITE))]
    rest = len(asked) - sum(first.values())
    assert fits([*first.values(), rest], [*expected, 1 - sum(expected)])
    assert met(lossy)["bad"][1] == "registration"


def test_a_constant_delay_makes_each_registration_later_by_both_ways() -> None:
    clean = returns(played(office(BLINK, count=20, expires="4m"), callers()))
    late = returns(played(office(BLINK, degraded(106, office="hq", delay="700ms"), count=20, expires="4m"), callers()))
    assert late == {agent: pytest.approx(at + 1.4 * (at > 106)) for agent, at in clean.items()}


def test_a_phone_that_nobody_hears_keeps_its_line_until_the_registration_expires() -> None:
    """Registered last between 70 and 100, for a minute; its refreshes from 100 on are lost."""
    recorder = played(office(degraded(100, 200, office="hq", loss="100%"), count=40, expires="1m"), callers())
    lost = [entry.at for entry in recorder.of(EventKind.UNREGISTERED)]
    assert len(lost) == 40
    assert 130 < min(lost) <= max(lost) <= 160
    back = recorder.of(EventKind.REGISTERED)
    assert len(back) == 40
    assert min(entry.at for entry in back) >= 300
    assert all(float(entry.detail["without"]) > 130 for entry in back)


def test_a_phone_that_nobody_hears_for_a_while_has_its_line_all_along() -> None:
    """Refreshes fail after 32 s and are tried again 32 s later: the registration has 4 minutes left for that."""
    recorder = played(
        office(degraded(100, 100, office="hq", loss="100%"), count=20, expires="8m", client="audiocodes"), callers()
    )
    assert met(recorder)["bad"][1] == "registration"
    assert not recorder.of(EventKind.UNREGISTERED, EventKind.REGISTERED)


def test_a_line_that_is_cut_and_lossy_is_cut_first() -> None:
    cut: dict[str, object] = {"name": "cut", "at": "120s", "for": "50s", "office": "hq"}
    recorder = played(office(degraded(100, office="hq", delay="1s"), cut, count=5, expires="10m"), callers())
    assert recorder.of(EventKind.UNREGISTERED)[0].at == 120
    assert {entry.at for entry in recorder.of(EventKind.REGISTERED)} == {170}


# Adverts on the link of a pair


def pair(*faults: dict[str, object], lasts: str = "10m", **changes: object) -> Drill:
    pairs = {"edge": {"site": "tokyo", "ports": 50, **changes}}
    return plan(*faults, lasts=lasts, sbc_pairs=pairs)


def ha(at: float = 100, lasts: float = inf, **more: str) -> dict[str, object]:
    return degraded(at, lasts, name="bad", pair="edge", fails="link", **more)


@pytest.mark.parametrize("loss", [0.2, 0.5])
def test_a_standby_takes_over_falsely_once_for_each_run_of_three_lost_adverts(loss: float) -> None:
    """Runs of three losses or more among n adverts: p³ at the first, (1 - p) p³ at each that three are left from."""
    adverts, runs = 1000, 40
    lossy = pair(ha(0, loss=f"{loss:.0%}"), lasts=f"{adverts + 1}s")
    found = []
    for replication in range(runs):
        recorder = played(lossy, callers(), replication=replication)
        found.append(len(recorder.of(EventKind.DETECTED)))
    expected = loss**3 + (adverts - 3) * (1 - loss) * loss**3
    assert abs(mean(found) - expected) < 4 * stdev(found) / sqrt(runs) + 0.5, "half of one for the ends of the run"


def test_a_link_that_loses_every_advert_is_as_good_as_cut() -> None:
    recorder = played(pair(ha(100, 100, loss="100%")), callers(Caller(90, talk=200), Caller(105), Caller(205)))
    assert {each.start: (each.node, each.outcome) for each in recorder.records} == {
        90: ("edge/1", Outcome.COMPLETED), 105: ("edge/2", Outcome.COMPLETED), 205: ("edge/1", Outcome.COMPLETED),
    }  # fmt: skip
    (detected,) = recorder.of(EventKind.DETECTED)
    assert 100 + 2 + SKEW <= detected.at <= 100 + 3 + SKEW
    taken = recorder.of(EventKind.TAKEOVER)
    assert [(entry.detail["node"], entry.at) for entry in taken] == [("edge/2", detected.at), ("edge/1", 200)]
    at, what = met(recorder)["bad"]
    assert (100 <= at <= 101, what) == (True, "advert")


def test_adverts_that_begin_to_be_late_are_missed_once_and_merge_the_pair_when_they_come() -> None:
    """Heard at h, the next is sent at h + 1 and heard at h + 4; the standby is sure at h + 3.609."""
    recorder = played(pair(ha(100, delay="3s")), callers())
    (detected,) = recorder.of(EventKind.DETECTED)
    _, merged = recorder.of(EventKind.TAKEOVER)
    assert merged.at - detected.at == pytest.approx(1 - SKEW)


def test_adverts_a_little_late_change_nothing() -> None:
    recorder = played(pair(ha(100, delay="2600ms")), callers())
    assert not recorder.of(EventKind.DETECTED, EventKind.TAKEOVER)
    assert met(recorder)["bad"][1] == "advert"


def test_adverts_missed_before_the_node_dies_count_towards_its_detection() -> None:
    both = pair(ha(100, loss="100%"), {"name": "die", "at": "102s", "pair": "edge", "fails": "active"})
    for replication in range(10):
        (taken,) = played(both, callers(), replication=replication).of(EventKind.TAKEOVER)
        assert 102 < taken.at <= 100 + 3 + SKEW


def test_a_node_that_hangs_after_an_advert_was_missed_goes_on_with_its_adverts_and_is_not_noticed() -> None:
    """Three in ten are lost; that one is missing when it hangs does not make it dead."""
    hang: dict[str, object] = {"name": "hang", "at": "130s", "pair": "edge", "fails": "active", "how": "hung"}
    for replication in range(20):
        recorder = played(pair(ha(100, 100, loss="30%"), hang), callers(), replication=replication)
        assert all(entry.at < 130 for entry in recorder.of(EventKind.DETECTED))


def test_a_node_that_dies_after_the_link_is_sound_again_is_noticed_in_the_usual_time() -> None:
    both = pair(ha(100, 40, loss="50%"), {"name": "die", "at": "200s", "pair": "edge", "fails": "active"})
    for replication in range(10):
        taken = played(both, callers(), replication=replication).of(EventKind.TAKEOVER)[-1]
        assert 200 + 2 + SKEW <= taken.at <= 200 + 3 + SKEW


def test_a_standby_that_comes_back_on_a_lossy_link_waits_its_whole_time() -> None:
    standby: dict[str, object] = {"name": "gone", "at": "50s", "for": "100s", "pair": "edge", "fails": "standby"}
    (detected,) = played(pair(ha(100, loss="100%"), standby), callers()).of(EventKind.DETECTED)
    assert detected.at == pytest.approx(150 + 3 + SKEW)


def test_a_pair_that_was_down_is_listened_to_anew_on_a_lossy_link() -> None:
    """Back at 150, one node serves at 153.609; the other hears nothing of it, and is sure 2.609 to 3.609 s on."""
    down: dict[str, object] = {"name": "down", "at": "110s", "for": "40s", "pair": "edge"}
    first, second = played(pair(ha(120, loss="100%"), down), callers()).of(EventKind.DETECTED)
    assert first.at == pytest.approx(150 + 3 + SKEW)
    assert first.at + 2 + SKEW < second.at <= first.at + 3 + SKEW


@pytest.mark.parametrize(
    ("bad", "merged"), [({"delay": "100ms"}, (150.1, 151.1)), ({"loss": "100%"}, (350, 350))], ids=str
)
def test_a_link_that_is_cut_as_well_lets_nothing_through_until_it_is_repaired(
    bad: dict[str, str], merged: tuple[float, float]
) -> None:
    cut: dict[str, object] = {"name": "cut", "at": "100s", "for": "50s", "pair": "edge", "fails": "link"}
    recorder = played(pair(ha(50, 300, **bad), cut), callers())
    assert len(recorder.of(EventKind.DETECTED)) == 1
    split, whole = recorder.of(EventKind.TAKEOVER)
    assert (split.detail["node"], whole.detail["node"]) == ("edge/2", "edge/1")
    assert merged[0] <= whole.at <= merged[1]


# What happens to INVITEs that wait already


def test_an_invite_in_silence_meets_a_later_fault_with_its_next_copy() -> None:
    """Calls at 100 and 101 meet nodes that are dead until 110; at 108 their trunk goes bad, or refuses.

    Their next copies are due at 115.5 and 108.5, and that of the second after the nodes are back at 116.5.
    """
    dead: dict[str, object] = {"name": "dead", "at": "90s", "pair": "edge", "fails": "all", "for": "20s"}
    calls = (Caller(100, talk=1), Caller(101, talk=1))
    assert setups(played(plan(dead), callers(*calls))) == {100: 15.5, 101: 15.5}
    assert setups(played(plan(dead, degraded(108, delay="500ms")), callers(*calls))) == {100: 16.5, 101: 16.5}
    refuses: dict[str, object] = {"name": "full", "at": "108s", "trunk": "ntt", "fails": "503"}
    refused = [(each.start, each.end, each.sip) for each in played(plan(dead, refuses), callers(*calls)).records]
    assert sorted(refused) == [(100, 115.5, 503), (101, 108.5, 503)]


def test_a_fault_that_begins_while_an_invite_waits_is_met_by_its_next_copy() -> None:
    dead: dict[str, object] = {"name": "first", "at": "90s", "pair": "edge", "fails": "active"}
    also: dict[str, object] = {"name": "second", "at": "91s", "pair": "edge", "fails": "all"}
    assert met(played(plan(dead, also), callers(Caller(90.2)))) == {"first": (90.2, "call"), "second": (91.7, "call")}
