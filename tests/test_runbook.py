"""The runbook: a step's life against a table drawn by hand, and any plan in any order of events against the rules."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbc.decisions import runbook
from sbc.decisions.runbook import Begin, Effect, Event, Finished, Found, Released, Runbook, Sought, State
from sbc.decisions.table import ImpossibleEventError
from scenarios.model import Step

FAULT = "tokyo-lost"


def step(name: str, *after: str, by: str = "administrator", when: dict[str, str] | None = None) -> Step:
    """Return a step after others, or after the fault when it is after none."""
    waits: dict[str, object] = {"after": list(after)} if after else {"starts": {"after": FAULT}}
    return Step.model_validate({"step": name, "by": by, "takes": "1m", "when": when, **waits})


REPAIRED = {"repaired": FAULT}


# One step's life

DRAWN: dict[State, dict[Event, State | None]] = {
    State.PENDING: {Event.RELEASED: State.DELAYED},
    State.DELAYED: {Event.DELAY_OVER: State.SOUGHT},
    State.SOUGHT: {Event.REACHED: State.WAITING},
    State.WAITING: {Event.MET: State.QUEUED},
    State.QUEUED: {Event.ACTOR_FREE: State.RUNNING},
    State.RUNNING: {Event.FAILED: State.RUNNING, Event.SUCCEEDED: State.DONE},
    State.DONE: {},
}


BROUGHT_ABOUT = (Event.RELEASED, Event.REACHED, Event.ACTOR_FREE)
"""Events that the machine brings about itself, and only where they are drawn."""


def reach(book: Runbook) -> None:
    """Let everybody be there who might have been called."""
    for name in ("operator", "administrator"):
        book.reached(name)


def live(until: State) -> Runbook:
    """Return a runbook of two steps, the second of which has been led as far as ``until``.

    Its actor has to be reached. Up to WAITING that is somebody who is free, and it has a condition; from QUEUED on it
    is the actor of the first step, and it has none.
    """
    early = until in (State.PENDING, State.DELAYED, State.SOUGHT, State.WAITING)
    this = step("this", by="sought", when=REPAIRED if early else None)
    book = Runbook([step("other"), this], {"sought": ["operator" if early else "administrator"]})
    if until is State.PENDING:
        return book
    book.fault(FAULT)
    book.delay_over("other")
    if until is State.DELAYED:
        return book
    book.delay_over("this")
    if until is State.SOUGHT:
        return book
    reach(book)
    if until in (State.WAITING, State.QUEUED):
        return book
    book.tried("other", succeeded=True)
    if until is State.DONE:
        book.tried("this", succeeded=True)
    return book


def told(book: Runbook, event: Event) -> None:
    """Make one event happen to the second step, by the only door there is for it."""
    match event:
        case Event.RELEASED:
            book.fault(FAULT)
        case Event.DELAY_OVER:
            book.delay_over("this")
        case Event.REACHED:
            reach(book)
        case Event.MET:
            book.conditions_met("this")
        case Event.ACTOR_FREE:
            book.tried("other", succeeded=True)
        case Event.FAILED | Event.SUCCEEDED:
            book.tried("this", succeeded=event is Event.SUCCEEDED)


def oddities() -> list[tuple[State, Event | None]]:
    """Return where a step's life is not as drawn: in a state not reached, or at an event there."""
    odd: list[tuple[State, Event | None]] = []
    for state, row in DRAWN.items():
        for event in (None, *Event):
            try:
                book = live(state)
                if book.state("this") is not state:
                    odd.append((state, None))
                    continue
            except ImpossibleEventError:
                odd.append((state, None))
                continue
            if event is None or (event in BROUGHT_ABOUT and event not in row):
                continue  # the machine itself brings these about, and never in another state
            try:
                told(book, event)
                became = book.state("this")
            except ImpossibleEventError:
                became = None
            follows = row.get(event)
            if event is Event.MET and follows is not None:
                follows = DRAWN[follows][Event.ACTOR_FREE]  # its actor is free, and begins in the same moment
            if became is not follows:
                odd.append((state, event))
    return odd


def test_a_step_lives_as_drawn_and_refuses_all_else() -> None:
    assert oddities() == []


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("event", list(Event))
def test_the_table_has_the_rows_drawn_and_no_others(state: State, event: Event) -> None:
    assert runbook.TABLE.get((state, event)) is DRAWN[state].get(event)


@pytest.mark.parametrize("row", list(runbook.TABLE), ids=lambda row: f"{row[0].name}-{row[1].name}")
def test_losing_or_redirecting_any_row_is_noticed(row: tuple[State, Event], monkeypatch: pytest.MonkeyPatch) -> None:
    target = runbook.TABLE[row]
    for elsewhere in State:
        if elsewhere is not target:
            monkeypatch.setitem(runbook.TABLE, row, elsewhere)
            assert oddities()
    monkeypatch.delitem(runbook.TABLE, row)
    assert oddities()


# Hand-played runs


def test_a_step_follows_its_predecessor_and_names_who_released_it() -> None:
    book = Runbook([step("button"), step("re-point", "button")])
    assert book.fault(FAULT) == [Released("button", FAULT)]
    assert book.delay_over("button") == [Begin("button", 1)]
    assert book.tried("button", succeeded=True) == [Finished("button"), Released("re-point", "button")]
    assert book.delay_over("re-point") == [Begin("re-point", 1)]
    assert book.tried("re-point", succeeded=True) == [Finished("re-point")]


def test_a_failed_try_is_repeated_by_the_same_actor_before_anything_else() -> None:
    book = Runbook([step("first"), step("second")])
    book.fault(FAULT)
    assert book.delay_over("first") == [Begin("first", 1)]
    assert book.delay_over("second") == []
    assert book.tried("first", succeeded=False) == [Begin("first", 2)]
    assert book.tried("first", succeeded=False) == [Begin("first", 3)]
    assert book.tried("first", succeeded=True) == [Finished("first"), Begin("second", 1)]


def test_a_free_actor_takes_the_waiting_step_that_stands_first_in_the_file() -> None:
    book = Runbook([step("c"), step("a"), step("b")])
    book.fault(FAULT)
    assert book.delay_over("b") == [Begin("b", 1)]
    assert book.delay_over("a") == []
    assert book.delay_over("c") == []
    assert book.tried("b", succeeded=True) == [Finished("b"), Begin("c", 1)]
    assert book.tried("c", succeeded=True) == [Finished("c"), Begin("a", 1)]


def test_a_step_after_two_is_released_by_the_later_one() -> None:
    book = Runbook([step("left"), step("right", by="operator"), step("join", "left", "right")])
    book.fault(FAULT)
    book.delay_over("left")
    book.delay_over("right")
    assert book.tried("right", succeeded=True) == [Finished("right")]
    assert book.tried("left", succeeded=True) == [Finished("left"), Released("join", "left")]


def test_agents_act_each_for_themselves_and_other_actors_one_thing_at_a_time() -> None:
    book = Runbook([step("sales", by="agents"), step("support", by="agents"), step("x"), step("y")])
    book.fault(FAULT)
    assert book.delay_over("sales") == [Begin("sales", 1)]
    assert book.delay_over("support") == [Begin("support", 1)]
    assert book.delay_over("x") == [Begin("x", 1)]
    assert book.delay_over("y") == []


# Actors who have to be reached

STAND_INS = {"administrator": ["administrator", "representative"], "representative": ["representative"]}


def test_a_step_waits_until_its_actor_is_reached() -> None:
    book = Runbook([step("button")], STAND_INS)
    book.fault(FAULT)
    assert book.delay_over("button") == [Sought("button")]
    assert book.reached("administrator") == [Found("button", "administrator"), Begin("button", 1)]
    assert book.actor("button") == "administrator"


def test_a_deputy_takes_the_step_when_reached_first_and_keeps_it() -> None:
    book = Runbook([step("button"), step("re-point", "button")], STAND_INS)
    book.fault(FAULT)
    book.delay_over("button")
    assert book.reached("representative") == [Found("button", "representative"), Begin("button", 1)]
    assert book.reached("administrator") == [], "nobody waits for the administrator any more"
    book.tried("button", succeeded=True)
    assert book.delay_over("re-point") == [Begin("re-point", 1)], "the representative is there already"
    assert book.actor("re-point") == "representative"


def test_whoever_is_reached_is_there_for_all_steps_that_wait_for_them_one_after_the_other() -> None:
    book = Runbook([step("first"), step("second")], STAND_INS)
    book.fault(FAULT)
    book.delay_over("first")
    book.delay_over("second")
    assert book.reached("administrator") == [
        Found("first", "administrator"), Found("second", "administrator"), Begin("first", 1),
    ]  # fmt: skip
    assert book.tried("first", succeeded=True) == [Finished("first"), Begin("second", 1)]


def test_those_who_were_reached_go_home_when_nothing_is_under_way() -> None:
    planned = Step.model_validate({"step": "later", "by": "administrator", "takes": "1m", "starts": {"at": "8h"}})
    book = Runbook([step("now"), planned], STAND_INS)
    book.fault(FAULT)
    book.delay_over("now")
    book.reached("administrator")
    book.tried("now", succeeded=True)
    book.planned("later")
    assert book.delay_over("later") == [Sought("later")]


def test_a_deputy_at_work_for_somebody_else_is_busy() -> None:
    book = Runbook([step("theirs"), step("own", by="representative")], STAND_INS)
    book.fault(FAULT)
    book.delay_over("theirs")
    book.reached("representative")
    assert book.delay_over("own") == []
    assert book.tried("theirs", succeeded=True) == [Finished("theirs"), Begin("own", 1)]


def test_a_fault_that_no_step_waits_for_changes_nothing() -> None:
    book = Runbook([step("button")])
    assert book.fault("another") == []
    assert book.state("button") is State.PENDING


def test_a_step_set_off_by_a_fault_and_after_another_step_waits_for_both() -> None:
    both = Step.model_validate(
        {"step": "both", "by": "operator", "takes": "1m", "after": "first", "starts": {"after": FAULT}}
    )
    book = Runbook([step("first"), both])
    assert book.fault(FAULT) == [Released("first", FAULT)]
    book.delay_over("first")
    assert Released("both", "first") in book.tried("first", succeeded=True)


def test_a_step_begins_when_its_conditions_are_met_and_not_before() -> None:
    book = Runbook([step("back", when=REPAIRED)])
    assert book.waiting() == []
    assert book.fault(FAULT) == [Released("back", FAULT)]
    assert book.waiting() == []
    assert book.delay_over("back") == []
    assert book.waiting() == ["back"]
    assert book.conditions_met("back") == [Begin("back", 1)]
    assert book.waiting() == []


def test_conditions_that_are_met_while_the_actor_is_busy_count_no_more_when_the_actor_is_free() -> None:
    book = Runbook([step("back", when=REPAIRED), step("first")])
    book.fault(FAULT)
    book.delay_over("first")
    book.delay_over("back")
    assert book.conditions_met("back") == []
    assert book.tried("first", succeeded=True) == [Finished("first")]
    assert book.waiting() == ["back"]
    assert book.conditions_met("back") == [Begin("back", 1)]


def test_a_step_that_waits_for_its_conditions_keeps_its_actor_from_nothing() -> None:
    book = Runbook([step("back", when=REPAIRED), step("other")])
    book.fault(FAULT)
    assert book.delay_over("back") == []
    assert book.delay_over("other") == [Begin("other", 1)]


def test_a_step_with_conditions_is_repeated_without_asking_for_them_again() -> None:
    book = Runbook([step("back", when=REPAIRED)])
    book.fault(FAULT)
    book.delay_over("back")
    book.conditions_met("back")
    assert book.tried("back", succeeded=False) == [Begin("back", 2)]


# Any plan, any order of events


@dataclass
class Diary:
    """What an engine would see, checked as it is written."""

    book: Runbook
    steps: dict[str, Step]
    released: list[str] = field(default_factory=list)
    running: dict[str, int] = field(default_factory=dict)
    finished: list[str] = field(default_factory=list)
    begun: set[str] = field(default_factory=set)
    met: set[str] = field(default_factory=set)
    """Steps whose conditions hold at this moment."""
    sought: set[str] = field(default_factory=set)
    """Steps for which nobody has been reached yet."""

    def write(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Released(name, by):
                    before = self.steps[name].predecessors
                    assert set(before) <= set(self.finished)
                    assert by == (max(before, key=self.finished.index) if before else FAULT)
                    assert name not in self.released
                    self.released.append(name)
                case Sought(name):
                    assert name in self.released
                    assert name not in self.begun
                    self.sought.add(name)
                case Found(name, by):
                    assert by in STAND_INS[self.steps[name].by]
                    assert by == self.book.actor(name)
                    self.sought.remove(name)
                case Begin(name, tries):
                    assert name not in self.sought, "nobody is there to take it"
                    assert set(self.steps[name].predecessors) <= set(self.finished)
                    assert name in self.released
                    assert name not in self.finished
                    if tries == 1:
                        assert name not in self.begun
                        assert self.steps[name].when is None or name in self.met
                    else:
                        assert self.running[name] == tries - 1
                    self.begun.add(name)
                    self.running[name] = tries
                case Finished(name):
                    del self.running[name]
                    assert name not in self.finished
                    self.finished.append(name)
        hands = [self.book.actor(name) for name in self.running if self.steps[name].by != "agents"]
        assert len(hands) == len(set(hands)), "one actor does two things at once"

    @property
    def idle_hands(self) -> set[str]:
        return {"administrator", "representative", "operator"} - {self.book.actor(name) for name in self.running}


@st.composite
def plans(draw: st.DrawFn) -> list[Step]:
    """Draw steps that never wait for each other in a circle, in any file order."""
    names = [f"step {i}" for i in range(draw(st.integers(1, 8)))]
    steps = []
    for i, name in enumerate(names):
        after = draw(st.lists(st.sampled_from(names[:i]), unique=True, max_size=3)) if i else []
        by = draw(st.sampled_from(["administrator", "representative", "operator", "agents"]))
        steps.append(step(name, *after, by=by, when=draw(st.sampled_from([None, REPAIRED]))))
    return draw(st.permutations(steps))


@settings(deadline=None, max_examples=60)
@given(steps=plans(), stand_ins=st.sampled_from([{}, STAND_INS]), data=st.data())
def test_any_plan_in_any_order_of_events_keeps_the_rules_and_comes_to_its_end(
    steps: list[Step], stand_ins: dict[str, list[str]], data: st.DataObject
) -> None:
    book = Runbook(steps, stand_ins)
    diary = Diary(book, {each.step: each for each in steps})
    diary.write(book.fault(FAULT))
    decided: set[str] = set()
    failures = changes = 0
    while len(diary.finished) < len(steps):
        undecided = [name for name in diary.released if name not in decided]
        called = sorted({name for step in diary.sought for name in stand_ins[diary.steps[step].by]})
        changing = {f"a change to {name}": name for name in diary.steps} if changes < 40 else {}
        happens = data.draw(st.sampled_from([*undecided, *diary.running, *called, *changing, *book.waiting()]))
        if happens in called:
            diary.write(book.reached(happens))
        elif happens in changing:
            changes += 1
            diary.met ^= {changing[happens]}
        elif happens in book.waiting():
            if changes == 40:
                diary.met.add(happens)
            if happens in diary.met:
                diary.write(book.conditions_met(happens))
        elif happens in diary.running:
            succeeded = failures > 20 or data.draw(st.booleans())
            failures += not succeeded
            diary.write(book.tried(happens, succeeded))
        else:
            decided.add(happens)
            diary.write(book.delay_over(happens))
        unconditional = {name for name in decided - diary.begun - diary.sought if diary.steps[name].when is None}
        waiting = {book.actor(name) for name in unconditional}
        assert not waiting & (diary.idle_hands | {"agents"}), "somebody stands idle before a step that could begin"
    assert {book.state(name) for name in diary.steps} == {State.DONE}
