"""The agenda against a sorted list."""

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from sbc.sip.agenda import Agenda

DOINGS = st.lists(st.tuples(st.sampled_from(["set", "call off", "take"]), st.integers(0, 9)), max_size=60)


@given(doings=DOINGS)
def test_what_is_due_is_taken_in_order_and_what_is_called_off_never(doings: list[tuple[str, int]]) -> None:
    agenda: Agenda[int, str] = Agenda()
    entries = []
    expected: list[tuple[int, int]] = []
    for number, (what, value) in enumerate(doings):
        if what == "set":
            entries.append((agenda.set(value, number, "x"), (value, number)))
            expected.append((value, number))
        elif what == "call off" and entries:
            entry, key = entries[value % len(entries)]
            agenda.call_off(entry)
            expected = [each for each in expected if each != key]
        elif what == "take":
            due = sorted(each for each in expected if each[0] <= value)
            assert agenda.take(value) == ((due[0][1], "x") if due else None)
            if due:
                expected.remove(due[0])
        assert agenda.next() == min((due for due, _ in expected), default=inf)
        assert len(agenda) == len(expected)


def test_called_off_entries_give_their_room_back() -> None:
    agenda: Agenda[int, str] = Agenda()
    kept = agenda.set(1.0, 0, "kept")
    for number in range(10_000):
        agenda.call_off(agenda.set(2.0, number, "off"))
    assert len(agenda) == 1
    assert len(agenda._heap) < 200
    agenda.call_off(kept)
    agenda.call_off(kept)
    assert (len(agenda), agenda.next()) == (0, inf)
