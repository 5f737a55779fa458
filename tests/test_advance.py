"""Which answers of a trunk let a call go on to the next (S9), and what the caller hears when none is left (S2)."""

import pytest

from sbc.decisions import advance
from sbc.decisions.advance import Verdict

NEXT, FINAL = Verdict.NEXT, Verdict.FINAL

# S9 names 408, 480, 503, 504; and 404, 486, 603 as those that never advance. 6xx stops all branches (S2).
DRAWN = {
    403: FINAL, 404: FINAL, 408: NEXT, 480: NEXT, 482: FINAL, 484: FINAL, 486: FINAL, 487: FINAL,
    500: FINAL, 502: FINAL, 503: NEXT, 504: NEXT, 600: FINAL, 603: FINAL, 604: FINAL, 606: FINAL,
}  # fmt: skip


def test_every_answer_advances_or_not_as_drawn() -> None:
    assert {sip: advance.after(sip, 1) for sip in DRAWN} == DRAWN


@pytest.mark.parametrize("sip", DRAWN)
def test_the_last_trunk_of_a_list_has_the_last_word(sip: int) -> None:
    assert advance.after(sip, 0) is FINAL


@pytest.mark.parametrize("sip", DRAWN)
def test_a_trunk_at_which_the_phone_has_rung_has_the_last_word(sip: int) -> None:
    assert advance.after(sip, 1, rung=True) is FINAL


@pytest.mark.parametrize(("sip", "verdict"), [(500, NEXT), (502, FINAL), (503, NEXT), (486, FINAL)])
def test_further_answers_advance_where_they_are_configured(sip: int, verdict: Verdict) -> None:
    assert advance.after(sip, 1, also=frozenset([500])) is verdict


@pytest.mark.parametrize(
    ("sip", "silent", "heard"),
    [
        (503, False, 503),  # every trunk refused
        (503, True, 408),  # one gave no answer, the last refused
        (408, False, 408),
        (408, True, 408),
        (486, True, 486),  # the number called is busy, whatever the trunks before did
        (487, True, 487),  # the caller hung up
        (603, True, 603),
    ],
)
def test_an_exhausted_list_is_a_time_out_unless_all_have_refused(sip: int, silent: bool, heard: int) -> None:
    assert advance.final(sip, silent=silent) == heard


@pytest.mark.parametrize("sip", DRAWN)
def test_of_a_proxy_s_answers_only_the_500_stands_for_another(sip: int) -> None:
    assert advance.meaning(sip, proxied=False) == sip
    assert advance.meaning(sip, proxied=True) == (503 if sip == 500 else sip)


def test_what_asks_for_it_in_a_503_is_left_alone_until_then() -> None:
    rests = advance.Rests()
    rests.answered(100.0, "ntt", 503, 30.0)
    assert [rests.rests(now, "ntt") for now in (100.0, 129.9, 130.0, 200.0)] == [True, True, False, False]
    assert not rests.rests(110.0, "kddi")


@pytest.mark.parametrize(("sip", "retry_after"), [(503, None), (500, 30.0), (486, 30.0), (408, None)])
def test_no_other_answer_speaks_for_more_than_the_call_at_hand(sip: int, retry_after: float | None) -> None:
    rests = advance.Rests()
    rests.answered(100.0, "ntt", sip, retry_after)
    assert not rests.rests(100.0, "ntt")


def test_the_latest_answer_counts() -> None:
    rests = advance.Rests()
    rests.answered(100.0, "ntt", 503, 30.0)
    rests.answered(105.0, "ntt", 503, 5.0)
    assert not rests.rests(111.0, "ntt")


@pytest.mark.parametrize("sip", DRAWN)
@pytest.mark.parametrize("trunks_left", [0, 1])
def test_the_other_node_of_a_pair_comes_before_the_next_trunk(sip: int, trunks_left: int) -> None:
    expected = Verdict.NODE if DRAWN[sip] is NEXT else FINAL
    assert advance.after(sip, trunks_left, node_left=True) is expected
    assert advance.after(sip, trunks_left, node_left=True, rung=True) is FINAL
