"""Small plans that break rules, and a run of one, for tests of what is told of plan checks."""

from dataclasses import replace

from reports.checked import Checked, Declared, checked
from reports.judge import Judged, judge
from scenarios.loader import load_text
from scenarios.problems import Mark
from tests.made_evidence import fold

GOOD = """
kirikae: 1
name: a small plan
run: {for: 5m, warm: true, replications: 3}
sites: {tokyo: {}}
sbc_pairs: {edge: {site: tokyo, ports: 60}}
trunks: {ntt: {via: edge, channels: 60}}
numbers:
  03-1234-5678: {trunk: ntt}
traffic: [{to: 03-1234-5678, arrivals: 0.2/s, talk: 1m}]
faults: [{name: node-dies, at: 1m, pair: edge, fails: active}]
expect: [failed_ratio < 10%]
"""
BAD = GOOD.replace("numbers:\n", "numbers:\n  03-9999-9999: {trunk: ntt}\n").replace("channels: 60", "channels: 10")
"""12 erlang for 10 channels on line 7, which is an error, and an orphan number on line 9, which is a warning."""
WAIVED = BAD + "waivers: [{finding: overloaded-baseline, reason: the carrier adds lines in May}]\n"
"""The error is waived."""


def checks(text: str, name: str = "plan.yaml") -> Checked:
    """Return what the plan checks say of a plan."""
    return checked(load_text(text, name), name)


def judged_with_checks() -> Judged:
    """Return a run of the waived plan, which also declares a fact."""
    plan = checks(WAIVED)
    declared = Declared(Mark("plan.yaml", 5, 9), "sites.tokyo", ("Z1",), "the option is in the contract")
    drill = load_text(WAIVED, "plan.yaml").drill
    return judge(drill, [fold(drill)], engine="calls", seed=7, plan=replace(plan, declared=(declared,)))
