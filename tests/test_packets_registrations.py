"""Phones and registrars of a drill in the packet engine: by hand, and held against the `calls` engine."""

from collections import Counter
from functools import partial

import pytest

from sbc.decisions.registration import CLIENTS
from sbc.endpoints.phone import HangUp, Over, Phone, Place
from sbc.endpoints.registrar import RegistrarEndpoint
from sbc.endpoints.wire import Address
from scenarios.evidence import EventKind, Gauge
from scenarios.model import Drill
from sim.draws import Draws
from tests.drills import ListRecorder
from tests.packets_shell import PhonesOnly
from tests.test_engine_registration import ALARM, BOTH, desk, fault, met, plan, quiet, returns, switched

RTT = 0.002
"""A link of 1 ms there and back."""


def phones(drill: Drill) -> ListRecorder:
    return PhonesOnly(drill, wired=False).play()


def rounded(recorder: ListRecorder) -> list[tuple[float, str]]:
    return [(round(at, 6), site) for at, site in returns(recorder)]


def at_osaka(net: PhonesOnly, when: float, sign_in: float = 0.0) -> None:
    """Let all agents switch to Osaka."""
    for agent in net.agents:
        net.at(when, partial(net.lines.switch, agent, "osaka", sign_in, lambda: None))


def left_over(net: PhonesOnly) -> int:
    """Transactions and calls in progress."""
    hosts = [*net.lines._at.values(), *(line.host for line in net.lines._phones.values())]
    return sum(len(each.endpoint) for each in hosts if isinstance(each.endpoint, Phone | RegistrarEndpoint))


# An ordinary day


def test_an_ordinary_day_begins_with_all_registered_and_refreshes_where_calls_has_them() -> None:
    day = plan(agents=desk(50, expires="2m"))
    net = PhonesOnly(day)
    recorder = net.play()
    draw = Draws(1, 0).uniforms("softphones:refresh")
    due = sorted(60 * next(draw) for _ in range(50))
    assert [record.at for record in net.wire.records if record.data.startswith(b"REGISTER")][:50] == pytest.approx(due)
    assert recorder.entries == []
    assert set(recorder.levels(Gauge.SOFTPHONES, "tokyo").values()) == {50}
    assert max(recorder.levels(Gauge.REGISTERS, "tokyo").values()) < 10
    calls = quiet(day).levels(Gauge.REGISTERS, "tokyo")
    # A round trip for each refresh, so that a few are counted in the second after.
    ours = recorder.levels(Gauge.REGISTERS, "tokyo")
    assert all(abs(ours[at] - high) <= 1 for at, high in calls.items() if at in ours)


def test_phones_of_a_site_that_is_not_in_service_try_and_are_refused() -> None:
    away = plan(sites={"tokyo": {"role": "secondary"}, "osaka": {}}, agents=desk(5, expires="2m"))
    net = PhonesOnly(away)

    def activate() -> None:
        net.world.sites["tokyo"].in_service = True
        net.lines.registrar_back("tokyo")

    def deactivate() -> None:
        net.world.sites["tokyo"].in_service = False
        net.lines.registrar_closed("tokyo")

    net.at(100, activate)
    net.at(300, deactivate)
    recorder = net.play()
    assert all(100 <= at <= 160.1 for at, _ in returns(recorder))
    assert len(returns(recorder)) == 5
    lost = [entry.at for entry in recorder.of(EventKind.UNREGISTERED)]
    assert all(360 <= at <= 420.1 for at in lost), "what is registered lasts until it expires"
    assert len(lost) == 5


def test_in_a_quiet_run_no_transaction_is_left_over() -> None:
    net = PhonesOnly(
        plan(fault(100, 60, site="tokyo"), agents=desk(20, client="audiocodes", expires="2m")), strict=True
    )
    net.run(until=300)
    assert net.lines.at_site("tokyo") == 20
    net.run(until=699)
    before = len(net.wire.records)
    for agent in net.agents:
        net.lines.switch(agent, "osaka", 0.0, lambda: None)
    net.run(until=740)
    assert len(net.wire.records) == before + 20 * 4, "signed out, registered, each answered once"
    assert left_over(net) == 0
    assert (len(net.lines.locations["tokyo"]), len(net.lines.locations["osaka"])) == (0, 20)


# What breaks


@pytest.mark.parametrize("client", ["plain", "linphone", "audiocodes", "snom"])
@pytest.mark.parametrize("target", [{"registrar": "tokyo"}, {"site": "tokyo"}])
def test_phones_whose_pauses_are_not_drawn_return_when_they_do_in_calls(client: str, target: dict[str, str]) -> None:
    """Each refresh and each copy comes a round trip later: 20 ms in the end at most."""
    day = plan(fault(100, 90, **target), agents=desk(30, client=client, expires="3m"))
    ours, theirs = phones(day), quiet(day)
    assert len(returns(ours)) == len(returns(theirs)) == 30
    for (at, site), (expected, where) in zip(returns(ours), returns(theirs), strict=True):
        assert site == where
        assert 0 <= at - expected < 0.02
    assert met(ours)[1] == "registration"


@pytest.mark.parametrize("client", CLIENTS)
def test_whatever_the_client_every_phone_is_registered_in_the_end_and_once(client: str) -> None:
    day = plan(fault(100, 200, registrar="tokyo"), agents=desk(10, client=client), run={"for": "1h", "warm": False})
    recorder = phones(day)
    assert sorted(int(entry.detail["agent"]) for entry in recorder.of(EventKind.REGISTERED)) == list(range(10))
    assert recorder.levels(Gauge.SOFTPHONES, "tokyo")[3590] == 10
    for entry in recorder.of(EventKind.REGISTERED):
        assert entry.detail["without"] == entry.at - 100
    levels = [10, *(int(e.detail["registered"]) for e in recorder.of(EventKind.UNREGISTERED, EventKind.REGISTERED))]
    assert levels == [10, 0, *range(1, 11)]


@pytest.mark.parametrize("client", ["rfc5626", "jssip", "pjsua", "asterisk"])
def test_phones_whose_pauses_are_drawn_return_within_the_same_bounds_as_in_calls(client: str) -> None:
    """Means of 150 phones, held to four standard errors of their difference."""
    day = plan(fault(100, 200, registrar="tokyo"), agents=desk(150, client=client), run={"for": "16m", "warm": False})
    ours, theirs = ([at for at, _ in returns(recorder)] for recorder in (phones(day), quiet(day)))
    assert len(ours) == len(theirs) == 150
    means = [sum(each) / 150 for each in (ours, theirs)]
    spreads = [sum((at - mean) ** 2 for at in each) / 150**2 for each, mean in zip((ours, theirs), means, strict=True)]
    assert abs(means[0] - means[1]) < 4 * sum(spreads) ** 0.5 + 0.1


def test_a_site_that_is_lost_is_no_news_to_phones_with_a_connection_before_their_next_register() -> None:
    """Its machine is gone and resets nothing: the refresh, unanswered for 32 s, tells. In `calls` they know."""
    day = plan(fault(100, 400, site="tokyo"), agents=desk(20, client="pjsua", expires="4m"))
    net = PhonesOnly(day)
    net.run(until=101)
    assert len(net.lines.locations["tokyo"]) == 0
    recorder = net.play()
    first = min(at for at in (record.at for record in net.wire.records) if at > 100)
    assert first > 100.5
    assert met(recorder)[0] == pytest.approx(first + RTT / 2)
    assert recorder.levels(Gauge.SOFTPHONES, "tokyo")[110] == 0, "those who look see that there is nothing"


def test_a_registrar_that_is_lost_is_noticed_at_once_by_phones_with_a_connection() -> None:
    recorder = phones(plan(fault(100, 60, registrar="tokyo"), agents=desk(20, client="pjsua", expires="1h")))
    at, what = met(recorder)
    assert (round(at, 6), what) == (100 + RTT / 2, "registration")
    back = [at for at, _ in returns(recorder)]
    assert len(back) == 20
    assert 390 <= min(back) <= max(back) <= 410.1


def test_a_phone_with_two_registrars_turns_to_the_second_at_its_next_refresh_and_timer_f() -> None:
    agents = desk(10, expires="2m", sites=BOTH, switch="automatic")
    net = PhonesOnly(plan(fault(100, registrar="tokyo"), agents=agents))
    recorder = net.play()
    ours, theirs = returns(recorder), returns(quiet(net.drill))
    assert [site for _, site in ours] == ["osaka"] * 10
    assert all(0 <= at - expected < 0.02 for (at, _), (expected, _) in zip(ours, theirs, strict=True))
    assert {agent.site for agent in net.agents} == {"osaka"}
    assert net.lines.at_site("osaka") == net.lines.registered("desk", "osaka") == 10


def test_a_registrar_that_comes_back_while_its_site_is_lost_stays_silent() -> None:
    day = plan(
        fault(100, 100, registrar="tokyo"), fault(150, 150, name="all", site="tokyo"),
        agents=desk(10, client="audiocodes", expires="1m"),
    )  # fmt: skip
    recorder = phones(day)
    assert all(at >= 300 for at, _ in returns(recorder))
    assert len(returns(recorder)) == 10
    then = plan(
        fault(100, 200, registrar="tokyo"), fault(150, 50, name="all", site="tokyo"),
        agents=desk(10, client="jssip", expires="1m"),
    )  # fmt: skip
    recorder = phones(then)
    assert all(300 <= at <= 331 for at, _ in returns(recorder)), "the machine is back at 200 and refuses connections"


def test_a_lost_office_cuts_its_phones_off_and_they_are_back_with_it_as_far_as_they_are_registered() -> None:
    for lasts, expires in ((60, "20h"), (100, "2m")):
        day = plan(
            fault(100, lasts, office="honsha"),
            offices={"honsha": {}},
            agents=desk(20, office="honsha", expires=expires),
        )
        recorder = phones(day)
        (lost,) = recorder.of(EventKind.UNREGISTERED)[:1]
        assert (lost.at, lost.detail) == (100, {"site": "tokyo", "registered": 0, "lost": 20})
        back = [at for at, _ in returns(recorder)]
        assert len({entry.detail["agent"] for entry in recorder.of(EventKind.REGISTERED)}) == 20
        assert min(back) == 100 + lasts, "those whose registrations have lasted"
        if expires == "20h":
            assert max(back) == 160
        else:
            assert met(recorder)[1] == "registration"
            assert 200 < max(back) <= 228.6


def test_while_identity_is_out_phones_that_sign_in_are_refused_and_others_are_not() -> None:
    faults = (fault(100, 30, registrar="tokyo"), fault(90, 400, name="identity", identity=True))
    recorder = phones(plan(*faults, agents=desk(5, client="audiocodes", expires="2m", login=True)))
    assert len(returns(recorder)) == 5
    assert all(490 <= at <= 490 + 32.1 for at, _ in returns(recorder))
    assert met(recorder, "identity")[1] == "sign-in"
    free = phones(plan(*faults, agents=desk(5, client="audiocodes", expires="2m")))
    assert len(returns(free)) == 5
    assert all(at < 490 for at, _ in returns(free))


def test_on_a_lossy_line_a_registration_takes_as_many_copies_as_the_loss_says() -> None:
    """A quarter is lost each way, so that 44 % of the exchanges take a copy more, and nobody is lost for long."""
    lossy = fault(50, 500, name="rain", how="degraded", loss="25%", office="honsha")
    agents = desk(50, office="honsha", expires="2m")
    net = PhonesOnly(plan(lossy, offices={"honsha": {}}, agents=agents))
    recorder = net.play()
    assert met(recorder, "rain")[1] == "registration"
    assert recorder.of(EventKind.UNREGISTERED) == [], "eleven copies"
    registers = [record for record in net.wire.records if record.data.startswith(b"REGISTER") and 50 < record.at < 550]
    exchanges = Counter(record.data for record in registers)
    mean = len(registers) / len(exchanges)
    assert mean == pytest.approx(1 / 0.75**2, abs=0.15), "geometric"


# Switching


def crowd(**more: object) -> Drill:
    return plan(
        sites={"tokyo": {}, "osaka": {"register_rate": "5/s", **more}},
        agents=desk(20, client="audiocodes", sites=BOTH, expires="1h"),
    )


@pytest.mark.parametrize(("more", "again"), [({}, 32), ({"retry_after": "1m"}, 92)])
def test_what_comes_above_the_rate_of_a_registrar_comes_again(more: dict[str, object], again: int) -> None:
    """As in `calls`: five a second, the others after the Retry-After of their 503 and the 32 s of their client."""
    net = PhonesOnly(crowd(**more))
    at_osaka(net, 20)
    back = [at for at, _ in returns(net.play())]
    assert back == pytest.approx([20 + again * turn for turn in range(4) for _ in range(5)], abs=0.02)
    peaks = net.recorder.levels(Gauge.REGISTERS, "osaka")
    assert [peaks[at] for at in (20, 30)] == [0, 20]
    assert sorted(peaks.values())[-4:] == [5, 10, 15, 20]


def test_a_switch_takes_the_line_away_until_the_new_site_has_taken_the_phone() -> None:
    net = PhonesOnly(plan(agents=desk(3, sites=BOTH)))
    at_osaka(net, 20, sign_in=25)
    recorder = net.play()
    assert [(e.at, e.detail["lost"], e.detail["site"]) for e in recorder.of(EventKind.UNREGISTERED)] == [
        (20, 0, "tokyo")
    ] * 3
    assert rounded(recorder) == [(45 + RTT, "osaka")] * 3
    calls = quiet(plan(ALARM, agents=desk(3, sites=BOTH), runbook=[switched(login="25s")]))
    assert [round(at, 6) for at, _ in returns(calls)] == [45] * 3
    assert all("without" not in e.detail for e in recorder.of(EventKind.REGISTERED)), "no fault took it"


def test_a_sign_in_that_is_overtaken_by_another_switch_counts_no_more() -> None:
    net = PhonesOnly(plan(agents=desk(sites=BOTH)))
    done: list[str] = []
    (agent,) = net.agents
    for when, site, sign_in in ((20, "osaka", 25.0), (30, "tokyo", 0.0)):
        net.at(when, partial(net.lines.switch, agent, site, sign_in, partial(done.append, site)))
    assert rounded(net.play()) == [(30 + RTT, "tokyo")]
    assert done == ["tokyo", "osaka"]


def test_a_phone_that_is_set_to_its_own_site_again_is_registered_anew() -> None:
    net = PhonesOnly(plan(agents=desk(sites=BOTH)))
    (agent,) = net.agents
    net.at(20, partial(net.lines.switch, agent, "tokyo", 0.0, lambda: None))
    assert rounded(net.play()) == [(20 + RTT, "tokyo")]
    assert net.lines.at_site("tokyo") == 1


def test_agents_dial_and_hang_up_by_their_phones_and_hear_of_their_calls() -> None:
    net = PhonesOnly(plan(agents=desk()))
    (agent,) = net.agents
    heard: list[object] = []
    net.lines.phone_tells = lambda who, report: heard.append((who.number, report))
    nobody = Address("10.1.0.99")
    net.network.place(nobody.host, "site:tokyo")
    net.at(10, partial(net.lines.tell, agent, Place("1", "110", "", nobody)))
    net.at(20, partial(net.lines.tell, agent, HangUp("1")))
    net.play()
    assert heard == [(0, Over("1"))]


# Ten thousand


def calm(recorder: ListRecorder, back: float, ordinary: int) -> float:
    """When no ten seconds any more had a busier second than an ordinary day has."""
    busy = [at for at, high in recorder.levels(Gauge.REGISTERS, "tokyo").items() if at > back and high > ordinary]
    return max(busy, default=back)


@pytest.mark.slow
@pytest.mark.parametrize(("spread", "peak"), [("0s", 10_000 / 20), ("2m", 10_000 / 120)])
def test_ten_thousand_phones_return_to_a_registrar_as_they_do_in_calls(spread: str, peak: float) -> None:
    """All lose their connections at 100 and come 290 to 310 s after their first try; it takes 200 of them a second.

    Those refused come again, a round every 300 s; spread over two minutes nobody is refused.
    """
    agents = desk(10_000, client="pjsua", expires="1h", spread=spread)
    sites = {"tokyo": {"register_rate": "200/s"}, "osaka": {}}
    day = plan(fault(100, 200, registrar="tokyo"), agents=agents, sites=sites, run={"for": "25m", "warm": False})
    net = PhonesOnly(day, wired=False)
    ours, theirs = net.play(), quiet(day)
    for recorder in (ours, theirs):
        assert len({entry.detail["agent"] for entry in recorder.of(EventKind.REGISTERED)}) == 10_000
    peaks = [max(recorder.levels(Gauge.REGISTERS, "tokyo").values()) for recorder in (ours, theirs)]
    assert peaks == pytest.approx([peak, peak], rel=0.5), "the most of all seconds, of Poisson counts"
    assert peaks[0] == pytest.approx(peaks[1], rel=0.1)
    waits = [sorted(at for at, _ in returns(recorder)) for recorder in (ours, theirs)]
    for share in (0.2, 0.6, 0.95, 0.999):
        one, other = (each[int(share * 10_000)] for each in waits)
        assert one == pytest.approx(other, abs=10)
    ordinary = 25  # 10,000 in 1,800 s are 6 a second
    assert calm(ours, 300, ordinary) == pytest.approx(calm(theirs, 300, ordinary), abs=20)
    assert left_over(net) == 0
