"""Sound plans that request ports, for tests of the rules; the rest of them is the plan of :mod:`tests.made_plans`."""

from typing import Any

from scenarios.model import Drill
from tests.made_plans import INBOUND, plan

MANAGED: dict[str, object] = {
    "enabled": True,
    "permissions": {"coordinator": "create"},
    "personal_connection": True,
    "outbound_rule": "each",
    "daily_limit": 25,
    "verified_after": "10m",
    "reviewed_after": "8h",
}


def request(name: str, at: float, by: str = "coordinator", **asked: Any) -> dict[str, object]:
    """Return a step of 5 min, planned for a minute of the run, that asks for limits; other fields as given."""
    limits = {name: asked.pop(name) for name in ("tenant", "outbound", "agentless") if name in asked}
    starts = {} if "after" in asked else {"starts": {"at": f"{at}m"}}
    return {"step": name, "by": by, "takes": "5m", "does": {"request_ports": limits}, **starts, **asked}


def requesting(*steps: dict[str, object], ports: dict[str, int], **management: object) -> dict[str, Any]:
    """Return the sections of a plan that make it one with requests; ``management`` changes what is said about them."""
    return {
        "system": "cxone-ports",
        "ports": ports,
        "port_management": {name: each for name, each in {**MANAGED, **management}.items() if each is not None},
        "runbook": list(steps),
    }


CAMPAIGN = {
    **INBOUND,
    "talk": "3m",
    "arrivals": {"profile": {"00:00": "2/m", "11:00": "12/m", "11:30": "2/m"}},
}
"""6 erlang, and from 11:00 to 11:30 as many as 36, for which 47 ports are too few."""


def campaign(*steps: dict[str, object], changes: dict[str, Any] | None = None, **management: object) -> Drill:
    """Return a plan of three hours from 09:00 on, with 20 ports and a campaign two hours after its start."""
    sections = requesting(*steps, ports={"tenant": 20, "outbound": 10, "agentless": 5}, **management)
    day = {
        "run": {"for": "3h", "warm": True, "start": "2026-11-26 09:00"},
        "agents": {"sales": {"count": 60, "softphone": {"sites": ["tokyo"]}}},
        "sites": {"osaka": None},
        "sbc_pairs": {"osaka-edge": None},
        "trunks": {"ntt-osaka": None},
        "numbers": {"06-1234-5678": None},
        "traffic": [CAMPAIGN],
        "faults": [],
    }
    return plan(**{**sections, **day, **(changes or {})})


UP = request("up", 10, tenant=42)
UP_AGAIN = request("up again", 60, tenant=60, when={"granted": "up"})
BACK = request("back", 155, tenant=20)
