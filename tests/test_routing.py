"""Routing: numbers behind numbers, re-pointed while calls go on, against a plan small enough to follow by eye."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbc.decisions.routing import NOT_INTELLIGENT, NoRoute, Route, RoutingTable
from scenarios.model import Number, Trunk, VoiceWarp

FREE_DIAL = "0120-123-456"
NAVI_DIAL = "0570-012-345"
TOKYO = "03-1234-5678"
OSAKA = "06-1234-5678"
SPARE = "050-3123-4567"

TRUNKS = {
    "ntt-tokyo": Trunk(via="tokyo-edge", channels=10),
    "ntt-osaka": Trunk(via="osaka-edge", channels=10),
}
NOT_IN_SERVICE = 404
LOOP = 482


def plan() -> RoutingTable:
    """Return 0570 → 0120 → 03 (Tokyo, queue, tap), 06 (Osaka, no queue, tap), and a spare number without a trunk."""
    numbers = {
        NAVI_DIAL: Number(to=FREE_DIAL, tap=7),
        FREE_DIAL: Number(to=TOKYO),
        TOKYO: Number(trunk="ntt-tokyo", queue="sales", tap=5),
        OSAKA: Number(trunk="ntt-osaka", tap=3),
        SPARE: Number(),
    }
    return RoutingTable(numbers, TRUNKS)


def refusal(found: Route | NoRoute) -> int | None:
    return found.sip if isinstance(found, NoRoute) else None


def test_a_number_with_a_trunk_leads_to_its_pair_and_queue() -> None:
    assert plan().route(TOKYO) == Route(TOKYO, "ntt-tokyo", "tokyo-edge", "sales", (TOKYO,))
    assert plan().route(OSAKA) == Route(OSAKA, "ntt-osaka", "osaka-edge", None, (OSAKA,))


def test_a_chain_is_followed_to_its_end_and_meets_every_tap_on_the_way_dialled_first() -> None:
    assert plan().route(NAVI_DIAL) == Route(TOKYO, "ntt-tokyo", "tokyo-edge", "sales", (NAVI_DIAL, TOKYO))
    assert plan().route(FREE_DIAL) == Route(TOKYO, "ntt-tokyo", "tokyo-edge", "sales", (TOKYO,))


def test_a_number_that_nobody_has_or_that_leads_to_no_trunk_is_not_in_service() -> None:
    assert refusal(plan().route("075-123-4567")) == NOT_IN_SERVICE
    assert refusal(plan().route(SPARE)) == NOT_IN_SERVICE


def test_a_number_re_pointed_leads_elsewhere_from_then_on_and_so_do_those_in_front_of_it() -> None:
    table = plan()
    before = [table.route(number) for number in (NAVI_DIAL, FREE_DIAL, TOKYO)]
    table.repoint(FREE_DIAL, OSAKA)
    assert table.route(FREE_DIAL) == Route(OSAKA, "ntt-osaka", "osaka-edge", None, (OSAKA,))
    assert table.route(NAVI_DIAL) == Route(OSAKA, "ntt-osaka", "osaka-edge", None, (NAVI_DIAL, OSAKA))
    assert table.route(TOKYO) == before[2]
    table.repoint(FREE_DIAL, TOKYO)
    assert [table.route(number) for number in (NAVI_DIAL, FREE_DIAL, TOKYO)] == before


def test_a_number_with_a_trunk_of_its_own_can_be_forwarded_as_well() -> None:
    table = plan()
    table.repoint(TOKYO, OSAKA)
    assert table.route(FREE_DIAL) == Route(OSAKA, "ntt-osaka", "osaka-edge", None, (TOKYO, OSAKA))


def test_numbers_that_lead_back_to_themselves_are_a_loop() -> None:
    table = plan()
    table.repoint(TOKYO, NAVI_DIAL)
    assert [refusal(table.route(number)) for number in (NAVI_DIAL, FREE_DIAL, TOKYO)] == [LOOP] * 3
    assert refusal(table.route(OSAKA)) is None
    table.repoint(OSAKA, OSAKA)
    assert refusal(table.route(OSAKA)) == LOOP


def test_a_number_that_leads_into_a_loop_it_is_no_part_of_is_refused_too() -> None:
    table = plan()
    table.repoint(TOKYO, FREE_DIAL)
    assert refusal(table.route(NAVI_DIAL)) == LOOP


def services(service: Literal["free-dial", "free-dial-intelligent", "other"] = "free-dial") -> RoutingTable:
    """Return 0570 → 0120 → 03, of which the 0120 is of a service, and a 050 number with a trunk."""
    numbers = {
        NAVI_DIAL: Number(to=FREE_DIAL),
        FREE_DIAL: Number(to=TOKYO, service=service),
        TOKYO: Number(trunk="ntt-tokyo", tap=5, voice_warp=VoiceWarp(channels=2)),
        OSAKA: Number(trunk="ntt-osaka", tap=3),
        SPARE: Number(trunk="ntt-osaka"),
    }
    return RoutingTable(numbers, TRUNKS)


def test_a_plain_service_number_does_not_lead_to_050_and_neither_do_those_in_front_of_it() -> None:
    table = services()
    table.repoint(FREE_DIAL, SPARE)
    assert table.route(FREE_DIAL) == table.route(NAVI_DIAL) == NOT_INTELLIGENT
    assert refusal(table.route(SPARE)) is None, "who dials 050 reaches it"
    assert refusal(table.leaving(FREE_DIAL)) is None, "what is shown is not dialled"
    table.repoint(FREE_DIAL, TOKYO)
    assert refusal(table.route(NAVI_DIAL)) is None


@pytest.mark.parametrize("service", ["free-dial-intelligent", "other"])
def test_other_services_do(service: Literal["free-dial-intelligent", "other"]) -> None:
    table = services(service)
    table.repoint(FREE_DIAL, SPARE)
    assert table.route(FREE_DIAL) == Route(SPARE, "ntt-osaka", "osaka-edge", None, ())


def test_a_line_may_be_forwarded_to_050_though_a_plain_service_number_stands_in_front() -> None:
    table = services()
    table.forward(TOKYO, SPARE)
    assert table.route(FREE_DIAL) == Route(SPARE, "ntt-osaka", "osaka-edge", None, (TOKYO, f"{TOKYO} voice warp"))


def test_forwarding_counts_for_its_channels_and_leaves_calls_out_alone() -> None:
    table = services()
    before = table.leaving(TOKYO)
    assert before == table.route(TOKYO) == Route(TOKYO, "ntt-tokyo", "tokyo-edge", None, (TOKYO,))
    table.forward(TOKYO, OSAKA)
    limits = (TOKYO, f"{TOKYO} voice warp", OSAKA)
    assert table.route(TOKYO) == table.route(FREE_DIAL) == Route(OSAKA, "ntt-osaka", "osaka-edge", None, limits)
    assert table.route(OSAKA) == Route(OSAKA, "ntt-osaka", "osaka-edge", None, (OSAKA,))
    assert table.leaving(TOKYO) == before


def test_numbers_that_are_forwarded_to_each_other_are_a_loop() -> None:
    table = services()
    table.forward(TOKYO, OSAKA)
    table.forward(OSAKA, TOKYO)
    assert [refusal(table.route(number)) for number in (NAVI_DIAL, TOKYO, OSAKA)] == [LOOP] * 3
    assert refusal(table.leaving(TOKYO)) is None


@given(
    behind=st.dictionaries(st.integers(0, 7), st.integers(0, 7), max_size=8),
    moves=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=5),
)
def test_any_plan_is_followed_as_a_finger_would(behind: dict[int, int], moves: list[tuple[int, int]]) -> None:
    names = [f"03-1234-567{i}" for i in range(8)]
    taps = {names[i] for i in (1, 3, 5)}
    numbers = {
        name: Number(
            to=names[behind[i]] if i in behind else None,
            trunk="ntt-tokyo" if i % 2 == 0 else None,
            tap=2 if name in taps else None,
        )
        for i, name in enumerate(names)
    }
    table = RoutingTable(numbers, TRUNKS)
    for move in [None, *moves]:
        if move is not None:
            behind = {**behind, move[0]: move[1]}
            table.repoint(names[move[0]], names[move[1]])
        for dialled in range(8):
            way = [dialled]
            while way[-1] in behind and len(way) <= 8:
                way.append(behind[way[-1]])
            found = table.route(names[dialled])
            if len(way) > 8:
                assert refusal(found) == LOOP
            elif way[-1] % 2:
                assert refusal(found) == NOT_IN_SERVICE
            else:
                passed = tuple(names[i] for i in way if names[i] in taps)
                assert found == Route(names[way[-1]], "ntt-tokyo", "tokyo-edge", None, passed)
