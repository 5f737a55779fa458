"""What formulas make of a number in a drill: Rule K, by hand, and what they are silent about."""

import pytest

from scenarios.alterations import ordinary, scaled
from scenarios.closed_form import closed_form, tightest
from scenarios.expectations import parse_expectation
from scenarios.model import Drill
from tests.drills import TOKYO, drill
from tests.made_plans import plan

AT_ONE = (parse_expectation("blocked_ratio < 1%"),)
PORTS = ("sbc_pairs", "edge", "ports")


def trunk(arrivals: str, talk: str = "100s", **more: object) -> Drill:
    stream: dict[str, object] = {"to": TOKYO, "arrivals": arrivals, "talk": talk}
    if "retry" in more:
        stream["retry"] = more.pop("retry")
    return drill(traffic=[stream], **more)


def test_lines_for_a_load() -> None:
    """Rule K: 45 lines for 33.333 erlang, 117 ports for 100 erlang at 1 %."""
    form = closed_form(trunk("0.33333/s"), ("trunks", "ntt", "channels"), AT_ONE)
    assert form is not None
    assert (form.formula, form.answer, form.streams) == ("Erlang B", 45, (0,))
    assert form.load == pytest.approx(33.333, abs=1e-3)
    form = closed_form(trunk("1/s"), PORTS, AT_ONE)
    assert form is not None
    assert form.answer == 117


def test_nodes_that_share_a_load_have_half_of_it_until_one_is_lost() -> None:
    pair = {"edge": {"site": "tokyo", "ports": 200, "mode": "active-active", "detect": {"by": "failure"}}}
    shared = closed_form(trunk("1/s", sbc_pairs=pair), PORTS, AT_ONE)
    fault = {"name": "lost", "at": "1m", "pair": "edge", "fails": "active"}
    alone = closed_form(trunk("1/s", sbc_pairs=pair, faults=[fault]), PORTS, AT_ONE)
    assert shared is not None
    assert alone is not None
    assert (shared.answer, alone.answer) == (59, 117)


def test_those_who_try_again_are_extended_erlang_b() -> None:
    """Rule K: 5.5 erlang, 3 %, half retry: 11 lines."""
    again = trunk("0.055/s", retry={"share": "50%", "after": "1m"})
    form = closed_form(again, ("ports", "tenant"), (parse_expectation("blocked_ratio < 3%"),))
    assert form is None, "the contract has no such limit"
    again = trunk("0.055/s", retry={"share": "50%", "after": "1m"}, ports={"tenant": 20})
    form = closed_form(again, ("ports", "tenant"), (parse_expectation("blocked_ratio < 3%"),))
    assert form is not None
    assert (form.formula, form.answer) == ("extended Erlang B", 11)


def test_the_site_that_takes_over_is_sized_for_what_the_runbook_leads_to_it() -> None:
    form = closed_form(plan(), ("sbc_pairs", "osaka-edge", "ports"), AT_ONE)
    assert form is not None
    assert form.load == pytest.approx(6.0), "6 calls a minute of a minute each, once the number is re-pointed"


def test_the_most_arrivals_leave_room_for_the_other_streams() -> None:
    """15 lines carry 8.108 erlang at 1 % (Rule K); 3 of them are the other stream's."""
    streams = [{"to": TOKYO, "arrivals": rate, "talk": "100s"} for rate in ("0.01/s", "0.03/s")]
    two = drill(traffic=streams, ports={"tenant": 15})
    form = closed_form(two, ("traffic", 0, "arrivals"), AT_ONE)
    assert form is not None
    assert form.answer == pytest.approx((8.108 - 3) / 100, abs=1e-5)


@pytest.mark.parametrize(
    ("patience", "target", "formula", "answer"),
    [
        (None, "service_level{queue=staff} >= 80%", "Erlang C", 14),
        (None, "asa{queue=staff} <= 8s", "Erlang C", 14),
        ("2m", "abandoned_ratio{queue=staff} < 3%", "Erlang A", 14),
        (None, "abandoned_ratio{queue=staff} < 3%", None, None),
        (None, "recovery_time < 5m", None, None),
    ],
)
def test_agents_for_a_load(patience: str | None, target: str, formula: str | None, answer: int | None) -> None:
    """Rule K: 10 erlang, 14 agents, 180 s: 88.8 % within 20 s, ASA 7.84 s; and the theory page for Erlang A."""
    stream = {"to": TOKYO, "arrivals": "200/h", "talk": "180s", **({"patience": patience} if patience else {})}
    centre = drill(
        numbers={TOKYO: {"trunk": "ntt", "queue": "staff"}},
        agents={"staff": {"count": 20, "softphone": {"sites": ["tokyo"]}}},
        traffic=[stream],
    )
    form = closed_form(centre, ("agents", "staff", "count"), (parse_expectation(target),))
    assert (form and form.formula, form and form.answer) == (formula, answer)


def test_the_strictest_of_several_targets_counts() -> None:
    targets = (parse_expectation("blocked_ratio < 1%"), parse_expectation("blocked_ratio < 0.1%"))
    form = closed_form(trunk("1/s"), PORTS, targets)
    assert form is not None
    assert (form.answer, form.goal) == (128, "blocked_ratio < 0.1%")


def test_the_tightest_limits_come_first() -> None:
    found = tightest(trunk("1/s", ports={"tenant": 110}, trunks={"ntt": {"via": "edge", "channels": 105}}))
    assert found == [((0,), 105), ((0,), 110)]


def test_other_days_and_what_formulas_do_not_know() -> None:
    busy = scaled(trunk("1/s"), volume=1.1, talk=1.2)
    assert busy.traffic[0].arrivals.peak == pytest.approx(1.1)
    assert busy.traffic[0].talk.mean == pytest.approx(120)
    assert list(ordinary(trunk("1/s"))) == []
    assert list(ordinary(plan())) == ["if nothing failed", "if everybody waited for ever"]
    assert ordinary(plan())["if nothing failed"].faults == []
