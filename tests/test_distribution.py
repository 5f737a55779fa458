"""Call distribution against a naive model: lists of who waits since when, searched from end to end."""

from typing import NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sbc.decisions.distribution import Agent, Distributor

SITES = ("tokyo", "osaka")
QUEUES = {"sales": ("sales",), "support": ("support", "sales"), "claims": ("support",)}
GROUPS = ("sales", "support")


def desk(**queues: tuple[str, ...]) -> Distributor[str]:
    groups = list(dict.fromkeys(group for groups in queues.values() for group in groups))
    return Distributor(queues, groups, SITES)


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
        self.desk: Distributor[str] = Distributor(QUEUES, GROUPS, SITES)
        self.now = 0.0
        self.calls = 0
        self.inbound: list[Waiting] = []
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
            assert self.desk.waiting(queue) == sum(each.place[0] == queue for each in self.inbound)
        for group in GROUPS:
            assert self.desk.idle(group) == sum(each.agent.group == group for each in self.idle)
        for each in self.inbound:
            queue, site = each.place
            assert not [one for one in self.idle if one.agent.site == site and one.agent.group in QUEUES[queue]]


TestDesk = Desk.TestCase
TestDesk.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
