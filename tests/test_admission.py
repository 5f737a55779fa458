"""Admission against a list of the calls that hold ports: all limits of a call, or none."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sbc.decisions.admission import BUSY, NO_CIRCUIT, Limit, acquire, move, release


def test_a_full_contract_is_busy_and_a_full_trunk_has_no_circuit() -> None:
    # P15: at the port maximum callers hear busy; S8: cause 34, no circuit available, is 503.
    assert (BUSY, NO_CIRCUIT) == (486, 503)


def test_a_refused_call_takes_nothing_of_the_limits_that_had_room() -> None:
    wide, full, narrow = Limit("tenant", 10, BUSY), Limit("trunk", 1, NO_CIRCUIT, used=1), Limit("node", 5, NO_CIRCUIT)
    assert acquire((wide, full, narrow)) is full
    assert [(limit.used, limit.high) for limit in (wide, full, narrow)] == [(0, 0), (1, 0), (0, 0)]


def test_the_refusing_limit_is_the_first_full_one_in_the_order_asked() -> None:
    first, second = Limit("tenant", 1, BUSY, used=1), Limit("trunk", 1, NO_CIRCUIT, used=1)
    assert acquire((first, second)) is first
    assert acquire((second, first)) is second


def test_giving_back_more_than_was_taken_is_an_error_of_the_caller() -> None:
    limit = Limit("trunk", 3, NO_CIRCUIT)
    assert acquire([limit]) is None
    release([limit])
    with pytest.raises(ValueError, match="trunk"):
        release([limit])


def test_a_sample_is_the_most_in_use_since_the_last_and_never_below_what_is_in_use() -> None:
    limit = Limit("tenant", 10, BUSY)
    for _ in range(3):
        acquire([limit])
    release([limit])
    assert [limit.sample(), limit.sample()] == [3, 2]
    release([limit])
    assert [limit.sample(), limit.sample()] == [2, 1]


def test_kept_calls_move_to_the_other_node_even_beyond_its_cap() -> None:
    old, new = Limit("pair", 5, NO_CIRCUIT, used=4), Limit("pair", 5, NO_CIRCUIT, used=3)
    move(4, old, new)
    assert (old.used, new.used, new.sample()) == (0, 7, 7)
    assert acquire([new]) is new


class Admission(RuleBasedStateMachine):
    """Random calls over random limits, beside a plain list of who holds what."""

    @initialize(caps=st.lists(st.integers(1, 4), min_size=1, max_size=5))
    def begin(self, caps: list[int]) -> None:
        self.limits = [Limit(str(i), cap, BUSY) for i, cap in enumerate(caps)]
        self.holding: list[list[Limit]] = []
        self.most = [0] * len(caps)

    def in_use(self, limit: Limit) -> int:
        return sum(limit in way for way in self.holding)

    @rule(data=st.data())
    def call(self, data: st.DataObject) -> None:
        way = data.draw(st.lists(st.sampled_from(self.limits), unique_by=id))
        full = [limit for limit in way if self.in_use(limit) == limit.cap]
        assert acquire(way) is (full[0] if full else None)
        if not full:
            self.holding.append(way)
            self.most = [max(most, self.in_use(limit)) for most, limit in zip(self.most, self.limits, strict=True)]

    @precondition(lambda self: self.holding)
    @rule(data=st.data())
    def hang_up(self, data: st.DataObject) -> None:
        release(self.holding.pop(data.draw(st.integers(0, len(self.holding) - 1))))

    @rule()
    def look(self) -> None:
        assert [limit.sample() for limit in self.limits] == self.most
        self.most = [self.in_use(limit) for limit in self.limits]

    @invariant()
    def ports_in_use_are_those_of_the_calls_up(self) -> None:
        for limit in getattr(self, "limits", []):
            assert limit.used == self.in_use(limit) <= limit.cap


TestAdmission = Admission.TestCase
TestAdmission.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
