"""Replication, functions and consoles in drills worked out by hand, played by each engine."""

import math
from typing import Any

import pytest

from reports.fold import Fold
from scenarios.evidence import EventKind, Gauge, JournalEntry, Outcome
from scenarios.expectations import parse_query
from scenarios.model import Drill
from tests.drills import ENGINES, FREE_DIAL, MOBILE, OSAKA, TOKYO, Caller, ListRecorder, callers, drill, played

engines = pytest.mark.parametrize("engine", ENGINES)
CLOSE = 0.1

SITES: dict[str, object] = {
    "sites": {"tokyo": {}, "osaka": {"role": "secondary"}},
    "sbc_pairs": {"te": {"site": "tokyo", "ports": 99}, "oe": {"site": "osaka", "ports": 99}},
    "trunks": {"nt": {"via": "te", "channels": 99}, "no": {"via": "oe", "channels": 99}},
    "numbers": {FREE_DIAL: {"to": TOKYO}, TOKYO: {"trunk": "nt"}, OSAKA: {"trunk": "no"}},
    "traffic": [{"to": FREE_DIAL, "arrivals": "1/m", "talk": "10s"}],
}
CLASSES: dict[str, object] = {
    "settings": {"every": "0s"},
    "addresses": {"every": "10m", "first": "5m"},
    "accounts": {"every": "0s", "loaded_every": "1h", "loaded_first": "3m"},
    "histories": {"excluded": True},
}
SYNC: dict[str, object] = {"sync": {"from": "tokyo", "to": "osaka", "data": CLASSES}}
LOST: dict[str, object] = {"name": "tokyo-lost", "at": "8m", "site": "tokyo"}


def step(name: str, does: dict[str, object] | None, at: str = "", **more: object) -> dict[str, object]:
    """Return a step of a minute, at a time or after another step."""
    begins = {"starts": {"at": at}} if at else {}
    effect = {"does": does} if does else {}
    return {"step": name, "by": "somebody", "takes": "1m", **begins, **effect, **more}


def two_sites(lasts: str = "20m", **changes: Any) -> Drill:
    return drill(**{"run": {"for": lasts, "warm": False}, **SITES, **SYNC, **changes})


def told(recorder: ListRecorder, *kinds: EventKind) -> list[tuple[float, str]]:
    return [(round(entry.at, 6), entry.subject) for entry in recorder.of(*kinds)]


def measured(plan: Drill, engine: str, *asked: str) -> list[float | None]:
    """Return what metrics come to in one run without calls."""
    queries = [parse_query(text) for text in asked]
    fold = Fold(plan, queries)
    recorder = played(plan, callers(), engine=engine)
    for entry in recorder.entries:
        fold.entry(entry)
    values = fold.summary().values
    return [values[query] for query in queries]


ACTIVATION = step("activate", {"activate": "osaka"}, "9m")
CHANGES = [
    {"name": "setting", "at": "7m", "data": "settings"},
    {"name": "early-address", "at": "4m", "data": "addresses"},
    {"name": "late-address", "at": "6m", "data": "addresses"},
    {"name": "early-account", "at": "2m", "data": "accounts"},
    {"name": "late-account", "at": "6m", "data": "accounts"},
    {"name": "history", "at": "1m", "data": "histories"},
    {"name": "never", "at": "8m1s", "data": "settings"},  # Tokyo is lost, and nobody can change anything there
]


@engines
def test_what_is_there_when_the_other_site_enters_service_follows_from_the_clock(engine: str) -> None:
    plan = two_sites(changes=CHANGES, faults=[LOST], runbook=[ACTIVATION])
    recorder = played(plan, callers(), engine=engine)
    assert told(recorder, EventKind.CHANGED) == [
        (60, "history"), (120, "early-account"), (240, "early-address"), (360, "late-address"), (360, "late-account"),
        (420, "setting"),
    ]  # fmt: skip
    assert sorted(told(recorder, EventKind.REPLICATED)) == [
        (180, "early-account"), (300, "early-address"), (420, "setting"),
    ]  # fmt: skip
    # Activated at 10 min; what was lost at 8 min grows no older.
    stopped = recorder.of(EventKind.SYNC_STOPPED)
    assert [(entry.at, entry.subject, entry.detail) for entry in stopped] == [(600, "osaka", {"by": "activation"})]
    asked = ["rpo", *(f"rpo{{data={name}}}" for name in CLASSES), *(f"data_lost{{data={name}}}" for name in CLASSES)]
    assert measured(plan, engine, *asked) == [480, 0, 180, 300, 480, 0, 1, 1, 1]
    assert measured(plan, engine, "data_lost", "unprotected") == [3, 600]


@engines
def test_a_planned_switch_finds_the_copy_as_old_as_it_is_at_that_moment(engine: str) -> None:
    plan = two_sites(runbook=[ACTIVATION])
    asked = [f"rpo{{data={name}}}" for name in CLASSES]
    assert measured(plan, engine, *asked) == [0, 300, 420, 600]


@engines
def test_a_site_that_never_serves_has_no_recovery_point(engine: str) -> None:
    assert measured(two_sites(), engine, "rpo", "data_lost", "unprotected") == [None, None, 0]


@engines
def test_an_edit_stops_replication_in_silence_and_a_resync_overwrites_it(engine: str) -> None:
    changes = [
        {"name": "kept", "at": "1m", "made_at": "osaka", "data": "settings"},
        {"name": "gone", "at": "2m", "made_at": "osaka", "data": "settings"},
        {"name": "later", "at": "3m", "data": "settings"},
        {"name": "again", "at": "9m", "made_at": "osaka", "data": "settings"},
    ]
    runbook = [
        step("look", {"look_at_sync": "osaka"}, "4m"),
        step("enter", {"enter": "kept", "site": "tokyo"}, after="look"),
        step("resume", {"resume_sync": "osaka"}, after="enter"),
        step("look again", {"look_at_sync": "osaka"}, after="resume"),
    ]
    plan = two_sites(changes=changes, runbook=runbook)
    recorder = played(plan, callers(), engine=engine)
    stopped = recorder.of(EventKind.SYNC_STOPPED)
    assert [(entry.at, entry.detail) for entry in stopped] == [(60, {"by": "change"}), (540, {"by": "change"})]
    assert told(recorder, EventKind.REPLICATED) == []
    assert [entry.detail["state"] for entry in recorder.of(EventKind.SYNC_SEEN)] == ["stopped", "syncing"]
    assert told(recorder, EventKind.SYNC_RESUMED) == [(420, "osaka")]
    overwritten = recorder.of(EventKind.OVERWRITTEN)
    assert [(entry.subject, entry.detail["lost"]) for entry in overwritten] == [("settings", 1)]
    assert measured(plan, engine, "data_lost", "unprotected", "rpo") == [1, 360 + 660, None]


@engines
def test_nothing_is_resumed_before_the_first_site_is_back(engine: str) -> None:
    runbook = [ACTIVATION, step("resume", {"resume_sync": "osaka"}, after="activate")]
    plan = two_sites(faults=[{**LOST, "for": "5m30s"}], runbook=runbook)
    recorder = played(plan, callers(), engine=engine)
    # Tries end at 11, 12, 13 and 14 min; Tokyo is back at 13:30.
    assert told(recorder, EventKind.SYNC_RESUMED) == [(840, "osaka")]
    assert measured(plan, engine, "unprotected") == [240]


@engines
def test_changes_come_at_their_rate_while_their_site_is_there(engine: str) -> None:
    changes = [{"name": "work", "arrivals": "2/m", "data": "settings"}]
    recorder = played(two_sites("10h", changes=changes, faults=[{**LOST, "at": "5h"}]), callers(), engine=engine)
    made = told(recorder, EventKind.CHANGED)
    assert all(0 < at < 5 * 3600 for at, _ in made)
    assert len(made) == pytest.approx(600, abs=5 * math.sqrt(600))  # a Poisson count
    assert len({name for _, name in made}) == len(made)
    assert len(told(recorder, EventKind.REPLICATED)) == len(made)


# Offices that are allowed by a change


def office(**changes: Any) -> Drill:
    phones = {"sites": ["tokyo", "osaka"], "expires": "40s"}
    groups = {"head": {"count": 3, "softphone": phones}, "new": {"count": 2, "office": "branch", "softphone": phones}}
    parts: dict[str, Any] = {
        "offices": {"branch": {}},
        "agents": groups,
        "changes": [{"name": "branch-address", "at": "2m", "data": "addresses", "allows": "branch"}],
        "faults": [LOST],
        "runbook": [
            step("activate", {"activate": "osaka"}, "8m"),
            step("new to Osaka", {"softphones": "new", "site": "osaka"}, after="activate", takes="10s"),
        ],
        **changes,
    }
    return two_sites(**parts)


def at_osaka(plan: Drill, engine: str) -> int:
    return played(plan, callers(), engine=engine).levels(Gauge.SOFTPHONES, "osaka")[1200.0]


@engines
def test_phones_of_an_office_are_refused_until_its_address_is_allowed(engine: str) -> None:
    recorder = played(office(), callers(), engine=engine)
    at_tokyo = recorder.levels(Gauge.SOFTPHONES, "tokyo")
    # They ask again every 20 s, and so are there 20 s after they are allowed.
    assert {at_tokyo[now] for now in (0.0, 60.0, 110.0)} == {3}
    assert {at_tokyo[now] for now in (150.0, 300.0, 470.0)} == {5}
    assert recorder.levels(Gauge.SOFTPHONES, "osaka")[1200.0] == 2


@engines
@pytest.mark.parametrize(
    ("changes", "there"),
    [
        ({}, 2),  # made at 2 min, replicated at 5
        ({"changes": [{"name": "a", "at": "5m30s", "data": "addresses", "allows": "branch"}]}, 0),  # not before 15
        ({"changes": [{"name": "a", "at": "5m30s", "data": "settings", "allows": "branch"}]}, 2),  # at once
        ({"changes": [{"name": "a", "at": "5m30s", "made_at": "osaka", "data": "addresses", "allows": "branch"}]}, 2),
    ],
)
def test_the_other_site_takes_them_if_the_change_is_there(engine: str, changes: dict[str, object], there: int) -> None:
    assert at_osaka(office(**changes), engine) == there


@engines
def test_after_an_edit_at_the_other_site_an_address_does_not_come_any_more(engine: str) -> None:
    edit = {"name": "edit", "at": "1m", "made_at": "osaka", "data": "settings"}
    address = {"name": "branch-address", "at": "2m", "data": "addresses", "allows": "branch"}
    assert at_osaka(office(changes=[edit, address]), engine) == 0


@engines
def test_whoever_is_refused_for_good_turns_to_no_other_site_by_themselves(engine: str) -> None:
    phones = {"sites": ["tokyo", "osaka"], "expires": "40s", "switch": "automatic"}
    groups = {"new": {"count": 2, "office": "branch", "softphone": phones}}
    plan = office(
        agents=groups,
        changes=[{"name": "a", "at": "1m", "made_at": "osaka", "data": "settings", "allows": "branch"}],
        runbook=[step("activate", {"activate": "osaka"}, "1m")],
        faults=[],
    )
    assert at_osaka(plan, engine) == 0


# Functions


@engines
def test_a_call_that_needs_what_its_site_lacks_fails_there_and_nowhere_else(engine: str) -> None:
    fax = {"to": FREE_DIAL, "arrivals": "1/m", "talk": "10s", "needs": ["fax"]}
    sites = {"tokyo": {}, "osaka": {"role": "secondary", "lacks": ["speech-synthesis", "fax"]}}
    runbook = [
        step("activate", {"activate": "osaka"}, "2m"),
        step("re-point", {"route": FREE_DIAL, "to": OSAKA}, after="activate"),
    ]
    plan = two_sites(sites=sites, traffic=[fax, {**fax, "needs": []}], runbook=runbook)
    recorder = played(
        plan, callers(Caller(60), Caller(300, again=(30.0,))), callers(Caller(60), Caller(300)), engine=engine
    )
    said = sorted((round(call.start), call.outcome, call.reason, call.sip, call.site) for call in recorder.records)
    assert said == [
        (60, Outcome.COMPLETED, "", 200, "tokyo"),
        (60, Outcome.COMPLETED, "", 200, "tokyo"),
        (300, Outcome.COMPLETED, "", 200, "osaka"),
        (300, Outcome.FAILED, "no fax at osaka", 501, "osaka"),
        (330, Outcome.FAILED, "no fax at osaka", 501, "osaka"),
    ]


@engines
def test_no_other_trunk_is_tried_after_what_is_not_there(engine: str) -> None:
    sites = {"tokyo": {"lacks": ["fax"]}, "osaka": {}}
    fax = {"to": TOKYO, "arrivals": "1/m", "talk": "10s", "needs": ["fax"]}
    numbers = {TOKYO: {"trunk": ["nt", "no"]}, OSAKA: {"trunk": "no"}}
    recorder = played(two_sites(sites=sites, traffic=[fax], numbers=numbers), callers(Caller(60)), engine=engine)
    (call,) = recorder.records
    assert (call.outcome, call.sip, call.trunk) == (Outcome.FAILED, 501, "nt")


@engines
def test_calls_out_need_what_the_site_of_the_phone_has(engine: str) -> None:
    abroad = {"from": "desk", "to": MOBILE, "arrivals": "1/m", "talk": "10s", "needs": ["international"]}
    plan = two_sites(
        sites={"tokyo": {"lacks": ["international"]}, "osaka": {"role": "secondary"}},
        agents={"desk": {"count": 1, "softphone": {"sites": ["tokyo"]}}},
        default_caller=TOKYO,
        traffic=[abroad, {**abroad, "needs": []}],
    )
    recorder = played(plan, callers(Caller(60)), callers(Caller(120)), engine=engine)
    said = [(call.outcome, call.reason, call.sip, call.number) for call in recorder.records]
    assert said == [
        (Outcome.FAILED, "no international at tokyo", 501, TOKYO),
        (Outcome.COMPLETED, "", 200, TOKYO),
    ]


# Consoles


@engines
@pytest.mark.parametrize(
    ("needs", "begins"),
    [
        ("outside", 480.0),
        ("tokyo", 720.0),  # Tokyo is back at 12 min
        (["osaka", "safe"], 630.0),  # the safe's office at 10:30
        (["safe", "tokyo"], 720.0),
        ("osaka", 480.0),
    ],
)
def test_a_step_waits_for_the_places_without_which_its_console_is_of_no_use(
    engine: str, needs: str | list[str], begins: float
) -> None:
    away = {"name": "safe-away", "at": "7m", "office": "safe", "for": "3m30s"}
    plan = two_sites(
        offices={"safe": {}},
        consoles={"carrier": {"needs": needs}},
        faults=[{**LOST, "for": "4m"}, away],
        runbook=[
            {"step": "re-point", "by": "somebody", "starts": {"after": "tokyo-lost"}, "takes": "1m", "uses": "carrier"}
        ],
    )
    recorder = played(plan, callers(), engine=engine)
    ((at, _),) = told(recorder, EventKind.STEP_STARTED)
    assert at == pytest.approx(begins, abs=1.0 + CLOSE)
    unmet = [entry.detail["unmet"] for entry in recorder.of(EventKind.STEP_WAITING)]
    assert bool(unmet) == (begins > 480)
    assert all(str(each).startswith("uses: carrier, which needs ") for each in unmet)


# Histories


@engines
def test_saving_recordings_one_by_one_takes_time_for_each_call_of_that_site(engine: str) -> None:
    runbook = [
        step("save", {"export": "histories", "site": "tokyo", "each": "20s"}, "5m"),
        step("delete", {"delete": "histories", "site": "tokyo"}, after="save"),
        step("delete there", {"delete": "histories", "site": "osaka"}, after="save"),
    ]
    recorder = played(
        two_sites(runbook=runbook), callers(Caller(60), Caller(120), Caller(180), Caller(295, 60)), engine=engine
    )
    assert told(recorder, EventKind.EXPORTED) == [(300 + 60 + 3 * 20, "histories")]
    deleted = {str(entry.detail["site"]): entry.detail["exported"] for entry in recorder.of(EventKind.DELETED)}
    assert deleted == {"tokyo": True, "osaka": False}


def test_the_times_without_replication_are_added_up() -> None:
    plan, query = two_sites(), parse_query("unprotected")
    fold = Fold(plan, [query])
    for at, kind in ((60, "STOPPED"), (100, "RESUMED"), (200, "STOPPED"), (270, "RESUMED"), (1190, "STOPPED")):
        fold.entry(JournalEntry(at, EventKind[f"SYNC_{kind}"], "osaka", {}))
    assert fold.summary().values[query] == 40 + 70 + 10
