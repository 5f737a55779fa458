"""`kirikae size` as a planner meets it: numbers of Rule K, brute force, plain words where nothing can be had."""

import json
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

import pytest
from rich.console import Console

from kirikae import size as command
from kirikae.options import OptionError
from kirikae.size import Options, size
from kirikae.sizing.measuring import Meter, Series, verdict_of
from reports.exit_codes import ExitCode
from reports.sizing import Outcome
from scenarios.expectations import parse_expectation
from scenarios.loader import load
from scenarios.model import Verdict
from scenarios.problems import DrillError
from sim.crew import Crew, Replications
from sim.sizing import batch_ends
from tests.test_cli import kirikae

R = TypeVar("R")


def trunk(channels: int = 60, lasts: str = "6m", **more: str) -> str:
    """A trunk for 33.333 erlang in talks of 5 s, or whatever is given instead."""
    said = {
        "sbc": "{edge: {site: tokyo, ports: 400}}",
        "ports": "{}",
        "arrivals": "6.66667/s",
        "talk": "{exponential: 5s}",
        "traffic": "",
        "faults": "[]",
        "expect": "blocked_ratio < 1%",
        **more,
    }
    return f"""
kirikae: 1
name: a trunk that everything goes by
run: {{for: {lasts}, warm: true}}
sites: {{tokyo: {{}}}}
sbc_pairs: {said["sbc"]}
trunks: {{ntt: {{via: edge, channels: {channels}}}}}
numbers: {{03-1234-5678: {{trunk: ntt}}}}
ports: {said["ports"]}
traffic: [{{to: 03-1234-5678, arrivals: {said["arrivals"]}, talk: {said["talk"]}{said["traffic"]}}}]
faults: {said["faults"]}
expect: ['{said["expect"]}']
"""


SMALL = trunk(14, "15m", arrivals="30/m", talk="{exponential: 10s}")
"""5 erlang: 11 channels for 1 %."""
RETRIES = ", retry: {share: 80%, after: {exponential: 15s}, times: 5}"
PATIENT = Options(
    vary=["trunks.ntt.channels"],
    targets=[],
    maximise=False,
    confidence="95%",
    changes=[],
    engine="calls",
    seed=None,
    most=192,
    start=None,
    workers=1,
    cluster=None,
    beside=False,
    json=None,
)


def told(plan: str, folder: Path, **asked: Any) -> tuple[ExitCode, str, dict[str, Any]]:
    """Return the exit code, what stands on a terminal, and the JSON."""
    path = folder / "plan.kirikae.yaml"
    path.write_text(plan, encoding="utf-8")
    console = Console(file=StringIO(), width=120)
    options = Options(**{**{name: getattr(PATIENT, name) for name in PATIENT.__slots__}, **asked})
    options = Options(**{**vars_of(options), "json": str(folder / "size.json")})
    code = size(path, path.name, options, console)
    assert isinstance(console.file, StringIO)
    return code, console.file.getvalue(), json.loads((folder / "size.json").read_text(encoding="utf-8"))


def vars_of(options: Options) -> dict[str, Any]:
    return {name: getattr(options, name) for name in options.__slots__}


def number(result: dict[str, Any]) -> str:
    (value,) = result["answer"]["values"]
    return str(value)


# Closed forms


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plan", "vary", "answer"),
    [
        pytest.param(trunk(), "trunks.ntt.channels=38..50", "45", id="45 lines for 33.333 erlang at 1 %"),
        pytest.param(
            trunk(
                400,
                "5m",
                sbc="{edge: {site: tokyo, ports: 120, mode: active-active, detect: {by: failure}, keeps: none}}",
                arrivals="20/s",
                faults="[{name: node-lost, at: 10s, pair: edge, fails: active}]",
                expect="blocked_ratio{after=1m} < 1%",
            ),
            "sbc_pairs.edge.ports=110..125",
            "117",
            id="117 ports on each node for 100 erlang at 1 %, one of them lost",
        ),
        pytest.param(
            trunk(
                14,
                "60m",
                arrivals="66/m",
                traffic=", retry: {share: 50%, after: {exponential: 2m}, times: 20}",
                expect="blocked_ratio{after=15m} < 3%",
            ),
            "trunks.ntt.channels=7..14",
            "11",
            id="11 lines for 5.5 erlang at 3 %, half trying again",
        ),
    ],
)
def test_closed_forms_come_out_where_their_assumptions_hold(plan: str, vary: str, answer: str, tmp_path: Path) -> None:
    """Rule K."""
    code, shown, result = told(plan, tmp_path, vary=[vary])
    assert (code, number(result)) == (ExitCode.PASSED, answer)
    assert result["before"]["values"] == [str(int(answer) - 1)]
    assert result["formulas"][0]["answer"] == answer
    assert shown.startswith(answer)


# The bracket, and brute force


@pytest.mark.slow
def test_the_answer_is_the_same_with_the_bracket_removed_halved_or_doubled(tmp_path: Path) -> None:
    plan = trunk(14, "4m", arrivals="60/m", talk="{exponential: 5s}", traffic=RETRIES, expect="blocked_ratio < 0.65%")
    found = [told(plan, tmp_path, start=start)[2] for start in (None, "1", "6", "24")]
    assert number(found[0]) == "12"
    assert len({(number(each), each["before"]["values"][0], each["outcome"]) for each in found}) == 1
    values = [next(seen for seen in each["looked"] if seen["values"] == each["answer"]["values"]) for each in found]
    assert all(value == values[0] for value in values)
    assert found[0]["runs"]["search"] == min(each["runs"]["search"] for each in found)


FAILOVER = trunk(
    40,
    "10m",
    sbc="{edge: {site: tokyo, ports: 20, keeps: none, detect: {by: options, every: 5s, timeout: 2s}}}",
    arrivals="30/m",
    talk="{exponential: 20s}",
    traffic=RETRIES,
    faults="[{name: node-lost, at: 4m, pair: edge, fails: active}]",
    expect="blocked_ratio < 4%",
)


@pytest.mark.slow
def test_the_answer_is_that_of_brute_force_where_retries_and_failover_leave_no_formula(tmp_path: Path) -> None:
    """Every number of ports is looked at in as many runs as the search may make of one, without controls."""
    code, _, result = told(FAILOVER, tmp_path, vary=["sbc_pairs.edge.ports"])
    assert code is ExitCode.PASSED
    targets = (parse_expectation("blocked_ratio < 4%"),)
    smallest = None
    for ports in range(15, 18):
        drill = load(tmp_path / "plan.kirikae.yaml", [f"sbc_pairs.edge.ports={ports}"]).drill
        sights = Meter(Crew(), 99, "calls", targets, 0.95, 1).sights(Series(drill), 60)
        if smallest is None and sights[0].value is not None and sights[0].value < 0.04:
            smallest = ports
    assert number(result) == str(smallest)


# Several numbers


@pytest.mark.slow
def test_the_cheapest_combination_meets_the_target_and_nothing_cheaper_does(tmp_path: Path) -> None:
    code, shown, result = told(
        SMALL, tmp_path, vary=["trunks.ntt.channels=6..20@3", "sbc_pairs.edge.ports=6..20@5"], most=96
    )
    assert code in (ExitCode.PASSED, ExitCode.INCONCLUSIVE)
    assert result["answer"]["cost"] == sum(
        price * int(value) for price, value in zip((3, 5), result["answer"]["values"], strict=True)
    )
    targets = (parse_expectation("blocked_ratio < 1%"),)
    meter = Meter(Crew(), 1, "calls", targets, 0.95, len(batch_ends(96)))
    told_so = {tuple(each["values"]) for each in result["undecided"]}
    for channels in range(9, 13):
        for ports in range(9, 13):
            if 3 * channels + 5 * ports < result["answer"]["cost"] and (str(channels), str(ports)) not in told_so:
                changes = [f"trunks.ntt.channels={channels}", f"sbc_pairs.edge.ports={ports}"]
                drill = load(tmp_path / "plan.kirikae.yaml", changes).drill
                assert verdict_of(meter.sights(Series(drill), 24)) is not Verdict.PASSED
    assert "cost" in shown


# What cannot be had


def test_a_target_that_cannot_be_met_is_said_plainly_with_the_limit_that_binds_instead(tmp_path: Path) -> None:
    code, shown, result = told(SMALL.replace("ports: {}", "ports: {tenant: 8}"), tmp_path)
    assert (code, result["outcome"], result["answer"]) == (ExitCode.FAILED, Outcome.NONE, None)
    assert shown.startswith("CANNOT BE MET")
    assert "100% of them are blocked by tenant, which has 8 and is full" in " ".join(shown.split())


def test_rules_p8_and_p9_hold_for_what_is_proposed(tmp_path: Path) -> None:
    code, shown, result = told(
        SMALL.replace("ports: {}", "ports: {tenant: 40, outbound: 25, agentless: 5}"), tmp_path, vary=["ports.tenant"]
    )
    assert (code, number(result)) == (ExitCode.PASSED, "25")
    assert "P9" in shown
    short = trunk(14, "30s", arrivals="30/m", talk="{exponential: 10s}")
    code, shown, result = told(short, tmp_path, vary=["ports.tenant=9990..20000"], targets=["attempts > 1000000"])
    assert code is ExitCode.FAILED
    assert max(int(each["values"][0]) for each in result["looked"]) <= 9_999
    assert "above 9999 nothing is proposed" in shown.lower()
    assert "P8" in shown


def test_a_baseline_that_is_overloaded_is_not_proposed(tmp_path: Path) -> None:
    _, shown, result = told(SMALL, tmp_path, targets=["blocked_ratio < 60%"])
    assert number(result) == "6"
    assert "overloaded-baseline" in shown


# The largest


@pytest.mark.slow
def test_the_most_arrivals_are_found(tmp_path: Path) -> None:
    code, _, result = told(SMALL, tmp_path, vary=["traffic[0].arrivals"], maximise=True)
    assert code in (ExitCode.PASSED, ExitCode.INCONCLUSIVE)
    value = float(number(result).removesuffix("/m"))
    assert value == pytest.approx(7.352 * 6, rel=0.04), "14 channels carry 7.352 erlang at 1 %"


# Errors


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"vary": ["trunks.ntt.channel"]}, "did you mean 'channels'?"),
        ({"vary": ["trunks.ntt.via"]}, "which is no number"),
        ({"vary": ["trunks.ntt.channels=20..10"]}, "leads nowhere"),
        ({"vary": ["trunks.ntt.channels@0"]}, "is no price"),
        ({"vary": ["trunks.ntt.channels@5", "ports.tenant"]}, "a price for each, or for none"),
        ({"targets": ["blockd_ratio < 1%"]}, "did you mean 'blocked_ratio'?"),
        ({"targets": ["blocked_ratio{limit=ntl} < 1%"]}, "did you mean 'ntt'?"),
        ({"vary": ["sbc_pairs.edge.ports=300..400"]}, "every run is the same"),
        ({"confidence": "95"}, "write 95%"),
        ({"confidence": "100%"}, "out of range"),
        ({"engine": "live"}, "not one that makes many runs"),
        ({"engine": "call"}, "did you mean 'calls'?"),
        ({"most": 3}, "too few runs"),
        ({"start": "many"}, "not a number"),
        ({"vary": ["traffic[0].arrivals"]}, "allowed with --maximise"),
        ({"vary": ["trunks.ntt.channels", "ports.tenant"], "maximise": True}, "one --vary"),
    ],
)
def test_wrong_input_is_explained(asked: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError) as raised:
        told(SMALL, tmp_path, **asked)
    assert says in str(raised.value)


def test_a_path_that_leads_nowhere_is_explained(tmp_path: Path) -> None:
    with pytest.raises(DrillError) as raised:
        told(SMALL, tmp_path, vary=["trunks.nt.channels"])
    assert "--vary trunks.nt.channels" in str(raised.value)
    assert "did you mean 'ntt'?" in str(raised.value)


# What stands beside it


@pytest.mark.slow
def test_what_formulas_do_not_know_and_other_days_stand_beside_the_answer(tmp_path: Path) -> None:
    plan = trunk(14, "15m", arrivals="30/m", talk="{exponential: 10s}", traffic=RETRIES)
    _, shown, result = told(plan, tmp_path, beside=True, most=24)
    assert [each["words"] for each in result["causes"]] == ["if nobody tried again"]
    days = {each["words"]: each["needed"] for each in result["days"]}
    assert list(days) == ["10% fewer calls", "10% more calls", "calls 20% longer"]
    needed = [
        int(str(each).split(" to ")[0]) for each in (days["10% fewer calls"], number(result), *list(days.values())[1:])
    ]
    assert needed == sorted(needed)
    assert "Other days" in shown
    assert result["runs"]["all"] > result["runs"]["search"]


class Tired(Crew):
    """A crew that is stopped after some calls."""

    def __init__(self, calls: int) -> None:
        super().__init__()
        self.left = calls

    def compute(
        self,
        run: Callable[[int], R],
        indices: Sequence[int],
        done: Callable[[int], None] = lambda count: None,
        kept: Callable[[dict[int, R]], None] = lambda results: None,
    ) -> Replications[R]:
        self.left -= 1
        return Replications({}, interrupted=True) if self.left < 0 else super().compute(run, indices, done, kept)


@pytest.mark.parametrize(
    ("calls", "says"),
    [(0, "Nothing was known by then."), (1, "By then it was known to be missed with 9.")],
)
def test_ctrl_c_says_what_was_known_by_then(
    calls: int, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "crew", lambda workers, cluster: Tired(calls))
    code, shown, result = told(SMALL, tmp_path, start="9")
    assert (code, result["outcome"]) == (ExitCode.INCONCLUSIVE, Outcome.STOPPED)
    assert says in shown


# The command


@pytest.mark.slow
def test_the_command_finds_a_number_the_same_on_one_process_and_two(tmp_path: Path) -> None:
    path = tmp_path / "plan.kirikae.yaml"
    path.write_text(SMALL, encoding="utf-8")
    words = ["size", str(path), "--vary", "trunks.ntt.channels=10..12", "--alone", "--json", "-"]
    one, two = (kirikae(*words, "--workers", count) for count in ("1", "2"))
    assert (one.returncode, two.returncode) == (0, 0)
    assert one.stdout == two.stdout
    assert json.loads(one.stdout)["answer"]["values"] == ["11"]
