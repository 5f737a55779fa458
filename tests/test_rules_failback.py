"""Lint of conditions, of sites taken out of service, and of the way of emergency calls."""

from collections.abc import Mapping

import pytest

from scenarios.problems import Severity
from scenarios.rules import check
from tests.made_plans import ACTIVATE, INBOUND, LOST, OUTBOUND, REROUTE, SWITCH, TOKYO, ids, only, plan, step

REPAIRED = {**LOST, "for": "20m"}
CALL_119: dict[str, object] = {"from": "sales", "to": "119", "arrivals": "1/m", "talk": "1m"}


def waits(when: Mapping[str, object], after: object = "re-point") -> list[dict[str, object]]:
    """Return the plan's runbook with one step more that has a condition."""
    return [ACTIVATE, SWITCH, REROUTE, step("back", after=after, when=when)]


def test_conditions_that_come_true_are_not_reported() -> None:
    when = {"repaired": "tokyo-lost", "in_service": "osaka", "registered": "sales", "site": "osaka"}
    assert check(plan(faults=[REPAIRED], runbook=waits(when))) == []


def test_a_fault_that_is_not_repaired_in_the_run_is_waited_for_in_vain() -> None:
    for lost in (LOST, {**LOST, "for": "50m"}):
        found = [
            each
            for each in check(plan(faults=[lost], runbook=waits({"repaired": "tokyo-lost"})))
            if each.path[0] == "runbook"
        ]
        assert [(each.id, each.severity, each.path) for each in found] == [
            ("impossible-condition", Severity.ERROR, ("runbook", 3, "when", "repaired"))
        ]
        assert "tokyo-lost is not repaired within the run of 1h" in found[0].message


def test_a_secondary_site_that_only_a_later_step_activates_is_waited_for_in_vain() -> None:
    book = [
        step("first", when={"in_service": "osaka"}),
        {**ACTIVATE, "after": "first", "starts": None},
        SWITCH,
        REROUTE,
    ]
    finding = only(plan(runbook=book))
    assert (finding.id, finding.path) == ("impossible-condition", ("runbook", 0, "when", "in_service"))
    book[0] = step("first", when={"in_service": "tokyo"})
    assert check(plan(faults=[REPAIRED], runbook=book)) == []


def test_a_site_that_stays_lost_is_waited_for_in_vain_by_whoever_begins_after_its_loss() -> None:
    def waiting(lost: Mapping[str, object], **first: object) -> list[str]:
        book = [{**step("first", when={"in_service": "tokyo"}), **first}, ACTIVATE, SWITCH, REROUTE]
        return [each.id for each in check(plan(faults=[lost], runbook=book)) if each.path[0] == "runbook"]

    assert waiting(LOST) == ["impossible-condition"]
    assert waiting({**LOST, "for": "50m"}) == ["impossible-condition"]
    assert waiting(REPAIRED) == []
    assert waiting(LOST, starts={"at": "10m"}) == ["impossible-condition"]
    assert waiting(LOST, starts={"at": "9m"}) == []


def test_a_step_waits_in_vain_for_one_that_waits_for_it_by_way_of_others() -> None:
    book = [
        step("first", when={"in_service": "osaka"}),
        step("middle", after="first"),
        {**ACTIVATE, "after": "middle", "starts": None},
        SWITCH,
        REROUTE,
    ]
    assert ids(plan(runbook=book)) == ["impossible-condition"]


def test_the_time_from_one_step_to_another_needs_no_fault() -> None:
    book = [
        step("plan", after=None, starts={"at": "10m"}),
        step("move", {"softphones": "sales", "site": "osaka"}, after="plan"),
        step("point", {"route": "0120-123-456", "to": "06-1234-5678"}, after="move"),
    ]
    sites = {"osaka": {"role": "primary"}}
    between = plan(faults=[], sites=sites, runbook=book, expect=["runbook_time{step=point, since=plan} <= 30m"])
    assert check(between) == []
    assert ids(plan(faults=[], sites=sites, runbook=book, expect=["runbook_time{step=point} <= 30m"])) == [
        "nothing-to-measure"
    ]


def test_a_step_beside_may_make_a_condition_come_true() -> None:
    assert check(plan(runbook=[ACTIVATE, SWITCH, REROUTE, step("beside", when={"in_service": "osaka"})])) == []


@pytest.mark.parametrize(
    ("switch", "site", "found"),
    [("by-hand", "tokyo", False), ("by-hand", "osaka", True), ("automatic", "osaka", False)],
)
def test_phones_that_no_step_has_switched_are_waited_for_in_vain(switch: str, site: str, found: bool) -> None:
    phones = {"sales": {"count": 20, "softphone": {"sites": ["tokyo", "osaka"], "switch": switch}}}
    book = [
        step("first", when={"registered": "sales", "site": site}),
        ACTIVATE,
        {**SWITCH, "after": ["first", "activate"]},
    ]
    findings = [
        each for each in check(plan(agents=phones, runbook=[*book, REROUTE])) if each.id == "impossible-condition"
    ]
    assert [each.path for each in findings] == ([("runbook", 0, "when", "site")] if found else [])


def test_a_secondary_site_that_nobody_activates_need_not_be_taken_out_of_service() -> None:
    stop = step("stop", {"deactivate": "osaka"})
    (finding,) = (each for each in check(plan(runbook=[stop])) if each.path[0] == "runbook")
    assert (finding.id, finding.severity) == ("needless-deactivation", Severity.WARNING)
    assert (
        check(plan(runbook=[ACTIVATE, SWITCH, REROUTE, step("stop", {"deactivate": "osaka"}, after="re-point")])) == []
    )


def test_emergency_calls_need_a_fixed_line_wherever_the_phones_come_to_be() -> None:
    calls = {"traffic": [INBOUND, OUTBOUND, CALL_119]}
    assert check(plan(**calls)) == []
    numbers = {
        "0120-123-456": {"to": TOKYO, "service": "free-dial-intelligent"},
        "06-1234-5678": None,
        "050-3123-4567": {"trunk": "ntt-osaka", "queue": "sales"},
    }
    moved = {**REROUTE, "does": {"route": "0120-123-456", "to": "050-3123-4567"}}
    finding = only(plan(**calls, numbers=numbers, runbook=[ACTIVATE, SWITCH, moved]))
    assert (finding.id, finding.severity, finding.path) == ("no-emergency-line", Severity.WARNING, ("traffic", 2, "to"))
    assert "calls to 119 fail from osaka, where phones of sales come to be" in finding.message
    assert ids(plan(numbers=numbers, runbook=[ACTIVATE, SWITCH, moved])) == []


def test_emergency_calls_need_no_default_caller_number_and_keep_a_fixed_line_from_being_an_orphan() -> None:
    lone = {"traffic": [INBOUND, CALL_119], "default_caller": None}
    assert check(plan(**lone)) == []
    spare = {
        "trunks": {"spare": {"via": "osaka-edge", "channels": 9}},
        "numbers": {"06-7777-7777": {"trunk": "spare", "queue": "sales"}},
    }
    assert check(plan(**lone, **spare)) == []
    assert "orphan-number" in ids(plan(traffic=[INBOUND], default_caller=TOKYO, **spare))


def test_emergency_calls_are_part_of_the_load_of_the_line_they_leave_by() -> None:
    """One erlang of them on a trunk of one channel, by which nothing else comes."""
    trunks = {name: {"via": "tokyo-edge", "channels": count} for name, count in (("spare", 1), ("ntt-tokyo", 100))}
    numbers = {
        TOKYO: {"trunk": "spare", "queue": "sales"},
        "0120-123-456": {"to": "050-3123-4567", "service": "free-dial-intelligent"},
        "050-3123-4567": {"trunk": "ntt-tokyo", "queue": "sales"},
    }
    finding = only(plan(trunks=trunks, numbers=numbers, default_caller="050-3123-4567", traffic=[INBOUND, CALL_119]))
    assert (finding.id, finding.path) == ("overloaded-baseline", ("trunks", "spare", "channels"))
