"""A tiny drill with a runbook, and runs of it that were never played."""

from collections.abc import Mapping, Sequence

from reports.summary import RunSummary, StepRun, Timeline
from scenarios.loader import load_text
from scenarios.model import Drill

TINY = """\
kirikae: 1
name: Tokyo is lost, and people change over
run: {for: 30m, warm: false, replications: 3}
sites:
  tokyo: {role: primary}
  osaka: {role: secondary}
sbc_pairs:
  tokyo-edge: {site: tokyo, ports: 30}
  osaka-edge: {site: osaka, ports: 30}
trunks:
  ntt-tokyo: {via: tokyo-edge, channels: 30}
  ntt-osaka: {via: osaka-edge, channels: 30}
numbers:
  0120-123-456: {to: 03-1234-5678}
  03-1234-5678: {trunk: ntt-tokyo}
  06-1234-5678: {trunk: ntt-osaka}
traffic:
  - {to: 0120-123-456, arrivals: 1/m, talk: 1m}
faults:
  - {name: tokyo-lost, at: 2m, for: 1670s, site: tokyo}
actors:
  administrator: {deputy: vendor, deputy_after: 10m}
  vendor: {}
consoles:
  dr-console: {site: osaka, address: https://dr.example.jp, needs: osaka}
runbook:
  - step: press the button       # once
    by: administrator
    starts: {after: tokyo-lost, delay: 3m}
    uses: dr-console
    takes: 2m                    # as the manual says
    does: {activate: osaka}
  - step: re-point
    by: administrator
    after: press the button
    takes: 4m
    does: {route: 0120-123-456, to: 06-1234-5678}
  - step: test call
    by: administrator
    after: re-point
    takes: 1m
    does: {verify: 0120-123-456}
  - step: go home
    by: administrator
    after: test call
    when: {repaired: tokyo-lost}
    takes: 1m
expect:
  - recovery_time{number=0120-123-456} <= 20m
"""
STEPS = ("press the button", "re-point", "test call", "go home")


def tiny(*changes: str) -> Drill:
    """Return the drill with `--set` changes."""
    return load_text(TINY, "tiny", changes).drill


def summaries(went: Mapping[str, Sequence[StepRun]]) -> list[RunSummary]:
    """Return runs in which steps went so; the steps of the tiny drill that are not named never came up."""
    runs = len(next(iter(went.values())))
    return [
        RunSummary(
            values={},
            parts_of={},
            timeline=Timeline(60.0, {}, {}, {}),
            steps={step: went[step][index] if step in went else StepRun() for step in STEPS},
            effects={},
            stopped=None,
            lateness=None,
            losses={},
            peaks={},
            responsible={},
            callers=0,
            callers_lost=0,
            records=0,
        )
        for index in range(runs)
    ]


def taking(*seconds: float, begun: float = 300.0) -> list[StepRun]:
    """Return runs of one step that took so long, each begun at the same moment of its run."""
    return [StepRun(ready=begun, started=begun, finished=begun + each) for each in seconds]
