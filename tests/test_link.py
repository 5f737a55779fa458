"""The fate of datagrams on a link, drawn by hand, and of a request whose copies overtake each other."""

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from sbc.decisions.link import comes_first, expecting, lateness

UNIT = st.floats(0, 1, exclude_max=True)
LATE = st.one_of(st.just(inf), st.floats(0, 60))


def test_a_datagram_is_lost_when_its_draw_falls_below_the_loss_and_late_by_the_delay_otherwise() -> None:
    drawn = {(0.3, 0.29): inf, (0.3, 0.3): 0.1, (0.3, 0.9): 0.1, (1.0, 0.999): inf, (0.0, 0.0): 0.1}
    assert {(loss, luck): lateness(loss, luck, 0.1) for loss, luck in drawn} == drawn


@given(loss=UNIT, luck=UNIT)
def test_more_loss_never_saves_a_datagram(loss: float, luck: float) -> None:
    assert lateness(loss, luck, 0.0) <= lateness(min(1.0, loss + 0.1), luck, 0.0)


def test_an_answer_is_late_by_both_ways_and_never_comes_when_either_is_lost() -> None:
    assert expecting((), 10.0, (0.2, 0.3)) == (10.5,)
    assert expecting((), 10.0, (inf, 0.3)) == expecting((), 10.0, (0.2, inf)) == ()


@given(copies=st.lists(st.tuples(LATE, LATE), max_size=7))
def test_whatever_overtakes_whatever_the_next_answer_is_the_earliest_of_those_not_lost(
    copies: list[tuple[float, float]],
) -> None:
    answers: tuple[float, ...] = ()
    for sent, ways in enumerate(copies):
        answers = expecting(answers, sent, ways)
    arriving = sorted(sent + sum(ways) for sent, ways in enumerate(copies) if sum(ways) < inf)
    assert list(answers) == arriving


def test_an_answer_comes_first_up_to_the_moment_of_the_next_copy() -> None:
    assert comes_first((1.0, 3.0), 1.0)
    assert not comes_first((1.0, 3.0), 0.9)
    assert not comes_first((), inf)
