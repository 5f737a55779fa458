"""The two ways in which a node of a pair decides, against tables drawn by hand; the timers against RFC 5798 §6.1."""

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbc.decisions import probing, vrrp
from sbc.decisions.vrrp import Event, Rank, State, heard, master_down, preempts, priority, skew
from scenarios.model import VrrpDetection
from tests.grids import Pair, assert_every_mutation_is_noticed, disagreements, drawn

# RFC 5798 §6.4.1 to §6.4.3, with FAULT and RESIGNED beside. States across, events down; a dot is a pair that cannot
# happen: a node has one timer, and of what it can be over, each state has set its own.
VRRP = """
                     INITIALIZE  BACKUP  RESIGNED  MASTER    FAULT
    STARTED          BACKUP      .       .         .         .
    STARTED_SERVING  MASTER      .       .         .         .
    ADVERT_DUE       .           .       .         MASTER    .
    MASTER_DOWN      .           MASTER  MASTER    .         .
    SKEW_OVER        .           MASTER  MASTER    .         .
    CLAIM_DUE        .           MASTER  .         .         .
    ZERO             .           BACKUP  RESIGNED  MASTER    FAULT
    HIGHER           .           BACKUP  RESIGNED  BACKUP    FAULT
    LOWER            .           BACKUP  RESIGNED  MASTER    FAULT
    CONTESTED        .           BACKUP  RESIGNED  MASTER    FAULT
    CHECK_FAILED     .           FAULT   FAULT     FAULT     FAULT
    CHECK_PASSED     .           BACKUP  RESIGNED  MASTER    BACKUP
    SWITCH           .           BACKUP  RESIGNED  RESIGNED  FAULT
"""
VRRP_DOES = {
    "INITIALIZE STARTED": "RELEASE WATCH",
    "INITIALIZE STARTED_SERVING": "HOLD SEND_LATER",
    "BACKUP MASTER_DOWN": "NOTICE SEND HOLD",
    "BACKUP SKEW_OVER": "SEND HOLD",
    "BACKUP CLAIM_DUE": "SEND HOLD",
    "BACKUP ZERO": "WATCH_SKEW",
    "BACKUP HIGHER": "WATCH",
    "BACKUP LOWER": "WATCH",
    "BACKUP CONTESTED": "CONTEST",
    "BACKUP CHECK_FAILED": "STOP",
    "RESIGNED MASTER_DOWN": "NOTICE SEND HOLD",
    "RESIGNED SKEW_OVER": "SEND HOLD",
    "RESIGNED ZERO": "WATCH_SKEW",
    "RESIGNED HIGHER": "WATCH",
    "RESIGNED LOWER": "WATCH",
    "RESIGNED CONTESTED": "WATCH",
    "RESIGNED CHECK_FAILED": "STOP",
    "MASTER ADVERT_DUE": "SEND",
    "MASTER ZERO": "SEND",
    "MASTER HIGHER": "RELEASE WATCH",
    "MASTER LOWER": "SEND ANNOUNCE",
    "MASTER CONTESTED": "SEND ANNOUNCE",
    "MASTER CHECK_FAILED": "NOTICE RESIGN RELEASE STOP",
    "MASTER SWITCH": "RESIGN RELEASE WATCH",
    "FAULT CHECK_PASSED": "WATCH",
}
PROBING = """
                     INITIALIZE  STANDBY  SERVING
    STARTED          STANDBY     .        .
    STARTED_SERVING  SERVING     .        .
    PROBE_DUE        .           STANDBY  .
    UNANSWERED       .           SERVING  .
    CLAIMED          .           STANDBY  STANDBY
    SWITCH           .           SERVING  STANDBY
"""
PROBING_DOES = {
    "INITIALIZE STARTED": "RELEASE PROBE_LATER",
    "INITIALIZE STARTED_SERVING": "HOLD",
    "STANDBY PROBE_DUE": "PROBE PROBE_LATER",
    "STANDBY UNANSWERED": "NOTICE STOP HOLD",
    "STANDBY SWITCH": "STOP HOLD",
    "SERVING CLAIMED": "RELEASE PROBE_LATER",
    "SERVING SWITCH": "RELEASE PROBE_LATER",
}


def wrong_vrrp() -> list[Pair]:
    return disagreements(vrrp.TABLE, drawn(VRRP, State, Event, VRRP_DOES, vrrp.Effect), State, Event)


def wrong_probing() -> list[Pair]:
    oracle = drawn(PROBING, probing.State, probing.Event, PROBING_DOES, probing.Effect)
    return disagreements(probing.TABLE, oracle, probing.State, probing.Event)


def test_every_state_and_event_does_what_is_drawn_and_undrawn_pairs_are_refused() -> None:
    assert wrong_vrrp() == []
    assert wrong_probing() == []


def test_deleting_redirecting_or_thinning_any_row_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert_every_mutation_is_noticed(vrrp.TABLE, wrong_vrrp, State, monkeypatch)
    assert_every_mutation_is_noticed(probing.TABLE, wrong_probing, probing.State, monkeypatch)


def test_a_node_holds_the_address_in_one_state_only() -> None:
    """Whatever leads there takes it, whatever leads away gives it up, and nothing else touches it."""
    for table, serving, takes, gives in (
        (vrrp.TABLE, State.MASTER, vrrp.Effect.HOLD, vrrp.Effect.RELEASE),
        (probing.TABLE, probing.State.SERVING, probing.Effect.HOLD, probing.Effect.RELEASE),
    ):
        for (state, event), (target, effects) in table.items():
            assert (takes in effects) == (target is serving and state is not serving)
            assert (gives in effects) == ((target is not serving and state is serving) or event.name == "STARTED")


# The election: first column our state's answer, as §6.4.2 and §6.4.3 have it for a node of priority 100 at .2.


def rank(priority: int, last: int = 2) -> Rank:
    return Rank(priority, IPv4Address(f"192.0.2.{last}"))


@pytest.mark.parametrize(
    ("theirs", "preempting", "standing"),
    [
        (rank(0, 1), Event.ZERO, Event.ZERO),
        (rank(0, 3), Event.ZERO, Event.ZERO),
        (rank(101, 1), Event.HIGHER, Event.HIGHER),
        (rank(255, 1), Event.HIGHER, Event.HIGHER),
        (rank(100, 3), Event.HIGHER, Event.HIGHER),
        (rank(100, 2), Event.LOWER, Event.LOWER),
        (rank(100, 1), Event.LOWER, Event.LOWER),
        (rank(99, 3), Event.CONTESTED, Event.LOWER),
        (rank(1, 1), Event.CONTESTED, Event.LOWER),
    ],
)
def test_an_advert_means_what_priority_and_then_address_make_it(
    theirs: Rank, preempting: Event, standing: Event
) -> None:
    assert heard(theirs, rank(100), preempt=True) is preempting
    assert heard(theirs, rank(100), preempt=False) is standing


RANKS = st.builds(rank, st.integers(1, 255), st.integers(1, 254))


@given(one=RANKS, other=RANKS)
def test_of_two_masters_that_hear_each_other_exactly_one_stays(one: Rank, other: Rank) -> None:
    if one == other:
        return
    after = [
        vrrp.step(State.MASTER, heard(theirs, own, preempt=True))[0] for theirs, own in ((one, other), (other, one))
    ]
    assert sorted(state.name for state in after) == ["BACKUP", "MASTER"]


# Timers.


@pytest.mark.parametrize(
    ("priority", "advert", "waits"),
    [(100, 1.0, 3.609375), (100, 0.1, 0.3609375), (200, 0.3, 0.965625), (254, 1.0, 3.0078125), (1, 10.0, 39.9609375)],
)
def test_a_backup_waits_three_adverts_and_its_skew(priority: int, advert: float, waits: float) -> None:
    assert master_down(priority, advert) == pytest.approx(waits)
    assert skew(priority, advert) == pytest.approx(waits - 3 * advert)


@given(standby=st.integers(1, 254), preempt=st.booleans())
def test_the_plan_names_the_priority_of_the_standby_and_the_first_node_is_above_it(standby: int, preempt: bool) -> None:
    detect = VrrpDetection(by="vrrp", priority=standby, preempt=preempt)
    assert priority(detect, first=False) == standby < priority(detect, first=True) <= 255
    assert preempts(detect, first=True) == preempt
    assert not preempts(detect, first=False)
