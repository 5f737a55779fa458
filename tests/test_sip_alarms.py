"""Alarms against a list searched from end to end."""

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from sbc.sip.alarms import Alarms


def test_alarms_ring_in_the_order_in_which_they_are_due_and_not_before() -> None:
    alarms: Alarms[str, str] = Alarms()
    alarms.set("long", ("end", 32.0), now=0.0)
    alarms.set("short", ("again", 0.5), now=0.0)
    alarms.set("later", ("again", 0.5), now=0.25)
    assert alarms.next() == 0.5
    assert alarms.ring(0.499) is None
    assert alarms.ring(1.0) == ("short", ("again", 0.5))
    assert alarms.ring(1.0) == ("later", ("again", 0.5))
    assert alarms.ring(1.0) is None
    assert alarms.next() == 32.0


def test_a_cancelled_alarm_does_not_ring_and_leaves_nothing_behind() -> None:
    alarms: Alarms[str, str] = Alarms()
    for owner in "abc":
        alarms.set(owner, ("end", 5.0), now=1.0)
    alarms.cancel("a", ("end", 5.0))
    assert alarms.ring(6.0) == ("b", ("end", 5.0))
    alarms.cancel("c", ("end", 5.0))
    assert (len(alarms), alarms.next(), alarms.ring(inf)) == (0, inf, None)


STEPS = st.lists(
    st.tuples(st.sampled_from(["set", "cancel", "ring"]), st.integers(0, 5), st.sampled_from([0.5, 1.0, 4.0, 32.0])),
    max_size=80,
)


@given(steps=STEPS, pauses=st.lists(st.sampled_from([0.0, 0.1, 0.5, 3.0]), min_size=80, max_size=80))
def test_any_history_rings_what_a_search_through_all_would(
    steps: list[tuple[str, int, float]], pauses: list[float]
) -> None:
    alarms: Alarms[int, str] = Alarms()
    model: dict[tuple[int, float], float] = {}
    now = 0.0
    for (what, owner, length), pause in zip(steps, pauses, strict=False):
        now += pause
        if what == "set" and (owner, length) not in model:
            alarms.set(owner, ("x", length), now)
            model[owner, length] = now + length
        elif what == "cancel" and (owner, length) in model:
            alarms.cancel(owner, ("x", length))
            del model[owner, length]
        elif what == "ring":
            rung = alarms.ring(now)
            if rung is None:
                assert all(due > now for due in model.values())
            else:
                due = model.pop((rung[0], rung[1][1]))
                assert due <= now
                assert due <= min(model.values(), default=inf)
        assert alarms.next() == min(model.values(), default=inf)
        assert len(alarms) == len(model)
