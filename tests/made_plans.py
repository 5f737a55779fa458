"""A small sound plan for tests of the rules, and changes to it."""

from collections.abc import Mapping

from scenarios.model import Drill
from scenarios.problems import Finding
from scenarios.rules import check

FREE_DIAL = "0120-123-456"
TOKYO = "03-1234-5678"
OSAKA = "06-1234-5678"
MOBILE = "090-1234-5678"
OTHER = "03-3333-3333"

INBOUND: dict[str, object] = {"to": FREE_DIAL, "arrivals": "6/m", "talk": "1m", "patience": "1m"}
OUTBOUND: dict[str, object] = {"from": "sales", "to": MOBILE, "arrivals": "1/m", "talk": "1m", "shows": "default"}
LOST: dict[str, object] = {"name": "tokyo-lost", "at": "10m", "site": "tokyo"}


def step(
    name: str, does: Mapping[str, object] | None = None, after: object = None, **more: object
) -> dict[str, object]:
    """Return a step of one minute, set off by the fault unless it comes after another."""
    sets_off: dict[str, object] = {"after": after} if after else {"starts": {"after": "tokyo-lost"}}
    return {"step": name, "by": "administrator", "takes": "1m", **sets_off, **({"does": does} if does else {}), **more}


ACTIVATE = step("activate", {"activate": "osaka"})
SWITCH = step("switch", {"softphones": "sales", "site": "osaka"}, after="activate")
REROUTE = step("re-point", {"route": FREE_DIAL, "to": OSAKA}, after="switch")

_PLAN: dict[str, object] = {
    "kirikae": 1,
    "name": "Tokyo lost, Osaka takes over",
    "run": {"for": "1h", "warm": True},
    "sites": {"tokyo": {}, "osaka": {"role": "secondary"}},
    "sbc_pairs": {"tokyo-edge": {"site": "tokyo", "ports": 100}, "osaka-edge": {"site": "osaka", "ports": 100}},
    "trunks": {
        "ntt-tokyo": {"via": "tokyo-edge", "channels": 100},
        "ntt-osaka": {"via": "osaka-edge", "channels": 100},
    },
    "numbers": {
        FREE_DIAL: {"to": TOKYO},
        TOKYO: {"trunk": "ntt-tokyo", "queue": "sales"},
        OSAKA: {"trunk": "ntt-osaka", "queue": "sales"},
    },
    "default_caller": TOKYO,
    "agents": {"sales": {"count": 20, "softphone": {"sites": ["tokyo", "osaka"]}}},
    "traffic": [INBOUND, OUTBOUND],
    "faults": [LOST],
    "runbook": [ACTIVATE, SWITCH, REROUTE],
    "expect": ["asr > 50%"],
}


def plan(**changes: object) -> Drill:
    """Return the plan with sections changed: entries of mappings one by one (None takes one away), all else whole."""
    sections = {**_PLAN, **{name: _merged(_PLAN.get(name), change) for name, change in changes.items()}}
    return Drill.model_validate({name: section for name, section in sections.items() if section is not None})


def _merged(section: object, change: object) -> object:
    if not isinstance(section, dict) or not isinstance(change, dict):
        return change
    return {name: entry for name, entry in {**section, **change}.items() if entry is not None}


def ids(drill: Drill) -> list[str]:
    """Return the ids of all findings of a plan."""
    return [finding.id for finding in check(drill)]


def only(drill: Drill) -> Finding:
    """Return the one finding of a plan."""
    (finding,) = check(drill)
    return finding
