"""The rules about the day before the fault, held against published loss tables, hand counts and the engine."""

from collections.abc import Sequence
from typing import Any

import pytest

from scenarios.evidence import CallRecord, Direction, JournalEntry, Outcome, Sample
from scenarios.model import Drill
from scenarios.problems import Severity
from scenarios.rules import check
from sim.engine import play
from sim.traffic import load
from tests.made_plans import FREE_DIAL, INBOUND, LOST, OSAKA, OUTBOUND, TOKYO, ids, only, plan, step

FAR_SIDE = {TOKYO: {"trunk": "ntt-tokyo"}, OSAKA: {"trunk": "ntt-osaka"}}
"""Numbers without a queue, so that no agent stands between a load and a limit."""


def limited(traffic: Sequence[object], **changes: Any) -> Drill:
    """Return a plan without agents, in which only limits can be too small."""
    numbers = {**FAR_SIDE, **changes.pop("numbers", {})}
    runbook = [step("re-point", {"route": FREE_DIAL, "to": OSAKA}), step("activate", {"activate": "osaka"})]
    return plan(numbers=numbers, agents={"sales": None}, runbook=runbook, traffic=list(traffic), **changes)


def offers(erlang: float, **changes: object) -> dict[str, object]:
    """Return inbound traffic of so many erlang, in calls of 6 minutes."""
    return {**INBOUND, "arrivals": f"{erlang * 10:g}/h", "talk": "6m", **changes}


def channels(count: int) -> dict[str, object]:
    return {"ntt-tokyo": {"via": "tokyo-edge", "channels": count}}


def group(count: int, *sites: str, **more: object) -> dict[str, object]:
    return {"count": count, "softphone": {"sites": sites or ["tokyo", "osaka"]}, **more}


class Recorder:
    """Keeps the calls of a run."""

    def __init__(self) -> None:
        self.kept: list[CallRecord] = []

    def calls(self, records: Sequence[CallRecord]) -> None:
        self.kept += records

    def entry(self, entry: JournalEntry) -> None:
        pass

    def sample(self, sample: Sample) -> None:
        pass


def outcomes_before_fault(drill: Drill, direction: Direction) -> set[Outcome]:
    """Play a drill once; return what became of calls that ended before its first fault."""
    recorder = Recorder()
    play(drill, load(drill, seed=1, replication=0), 1, 0, recorder)
    return {call.outcome for call in recorder.kept if call.end < drill.faults[0].at and call.direction is direction}


# Who gets through


def test_in_the_sound_plan_calls_get_through_before_the_fault() -> None:
    assert outcomes_before_fault(plan(), Direction.INBOUND) == {Outcome.COMPLETED}
    assert outcomes_before_fault(plan(), Direction.OUTBOUND) == {Outcome.COMPLETED}


def test_a_number_that_leads_to_a_site_out_of_service_reaches_nobody() -> None:
    drill = plan(numbers={FREE_DIAL: {"to": OSAKA}}, traffic=[INBOUND])
    finding = only(drill)
    assert (finding.id, finding.path) == ("unreachable-baseline", ("traffic", 0, "to"))
    assert f"{FREE_DIAL} leads to {OSAKA} at osaka" in finding.message
    assert outcomes_before_fault(drill, Direction.INBOUND) == {Outcome.FAILED}


def test_a_queue_without_agents_at_its_site_answers_nobody() -> None:
    back = [step("switch", {"softphones": "sales", "site": "tokyo"}), step("activate", {"activate": "osaka"})]
    drill = plan(agents={"sales": group(20, "osaka", "tokyo")}, traffic=[INBOUND], runbook=back)
    findings = [finding for finding in check(drill) if finding.id != "orphan-number"]
    assert [finding.id for finding in findings] == ["unreachable-baseline"]
    assert "'sales' at tokyo" in findings[0].message
    assert outcomes_before_fault(drill, Direction.INBOUND) == {Outcome.ABANDONED}


@pytest.mark.parametrize(
    ("late", "run", "flagged"),
    [
        ({}, {"for": "1h", "warm": True}, True),
        (
            {"arrivals": {"profile": {"09:00": "0/s", "09:11": "6/m"}}},
            {"for": "1h", "warm": True, "start": "09:00"},
            False,
        ),
        (
            {"arrivals": {"profile": {"09:00": "0/s", "09:09": "6/m"}}},
            {"for": "1h", "warm": True, "start": "09:00"},
            True,
        ),
    ],
)
def test_only_numbers_that_are_dialled_before_the_fault_have_to_be_reached(
    late: dict[str, Any], run: dict[str, Any], flagged: bool
) -> None:
    drill = plan(traffic=[INBOUND, OUTBOUND, {**INBOUND, "to": OSAKA, **late}], run=run)
    assert ids(drill) == ["unreachable-baseline"] * flagged


def test_a_run_that_begins_cold_with_its_fault_has_no_day_before() -> None:
    stream = {**INBOUND, "to": OSAKA}
    at_once = [{**LOST, "at": "0"}]
    assert ids(plan(traffic=[INBOUND, stream], faults=at_once, run={"warm": False})) == []
    assert ids(plan(traffic=[INBOUND, stream], faults=at_once)) == ["unreachable-baseline"]


@pytest.mark.parametrize(
    ("shows", "path"), [("default", ("default_caller",)), ("terminal", ("agents", "sales", "caller_number"))]
)
def test_outbound_calls_need_a_caller_number(shows: str, path: tuple[str, ...]) -> None:
    drill = plan(traffic=[INBOUND, {**OUTBOUND, "shows": shows}], default_caller=None)
    assert (only(drill).id, only(drill).path) == ("no-caller-number", path)
    assert outcomes_before_fault(drill, Direction.OUTBOUND) == {Outcome.FAILED}
    given = {"sales": group(20, caller_number=TOKYO)}
    assert ids(plan(traffic=[INBOUND, {**OUTBOUND, "shows": shows}], agents=given)) == []


def test_a_caller_number_works_at_its_own_site_only() -> None:
    drill = plan(traffic=[INBOUND, {**OUTBOUND, "shows": OSAKA}])
    assert (only(drill).id, only(drill).path) == ("unusable-caller-number", ("traffic", 1, "shows"))
    assert f"start at tokyo and show {OSAKA}, which works at osaka only" in only(drill).message
    assert outcomes_before_fault(drill, Direction.OUTBOUND) == {Outcome.FAILED}
    assert ids(plan(traffic=[INBOUND, {**OUTBOUND, "shows": FREE_DIAL}])) == []


def test_agents_who_start_at_a_site_out_of_service_place_no_calls() -> None:
    night = {"night": group(5, "osaka")}
    drill = plan(agents=night, traffic=[INBOUND, {**OUTBOUND, "from": "night", "shows": OSAKA, "patience": "1m"}])
    assert (only(drill).id, only(drill).path) == ("unusable-caller-number", ("traffic", 1, "from"))
    assert outcomes_before_fault(drill, Direction.OUTBOUND) == {Outcome.ABANDONED}


# Limits


def test_ten_erlang_on_ten_channels_are_an_overload_with_the_published_loss() -> None:
    finding = only(limited([offers(10)], trunks=channels(10)))
    assert (finding.id, finding.severity) == ("overloaded-baseline", Severity.ERROR)
    assert finding.path == ("trunks", "ntt-tokyo", "channels")
    assert "10 erlang" in finding.message
    assert "10 channels" in finding.message
    assert "21.46%" in finding.message  # B(10, 10) = 0.2145823
    assert "at least 18" in finding.remedy  # B(10, 17) = 0.0129, B(10, 18) = 0.0071


def test_one_percent_of_blocking_is_where_the_published_table_has_it() -> None:
    # 15 lines carry 8.108 erlang at 1 %.
    assert ids(limited([offers(8.1)], trunks=channels(15))) == []
    finding = only(limited([offers(8.2)], trunks=channels(15)))
    assert (finding.id, finding.severity) == ("tight-baseline", Severity.WARNING)
    assert "at least 16" in finding.remedy


def test_the_load_has_to_reach_a_limit_to_overload_it() -> None:
    assert only(limited([offers(9.9)], trunks=channels(10))).id == "tight-baseline"


@pytest.mark.parametrize(
    ("limit", "path", "words"),
    [
        ({"ports": {"tenant": 10}}, ("ports", "tenant"), "the contract's tenant limit is 10"),
        (
            {"numbers": {FREE_DIAL: {"to": TOKYO, "tap": 10}}},
            ("numbers", FREE_DIAL, "tap"),
            f"tap of {FREE_DIAL} is 10",
        ),
        ({"numbers": {TOKYO: {"trunk": "ntt-tokyo", "tap": 10}}}, ("numbers", TOKYO, "tap"), f"tap of {TOKYO} is 10"),
        (
            {"sbc_pairs": {"tokyo-edge": {"site": "tokyo", "ports": 10}}},
            ("sbc_pairs", "tokyo-edge", "ports"),
            "has 10 ports",
        ),
    ],
)
def test_every_limit_on_the_way_is_held_against_the_load(
    limit: dict[str, Any], path: tuple[str, ...], words: str
) -> None:
    finding = only(limited([offers(10)], **limit))
    assert (finding.id, finding.path) == ("overloaded-baseline", path)
    assert words in finding.message
    assert ids(limited([offers(4)], **limit)) == []  # 10 lines carry 4.461 erlang at 1 %


def test_limits_off_the_way_do_not_matter() -> None:
    assert ids(limited([offers(10)], trunks={"ntt-osaka": {"via": "osaka-edge", "channels": 1}})) == []


def test_streams_on_one_limit_add_up() -> None:
    assert ids(limited([offers(5), offers(5, to=TOKYO)], trunks=channels(18))) == []
    assert ids(limited([offers(5), offers(5, to=TOKYO)], trunks=channels(17))) == ["tight-baseline"]


def test_outbound_calls_fill_no_limit_that_is_as_large_as_their_agents() -> None:
    calls = {**OUTBOUND, "arrivals": "4/m"}
    five = {"sales": group(5)}
    quiet = {**INBOUND, "arrivals": "1/h"}
    assert ids(plan(traffic=[quiet, calls], agents=five, ports={"outbound": 5})) == []
    finding = only(plan(traffic=[quiet, calls], agents=five, ports={"outbound": 4}))
    assert (finding.id, finding.path) == ("overloaded-baseline", ("ports", "outbound"))


def test_surges_and_retries_are_no_part_of_the_load() -> None:
    more = {"surge": {"at": "tokyo-lost", "factor": 5, "for": "30m"}, "retry": {"share": "90%", "after": "1m"}}
    assert ids(limited([offers(8.1, **more)], trunks=channels(15))) == []


def _by_the_hour(**rates: float) -> dict[str, object]:
    profile = {clock.replace("h", "") + ":00": f"{erlang * 10:g}/h" for clock, erlang in rates.items()}
    return offers(1, arrivals={"profile": profile})


def test_loads_that_peak_at_different_times_do_not_add_up() -> None:
    run = {"for": "2h", "start": "09:00"}
    streams = [_by_the_hour(h09=8, h10=2), _by_the_hour(h09=2, h10=8)]
    assert ids(limited(streams, trunks=channels(18), run=run)) == []
    assert ids(limited(streams, trunks=channels(17), run=run)) == ["tight-baseline"]


@pytest.mark.parametrize(
    ("start", "lasts", "overloaded"),
    [
        ("09:00", "1h", False),
        ("09:00", "1h1m", True),
        ("10:30", "30m", True),
        ("11:00", "22h", False),
        ("11:00", "24h", True),
        ("23:00", "12h", True),
    ],
)
def test_the_busiest_moment_counts_if_it_lies_in_the_run(start: str, lasts: str, overloaded: bool) -> None:
    stream = _by_the_hour(h09=1, h10=10, h11=1)
    drill = limited([stream], trunks=channels(10), run={"for": lasts, "start": start})
    assert ids(drill) == ["overloaded-baseline"] * overloaded


def test_a_load_beyond_all_tables_is_still_an_overload() -> None:
    finding = next(iter(check(limited([offers(1, arrivals="10000/s", talk="1h")]))))
    assert finding.id == "overloaded-baseline"
    assert "3.6e+07 erlang" in finding.message


# Agents


@pytest.mark.parametrize(
    ("erlang", "found"),
    [(17.9, []), (18, ["tight-baseline"]), (19.9, ["tight-baseline"]), (20, ["overloaded-baseline"])],
)
def test_twenty_agents_are_held_against_their_work(erlang: float, found: list[str]) -> None:
    assert ids(plan(traffic=[offers(erlang)])) == found


def test_a_shortage_of_agents_is_told_in_figures() -> None:
    finding = only(plan(traffic=[offers(18)]))
    assert finding.path == ("agents", "sales", "count")
    assert "18 erlang" in finding.message
    assert "the 20 agents of sales: 90% of their time" in finding.message
    assert "at least 21 agents" in finding.remedy
    assert ids(plan(traffic=[offers(18)], agents={"sales": group(21)})) == []


def test_wrap_up_and_outbound_calls_are_work() -> None:
    assert ids(plan(traffic=[offers(9)], agents={"sales": group(20, wrap_up="6m")})) == ["tight-baseline"]
    assert ids(plan(traffic=[offers(9)], agents={"sales": group(20, wrap_up="5m")})) == []
    outbound = {**OUTBOUND, "arrivals": "9/m"}
    assert ids(plan(traffic=[offers(9), outbound])) == ["tight-baseline"]
    assert ids(plan(traffic=[offers(8.9), outbound])) == []


def _shared(traffic: Sequence[object], **queues: str) -> list[str]:
    """Return the messages about a plan with groups a, b, c of ten agents each and a number for every queue."""
    numbers = {f"03-5555-000{index}": {"trunk": "ntt-tokyo", "queue": queue} for index, queue in enumerate(queues)}
    drill = plan(
        agents={"sales": None, **{name: group(10, wrap_up="2m" if name == "a" else None) for name in "abc"}},
        queues={queue: {"agents": list(groups)} for queue, groups in queues.items()},
        numbers={TOKYO: {"trunk": "ntt-tokyo"}, OSAKA: {"trunk": "ntt-osaka"}, **numbers},
        traffic=list(traffic),
        runbook=[step("activate", {"activate": "osaka"})],
    )
    return [finding.message for finding in check(drill) if finding.id.endswith("-baseline")]


def _to(index: int, erlang: float) -> dict[str, object]:
    """Return calls of 6 minutes to one of the queues of a shared plan."""
    return offers(erlang, to=f"03-5555-000{index}")


def test_a_group_that_has_work_of_its_own_needs_hands_for_it_whoever_helps_elsewhere() -> None:
    (message,) = _shared([_to(0, 9), _to(1, 3)], one="b", two="bc")
    assert "9 erlang" in message
    assert "the 10 agents of b:" in message


def test_groups_that_help_each_other_out_are_held_against_all_their_work() -> None:
    # With the wrap-up of a: 13.5 and 15.75 of 20 in either queue, but 29.25 of 30 in both.
    (message,) = _shared([_to(0, 13.5), _to(1, 13.5)], one="bc", two="ca")
    assert "29.25 erlang" in message
    assert "the 30 agents of a, b, c" in message
    assert _shared([_to(0, 12), _to(1, 12)], one="bc", two="ca") == []


def test_the_wrap_up_of_a_shared_call_is_the_mean_over_the_agents_who_may_get_it() -> None:
    # 6 minutes of talk and 2 of wrap-up for half of the agents: 15.4 erlang of talk are 17.97 of 20, 15.5 are 18.08.
    assert _shared([_to(0, 15.4)], one="ab") == []
    (message,) = _shared([_to(0, 15.5)], one="ab")
    assert "18.0833 erlang" in message


def test_agents_whose_phones_start_elsewhere_are_no_help() -> None:
    queue = {"sales": {"agents": ["sales", "kyoto"]}}
    here = plan(traffic=[offers(18)], queues=queue, agents={"kyoto": group(20)}, sites={"kyoto": {}})
    assert ids(here) == []
    there = plan(traffic=[offers(18)], queues=queue, agents={"kyoto": group(20, "kyoto")}, sites={"kyoto": {}})
    assert ids(there) == ["tight-baseline"]


def test_calls_that_reach_nobody_are_no_load() -> None:
    drill = limited([offers(4), offers(50, to=OSAKA)], ports={"tenant": 10})
    assert ids(drill) == ["unreachable-baseline"]


def test_few_sources_offer_what_they_can_and_no_more() -> None:
    """Ten who talk as long as they pause are in five calls on average, S a / (1 + a) with a = 1."""
    everybody = offers(10)
    assert "overloaded-baseline" in ids(limited([everybody], trunks=channels(9)))
    few = offers(10, sources=10)
    assert "overloaded-baseline" not in ids(limited([few], trunks=channels(6)))
    finding = next(each for each in check(limited([few], trunks=channels(5))) if each.id == "overloaded-baseline")
    assert finding.message.startswith("5 erlang ")
