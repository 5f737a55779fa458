"""Call distribution against a naive model: lists of who waits since when, searched from end to end."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sbc.decisions.distribution import Agent, Distributor, Tiers, Treatment, refusal, search, treatments
from scenarios.model import AgentGroup, Queue

SITES = ("tokyo", "osaka")
QUEUES = {"sales": ("sales",), "support": ("support", "sales"), "claims": ("support",)}
GROUPS = ("sales", "support")


def searches(queues: Mapping[str, Sequence[str]]) -> dict[str, tuple[Tiers, ...]]:
    """Return searches without stages that ask one group after the other."""
    return {queue: (tuple((group,) for group in groups),) for queue, groups in queues.items()}


def desk(**queues: tuple[str, ...]) -> Distributor[str]:
    groups = list(dict.fromkeys(group for groups in queues.values() for group in groups))
    return Distributor(searches(queues), groups, SITES)


def test_the_agent_idle_longest_takes_the_call() -> None:
    queue = desk(sales=("sales",))
    agents = [Agent(i, "sales", "tokyo") for i in range(3)]
    for now, agent in enumerate((agents[1], agents[2], agents[0])):
        assert queue.free(now, agent) is None
    assert [queue.offer(9, "sales", "tokyo", call) for call in "xyz"] == [agents[1], agents[2], agents[0]]


def test_the_caller_who_waited_longest_over_all_queues_is_next() -> None:
    queue = desk(sales=("sales",), support=("sales",))
    for now, (name, call) in enumerate([("support", "first"), ("sales", "second"), ("support", "third")]):
        assert queue.offer(now, name, "tokyo", call) is None
    agent = Agent(0, "sales", "tokyo")
    assert [queue.free(9, agent) for _ in range(4)] == ["first", "second", "third", None]


def test_a_group_is_preferred_in_the_order_of_its_queue_however_long_another_is_idle() -> None:
    queue = desk(support=("support", "sales"))
    sales, support = Agent(0, "sales", "tokyo"), Agent(1, "support", "tokyo")
    queue.free(0, sales)
    queue.free(1, support)
    assert queue.offer(2, "support", "tokyo", "x") is support
    assert queue.offer(2, "support", "tokyo", "y") is sales


def test_nobody_answers_at_another_site() -> None:
    queue = desk(sales=("sales",))
    assert queue.offer(0, "sales", "osaka", "x") is None
    assert queue.free(1, Agent(0, "sales", "tokyo")) is None
    assert queue.offer(2, "sales", "osaka", "y") is None
    assert queue.waiting("sales") == 2


def test_a_caller_whose_agent_cannot_be_reached_has_the_old_place_or_the_next_agent() -> None:
    queue = desk(sales=("sales",))
    agent = Agent(0, "sales", "tokyo")
    for now, call in enumerate("abc"):
        queue.offer(now, "sales", "tokyo", call)
    assert queue.free(9, agent) == "a"
    assert queue.put_back("sales", "tokyo", "a", 0, 0) is None
    assert queue.waiting_calls("sales") == ["a", "b", "c"]
    assert queue.longest_wait(10, "sales") == 10
    assert [queue.free(11, agent), queue.free(12, agent)] == ["a", "b"]
    assert queue.put_back("sales", "tokyo", "b", 1, 0) is None
    assert [queue.free(13, agent), queue.free(14, agent), queue.free(15, agent)] == ["b", "c", None]
    assert queue.put_back("sales", "tokyo", "c", 2, 0) is agent
    assert queue.waiting("sales") == 0


def test_a_caller_who_is_put_back_is_sought_an_agent_for_as_widely_as_before() -> None:
    queue: Distributor[str] = Distributor({"sales": ((("sales",),), (("backup",),))}, ["sales", "backup"], SITES)
    backup = Agent(0, "backup", "tokyo")
    assert queue.offer(0, "sales", "tokyo", "x") is None
    assert queue.widen("sales", "tokyo", "x") is None
    assert queue.free(1, backup) == "x"
    assert queue.put_back("sales", "tokyo", "x", 0, 0) is None
    assert queue.free(2, backup) is None
    queue.leave("sales", "tokyo", "x")
    assert queue.put_back("sales", "tokyo", "x", 0, 1) is backup
    assert queue.put_back("sales", "tokyo", "x", 0, 1) is None
    assert queue.free(3, backup) == "x"


def test_outbound_work_comes_after_inbound_calls_and_finds_the_longest_idle_at_any_site() -> None:
    queue = desk(sales=("sales",))
    assert queue.request(0, "sales", "work") is None
    assert queue.offer(1, "sales", "tokyo", "call") is None
    busy = Agent(0, "sales", "tokyo")
    assert [queue.free(2, busy), queue.free(3, busy)] == ["call", "work"]
    osaka, tokyo = Agent(1, "sales", "osaka"), Agent(2, "sales", "tokyo")
    queue.free(4, osaka)
    queue.free(5, tokyo)
    assert [queue.request(6, "sales", "more"), queue.request(7, "sales", "yet more")] == [osaka, tokyo]


class Waiting(NamedTuple):
    since: float
    call: str
    place: tuple[str, str]
    """Queue and site of a caller; the group twice for outbound work."""


class Idle(NamedTuple):
    since: float
    agent: Agent


class Desk(RuleBasedStateMachine):
    """Random arrivals, departures and shifts, one at a moment."""

    @initialize(crew=st.lists(st.tuples(st.sampled_from(GROUPS), st.sampled_from(SITES)), min_size=1, max_size=6))
    def begin(self, crew: list[tuple[str, str]]) -> None:
        self.desk: Distributor[str] = Distributor(searches(QUEUES), GROUPS, SITES)
        self.now = 0.0
        self.calls = 0
        self.inbound: list[Waiting] = []
        self.held: list[Waiting] = []
        self.outbound: list[Waiting] = []
        self.idle: list[Idle] = []
        self.away = [Agent(number, group, site) for number, (group, site) in enumerate(crew)]

    def tick(self) -> str:
        self.now += 1
        self.calls += 1
        return f"call {self.calls}"

    def goes(self, found: Agent | None, fit: list[Idle]) -> bool:
        """Check that the agent found is the one idle longest of those fit, and take that one away."""
        if not fit:
            assert found is None
            return False
        longest = min(fit)
        assert found is longest.agent
        self.idle.remove(longest)
        self.away.append(longest.agent)
        return True

    @rule(queue=st.sampled_from(sorted(QUEUES)), site=st.sampled_from(SITES))
    def caller(self, queue: str, site: str) -> None:
        call = self.tick()
        here = [each for each in self.idle if each.agent.site == site and each.agent.group in QUEUES[queue]]
        best = min((QUEUES[queue].index(each.agent.group) for each in here), default=0)
        fit = [each for each in here if each.agent.group == QUEUES[queue][best]]
        if not self.goes(self.desk.offer(self.now, queue, site, call), fit):
            self.inbound.append(Waiting(self.now, call, (queue, site)))

    @rule(group=st.sampled_from(GROUPS))
    def work(self, group: str) -> None:
        call = self.tick()
        fit = [each for each in self.idle if each.agent.group == group]
        if not self.goes(self.desk.request(self.now, group, call), fit):
            self.outbound.append(Waiting(self.now, call, (group, group)))

    @precondition(lambda self: self.away)
    @rule(data=st.data(), site=st.sampled_from(SITES))
    def ready(self, data: st.DataObject, site: str) -> None:
        agent = self.away.pop(data.draw(st.integers(0, len(self.away) - 1)))
        agent.site = site
        self.tick()
        callers = [each for each in self.inbound if each.place[1] == site and agent.group in QUEUES[each.place[0]]]
        pieces = [each for each in self.outbound if each.place[0] == agent.group]
        expected = min(callers or pieces, default=None)
        assert self.desk.free(self.now, agent) == (expected.call if expected else None)
        if expected is None:
            self.idle.append(Idle(self.now, agent))
            return
        self.away.append(agent)
        (self.inbound if callers else self.outbound).remove(expected)

    @precondition(lambda self: self.inbound)
    @rule(data=st.data())
    def gives_up(self, data: st.DataObject) -> None:
        gone = self.inbound.pop(data.draw(st.integers(0, len(self.inbound) - 1)))
        self.desk.leave(*gone.place, gone.call)

    @rule(queue=st.sampled_from(sorted(QUEUES)), site=st.sampled_from(SITES))
    def comes_in_silence(self, queue: str, site: str) -> None:
        call = self.tick()
        self.desk.wait(self.now, queue, call)
        self.held.append(Waiting(self.now, call, (queue, site)))

    @precondition(lambda self: self.inbound)
    @rule(data=st.data())
    def falls_silent(self, data: st.DataObject) -> None:
        silent = self.inbound.pop(data.draw(st.integers(0, len(self.inbound) - 1)))
        self.desk.hold(*silent.place, silent.call)
        self.held.append(silent)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def can_be_heard_again(self, data: st.DataObject) -> None:
        back = self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))
        queue, site = back.place
        self.tick()
        here = [each for each in self.idle if each.agent.site == site and each.agent.group in QUEUES[queue]]
        best = min((QUEUES[queue].index(each.agent.group) for each in here), default=0)
        fit = [each for each in here if each.agent.group == QUEUES[queue][best]]
        if not self.goes(self.desk.resume(queue, site, back.call), fit):
            self.inbound.append(back)  # and is next before all who came later: see `ready`

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def gives_up_in_silence(self, data: st.DataObject) -> None:
        gone = self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))
        self.desk.leave(*gone.place, gone.call)

    @precondition(lambda self: self.outbound)
    @rule(data=st.data())
    def wanted_no_more(self, data: st.DataObject) -> None:
        gone = self.outbound.pop(data.draw(st.integers(0, len(self.outbound) - 1)))
        self.desk.withdraw(gone.place[0], gone.call)

    @precondition(lambda self: self.idle)
    @rule(data=st.data())
    def phone_lost(self, data: st.DataObject) -> None:
        gone = self.idle.pop(data.draw(st.integers(0, len(self.idle) - 1))).agent
        assert self.desk.remove(gone)
        assert not self.desk.remove(gone)
        self.away.append(gone)

    @invariant()
    def counts_agree_and_nobody_waits_for_an_idle_agent(self) -> None:
        if not hasattr(self, "desk"):
            return
        for queue in QUEUES:
            here = [each for each in (*self.inbound, *self.held) if each.place[0] == queue]
            assert self.desk.waiting(queue) == len(here)
            assert self.desk.longest_wait(self.now, queue) == max((self.now - each.since for each in here), default=0)
        for each in self.inbound:
            assert not self.desk.holds(each.call)
        for each in self.held:
            assert self.desk.holds(each.call)
        for group in GROUPS:
            assert self.desk.idle(group) == sum(each.agent.group == group for each in self.idle)
        for each in self.inbound:
            queue, site = each.place
            assert not [one for one in self.idle if one.agent.site == site and one.agent.group in QUEUES[queue]]


TestDesk = Desk.TestCase
TestDesk.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


# Skills, widening, admission, treatments


def a_queue(**fields: object) -> Queue:
    return Queue.model_validate({"agents": ["a", "b", "c"], **fields})


def crew(**skills: dict[str, int]) -> dict[str, AgentGroup]:
    phone = {"sites": ["tokyo"]}
    return {
        name: AgentGroup.model_validate({"count": 1, "softphone": phone, "skills": levels})
        for name, levels in skills.items()
    }


THREE = crew(a={"x": 2, "y": 1}, b={"x": 9}, c={"x": 1, "y": 9})


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({}, ((("a",), ("b",), ("c",)),)),
        ({"select": "longest"}, ((("a", "b", "c"),),)),
        ({"select": "best"}, ((("a", "b", "c"),),)),  # nothing is needed, and so all are equally good
        ({"select": "best", "skills": {"x": 1}}, ((("b",), ("a",), ("c",)),)),
        ({"select": "best", "skills": {"x": 1, "y": 1}}, ((("c",), ("a",)),)),  # b lacks y
        ({"select": "longest", "skills": {"x": 2}}, ((("a", "b"),),)),
        ({"skills": {"x": 3}}, ((("b",),),)),
        (
            {"agents": ["a"], "widen": [{"after": "2m", "agents": ["c"]}, {"after": "1m", "agents": ["b"]}]},
            ((("a",),), (("b",),), (("c",),)),
        ),
    ],
)
def test_whom_a_queue_asks(fields: dict[str, object], asked: tuple[Tiers, ...]) -> None:
    assert search(a_queue(**fields), THREE) == asked


@pytest.mark.parametrize(
    ("limits", "waiting", "longest", "reason"),
    [
        ({}, 10**6, 10.0**6, None),
        ({"max_waiting": 3}, 2, 10.0**6, None),
        ({"max_waiting": 3}, 3, 0.0, "queue full"),
        ({"longest_wait": "1m"}, 10**6, 59.9, None),
        ({"longest_wait": "1m"}, 1, 60.0, "wait too long"),
        ({"longest_wait": "1m", "max_waiting": 3}, 3, 60.0, "queue full"),
    ],
)
def test_who_may_not_wait(limits: dict[str, object], waiting: int, longest: float, reason: str | None) -> None:
    assert refusal(a_queue(**limits), waiting, longest) == reason


def test_what_waiting_brings_comes_in_order_of_time() -> None:
    queue = a_queue(
        widen=[{"after": "90s", "agents": ["b"]}, {"after": "30s", "agents": ["c"]}],
        callback={"after": "1m", "accepts": "50%"},
        overflow={"after": "2m", "to": "03-9999-9999", "trunk": "ntt", "team": 2},
    )
    assert treatments(queue) == (
        (30, Treatment.WIDEN), (60, Treatment.CALLBACK), (90, Treatment.WIDEN), (120, Treatment.OVERFLOW),
    )  # fmt: skip


STAGES: dict[str, tuple[Tiers, ...]] = {
    "best": ((("x",), ("y", "z")), (("w",),)),
    "longest": ((("x", "y"),), (("z",),), (("w", "v"),)),
}
"""Searches with tiers and stages, literally."""
CREW = ("v", "w", "x", "y", "z")


class Caller(NamedTuple):
    since: float
    name: str
    queue: str


class WideDesk(RuleBasedStateMachine):
    """Random callers, whose searches widen in the order in which they came, against lists searched from end to end."""

    @initialize(crew=st.lists(st.sampled_from(CREW), min_size=1, max_size=7))
    def begin(self, crew: list[str]) -> None:
        self.desk: Distributor[str] = Distributor(STAGES, CREW, ["tokyo"])
        self.now = 0.0
        self.waiting: list[Caller] = []
        self.stage: dict[str, int] = {}
        self.idle: list[Idle] = []
        self.away = [Agent(number, group, "tokyo") for number, group in enumerate(crew)]

    def asked(self, caller: Caller) -> list[str]:
        """All groups that a waiting caller may get."""
        stages = STAGES[caller.queue][: self.stage[caller.name] + 1]
        return [group for tiers in stages for tier in tiers for group in tier]

    def next_of(self, tiers: Tiers) -> Idle | None:
        for tier in tiers:
            if fit := [each for each in self.idle if each.agent.group in tier]:
                return min(fit)
        return None

    def takes(self, expected: Idle | None, found: Agent | None) -> bool:
        assert found is (expected.agent if expected else None)
        if expected is not None:
            self.idle.remove(expected)
            self.away.append(expected.agent)
        return expected is not None

    @rule(queue=st.sampled_from(sorted(STAGES)))
    def caller(self, queue: str) -> None:
        self.now += 1
        caller = Caller(self.now, f"call {self.now}", queue)
        expected = self.next_of(STAGES[queue][0])
        if not self.takes(expected, self.desk.offer(self.now, queue, "tokyo", caller.name)):
            self.waiting.append(caller)
            self.stage[caller.name] = 0

    @rule(queue=st.sampled_from(sorted(STAGES)))
    def widens(self, queue: str) -> None:
        """The next search to widen is that of the first whose stage is below that of the caller before."""
        line = [each for each in self.waiting if each.queue == queue]
        last = len(STAGES[queue]) - 1
        able = [
            each
            for index, each in enumerate(line)
            if self.stage[each.name] < (last if index == 0 else self.stage[line[index - 1].name])
        ]
        if not able:
            return
        caller = able[-1]
        self.stage[caller.name] += 1
        expected = self.next_of(STAGES[queue][self.stage[caller.name]])
        if self.takes(expected, self.desk.widen(queue, "tokyo", caller.name)):
            self.waiting.remove(caller)

    @precondition(lambda self: self.away)
    @rule(data=st.data())
    def ready(self, data: st.DataObject) -> None:
        self.now += 1
        agent = self.away.pop(data.draw(st.integers(0, len(self.away) - 1)))
        callers = [each for each in self.waiting if agent.group in self.asked(each)]
        expected = min(callers, default=None)
        assert self.desk.free(self.now, agent) == (expected.name if expected else None)
        if expected is None:
            self.idle.append(Idle(self.now, agent))
        else:
            self.waiting.remove(expected)
            self.away.append(agent)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def gives_up(self, data: st.DataObject) -> None:
        gone = self.waiting.pop(data.draw(st.integers(0, len(self.waiting) - 1)))
        self.desk.leave(gone.queue, "tokyo", gone.name)

    @invariant()
    def the_longest_wait_is_that_of_the_first(self) -> None:
        for queue in STAGES if hasattr(self, "desk") else ():
            waits = [self.now - each.since for each in self.waiting if each.queue == queue]
            assert self.desk.longest_wait(self.now, queue) == max(waits, default=0.0)
            assert self.desk.waiting(queue) == len(waits)


TestWideDesk = WideDesk.TestCase
TestWideDesk.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
