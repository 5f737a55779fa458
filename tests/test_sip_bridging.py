"""The two sides of a back-to-back call against a table written out by hand, and the causes against RFC 3398 and S8."""

import pytest

from sbc.sip.bridging import TABLE, Effect, Event, State
from sbc.sip.causes import TO_CAUSE, TO_STATUS, Causes, q850
from sbc.sip.message import Response
from tests.grids import Pair, assert_every_mutation_is_noticed, disagreements, drawn

# States across, events down; a dot is a pair that cannot happen.
GRID = """
              ASKED   TRYING   RINGING  JOINING  OWING  UP    OVER
    CONNECT   TRYING  .        .        .        .      .     .
    REFUSE    OVER    .        .        .        .      .     .
    PROGRESS  .       RINGING  RINGING  .        .      .     .
    SUCCESS   .       JOINING  JOINING  .        .      UP    .
    OFFER     .       OWING    OWING    .        .      .     .
    ACK       .       .        .        UP       UP     .     OVER
    NEXT      .       TRYING   .        .        .      .     .
    LAST      .       OVER     OVER     .        .      .     .
    A_ENDS    OVER    OVER     OVER     OVER     OVER   OVER  OVER
    B_ENDS    .       .        .        OVER     OVER   OVER  OVER
"""
DOES = {
    "ASKED CONNECT": "CALL_B",
    "ASKED REFUSE": "REFUSE_A",
    "TRYING PROGRESS": "RING_A",
    "TRYING SUCCESS": "ANSWER_A",
    "TRYING OFFER": "ANSWER_A",
    "TRYING NEXT": "CALL_B",
    "TRYING LAST": "REFUSE_A",
    "TRYING A_ENDS": "END_B",
    "RINGING PROGRESS": "RING_A",
    "RINGING SUCCESS": "ANSWER_A",
    "RINGING OFFER": "ANSWER_A",
    "RINGING LAST": "REFUSE_A",
    "RINGING A_ENDS": "END_B",
    "JOINING ACK": "TELL_JOINED",
    "JOINING A_ENDS": "END_B",
    "JOINING B_ENDS": "END_A",
    "OWING ACK": "ANSWER_B TELL_JOINED",
    "OWING A_ENDS": "END_B",
    "OWING B_ENDS": "END_A",
    "UP A_ENDS": "END_B",
    "UP B_ENDS": "END_A",
}


def wrong() -> list[Pair]:
    return disagreements(TABLE, drawn(GRID, State, Event, DOES, Effect), State, Event)


def test_every_state_and_event_does_what_is_drawn_and_undrawn_pairs_are_refused() -> None:
    assert wrong() == []


def test_deleting_redirecting_or_thinning_any_row_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(TABLE, dict)
    assert_every_mutation_is_noticed(TABLE, wrong, State, monkeypatch)


def test_whoever_ends_it_the_other_side_is_ended_or_refused_once_it_has_been_reached() -> None:
    for (state, event), (target, effects) in TABLE.items():
        if target is State.OVER and state not in (State.ASKED, State.OVER):
            assert effects == ((Effect.END_B,) if event is Event.A_ENDS else effects)
            assert effects in ((Effect.END_A,), (Effect.END_B,), (Effect.REFUSE_A,))


# Causes.

S8 = {
    404: [1, 2, 3], 486: [17], 408: [18], 480: [19, 20, 31], 403: [21], 410: [22], 502: [27], 484: [28],
    503: [34, 38, 41, 42, 47, 58],
}  # fmt: skip


def test_the_usual_table_has_what_s8_names() -> None:
    assert {cause: TO_STATUS[cause] for causes in S8.values() for cause in causes} == {
        cause: status for status, causes in S8.items() for cause in causes
    }


@pytest.mark.parametrize(
    ("status", "reason", "means"),
    [
        (480, "Q.850;cause=34", 503),
        (500, 'q.850;cause=17;text="busy"', 486),
        (500, "SIP;cause=486, Q.850;cause=1", 404),
        (500, "SIP;cause=486", 500),
        (480, "Q.850;cause=16", 480),  # normal clearing has no response
        (480, "Q.850;cause=99", 480),
        (480, "Q.850", 480),
        (480, "Q.850;cause=x", 480),
        (480, None, 480),
        (603, "Q.850;cause=34", 603),  # a 6xx is the callee's own word
        (183, "Q.850;cause=34", 183),
    ],
)
def test_a_response_means_what_its_cause_says(status: int, reason: str | None, means: int) -> None:
    response = Response(status, headers=[("Reason", reason)] if reason else [])
    assert Causes().status(response) == means


def test_another_vendors_table_takes_the_place_of_the_usual_one() -> None:
    causes = Causes(to_status={34: 480}, to_cause={486: 34})
    assert causes.status(Response(500, headers=[("Reason", "Q.850;cause=34")])) == 480
    assert causes.status(Response(500, headers=[("Reason", "Q.850;cause=17")])) == 500
    assert [str(reason) for reason in causes.reasons(486)] == ["SIP;cause=486", "Q.850;cause=34"]
    assert [str(reason) for reason in causes.reasons(500)] == ["SIP;cause=500"]


def test_every_status_turned_into_a_cause_and_back_stays_in_its_class_of_failure_where_both_tables_have_it() -> None:
    # RFC 3398 is not its own inverse; the places where it is are those that a call centre meets most.
    for status in (403, 404, 410, 484, 486, 503, 504):
        assert TO_STATUS[TO_CAUSE[status]] == {403: 403, 504: 504}.get(status, status)
    assert q850(Response(500, headers=[("Reason", str(Causes().causes(486)[0]))])) == 17
