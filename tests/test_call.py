"""The lifecycle of a call against a table drawn by hand, and its deadlines against the times of RFC 3261."""

from dataclasses import dataclass
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbc.decisions import call
from sbc.decisions.call import (
    Effect,
    Event,
    State,
    answer_within,
    copies_sent,
    redials_at,
    setup_deadline,
    step,
    waiting_deadline,
)
from sbc.decisions.table import ImpossibleEventError, bound

PAUSED, WANTED, SETUP, IVR, QUEUED = State.PAUSED, State.WANTED, State.SETUP, State.IVR, State.QUEUED
PROMISED, TALKING, SILENT, GONE = State.PROMISED, State.TALKING, State.SILENT, State.GONE

# What each state can meet; whatever is not drawn cannot happen. A call holds a line from the moment that something
# takes it, an agent from AGENT_FREE, a place while it is queued or promised. Only who waits has patience to lose; only
# a call with a line can be cleared or lose its node; an attempt is written down once, when nothing can change it.
DRAWN: dict[State, dict[Event, tuple[State, tuple[Effect, ...]]]] = {
    PAUSED: {
        Event.DIALLED: (SETUP, (Effect.DIAL,)),
        Event.NEEDED: (WANTED, (Effect.SEEK_AGENT,)),
        Event.GIVEN_UP: (GONE, ()),
    },
    WANTED: {
        Event.AGENT_FREE: (SETUP, (Effect.PLACE,)),
        Event.PATIENCE_OVER: (PAUSED, (Effect.WITHDRAW, Effect.ABANDON, Effect.PAUSE)),
    },
    SETUP: {
        Event.RESEND: (SETUP, (Effect.SEND,)),
        Event.REACHED: (SETUP, (Effect.MEET,)),
        Event.UNANSWERED: (SETUP, (Effect.COUNT_AS_408,)),
        Event.ADVANCED: (SETUP, (Effect.GO_ON,)),
        Event.REFUSED: (PAUSED, (Effect.REFUSE, Effect.FREE_AGENT, Effect.PAUSE)),
        Event.PATIENCE_OVER: (PAUSED, (Effect.CANCEL, Effect.FREE_AGENT, Effect.PAUSE)),
        Event.ANSWERED: (TALKING, (Effect.TALK,)),
        Event.GREETED: (IVR, (Effect.LISTEN,)),
        Event.DELIVERED: (QUEUED, (Effect.QUEUE,)),
    },
    IVR: {
        Event.IVR_OVER: (IVR, (Effect.CHOOSE,)),
        Event.CONTAINED: (GONE, (Effect.CLEAR, Effect.COMPLETE)),
        Event.DELIVERED: (QUEUED, (Effect.QUEUE,)),
        Event.CLOSED: (PAUSED, (Effect.CLEAR, Effect.REFUSE, Effect.PAUSE)),
        Event.CLEARED: (PAUSED, (Effect.CLEAR, Effect.CUT, Effect.PAUSE)),
        Event.NODE_LOST: (SILENT, (Effect.HOLD_ON, Effect.CUT)),
    },
    QUEUED: {
        Event.AGENT_FREE: (TALKING, (Effect.TALK,)),
        Event.TURNED_AWAY: (PAUSED, (Effect.LEAVE_QUEUE, Effect.CLEAR, Effect.REFUSE, Effect.PAUSE)),
        Event.CLOSED: (PAUSED, (Effect.LEAVE_QUEUE, Effect.CLEAR, Effect.REFUSE, Effect.PAUSE)),
        Event.TREATMENT_DUE: (QUEUED, (Effect.TREAT,)),
        Event.CALLBACK_TAKEN: (PROMISED, (Effect.CLEAR, Effect.PROMISE)),
        Event.OVERFLOWED: (TALKING, (Effect.LEAVE_QUEUE, Effect.TALK)),
        Event.PATIENCE_OVER: (PAUSED, (Effect.LEAVE_QUEUE, Effect.CLEAR, Effect.ABANDON, Effect.PAUSE)),
        Event.CLEARED: (PAUSED, (Effect.LEAVE_QUEUE, Effect.CLEAR, Effect.CUT, Effect.PAUSE)),
        Event.NODE_LOST: (SILENT, (Effect.LEAVE_QUEUE, Effect.HOLD_ON, Effect.CUT)),
    },
    PROMISED: {
        Event.TREATMENT_DUE: (PROMISED, (Effect.TREAT,)),
        Event.AGENT_FREE: (SETUP, (Effect.CALL_BACK,)),
        Event.CLOSED: (PAUSED, (Effect.LEAVE_QUEUE, Effect.REFUSE, Effect.PAUSE)),
    },
    TALKING: {
        Event.TALK_OVER: (GONE, (Effect.CLEAR, Effect.COMPLETE, Effect.FREE_AGENT)),
        Event.CLEARED: (PAUSED, (Effect.CLEAR, Effect.CUT, Effect.FREE_AGENT, Effect.PAUSE)),
        Event.NODE_LOST: (SILENT, (Effect.HOLD_ON, Effect.CUT)),
    },
    SILENT: {
        Event.HUNG_UP: (PAUSED, (Effect.PAUSE,)),
    },
    GONE: {},
}

RECORDS = {Effect.COMPLETE, Effect.ABANDON, Effect.CANCEL, Effect.REFUSE, Effect.CUT}
MAY_GO_FURTHER = {
    Effect.DIAL, Effect.SEEK_AGENT, Effect.PLACE, Effect.SEND, Effect.MEET, Effect.COUNT_AS_408, Effect.GO_ON,
    Effect.CHOOSE, Effect.QUEUE, Effect.TREAT, Effect.CALL_BACK, Effect.PAUSE,
}  # fmt: skip
"""Effects that may bring the call's next event before any time has passed."""


def disagreements() -> list[tuple[State, Event]]:
    """Return the cells in which the machine does not do what is drawn above."""
    wrong = []
    for state in State:
        for event in Event:
            try:
                done = step(state, event)
            except ImpossibleEventError:
                done = None
            if done != DRAWN[state].get(event):
                wrong.append((state, event))
    return wrong


def test_every_state_meets_every_event_as_drawn() -> None:
    assert disagreements() == []


@pytest.mark.parametrize("row", list(call.TABLE), ids=lambda row: f"{row[0].name}-{row[1].name}")
def test_losing_or_redirecting_any_row_is_noticed(row: tuple[State, Event], monkeypatch: pytest.MonkeyPatch) -> None:
    target, effects = call.TABLE[row]
    broken = [(elsewhere, effects) for elsewhere in State if elsewhere is not target]
    broken += [(target, effects[:i] + effects[i + 1 :]) for i in range(len(effects))]
    broken += [(target, (*effects, effect)) for effect in Effect if effect not in effects]
    broken += [(target, tuple(reversed(effects)))] if len(effects) > 1 else []
    for other in broken:
        monkeypatch.setitem(call.TABLE, row, other)
        assert disagreements() == [row]
    monkeypatch.delitem(call.TABLE, row)
    assert disagreements() == [row]


@pytest.mark.parametrize("state", State, ids=lambda state: state.name)
@pytest.mark.parametrize("event", Event, ids=lambda event: event.name)
def test_a_row_too_many_is_noticed(state: State, event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    if (state, event) not in call.TABLE:
        monkeypatch.setitem(call.TABLE, (state, event), (state, ()))
        assert disagreements() == [(state, event)]


def test_what_may_bring_the_next_event_stands_last() -> None:
    """The state that follows is that of the row: an effect carried out after the next event would find another."""
    first = {effect for _, effects in call.TABLE.values() for effect in effects[:-1]}
    assert first & MAY_GO_FURTHER == set()


def test_an_event_that_cannot_happen_is_refused_by_name() -> None:
    with pytest.raises(ImpossibleEventError, match="said what they had to say"):
        step(QUEUED, Event.TALK_OVER)


def test_an_effect_that_nobody_carries_out_is_found_before_the_first_call() -> None:
    done: dict[Effect, str] = dict.fromkeys(Effect, "done")
    del done[Effect.CUT]
    with pytest.raises(KeyError):
        bound(call.TABLE, done)


# Random histories: what a call holds, counted again

AT_A_QUEUE = (Event.GREETED, Event.DELIVERED)
"""Only callers come to a queue, not agents who dial."""


@dataclass
class Holdings:
    """What one caller holds, and how many attempts were begun and written down."""

    line: bool = False
    agent: bool = False
    place: bool = False
    work: bool = False
    """Outbound work, known to the agents."""
    begun: int = 0
    written: int = 0

    def meets(self, event: Event) -> None:
        """Take in what an event brings by itself."""
        match event:
            case Event.AGENT_FREE:
                assert not self.agent
                assert self.place != self.work
                self.agent, self.place, self.work = True, False, False
            case Event.ANSWERED | Event.GREETED | Event.DELIVERED:
                self.line = True
            case _:
                pass

    def carry_out(self, effect: Effect) -> None:
        """Take or give back as an effect says; giving back what is not held is a mistake."""
        match effect:
            case Effect.DIAL | Effect.SEEK_AGENT:
                assert (self.line, self.agent, self.place, self.work) == (False,) * 4
                assert self.begun == self.written
                self.begun += 1
                self.work = effect is Effect.SEEK_AGENT
            case Effect.QUEUE:
                assert not self.place
                self.place = True
            case Effect.LEAVE_QUEUE:
                assert self.place
                self.place = False
            case Effect.WITHDRAW:
                assert self.work
                self.work = False
            case Effect.CLEAR:
                assert self.line
                self.line = False
            case Effect.HOLD_ON:
                # The ends keep hold of what is left, and let go of it in their own time.
                assert self.line
                self.line = self.agent = False
            case Effect.FREE_AGENT:
                self.agent = False
            case effect if effect in RECORDS:
                self.written += 1
            case _:
                pass


@given(st.data())
def test_whatever_happens_every_attempt_is_written_down_once_and_nothing_stays_held(data: st.DataObject) -> None:
    state, holds = PAUSED, Holdings()
    for _ in range(data.draw(st.integers(0, 40))):
        possible = [event for event in Event if event in DRAWN[state] and (event not in AT_A_QUEUE or not holds.agent)]
        if not possible:
            break
        event = data.draw(st.sampled_from(possible))
        holds.meets(event)
        state, effects = step(state, event)
        for effect in effects:
            holds.carry_out(effect)
        assert holds.begun - holds.written == (state not in (PAUSED, SILENT, GONE))
        assert holds.line == (state in (IVR, QUEUED, TALKING))
        assert holds.place == (state in (QUEUED, PROMISED))
        assert holds.work == (state is WANTED)
        assert not holds.agent or state in (SETUP, TALKING)


@pytest.mark.parametrize("state", State, ids=lambda state: state.name)
def test_a_caller_can_always_come_to_an_end(state: State) -> None:
    reached, ahead = {state}, [state]
    while ahead:
        found = {after for after, _ in DRAWN[ahead.pop()].values()} - reached
        reached |= found
        ahead += found
    assert GONE in reached


# Deadlines


def silence(within: float, patience: float) -> list[tuple[float, Event]]:
    """Return what happens to an INVITE sent at 100 s into silence, until it is given up."""
    happened: list[tuple[float, Event]] = []
    while not happened or happened[-1][1] is Event.RESEND:
        happened.append(setup_deadline(100.0, len(happened) + 1, within, 100.0 + patience))
    return happened


def test_an_invite_into_silence_is_sent_seven_times_and_given_up_with_timer_b() -> None:
    """RFC 3261 §17.1.1.2: copies at 0.5, 1.5, 3.5 … s after the first, the transaction fails after 64 T1."""
    resent = [100.5, 101.5, 103.5, 107.5, 115.5, 131.5]
    assert silence(32.0, inf) == [*((at, Event.RESEND) for at in resent), (132.0, Event.UNANSWERED)]


def test_with_another_trunk_to_try_the_first_is_given_up_sooner() -> None:
    assert answer_within(2.0, may_go_on=True) == 2.0
    assert silence(2.0, inf) == [(100.5, Event.RESEND), (101.5, Event.RESEND), (102.0, Event.UNANSWERED)]


def test_with_no_other_trunk_its_short_time_out_does_not_matter() -> None:
    assert answer_within(2.0, may_go_on=False) == 32.0


def test_no_trunk_is_waited_for_longer_than_timer_b() -> None:
    assert answer_within(60.0, may_go_on=True) == 32.0


@pytest.mark.parametrize(
    ("after", "copies"), [(0, 1), (0.4, 1), (0.5, 1), (0.6, 2), (1.5, 2), (3.6, 4), (31.5, 6), (31.6, 7), (40, 7)]
)
def test_a_copy_that_is_due_at_this_moment_is_still_to_be_sent(after: float, copies: int) -> None:
    assert copies_sent(100.0, 100.0 + after) == copies


@pytest.mark.parametrize(
    ("patience", "sent"), [(0.0, []), (0.4, []), (0.5, []), (0.6, [0.5]), (3.0, [0.5, 1.5]), (3.5, [0.5, 1.5])]
)
def test_a_caller_without_patience_hangs_up_between_two_copies(patience: float, sent: list[float]) -> None:
    resent = [(100 + at, Event.RESEND) for at in sent]
    assert silence(32.0, patience) == [*resent, (100 + patience, Event.PATIENCE_OVER)]


def test_a_time_out_and_the_end_of_patience_at_the_same_moment_count_as_no_answer() -> None:
    assert silence(32.0, 32.0)[-1] == (132.0, Event.UNANSWERED)
    assert silence(2.0, 2.0)[-1] == (102.0, Event.UNANSWERED)


@given(within=st.floats(0.1, 32.0), patience=st.one_of(st.just(inf), st.floats(0.0, 60.0)))
def test_copies_stop_at_whatever_comes_first(within: float, patience: float) -> None:
    *resent, (end, event) = silence(within, patience)
    assert end == pytest.approx(100 + min(within, patience))
    assert event is (Event.PATIENCE_OVER if 100 + patience < 100 + within else Event.UNANSWERED)
    grid = [0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert [at - 100 for at, _ in resent] == [offset for offset in grid if 100 + offset < 100 + min(within, patience)]


@pytest.mark.parametrize(
    ("late", "first"),
    [
        (0.3, (100.3, Event.REACHED)),
        (0.5, (100.5, Event.REACHED)),
        (0.6, (100.5, Event.RESEND)),
    ],
)
def test_an_answer_on_its_way_is_there_before_whatever_else_that_moment_brings(
    late: float, first: tuple[float, Event]
) -> None:
    assert setup_deadline(100.0, 1, 32.0, inf, (100.0 + late, 140.0)) == first


def test_an_answer_comes_before_a_time_out_or_the_end_of_patience_at_the_same_moment() -> None:
    assert setup_deadline(100.0, 1, 0.4, inf, (100.4,)) == (100.4, Event.REACHED)
    assert setup_deadline(100.0, 1, 32.0, 100.4, (100.4,)) == (100.4, Event.REACHED)


@pytest.mark.parametrize(
    ("treated", "gives_up", "first"),
    [
        (40.0, 60.0, (40.0, Event.TREATMENT_DUE)),
        (60.0, 40.0, (40.0, Event.PATIENCE_OVER)),
        (40.0, 40.0, (40.0, Event.PATIENCE_OVER)),
        (40.0, inf, (40.0, Event.TREATMENT_DUE)),
    ],
)
def test_one_who_waits_is_treated_until_patience_ends(
    treated: float, gives_up: float, first: tuple[float, Event]
) -> None:
    assert waiting_deadline(treated, gives_up) == first


def test_one_with_no_treatment_ahead_and_all_the_patience_waits_for_ever() -> None:
    assert waiting_deadline(inf, inf)[0] == inf


def test_a_caller_dials_again_after_the_pause_of_that_attempt_while_willing() -> None:
    assert [redials_at(10.0, tries, 3, [30.0, 50.0]) for tries in (1, 2, 3)] == [40.0, 60.0, inf]
