"""The carrier against the `calls` engine: the same callers and faults, and what becomes of each call.

Two engines that share their decisions may still differ in the order in which they ask for them. Datagrams take 1 ms one
way here and no time there; apart from that all agrees: trunk, answer, reason, and when.
"""

from collections.abc import Sequence
from math import inf
from typing import Any, NamedTuple

import pytest

from sbc.endpoints.subscriber import Answered, Dial, HangUp, LineDown, LineRefuses, LineRestricted, Over, Refused
from scenarios.evidence import CallRecord
from scenarios.model import Drill
from tests.drills import TOKYO, Caller, callers, drill, played
from tests.test_packets_carrier import Draws, Rig

FAULTS_AT = 100.0
TALK = 10.0
OVER_BY = 300.0

TROUBLES: dict[str, list[dict[str, Any]]] = {
    "fine": [],
    "cut": [{"trunk": "{}"}],
    "503": [{"trunk": "{}", "fails": "503"}],
    "503 for 30 s": [{"trunk": "{}", "fails": "503", "retry_after": "30s"}],
    "restricted": [{"trunk": "{}", "refuses": "100%"}],
    "restricted for 30 s": [{"trunk": "{}", "refuses": "100%", "retry_after": "30s"}],
    "restricted with 486": [{"trunk": "{}", "refuses": "100%", "answer": "486"}],
    "silent": [{"pair": "to-{}"}],
    "cut and silent": [{"trunk": "{}"}, {"pair": "to-{}"}],
}
SHARED_TROUBLES: dict[str, list[dict[str, Any]]] = {
    name: TROUBLES[name] for name in ("fine", "cut", "503 for 30 s", "silent")
} | {"one node silent": [{"pair": "to-{}", "fails": "active"}]}


class Fate(NamedTuple):
    """What became of a call."""

    trunk: str
    sip: int
    reason: str
    after: float
    """Seconds from dialling to the answer or the end."""


def recorded(record: CallRecord) -> Fate:
    after = record.end - record.start if record.setup is None else record.setup
    return Fate(record.trunk, record.sip, record.reason, round(after, 1))


def in_calls(plan: Drill, load: Sequence[Caller]) -> list[Fate]:
    """Play the `calls` engine, and return what became of each call in the order of dialling."""
    recorder = played(plan, callers(*load))
    return [recorded(record) for record in sorted(recorder.records, key=lambda record: record.attempt)]


def at_the_carrier(plan: Drill, load: Sequence[Caller]) -> list[Fate]:
    """Let the same callers call real user agents."""
    rig = Rig(plan)
    rig.run(FAULTS_AT)
    for fault in plan.faults:
        if fault.trunk is None:
            assert fault.pair is not None
            fits = f"{fault.pair}/1" if fault.fails == "active" else fault.pair
            for host in [host for name, host in rig.hosts.items() if name.startswith(fits)]:
                host.kill()
        elif fault.refuses is not None:
            draws = Draws(*[True] * 99, answer=fault.answer, retry_after=fault.retry_after)
            rig.host.tell(LineRestricted(fault.trunk, fault.name, draws))
        elif fault.fails == "503":
            rig.host.tell(LineRefuses(fault.trunk, fault.name, fault.retry_after))
        else:
            rig.host.tell(LineDown(fault.trunk, fault.name))
    fates: dict[str, Fate] = {}
    wakes = {caller.at for caller in load} | {caller.at + caller.patience for caller in load} - {inf} | {OVER_BY}
    ends: dict[str, float] = {}

    def look() -> None:
        for at, report in rig.said:
            key = getattr(report, "key", "")
            dialled = load[int(key)].at if key else 0.0
            match report:
                case Answered(_, trunk):
                    fates[key] = Fate(trunk, 200, "", round(at - dialled, 1))
                    ends[key] = at + TALK
                case Refused(_, trunk, status, reason):
                    fates[key] = Fate(trunk, status, reason, round(at - dialled, 1))
                case Over(_, trunk) if key not in fates:
                    fates[key] = Fate(trunk, 487, "nothing answers", round(at - dialled, 1))
        rig.said.clear()

    while wakes or ends:
        now = min([*wakes, *ends.values()])
        rig.run(now)
        look()
        for key, end in list(ends.items()):
            if end <= now:
                rig.host.tell(HangUp(key))
                del ends[key]
        for index, caller in enumerate(load):
            if caller.at == now:
                rig.host.tell(Dial(str(index), TOKYO))
            elif caller.at + caller.patience == now and str(index) not in fates:
                rig.host.tell(HangUp(str(index)))
        wakes.discard(now)
    assert all(limit.used == 0 for limit in rig.limits)
    return [fates[str(index)] for index in range(len(load))]


def two_trunks(first: list[dict[str, Any]], second: list[dict[str, Any]], **options: Any) -> Drill:
    faults = [
        {key: value.format(trunk) for key, value in fault.items()}
        for trunk, troubles in (("ntt", first), ("kddi", second))
        for fault in troubles
    ]
    edge = {"site": "tokyo", "ports": 99}
    return drill(
        run={"for": "20m", "warm": False},
        sbc_pairs={"to-ntt": {**edge, **options.get("pair", {})}, "to-kddi": edge},
        trunks={
            name: {"via": f"to-{name}", "channels": options.get("channels", 9), "advance_after": "8s"}
            for name in ("ntt", "kddi")
        },
        numbers={TOKYO: {"trunk": ["ntt", "kddi"], **options.get("number", {})}},
        faults=[{"name": f"f{index}", "at": f"{FAULTS_AT}s", **fault} for index, fault in enumerate(faults)],
    )


LOAD = [
    Caller(at, talk=TALK, patience=patience)
    for at, patience in ((110.0, inf), (115.0, 5.0), (125.0, 20.0), (139.0, inf), (150.0, 2.5), (200.0, inf))
]


@pytest.mark.parametrize("second", TROUBLES)
@pytest.mark.parametrize("first", TROUBLES)
def test_a_call_fares_as_in_the_calls_engine_whatever_its_two_trunks_suffer(first: str, second: str) -> None:
    plan = two_trunks(TROUBLES[first], TROUBLES[second])
    assert at_the_carrier(plan, LOAD) == in_calls(plan, LOAD)


@pytest.mark.parametrize("failover", [True, False])
@pytest.mark.parametrize("by", ["failure", "nobody"])
@pytest.mark.parametrize("second", ["fine", "silent"])
@pytest.mark.parametrize("first", SHARED_TROUBLES)
def test_a_call_to_two_nodes_fares_as_in_the_calls_engine(first: str, second: str, by: str, failover: bool) -> None:
    shared = {"mode": "active-active", "detect": {"by": by}, "failover": failover}
    plan = two_trunks(SHARED_TROUBLES[first], TROUBLES[second], pair=shared)
    assert at_the_carrier(plan, LOAD) == in_calls(plan, LOAD)


CROWD = [Caller(110.0 + step, talk=TALK) for step in (0.0, 1.0, 2.0, 3.0, 11.5, 12.5)]


@pytest.mark.parametrize(
    "options",
    [
        {"channels": 1},
        {"channels": 2},
        {"number": {"tap": 1}},
        {"number": {"tap": 3}},
        {"channels": 1, "number": {"tap": 1}},
    ],
)
@pytest.mark.parametrize("first", ["fine", "cut", "503 for 30 s"])
def test_a_crowd_meets_the_same_limits_as_in_the_calls_engine(first: str, options: dict[str, Any]) -> None:
    plan = two_trunks(TROUBLES[first], [], **options)
    assert at_the_carrier(plan, CROWD) == in_calls(plan, CROWD)


def test_the_comparison_is_no_comparison_of_nothing() -> None:
    fates = at_the_carrier(two_trunks(TROUBLES["silent"], TROUBLES["503"]), LOAD)
    assert fates[0] == Fate("kddi", 408, "trunk answers 503", 8.0)
    assert fates[1] == Fate("ntt", 487, "nothing answers", 5.0)
