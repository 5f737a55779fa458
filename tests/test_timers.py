from sbc.decisions import timers

# Rule S1, written out from RFC 3261 §17.1.1.2 and §17.1.2.2 with the default T1 and T2.
RFC_INVITE = (0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5)
RFC_NON_INVITE = (0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5)


def test_an_unanswered_invite_is_sent_seven_times_doubling_without_limit() -> None:
    assert timers.invite_offsets() == RFC_INVITE


def test_another_unanswered_request_is_sent_eleven_times_at_most_four_seconds_apart() -> None:
    assert timers.non_invite_offsets() == RFC_NON_INVITE


def test_the_defaults_are_those_of_table_4() -> None:
    assert (timers.T1, timers.T2, timers.T4, timers.TRANSACTION_TIMEOUT) == (0.5, 4, 5, 32)
