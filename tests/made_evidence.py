"""Evidence made by hand, for tests of what is done with it: a drill, calls, and a whole made-up rehearsal."""

from collections.abc import Iterable, Sequence

import numpy as np

from reports.fold import Fold
from reports.queries import default_queries
from reports.summary import RunSummary
from scenarios.evidence import (
    SAMPLE_EVERY,
    CallRecord,
    Direction,
    EventKind,
    Gauge,
    JournalEntry,
    Outcome,
    Sample,
)
from scenarios.model import Drill

FREE_DIAL = "0120-123-456"
TOKYO = "03-1234-5678"
OSAKA = "06-1234-5678"
MOBILE = "090-1234-5678"
STEPS = ("press the DR button", "switch softphones", "re-point the number", "テスト通話")


def drill(*, expect: Sequence[str] = ("asr > 50%",), faults: bool = True, **changes: object) -> Drill:
    """Return a plan like Tokyo lost and Osaka taking over: 40 minutes, the fault at 10 min."""
    lost = {"name": "tokyo-lost", "at": "10m", "site": "tokyo"}
    admin = {"by": "administrator", "takes": "2m"}
    steps = [
        {"step": STEPS[0], **admin, "starts": {"after": "tokyo-lost", "delay": "3m"}, "does": {"activate": "osaka"}},
        {
            "step": STEPS[1],
            "by": "agents",
            "takes": "3m",
            "after": STEPS[0],
            "does": {"softphones": "sales", "site": "osaka"},
        },
        {"step": STEPS[2], **admin, "after": STEPS[0], "does": {"route": FREE_DIAL, "to": OSAKA}},
        {"step": STEPS[3], **admin, "after": [STEPS[1], STEPS[2]], "does": {"verify": FREE_DIAL}},
    ]
    plan: dict[str, object] = {
        "kirikae": 1,
        "name": "Tokyo lost, contact centre continues in Osaka",
        "run": {"for": "40m", "warm": True, "seed": 7, "replications": 100},
        "sites": {"tokyo": {"role": "primary"}, "osaka": {"role": "secondary"}},
        "sbc_pairs": {"tokyo-edge": {"site": "tokyo", "ports": 300}, "osaka-edge": {"site": "osaka", "ports": 200}},
        "trunks": {
            "ntt-tokyo": {"via": "tokyo-edge", "channels": 300},
            "ntt-osaka": {"via": "osaka-edge", "channels": 200},
        },
        "numbers": {
            FREE_DIAL: {"to": TOKYO},
            TOKYO: {"trunk": "ntt-tokyo", "queue": "sales"},
            OSAKA: {"trunk": "ntt-osaka", "queue": "sales", "tap": 150},
        },
        "default_caller": TOKYO,
        "ports": {"tenant": 250, "outbound": 50},
        "agents": {"sales": {"count": 100, "softphone": {"sites": ["tokyo", "osaka"]}}},
        "traffic": [
            {"to": FREE_DIAL, "arrivals": "0.5/s", "talk": "3m", "patience": "1m"},
            {"from": "sales", "to": MOBILE, "arrivals": "2/m", "talk": "2m", "shows": "default"},
        ],
        "faults": [lost] if faults else [],
        "runbook": steps if faults else [],
        "expect": list(expect),
    }
    return Drill.model_validate({**plan, **changes})


def call(start: float = 0.0, outcome: Outcome = Outcome.COMPLETED, **changes: object) -> CallRecord:
    """Return a call to the free dial number that was delivered after 0.1 s, answered after 5 s and talked 60 s.

    With another outcome than completed it was not even delivered, unless `changes` say so.
    """
    good = outcome is Outcome.COMPLETED
    usual: dict[str, object] = {
        "attempt": 0,
        "caller": 0,
        "tries": 1,
        "direction": Direction.INBOUND,
        "number": FREE_DIAL,
        "destination": TOKYO,
        "start": start,
        "setup": 0.1 if good else None,
        "wait": 5.0 if good else None,
        "talk": 60.0 if good else None,
        "end": start + 65.1 if good else start,
        "outcome": outcome,
        "reason": "",
        "sip": 200 if good else 503,
        "trunk": "ntt-tokyo",
        "node": "tokyo-edge/1" if good else "",
        "site": "tokyo",
        "queue": "sales",
        "agents": "sales" if good else "",
        "final": True,
    }
    return CallRecord(**{**usual, **changes})  # type: ignore[arg-type]


def fold(plan: Drill, *evidence: CallRecord | JournalEntry | Sample) -> RunSummary:
    """Fold evidence, asking what a run of `plan` is always asked."""
    return folded(Fold(plan, default_queries(plan)), evidence)


def folded(taker: Fold, evidence: Iterable[CallRecord | JournalEntry | Sample]) -> RunSummary:
    """Hand evidence to a fold, and return what it makes of it."""
    for item in evidence:
        match item:
            case CallRecord():
                taker.calls([item])
            case JournalEntry():
                taker.entry(item)
            case Sample():
                taker.sample(item)
    return taker.summary()


def waiting(step: str, *spans: tuple[float, float]) -> list[JournalEntry]:
    """Return the journal of a step that its conditions keep from being begun during some spans of the run."""
    return [
        entry
        for since, until in spans
        for entry in (
            JournalEntry(since, EventKind.STEP_WAITING, step, {"unmet": "repaired: tokyo-lost"}),
            JournalEntry(until, EventKind.CONDITIONS_MET, step),
        )
    ]


def rehearsal(plan: Drill, seed: int) -> RunSummary:
    """Return a made-up replication with everything that a report shows: calls fail from the fault until minute 25."""
    draw = np.random.default_rng(seed)
    calls = []
    for start in np.sort(draw.uniform(-100, 2400, 600)).tolist():
        lost = 600 <= start < 1500
        outcome = Outcome.FAILED if lost else Outcome.COMPLETED
        calls.append(call(start, outcome, reason="nothing answers" if lost else ""))
    calls.append(call(500, Outcome.DROPPED, setup=0.1, wait=2.0, talk=98.0, end=600, reason="site lost"))
    calls.append(call(1800, Outcome.BLOCKED, reason="outbound", direction=Direction.OUTBOUND, number=OSAKA))
    calls.append(call(1900, Outcome.ABANDONED, setup=0.1, wait=60.0, reason="gave up waiting"))
    moments = np.cumsum([600.0, *draw.uniform(100, 300, 4)]).tolist()
    before = ("tokyo-lost", *STEPS)
    journal = [JournalEntry(601, EventKind.EFFECT, "tokyo-lost", {"met": "call"})]
    for number, step in enumerate(STEPS):
        ready, finished = moments[number], moments[number + 1]
        journal += [
            JournalEntry(ready, EventKind.STEP_READY, step, {"released_by": before[number]}),
            JournalEntry(ready + 30, EventKind.STEP_STARTED, step),
            JournalEntry(finished, EventKind.STEP_FINISHED, step),
        ]
    samples = [
        Sample(at, gauge, name, int(draw.integers(0, 90)))
        for at in np.arange(0, 2400, SAMPLE_EVERY).tolist()
        for gauge, name in (
            (Gauge.PORTS, "tenant"),
            (Gauge.PORTS, "ntt-osaka"),
            (Gauge.SOFTPHONES, "osaka"),
            (Gauge.AGENTS_BUSY, "sales"),
            (Gauge.WAITING, "sales"),
        )
    ]
    return fold(plan, *calls, *journal, *samples)
