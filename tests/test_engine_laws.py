"""Laws measured on real pairs and phones, held against their closed forms over many runs of the `calls` engine.

Each is a test of fit with fixed seeds: a true law fails it once in ten thousand sets of seeds.
"""

from collections import Counter
from itertools import pairwise

import pytest
from scipy import stats

from scenarios.evidence import EventKind, Outcome
from scenarios.model import Drill
from tests.drills import OSAKA, TOKYO, Caller, ListRecorder, callers, drill, played
from tests.test_engine_takeover import DIES, GRID, RATE, plan, takeover

pytestmark = pytest.mark.slow

FIT = 1e-4
RUNS = 150


def like_poisson(counts: list[int], means: list[float]) -> bool:
    """Whether counts scatter about their means as Poisson numbers do, neither more nor less (index of dispersion)."""
    dispersion = sum((count - mean) ** 2 / mean for count, mean in zip(counts, means, strict=True))
    law = stats.chi2(len(counts))
    return bool(min(law.cdf(dispersion), law.sf(dispersion)) > FIT)


def delays(recorder: ListRecorder) -> Counter[float]:
    """Return how many of those who dialled in the outage got through at which offset."""
    return Counter(
        round(each.setup, 6)
        for each in recorder.records
        if each.setup is not None and DIES <= each.start < takeover(recorder).at
    )


def test_as_many_calls_are_delayed_as_arrive_in_the_outage_and_the_grid_says_by_how_much() -> None:
    """Who dials u before the takeover gets through at the first offset that is not less than u."""
    counts, means = [], []
    found: Counter[float] = Counter()
    expected = dict.fromkeys(GRID, 0.0)
    for replication in range(RUNS):
        recorder = played(plan({"by": "vrrp"}, "all"), seed=11, replication=replication)
        outage = takeover(recorder).at - DIES
        late = delays(recorder)
        counts.append(late.total())
        means.append(RATE * outage)
        found += late
        for before, offset in pairwise(GRID):
            expected[offset] += RATE * max(min(offset, outage) - before, 0.0)
        assert {each.outcome for each in recorder.records} <= {Outcome.COMPLETED, Outcome.IN_PROGRESS}, "none is lost"
    assert like_poisson(counts, means)
    met = [offset for offset in GRID if expected[offset]]
    assert met == [0.5, 1.5, 3.5, 7.5]
    assert found.keys() == set(met)
    assert like_poisson([found[offset] for offset in met], [expected[offset] for offset in met])


def test_as_many_calls_are_lost_with_a_killed_server_as_were_up_on_it() -> None:
    """Little: rate × talk, all of them where nothing is kept."""
    lost = []
    for replication in range(RUNS):
        recorder = played(plan({"by": "vrrp"}, "none", talk="4s"), seed=12, replication=replication)
        dropped = [each for each in recorder.records if each.outcome is Outcome.DROPPED]
        assert {each.end for each in dropped} == {DIES}
        lost.append(len(dropped))
    assert like_poisson(lost, [RATE * 4] * RUNS)


def test_half_of_them_are_lost_where_two_servers_share_the_load() -> None:
    shared = drill(
        run={"for": "40s", "warm": False},
        sbc_pairs={
            "edge": {"site": "tokyo", "mode": "active-active", "ports": 500, "detect": {"by": "options", "every": "1s"}}
        },
        traffic=[{"to": TOKYO, "arrivals": f"{RATE:g}/s", "talk": {"exponential": "4s"}}],
        faults=[{"name": "killed", "at": f"{DIES:g}s", "pair": "edge", "fails": "active"}],
    )
    lost = []
    for replication in range(RUNS):
        recorder = played(shared, seed=13, replication=replication)
        dropped = [each for each in recorder.records if each.outcome is Outcome.DROPPED]
        assert {each.node for each in dropped} == {"edge/1"}
        lost.append(len(dropped))
    # In turn, a node gets every second call: more even than Poisson arrivals, but talks leave at random all the same.
    mean = RATE * 4 / 2
    standard_error = (mean / RUNS) ** 0.5
    assert abs(sum(lost) / RUNS - mean) < 4 * standard_error


def test_both_nodes_serve_one_detection_time_after_the_link_between_them_is_cut() -> None:
    cut = drill(faults=[{"name": "cut", "at": f"{DIES:g}s", "pair": "edge", "fails": "link"}])
    times = []
    for replication in range(RUNS):
        (taken,) = played(cut, callers(Caller(1)), seed=14, replication=replication).of(EventKind.TAKEOVER)
        times.append(taken.at - DIES)
    assert stats.kstest(times, stats.uniform(2 + 156 / 256, 1.0).cdf).pvalue > FIT


def phones(*sites: str, fault: dict[str, object], **softphone: object) -> Drill:
    return drill(
        run={"for": "12m", "warm": False},
        sites={"tokyo": {}, "osaka": {}},
        sbc_pairs={site: {"site": site, "ports": 50} for site in ("tokyo", "osaka")},
        trunks={f"ntt-{site}": {"via": site, "channels": 50} for site in ("tokyo", "osaka")},
        numbers={TOKYO: {"trunk": "ntt-tokyo", "queue": "desk"}, OSAKA: {"trunk": "ntt-osaka", "queue": "desk"}},
        agents={"desk": {"count": 300, "softphone": {"sites": list(sites), "expires": "2m", **softphone}}},
        traffic=[{"to": TOKYO, "arrivals": "1/m", "talk": "1m"}],
        faults=[{"name": "lost", "at": "100s", "registrar": "tokyo", **fault}],
    )


def waits(planned: Drill) -> list[float]:
    return [each.at - 100 for each in played(planned, callers(), seed=15).of(EventKind.REGISTERED)]


def test_phones_are_back_at_their_next_refresh_at_any_time_of_its_interval() -> None:
    """They register every 60 s; the registrar is away for 5 s, and who meets it sends again by 7.5 s at the latest."""
    back = waits(phones("tokyo", fault={"for": "5s"}))
    assert len(back) == 300
    later = [wait for wait in back if wait > 12.5]
    assert stats.kstest(later, stats.uniform(12.5, 47.5).cdf).pvalue > FIT
    assert stats.binomtest(len(later), 300, 47.5 / 60).pvalue > FIT
    assert max(back) <= 60


def test_phones_with_a_second_registrar_turn_to_it_when_the_refresh_has_failed() -> None:
    """Uniform over the interval of 60 s, and Timer F, 32 s, on top (S3)."""
    back = waits(phones("tokyo", "osaka", fault={}, switch="automatic"))
    assert len(back) == 300
    assert stats.kstest(back, stats.uniform(32, 60).cdf).pvalue > FIT
