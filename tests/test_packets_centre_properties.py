"""Whatever callers, agents, phones and SBCs do in whatever order, the contact centre keeps nothing and loses nobody."""

from collections import Counter
from functools import partial
from itertools import cycle
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sbc.decisions.distribution import Agent
from sbc.endpoints.centre_reports import Clear, Connected, Released, Ringing, Unreachable
from tests.centre_scene import MOBILE, OSAKA, TEAM, TOKYO, Peer, Scene, plan

ENDS = {"Denied", "TurnedAway", "ClosedOut", "Left", "Over"}
LASTS = 120
"""Seconds in which something happens."""

moments = st.floats(0, LASTS, allow_nan=False).map(lambda at: round(at, 4))
"""Often enough the same, or less than the milliseconds apart that a message takes."""
clustered = st.one_of(moments, st.sampled_from([0.0, 0.001, 0.002, 10.0, 10.001, 20.0, 20.001, 30.001]))
calls = st.lists(st.tuples(clustered, clustered, st.sampled_from([TOKYO, OSAKA, "03-1111-1111"])), max_size=8)
placements = st.lists(st.tuples(clustered, clustered, st.sampled_from([MOBILE, "110"])), max_size=4)
moods = st.lists(
    st.tuples(clustered, st.integers(0, 3), st.sampled_from(["up", "rings", "503", "486", "mute"])), max_size=6
)
lines = st.lists(st.tuples(clustered, st.integers(0, 1), st.booleans()), max_size=4)
queues = st.fixed_dictionaries(
    {"answers": st.booleans()},
    optional={
        "ivr": st.just({"takes": "5s", "contained": "50%"}),
        "callback": st.just({"after": "10s", "accepts": "50%"}),
        "overflow": st.just({"after": "20s", "to": TEAM, "trunk": "kddi", "team": 1}),
        "widen": st.just([{"after": "15s", "agents": ["backup"]}]),
        "max_waiting": st.integers(1, 3),
    },
)


def set_mood(peer: Peer, mood: str) -> None:
    if mood == "up":
        peer.does = peer.picks_up
    elif mood == "rings":
        peer.rings()
    elif mood == "mute":
        peer.does = lambda now, call, request: None
    else:
        peer.refuses(int(mood))


@settings(max_examples=120, deadline=None)
@given(
    queue=queues,
    calls=calls,
    placements=placements,
    moods=moods,
    lines=lines,
    clears=st.lists(clustered, max_size=2),
    lost=st.one_of(st.none(), st.integers(0, 99)),
)
def test_every_call_ends_once_every_agent_is_released_and_nothing_is_left(
    queue: dict[str, Any], calls: Any, placements: Any, moods: Any, lines: Any, clears: list[float], lost: int | None
) -> None:
    groups = {name: {"count": 2, "softphone": {"sites": ["tokyo"]}} for name in ("staff", "backup")}
    edge = {"site": "tokyo", "ports": 99, "mode": "active-active", "detect": {"by": "failure"}}
    drill = plan(queue, agents=groups, sbc_pairs={"edge": edge, "west": {"site": "osaka", "ports": 99}})
    scene = Scene(drill, agents=1, tenant=4, outbound=2, contained=cycle([0.2, 0.7]), accepts=cycle([0.2, 0.7]))
    scene.frees = False
    if lost is not None:
        scene.loses(share=0.2, seed=lost)
    scene.add_agent(1, "backup")
    dialler = scene.add_agent(2, "backup", site="osaka")
    unreachable: list[Any] = []

    for i, (at, until, number) in enumerate(calls):
        sbc = scene.west if number == OSAKA else scene.sbc
        scene.arrive(f"in {i}", number, at=at, sbc=sbc)
        scene.hang_up(sbc, f"in {i}", at=max(until, at))
    for i, (at, until, number) in enumerate(placements):
        agent = (scene.agents[0], dialler)[i % 2]
        scene.place(f"out {i}", agent, number, at=at)
        scene.hang_up(scene.phones[agent], f"out {i}", at=max(until, at))
    peers = [scene.sbc, scene.other_node, *(scene.phones[agent] for agent in scene.agents[:2])]
    for at, which, mood in moods:
        scene.at(at, partial(set_mood, peers[which], mood))
    for at, which, registered in lines:
        change = scene.unregistered.discard if registered else scene.unregistered.add
        scene.at(at, partial(change, scene.agents[which]))
    for at in clears:
        scene.tell(Clear("line"), at=at)

    seen = 0

    def people() -> None:
        """Agents who are released, or whose phone failed, take calls again a moment later."""
        nonlocal seen
        unreachable.extend(
            told.report.agent for told in scene.reports[seen:] if isinstance(told.report, Released | Unreachable)
        )
        seen = len(scene.reports)
        while unreachable:
            scene.free(unreachable.pop())
        if scene.env.now < LASTS:
            scene.at(scene.env.now + 0.5, people)

    people()
    for at in (LASTS + 60, LASTS + 120):  # whoever was promised a call, or is rung by then, is hung up on as well
        scene.tell(Clear("line"), at=at)
        for peer in (scene.sbc, scene.west, scene.other_node, *scene.phones.values()):
            scene.hang_up_all(peer, at=at + 1)
    scene.run(LASTS + 400)

    assert scene.left() == (0, [0] * (2 + len(scene.centre.teams)), float("inf"))
    assert scene.distributor.waiting("line") == 0
    started = Counter(f"in {i}" for i in range(len(calls))) + Counter(f"out {i}" for i in range(len(placements)))
    assert Counter(told.report.key for told in scene.reports if type(told.report).__name__ in ENDS) == started
    taken: Counter[tuple[str, Agent]] = Counter()
    for _, report in scene.reports:
        match report:
            case Ringing(key, agent):
                taken[key, agent] += 1
                assert sum(count for (_, each), count in taken.items() if each is agent) == 1, "one call at a time"
            case Released(key, agent):
                taken[key, agent] -= 1
            case Unreachable(key, agent) if taken[key, agent]:
                taken[key, agent] -= 1
            case Connected(key, Agent() as agent):
                assert taken[key, agent] == 1
    assert set(taken.values()) <= {0}
