"""Ladders: of a drill whose copies are computed by hand, and of messages that are made up."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from kirikae.cli import app
from reports.ladder import Arrival, Kind, Ladder, Message, Silence
from reports.ladders import NoLadderError, RunFolder
from scenarios.evidence import EventKind, Fate, JournalEntry, Outcome, WireRecord
from tests.ladders import DIALS, DIES, TALKS, answered, call, invite, made, message, played, register, takeover

FAULT = JournalEntry(5.0, EventKind.FAULT, "lost", {"target": "edge", "fails": "active", "how": "killed"})
HOP = 0.001
"""Seconds that a link takes."""


def told(ladder: Ladder) -> list[tuple[str, str, str]]:
    """Return who sends what to whom."""
    names = [column.name for column in ladder.columns]
    return [
        (names[each.source], names[each.target], f"{each.status} {each.method}" if each.status else each.method)
        for each in ladder.messages
    ]


@pytest.fixture(scope="module")
def taken_over(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return played(tmp_path_factory.mktemp("run"), *takeover())


def test_the_ladder_of_a_takeover_is_the_one_computed_by_hand(taken_over: Path) -> None:
    ladder = RunFolder(taken_over).call("0")
    out, inside, back = ("carrier", "edge/2"), ("edge/2", "contact centre"), ("edge/2", "carrier")
    reply = ("contact centre", "edge/2")
    comes = 3.5
    ends = comes + 4 * HOP + TALKS
    expected = [
        (0.0, ("carrier", "edge/1"), "INVITE", 1, Arrival.UNHEARD),
        (0.5, ("carrier", "edge/1"), "INVITE", 2, Arrival.UNHEARD),
        (1.5, ("carrier", "edge/1"), "INVITE", 3, Arrival.UNHEARD),
        (comes, out, "INVITE", 4, Arrival.HEARD),
        (comes + HOP, inside, "INVITE", 1, Arrival.HEARD),
        (comes + 2 * HOP, reply, "200 INVITE", 1, Arrival.HEARD),
        (comes + 3 * HOP, inside, "ACK", 1, Arrival.HEARD),
        (comes + 3 * HOP, back, "200 INVITE", 1, Arrival.HEARD),
        (comes + 4 * HOP, out, "ACK", 1, Arrival.HEARD),
        (ends, out, "BYE", 1, Arrival.HEARD),
        (ends + HOP, back, "200 BYE", 1, Arrival.HEARD),
        (ends + HOP, inside, "BYE", 1, Arrival.HEARD),
        (ends + 2 * HOP, reply, "200 BYE", 1, Arrival.HEARD),
    ]
    assert [(*way, what) for _, way, what, _, _ in expected] == told(ladder)
    assert [(copy, arrival) for *_, copy, arrival in expected] == [(m.copy, m.arrival) for m in ladder.messages]
    at = [each.at - DIALS for each in ladder.messages]
    assert at == pytest.approx([at for at, *_ in expected], abs=2e-6)
    assert [column.name for column in ladder.columns] == ["carrier", "edge/1", "edge/2", "contact centre"]
    assert {len(ladder.columns[n].addresses) for n in range(4)} == {1}
    assert ladder.columns[1].addresses == ladder.columns[2].addresses, "the service address, which has moved"


def test_silences_and_what_happened_stand_between_the_messages(taken_over: Path) -> None:
    ladder = RunFolder(taken_over).call("0")
    quiet = [(row.since - DIALS, row.until - DIALS) for row in ladder.rows if isinstance(row, Silence)]
    pauses = [(0.5, 1.5), (1.5, 3.5), (3.504, 3.504 + TALKS)]
    assert quiet == [pytest.approx(each, abs=2e-6) for each in pauses]
    events = [(row.kind, row.at) for row in ladder.rows if isinstance(row, JournalEntry)]
    assert [kind for kind, _ in events] == [EventKind.FAULT, EventKind.DETECTED, EventKind.TAKEOVER]
    assert events[0][1] == DIES, "a fault that the call began in"
    at = [row.since if isinstance(row, Silence) else row.at for row in ladder.rows]
    assert at[0] == DIES
    assert [row for row in ladder.rows if isinstance(row, Message)] == ladder.messages


def test_what_a_live_run_has_written_later_is_told_at_its_moment(tmp_path: Path) -> None:
    noticed = JournalEntry(2.0, EventKind.NODE_LOST, "edge", {"node": "edge/1"})
    earlier = noticed._replace(at=1.5, kind=EventKind.DETECTED, detail={"by": "vrrp"})
    begun = FAULT._replace(at=0.5)
    journal = (FAULT._replace(at=7.0), noticed, earlier, begun)
    before, after = register(0.2, 1), register(3.0, 2)
    records = [before, registered(before, 0.3), *map(invite, (1.0, 1.75)), after, registered(after, 3.1), invite(5.0)]
    run = RunFolder(made(tmp_path, *records, calls=(call(7),), journal=journal))
    rows = run.call("7").rows
    assert [row for row in rows if isinstance(row, JournalEntry)] == [begun, earlier, noticed]
    at = [row.at for row in rows if not isinstance(row, Silence)]
    assert at == sorted(at)
    assert run.telling().ladders[Kind.REGISTRATION].begins == 3.0, "the first fault is the earliest one"


def test_a_call_is_found_by_either_of_its_call_ids_and_as_the_first_that_was_late(taken_over: Path) -> None:
    run = RunFolder(taken_over)
    whole = run.call("0")
    assert len(whole.call_ids) == 2
    for call_id in whole.call_ids:
        assert run.call(call_id) == whole
    telling = run.telling()
    assert telling.ladders == {Kind.DELAYED: whole}
    assert (telling.picks.attempts, telling.picks.delayed_of_all, telling.picks.lost_of_all) == (1, 1, 0)


def test_what_nobody_has_asked_for_is_not_in_a_ladder(tmp_path: Path) -> None:
    other = invite(1.0, key="8", call_id="two@example")
    probe = message(1.5, "carrier", "edge/1", "OPTIONS sip:10.1.1.2 SIP/2.0", call_id="probe", cseq="1 OPTIONS")
    records = [invite(0.0), other, probe, answered(invite(0.0), 2.0, "200 OK"), answered(other, 2.5, "486 Busy Here")]
    run = RunFolder(made(tmp_path, *records, calls=(call(7), call(8))))
    assert told(run.call("7")) == [("carrier", "edge/1", "INVITE"), ("edge/1", "carrier", "200 INVITE")]
    assert told(run.call("8"))[1] == ("edge/1", "carrier", "486 INVITE")


def test_the_legs_of_a_second_invite_are_of_the_same_attempt(tmp_path: Path) -> None:
    again = invite(3.0, key="7.2", call_id="again@example")
    ladder = RunFolder(made(tmp_path, invite(0.0), again, calls=(call(7),))).call("7")
    assert [each.copy for each in ladder.messages] == [1, 1], "another INVITE is no copy"


def test_of_a_real_pair_what_ties_the_legs_stands_beside_the_capture(tmp_path: Path) -> None:
    records = (
        invite(0.0, receiver="edge", key="", call="7"),
        invite(0.1, "edge", "contact centre", "", call="7", call_id="b@example"),
        invite(0.2, receiver="edge", key="", call="8", call_id="c@example"),
    )
    run = RunFolder(made(tmp_path, *records, calls=(call(7), call(8))))
    assert told(run.call("7")) == [("carrier", "edge", "INVITE"), ("edge", "contact centre", "INVITE")]
    assert run.call("b@example") == run.call("7")
    assert told(run.call("c@example")) == [("carrier", "edge", "INVITE")]


def test_what_was_lost_on_the_way_is_told_from_what_nobody_heard(tmp_path: Path) -> None:
    records = (
        invite(0.0, fate=Fate.LOST),
        invite(0.5, heard=False),
        invite(1.5, receiver="", heard=False),
        invite(3.5, fate=Fate.CUT, heard=False),
        invite(7.5),
    )
    ladder = RunFolder(made(tmp_path, *records, calls=(call(7),))).call("7")
    lost, unheard, heard = Arrival.LOST, Arrival.UNHEARD, Arrival.HEARD
    assert [each.arrival for each in ladder.messages] == [lost, unheard, unheard, lost, heard]
    assert [each.copy for each in ladder.messages] == [1, 2, 1, 3, 4], "to another address it is no copy"


def test_columns_stand_from_outside_to_inside_and_the_other_way_round_for_calls_out(tmp_path: Path) -> None:
    inward = [
        invite(0.0),
        invite(0.1, "edge/1", "contact centre", call_id="b"),
        invite(0.2, "contact centre", "phone 3", call_id="c"),
    ]
    outward = [
        invite(1.0, "phone 3", "contact centre", "8", call_id="d"),
        invite(1.1, "contact centre", "edge/2", "8", call_id="e"),
        invite(1.2, "edge/2", "carrier", "8", call_id="f"),
        invite(1.3, "contact centre", "edge/1", "8", call_id="g"),
    ]
    run = RunFolder(made(tmp_path, *inward, *outward, calls=(call(7), call(8))))
    assert [each.name for each in run.call("7").columns] == ["carrier", "edge/1", "contact centre", "phone 3"]
    names = ["phone 3", "contact centre", "edge/1", "edge/2", "carrier"]
    assert [each.name for each in run.call("8").columns] == names


# Registrations


def registered(request: WireRecord, at: float) -> WireRecord:
    return answered(request, at, "200 OK")


def test_a_registration_is_told_from_the_first_register_to_the_answer_whatever_lies_between(tmp_path: Path) -> None:
    plain, refreshed, after = register(1.0, 1), register(200.0, 2, cseq=2), register(400.0, 2, cseq=4)
    asked = register(200.5, 2, cseq=3)
    records = [
        plain, registered(plain, 1.1),
        refreshed, refreshed._replace(at=200.4), answered(refreshed, 200.45, "401 Unauthorized"),
        asked, registered(asked, 200.6), after, registered(after, 400.1),
    ]  # fmt: skip
    found = RunFolder(made(tmp_path, *records, journal=(FAULT,))).telling().ladders[Kind.REGISTRATION]
    assert [each.at for each in found.messages] == pytest.approx([200.0, 200.4, 200.45, 200.5, 200.6])
    assert found.address_of_record == "sip:agent-2@tokyo"
    assert [each.copy for each in found.messages] == [1, 2, 1, 1, 1]


@pytest.mark.parametrize(
    ("trouble", "which"),
    [
        ({"heard": False}, 3),
        ({"fate": Fate.LOST}, 3),
        ({}, 2),  # all went well: the first after the fault
    ],
)
def test_the_registration_that_met_trouble_after_the_fault_goes_before_the_others(
    tmp_path: Path, trouble: dict[str, Any], which: int
) -> None:
    before, well, third = register(1.0, 1, heard=False), register(6.0, 2), register(7.0, 3, **trouble)
    again = register(8.0, 3, cseq=2)
    records = [before, registered(before, 1.5), well, registered(well, 6.1), third, again, registered(again, 8.1)]
    found = RunFolder(made(tmp_path, *records, journal=(FAULT,))).telling().ladders[Kind.REGISTRATION]
    assert found.address_of_record == f"sip:agent-{which}@tokyo"


def test_a_phone_that_never_came_back_is_a_registration_too(tmp_path: Path) -> None:
    sent = [register(6.0 + offset, 1, heard=False) for offset in (0.0, 0.5, 1.5)]
    well = register(6.2, 2)
    records = [sent[0], well, registered(well, 6.3), *sent[1:]]
    found = RunFolder(made(tmp_path, *records, journal=(FAULT,))).telling().ladders[Kind.REGISTRATION]
    assert [each.copy for each in found.messages] == [1, 2, 3]


# What is chosen


def test_a_dropped_call_goes_before_one_that_was_blocked_earlier(tmp_path: Path) -> None:
    calls = (
        call(1, Outcome.ABANDONED, 1.0), call(2, Outcome.BLOCKED, 2.0), call(4, Outcome.DROPPED, 4.0),
        call(3, Outcome.DROPPED, 3.0), call(5, Outcome.COMPLETED, 0.5, 0.5), call(6, Outcome.COMPLETED, 0.0, 0.4),
    )  # fmt: skip
    records = [invite(float(n), key=str(n), call_id=f"call{n}") for n in range(1, 7) if n != 3]
    telling = RunFolder(made(tmp_path, *records, calls=calls)).telling()
    chosen = {kind: each.attempt and each.attempt.attempt for kind, each in telling.ladders.items()}
    assert chosen == {Kind.DELAYED: "5", Kind.LOST: "4"}, "attempt 3 has no message, and 0.4 s is no delay"
    assert (telling.picks.delayed_of_all, telling.picks.lost_of_all) == (1, 4)


def test_a_ladder_of_a_report_says_how_much_it_leaves_out(taken_over: Path) -> None:
    whole = RunFolder(taken_over).call("0")
    short = whole.first(4)
    assert short.messages == whole.messages[:4]
    assert (short.more, whole.more) == (9, 0)
    assert whole.first(13) is whole


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("99", "99: there is no such attempt"),
        ("nobody@example", "nobody@example: no message in"),
        ("8", "attempt 8 has sent no message: failed"),
    ],
)
def test_a_call_that_is_not_there_is_said_to_be_missing(tmp_path: Path, asked: str, why: str) -> None:
    run = RunFolder(made(tmp_path, invite(0.0), calls=(call(7), call(8, Outcome.FAILED))))
    with pytest.raises(NoLadderError, match=why):
        run.call(asked)


@pytest.mark.parametrize("name", ["packets.pcap", "wire.jsonl", "calls.csv", "journal.jsonl"])
def test_a_file_that_is_missing_or_torn_is_named(tmp_path: Path, name: str) -> None:
    folder = made(tmp_path, invite(0.0), calls=(call(7),), journal=(FAULT,))
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[:-4] if name != "calls.csv" else whole.replace(b",in,", b",", 1))
    with pytest.raises(NoLadderError, match=name):
        RunFolder(folder).telling()
    (folder / name).unlink()
    with pytest.raises(NoLadderError, match=f"there is no {name}; kirikae run writes them with --engine packets"):
        RunFolder(folder)


def refused(*words: str | Path) -> str:
    """Return what the command says where it leaves with 2, and has not crashed."""
    done = CliRunner().invoke(app, ["ladder", *map(str, words)])
    assert (done.exit_code, type(done.exception)) == (2, SystemExit), done.exception
    return done.stderr


def test_a_table_that_ends_within_a_line_or_whose_quote_never_ends_is_refused_with_its_line(tmp_path: Path) -> None:
    path = made(tmp_path, invite(0.0), calls=(call(7), call(8))) / "calls.csv"
    whole = path.read_text("utf-8-sig")
    torn = whole[: whole.rindex(",ntt,") + len(",ntt,")]
    quoted = whole.replace(",ntt,", ',"ntt,', 1) + "x" * 140_000
    for text, line in ((torn, 3), (quoted, 2), ('"' + whole + "x" * 140_000, 1)):
        path.write_text(text, "utf-8-sig")
        for words in ([], ["8"]):
            assert f"calls.csv: line {line} is none of kirikae's" in refused(tmp_path, *words)


@pytest.mark.parametrize(("asked", "why"), [("9" * 5000, "there is no such attempt"), ("\udcff", "no message in")])
def test_what_can_be_no_call_is_said_to_be_missing_too(tmp_path: Path, asked: str, why: str) -> None:
    assert why in refused(made(tmp_path, invite(0.0), calls=(call(7),)), asked)


def test_a_call_id_may_have_bytes_that_are_no_text(tmp_path: Path) -> None:
    odd = invite(0.0)
    made(tmp_path, odd._replace(data=odd.data.replace(b"one@example", b"\xff@example")))
    done = CliRunner().invoke(app, ["ladder", str(tmp_path), "\udcff@example"])
    assert (done.exit_code, "INVITE" in done.stdout) == (0, True)


def test_a_folder_that_nobody_may_search_has_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", refuse)
    assert "there is no packets.pcap" in refused(tmp_path)


def torn(entry: dict[str, Any], **other: object) -> str:
    """Return a line of a journal with other fields; without those that are None."""
    return json.dumps({name: value for name, value in {**entry, **other}.items() if value is not None})


FAILED: dict[str, Any] = {
    "at": 0.0,
    "kind": "fault",
    "subject": "lost",
    "detail": {"target": "edge", "fails": "active"},
}
TOOK_OVER: dict[str, Any] = {
    "at": 0.0,
    "kind": "takeover",
    "subject": "edge",
    "detail": {"node": "edge/2", "outage": 1},
}
DETAILS = {
    EventKind.NODE_LOST: "node", EventKind.DETECTED: "by", EventKind.RESIGNED: "node", EventKind.REROUTED: "to"
}  # fmt: skip


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (torn(FAILED, detail=5), "detail no object"),
        (torn(FAILED, detail={"target": "edge"}), "no 'fails'"),
        (torn(FAILED, detail={"target": "edge", "fails": ["x"]}), "fails is no text and no number"),
        (torn(FAILED, subject=["x"]), "subject is no text"),
        (torn(FAILED, subject="\ud800"), "half a surrogate pair"),
        (torn(FAILED, subject=None), "no 'subject'"),
        (torn(FAILED, at=10**400), "int too large"),
        (torn(FAILED, at=-1e300), "a time that is in no run"),
        (torn(TOOK_OVER, detail={"node": "edge/2"}), "no 'outage'"),
        (torn(TOOK_OVER, detail={"node": "edge/2", "outage": "long"}), "could not convert"),
        (torn(TOOK_OVER, detail={"node": "edge/2", "outage": float("nan")}), "a time that is in no run"),
        ("[" * 100_000, "too many brackets"),
        *((torn(FAILED, kind=kind, detail={"target": "edge"}), f"no '{name}'") for kind, name in DETAILS.items()),
    ],
)
def test_a_line_of_a_journal_that_is_none_of_ours_is_refused_with_its_line(tmp_path: Path, line: str, why: str) -> None:
    journal = made(tmp_path, invite(0.0), calls=(call(7),)) / "journal.jsonl"
    journal.write_text(json.dumps(FAILED) + f"\n{line}\n", "utf-8")
    told = refused(tmp_path, "7", "--json", "-")
    assert "journal.jsonl: line 2 is none of kirikae's" in told
    assert why in told


@pytest.mark.parametrize(
    ("number", "line", "why"),
    [
        (1, '{"version": 1, "clock": {"start": "9999-12-31T23:59", "zone": null, "dated": true}}', "no run begins at"),
        (1, '{"version": 1, "clock": {"start": "0001-01-01T00:00", "zone": null, "dated": true}}', "no run begins at"),
        (1, '{"version": 1, "clock": {"start": "2026-01-01", "zone": "No/Such", "dated": true}}', "No/Such"),
        (2, '{"machine": "\\ud800", "mac": "02:06:a5:30:d0:6b"}', "half a surrogate pair"),
        (2, '{"at": 0, "call_id": "x", "attempt": "\\ud800"}', "half a surrogate pair"),
        (2, '{"a":' * 100_000, "too many brackets"),
        (2, '{"at": 1' + "0" * 400 + ', "machine": "edge/1", "hears": false}', "int too large"),
    ],
)
def test_a_line_about_the_wire_that_is_none_of_ours_is_refused_with_its_line(
    tmp_path: Path, number: int, line: str, why: str
) -> None:
    wire = made(tmp_path, invite(0.0), calls=(call(7),)) / "wire.jsonl"
    lines = wire.read_text("utf-8").splitlines()
    lines[number - 1] = line
    wire.write_text("\n".join(lines), "utf-8")
    for words in (["--json", "-"], ["--html", tmp_path / "page.html"]):
        told = refused(tmp_path, "7", *words)
        assert f"wire.jsonl: line {number} is none of kirikae's" in told
        assert why in told


def test_the_command_says_what_is_wrong_and_leaves_with_2(tmp_path: Path) -> None:
    for words in (["ladder", str(tmp_path / "none")], ["ladder", str(tmp_path)]):
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 2
        assert "there is no" in done.stderr
    made(tmp_path, invite(0.0), calls=(call(7),))
    for call_, why in (("lost", "there is no such call in this run"), ("--text", "allowed: with a CALL")):
        done = CliRunner().invoke(app, ["ladder", str(tmp_path), call_])
        assert (done.exit_code, why in done.stderr) == (2, True), done.stderr


def test_programs_get_the_ladder_as_json(taken_over: Path) -> None:
    done = CliRunner().invoke(app, ["ladder", str(taken_over), "delayed", "--json", "-"])
    data = json.loads(done.stdout)
    assert (data["version"], data["chosen_for"], data["attempt"]["attempt"]) == (1, "delayed", 0)
    assert data["call_ids"] == RunFolder(taken_over).call("0").call_ids
    rows = [row for row in data["rows"] if row["kind"] == "message"]
    assert [row["since"] for row in rows[:4]] == [0.0, 0.5, 1.5, 3.5]
    assert [(row["from"], row["to"], row["arrival"]) for row in rows[2:4]] == [
        ("carrier", "edge/1", "unheard"),
        ("carrier", "edge/2", "heard"),
    ]
    assert rows[0]["text"].startswith("INVITE sip:0312345678@")
    listed = json.loads(CliRunner().invoke(app, ["ladder", str(taken_over), "--json", "-"]).stdout)
    assert listed["ladders"] == {"delayed": {"attempt": 0, "call_ids": data["call_ids"], "messages": 13}}
