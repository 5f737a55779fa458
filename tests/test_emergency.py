"""Emergency calls: by a fixed line of the caller's own site, before other work, and against every limit (J5, J7)."""

import pytest

from reports.fold import Fold
from reports.queries import default_queries
from sbc.decisions.distribution import Agent, Distributor, search
from sbc.decisions.emergency import NO_FIXED_LINE, emergency_ways
from sbc.decisions.routing import Route
from scenarios.evidence import CallRecord, Outcome
from scenarios.expectations import parse_expectation
from scenarios.model import AgentGroup, Drill, Queue
from scenarios.numberplan import is_emergency, is_fixed_line
from scenarios.rules import check
from tests.drills import FREE_DIAL, MOBILE, OSAKA, TOKYO, Caller, ListRecorder, callers, drill, played

IP_PHONE = "050-3123-4567"
SECOND = "03-9999-9999"


def plan(**changes: object) -> Drill:
    """Return two sites, agents at each who call 119, and a default caller number of Osaka."""
    return drill(
        **{
            "sites": {"tokyo": {}, "osaka": {}},
            "sbc_pairs": {site: {"site": site, "ports": 50} for site in ("tokyo", "osaka")},
            "trunks": {
                "ntt-tokyo": {"via": "tokyo", "channels": 50},
                "kddi-tokyo": {"via": "tokyo", "channels": 50},
                "ntt-osaka": {"via": "osaka", "channels": 50},
            },
            "numbers": {
                FREE_DIAL: {"to": OSAKA},
                IP_PHONE: {"trunk": "kddi-tokyo"},
                TOKYO: {"trunk": "ntt-tokyo", "queue": "east"},
                SECOND: {"trunk": ["ntt-tokyo", "kddi-tokyo"], "queue": "east"},
                OSAKA: {"trunk": "ntt-osaka", "queue": "west"},
            },
            "default_caller": OSAKA,
            "agents": {
                "east": {"count": 1, "softphone": {"sites": ["tokyo"]}},
                "west": {"count": 1, "softphone": {"sites": ["osaka"]}},
            },
            "traffic": [{"from": group, "to": 119, "arrivals": "1/m", "talk": "1m"} for group in ("east", "west")],
            **changes,
        }
    )


def without(number: str) -> dict[str, object]:
    """Return the plan's numbers without one."""
    return {name: entry.model_dump(exclude_unset=True) for name, entry in plan().numbers.items() if name != number}


def calls_to(recorder: ListRecorder, number: str) -> list[CallRecord]:
    return [each for each in recorder.records if each.destination == number]


# Which way


@pytest.mark.parametrize("number", ["110", "118", "119"])
def test_three_numbers_are_emergency_numbers_and_others_are_not(number: str) -> None:
    assert is_emergency(number)
    assert not any(map(is_emergency, ("117", "104", "171", TOKYO, FREE_DIAL, MOBILE)))


def test_only_0ab_j_numbers_are_fixed_lines() -> None:
    assert all(map(is_fixed_line, (TOKYO, OSAKA, "011-222-3333")))
    assert not any(map(is_fixed_line, (FREE_DIAL, IP_PHONE, MOBILE, "0570-012-345", "119")))


def test_the_ways_of_a_site_are_the_trunks_of_its_fixed_lines_each_once_with_their_number() -> None:
    ways = emergency_ways(plan(), "tokyo")
    assert isinstance(ways, Route)
    assert [(way.number, way.trunk, way.pair, way.queue) for way in ways.ways] == [
        (TOKYO, "ntt-tokyo", "tokyo", None), (SECOND, "kddi-tokyo", "tokyo", None),
    ]  # fmt: skip


def test_a_site_with_ip_phone_and_service_numbers_only_has_no_way() -> None:
    numbers = {FREE_DIAL: {"trunk": "ntt-osaka"}, IP_PHONE: {"trunk": "ntt-osaka"}}
    assert emergency_ways(plan(numbers=numbers), "osaka") == NO_FIXED_LINE


def test_an_emergency_call_leaves_by_a_fixed_line_at_its_own_site_whatever_the_default_number() -> None:
    recorder = played(plan(), callers(Caller(10)), callers(Caller(20)))
    assert {each.start: (each.number, each.trunk, each.site, each.outcome) for each in calls_to(recorder, "119")} == {
        10: (TOKYO, "ntt-tokyo", "tokyo", Outcome.COMPLETED),
        20: (OSAKA, "ntt-osaka", "osaka", Outcome.COMPLETED),
    }


def test_without_a_fixed_line_at_the_site_it_fails_for_that_reason_and_is_counted_there() -> None:
    numbers = {FREE_DIAL: {"to": TOKYO}, TOKYO: {"trunk": "ntt-tokyo"}, IP_PHONE: {"trunk": "ntt-osaka"}}
    recorder = played(plan(numbers=numbers, default_caller=TOKYO), callers(Caller(10)), callers(Caller(20)))
    assert {each.start: (each.outcome, each.reason, each.sip, each.site) for each in recorder.records} == {
        10: (Outcome.COMPLETED, "", 200, "tokyo"),
        20: (Outcome.FAILED, "no fixed line for emergency calls", 403, "osaka"),
    }


def test_a_lost_trunk_is_passed_over_for_the_next_fixed_line_whose_number_is_shown() -> None:
    lost = [{"name": "cut", "at": "5s", "trunk": "ntt-tokyo"}]
    recorder = played(plan(faults=lost), callers(Caller(10)), callers())
    assert [(each.number, each.trunk, each.outcome) for each in recorder.records] == [
        (SECOND, "kddi-tokyo", Outcome.COMPLETED)
    ]


def test_where_every_fixed_line_is_lost_it_fails_for_that_reason() -> None:
    lost = [{"name": "cut", "at": "5s", "trunk": "ntt-osaka"}]
    recorder = played(plan(faults=lost), callers(), callers(Caller(10)))
    assert [(each.outcome, each.reason, each.site) for each in recorder.records] == [
        (Outcome.FAILED, "trunk lost", "osaka")
    ]


def test_a_number_that_is_re_pointed_elsewhere_still_carries_emergency_calls_by_its_own_trunk() -> None:
    move = {
        "step": "move", "by": "x", "starts": {"at": "5s"}, "takes": "0s", "does": {"route": OSAKA, "to": TOKYO},
    }  # fmt: skip
    recorder = played(plan(runbook=[move]), callers(), callers(Caller(10)))
    assert [(each.number, each.trunk) for each in recorder.records] == [(OSAKA, "ntt-osaka")]


# Limits and other work


@pytest.mark.parametrize(
    ("change", "limit", "sip"),
    [
        ({"ports": {"tenant": 1}}, "tenant", 486),
        ({"ports": {"outbound": 1}}, "outbound", 503),
        ({"numbers": {**without(TOKYO), TOKYO: {"trunk": "ntt-tokyo", "tap": 1}, SECOND: {"to": TOKYO}}}, TOKYO, 486),
    ],
    ids=["tenant", "outbound", "tap"],
)
def test_a_full_contract_refuses_emergency_calls_as_well(change: dict[str, object], limit: str, sip: int) -> None:
    pair = {
        "east": {"count": 2, "softphone": {"sites": ["tokyo"]}},
        "west": {"count": 1, "softphone": {"sites": ["osaka"]}},
    }
    recorder = played(plan(agents=pair, **change), callers(Caller(10, talk=30), Caller(20)), callers())
    assert {each.start: (each.outcome, each.reason, each.sip) for each in recorder.records} == {
        10: (Outcome.COMPLETED, "", 200), 20: (Outcome.BLOCKED, limit, sip),
    }  # fmt: skip


def test_the_next_free_agent_places_it_before_callers_who_wait_and_before_other_work() -> None:
    busy = plan(
        traffic=[
            {"to": TOKYO, "arrivals": "1/m", "talk": "1m"},
            {"from": "east", "to": MOBILE, "arrivals": "1/m", "talk": "1m", "shows": TOKYO},
            {"from": "east", "to": 110, "arrivals": "1/m", "talk": "1m"},
        ]
    )
    recorder = played(
        busy, callers(Caller(5, talk=15), Caller(6)), callers(Caller(7)), callers(Caller(8, talk=5), Caller(9, talk=5))
    )
    assert [(each.destination, each.start, each.wait) for each in recorder.records] == [
        (TOKYO, 5, 0), ("110", 20, 0), ("110", 25, 0), (TOKYO, 6, 24), (MOBILE, 40, 0),
    ]  # fmt: skip


def test_a_caller_of_119_who_finds_no_agent_gives_up_in_the_end() -> None:
    traffic = [
        {"to": TOKYO, "arrivals": "1/m", "talk": "1m"},
        {"from": "east", "to": 119, "arrivals": "1/m", "talk": "1m"},
    ]
    recorder = played(plan(traffic=traffic), callers(Caller(5, talk=60)), callers(Caller(10, patience=20)))
    assert [(each.outcome, each.end) for each in recorder.records] == [(Outcome.ABANDONED, 30), (Outcome.COMPLETED, 65)]


def test_urgent_work_can_be_withdrawn_and_is_then_given_to_nobody() -> None:
    groups = {"desk": AgentGroup.model_validate({"count": 1, "softphone": {"sites": ["tokyo"]}})}
    distributor: Distributor[str] = Distributor({"q": search(Queue(agents=["desk"]), groups)}, ["desk"], ["tokyo"])
    assert distributor.request(0.0, "desk", "119", urgent=True) is None
    assert distributor.request(1.0, "desk", "call", urgent=False) is None
    distributor.withdraw("desk", "119")
    assert distributor.free(2.0, Agent(1, "desk", "tokyo")) == "call"


# What is asked of it


def test_metrics_of_an_emergency_number_are_told_apart_by_site() -> None:
    numbers = {TOKYO: {"trunk": "ntt-tokyo"}, IP_PHONE: {"trunk": "ntt-osaka"}}
    asked = ["failed_ratio{number=119, site=osaka} < 1%", "asr{number=119, site=tokyo} > 99%", "ner{number=119} > 1%"]
    case = plan(numbers=numbers, default_caller=TOKYO, expect=[*asked, "blocked_ratio{number=119, site=osaka} < 1%"])
    assert not [finding for finding in check(case) if finding.id == "dangling-reference"]
    recorder = played(case, callers(Caller(10), Caller(40)), callers(Caller(20), Caller(50)))
    fold = Fold(case, default_queries(case))
    fold.calls(recorder.records)
    values = fold.summary().values
    found = [values[parse_expectation(text).query] for text in asked]
    assert found == [1.0, 1.0, 0.5]
    assert values[parse_expectation("asr{number=119} > 1%").query] == 0.5
