"""The contact centre's side of calls that come in, message by message; all moments are worked out by hand (W9-W16)."""

from functools import partial
from itertools import repeat

import pytest

from sbc.endpoints.centre_reports import Clear, HangUp, Serve
from sbc.endpoints.charging import key_of
from sbc.endpoints.wire import Datagram, Path
from sbc.sip.sdp import Codec, Direction, Origin, offer, parse_sdp
from tests.centre_scene import AUDIO, CENTRES, OSAKA, SBCS, TEAM, TOKYO, Scene, plan

QUIET = (0, [0, 0], float("inf"))
"""What is left after all calls: nothing, no port, no appointment."""
HOURS: dict[str, object] = {"day": {"hours": {"mon-sun": "09:00-17:00"}}}
"""Only its name counts: the test opens and closes it."""


CALLBACK: dict[str, object] = {"callback": {"after": "10s", "accepts": "50%"}}

TEAMS: dict[str, dict[str, object]] = {"overflow": {"after": "10s", "to": TEAM, "trunk": "kddi", "team": 1}}


def names(scene: Scene, key: str) -> list[str]:
    return [name for _, name, *_ in scene.told(key)]


# An agent is free.


def test_a_caller_is_answered_at_once_and_joined_to_the_agent_who_is_free() -> None:
    scene = Scene(plan(), agents=1)
    scene.arrive("1")
    scene.hang_up(scene.sbc, "1", at=10)
    scene.run()
    assert scene.told("1") == [
        (0.001, "Delivered", "line", "tokyo"),
        (0.001, "Ringing", 0),
        (0.003, "Connected", 0),
        (10.001, "Released", 0),
        (10.001, "Over", "caller"),
    ]
    assert scene.left() == QUIET
    phone = scene.phones[scene.agents[0]]
    invite = phone.came[0][1]
    assert invite.uri_text == "sip:agent-0@192.0.2.1"
    assert key_of(invite) == "1"
    answer = parse_sdp(scene.sbc.calls["1"].session.remote or b"")
    assert [parse_sdp(invite.body).origin.address, answer.origin.address] == [CENTRES["tokyo"].host] * 2
    assert [codec.name for codec in answer.media[0].codecs] == ["PCMA"]


def test_a_caller_who_hears_ringing_gets_the_answer_of_the_agents_phone_to_the_own_offer() -> None:
    scene = Scene(plan({"answers": False}), agents=1)
    mine = AUDIO.replace(b"192.0.2.200", b"192.0.2.201")
    scene.arrive("1", body=mine)
    scene.hang_up(scene.phones[scene.agents[0]], "1", at=10)
    scene.run()
    assert scene.told("1")[1:] == [
        (0.001, "Ringing", 0),
        (0.003, "Connected", 0),
        (10.001, "Released", 0),
        (10.001, "Over", "agent"),
    ]
    assert scene.phones[scene.agents[0]].came[0][1].body == mine
    assert scene.sbc.calls["1"].session.remote == AUDIO
    assert scene.sbc.statuses == {"1": [0]}
    assert scene.left() == QUIET


@pytest.mark.parametrize("answers", [True, False])
def test_a_caller_whose_invite_has_no_offer_gets_one_of_the_centre(answers: bool) -> None:
    scene = Scene(plan({"answers": answers}), agents=1)
    offers: list[bytes] = []
    scene.sbc.offered = lambda now, call, body: offers.append(body)
    scene.arrive("1", body=b"")
    scene.hang_up(scene.sbc, "1", at=10)
    scene.run()
    assert names(scene, "1") == ["Delivered", "Ringing", "Connected", "Released", "Over"]
    assert [parse_sdp(body).origin.address for body in offers] == [CENTRES["tokyo"].host]
    assert scene.left() == QUIET


def test_a_caller_waits_for_an_agent_who_becomes_free_and_hears_ringing_meanwhile() -> None:
    scene = Scene(plan({"answers": False}), agents=1)
    scene.arrive("1")
    scene.arrive("2", at=1)
    scene.hang_up(scene.sbc, "1", at=10)
    scene.hang_up(scene.sbc, "2", at=20)
    scene.run(5)
    assert scene.sbc.calls["2"].state.name == "PROCEEDING"
    scene.run()
    assert scene.told("2") == [
        (1.001, "Delivered", "line", "tokyo"),
        (1.001, "Queued"),
        (10.001, "Ringing", 0),
        (10.003, "Connected", 0),
        (20.001, "Released", 0),
        (20.001, "Over", "caller"),
    ]
    assert scene.left() == QUIET


def test_agents_answer_the_callers_of_their_own_site_alone() -> None:
    scene = Scene(plan(), agents=1)
    scene.arrive("1", OSAKA, sbc=scene.west)
    scene.hang_up(scene.west, "1", at=10)
    scene.run()
    assert scene.told("1") == [(0.001, "Delivered", "line", "osaka"), (0.001, "Queued"), (10.001, "Left")]
    assert scene.left() == QUIET


def test_a_number_without_a_queue_is_answered_at_once_and_its_far_side_can_hang_up() -> None:
    scene = Scene(plan())
    for key in ("1", "2"):
        scene.arrive(key, "03-1111-1111")
    scene.hang_up(scene.sbc, "1", at=10)
    for key in ("1", "2", "3"):
        scene.tell(HangUp(key), at=20)
    scene.run()
    assert scene.told("1") == [
        (0.001, "Delivered", None, "tokyo"),
        (0.001, "Connected", None),
        (10.001, "Over", "caller"),
    ]
    assert scene.told("2")[2:] == [(20, "Over", "centre")]
    assert scene.sbc.statuses == {"1": [0], "2": [0]}
    assert scene.left() == QUIET


# Refusals.


def refused(scene: Scene) -> tuple[list[tuple[object, ...]], list[int]]:
    scene.run()
    assert scene.left() == QUIET
    return scene.told("1"), scene.sbc.statuses["1"]


def test_a_number_that_nobody_has_is_refused() -> None:
    scene = Scene(plan())
    scene.arrive("1", "03-2222-2222")
    assert refused(scene) == ([(0.001, "Denied", 404, "number not in service", False)], [404])


def test_a_number_that_is_closed_is_refused_before_it_takes_a_port() -> None:
    closed = plan({"open": "day"}, calendars=HOURS)
    scene = Scene(closed, tenant=0)
    scene.closed.add("day")
    scene.arrive("1")
    assert refused(scene) == ([(0.001, "ClosedOut", 480, "closed")], [480])


def test_the_hours_of_the_number_dialled_count_where_an_sbc_has_left_it_in_to() -> None:
    numbers = {"0120-123-456": {"to": TOKYO, "open": "day"}, TOKYO: {"trunk": "ntt"}}
    scene = Scene(plan(calendars=HOURS, numbers=numbers))
    scene.closed.add("day")
    scene.arrive("1", dialled="0120-123-456")
    assert refused(scene) == ([(0.001, "ClosedOut", 480, "closed")], [480])


def test_a_full_contract_is_busy_until_a_call_is_over() -> None:
    scene = Scene(plan(), agents=2, tenant=1)
    scene.arrive("0")
    scene.arrive("1", at=1)
    scene.hang_up(scene.sbc, "0", at=2)
    scene.arrive("2", at=3)
    scene.hang_up(scene.sbc, "2", at=4)
    assert refused(scene) == ([(1.001, "Denied", 486, "tenant", True)], [486])
    assert "Connected" in names(scene, "2")


@pytest.mark.parametrize("body", [offer(Origin("192.0.2.9", 1), 4000, [Codec(18, "G729")]).encode(), b"v=0\r\n"])
def test_an_offer_without_anything_in_common_is_not_acceptable(body: bytes) -> None:
    scene = Scene(plan(), agents=1)
    scene.arrive("1", body=body)
    assert refused(scene) == ([(0.001, "Denied", 488, "nothing in common", False)], [488])


@pytest.mark.parametrize(
    ("gate", "reason", "at"),
    [({"max_waiting": 1}, "queue full", 1), ({"longest_wait": "30s"}, "wait too long", 30)],
)
def test_a_queue_that_takes_no_more_callers_is_busy(gate: dict[str, object], reason: str, at: float) -> None:
    scene = Scene(plan(gate))
    scene.arrive("0")
    scene.hang_up(scene.sbc, "0", at=60)
    scene.arrive("1", at=at)
    assert refused(scene) == ([(at + 0.001, "TurnedAway", 486, reason)], [486])
    assert names(scene, "0") == ["Delivered", "Queued", "Left"]


def test_after_an_ivr_the_caller_who_is_turned_away_has_been_answered() -> None:
    scene = Scene(plan({"max_waiting": 1, "ivr": {"takes": "5s"}}), tenant=2)
    scene.arrive("0")
    scene.hang_up(scene.sbc, "0", at=60)
    scene.arrive("1", at=1)
    told, statuses = refused(scene)
    assert told[2:] == [(6.001, "MenuOver", False), (6.001, "TurnedAway", 200, "queue full")]
    assert statuses == [0]


# IVR.


def test_an_ivr_plays_and_some_callers_need_nothing_more() -> None:
    scene = Scene(plan({"ivr": {"takes": "5s", "contained": "40%"}}), agents=1, contained=iter([0.39, 0.4]))
    scene.arrive("1")
    scene.arrive("2", at=10)
    scene.hang_up(scene.sbc, "2", at=30)
    scene.run()
    assert scene.told("1") == [
        (0.001, "Delivered", "line", "tokyo"),
        (0.001, "Menu"),
        (5.001, "MenuOver", True),
        (5.001, "Over", "centre"),
    ]
    assert scene.told("2")[1:5] == [
        (10.001, "Menu"),
        (15.001, "MenuOver", False),
        (15.001, "Ringing", 0),
        (15.003, "Connected", 0),
    ]
    assert scene.sbc.statuses == {"1": [0], "2": [0]}
    assert scene.left() == QUIET


def test_a_caller_may_hang_up_in_the_ivr_or_hear_after_it_that_it_has_closed() -> None:
    scene = Scene(plan({"ivr": {"takes": "5s"}, "open": "day"}, calendars=HOURS))
    scene.arrive("1")
    scene.hang_up(scene.sbc, "1", at=3)
    scene.arrive("2")
    scene.at(4, lambda: scene.closed.add("day"))
    scene.run()
    assert scene.told("1")[1:] == [(0.001, "Menu"), (3.001, "Left")]
    assert scene.told("2")[2:] == [(5.001, "MenuOver", False), (5.001, "ClosedOut", 200, "closed")]
    assert scene.left() == QUIET


# Callers who go, and queues that close.


@pytest.mark.parametrize(("answers", "status"), [(True, 0), (False, 487)])
def test_a_caller_who_waits_hangs_up_by_bye_or_cancel_and_leaves_the_queue(answers: bool, status: int) -> None:
    scene = Scene(plan({"answers": answers}))
    scene.arrive("1")
    scene.hang_up(scene.sbc, "1", at=7)
    scene.run()
    assert scene.told("1")[1:] == [(0.001, "Queued"), (7.001, "Left")]
    assert scene.distributor.waiting("line") == 0
    assert scene.sbc.statuses == {"1": [status]}
    assert scene.left() == QUIET


def test_a_caller_may_hang_up_while_the_agents_phone_is_rung() -> None:
    scene = Scene(plan({"answers": False}), agents=1)
    scene.phones[scene.agents[0]].rings()
    scene.arrive("1")
    scene.hang_up(scene.sbc, "1", at=5)
    scene.run()
    assert scene.told("1")[1:] == [(0.001, "Ringing", 0), (5.001, "Released", 0), (5.001, "Left")]
    assert scene.phones[scene.agents[0]].statuses == {"1": [0]}
    assert scene.distributor.idle("staff") == 1
    assert scene.left() == QUIET


@pytest.mark.parametrize(("answers", "status", "sip"), [(True, 200, 0), (False, 480, 480)])
def test_a_queue_that_closes_tells_those_who_wait_and_those_who_were_promised_a_call(
    answers: bool, status: int, sip: int
) -> None:
    callback = {"after": "10s", "accepts": "50%"}
    scene = Scene(plan({"answers": answers, "callback": callback}), accepts=iter([0.2]))
    scene.arrive("1")
    scene.arrive("2", at=15)
    scene.tell(Clear("line"), at=20)
    scene.run()
    assert scene.told("1")[2:] == [(10.001, "Promised"), (20, "ClosedOut", status, "closed")]
    assert scene.told("2")[2:] == [(20, "ClosedOut", status, "closed")]
    assert scene.sbc.statuses == {"1": [0], "2": [sip]}
    assert scene.distributor.waiting("line") == 0
    assert scene.left() == QUIET


def test_a_new_invite_of_the_same_call_takes_the_place_of_one_that_was_given_up_elsewhere() -> None:
    scene = Scene(plan({"answers": False}))
    scene.arrive("1")
    scene.arrive("1", at=5, sbc=scene.west)
    scene.hang_up(scene.west, "1", at=9)
    scene.run()
    assert scene.told("1")[1:] == [
        (0.001, "Queued"),
        (5.001, "Left"),
        (5.001, "Delivered", "line", "osaka"),
        (5.001, "Queued"),
        (9.001, "Left"),
    ]
    assert scene.sbc.statuses == {"1": [480]}
    assert scene.left() == QUIET


def test_an_agent_whose_call_is_gone_is_released() -> None:
    scene = Scene(plan(), agents=1)
    scene.frees = False
    scene.tell(Serve("1", scene.agents[0]), at=1)
    scene.run()
    assert scene.told("1") == [(1, "Released", 0)]


# Phones that fail.


def test_an_agent_without_a_registered_phone_is_passed_over() -> None:
    scene = Scene(plan(), agents=3)
    scene.unregistered.update(scene.agents[:2])
    scene.arrive("1")
    scene.hang_up(scene.sbc, "1", at=10)
    scene.run()
    assert scene.told("1")[1:5] == [
        (0.001, "Unreachable", 0),
        (0.001, "Unreachable", 1),
        (0.001, "Ringing", 2),
        (0.003, "Connected", 2),
    ]
    assert scene.left() == QUIET


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_phone_behind_a_nat_is_reached_as_the_location_service_says(transport: str) -> None:
    scene = Scene(plan(), agents=1)
    scene.behind[scene.agents[0]] = ("10.0.0.5", transport)
    scene.arrive("1")
    scene.hang_up(scene.sbc, "1", at=10)
    scene.run()
    assert names(scene, "1")[2:4] == ["Connected", "Released"]
    assert scene.phones[scene.agents[0]].transports == {transport}
    assert scene.left() == QUIET


def test_without_any_the_caller_waits() -> None:
    scene = Scene(plan(), agents=2)
    scene.unregistered.update(scene.agents)
    scene.arrive("1")
    scene.hang_up(scene.sbc, "1", at=10)
    scene.run()
    assert scene.told("1")[1:] == [
        (0.001, "Unreachable", 0),
        (0.001, "Unreachable", 1),
        (0.001, "Queued"),
        (10.001, "Left"),
    ]
    assert scene.left() == QUIET


def test_a_caller_whom_a_free_agent_cannot_answer_is_still_treated_once_as_the_wait_grows() -> None:
    scene = Scene(plan(CALLBACK), accepts=iter([0.4]))
    scene.arrive("1")
    scene.unregistered.add(scene.add_agent(0, at=5))
    scene.tell(Clear("line"), at=15)
    scene.run()
    assert scene.told("1")[2:] == [(5, "Unreachable", 0), (10.001, "Promised"), (15, "ClosedOut", 200, "closed")]
    assert scene.left() == QUIET


@pytest.mark.parametrize("status", [408, 480, 486, 503, 603])
def test_a_phone_that_refuses_leaves_the_caller_first_in_the_queue(status: int) -> None:
    scene = Scene(plan(), agents=1)
    scene.frees = False
    phone = scene.phones[scene.agents[0]]
    phone.refuses(status)
    scene.arrive("1")
    scene.arrive("2", at=0.002)  # the phone refuses at 0.002, and the centre hears it at 0.003
    scene.at(5, lambda: setattr(phone, "does", phone.picks_up))
    scene.at(6, lambda: scene.free(scene.agents[0]))
    for key in ("1", "2"):
        scene.hang_up(scene.sbc, key, at=10)
    scene.run()
    assert scene.told("1")[1:5] == [
        (0.001, "Ringing", 0),
        (0.003, "Unreachable", 0),
        (0.003, "Queued"),
        (6, "Ringing", 0),
    ]
    assert scene.told("2")[1:] == [(0.003, "Queued"), (10.001, "Left")]
    assert scene.left() == QUIET


def test_a_phone_that_is_dead_costs_the_caller_timer_b() -> None:
    scene = Scene(plan(), agents=1)
    scene.kill(scene.phones[scene.agents[0]])
    scene.arrive("1")
    scene.hang_up(scene.sbc, "1", at=100)
    scene.run()
    assert scene.told("1")[2:] == [(32.001, "Unreachable", 0), (32.001, "Queued"), (100.001, "Left")]
    assert scene.left() == QUIET


def test_a_phone_behind_a_broken_line_is_unreachable_at_once() -> None:
    scene = Scene(plan(), agents=1)
    link = scene.network.link(CENTRES["tokyo"], scene.phones[scene.agents[0]].address)
    assert link is not None
    link.refuses, link.cut_by["fault"] = True, None
    scene.arrive("1")
    scene.hang_up(scene.sbc, "1", at=10)
    scene.run()
    assert scene.told("1")[2:] == [(0.001, "Unreachable", 0), (0.001, "Queued"), (10.001, "Left")]
    assert scene.left() == QUIET


# What waiting brings.


def test_another_group_joins_in_and_does_so_still_after_a_phone_has_failed() -> None:
    groups = {name: {"count": 3, "softphone": {"sites": ["tokyo"]}} for name in ("staff", "backup")}
    scene = Scene(plan({"widen": [{"after": "30s", "agents": ["backup"]}]}, agents=groups))
    backup = [scene.add_agent(number, "backup") for number in (7, 8, 9)]
    scene.unregistered.add(backup[0])
    scene.phones[backup[1]].refuses(503)
    scene.arrive("1")
    scene.hang_up(scene.sbc, "1", at=50)
    scene.run()
    assert scene.told("1")[1:7] == [
        (0.001, "Queued"),
        (30.001, "Unreachable", 7),
        (30.001, "Ringing", 8),
        (30.003, "Unreachable", 8),
        (30.003, "Ringing", 9),
        (30.005, "Connected", 9),
    ]
    assert scene.left() == QUIET


def test_a_caller_who_takes_the_offer_is_called_back_by_the_trunk_the_call_came_by() -> None:
    scene = Scene(plan(CALLBACK), accepts=iter([0.4]), tenant=1, trunk="kddi")
    scene.arrive("1")
    scene.arrive("2", "03-1111-1111", at=12)
    scene.hang_up(scene.sbc, "2", at=15)
    agent = scene.add_agent(0, at=20)
    scene.hang_up(scene.phones[agent], "1", at=30)
    scene.run()
    assert scene.told("1")[1:] == [
        (0.001, "Queued"),
        (10.001, "Promised"),
        (20, "Ringing", 0),
        (20.002, "Placed", "kddi", TOKYO),
        (20.004, "Connected", 0),
        (30.001, "Released", 0),
        (30.001, "Over", "agent"),
    ]
    assert names(scene, "2")[0] == "Delivered"  # the promise holds no port
    assert (
        scene.sbc.came[-1][1].uri_text == "sip:09012345678;tgrp=kddi;trunk-context=kirikae@198.51.100.1:5060;user=phone"
    )
    assert scene.left() == QUIET


def test_a_call_whose_trunk_nobody_names_is_returned_by_the_first_of_the_number_at_the_site() -> None:
    scene = Scene(plan(CALLBACK), accepts=iter([0.4]))
    scene.arrive("1", sbc=scene.west)
    agent = scene.add_agent(0, site="osaka", at=20)
    scene.hang_up(scene.phones[agent], "1", at=30)
    scene.run()
    assert scene.told("1")[4] == (20.002, "Placed", "sbm", TOKYO)
    assert scene.left() == QUIET


def test_the_team_is_not_called_for_one_who_was_promised_a_call() -> None:
    later = {**TEAMS["overflow"], "after": "20s"}
    scene = Scene(plan({**CALLBACK, "overflow": later}), accepts=iter([0.4]))
    scene.arrive("1")
    scene.tell(Clear("line"), at=30)
    scene.run()
    assert scene.told("1")[2:] == [(10.001, "Promised"), (30, "ClosedOut", 200, "closed")]


def test_a_caller_who_declines_waits_on_and_is_not_asked_without_a_number() -> None:
    draws = iter([0.5])
    scene = Scene(plan(CALLBACK), accepts=draws)
    scene.arrive("1")
    scene.arrive("2", caller="")
    for key in ("1", "2"):
        scene.hang_up(scene.sbc, key, at=20)
    scene.run()
    assert [names(scene, key) for key in ("1", "2")] == [["Delivered", "Queued", "Left"]] * 2
    assert next(draws, None) is None
    assert scene.left() == QUIET


def test_a_caller_who_heard_ringing_is_answered_to_hear_the_offer() -> None:
    scene = Scene(plan({"answers": False, **CALLBACK}), accepts=iter([0.4]))
    scene.arrive("1")
    scene.run(19)
    assert scene.sbc.statuses == {"1": [0]}
    scene.add_agent(0, at=20)
    scene.hang_up(scene.sbc, "1", at=30)
    scene.run()
    assert names(scene, "1")[2:] == ["Promised", "Ringing", "Placed", "Connected", "Released", "Over"]
    assert scene.told("1")[-1] == (30.001, "Over", "caller")
    assert scene.left() == QUIET


def test_a_promise_keeps_its_place_when_the_agents_phone_fails() -> None:
    scene = Scene(plan(CALLBACK), accepts=repeat(0.4))
    scene.arrive("1")
    scene.arrive("2", at=1)
    away = scene.add_agent(0, at=21)
    scene.unregistered.add(away)
    scene.add_agent(1, at=25)
    scene.hang_up(scene.sbc, "1", at=30)
    scene.hang_up(scene.sbc, "2", at=40)
    scene.run()
    assert scene.told("1")[3:5] == [(21, "Unreachable", 0), (25, "Ringing", 1)]
    assert scene.told("2")[3] == (30.001, "Ringing", 1)
    assert scene.left() == QUIET


@pytest.mark.parametrize(
    ("limit", "status", "denied"),
    [
        ("tenant", 0, (20.002, "Denied", 486, "tenant", True)),
        ("outbound", 0, (20.002, "Denied", 503, "outbound", True)),
        ("", 503, (20.004, "Denied", 503, "callback failed", False)),
    ],
)
def test_a_promise_that_cannot_be_kept_releases_the_agent(limit: str, status: int, denied: tuple[object, ...]) -> None:
    scene = Scene(plan(CALLBACK), accepts=iter([0.4]))
    scene.arrive("1")
    scene.add_agent(0, at=20)
    if limit:
        full = next(each for each in scene.limits if each.name == limit)
        scene.at(19, lambda: setattr(full, "cap", 0))
    scene.sbc.refuses(status or 603)
    scene.run()
    assert scene.told("1")[-2:] == [(denied[0], "Released", 0), denied]
    assert scene.distributor.idle("staff") == 1
    assert scene.phones[scene.agents[0]].statuses == {"1": [0]}
    assert scene.left() == QUIET


def test_an_agent_who_hangs_up_while_the_caller_is_dialled_ends_the_promise() -> None:
    scene = Scene(plan(CALLBACK), accepts=iter([0.4]))
    scene.arrive("1")
    agent = scene.add_agent(0, at=20)
    scene.sbc.rings()
    scene.hang_up(scene.phones[agent], "1", at=25)
    scene.run()
    assert scene.told("1")[-3:] == [
        (20.002, "Placed", "ntt", TOKYO),
        (25.001, "Released", 0),
        (25.001, "Over", "agent"),
    ]
    assert scene.sbc.statuses == {"1": [0, 0]}
    assert scene.left() == QUIET


def test_a_call_that_comes_back_to_the_centre_which_dials_it_is_a_loop() -> None:
    scene = Scene(plan(CALLBACK), accepts=iter([0.4]))
    scene.arrive("1")
    scene.add_agent(0, at=20)
    scene.sbc.rings()
    scene.arrive("1", at=21, sbc=scene.west)
    scene.hang_up(scene.phones[scene.agents[0]], "1", at=25)
    scene.run()
    assert scene.west.statuses == {"1": [482]}
    assert scene.left() == QUIET


@pytest.mark.parametrize("answers", [True, False])
def test_the_external_team_takes_a_call_over_a_leg_of_its_own(answers: bool) -> None:
    scene = Scene(plan({"answers": answers, **TEAMS}))
    scene.arrive("1")
    scene.hang_up(scene.sbc, "in", at=30)
    scene.at(9, lambda: scene.sbc.calls.update({"in": scene.sbc.calls["1"]}))
    scene.run(20)
    team, (tenant, outbound) = next(iter(scene.centre.teams)), scene.limits
    assert [team.used, tenant.used, outbound.used] == [1, 2, 1]
    scene.run()
    assert scene.told("1")[1:] == [
        (0.001, "Queued"),
        (10.001, "Placed", "kddi", TOKYO),
        (10.003, "Overflowed", TEAM),
        (30.001, "Over", "caller"),
    ]
    invite = scene.sbc.came[-1][1]
    assert invite.uri_text == "sip:0399999999;tgrp=kddi;trunk-context=kirikae@198.51.100.1:5060;user=phone"
    assert (invite.body == AUDIO) is not answers
    assert scene.left() == (0, [0, 0, 0], float("inf"))


@pytest.mark.parametrize("why", ["team", "tenant", "outbound", "503", "dead"])
def test_without_room_or_way_to_the_team_the_call_stays_in_the_queue(why: str) -> None:
    scene = Scene(plan(TEAMS), tenant=1 if why == "tenant" else 9, outbound=0 if why == "outbound" else 9)
    scene.arrive("1")
    if why == "503":
        scene.sbc.refuses(503)
    if why == "dead":
        scene.at(5, lambda: scene.kill(scene.sbc))
    if why == "team":
        next(iter(scene.centre.teams)).cap = 0
    scene.add_agent(0, at=50)
    scene.run(60)
    assert [name for name in names(scene, "1") if name != "Placed"] == ["Delivered", "Queued", "Ringing", "Connected"]
    assert scene.told("1")[-1][0] == 50.002
    assert [limit.used for limit in (*scene.limits, *scene.centre.teams)] == [1, 0, 0]


def test_an_agent_who_becomes_free_goes_before_a_team_that_is_still_rung() -> None:
    scene = Scene(plan(TEAMS))
    scene.arrive("1")
    scene.at(9, lambda: scene.sbc.calls.update({"in": scene.sbc.calls["1"]}))
    scene.at(9, scene.sbc.rings)
    scene.add_agent(0, at=15)
    scene.hang_up(scene.sbc, "in", at=30)
    scene.run(20)
    assert [limit.used for limit in (*scene.limits, *scene.centre.teams)] == [1, 0, 0]
    scene.run()
    assert names(scene, "1") == ["Delivered", "Queued", "Placed", "Ringing", "Connected", "Released", "Over"]
    assert scene.sbc.statuses == {"1": [0, 0]}
    assert scene.left() == (0, [0, 0, 0], float("inf"))


def test_when_the_team_hangs_up_the_caller_is_hung_up_on() -> None:
    scene = Scene(plan(TEAMS))
    scene.arrive("1")
    scene.hang_up(scene.sbc, "1", at=30)  # the call of that key that came last: the team's
    scene.run()
    assert scene.told("1")[-1] == (30.001, "Over", "team")
    assert scene.left() == (0, [0, 0, 0], float("inf"))


# The wire.


def test_what_changes_in_a_call_is_answered_and_what_nobody_understands_refused() -> None:
    scene = Scene(plan(), agents=1, strict=True)
    scene.arrive("1")
    held = parse_sdp(AUDIO).directed(Direction.SENDONLY).encode()
    useless = held.replace(b"RTP/AVP 8", b"RTP/AVP 97").replace(b":8 PCMA", b":97 opus")

    def change(body: bytes) -> None:
        scene.do(scene.sbc, lambda now: scene.sbc.agent.reinvite(now, scene.sbc.calls["1"], body=body))

    scene.at(5, partial(change, held))
    scene.at(6, partial(change, useless))
    scene.hang_up(scene.sbc, "1", at=10)
    scene.run(5.5)
    session = parse_sdp(scene.sbc.calls["1"].session.remote or b"")
    assert str(session.direction(session.media[0])) == "recvonly"
    scene.run(6.5)
    assert scene.sbc.unchanged == [488]
    scene.run()
    assert scene.left() == QUIET


def test_a_datagram_that_is_no_request_is_answered_as_it_deserves() -> None:
    scene = Scene(plan())
    path = Path(SBCS["edge"], CENTRES["tokyo"])
    lines = "INVITE sip:1@203.0.113.10 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.1;branch=z9hG4bK1\r\nbad line\r\n\r\n"
    scene.centre.receive(0, Datagram(path, None, lines.encode()))
    assert [output.message.status for output in scene.centre.take()] == [400]  # type: ignore[attr-defined]
    scene.centre.receive(0, Datagram(path, None, b"\r\n\r\n"))
    assert scene.centre.take() == []
    assert scene.left() == QUIET


@pytest.mark.parametrize("seed", range(8))
def test_a_lossy_network_loses_no_call_for_good(seed: int) -> None:
    scene = Scene(plan(), agents=1)
    scene.loses(share=0.3, seed=seed)
    for i in range(3):
        scene.arrive(f"{i}", at=100 * i)
        scene.hang_up(scene.sbc, f"{i}", at=100 * i + 80)
    scene.run(1000)
    assert [names(scene, f"{i}").count("Connected") for i in range(3)] == [1, 1, 1]
    assert scene.left() == QUIET


def test_an_sbc_that_dies_leaves_the_call_to_the_session_timer() -> None:
    scene = Scene(plan(), agents=1)
    scene.arrive("1")
    scene.at(10, lambda: scene.kill(scene.sbc))
    scene.run(4000)
    # The SBC was to refresh: the centre hangs up 32 s before 1,800 s after its 200, and the agent hears it.
    assert scene.told("1")[-2:] == [(1768.001, "Released", 0), (1768.001, "Over", "caller")]
    assert scene.left() == QUIET


def test_the_address_of_an_sbc_may_be_told_besides_those_that_calls_are_sent_to() -> None:
    scene = Scene(plan(), agents=1, inside=frozenset(["198.51.100.3"]))
    scene.arrive("1", sbc=scene.other_node)
    scene.hang_up(scene.other_node, "1", at=5)
    scene.run()
    assert names(scene, "1")[0] == "Delivered"
