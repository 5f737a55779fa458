"""VRRP adverts against bytes that keepalived 2.2.7 has sent, and against any bytes at all."""

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbc.endpoints.advert import Advert, AdvertError, centiseconds, decode, encode, seconds

FIRST, SECOND = IPv4Address("192.0.2.1"), IPv4Address("192.0.2.2")
GROUP = IPv4Address("224.0.0.18")

# version 3, behind the IP header: from whom, what it says, the bytes
SENT = [
    (SECOND, Advert(52, 100, 10, (IPv4Address("192.0.2.52"),)), "31346401000a05fac0000234"),
    (FIRST, Advert(52, 0, 10, (IPv4Address("192.0.2.52"),)), "31340001000a69fbc0000234"),
    (FIRST, Advert(53, 0, 30, (IPv4Address("192.0.2.53"),)), "31350001001e69e5c0000235"),
    (FIRST, Advert(54, 0, 30, (IPv4Address("192.0.2.54"),)), "31360001001e69e3c0000236"),
]
VERSION_2 = bytes.fromhex("213364010001b896c00002330000000000000000")


@pytest.mark.parametrize(("source", "advert", "data"), SENT)
def test_an_advert_is_written_and_read_as_keepalived_does(source: IPv4Address, advert: Advert, data: str) -> None:
    assert encode(advert, source, GROUP).hex() == data
    assert decode(bytes.fromhex(data), source, GROUP) == advert


ADDRESSES = st.ip_addresses(v=4)
ADVERTS = st.builds(
    Advert, st.integers(1, 255), st.integers(0, 255), st.integers(1, 4095), st.lists(ADDRESSES, max_size=255).map(tuple)
)


@given(advert=ADVERTS, source=ADDRESSES, target=ADDRESSES)
def test_what_is_written_is_read_back(advert: Advert, source: IPv4Address, target: IPv4Address) -> None:
    assert decode(encode(advert, source, target), source, target) == advert


@given(advert=ADVERTS, at=st.integers(min_value=0), bit=st.integers(0, 7))
def test_one_bit_changed_on_the_way_is_noticed(advert: Advert, at: int, bit: int) -> None:
    data = bytearray(encode(advert, FIRST, GROUP))
    data[at % len(data)] ^= 1 << bit
    with pytest.raises(AdvertError):
        decode(bytes(data), FIRST, GROUP)


@given(data=st.binary(max_size=40))
def test_any_bytes_are_an_advert_or_refused(data: bytes) -> None:
    try:
        advert = decode(data, FIRST, SECOND)
    except AdvertError:
        return
    assert encode(advert, FIRST, SECOND)[1:4] == data[1:4]


def test_an_advert_of_another_pair_of_addresses_has_a_wrong_checksum() -> None:
    data = encode(Advert(1, 100, 100, (SECOND,)), FIRST, GROUP)
    with pytest.raises(AdvertError, match="checksum"):
        decode(data, FIRST, SECOND)


def test_the_reserved_bits_before_the_interval_are_ignored() -> None:
    advert = Advert(1, 100, 0xF00A, (SECOND,))
    assert decode(encode(advert, FIRST, GROUP), FIRST, GROUP) == advert._replace(centiseconds=10)


def test_version_2_is_refused_by_name() -> None:
    with pytest.raises(AdvertError, match="version 2"):
        decode(VERSION_2, SECOND, GROUP)


@pytest.mark.parametrize(
    ("interval", "told"), [(1.0, 100), (0.1, 10), (0.3, 30), (0.001, 1), (40.95, 4095), (60.0, 4095)]
)
def test_intervals_are_told_in_centiseconds_as_far_as_there_is_room(interval: float, told: int) -> None:
    assert centiseconds(interval) == told
    assert seconds(told) == pytest.approx(min(max(interval, 0.01), 40.95))
