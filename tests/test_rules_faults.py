"""Rules about faults: fields that fit together, and faults that could change nothing."""

from typing import Any

import pytest

from scenarios.model import Drill
from scenarios.rules import check
from tests.drills import TOKYO, drill

DEGRADED = {"how": "degraded", "loss": "5%"}


def plan(fault: dict[str, Any], **pair: object) -> Drill:
    return drill(
        sites={"tokyo": {"register_rate": "9/s"}},
        sbc_pairs={"edge": {"site": "tokyo", "ports": 50, **pair}},
        trunks={"ntt": {"via": "edge", "channels": 9, "carrier": "NTT"}},
        numbers={TOKYO: {"trunk": "ntt", "queue": "desk"}},
        offices={"hq": {}},
        agents={"desk": {"count": 9, "office": "hq", "softphone": {"sites": ["tokyo"]}}},
        faults=[{"name": "bad", "at": "1m", **fault}],
    )


def found(fault: dict[str, Any], **pair: object) -> list[tuple[str, str]]:
    return [
        (each.id, ".".join(map(str, each.path[2:]))) for each in check(plan(fault, **pair)) if "faults" in each.path
    ]


@pytest.mark.parametrize(
    "fault",
    [
        {"trunk": "ntt", **DEGRADED},
        {"carrier": "NTT", "how": "degraded", "delay": "100ms"},
        {"office": "hq", **DEGRADED},
        {"pair": "edge", "fails": "link", **DEGRADED},
        {"pair": "edge", "fails": "link", **DEGRADED, "delay": "1ms"},
        {"carrier": "NTT"},
        {"carrier": "NTT", "fails": "503"},
        {"trunk": "ntt", "fails": "503", "retry_after": "1m"},
        {"carrier": "NTT", "refuses": "70%"},
        {"trunk": "ntt", "refuses": "70%", "answer": 480},
        {"trunk": "ntt", "refuses": "70%", "retry_after": "2m"},
        {"pair": "edge", "fails": "active", "how": "restarted", "for": "30s"},
    ],
    ids=str,
)
def test_faults_that_make_sense_have_no_finding(fault: dict[str, Any]) -> None:
    assert found(fault) == []


@pytest.mark.parametrize(
    ("fault", "findings"),
    [
        ({"trunk": "ntt", "how": "degraded"}, [("exactly-one", "")]),
        ({"trunk": "ntt", "how": "degraded", "delay": "0s"}, [("exactly-one", "")]),
        ({"trunk": "ntt", "loss": "5%"}, [("not-applicable", "loss")]),
        ({"pair": "edge", "how": "hung", "delay": "1s"}, [("not-applicable", "delay")]),
        ({"site": "tokyo", **DEGRADED}, [("not-applicable", "how")]),
        ({"registrar": "tokyo", **DEGRADED}, [("not-applicable", "how")]),
        ({"identity": True, **DEGRADED}, [("not-applicable", "how")]),
        ({"pair": "edge", **DEGRADED}, [("not-applicable", "how")]),
        ({"pair": "edge", "fails": "active", **DEGRADED}, [("not-applicable", "how")]),
        ({"trunk": "ntt", "fails": "503", **DEGRADED}, [("not-applicable", "how")]),
        ({"trunk": "ntt", "how": "restarted", "for": "1m"}, [("not-applicable", "how")]),
        ({"pair": "edge", "fails": "link", "how": "restarted", "for": "1m"}, [("not-applicable", "how")]),
        ({"pair": "edge", "fails": "link", "how": "hung"}, [("not-applicable", "how")]),
        ({"pair": "edge", "fails": "active", "how": "restarted"}, [("exactly-one", "")]),
        ({"pair": "edge", "refuses": "70%"}, [("not-applicable", "refuses")]),
        ({"office": "hq", "refuses": "70%"}, [("not-applicable", "refuses")]),
        ({"trunk": "ntt", "fails": "503", "refuses": "70%"}, [("exactly-one", "refuses")]),
        ({"trunk": "ntt", **DEGRADED, "refuses": "70%"}, [("exactly-one", "refuses")]),
        ({"trunk": "ntt", "fails": "503", "answer": 503}, [("not-applicable", "answer")]),
        ({"trunk": "ntt", "retry_after": "1m"}, [("not-applicable", "retry_after")]),
        ({"trunk": "ntt", "refuses": "70%", "answer": 486, "retry_after": "1m"}, [("not-applicable", "retry_after")]),
        ({"carrier": "NTT", "trunk": "ntt"}, [("exactly-one", "")]),
        ({"office": "hq", "fails": "503"}, [("not-applicable", "fails")]),
        ({"carrier": "NTT", "fails": "active"}, [("not-applicable", "fails")]),
    ],
    ids=str,
)
def test_fields_that_mean_nothing_together_are_refused(fault: dict[str, Any], findings: list[tuple[str, str]]) -> None:
    assert found(fault) == findings


@pytest.mark.parametrize("field", ["loss", "refuses"])
@pytest.mark.parametrize("share", ["0%", "101%"])
def test_a_share_is_of_some_and_at_most_of_all(field: str, share: str) -> None:
    with pytest.raises(ValueError, match=field):
        plan({"trunk": "ntt", "how": "degraded" if field == "loss" else "killed", field: share})


@pytest.mark.parametrize("answer", [200, 399, 700])
def test_a_refusal_is_a_final_response_that_is_none_of_success(answer: int) -> None:
    with pytest.raises(ValueError, match="answer"):
        plan({"trunk": "ntt", "refuses": "50%", "answer": answer})


# Adverts come every second; with the skew of 0.609 s the standby waits until they are 2.609 s late.


@pytest.mark.parametrize(
    ("delay", "pointless"),
    [
        ("2600ms", True),
        ("2610ms", False),
        ({"uniform": ["0s", "2600ms"]}, True),
        ({"uniform": ["0s", "3s"]}, False),
        ({"triangular": ["0s", "1s", "2600ms"]}, True),
        ({"empirical": ["1s", "3s", "2s"]}, False),
        ({"exponential": "10ms"}, False),
        ({"lognormal": {"mean": "2s", "cv": 0.1}}, False),
    ],
    ids=str,
)
def test_adverts_never_late_enough_are_pointed_out(delay: object, pointless: bool) -> None:
    late = {"pair": "edge", "fails": "link", "how": "degraded", "delay": delay}
    assert found(late) == ([("pointless-fault", "delay")] if pointless else [])
    assert found({**late, "loss": "1%"}) == [], "lost ones are missed"


def test_the_interval_and_the_priority_of_a_pair_say_how_late_is_too_late() -> None:
    late = {"pair": "edge", "fails": "link", "how": "degraded", "delay": "240ms"}
    assert found(late, detect={"by": "vrrp", "advert": "100ms"}) == [("pointless-fault", "delay")]
    assert found(late, detect={"by": "vrrp", "advert": "100ms", "priority": 254}) == []
    assert found(late, detect={"by": "vrrp", "advert": "120ms", "priority": 254}) == [("pointless-fault", "delay")]


def test_a_registrar_without_a_rate_has_no_use_for_retry_after() -> None:
    idle = drill(sites={"tokyo": {"retry_after": "1m"}})
    assert [(each.id, each.path) for each in check(idle)] == [("not-applicable", ("sites", "tokyo", "retry_after"))]
