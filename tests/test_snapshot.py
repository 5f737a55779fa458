"""A moment of made evidence: what stood then is computed by hand."""

import io
from collections.abc import Iterable

import pytest

from reports.console import safe_console
from reports.snapshot import ENTRIES, MESSAGES, Phase, Snapshot, said
from reports.terminal_snapshot import print_snapshot
from scenarios.evidence import CallRecord, EventKind, Fate, Gauge, JournalEntry, Outcome, Sample, WireRecord
from scenarios.model import Drill
from tests.made_evidence import STEPS, call, drill, waiting

AT = 612.3


def taken(*evidence: CallRecord | JournalEntry | Sample | WireRecord, plan: Drill | None = None) -> Snapshot:
    snapshot = Snapshot(plan or drill(), AT)
    for item in evidence:
        match item:
            case CallRecord():
                snapshot.calls([item])
            case JournalEntry():
                snapshot.entry(item)
            case Sample():
                snapshot.sample(item)
            case WireRecord():
                snapshot.wire(item)
    return snapshot


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def shown(snapshot: Snapshot) -> list[list[str]]:
    """Return the words of each line as it is printed."""
    file = io.StringIO()
    print_snapshot(safe_console(file), snapshot, "Replication 17, seed 7, packets engine")
    return [line.split() for line in file.getvalue().splitlines()]


def lines_of(snapshot: Snapshot, first: str) -> list[str]:
    """Return the lines that begin with a word, spaces apart made one."""
    return [" ".join(words) for words in shown(snapshot) if words[:1] == [first]]


def entry(at: float, kind: EventKind, subject: str, **detail: str | float | int | bool) -> JournalEntry:
    return JournalEntry(at, kind, subject, detail)


def sip(at: float, line: str = "INVITE sip:1@x SIP/2.0", fate: Fate = Fate.SENT, **changes: object) -> WireRecord:
    data = f"{line}\r\nCSeq: 1 INVITE\r\n\r\n".encode()
    usual = WireRecord(at, "192.0.2.1", 5060, "198.51.100.1", 5060, "udp", data, fate, "carrier", "tokyo-edge/1")
    return usual._replace(**changes)  # type: ignore[arg-type] # as the caller means them


# Who serves.


def pairs(*entries: JournalEntry, plan: Drill | None = None) -> dict[str, list[str]]:
    return {pair: list(nodes) for pair, nodes in taken(*entries, plan=plan).serving.items()}


def test_a_pair_begins_with_its_first_node_or_with_both() -> None:
    assert pairs() == {"tokyo-edge": ["tokyo-edge/1"], "osaka-edge": ["osaka-edge/1"]}
    both = drill(sbc_pairs={"tokyo-edge": {"site": "tokyo", "ports": 300, "mode": "active-active"}})
    assert pairs(plan=both) == {"tokyo-edge": ["tokyo-edge/1", "tokyo-edge/2"]}


LOST = entry(600.0, EventKind.NODE_LOST, "tokyo-edge", node="tokyo-edge/1", calls=3)
TAKEN = entry(603.1, EventKind.TAKEOVER, "tokyo-edge", node="tokyo-edge/2", outage=3.1, kept=3)
RESIGNED = entry(610.0, EventKind.RESIGNED, "tokyo-edge", node="tokyo-edge/2", calls=3)
BACK = entry(612.3, EventKind.TAKEOVER, "tokyo-edge", node="tokyo-edge/1", outage=2.3, kept=3)
LATE = entry(612.4, EventKind.NODE_LOST, "tokyo-edge", node="tokyo-edge/1", calls=3)


@pytest.mark.parametrize(
    ("happened", "serving", "since"),
    [
        ([LOST], [], "600.000 s, for 12.3s"),
        ([LOST, TAKEN], ["tokyo-edge/2"], "603.100 s, for 9.2s"),
        ([LOST, TAKEN, RESIGNED], [], "610.000 s, for 2.3s"),
        ([LOST, TAKEN, RESIGNED, BACK], ["tokyo-edge/1"], "612.300 s, for 0s"),
        ([LOST, TAKEN, RESIGNED, BACK, LATE], ["tokyo-edge/1"], "612.300 s, for 0s"),
        ([TAKEN], ["tokyo-edge/1", "tokyo-edge/2"], "603.100 s, for 9.2s"),
    ],
)
def test_the_journal_says_who_serves(happened: list[JournalEntry], serving: list[str], since: str) -> None:
    assert pairs(*happened)["tokyo-edge"] == serving
    last = next(line for line in reversed(lines_of(taken(*happened), "tokyo-edge")) if " s, " in line)
    assert last == f"tokyo-edge {serving[-1] if serving else 'nobody'} {since}"


# Calls.


@pytest.mark.parametrize(
    ("record", "phase"),
    [
        (call(612.3), Phase.SETUP),
        (call(612.25), Phase.SETUP),
        (call(612.15), Phase.WAITING),
        (call(607.3), Phase.WAITING),
        (call(607.15), Phase.TALKING),
        (call(547.3), Phase.TALKING),
        (call(547.1), None),
        (call(612.4), None),
        (call(600.0, ivr=30.0, end=700.0), Phase.IVR),
        (call(600.0, ivr=10.0, end=700.0), Phase.WAITING),
        (call(600.0, setup=None, wait=None, talk=None, end=632.0, outcome=Outcome.FAILED), Phase.SETUP),
        (call(600.0, setup=0.1, wait=60.0, talk=None, end=660.1, outcome=Outcome.ABANDONED), Phase.WAITING),
    ],
)
def test_a_call_is_up_from_its_dialling_to_its_end(record: CallRecord, phase: Phase | None) -> None:
    """Delivered after 0.1 s, answered after 5 s more, over after 65.1 s."""
    assert [up.phase for up in taken(record).up.elements()] == ([] if phase is None else [phase])


@pytest.mark.parametrize(("setup", "pair"), [(0.1, "tokyo-edge"), (20.0, "")])
def test_a_call_is_at_no_pair_before_it_is_delivered_there(setup: float, pair: str) -> None:
    assert [up.pair for up in taken(call(600.0, setup=setup, node="tokyo-edge/2")).up] == [pair]


def test_a_call_that_the_end_of_the_run_found_in_progress_is_up_at_the_end() -> None:
    plan = drill()
    snapshot = Snapshot(plan, plan.run.lasts)
    snapshot.calls([call(2390.0, outcome=Outcome.IN_PROGRESS, setup=0.1, wait=5.0, talk=4.9, end=2400.0)])
    snapshot.calls([call(2390.0, setup=0.1, wait=5.0, talk=4.9, end=2400.0)])
    assert sum(snapshot.up.values()) == 1


def test_calls_are_counted_by_pair_and_phase() -> None:
    calls = [*[call(580.0)] * 3, call(612.0), call(600.0, setup=30.0, wait=None, node="tokyo-edge/1", end=632.0)]
    snapshot = taken(*calls)
    assert lines_of(snapshot, "calls") == ["calls up being set up waiting for an answer talking all"]
    assert lines_of(snapshot, "at") == ["at no pair 1 0 0 1"]
    assert "tokyo-edge 0 1 3 4" in lines_of(snapshot, "tokyo-edge")
    assert lines_of(snapshot, "all") == ["all 1 1 3 5"]


def test_what_is_shown_with_the_same_milliseconds_is_at_the_moment() -> None:
    before, after = taken(*[entry(at, EventKind.SHIFT, "sales", on_duty=1) for at in (612.3004, 612.3006)]).entries
    assert ([each.at for each in before], [each.at for each in after]) == ([612.3004], [612.3006])


# Samples.


def test_ports_are_those_of_the_time_around_the_moment_against_their_limits() -> None:
    samples = [Sample(at, Gauge.PORTS, "tenant", most) for at, most in ((600, 200), (610, 90), (620, 125), (630, 3))]
    snapshot = taken(*samples, Sample(620, Gauge.PORTS, "nothing of the plan", 7))
    assert lines_of(snapshot, "tenant") == ["tenant 125 250 50%"]
    assert lines_of(snapshot, "between") == ["between 610 s and 620 s"]


def test_levels_are_shown_on_both_sides() -> None:
    levels = ((600, 100), (610, 60), (620, 20), (630, 3))
    snapshot = taken(*[Sample(at, Gauge.SOFTPHONES, "tokyo", phones) for at, phones in levels])
    assert lines_of(snapshot, "level") == ["level of at 610 s at 620 s"]
    assert lines_of(snapshot, "softphones") == ["softphones registered tokyo 60 20"]


def test_a_moment_on_a_sample_has_that_one_before_it() -> None:
    snapshot = Snapshot(drill(), 620.0)
    for at, most in ((610, 1), (620, 2), (630, 3)):
        snapshot.sample(Sample(at, Gauge.WAITING, "sales", most))
        snapshot.sample(Sample(at, Gauge.REGISTERS, "tokyo", most))
    assert lines_of(snapshot, "callers") == ["callers waiting sales 2 3"]


def test_at_the_end_the_last_sample_is_all_there_is() -> None:
    plan = drill()
    snapshot = Snapshot(plan, plan.run.lasts)
    for gauge, name in ((Gauge.PORTS, "tenant"), (Gauge.SOFTPHONES, "tokyo")):
        snapshot.sample(Sample(plan.run.lasts, gauge, name, 5))
    assert lines_of(snapshot, "tenant") == ["tenant 5 250 2%"]
    assert lines_of(snapshot, "softphones") == ["softphones registered tokyo 5"]


# Faults and steps.


def test_a_fault_holds_until_it_is_repaired() -> None:
    fault = entry(600.0, EventKind.FAULT, "tokyo-lost", target="tokyo")
    assert taken(fault).faults == {"tokyo-lost": 600.0}
    assert taken(fault, entry(612.3, EventKind.REPAIRED, "tokyo-lost")).faults == {}
    assert taken(fault, entry(612.4, EventKind.REPAIRED, "tokyo-lost")).faults == {"tokyo-lost": 600.0}


READY = entry(600.0, EventKind.STEP_READY, STEPS[0], released_by="tokyo-lost")
BEGUN = entry(611.0, EventKind.STEP_STARTED, STEPS[0], by="administrator")


@pytest.mark.parametrize(
    ("happened", "found"),
    [
        ([], []),
        ([READY], [("ready, not begun", 600.0)]),
        ([READY, *waiting(STEPS[0], (605.0, 620.0))], [("waits for its conditions", 605.0)]),
        ([READY, *waiting(STEPS[0], (605.0, 610.0))], [("ready, not begun", 600.0)]),
        ([READY, entry(601.0, EventKind.ACTOR_SOUGHT, STEPS[0], by="x")], [("nobody is there to take it", 601.0)]),
        ([READY, BEGUN], [("begun", 611.0)]),
        ([READY, BEGUN, entry(612.0, EventKind.STEP_FINISHED, STEPS[0])], []),
        ([READY, BEGUN, entry(613.0, EventKind.STEP_FINISHED, STEPS[0])], [("begun", 611.0)]),
    ],
)
def test_a_step_is_under_way_from_ready_to_finished(
    happened: list[JournalEntry], found: list[tuple[str, float]]
) -> None:
    assert [(step.status, step.since) for step in taken(*happened).steps] == found


# What is near.


def test_the_last_entries_and_the_next_ones_are_kept_and_no_more() -> None:
    entries = [entry(float(at), EventKind.SHIFT, "sales", on_duty=at) for at in range(500, 700)]
    before, after = taken(*entries).entries
    assert [each.at for each in before] == list(range(613 - ENTRIES[0], 613))
    assert [each.at for each in after] == list(range(613, 613 + ENTRIES[1]))


def test_the_last_messages_and_the_next_ones_are_kept_and_no_more() -> None:
    before, after = taken(*[sip(at, f"BYE sip:{at}@x SIP/2.0") for at in range(500, 700)]).messages
    assert [each.at for each in before] == list(range(613 - MESSAGES[0], 613))
    assert [each.at for each in after] == list(range(613, 613 + MESSAGES[1]))


def copies(records: Iterable[WireRecord]) -> list[bool]:
    before, after = taken(*records).messages
    return [message.again for message in (*before, *after)]


def test_a_message_that_went_the_same_way_before_is_a_copy() -> None:
    """Timer A: 0.5, 1.5, 3.5 … s after the first; T1 is 0.5 s, and nothing comes after 64·T1."""
    assert copies(sip(600.0 + at) for at in (0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5)) == [False, *[True] * 6]


@pytest.mark.parametrize(
    "other",
    [
        {"at": 632.1},
        {"target": "198.51.100.2"},
        {"source_port": 5062},
        {"transport": "tcp"},
        {"data": b"INVITE sip:1@x SIP/2.0\r\nCSeq: 2 INVITE\r\n\r\n"},
    ],
)
def test_what_differs_is_no_copy(other: dict[str, object]) -> None:
    assert copies([sip(600.0), sip(**{"at": 600.5, **other})]) == [False, False]  # type: ignore[arg-type] # as above


def test_adverts_are_no_copies_of_each_other() -> None:
    advert = sip(600.0, data=b"!\x01d\x00", transport="vrrp")
    assert copies([advert, advert._replace(at=601.0)]) == [False, False]


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (sip(0.0), "INVITE sip:1@x SIP/2.0"),
        (sip(0.0, "SIP/2.0 486 Busy Here"), "SIP/2.0 486 Busy Here (INVITE)"),
        (sip(0.0, data=b"SIP/2.0 200 OK\r\ncseq \t:\t7  BYE\r\n\r\n"), "SIP/2.0 200 OK (BYE)"),
        (sip(0.0, data=b"SIP/2.0 200 OK\r\n\r\n"), "SIP/2.0 200 OK"),
        (sip(0.0, data=b"!\x07\xf0\x01", transport="vrrp"), "VRRP advertisement: router 7, priority 240"),
        (sip(0.0, data=b"!", transport="vrrp"), "1 bytes that are no SIP"),
        (sip(0.0, data=b"\xff" * 12), "12 bytes that are no SIP"),
        (sip(0.0, data=b"INVITE sip:\xff@x SIP/2.0\r\n\r\n"), "INVITE sip:\ufffd@x SIP/2.0"),
    ],
)
def test_a_datagram_says_what_it_is(record: WireRecord, text: str) -> None:
    assert said(record) == text


def test_messages_are_shown_with_who_sent_them_and_what_became_of_them() -> None:
    snapshot = taken(
        sip(611.0, fate=Fate.CUT),
        sip(611.5, receiver="", sender=""),
        sip(613.0, "SIP/2.0 100 Trying"),
    )
    at = shown(snapshot)
    assert ["611.000", "carrier", "->", "tokyo-edge/1", "INVITE", "sip:1@x", "SIP/2.0", *Fate.CUT.split()] in at
    ends = ["192.0.2.1:5060", "->", "198.51.100.1:5060"]
    assert ["611.500", *ends, "INVITE", "sip:1@x", "SIP/2.0", "sent", "again"] in at
    assert at[-2] == ["612.300", "<<<", "this", "moment"]
    assert at[-1][-4:] == ["SIP/2.0", "100", "Trying", "(INVITE)"]


def test_a_moment_is_named_with_its_replication_and_the_time_of_day() -> None:
    plan = drill(run={"for": "40m", "warm": True, "start": "2026-11-24 09:00"})
    assert [" ".join(words) for words in shown(taken(plan=plan))[:3]] == [
        "10m12s (612.300 s) Tokyo lost, contact centre continues in Osaka",
        "Tue 2026-11-24 09:10:12",
        "Replication 17, seed 7, packets engine",
    ]


def test_no_terminal_is_too_poor_and_no_text_is_taken_for_markup() -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii")
    line = "INVITE sip:[red]@x SIP/2.0"
    print_snapshot(safe_console(file), taken(sip(600.0, line), READY, plan=drill(name="東京停止")), "")
    file.flush()
    assert line.encode() in raw.getvalue()
