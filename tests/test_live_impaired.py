"""What the transport wrapper does to traffic, in virtual time: shares by the binomial law, lateness to the moment."""

import asyncio
from collections.abc import Collection, Sequence
from math import sqrt
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbc.endpoints.endpoint import Broken
from sbc.endpoints.wire import Address, Datagram, Path
from sbc.live.impaired import Degraded, Direction, Impaired
from sbc.live.transport import Receiver
from tests.live import Ear, virtually

OURS, THEIRS, OTHERS = Address("127.1.1.1"), Address("127.1.1.2"), Address("127.1.1.3")
OUT, BACK = Path(OURS, THEIRS), Path(THEIRS, OURS)
MANY = 400
UNLIKELY = 5.0
"""Standard deviations."""

seeds = st.integers(0, 2**32)
shares = st.floats(0, 1)


class Inner:
    """A transport that writes down what it is given, and when."""

    def __init__(self) -> None:
        self.sent: list[tuple[float, bytes]] = []
        self.receivers: dict[Address, Receiver] = {}

    def hold(
        self, receiver: Receiver, address: Address, *, shared: bool = False, transports: Collection[str] = ()
    ) -> None:
        self.receivers[address] = receiver

    def release(self, address: Address) -> None:
        del self.receivers[address]

    def send(self, path: Path, data: bytes) -> None:
        self.sent.append((asyncio.get_running_loop().time(), data))

    @property
    def data(self) -> list[bytes]:
        return [data for _, data in self.sent]


class Scene:
    """A wrapper between a transport and an ear."""

    def __init__(self, seed: int = 1, **options: int) -> None:
        self.inner, self.ear = Inner(), Ear()
        self.impaired = Impaired(self.inner, Random(seed).random, **options)  # noqa: S311 - a test has to be repeatable
        self.impaired.hold(self.ear, OURS)

    def send(self, many: int = 1, path: Path = OUT) -> None:
        for number in range(many):
            self.impaired.send(path, b"%d" % number)

    def arrive(self, many: int = 1, path: Path = BACK) -> None:
        for number in range(many):
            self.inner.receivers[OURS].receive(Datagram(path, None, b"%d" % number))


def numbers(many: int) -> list[bytes]:
    return [b"%d" % number for number in range(many)]


def expected(found: int, share: float, of: int) -> bool:
    return abs(found - share * of) <= UNLIKELY * sqrt(share * (1 - share) * of) + 1e-9


async def passed(seconds: float) -> None:
    """Let virtual time pass."""
    await asyncio.sleep(seconds)


def test_where_nothing_is_wrong_everything_passes_at_once() -> None:
    async def scene() -> None:
        it = Scene()
        it.impaired.degrade(OTHERS.host, Degraded(loss=1.0))
        it.send(3)
        it.arrive(3)
        assert it.inner.data == it.ear.data == numbers(3)
        it.impaired.release(OURS)
        assert it.inner.receivers == {}

    virtually(scene())


@settings(max_examples=20)
@given(seeds, shares)
def test_the_share_that_is_lost_is_the_one_asked_for(seed: int, loss: float) -> None:
    async def scene() -> None:
        it = Scene(seed)
        it.impaired.degrade(THEIRS.host, Degraded(loss=loss))
        it.send(MANY)
        it.arrive(MANY)
        for came in (it.inner.data, it.ear.data):
            assert expected(MANY - len(came), loss, MANY)
        assert it.impaired.fates.lost == 2 * MANY - len(it.inner.data) - len(it.ear.data)

    virtually(scene())


@settings(max_examples=20)
@given(seeds, shares)
def test_the_share_that_comes_twice_is_the_one_asked_for(seed: int, doubled: float) -> None:
    async def scene() -> None:
        it = Scene(seed)
        it.impaired.degrade(THEIRS.host, Degraded(doubled=doubled), Direction.OUT)
        it.send(MANY)
        assert expected(len(it.inner.data) - MANY, doubled, MANY)
        assert set(it.inner.data) == set(numbers(MANY))
        assert it.impaired.fates.doubled == len(it.inner.data) - MANY

    virtually(scene())


@settings(max_examples=20)
@given(seeds, st.floats(0.001, 10), st.floats(0, 10))
def test_nothing_is_less_late_than_the_delay_or_later_than_the_jitter_allows(
    seed: int, delay: float, jitter: float
) -> None:
    async def scene() -> None:
        it = Scene(seed)
        it.impaired.degrade(THEIRS.host, Degraded(delay, jitter))
        it.send(50)
        await passed(delay + jitter + 1)
        late = [at for at, _ in it.inner.sent]
        assert len(late) == 50
        assert delay - 1e-9 <= min(late) <= max(late) <= delay + jitter + 1e-9
        if not jitter:
            assert it.inner.data == numbers(50)
        elif jitter > 0.01:
            assert it.inner.data != numbers(50)

    virtually(scene())


@settings(max_examples=20)
@given(seeds, st.floats(0.01, 1))
def test_the_share_that_overtakes_is_the_one_asked_for_and_is_not_late(seed: int, share: float) -> None:
    async def scene() -> None:
        it = Scene(seed)
        it.impaired.degrade(THEIRS.host, Degraded(delay=1.0, overtaking=share), Direction.OUT)
        it.send(MANY)
        early = it.inner.data
        assert expected(len(early), share, MANY)
        await passed(2.0)
        assert sorted(it.inner.data, key=int) == numbers(MANY)
        assert {at for at, data in it.inner.sent if data not in set(early)} <= {1.0}

    virtually(scene())


def test_nothing_can_overtake_where_nothing_is_late() -> None:
    with pytest.raises(ValueError, match="nothing to overtake"):
        Degraded(overtaking=0.1)


@pytest.mark.parametrize(
    ("direction", "goes", "comes"), [(Direction.BOTH, 0, 0), (Direction.OUT, 0, 3), (Direction.IN, 3, 0)]
)
def test_a_cut_lets_nothing_pass_in_its_direction_until_it_is_healed(
    direction: Direction, goes: int, comes: int
) -> None:
    async def scene() -> None:
        it = Scene()
        it.impaired.cut(THEIRS.host, direction)
        it.send(3)
        it.arrive(3)
        assert (len(it.inner.data), len(it.ear.data)) == (goes, comes)
        assert it.impaired.fates.cut == 6 - goes - comes
        it.send(path=Path(OURS, OTHERS))
        it.arrive(path=Path(OTHERS, OURS))
        it.impaired.heal(THEIRS.host, direction)
        it.send()
        it.arrive()
        assert (len(it.inner.data), len(it.ear.data)) == (goes + 2, comes + 2)

    virtually(scene())


@pytest.mark.parametrize(("direction", "told"), [(Direction.IN, False), (Direction.OUT, True)])
def test_a_refusal_comes_by_the_way_that_may_be_cut(direction: Direction, told: bool) -> None:
    async def scene() -> None:
        it = Scene()
        it.impaired.cut(THEIRS.host, direction)
        it.inner.receivers[OURS].tell(Broken(OUT))
        it.inner.receivers[OURS].tell("something of this machine")
        assert it.ear.events == [Broken(OUT)] * told + ["something of this machine"]

    virtually(scene())


def test_what_is_late_is_bounded() -> None:
    async def scene() -> None:
        it = Scene(room=3)
        it.impaired.degrade(THEIRS.host, Degraded(delay=1.0))
        for _ in range(2):
            it.inner.sent.clear()
            it.send(5)
            await passed(2.0)
            assert it.inner.data == numbers(3)
        assert it.impaired.fates.dropped == 4

    virtually(scene())


# Connections


@settings(max_examples=20)
@given(seeds, st.lists(st.floats(0, 2), min_size=1, max_size=20))
def test_on_a_connection_all_arrives_in_order_however_late_and_cut(seed: int, gaps: Sequence[float]) -> None:
    tcp = OUT._replace(transport="tcp")

    async def scene() -> None:
        it = Scene(seed)
        random = Random(seed)  # noqa: S311 - a test has to be repeatable
        worst = Degraded(delay=0.5, jitter=3.0, loss=0.9, doubled=0.9, overtaking=0.5)
        for number, gap in enumerate(gaps):
            match random.randrange(4):
                case 0:
                    it.impaired.cut(THEIRS.host)
                case 1:
                    it.impaired.heal(THEIRS.host)
                case 2:
                    it.impaired.degrade(THEIRS.host, worst)
                case _:
                    it.impaired.degrade(THEIRS.host, Degraded())
            it.impaired.send(tcp, b"%d" % number)
            it.inner.receivers[OURS].receive(Datagram(tcp.back(), None, b"%d" % number))
            await passed(gap)
        it.inner.receivers[OURS].tell(Broken(tcp))
        it.impaired.heal(THEIRS.host)
        await passed(4.0)
        assert it.inner.data == it.ear.data == numbers(len(gaps))
        assert it.ear.events == [Broken(tcp)]
        it.impaired.degrade(THEIRS.host, Degraded())
        it.impaired.send(tcp, b"at once")
        assert it.inner.data[-1] == b"at once"

    virtually(scene())


def test_a_connection_that_is_cut_holds_what_there_is_room_for() -> None:
    async def scene() -> None:
        it = Scene(room=2)
        it.impaired.cut(THEIRS.host)
        it.send(5, OUT._replace(transport="tcp"))
        await passed(100.0)
        assert it.inner.data == []
        it.impaired.heal(THEIRS.host)
        await passed(0.0)
        assert it.inner.data == numbers(2)
        assert it.impaired.fates.dropped == 3

    virtually(scene())


def test_a_message_on_a_connection_is_as_late_as_the_delay() -> None:
    async def scene() -> None:
        it = Scene()
        it.impaired.degrade(THEIRS.host, Degraded(delay=0.25))
        it.send(1, OUT._replace(transport="tcp"))
        await passed(0.2)
        it.send(1, OUT._replace(transport="tcp"))
        await passed(1.0)
        assert [round(at, 6) for at, _ in it.inner.sent] == [0.25, 0.45]

    virtually(scene())
