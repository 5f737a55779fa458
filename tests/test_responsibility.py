import math
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.fold import Fold
from reports.judge import judge
from reports.origin import Origin
from reports.queries import default_queries
from reports.responsibility import NOBODY
from reports.result import result
from reports.summary import Cause, Wait
from scenarios.evidence import CallRecord, EventKind, JournalEntry, Outcome
from scenarios.expectations import ExpectationError, Query, parse_expectation
from scenarios.model import Drill, Fault
from scenarios.owners import owner_of_fault, works_for
from tests.made_evidence import FREE_DIAL, OSAKA, STEPS, call, drill, fold, folded

NUMBER = Query("outage_minutes", (("number", FREE_DIAL),))
PRESS, SWITCH, POINT, _ = STEPS
ACTORS = {"ntt": {"works_for": "carrier"}}


def plan(faults: list[dict[str, Any]] | None = None, **changes: Any) -> Drill:
    """Return the made-up plan, in which the carrier's people re-point the number; the fault is at 10 minutes."""
    made = drill(**{"actors": ACTORS, **changes})
    failing = [Fault.model_validate(fault) for fault in faults] if faults is not None else made.faults
    runbook = [step.model_copy(update={"by": "ntt"}) if step.step == POINT else step for step in made.runbook]
    return made.model_copy(update={"runbook": runbook, "faults": failing})


def calls(*spans: tuple[int, int], minutes: int = 40) -> list[CallRecord]:
    """Return a call a minute, which fails in the minutes of the spans and else is answered."""
    lost = {minute for begin, end in spans for minute in range(begin, end)}
    return [
        call(60.0 * minute + 30, Outcome.FAILED if minute in lost else Outcome.COMPLETED) for minute in range(minutes)
    ]


def step(
    name: str, by: str, ready: float, started: float | None = None, finished: float | None = None
) -> list[JournalEntry]:
    """Return the journal of a step; moments are minutes."""
    moments = ((EventKind.STEP_STARTED, started), (EventKind.STEP_FINISHED, finished))
    return [
        JournalEntry(60 * ready, EventKind.STEP_READY, name, {"released_by": by}),
        *(JournalEntry(60 * at, kind, name) for kind, at in moments if at is not None),
    ]


def waited_for(of: Drill, *evidence: CallRecord | JournalEntry) -> dict[Cause, float]:
    """Return the minutes without service of the number by what the plan waited for."""
    entries = sorted((item for item in evidence if isinstance(item, JournalEntry)), key=lambda entry: entry.at)
    summary = fold(of, *(item for item in evidence if isinstance(item, CallRecord)), *entries)
    return {cause: seconds / 60 for cause, seconds in summary.responsible[NUMBER].items()}


PAIRS = {
    "tokyo-edge": {"site": "tokyo", "ports": 300, "owner": "vendor"},
    "osaka-edge": {"site": "osaka", "ports": 200},
}
SWITCHED = [
    *step(PRESS, "tokyo-lost", 10, 11, 13),
    JournalEntry(600, EventKind.NODE_LOST, "tokyo-edge", {"node": "tokyo-edge/1", "calls": 1}),
    JournalEntry(645, EventKind.DETECTED, "tokyo-edge", {"by": "options"}),
    JournalEntry(645, EventKind.TAKEOVER, "tokyo-edge", {"node": "tokyo-edge/2", "outage": 45.0, "kept": 0}),
]
"""A pair whose gear switches after 45 s, while a step goes on."""


def test_each_moment_belongs_to_whom_the_step_on_the_way_waits_for() -> None:
    went = [
        *step(PRESS, "tokyo-lost", 10, 12, 15),
        *step(SWITCH, PRESS, 15, 15, 18),
        *step(POINT, PRESS, 15, 16, 19.5),
    ]
    # Out of service from 10 to 20: the number is re-pointed at 19:30, and the softphones are beside the way.
    assert waited_for(plan(), *calls((10, 20)), *went) == {
        Cause("carrier", Wait.WORK, POINT): 3.5,
        Cause("customer", Wait.WORK, PRESS): 3,
        Cause("customer", Wait.BEGIN, PRESS): 2,
        Cause("carrier", Wait.BEGIN, POINT): 1,
        Cause("shared", Wait.REPAIR, "tokyo-lost"): 0.5,
    }


def test_what_is_not_repaired_belongs_to_its_owner_where_nobody_has_a_step_to_take() -> None:
    for site, owner in (({"owner": "vendor"}, "vendor"), ({}, "shared")):
        sites = {"tokyo": {"role": "primary", **site}, "osaka": {"role": "secondary"}}
        faults = [{"name": "tokyo-lost", "at": "10m", "site": "tokyo", "for": "5m"}]
        of = plan(sites=sites, faults=faults, runbook=[])
        # The fault is over after 15 minutes; why nobody gets through in the next one is nobody's to tell.
        assert waited_for(of, *calls((10, 16))) == {
            Cause(owner, Wait.REPAIR, "tokyo-lost"): 5,  # type: ignore[arg-type]  # of the language
            Cause("shared", Wait.NOTHING, ""): 1,
        }


def test_a_step_that_waits_for_a_repair_waits_for_whoever_owns_what_failed() -> None:
    steps = [
        {"step": "go back", "by": "administrator", "takes": "1m", "starts": {"after": "tokyo-lost"},
         "when": {"repaired": "tokyo-lost"}},
    ]  # fmt: skip
    sites = {"tokyo": {"role": "primary", "owner": "vendor"}, "osaka": {"role": "secondary"}}
    faults = [{"name": "tokyo-lost", "at": "10m", "site": "tokyo", "for": "5m"}]
    journal = [
        *step("go back", "tokyo-lost", 10, 15, 17),
        JournalEntry(600, EventKind.STEP_WAITING, "go back", {"unmet": "repaired: tokyo-lost"}),
        JournalEntry(900, EventKind.CONDITIONS_MET, "go back"),
    ]
    assert waited_for(plan(sites=sites, faults=faults, runbook=steps), *calls((10, 17)), *journal) == {
        Cause("vendor", Wait.REPAIR, "tokyo-lost"): 5,
        Cause("customer", Wait.WORK, "go back"): 2,
    }


def test_gear_that_has_yet_to_notice_comes_before_people() -> None:
    faults = [{"name": "tokyo-lost", "at": "10m", "pair": "tokyo-edge", "fails": "active"}]
    assert waited_for(plan(faults, sbc_pairs=PAIRS), *calls((10, 13)), *SWITCHED) == {
        Cause("customer", Wait.WORK, PRESS): 2,
        Cause("vendor", Wait.GEAR, "tokyo-edge"): 0.75,
        Cause("customer", Wait.BEGIN, PRESS): 0.25,
    }
    # What is never noticed is a fault like any other.
    unseen = [entry for entry in SWITCHED if entry.kind is not EventKind.DETECTED]
    assert Cause("vendor", Wait.GEAR, "tokyo-edge") not in waited_for(
        plan(faults, sbc_pairs=PAIRS), *calls((10, 13)), *unseen
    )


@pytest.mark.parametrize("lost", [{"pair": "tokyo-edge"}, {"site": "tokyo"}])
def test_no_gear_is_waited_for_while_no_node_is_left_to_take_over(lost: dict[str, Any]) -> None:
    """Both nodes are back after 30 s: only from then on one of them can notice, and serve."""
    faults = [{"name": "tokyo-lost", "at": "10m", "for": "30s", **lost}]
    assert waited_for(plan(faults, sbc_pairs=PAIRS), *calls((10, 13)), *SWITCHED) == {
        Cause("customer", Wait.WORK, PRESS): 2,
        Cause("customer", Wait.BEGIN, PRESS): 0.75,
        Cause("vendor", Wait.GEAR, "tokyo-edge"): 0.25,
    }


def test_minutes_in_which_nobody_tries_do_not_end_an_outage() -> None:
    went = [*step(PRESS, "tokyo-lost", 10, 10, 14), *step(POINT, PRESS, 14, 14, 19)]
    tried = [made for made in calls((10, 19)) if not 12 * 60 <= made.start < 16 * 60]
    assert waited_for(plan(), *tried, *went) == {
        Cause("carrier", Wait.WORK, POINT): 3,
        Cause("customer", Wait.WORK, PRESS): 2,
    }


def test_where_nobody_gets_through_again_the_open_step_is_on_the_way() -> None:
    went = [*step(PRESS, "tokyo-lost", 10, 12, 15), *step(POINT, PRESS, 15, 20)]
    assert waited_for(plan(), *calls((10, 40)), *went) == {
        Cause("carrier", Wait.WORK, POINT): 20,
        Cause("carrier", Wait.BEGIN, POINT): 5,
        Cause("customer", Wait.WORK, PRESS): 3,
        Cause("customer", Wait.BEGIN, PRESS): 2,
    }


def test_what_ends_by_itself_after_the_repair_is_nobodys_though_a_step_goes_on() -> None:
    of = plan([{"name": "tokyo-lost", "at": "10m", "site": "tokyo", "for": "5m"}])
    went = step(PRESS, "tokyo-lost", 10, 12)
    assert waited_for(of, *calls((14, 15), (20, 21)), *went) == {
        Cause("customer", Wait.WORK, PRESS): 1,
        NOBODY: 1,
    }


MINUTES = st.floats(0, 40)
JOURNEYS = st.fixed_dictionaries({name: st.lists(MINUTES, min_size=0, max_size=3).map(sorted) for name in STEPS})


@settings(max_examples=40, deadline=None)
@given(
    st.sets(st.integers(0, 39)),
    JOURNEYS,
    st.lists(st.tuples(st.sampled_from(["tokyo-edge", "osaka-edge"]), MINUTES, MINUTES), max_size=3),
    st.sampled_from(["customer", "vendor", "carrier", "shared"]),
)
def test_the_parts_add_up_to_the_time_without_service(
    lost: set[int], journeys: Mapping[str, list[float]], gear: list[tuple[str, float, float]], owner: str
) -> None:
    of = plan(sites={"tokyo": {"role": "primary", "owner": owner}, "osaka": {"role": "secondary"}})
    before = ("tokyo-lost", PRESS, PRESS, SWITCH)
    journal = [
        entry
        for (name, moments), by in zip(journeys.items(), before, strict=True)
        if moments
        for entry in step(name, by, *moments)
    ]
    for pair, since, lasting in gear:
        journal.append(JournalEntry(60 * since, EventKind.NODE_LOST, pair, {"node": f"{pair}/1", "calls": 0}))
        journal.append(JournalEntry(60 * (since + lasting), EventKind.DETECTED, pair, {"by": "vrrp"}))
    made = calls(*((minute, minute + 1) for minute in lost))
    owned = [
        Query("outage_minutes", (*NUMBER.selectors, ("owner", each)))
        for each in ("customer", "vendor", "carrier", "shared")
    ]
    summary = folded(Fold(of, [NUMBER, *owned]), [*made, *sorted(journal, key=lambda entry: entry.at)])
    whole = summary.values[NUMBER]
    assert whole == 60 * len(lost)
    assert math.isclose(math.fsum(summary.responsible[NUMBER].values()), whole)
    by_owner: defaultdict[str, float] = defaultdict(float)
    for cause, seconds in summary.responsible[NUMBER].items():
        assert seconds > 0
        by_owner[cause.owner] += seconds
    for query in owned:
        assert math.isclose(summary.values[query] or 0.0, by_owner[dict(query.selectors)["owner"]], abs_tol=1e-6)


def test_a_share_of_one_party_can_be_expected() -> None:
    asked = parse_expectation("outage_minutes{number=0120-123-456, owner=carrier} <= 5m").query
    of = plan()
    went = [*step(PRESS, "tokyo-lost", 10, 10, 14), *step(POINT, PRESS, 14, 14, 19)]
    summary = folded(Fold(of, [asked]), [*calls((10, 19)), *sorted(went, key=lambda entry: entry.at)])
    assert summary.values[asked] == 300
    with pytest.raises(ExpectationError, match="unknown owner"):
        parse_expectation("outage_minutes{owner=nobody} <= 5m")


def test_owners_are_those_of_the_plan_or_the_usual_ones() -> None:
    faults: list[dict[str, Any]] = [
        {"name": "site", "at": "1m", "site": "tokyo"},
        {"name": "registrar", "at": "1m", "registrar": "tokyo"},
        {"name": "pair", "at": "1m", "pair": "tokyo-edge", "fails": "active"},
        {"name": "trunk", "at": "1m", "trunk": "ntt-tokyo"},
        {"name": "carrier", "at": "1m", "carrier": "NTT"},
        {"name": "office", "at": "1m", "office": "main"},
        {"name": "identity", "at": "1m", "identity": True},
    ]
    trunks = {
        "ntt-tokyo": {"via": "tokyo-edge", "channels": 300, "carrier": "NTT"},
        "ntt-osaka": {"via": "osaka-edge", "channels": 200, "carrier": "NTT"},
    }
    usual = plan(faults, runbook=[], trunks=trunks, offices={"main": {}})
    assert [owner_of_fault(usual, fault) for fault in usual.faults] == [
        "shared", "shared", "shared", "carrier", "carrier", "customer", "shared",
    ]  # fmt: skip
    said = plan(
        faults,
        runbook=[],
        trunks={**trunks, "ntt-osaka": {**trunks["ntt-osaka"], "owner": "vendor"}},
        sites={"tokyo": {"role": "primary", "owner": "vendor"}, "osaka": {"role": "secondary"}},
        offices={"main": {"owner": "shared"}},
    )
    assert [owner_of_fault(said, fault) for fault in said.faults] == [
        "vendor", "vendor", "vendor", "carrier", "shared", "shared", "shared",
    ]  # fmt: skip
    assert [works_for(plan(), who) for who in ("ntt", "Vendor", "carrier", "administrator")] == [
        "carrier", "vendor", "carrier", "customer",
    ]  # fmt: skip


def test_the_result_has_whom_was_waited_for_as_means_over_the_runs() -> None:
    of = plan(runbook=[], faults=[{"name": "tokyo-lost", "at": "10m", "site": "tokyo"}])
    runs = [fold(of, *calls((10, 12))), fold(of, *calls((10, 16))), fold(of)]
    (found,) = (
        each
        for each in result(judge(of, runs, engine="calls", seed=1), Origin("plan.yaml"))["outages"]
        if each["metric"] == str(NUMBER)
    )
    # In the third run nobody tried.
    assert found == {
        "metric": str(NUMBER),
        "runs": 2,
        "mean": 240,
        "waits": [{"owner": "shared", "wait": "repair", "subject": "tokyo-lost", "mean": 240}],
    }
    assert NUMBER in default_queries(of)
    assert OSAKA not in found["metric"]
