"""The benchmark of the live engine: the rate that is found, what counts as lost, and peers that are absent."""

import resource
from collections.abc import Callable
from functools import partial

import pytest

from benchmarks import live, passing, placing, returning, sipp_ends
from benchmarks.measure import Options
from benchmarks.sipp_ends import Trial, calls, cores, highest, located
from benchmarks.whole_run import RunError
from scenarios.evidence import EventKind, Fate, JournalEntry, WireRecord

needs_sipp = pytest.mark.skipif(located("sipp") is None, reason="SIPp is not installed")
needs_kamailio = pytest.mark.skipif(located("kamailio") is None, reason="Kamailio is not installed")


@pytest.mark.parametrize("most", [10.0, 149.0, 150.0, 700.0, 5_000.0])
def test_the_rate_found_is_within_an_eighth_of_the_highest(most: float) -> None:
    found = highest(lambda rate, seconds: Trial(rate, rate <= most, 0), 150.0, 5.0, 30.0)
    assert found is not None
    assert most / 1.125 <= found.rate <= most


def test_a_rate_that_does_not_last_is_eased() -> None:
    found = highest(lambda rate, seconds: Trial(rate, rate <= (80 if seconds > 5 else 100), 0), 64.0, 5.0, 30.0)
    assert found is not None
    assert found.rate == pytest.approx(96 * 0.8)  # 64, 96, not 144, not 120, not 108


def test_each_trial_has_a_second_chance() -> None:
    tried: list[float] = []

    def every_other(rate: float, seconds: float) -> Trial:
        tried.append(rate)
        return Trial(rate, rate <= 100 and len(tried) % 2 == 0, 0)

    found = highest(every_other, 64.0, 5.0, 30.0)
    assert found is not None
    assert found.rate == 96


def test_one_who_can_do_nothing_has_no_rate() -> None:
    assert highest(lambda rate, seconds: Trial(rate, False, 0), 150.0, 5.0, 30.0) is None


# Phones


def register(at: float, branch: bytes, *, answer: bool = False) -> WireRecord:
    via = b"Via: SIP/2.0/UDP 127.0.0.1;branch=" + branch + b";rport\r\n"
    data = b"SIP/2.0 200 OK\r\n" + via if answer else b"REGISTER sip:tokyo SIP/2.0\r\n" + via
    return WireRecord(at, "", 0, "", 0, "udp", data + b"CSeq: 1 REGISTER\r\n\r\n", Fate.SENT)


def test_registers_in_vain_and_lost_ones_are_told_apart() -> None:
    watch = returning.Watch()
    lost, back = returning.LOST_AT, returning.LOST_AT + returning.LOST_FOR
    for record in (
        register(1.0, b"a"), register(1.0, b"a", answer=True),  # nothing wrong
        register(2.0, b"b"), register(2.5, b"b"), register(2.6, b"b", answer=True),  # one lost
        register(lost, b"c"), register(lost + 0.5, b"c"), register(back, b"c"), register(back, b"c", answer=True),
        register(back + 1, b"d"),  # lost, too
        register(99.0, b"e"),  # has no time to be answered
    ):  # fmt: skip
        watch.wire(record)
    assert watch.unanswered(until=98.0) == (2, 2)


def test_phones_that_are_back_are_counted_once_with_their_time() -> None:
    watch = returning.Watch()
    for agent, seconds in ((1, 3.0), (2, 4.5)):
        detail = {"agent": agent, "without": seconds}
        watch.entry(JournalEntry(9.0, EventKind.REGISTERED, "desk", detail))
    watch.entry(JournalEntry(0.0, EventKind.REGISTERED, "desk", {"agent": 3}))  # nobody had lost that line
    watch.entry(JournalEntry(9.0, EventKind.LATENESS, "generator", {"worst": 0.1}))
    assert watch.back == {1: 3.0, 2: 4.5}
    assert watch.late == 0.1


def test_too_few_files_are_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (100, 1_000))
    monkeypatch.setattr(resource, "setrlimit", lambda which, limits: None)
    assert returning.main(5_000)["missing"]
    assert "5,000 phones need 5,200 open files, and this system allows 1,000" in capsys.readouterr().out
    assert returning.too_few_files(700) == ""


def test_in_virtual_time_phones_are_back_within_half_their_expiry() -> None:
    found = returning.back(50, "packets")
    assert found.back == 50
    assert returning.EXPIRES / 2 - 5 < found.last <= returning.EXPIRES / 2
    assert found.lost == 0


@pytest.mark.slow
@pytest.mark.alone
def test_phones_on_sockets_are_back_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(returning, "EXPIRES", 4.0)
    monkeypatch.setattr(returning, "LOST_AT", 1.0)
    monkeypatch.setattr(returning, "LOST_FOR", 1.0)
    monkeypatch.setattr(returning, "SETTLES", 4.0)
    found = returning.back(20, "live")
    assert found.back == 20
    assert found.last < 4.0
    assert found.vain


# Calls


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sipp_ends, "located", lambda program: None)
    monkeypatch.setattr(returning, "too_few_files", lambda phones: "for this test")
    figures = live.main(Options(calls=50, repeats=1))
    assert figures["node"] == figures["generator"] == {"missing": ["sipp"]}
    assert figures["phones"]["phones"] == 10
    assert "sipp is not installed (Debian: apt-get install sip-tester)" in capsys.readouterr().out


PASSED = [
    pytest.param(passing.through_node, id="node"),
    pytest.param(partial(passing.through_node, proxies=True), id="node as a proxy"),
    pytest.param(passing.through_kamailio, id="Kamailio", marks=needs_kamailio),
    pytest.param(passing.through_nobody, id="nobody"),
    pytest.param(placing.by_carrier, id="carrier"),
    pytest.param(placing.by_sipp, id="SIPp"),
]


@needs_sipp
@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize("contestant", PASSED)
def test_a_few_calls_come_through(contestant: Callable[[float, float], Trial]) -> None:
    trial = contestant(10.0, 1.0)
    assert trial.good
    assert trial.rate == 10.0


@needs_sipp
@pytest.mark.slow
@pytest.mark.alone
def test_calls_that_nobody_answers_are_no_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sipp_ends, "GIVES_UP", 1.0)
    trial, _ = calls(10.0, 0.5, sipp_ends.CALLEE, cores()[1])
    assert not trial.good


@needs_sipp
@pytest.mark.slow
@pytest.mark.alone
def test_calls_placed_at_nobody_are_no_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "BEHIND", 0.5)
    monkeypatch.setattr(placing, "service", lambda: sipp_ends.CALLEE)  # SIPp answers elsewhere
    assert not placing.by_carrier(10.0, 0.5).good


@needs_sipp
def test_an_address_that_is_taken_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sipp_ends, "STARTS_WITHIN", 0.05)
    monkeypatch.setattr(sipp_ends, "listens", lambda address: True)
    with pytest.raises(RunError, match="another program has"), sipp_ends.callee(cores()[1]):
        pass
