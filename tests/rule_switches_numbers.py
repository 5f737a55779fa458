"""How rows about numbers are switched off."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any
from unittest.mock import patch

from sbc.decisions.routing import NoRoute
from sbc.decisions.ways_out import NOT_USABLE
from scenarios.model import Drill, VerifyOut
from sim.deeds import Steps
from tests.drills import OSAKA
from tests.rule_switches import Switch


def _patched(target: str, instead: object) -> Callable[[], AbstractContextManager[object]]:
    return partial(patch, target, instead)


def _at_any_site(ways: Any, site: str) -> tuple[Any, ...]:
    """Let a number work at every site."""
    return tuple(ways)


def _following(change: Callable[[Steps], None]) -> Callable[[Steps, str], None]:
    """Return an activation with which caller numbers change by themselves."""
    activate = Steps.activate

    def activated(steps: Steps, site: str) -> None:
        activate(steps, site)
        change(steps)

    return activated


def _as_other_calls(drill: Drill, site: str) -> NoRoute:
    """Let emergency calls leave as others do that show no number."""
    return NOT_USABLE


def _not_forwarded(steps: Steps, number: str, to: str) -> None:
    """Let nobody have started it."""


def _always_leaves(steps: Steps, test: VerifyOut, then: Callable[[bool], None]) -> None:
    then(True)


SWITCHES: dict[str, Switch] = {
    "Z15": Switch(
        "default-caller-forgotten", "isa{direction=out}", patch=_patched("sim.calls.from_site", _at_any_site)
    ),
    "Z17": Switch("free-dial-to-050", "failed_ratio", changes=("numbers.0120-123-456.service=free-dial-intelligent",)),
    "Z20": Switch(
        "published-03-only", "failed_ratio", changes=("runbook[put the new number on the web site].does.reaches=100%",)
    ),
    "Z32": Switch(
        "default-caller-forgotten",
        "asr{direction=out}",
        patch=_patched("sim.deeds.Steps.activate", _following(lambda steps: steps.default_caller(OSAKA))),
    ),
    "Z37": Switch(
        "tokyo-osaka-dr",
        "asr{direction=out}",
        patch=_patched("sim.deeds.Steps.activate", _following(lambda steps: steps.caller_numbers("sales", OSAKA))),
    ),
    "Z39": Switch("published-03-forwarded", "failed_ratio", patch=_patched("sim.deeds.Steps.forward", _not_forwarded)),
    "Z40": Switch(
        "default-caller-forgotten",
        "runbook_time{step=test a call out}",
        patch=_patched("sim.deeds.Steps.verify_out", _always_leaves),
    ),
    "J3": Switch("published-03-forwarded", "blocked_ratio", changes=("numbers.03-1234-5678.voice_warp.channels=9999",)),
    "J5": Switch("failback-under-load", "asr{number=110}", patch=_patched("sim.world.emergency_ways", _as_other_calls)),
    "J7": Switch("port-exhaustion", "blocked_ratio{limit=tenant}", changes=("ports.tenant=9999",)),
}
