"""Folders of small runs with messages, and records of messages, for tests of ladders."""

from collections.abc import Iterator
from pathlib import Path

from reports.folder import capture_file, detail_files
from scenarios.calendar import Clock
from scenarios.evidence import CallRecord, Direction, Fate, JournalEntry, Outcome, WireRecord
from scenarios.load import CallerBlock
from scenarios.model import Drill
from sim.packets import engine
from tests.drills import Caller, callers, drill

HOSTS = {"carrier": "198.18.1.1", "edge/1": "10.1.1.2", "edge/2": "10.1.1.2", "contact centre": "10.1.1.1"}
DIES, DIALS, TALKS = 10.0, 10.3, 2.0
"""The node dies; somebody dials; how long they talk."""


def takeover() -> tuple[Drill, Iterator[CallerBlock]]:
    """Return a drill whose first node dies, and one caller who meets the silence.

    By VRRP with adverts every second the standby is sure 2.6 to 3.6 s after the node has died: the copies of the INVITE
    after 0, 0.5 and 1.5 s meet the dead node, and that after 3.5 s the other.
    """
    plan = drill(
        run={"for": "40s", "warm": False},
        sbc_pairs={"edge": {"site": "tokyo", "ports": 9, "detect": {"by": "vrrp", "advert": "1s"}}},
        faults=[{"name": "lost", "at": "10s", "pair": "edge", "fails": "active"}],
    )
    return plan, callers(Caller(DIALS, talk=TALKS))


def played(out: Path, plan: Drill, *load: Iterator[CallerBlock]) -> Path:
    """Play a drill on the packet engine into a folder."""
    with detail_files(out, plan.run.clock) as recorder, capture_file(out, plan.run.clock) as wire:
        engine.play(plan, list(load), 1, 0, recorder, wire=wire)
    return out


def made(
    out: Path,
    *records: WireRecord,
    calls: tuple[CallRecord, ...] = (),
    journal: tuple[JournalEntry, ...] = (),
    clock: Clock | None = None,
) -> Path:
    """Write a folder of evidence that is made up."""
    with detail_files(out, clock) as recorder, capture_file(out, clock) as wire:
        recorder.calls(calls)
        for entry in journal:
            recorder.entry(entry)
        for record in records:
            wire.wire(record)
    return out


def message(
    at: float,
    sender: str,
    receiver: str,
    start: str,
    *,
    call_id: str = "one@example",
    cseq: str = "1 INVITE",
    headers: tuple[str, ...] = (),
    body: str = "",
    fate: Fate = Fate.SENT,
    transport: str = "udp",
    heard: bool = True,
    call: str = "",
) -> WireRecord:
    """Return a message between two machines."""
    lines = [start, f"Call-ID: {call_id}", f"CSeq: {cseq}", *headers, f"Content-Length: {len(body)}", "", body]
    source, target = (HOSTS.get(name, f"10.9.0.{sum(name.encode()) % 250 + 1}") for name in (sender, receiver))
    data = "\r\n".join(lines).encode()
    return WireRecord(at, source, 5060, target, 5060, transport, data, fate, sender, receiver, heard, call)


def invite(at: float, sender: str = "carrier", receiver: str = "edge/1", key: str = "7", **more: object) -> WireRecord:
    """Return an INVITE that says of which attempt it is."""
    headers = (f'P-Charging-Vector: icid-value="{key}"',) if key else ()
    start = "INVITE sip:0312345678@10.1.1.2 SIP/2.0"
    return message(at, sender, receiver, start, headers=headers, **more)  # type: ignore[arg-type] # as the caller means


def register(at: float, number: int = 1, site: str = "tokyo", cseq: int = 1, **more: object) -> WireRecord:
    """Return a REGISTER of a phone."""
    return message(
        at,
        f"phone {number}",
        f"registrar {site}",
        f"REGISTER sip:{site} SIP/2.0",
        call_id=f"phone{number}",
        cseq=f"{cseq} REGISTER",
        headers=(f"To: <sip:agent-{number}@{site}>",),
        **more,  # type: ignore[arg-type] # as the caller means
    )


def answered(request: WireRecord, at: float, status: str) -> WireRecord:
    """Return the response to a message."""
    lines = request.data.decode().split("\r\n")
    data = "\r\n".join([f"SIP/2.0 {status}", *(line for line in lines[1:] if not line.startswith("P-"))]).encode()
    return request._replace(
        at=at, source=request.target, target=request.source, data=data, sender=request.receiver, receiver=request.sender
    )


def call(
    attempt: int, outcome: Outcome = Outcome.COMPLETED, start: float = 0.0, setup: float | None = 0.004
) -> CallRecord:
    """Return what `calls.csv` says of an attempt."""
    return CallRecord(
        attempt, attempt, 1, Direction.INBOUND, "03-1234-5678", "03-1234-5678", start, setup, 0.0, 1.0, start + 2,
        outcome, "edge/1 lost" if outcome is Outcome.DROPPED else "", 200, "ntt", "edge/1", "tokyo", "", "", True,
    )  # fmt: skip
