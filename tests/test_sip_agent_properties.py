"""What holds for two user agents whatever the network and their users do."""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from sbc.decisions.table import ImpossibleEventError
from sbc.sip.agent import UserAgent
from sbc.sip.call import Arrived, Call, ChangeAsked, Ended, Offered, Up
from sbc.sip.errors import ParseError
from sbc.sip.message import parse
from sbc.sip.session_timer import Timing
from sbc.sip.testkit import Network, Packet, User, anything
from sbc.sip.usage import State, Turn
from tests.agents import ANSWER, OFFER, invite, join

# When each copy of a packet arrives: not at all, once, several times, and in any order.
FATES = st.lists(st.lists(st.floats(0.0, 0.45), max_size=3), max_size=40)
MOMENT = st.sampled_from([0.0, 0.005, 0.01, 0.02, 0.03, 0.3, 1.0, 5.0, 31.9, 33.0, 45.0, 60.0])
DOINGS = st.lists(
    st.tuples(MOMENT, st.sampled_from(["alice", "bob"]), st.sampled_from(["hang up", "reinvite"])), max_size=5
)


class World:
    """Alice calls bob, over a link with its fates; a user who is asked says yes."""

    def __init__(self, fates: list[list[float]], thinks: float, late_offer: bool) -> None:
        self.network = Network()
        self.calls: dict[str, Call] = {}
        self.thinks = thinks
        self.late_offer = late_offer
        timing = Timing(90, 90)
        self.users = {name: join(self.network, name, self.react, timing=timing) for name in ("alice", "bob")}
        wire = self.network.wire

        def fate(packet: Packet, delays: list[float]) -> list[float]:
            del packet
            return fates[len(wire)] if len(wire) < len(fates) else delays

        self.network.treat(fate)
        self.network.hold(anything, 0.01)

    def react(self, user: User[UserAgent], event: Any) -> None:
        network, agent = self.network, user.party
        if isinstance(event, Arrived):
            self.calls[user.name] = event.call
            network.at(network.now + self.thinks / 2, lambda: self.attempt(agent.ring, event.call))
            body = OFFER if self.late_offer else ANSWER
            network.at(network.now + self.thinks, lambda: self.attempt(agent.answer, event.call, body=body))
        elif isinstance(event, Offered | ChangeAsked):
            agent.answer(network.now, event.call, body=ANSWER)

    def attempt(self, verb: Any, call: Call, **options: Any) -> None:
        """Do what is possible at the time: the call may have ended meanwhile."""
        try:
            verb(self.network.now, call, **options)
        except ImpossibleEventError:
            return

    def do(self, who: str, what: str) -> None:
        agent, call = self.users[who].party, self.calls.get(who)
        if call is not None:
            if what == "hang up":
                agent.hang_up(self.network.now, call)
            else:
                self.attempt(agent.reinvite, call, body=OFFER.replace(b"4000", b"4%03d" % len(self.network.wire)))

    def state(self, who: str) -> State:
        return self.calls[who].state if who in self.calls else State.OVER


@given(
    fates=FATES,
    doings=DOINGS,
    thinks=st.sampled_from([0.0, 0.1, 1.0, 20.0, 33.0]),
    late_offer=st.booleans(),
)
@example(fates=[[0.0], [0.3], []], doings=[(0.01, "bob", "hang up")], thinks=0.0, late_offer=False)
def test_both_sides_agree_whether_the_call_is_up_or_over_and_nothing_is_left_of_it(
    fates: list[list[float]], doings: list[tuple[float, str, str]], thinks: float, late_offer: bool
) -> None:
    world = World(fates, thinks, late_offer)
    network, (alice, bob) = world.network, world.users.values()
    world.calls["alice"] = invite(alice, "bob", body=b"" if late_offer else OFFER)
    for moment, who, what in doings:
        network.at(moment, lambda who=who, what=what: world.do(who, what))  # type: ignore[misc]
    network.run(250.0)
    if world.state("alice") in (State.CALLING, State.PROCEEDING):  # its final response was refused to it for ever
        world.do("alice", "hang up")
        network.run(400.0)
    network.run(420.0)
    states = {world.state("alice"), world.state("bob")}
    assert states in ({State.UP}, {State.OVER}), network.ladder()
    if states == {State.UP}:
        ours, theirs = (world.calls[name] for name in ("alice", "bob"))
        assert (ours.session.local, ours.session.remote) == (theirs.session.remote, theirs.session.local)
        assert ours.turn is theirs.turn is Turn.STILL or network.now % 45 < 1
    world.do("alice", "hang up")
    network.run(network.now + 64 * 0.5 * 3)
    assert network.idle(), network.ladder()
    assert (len(alice.party), len(bob.party)) == (0, 0)
    for user in (alice, bob):
        assert sum(isinstance(event, Ended) for event in user.events) == (user.name in world.calls)
        assert sum(isinstance(event, Up) for event in user.events) <= 1
    for user in (alice, bob):
        agent: Any = user.party
        assert (agent._core.sent, agent._core.came, agent._client.asking, len(agent._core.agenda)) == ({}, {}, {}, 0)


@given(data=st.data())
def test_no_message_that_can_be_read_makes_a_user_agent_raise(data: st.DataObject) -> None:
    """Messages of a real call, taken apart and put together anew, in any order."""
    world = World([], 0.0, late_offer=False)
    network, (alice, bob) = world.network, world.users.values()
    world.calls["alice"] = invite(alice, "bob")
    network.run(1.0)
    alice.party.reinvite(network.now, world.calls["alice"], body=OFFER)
    network.run(2.0)
    world.do("alice", "hang up")
    network.run(3.0)
    lines = sorted(
        {line for packet in network.wire for line in packet.message.encode().split(b"\r\n") if b": " in line}
    )
    starts = sorted({packet.message.encode().split(b"\r\n")[0] for packet in network.wire})
    world = World([], 0.0, late_offer=False)
    network, (alice, bob) = world.network, world.users.values()
    world.calls["alice"] = invite(alice, "bob")
    if data.draw(st.booleans()):
        network.run(1.0)
    for _ in range(data.draw(st.integers(1, 4))):
        whole = data.draw(st.sampled_from(starts)), *data.draw(st.lists(st.sampled_from(lines), max_size=14))
        try:
            message = parse(b"\r\n".join([*whole, b"", b""]))
        except ParseError:
            continue
        alice.party.receive(network.now, alice.to("bob"), message)
        bob.party.receive(network.now, bob.to("alice"), message)
        network.run(network.now + data.draw(st.sampled_from([0.0, 0.3, 40.0])))
