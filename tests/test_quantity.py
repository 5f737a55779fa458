"""What `--vary` may say, and what it means."""

import pytest

from scenarios.loader import Loaded, load_text
from scenarios.quantity import parse_vary, quantity
from scenarios.units import UnitError

PLAN = """
kirikae: 1
name: numbers of all kinds
run: {for: 10m, warm: true}
sites: {tokyo: {}}
sbc_pairs: {edge: {site: tokyo, ports: 120, detect: {by: vrrp, advert: 1s}}}
trunks: {ntt.east: {via: edge, channels: 40}}
numbers: {03-1234-5678: {trunk: ntt.east}}
traffic:
  - {to: 03-1234-5678, arrivals: 30/m, talk: 10s, retry: {share: 70%, after: 5s}}
  - {to: 03-1234-5678, arrivals: {profile: {"09:00": 1/s}}, talk: 10s}
expect: [asr > 50%]
"""


@pytest.fixture
def plan() -> Loaded:
    return load_text(PLAN.replace("for: 10m, warm", 'for: 10m, start: "09:00", warm'), "plan")


@pytest.mark.parametrize(
    ("text", "low", "high", "now"),
    [
        ("sbc_pairs.edge.ports", "1", "9999", "120"),
        ("sbc_pairs.edge.ports=50..200", "50", "200", "120"),
        ("trunks[ntt.east].channels=10..60:10", "10", "60", "40"),
        ("ports.tenant", "1", "9999", None),
        ("traffic[0].arrivals", "0.2/m", "600/m", "30/m"),
        ("traffic[0].arrivals=10/m..20/m:0.5/m", "10/m", "20/m", "30/m"),
        ("traffic[0].retry.share=10%..90%:10%", "10%", "90%", "70%"),
        ("sbc_pairs.edge.detect.advert=500ms..2s:500ms", "500ms", "2s", "1s"),
    ],
)
def test_a_number_from_where_to_where(plan: Loaded, text: str, low: str, high: str, now: str | None) -> None:
    found = quantity(text, plan)
    assert (found.text(found.low), found.text(found.high)) == (low, high)
    assert (None if found.now is None else found.text(found.now)) == now
    assert found.change(found.low) == f"{found.path}={low}"
    assert found.rung(found.number(found.high)) == found.high


def test_a_price_is_of_one(plan: Loaded) -> None:
    assert quantity("sbc_pairs.edge.ports=50..200@1200", plan).price == 1200
    assert quantity("ports.tenant@0.5", plan).price == 0.5
    assert parse_vary("runbook[call a@b].takes") == ("runbook[call a@b].takes", None, None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sbc_pairs.edge.port", "did you mean 'ports'"),
        ("sbc_pairs.edge.site", "which is no number"),
        ("sbc_pairs.edge", "is no number"),
        ("traffic[1].arrivals", "is no number"),
        ("sbc_pairs.edge.cps=5..", "is no range"),
        ("sbc_pairs.edge.ports=9..5", "leads nowhere"),
        ("sbc_pairs.edge.ports=5..9/m", "is no range"),
        ("sbc_pairs.edge.ports=1..9000000", "more than 1,000,000 values"),
        ("sbc_pairs.edge.ports=", "not PATH=LOW..HIGH"),
        ("sbc_pairs.edge.ports@-1", "is no price"),
        ("sbc_pairs.edge.ports@5%", "is no price"),
        ("run.start", "is no number"),
        ("", "no path"),
    ],
)
def test_what_is_no_number_is_explained(plan: Loaded, text: str, says: str) -> None:
    with pytest.raises(UnitError) as raised:
        quantity(text, plan)
    assert says in str(raised.value)
