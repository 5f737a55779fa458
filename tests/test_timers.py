from math import inf

from sbc.decisions import timers
from sbc.decisions.timers import RELIABLE, UNRELIABLE, Timer

# Rule S1, written out from RFC 3261 §17.1.1.2 and §17.1.2.2 with the default T1 and T2.
RFC_INVITE = (0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5)
RFC_NON_INVITE = (0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5)


def test_an_unanswered_invite_is_sent_seven_times_doubling_without_limit() -> None:
    assert timers.invite_offsets() == RFC_INVITE


def test_another_unanswered_request_is_sent_eleven_times_at_most_four_seconds_apart() -> None:
    assert timers.non_invite_offsets() == RFC_NON_INVITE


def test_the_defaults_are_those_of_table_4() -> None:
    assert (timers.T1, timers.T2, timers.T4, timers.TRANSACTION_TIMEOUT) == (0.5, 4, 5, 32)


# RFC 3261 table 4 with RFC 6026 §7 (L, M) and RFC 4320 §4 (LATE_TRYING, TOO_LATE): over UDP, over TCP.
LENGTHS = {
    Timer.A: (0.5, inf),
    Timer.B: (32, 32),
    Timer.D: (37, 0),
    Timer.E: (0.5, inf),
    Timer.E_SLOW: (4, inf),
    Timer.F: (32, 32),
    Timer.G: (0.5, inf),
    Timer.H: (32, 32),
    Timer.I: (5, 0),
    Timer.J: (32, 0),
    Timer.K: (5, 0),
    Timer.L: (32, 32),
    Timer.M: (32, 32),
    Timer.TRYING: (0.2, 0.2),
    Timer.LATE_TRYING: (3.5, 3.5),
    Timer.TOO_LATE: (28.5, 28.5),
}


def test_every_timer_has_the_length_that_the_rfcs_give_it() -> None:
    assert {timer: (UNRELIABLE[timer], RELIABLE[timer]) for timer in Timer} == LENGTHS


def test_the_timers_that_grow_do_so_without_limit_for_an_invite_and_up_to_t2_for_the_others() -> None:
    assert (timers.LONGEST[Timer.A], timers.LONGEST[Timer.E], timers.LONGEST[Timer.G]) == (inf, 4, 4)
    assert len(timers.LONGEST) == 3
