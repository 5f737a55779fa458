"""A real keepalived pair beside ours in virtual time: the same adverts, the same losses, the same takeovers.

The tests share one pair, and each leaves it in service for the next; the last two end the first node's daemon, and let
ours take its place.
"""

import time
from collections.abc import Iterator, Sequence
from itertools import count, repeat
from math import inf

import pytest

from sbc.endpoints.advert import Advert, centiseconds, decode, encode
from sbc.endpoints.endpoint import Transmit
from sbc.endpoints.ha import Became, Phases, Role, Seat, Switch, VrrpDaemon
from sbc.endpoints.wire import VRRP, Address, Datagram, Path
from scenarios.model import VrrpDetection
from tests.ha_pairs import HaPair
from tests.keepalived import ADDRESSES, GROUP, Instance, Node, Wire, pair, refusal

pytestmark = pytest.mark.lab(needs=["keepalived", "ip"])

SECOND = Instance(51, 2, 1.0, (101, 100))
TENTH = Instance(52, 3, 0.1, (101, 100))
THIRD = Instance(53, 3, 0.3, (101, 100))
SWIFT = Instance(54, 3, 0.3, (201, 200))
LOSSY = Instance(55, 3, 0.3, (101, 100))
"""Every second advert of its first node is lost, but for a resignation."""
TRACKED = Instance(56, 3, 0.3, (101, 100), track=1)
"""Its SIP process is checked every second."""
INSTANCES = (SECOND, TENTH, THIRD, SWIFT, LOSSY, TRACKED)
ROUNDS = 3
BEFORE = 10
"""Adverts of our pair before anything happens to it."""
EARLY, LATE = 0.03, 0.15
"""Seconds that a busy machine may make a takeover differ from the law; one advert of these is 0.1 s at the least."""

Lab = tuple[Wire, Node, Node]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A pair in service: the first node serves everywhere."""
    if why := refusal():
        pytest.skip(why)
    with pair(tmp_path_factory.mktemp("keepalived"), INSTANCES) as (wire, first, second):
        numbers = count()
        lossy = (0, LOSSY.router, LOSSY.priorities[0])
        wire.loses = lambda seen: (seen.node, seen.router, seen.priority) == lossy and next(numbers) % 2 == 1
        await_masters(wire, 0, 0.0)
        yield wire, first, second


def await_masters(wire: Wire, node: int, after: float, instances: Sequence[Instance] = INSTANCES) -> None:
    """Wait until a node has taken these addresses after a moment."""
    wire.run(lambda: all(wire.announced(node, each, after) < inf for each in instances))


def ours(instance: Instance, phase: float = 0.5) -> HaPair:
    """Return the same pair in virtual time, of which some seconds have passed, a whole number of adverts."""
    track = None if instance.track is None else f"{instance.track}s"
    detect = VrrpDetection(by="vrrp", advert=f"{instance.advert}s", priority=instance.priorities[1], track=track)
    made = HaPair(detect, phase)
    made.run(BEFORE * instance.advert)
    return made


def law(instance: Instance, phase: float, lost: int = 0) -> tuple[float, float]:
    """Return in how many seconds our second node serves: after the first one's death, after the last advert it heard.

    ``lost``: how many adverts at the end did not get through.
    """
    made = ours(instance, phase)
    made.lose(made.link, repeat(True, lost))
    dies = (BEFORE + lost) * instance.advert
    made.run(dies)
    made.die(0)
    made.run(dies + 10 * instance.advert)
    heard = made.adverts(0)[-1 - lost][0]
    return made.takeover(1) - dies, made.takeover(1) - heard


def test_keepalived_takes_over_when_ours_does(lab: Lab) -> None:
    wire, first, _ = lab
    wrong = []
    for turn in range(ROUNDS):
        wire.carry(time.monotonic() + 1 + 0.37 * turn)
        with first.interface_down() as down:
            await_masters(wire, 1, down)
        await_masters(wire, 0, time.monotonic())
        for each in INSTANCES:
            taken = wire.announced(1, each, down)
            sent = [advert for advert in wire.adverts(0, each) if advert.at < taken]
            lost = 0 if sent[-1].carried else 1
            (longest, after_heard), (shortest, _) = (law(each, phase, lost) for phase in (0.001, 0.999))
            if not (shortest - EARLY < taken - down < longest + LATE):
                wrong.append((each, "after the fault", taken - down, shortest, longest))
            if not (-EARLY < taken - sent[-1 - lost].at - after_heard < LATE):
                wrong.append((each, "after the last advert", taken - sent[-1 - lost].at, after_heard, after_heard))
    assert wrong == []


def test_every_second_advert_lost_makes_keepalived_take_over_no_more_than_ours(lab: Lab) -> None:
    wire, _, _ = lab
    begin = time.monotonic()
    wire.carry(begin + 2.0)
    assert not all(advert.carried for advert in wire.adverts(0, LOSSY, begin))
    assert wire.adverts(1, LOSSY, begin) == []


def test_after_three_adverts_lost_in_a_row_both_serve_until_the_master_claims_the_address_back(lab: Lab) -> None:
    wire, _, _ = lab
    made = ours(TENTH)
    made.lose(made.link, repeat(True, 3))
    made.run(20 * TENTH.advert)

    loses, left = wire.loses, iter(range(3))
    wire.loses = lambda seen: (
        loses(seen) or ((seen.node, seen.router) == (0, TENTH.router) and next(left, None) is not None)
    )
    begin = time.monotonic()
    await_masters(wire, 0, begin, [TENTH])
    wire.carry(time.monotonic() + 5 * TENTH.advert)
    wire.loses = loses

    heard = next(advert.at for advert in reversed(wire.adverts(0, TENTH)) if advert.at < begin and advert.carried)
    taken, claimed = wire.announced(1, TENTH, begin), wire.announced(0, TENTH, begin)
    assert [node for _, node in made.held] == [0, 1, 0]
    [told] = wire.adverts(1, TENTH, begin)
    assert told.priority == 100
    assert told.at < claimed < taken + LATE  # which may come before the gratuitous ARP that follows the advert
    assert -EARLY < taken - heard - law(TENTH, 0.5)[1] < LATE
    assert [priority for _, priority in made.adverts(1)] == [100]


def test_adverts_are_ours_to_the_byte(lab: Lab) -> None:
    wire, _, _ = lab
    begin = time.monotonic()
    wire.carry(begin + 0.5)
    for each in (TENTH, THIRD, SWIFT):
        advert = Advert(each.router, each.priorities[0], centiseconds(each.advert), (each.address,))
        assert {seen.data for seen in wire.adverts(0, each, begin)} == {encode(advert, ADDRESSES[0], GROUP)}


def test_a_node_whose_process_fails_its_check_resigns_as_ours_does(lab: Lab) -> None:
    wire, first, _ = lab
    made = ours(TRACKED)
    made.hang(0)
    made.run(20.0)
    waits = made.takeover(1) - made.adverts(0)[-1][0]
    begin = time.monotonic()
    first.process(works=False)
    await_masters(wire, 1, begin, [TRACKED])
    resigned = wire.adverts(0, TRACKED, begin)[-1]
    assert (resigned.priority, made.adverts(0)[-1][1]) == (0, 0)
    assert -EARLY < wire.announced(1, TRACKED, begin) - resigned.at - waits < LATE
    assert resigned.at - begin < 1 + LATE
    first.process(works=True)
    await_masters(wire, 0, begin, [TRACKED])


def test_after_a_resignation_keepalived_waits_its_skew_as_ours_does(lab: Lab) -> None:
    wire, first, _ = lab
    begin = time.monotonic()
    first.stop()
    await_masters(wire, 1, begin)
    for each in INSTANCES:
        made = ours(each)
        made.switch()
        made.run(20 * each.advert)
        [resigned] = [seen.at for seen in wire.adverts(0, each, begin) if seen.priority == 0]
        waits = made.takeover(1) - BEFORE * each.advert
        assert -EARLY < wire.announced(1, each, begin) - resigned - waits < LATE


def test_our_daemon_and_keepalived_change_roles(lab: Lab) -> None:
    """Ours takes the place of the first node, whose daemon has ended: it preempts, and then resigns as planned."""
    wire, first, _ = lab
    detect = VrrpDetection(by="vrrp", advert="300ms", priority=200, preempt=True)
    seat = Seat(Address(str(ADDRESSES[0])), Address(str(GROUP)), Address(str(SWIFT.address)), SWIFT.router, first=True)
    first.stop()
    begin = time.monotonic()
    wire.run(lambda: wire.adverts(1, SWIFT, begin))
    begin = time.monotonic()
    daemon = VrrpDaemon(begin, seat, detect, Phases(0.0, 0.0), serves=False)
    roles: dict[Role, float] = {}

    def live(until: float) -> None:
        while (now := time.monotonic()) < until:
            for output in daemon.take():
                if isinstance(output, Transmit):
                    wire.inject(1, ADDRESSES[0], GROUP, output.data)
                elif isinstance(output, Became):
                    roles[output.role] = now
            known = len(wire.seen)
            wire.turn(min(until, daemon.deadline()))
            for seen in wire.seen[known:]:
                if seen.priority is not None and (seen.node, seen.router) == (1, SWIFT.router):
                    path = Path(Address(str(ADDRESSES[1])), seat.peer, VRRP)
                    daemon.receive(time.monotonic(), Datagram(path, None, seen.data))
            if daemon.deadline() <= time.monotonic():
                daemon.fire(time.monotonic())

    live(begin + 8 * SWIFT.advert)
    serves = roles[Role.SERVES]
    assert [advert.at for advert in wire.adverts(1, SWIFT, serves + LATE)] == [], "keepalived stands by"
    switched = time.monotonic()
    daemon.event(switched, Switch())
    live(switched + 4 * SWIFT.advert)
    made = ours(SWIFT)
    made.switch()
    made.run(20 * SWIFT.advert)
    waits = made.takeover(1) - BEFORE * SWIFT.advert
    assert -EARLY < wire.announced(1, SWIFT, switched) - switched - waits < LATE
    assert roles[Role.STANDS_BY] >= switched, "and does not claim the address back"
    assert decode(wire.adverts(1, SWIFT, switched)[-1].data, ADDRESSES[1], GROUP).priority == 200
