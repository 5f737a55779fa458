"""Requests for ports: a case's life against a table drawn by hand, sums, and any requests in any order."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbc.decisions import port_requests
from sbc.decisions.port_requests import Case, Desk, Effect, Event, State
from sbc.decisions.table import ImpossibleEventError
from scenarios import portplan
from scenarios.model import PortManagement, Ports
from scenarios.portplan import Refusal
from tests.tables import Drawing

TODAY, TOMORROW = "2026-11-26", "2026-11-27"


def made(**changes: Any) -> PortManagement:
    """Return a plan in which everything is allowed to the coordinator, and 100 ports are the limit of a day."""
    plan = {
        "enabled": True,
        "permissions": {"coordinator": "create", "supervisor": "view"},
        "personal_connection": True,
        "outbound_rule": "each",
        "daily_limit": 100,
        "verified_after": "5m",
        "reviewed_after": "1h",
    }
    return PortManagement.model_validate({**plan, **changes})


def ports(tenant: int | None = None, outbound: int | None = None, agentless: int | None = None) -> Ports:
    return Ports(tenant=tenant, outbound=outbound, agentless=agentless)


def verified(desk: Desk, asked: Ports, day: str = TODAY, by: str = "coordinator") -> Case:
    case = desk.file(by, asked)
    desk.verified(case, day)
    return case


# A case's life

REJECTED: tuple[State, tuple[Effect, ...]] = (State.REJECTED, ())
GRANTED = (State.GRANTED, (Effect.CHANGE,))
CASE = Drawing(
    State,
    Event,
    Effect,
    port_requests.TABLE,
    port_requests.step,
    {
        State.NEW: {
            Event.UNFIT: REJECTED, Event.WITHIN: GRANTED, Event.ABOVE: (State.IN_REVIEW, (Effect.REVIEW,)),
            Event.APPROVED: None, Event.DECLINED: None,
        },
        State.IN_REVIEW: {
            Event.UNFIT: None, Event.WITHIN: None, Event.ABOVE: None,
            Event.APPROVED: GRANTED, Event.DECLINED: REJECTED,
        },
        State.GRANTED: dict.fromkeys(Event),
        State.REJECTED: dict.fromkeys(Event),
    },
)  # fmt: skip


def test_a_case_goes_the_way_that_is_drawn() -> None:
    assert CASE.is_complete()
    assert CASE.disagreements() == []


@pytest.mark.parametrize("row", list(port_requests.TABLE), ids=lambda row: f"{row[0].name}-{row[1].name}")
def test_no_row_of_the_table_can_be_broken_unnoticed(row: tuple[State, Event]) -> None:
    assert CASE.unnoticed(row) == []


# What is granted


@pytest.mark.parametrize(
    ("asked", "state"),
    [
        (ports(299), State.GRANTED),  # 99 more: below the limit of the day (P5)
        (ports(300), State.IN_REVIEW),  # 100 more is not below 100 (P6)
        (ports(1_000), State.IN_REVIEW),
        (ports(200), State.GRANTED),  # no change
        (ports(150), State.GRANTED),  # a decrease is quick
        (ports(outbound=200), State.GRANTED),  # concurrent ports are left alone
        (ports(299, 250, 299), State.GRANTED),  # held against the limits as they will be
        (ports(9_999), State.IN_REVIEW),
        (ports(10_000), State.REJECTED),  # P8
        (ports(outbound=201), State.REJECTED),  # P9
        (ports(agentless=201), State.REJECTED),
        (ports(49), State.REJECTED),  # a decrease below the 50 outbound ports
        (ports(250, 251), State.REJECTED),  # all or nothing (P10)
    ],
)
def test_what_is_asked_for_decides(asked: Ports, state: State) -> None:
    desk = Desk(made(), ports(200, 50, 10))
    assert verified(desk, asked).state is state
    assert desk.limits == (
        portplan.changed(ports(200, 50, 10), asked) if state is State.GRANTED else ports(200, 50, 10)
    )


def test_outbound_and_agentless_ports_are_held_by_their_sum_unless_the_plan_says_each() -> None:
    limits, asked = ports(200, 50, 10), ports(outbound=150, agentless=51)
    assert verified(Desk(made(), limits), asked).state is State.GRANTED
    for rule in ("sum", None):
        assert verified(Desk(made(outbound_rule=rule), limits), asked).refusal is Refusal.RELATION
        assert verified(Desk(made(outbound_rule=rule), limits), ports(outbound=150, agentless=50)).refusal is None


@pytest.mark.parametrize(
    ("by", "changes", "asked", "refusal"),
    [
        ("supervisor", {}, ports(210), Refusal.AUTHORITY),
        ("stranger", {}, ports(210), Refusal.AUTHORITY),
        ("coordinator", {"enabled": "no"}, ports(210), Refusal.DISABLED),
        ("coordinator", {"enabled": "unknown"}, ports(210), None),
        ("coordinator", {"personal_connection": "no"}, ports(210), None),
        ("coordinator", {"personal_connection": "no"}, ports(210, 60), Refusal.PERSONAL_CONNECTION),
        ("coordinator", {"personal_connection": "no"}, ports(agentless=20), Refusal.PERSONAL_CONNECTION),
        ("coordinator", {"personal_connection": "unknown"}, ports(outbound=60), None),
    ],
)
def test_who_asks_and_what_the_tenant_has_decides(
    by: str, changes: dict[str, object], asked: Ports, refusal: Refusal | None
) -> None:
    case = verified(Desk(made(**changes), ports(200, 50, 10)), asked, by=by)
    assert (case.state, case.refusal) == (State.REJECTED if refusal else State.GRANTED, refusal)


def test_increases_of_a_day_add_up_and_decreases_give_nothing_back() -> None:
    desk = Desk(made(), ports(200))
    assert verified(desk, ports(260)).state is State.GRANTED
    assert verified(desk, ports(200)).state is State.GRANTED
    assert verified(desk, ports(240)).state is State.IN_REVIEW  # 60 + 40
    desk = Desk(made(), ports(200))
    assert verified(desk, ports(260)).state is State.GRANTED
    assert verified(desk, ports(299)).state is State.GRANTED  # 60 + 39
    assert verified(desk, ports(398), TOMORROW).state is State.GRANTED


def test_what_is_approved_counts_for_its_day() -> None:
    desk = Desk(made(rejected="50%"), ports(200))
    case = verified(desk, ports(300))
    assert desk.reviewed(case, TOMORROW, 0.5) == (Effect.CHANGE,)
    assert verified(desk, ports(301), TOMORROW).state is State.IN_REVIEW


def test_without_a_daily_limit_every_increase_is_reviewed() -> None:
    desk = Desk(made(daily_limit=None), ports(200))
    assert verified(desk, ports(199)).state is State.GRANTED
    assert verified(desk, ports(200)).state is State.IN_REVIEW


def test_a_share_of_reviews_ends_in_a_rejection() -> None:
    for draw, state in ((0.0, State.REJECTED), (0.29, State.REJECTED), (0.3, State.GRANTED)):
        desk = Desk(made(rejected="30%"), ports(200))
        case = verified(desk, ports(400))
        desk.reviewed(case, TODAY, draw)
        assert (case.state, desk.limits.tenant) == (state, 400 if state is State.GRANTED else 200)


def test_no_request_is_filed_while_one_is_new_or_in_review() -> None:
    desk = Desk(made(), ports(200))
    assert desk.is_free()
    first = desk.file("coordinator", ports(400))
    for _ in ("new", "in review"):
        assert not desk.is_free()
        with pytest.raises(ImpossibleEventError):
            desk.file("coordinator", ports(210))
        if first.state is State.NEW:
            desk.verified(first, TODAY)
    desk.reviewed(first, TODAY, 0.9)
    assert desk.is_free()
    assert desk.file("coordinator", ports(210)).number == 2


# Any requests in any order

COUNTS = st.none() | st.integers(1, 12_000)
ASKED = st.builds(Ports, tenant=COUNTS, outbound=COUNTS, agentless=COUNTS)
DEEDS = st.tuples(
    st.sampled_from(["file", "verify", "review"]), ASKED, st.sampled_from([TODAY, TOMORROW]), st.floats(0, 1)
)


@given(deeds=st.lists(DEEDS, max_size=40), rule=st.sampled_from(["each", "sum"]), limit=st.integers(1, 12_000))
def test_limits_never_break_a_rule_change_as_a_whole_and_one_case_at_most_is_open(
    deeds: list[tuple[str, Ports, str, float]], rule: str, limit: int
) -> None:
    """An oracle that knows the rules as sentences, and no table."""
    desk = Desk(made(outbound_rule=rule, daily_limit=limit, rejected="40%"), ports(200, 50, 10))
    by_day = {TODAY: 0, TOMORROW: 0}
    for deed, asked, day, draw in deeds:
        before = desk.limits
        open_cases = [case for case in desk.cases if case.state in (State.NEW, State.IN_REVIEW)]
        assert len(open_cases) <= 1
        if deed == "file":
            assert desk.is_free() is (not open_cases)
            if not open_cases:
                desk.file("coordinator", asked)
        elif open_cases:
            (case,) = open_cases
            was = case.state
            if deed == "verify" and was is State.NEW:
                desk.verified(case, day)
            elif deed == "review" and was is State.IN_REVIEW:
                desk.reviewed(case, day, draw)
            grew = max((case.asked.tenant or 0) - (before.tenant or 0), 0)
            now = desk.cases[-1].state
            if was is State.NEW and now in (State.GRANTED, State.IN_REVIEW):
                assert (now is State.GRANTED) == (grew == 0 or by_day[day] + grew < limit)
            if now is State.GRANTED:
                by_day[day] += grew
                stays = before.model_dump()
                asked_for = {name: count for name, count in case.asked.model_dump().items() if count is not None}
                assert desk.limits.model_dump() == {**stays, **asked_for}
            else:
                assert desk.limits == before
        held = desk.limits
        assert held.tenant is not None
        assert held.outbound is not None
        assert held.agentless is not None
        assert held.tenant <= 9_999
        assert max(held.outbound, held.agentless) <= held.tenant
        assert rule == "each" or held.outbound + held.agentless <= held.tenant
