"""The lookout against a target of which the test knows when it answers; the outages are computed by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbc.endpoints.lookout import MISSED, Heard, Lookout, Silent
from sbc.endpoints.wire import Address, Datagram
from sbc.sip.ids import Ids
from sbc.sip.message import Request, Response
from sbc.sip.transaction import Send

OWN, TARGET = Address("192.0.2.1", 5070), Address("192.0.2.2")
EVERY = 0.02
IDS = Ids(lambda bits: 0)


def watched(silences: list[tuple[float, float]], lasts: float, status: int = 200, trip: float = 0.001) -> list[object]:
    """Return what a lookout tells of a target that answers all but what arrives in its silences."""
    lookout = Lookout(0.0, OWN, TARGET, IDS, every=EVERY)
    told: list[object] = []
    while lookout.deadline() <= lasts:
        now = lookout.deadline()
        lookout.fire(now)
        for output in lookout.take():
            if not isinstance(output, Send):
                told.append(output)
                continue
            request = output.message
            assert isinstance(request, Request)
            assert request.method == "OPTIONS"
            if not any(start <= now < end for start, end in silences):
                answer = Response.answer(request, status, to_tag="t")
                lookout.receive(now + trip, Datagram(output.flow.back(), answer))  # type: ignore[attr-defined] # a Path
        told += lookout.take()
    return told


def test_a_target_that_answers_is_heard_once() -> None:
    assert watched([], 10.0) == [Heard(0.0)]


@pytest.mark.parametrize("status", [200, 403, 503])
def test_an_outage_lasts_from_the_first_probe_without_answer_to_the_next_answer(status: int) -> None:
    told = watched([(1.0, 4.1)], 10.0, status)
    # Probes are sent every 20 ms: the one at 1.00 is the first that is lost, the one at 4.10 the first that is not.
    first, silent, again = told
    assert (first, type(silent), type(again)) == (Heard(0.0), Silent, Heard)
    assert [*silent, *again] == pytest.approx([1.0, 3.101])  # type: ignore[misc] # named tuples, as was seen above


def test_fewer_misses_in_a_row_are_no_outage() -> None:
    assert watched([(1.0, 1.0 + (MISSED - 1.5) * EVERY)], 3.0) == [Heard(0.0)]


@given(st.floats(0.5, 5.0), st.floats(0.3, 5.0))
def test_what_it_says_of_an_outage_is_true_to_an_interval(start: float, length: float) -> None:
    told = watched([(start, start + length)], start + length + 1.0, trip=0.0)
    assert [type(each) for each in told] == [Heard, Silent, Heard]
    assert isinstance(told[2], Heard)
    assert told[2].outage == pytest.approx(length, abs=EVERY + 1e-6)


def test_one_that_was_never_heard_is_not_silent() -> None:
    assert watched([(0.0, 2.0)], 1.9) == []
    assert watched([(0.0, 2.0)], 3.0) == [Heard(0.0)]
