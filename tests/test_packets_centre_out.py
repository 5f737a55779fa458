"""The contact centre's side of calls that agents place, message by message; all moments are worked out by hand."""

import pytest

from sbc.endpoints.centre_reports import Heard
from tests.centre_scene import AUDIO, MOBILE, OSAKA, TOKYO, Peer, Scene, plan

QUIET = (0, [0, 0], float("inf"))


def names(scene: Scene, key: str) -> list[str]:
    return [name for _, name, *_ in scene.told(key)]


def placed(scene: Scene) -> list[tuple[object, ...]]:
    """Return when which trunk was tried for call 1."""
    return [(at, what[0]) for at, name, *what in scene.told("1") if name == "Placed"]


def ends(scene: Scene, *, at: float | None = None) -> list[tuple[object, ...]]:
    """Let the agent place call 1, hang up perhaps, and return what was reported; nothing must be left."""
    agent = scene.agents[0]
    scene.place("1", agent, MOBILE)
    if at is not None:
        scene.hang_up(scene.phones[agent], "1", at=at)
    scene.run()
    assert scene.left() == QUIET
    return scene.told("1")


# Numbers shown.


def test_an_agents_call_leaves_by_the_first_trunk_of_the_default_number() -> None:
    scene = Scene(plan(), agents=1)
    assert ends(scene, at=10) == [
        (0.001, "Shows", TOKYO, "tokyo"),
        (0.001, "Placed", "ntt", TOKYO),
        (0.005, "Connected", None),
        (10.001, "Over", "agent"),
    ]
    _, invite = scene.sbc.came[0]
    assert invite.uri_text == "sip:09012345678;tgrp=ntt;trunk-context=kirikae@198.51.100.1:5060;user=phone"
    shown = invite.asserted_identities[0].uri
    assert str(shown) == "sip:0312345678@203.0.113.10:5060;user=phone"
    assert invite.body == AUDIO
    assert scene.phones[scene.agents[0]].calls["1"].session.remote == AUDIO


def test_when_whoever_was_called_hangs_up_the_phone_hears_it() -> None:
    scene = Scene(plan(), agents=1)
    scene.hang_up(scene.sbc, "1", at=10)
    assert ends(scene)[-1] == (10.001, "Over", "called")
    assert scene.phones[scene.agents[0]].statuses == {"1": [0]}


def usable(shows: str, default: str | None = TOKYO, **more: object) -> tuple[str, list[str], list[int]]:
    """Return the number shown, the trunks tried and what the phone heard."""
    scene = Scene(plan(), agents=1)
    scene.default = default
    agent = scene.agents[0]
    scene.place("1", agent, MOBILE, shows)
    scene.hang_up(scene.phones[agent], "1", at=10)
    scene.run()
    assert scene.left() == QUIET
    trunks = [what[0] for _, name, *what in scene.told("1") if name == "Placed"]
    return scene.told("1")[0][2], trunks, scene.phones[agent].statuses["1"]


def test_a_number_works_at_its_own_site_alone() -> None:
    assert usable("0311111111") == ("0311111111", ["ntt"], [0])
    assert usable("0612345678") == ("0612345678", [], [403])  # by sbm, which ends in Osaka
    assert usable("terminal") == (OSAKA, [], [403])
    assert usable("default") == (TOKYO, ["ntt"], [0])
    assert usable("default", default=OSAKA) == (OSAKA, [], [403])
    assert usable("default", default=None) == ("", [], [403])
    assert usable("0322222222") == ("0322222222", [], [403])


def test_a_phone_that_says_nothing_shows_the_default_and_a_number_in_from_is_a_wish() -> None:
    scene = Scene(plan(), agents=1)
    agent = scene.agents[0]
    for i, caller in enumerate(["agent-0", "0311111111"]):
        scene.place(f"{i}", agent, MOBILE, "", at=10 * i, caller=caller)
        scene.hang_up(scene.phones[agent], f"{i}", at=10 * i + 5)
    scene.run()
    assert [scene.told(f"{i}")[0][2] for i in range(2)] == [TOKYO, "0311111111"]


def test_a_number_that_leads_on_to_another_leaves_by_that_ones_trunk_and_is_shown_itself() -> None:
    scene = Scene(plan(numbers={"0120-123-456": {"to": TOKYO}, TOKYO: {"trunk": "ntt"}}), agents=1)
    scene.default = "0120-123-456"
    assert ends(scene, at=10)[:2] == [
        (0.001, "Shows", "0120-123-456", "tokyo"),
        (0.001, "Placed", "ntt", "0120-123-456"),
    ]


def test_an_agent_elsewhere_leaves_by_the_trunks_there() -> None:
    scene = Scene(plan(), agents=0)
    agent = scene.add_agent(0, site="osaka")
    scene.place("1", agent, MOBILE)
    scene.hang_up(scene.phones[agent], "1", at=10)
    scene.run()
    assert scene.told("1")[:2] == [(0.001, "Shows", TOKYO, "osaka"), (0.001, "Placed", "sbm", TOKYO)]
    assert len(scene.west.came) == 1
    assert scene.left() == QUIET


def test_a_call_that_shows_no_usable_number_is_reported_as_the_other_engine_does() -> None:
    scene = Scene(plan(), agents=1)
    scene.default = None
    assert ends(scene)[1:] == [(0.001, "Denied", 403, "caller number not usable", False)]


@pytest.mark.parametrize(("limit", "status"), [("tenant", 486), ("outbound", 503)])
def test_a_full_contract_refuses_the_call(limit: str, status: int) -> None:
    scene = Scene(plan(), agents=1, **{limit: 0})  # type: ignore[arg-type]  # each is a number
    assert ends(scene)[1:] == [(0.001, "Denied", status, limit, True)]


def test_a_call_holds_a_port_of_the_contract_and_of_its_outbound_part() -> None:
    scene = Scene(plan(), agents=1)
    scene.place("1", scene.agents[0], MOBILE)
    scene.run(5)
    assert [limit.used for limit in scene.limits] == [1, 1]


# One trunk after the other (S2, S9).


def second(scene: Scene, peer: Peer, status: int, **headers: object) -> None:
    """Let an SBC refuse the calls by ntt."""
    answer = peer.does

    def does(now: float, call: object, request: object) -> None:
        if "tgrp=ntt;" in request.uri_text:  # type: ignore[attr-defined]
            peer.refuses(status, **headers)
            refuse, peer.does = peer.does, does
            refuse(now, call, request)  # type: ignore[arg-type]
        else:
            answer(now, call, request)  # type: ignore[arg-type]

    peer.does = does


@pytest.mark.parametrize("status", [408, 480, 503, 504])
def test_a_trunk_that_fails_is_passed_over_for_the_next_of_the_site(status: int) -> None:
    scene = Scene(plan(), agents=1)
    second(scene, scene.sbc, status)
    told = ends(scene, at=10)
    assert placed(scene) == [(0.001, "ntt"), (0.003, "kddi")]
    assert told[-1] == (10.001, "Over", "agent")


@pytest.mark.parametrize("status", [404, 486, 500, 603])
def test_an_answer_of_the_far_side_is_final(status: int) -> None:
    scene = Scene(plan(), agents=1)
    second(scene, scene.sbc, status)
    assert ends(scene)[-1][:3] == (0.003, "Denied", status)
    assert placed(scene) == [(0.001, "ntt")]
    assert scene.phones[scene.agents[0]].statuses == {"1": [status]}


def test_a_list_that_is_exhausted_is_the_last_answer_and_never_leaves_by_another_site() -> None:
    scene = Scene(plan(), agents=1)
    scene.sbc.refuses(503)
    assert ends(scene)[-1] == (0.005, "Denied", 503, "Service Unavailable", False)
    assert placed(scene) == [(0.001, "ntt"), (0.003, "kddi")]
    assert scene.west.came == []


def test_what_a_trunk_asks_of_the_centre_is_not_passed_to_the_phone() -> None:
    scene = Scene(plan(), agents=1)
    scene.sbc.refuses(302)
    assert ends(scene)[-1][2] == 480
    scene = Scene(plan(), agents=1)
    scene.sbc.refuses(421)
    assert ends(scene)[-1][2] == 500


def test_silence_is_waited_for_ten_seconds_and_by_the_last_trunk_for_timer_b() -> None:
    scene = Scene(plan(), agents=1)
    scene.kill(scene.sbc)
    assert ends(scene)[-1] == (42.001, "Denied", 408, "nothing answers", False)
    assert placed(scene) == [(0.001, "ntt"), (10.001, "kddi")]


def test_a_silent_trunk_before_one_that_refuses_makes_it_a_408() -> None:
    scene = Scene(plan(), agents=1)
    silent = {"ntt": lambda *_: None}
    scene.sbc.refuses(503)
    refuse = scene.sbc.does
    scene.sbc.does = lambda now, call, request: (silent["ntt"] if "tgrp=ntt" in request.uri_text else refuse)(
        now, call, request
    )
    assert ends(scene)[-1][:3] == (10.003, "Denied", 408)


def test_a_trunk_that_rings_is_no_longer_passed_over() -> None:
    scene = Scene(plan(), agents=1)
    scene.sbc.rings()
    scene.at(20, lambda: scene.do(scene.sbc, lambda now: scene.sbc.agent.refuse(now, scene.sbc.calls["1"], 503)))
    assert ends(scene)[-1][:3] == (20.001, "Denied", 503)
    assert placed(scene) == [(0.001, "ntt")]


def test_a_trunk_that_asks_for_it_is_left_alone_but_not_by_emergency_calls() -> None:
    lines = {TOKYO: {"trunk": "ntt", "queue": "line"}, OSAKA: {"trunk": "sbm"}}
    scene = Scene(plan(numbers=lines), agents=1)
    second(scene, scene.sbc, 503, Retry_After=60)
    agent = scene.agents[0]
    scene.place("1", agent, MOBILE)
    scene.at(30, lambda: setattr(scene.sbc, "does", scene.sbc.picks_up))
    for key, number, at in (("2", MOBILE, 50), ("3", "119", 55), ("4", MOBILE, 70)):
        scene.place(key, agent, number, at=at)
        scene.hang_up(scene.phones[agent], key, at=at + 2)
    scene.run()
    assert scene.told("1")[-1] == (0.003, "Denied", 503, "Service Unavailable", False)
    assert scene.told("2")[1:] == [(50.001, "Denied", 503, "trunk left alone (Retry-After)", False)]
    assert scene.told("3")[:2] == [(55.001, "Shows", TOKYO, "tokyo"), (55.001, "Placed", "ntt", TOKYO)]
    assert names(scene, "4") == ["Shows", "Placed", "Connected", "Over"]
    assert scene.left() == QUIET


def test_emergency_calls_leave_by_the_fixed_lines_each_showing_its_number() -> None:
    lines = {"050-3333-3333": {"trunk": "kddi"}, TOKYO: {"trunk": "ntt"}, "03-1111-1111": {"trunk": ["ntt", "kddi"]}}
    scene = Scene(plan(numbers=lines), agents=1)
    scene.default = "050-3333-3333"
    second(scene, scene.sbc, 503)
    scene.place("1", scene.agents[0], "110")
    scene.hang_up(scene.phones[scene.agents[0]], "1", at=10)
    scene.run()
    assert scene.told("1")[:3] == [
        (0.001, "Shows", TOKYO, "tokyo"),
        (0.001, "Placed", "ntt", TOKYO),
        (0.003, "Placed", "kddi", "03-1111-1111"),
    ]
    assert scene.left() == QUIET


def test_a_site_without_a_fixed_line_has_no_way_to_the_police() -> None:
    scene = Scene(plan(numbers={"050-3333-3333": {"trunk": "ntt"}}), agents=1)
    scene.place("1", scene.agents[0], "110")
    scene.run()
    assert scene.told("1")[1:] == [(0.001, "Denied", 403, "no fixed line for emergency calls", False)]


def test_an_agent_may_hang_up_before_anybody_answers() -> None:
    scene = Scene(plan(), agents=1)
    scene.sbc.rings()
    assert ends(scene, at=5)[-1] == (5.001, "Left")
    assert scene.sbc.statuses == {"1": [0]}
    assert scene.phones[scene.agents[0]].statuses == {"1": [487]}


def test_an_invite_without_an_offer_gets_that_of_whoever_is_called() -> None:
    scene = Scene(plan(), agents=1)
    agent = scene.agents[0]
    phone = scene.phones[agent]
    offers: list[bytes] = []
    phone.offered = lambda now, call, body: offers.append(body)
    scene.place("1", agent, MOBILE, body=b"")
    scene.hang_up(phone, "1", at=10)
    scene.run()
    assert offers == [AUDIO]
    assert scene.sbc.calls["1"].session.remote == AUDIO
    assert names(scene, "1") == ["Shows", "Placed", "Connected", "Over"]
    assert scene.left() == QUIET


# Active-active pairs.


def nodes(by: str = "nobody") -> Scene:
    edge = {"site": "tokyo", "ports": 99, "mode": "active-active", "detect": {"by": by}}
    return Scene(plan(sbc_pairs={"edge": edge, "west": {"site": "osaka", "ports": 99}}), agents=1)


def test_calls_go_to_the_two_nodes_in_turn() -> None:
    scene = nodes()
    for i in range(4):
        scene.place(f"{i}", scene.agents[0], MOBILE, at=10 * i)
        scene.hang_up(scene.phones[scene.agents[0]], f"{i}", at=10 * i + 5)
    scene.run()
    assert [round(at) for at, _ in scene.sbc.came] == [0, 20]
    assert [round(at) for at, _ in scene.other_node.came] == [10, 30]
    assert scene.left() == QUIET


def test_a_call_that_one_node_refuses_goes_on_to_the_other_once_and_then_to_the_next_trunk() -> None:
    scene = nodes()
    scene.sbc.refuses(503)
    scene.other_node.refuses(503)
    assert ends(scene)[-1][:3] == (0.009, "Denied", 503)
    assert placed(scene) == [(0.001, "ntt"), (0.003, "ntt"), (0.005, "kddi"), (0.007, "kddi")]
    assert [round(at, 6) for at, _ in scene.other_node.came] == [0.004, 0.006]  # it is its turn by kddi


def test_a_dead_node_costs_its_share_of_calls_ten_seconds_until_it_is_avoided() -> None:
    scene = nodes("failure")
    scene.kill(scene.sbc)
    for i in range(3):
        scene.place(f"{i}", scene.agents[0], MOBILE, at=20 * i)
        scene.hang_up(scene.phones[scene.agents[0]], f"{i}", at=20 * i + 15)
    scene.run()
    assert [round(at, 3) for at, _ in scene.other_node.came] == [10.002, 20.002, 40.002]
    assert scene.left() == QUIET


def test_two_dead_nodes_cost_ten_seconds_each_by_the_only_trunk() -> None:
    edge = {"site": "tokyo", "ports": 99, "mode": "active-active", "detect": {"by": "nobody"}}
    pairs = {"edge": edge, "west": {"site": "osaka", "ports": 99}}
    scene = Scene(plan(sbc_pairs=pairs, numbers={TOKYO: {"trunk": "ntt"}}), agents=1)
    scene.kill(scene.sbc)
    scene.kill(scene.other_node)
    assert ends(scene)[-1] == (20.001, "Denied", 408, "nothing answers", False)


def test_a_node_that_has_said_it_is_trying_is_not_avoided() -> None:
    scene = nodes("failure")
    scene.sbc.does = lambda now, call, request: None  # its transaction layer answers 100
    for i in range(3):
        scene.place(f"{i}", scene.agents[0], MOBILE, at=20 * i)
        scene.hang_up(scene.phones[scene.agents[0]], f"{i}", at=20 * i + 15)
    scene.run()
    assert [round(at) for at, _ in scene.sbc.came] == [0, 40]
    assert scene.left() == QUIET


def test_who_probes_tells_which_node_to_avoid_and_when_to_use_it_again() -> None:
    scene = nodes()
    phone = scene.phones[scene.agents[0]]
    for at, event in (
        (1, Heard("edge", 1, answers=False)),
        (30, Heard("edge", 0, answers=False)),
        (40, Heard("edge", 1, answers=True)),
    ):
        scene.tell(event, at=at)
    for i in range(5):
        scene.place(f"{i}", scene.agents[0], MOBILE, at=5 + 10 * i)
        scene.hang_up(phone, f"{i}", at=9 + 10 * i)
    scene.run()
    assert [round(at) for at, _ in scene.sbc.came] == [5, 15, 25]
    assert scene.told("3")[1:] == [(35.001, "Denied", 503, "no node in use", False)]
    assert [round(at) for at, _ in scene.other_node.came] == [45]
    assert scene.left() == QUIET
