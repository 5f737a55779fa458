"""Takeovers in virtual time, where adverts and probes are datagrams: the laws measured on real pairs come out.

All figures are computed by hand: HOP is what a datagram takes, and no other part of a takeover is put in.
"""

from collections.abc import Callable
from functools import partial
from ipaddress import IPv4Address
from itertools import cycle
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbc.endpoints.advert import decode, encode
from sbc.endpoints.endpoint import Claimed, Hold, Transmit
from sbc.endpoints.ha import Noticed, Phases, Role, Seat, ha_daemon
from sbc.endpoints.wire import Address, Datagram, Path
from sbc.sip.ids import Ids
from scenarios.evidence import EventKind
from scenarios.model import Detector, FailureDetection, NoDetection, OptionsDetection, VrrpDetection
from tests.ha_pairs import HOP, OWN, SERVICE, HaPair

AT = 30.0
"""When the fault comes: whole intervals after the start, of every length used here."""
NO_IDS = Ids(lambda bits: 0)
PHASES = [(k + 0.5) / 20 for k in range(20)]
SERVES, STANDS_BY, FAULTY = Role.SERVES, Role.STANDS_BY, Role.FAULTY


def adverts(every: str = "1s", *, priority: int = 100, track: str | None = None, preempt: bool = False) -> Detector:
    return VrrpDetection(by="vrrp", advert=every, priority=priority, track=track, preempt=preempt)


def probes(every: str = "10s", timeout: str = "2s") -> Detector:
    return OptionsDetection(by="options", every=every, timeout=timeout)


def outage(pair: HaPair, harm: Callable[[], None], watch: float = 60.0) -> float:
    """Return how long after a fault at AT the second node serves, ``inf`` if it does not while it is watched."""
    pair.run(AT)
    harm()
    pair.run(AT + watch)
    return pair.takeover(1, AT) - AT


def died(detect: Detector, phase: float) -> float:
    pair = HaPair(detect, phase)
    return outage(pair, partial(pair.die, 0), watch=15.0)


# A pair in service.


@pytest.mark.parametrize("detect", [adverts(), adverts("100ms", track="1s", preempt=True), probes("1s", "500ms")])
def test_nothing_happens_to_a_pair_that_is_well(detect: Detector) -> None:
    pair = HaPair(detect, 0.25, 0.5)
    pair.run(200.0)
    assert [(at, node) for at, node, _ in pair.reports(-1.0)] == [(0.0, 0), (0.0, 1)]
    assert pair.serving() == [0]
    assert pair.held == [(0.0, 0)]


def test_the_master_sends_adverts_and_the_backup_none() -> None:
    pair = HaPair(adverts("300ms"), 0.5)
    pair.run(2.0)
    assert pair.adverts(0) == [(pytest.approx(0.15 + 0.3 * k), 101) for k in range(7)]
    assert pair.adverts(1) == []
    said = decode(pair.datagrams[0].data, *(IPv4Address(own.host) for own in OWN))
    assert (said.centiseconds, [str(address) for address in said.addresses]) == (30, [SERVICE.host])


# A machine dies: measured 2.95 to 3.40 s with adverts every second, 0.27 to 0.35 s with 100 ms.


@pytest.mark.parametrize("phase", [0.001, 0.3, 0.999])
@pytest.mark.parametrize(
    ("every", "priority", "interval", "skew"),
    [("1s", 100, 1.0, 0.609375), ("100ms", 100, 0.1, 0.0609375), ("300ms", 100, 0.3, 0.1828125),
     ("1s", 200, 1.0, 0.21875), ("300ms", 200, 0.3, 0.065625)],
)  # fmt: skip
def test_the_standby_serves_three_adverts_and_its_skew_after_the_last_one_heard(
    every: str, priority: int, interval: float, skew: float, phase: float
) -> None:
    took = died(adverts(every, priority=priority), phase)
    assert took == pytest.approx((3 - phase) * interval + skew + HOP, abs=1e-9)


@pytest.mark.parametrize(
    ("every", "interval", "fastest", "slowest"), [("1s", 1.0, 2.95, 3.40), ("100ms", 0.1, 0.27, 0.35)]
)
def test_the_times_measured_lie_within_those_that_the_phases_bring(
    every: str, interval: float, fastest: float, slowest: float
) -> None:
    took = [died(adverts(every), phase) for phase in PHASES]
    assert min(took) < fastest
    assert slowest < max(took)
    assert max(took) - min(took) == pytest.approx(0.95 * interval)
    assert sum(took) / len(took) == pytest.approx(2.5 * interval + 156 / 256 * interval + HOP)


def test_a_dead_master_is_noticed_by_its_adverts_and_the_address_moves_once() -> None:
    pair = HaPair(adverts(), 0.5)
    outage(pair, partial(pair.die, 0))
    at = pytest.approx(AT + 3.109375 + HOP)
    assert pair.reports(AT) == [(at, 1, Noticed("vrrp")), (at, 1, SERVES)]
    assert pair.held == [(0.0, 0), (at, 1)]


def test_intervals_that_adverts_cannot_tell_are_kept_nevertheless() -> None:
    """5 ms is told as 10 ms, a minute as 40.95 s; both nodes know better from the plan."""
    assert died(adverts("5ms"), 0.5) == pytest.approx(2.5 * 0.005 + 0.609375 * 0.005 + HOP)
    pair = HaPair(adverts("60s"), 0.5)
    pair.run(1000.0)
    assert pair.reports() == []


# The SIP process dies or hangs: measured 1.5 s (adverts every second) and 0.95 s (100 ms), never when not tracked.


@pytest.mark.parametrize("how", ["hangs", "is killed"])
@pytest.mark.parametrize(("every", "measured", "skew"), [("1s", 1.5, 0.609375), ("100ms", 0.95, 0.0609375)])
def test_a_checked_process_makes_its_node_resign_and_the_other_waits_its_skew(
    every: str, measured: float, skew: float, how: str
) -> None:
    took = []
    for phase in PHASES:
        pair = HaPair(adverts(every, track="1s"), 0.5, phase)
        took.append(outage(pair, partial(pair.hang, 0) if how == "hangs" else pair.sips[0].kill, watch=2.0))
        assert took[-1] == pytest.approx(1 - phase + skew + HOP)
        noticed = AT + 1 - phase
        assert pair.reports(AT)[:2] == [
            (pytest.approx(noticed), 0, Noticed("check")),
            (pytest.approx(noticed), 0, FAULTY),
        ]
    assert min(took) < measured < max(took)


def test_a_hung_process_that_nobody_checks_is_never_noticed() -> None:
    pair = HaPair(adverts(), 0.5)
    assert outage(pair, partial(pair.hang, 0)) == inf
    pair.run(1000.0)
    assert pair.reports(AT) == []
    assert pair.held == [(0.0, 0)]


def test_a_node_whose_process_works_again_stands_by_from_the_next_check() -> None:
    pair = HaPair(adverts(track="1s"), 0.5, 0.25)
    outage(pair, partial(pair.hang, 0))
    pair.go_on(0)
    pair.run(AT + 100)
    assert pair.reports(AT + 60) == [(AT + 60.75, 0, STANDS_BY)]
    assert pair.serving() == [1]


def test_a_node_alone_gives_the_address_up_and_serves_a_master_down_interval_after_the_check_that_it_passes() -> None:
    pair = HaPair(adverts(track="1s"), 0.5, 0.25)
    pair.die(1)
    outage(pair, partial(pair.hang, 0))
    assert pair.held == [(0.0, 0), (AT + 0.75, None)]
    pair.go_on(0)
    pair.run(AT + 100)
    assert pair.takeover(0, AT) == pytest.approx(AT + 60.75 + 3 + 155 / 256)


# Adverts that are lost.


def test_every_second_advert_lost_makes_nobody_take_over() -> None:
    pair = HaPair(adverts("300ms"), 0.5)
    pair.lose(pair.link, cycle([True, False]))
    pair.run(600.0)
    assert pair.reports() == []


def test_a_takeover_with_every_second_advert_lost_is_as_much_sooner_as_the_last_one_was_heard_before() -> None:
    took = []
    for phase in PHASES:
        for heard_last in (0, 1):
            pair = HaPair(adverts("300ms"), phase)
            pair.lose(pair.link, cycle([True, False]))
            pair.run(AT + 0.3 * heard_last)
            pair.die(0)
            pair.run(AT + 5)
            sent = [at for at, _ in pair.adverts(0)]
            last = sent[-1] if len(sent) % 2 == 0 else sent[-2]
            assert pair.takeover(1) == pytest.approx(last + HOP + 0.9 + 0.1828125)
            took.append(pair.takeover(1) - AT - 0.3 * heard_last)
    assert min(took) == pytest.approx((3 - 1 - PHASES[-1]) * 0.3 + 0.1828125 + HOP)
    assert max(took) == pytest.approx((3 - 0 - PHASES[0]) * 0.3 + 0.1828125 + HOP)


def test_three_adverts_lost_in_a_row_split_the_pair_until_the_next_one() -> None:
    """The standby takes over before the fourth is due; the master hears of it and claims the address at once."""
    pair = HaPair(adverts(), 0.5)
    pair.run(AT)
    pair.lose(pair.link, [True, True, True])
    pair.run(AT + 60)
    taken = AT - 0.5 + HOP + 3.609375
    assert pair.reports(AT) == [
        (pytest.approx(taken), 1, Noticed("vrrp")),
        (pytest.approx(taken), 1, SERVES),
        (pytest.approx(taken + 2 * HOP), 1, STANDS_BY),
    ]
    assert pair.held == [(0.0, 0), (pytest.approx(taken), 1), (pytest.approx(taken + HOP), 0)]
    assert pair.serving() == [0]


def test_two_adverts_lost_in_a_row_do_nothing() -> None:
    pair = HaPair(adverts(), 0.5)
    pair.lose(pair.link, cycle([True, True, False]))
    pair.run(600.0)
    assert pair.reports() == []


def test_a_priority_of_200_is_as_easily_split_for_its_skew_is_shorter_than_an_advert() -> None:
    pair = HaPair(adverts(priority=200), 0.5)
    pair.run(AT)
    pair.lose(pair.link, [True, True, True])
    pair.run(AT + 60)
    assert pair.takeover(1, AT) == pytest.approx(AT - 0.5 + HOP + 3.21875)


# The link is cut.


def test_both_serve_while_the_link_is_cut_and_the_first_stays_after_its_repair() -> None:
    pair = HaPair(adverts(), 0.5)
    took = outage(pair, partial(pair.cut, 0, 1))
    assert took == pytest.approx(3.109375 + HOP)
    assert pair.serving() == [0, 1]
    assert pair.held[-1] == (pytest.approx(AT + took), 1), "the last gratuitous ARP wins"
    pair.heal()
    pair.run(AT + 120)
    # The second sends at .110375, the first at .5: of the second's advert the first hears .001 later, and speaks up.
    assert pair.reports(AT + 60) == [(pytest.approx(AT + 60.110375 + 2 * HOP), 1, STANDS_BY)]
    assert pair.held[-1] == (pytest.approx(AT + 60.110375 + HOP), 0)
    assert pair.serving() == [0]
    assert [entry.detail["met"] for entry in pair.recorder.of(EventKind.EFFECT)] == ["advert"]


def test_a_standby_that_hears_nothing_serves_but_the_master_that_hears_it_claims_each_advert_back() -> None:
    pair = HaPair(adverts(), 0.5)
    took = outage(pair, partial(pair.cut, 0))
    assert pair.serving() == [0, 1]
    assert pair.held == [(0.0, 0), (pytest.approx(AT + took), 1), (pytest.approx(AT + took + HOP), 0)]
    pair.heal()
    pair.run(AT + 120)
    assert pair.serving() == [0]


def test_a_master_that_hears_nothing_has_nothing_to_hear() -> None:
    pair = HaPair(adverts(), 0.5)
    outage(pair, partial(pair.cut, 1))
    assert pair.reports(AT) == []


# Planned.


@pytest.mark.parametrize("preempt", [False, True])
@pytest.mark.parametrize(("every", "skew"), [("1s", 0.609375), ("100ms", 0.0609375)])
def test_a_planned_switch_takes_the_skew_and_stays(every: str, skew: float, preempt: bool) -> None:
    pair = HaPair(adverts(every, preempt=preempt), 0.5)
    took = outage(pair, pair.switch)
    assert took == pytest.approx(skew + HOP)
    assert pair.reports(AT - 1) == [(AT, 0, STANDS_BY), (pytest.approx(AT + took), 1, SERVES)]
    assert (AT, 0) in pair.adverts(0), "an advert of priority 0"
    pair.switch()
    pair.run(AT + 120)
    assert pair.takeover(0, AT + 60) == pytest.approx(AT + 60 + skew * 155 / 156 + HOP)


def test_a_node_that_has_resigned_takes_over_from_one_that_dies() -> None:
    pair = HaPair(adverts(preempt=True), 0.5)
    took = outage(pair, pair.switch)
    pair.run(AT + 60)
    pair.die(1)
    pair.run(AT + 120)
    last = AT + took + 59  # it sent its first when it came to serve
    assert pair.takeover(0, AT) == pytest.approx(last + HOP + 3 + 155 / 256)
    assert Noticed("vrrp") in [what for _, node, what in pair.reports(AT + 60) if node == 0]


# Dead nodes that come back.


def test_the_first_node_comes_back_as_the_standby() -> None:
    pair = HaPair(adverts(), 0.5)
    outage(pair, partial(pair.die, 0))
    pair.come_back(0)
    pair.run(AT + 120)
    assert pair.reports(AT + 59) == [(AT + 60, 0, STANDS_BY)]
    assert pair.serving() == [1]


def test_the_first_node_preempts_a_master_down_interval_after_it_has_come_back() -> None:
    pair = HaPair(adverts(preempt=True), 0.5)
    outage(pair, partial(pair.die, 0))
    pair.come_back(0)
    pair.run(AT + 120)
    claimed = AT + 60 + 3 + 155 / 256
    assert pair.reports(AT + 59) == [
        (AT + 60, 0, STANDS_BY),
        (pytest.approx(claimed), 0, SERVES),
        (pytest.approx(claimed + HOP), 1, STANDS_BY),
    ]
    assert pair.held[-1] == (pytest.approx(claimed), 0)


@pytest.mark.parametrize("first_back", [0, 1])
def test_after_the_loss_of_both_the_first_that_is_back_serves_a_master_down_interval_later(first_back: int) -> None:
    pair = HaPair(adverts(), 0.5)
    pair.run(AT)
    pair.die(0)
    pair.die(1)
    pair.run(AT + 10)
    pair.come_back(first_back)
    pair.run(AT + 20)
    pair.come_back(1 - first_back)
    pair.run(AT + 60)
    assert pair.takeover(first_back, AT) == pytest.approx(AT + 10 + 3 + (156 - (first_back == 0)) / 256)
    assert pair.serving() == [first_back]


# Probes: measured as the rest of the interval and the probe's own time-out.


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("how", ["dies", "hangs"])
@pytest.mark.parametrize("phase", [0.001, 0.5, 0.999])
def test_a_standby_serves_when_its_next_probe_has_had_no_answer(how: str, phase: float, strict: bool) -> None:
    pair = HaPair(probes(), phase, strict=strict)
    took = outage(pair, partial(pair.die if how == "dies" else pair.hang, 0))
    assert took == pytest.approx(10 * (1 - phase) + 2)
    assert pair.reports(AT)[:2] == [(AT + took, 1, Noticed("options")), (AT + took, 1, SERVES)]
    assert pair.held == [(0.0, 0), (AT + took, 1)]


@pytest.mark.parametrize(
    ("timeout", "seconds", "fastest", "slowest"), [("2s", 2.0, 2.0, 2.7), ("500ms", 0.5, 0.5, 1.2)]
)
def test_probes_of_one_second_find_a_dead_node_as_late_as_measured(
    timeout: str, seconds: float, fastest: float, slowest: float
) -> None:
    took = [died(probes("1s", timeout), phase) for phase in PHASES]
    assert took == [pytest.approx(1 - phase + seconds) for phase in PHASES]
    assert fastest < max(took)
    assert min(took) < slowest


def test_a_probe_is_sent_again_as_any_request() -> None:
    pair = HaPair(probes(), 0.5)
    pair.run(4.0)
    pair.lose(pair.lans[1], [True, True, False])
    pair.run(10.0)
    assert options(pair) == [5.0, 5.5, 6.5]
    pair.run(AT + 60)
    assert pair.reports() == []


def options(pair: HaPair, after: float = 0.0) -> list[float]:
    """Return when OPTIONS were sent after a moment."""
    return [each.at for each in pair.datagrams if each.data.startswith(b"OPTIONS") and each.at > after]


def test_a_failed_probe_is_not_sent_again_nor_are_others_under_way() -> None:
    pair = HaPair(probes("1s", "1600ms"), 0.5)
    took = outage(pair, partial(pair.die, 0))
    assert took == pytest.approx(2.1)
    assert options(pair, AT) == [AT + 0.5, AT + 1.0, AT + 1.5, AT + 2.0, AT + 2.0]


def test_a_probe_that_is_waited_for_longer_than_its_transaction_lasts_fails_with_it() -> None:
    pair = HaPair(probes("60s", "40s"), 0.25)
    assert outage(pair, partial(pair.die, 0)) == 45.0 + 32.0 - AT


def test_a_probe_that_is_refused_fails_at_once() -> None:
    pair = HaPair(probes(), 0.5)
    pair.lans[1].refuses = True
    assert outage(pair, lambda: pair.lans[1].cut_by.update(fault=None)) == 5.0


def test_of_two_who_both_hold_the_address_the_one_that_announced_it_last_stays() -> None:
    """One lost probe is enough, where it is not waited for long enough to be sent again."""
    pair = HaPair(probes("10s", "400ms"), 0.5)
    pair.lose(pair.lans[1], [True])
    pair.run(60.0)
    assert pair.reports() == [(5.4, 1, Noticed("options")), (5.4, 1, SERVES), (5.4, 0, STANDS_BY)]
    assert pair.serving() == [1]
    assert pair.held == [(0.0, 0), (5.4, 1)]


def test_a_node_taken_over_from_finds_the_other_serving_when_it_comes_back() -> None:
    pair = HaPair(probes(), 0.5)
    outage(pair, partial(pair.die, 0))
    pair.come_back(0)
    pair.run(AT + 600)
    assert pair.reports(AT + 59) == [(AT + 60, 0, STANDS_BY)]
    assert pair.serving() == [1]


def test_after_the_loss_of_both_the_first_that_is_back_serves_when_its_first_probe_fails() -> None:
    pair = HaPair(probes(), 0.5)
    pair.run(AT)
    pair.die(0)
    pair.die(1)
    pair.run(AT + 10)
    pair.come_back(0)
    pair.come_back(1)
    pair.run(AT + 60)
    assert len(pair.serving()) == 1
    assert pair.takeover(pair.serving()[0], AT) == pytest.approx(AT + 10 + 10 + 2)


def test_a_planned_switch_of_probed_nodes_takes_no_time() -> None:
    pair = HaPair(probes(), 0.5)
    assert outage(pair, pair.switch) == 0.0 or pair.serving() == [1]
    assert pair.held == [(0.0, 0), (AT, 1)]
    pair.run(AT + 600)
    assert pair.serving() == [1]


def test_a_daemon_that_serves_has_nothing_left_to_do() -> None:
    pair = HaPair(probes(), 0.5)
    outage(pair, partial(pair.die, 0))
    daemon = pair.daemons[1].endpoint
    assert daemon is not None
    assert daemon.deadline() == inf


# Whatever happens.

DEEDS = ["die", "come back", "hang", "go on", "cut", "heal", "switch"]


@settings(max_examples=100)
@given(
    detect=st.sampled_from(
        [adverts(track="1s"), adverts("300ms", preempt=True, track="700ms"), adverts("2s"), probes("3s", "700ms")]
    ),
    deeds=st.lists(st.tuples(st.floats(0.0, 8.0), st.sampled_from(DEEDS), st.sampled_from([0, 1])), max_size=12),
)
def test_whatever_has_happened_a_pair_that_is_well_again_comes_to_one_that_serves(
    detect: Detector, deeds: list[tuple[float, str, int]]
) -> None:
    pair = HaPair(detect, 0.3, 0.6)
    for wait, deed, node in deeds:
        pair.run(pair.env.now + wait)
        alive = pair.daemons[node].answers
        match deed:
            case "die":
                pair.die(node)
            case "come back" if not alive:
                pair.go_on(node)
                pair.come_back(node)
            case "hang" if alive:
                pair.hang(node)
            case "go on":
                pair.go_on(node)
            case "cut" if isinstance(detect, VrrpDetection):
                pair.cut(node)
            case "heal":
                pair.heal()
            case "switch" if pair.serving():
                pair.switch()
    pair.heal()
    for node in (0, 1):
        pair.go_on(node)
        if not pair.daemons[node].answers:
            pair.come_back(node)
    pair.run(pair.env.now + 30)
    assert len(pair.serving()) == 1
    holder = pair.network.holder(SERVICE)
    assert holder is pair.sips[pair.serving()[0]]
    settled = pair.env.now
    pair.run(settled + 30)
    assert pair.reports(settled) == []


# What is not for a daemon, and daemons that have nobody to watch.


def test_bytes_that_are_no_advert_or_another_pairs_are_dropped() -> None:
    pair = HaPair(adverts(), 0.5)
    pair.run(1.0)
    [datagram] = pair.datagrams
    daemon = pair.daemons[1].endpoint
    assert daemon is not None
    before = daemon.deadline()
    path = Path(OWN[0], OWN[1], "vrrp")
    other = Seat(OWN[0], OWN[1], SERVICE, 52, first=True)
    for data in (b"", datagram.data[:-1], datagram.data + b"\0", _advert_of(other)):
        daemon.receive(1.2, Datagram(path, None, data))
    daemon.receive(1.2, Datagram(path._replace(transport="udp"), None, datagram.data))
    assert daemon.deadline() == before
    daemon.receive(1.2, Datagram(path, None, datagram.data))
    assert daemon.deadline() == pytest.approx(1.2 + 3.609375)
    own, peer = (IPv4Address(each.host) for each in OWN)
    slow = decode(datagram.data, own, peer)._replace(centiseconds=250)
    daemon.receive(2.0, Datagram(path, None, encode(slow, own, peer)))
    assert daemon.deadline() == pytest.approx(2.0 + 2.5 * 3.609375), "a backup waits by what the master tells"


def test_what_is_no_answer_to_a_probe_and_claims_of_other_addresses_are_dropped() -> None:
    pair = HaPair(probes(), 0.5)
    pair.run(6.0)
    asked = next(each for each in pair.datagrams if each.data.startswith(b"OPTIONS"))
    for daemon in (host.endpoint for host in pair.daemons):
        assert daemon is not None
        before = daemon.deadline()
        for data in (b"", b"\r\n\r\n", asked.data):
            daemon.receive(6.0, Datagram(Path(SERVICE, OWN[0]), None, data))
        daemon.event(6.0, Claimed(OWN[1]))
        assert daemon.take() == []
        assert daemon.deadline() == before


def _advert_of(seat: Seat) -> bytes:
    daemon = ha_daemon(0.0, seat, adverts(), Phases(0.0, 0.0), NO_IDS, serves=True)
    daemon.fire(1.0)
    return next(output.data for output in daemon.take() if isinstance(output, Transmit))


@pytest.mark.parametrize("detect", [FailureDetection(by="failure"), NoDetection(by="nobody")])
def test_a_node_of_an_active_active_pair_holds_its_own_address_whatever_happens(detect: Detector) -> None:
    own = Address("203.0.113.7")
    daemon = ha_daemon(
        0.0,
        Seat(OWN[0], OWN[1], own, 51, first=True),
        detect,
        Phases(0.0, 0.0),
        NO_IDS,
        serves=True,
    )
    assert daemon.take() == [Hold(own)]
    daemon.fire(1.0)
    assert daemon.take() == []
    assert daemon.deadline() == inf
