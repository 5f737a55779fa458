"""The bundled drills in both engines, shortened and with few runs; the page about drift has what all of them showed.

Callers, phones and people draw the same in both, and so most metrics are the same in every run: two runs tell a lot.
"""

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from kirikae import drills
from kirikae.drift import compare
from tests.test_drift_command import options

PLAYED = {
    "dr-button-first": ("30m", 2),
    "dr-button-late": ("30m", 2),
    "default-caller-changed": ("25m", 2),
    "default-caller-forgotten": ("25m", 2),
    "campaign-ports-late": ("115m", 2),
    "campaign-ports-refused": ("70m", 2),
    "campaign-ports-timely": ("115m", 2),
    "failback-under-load": ("85m", 2),
    "free-dial-to-050": ("25m", 2),
    "free-dial-to-06": ("25m", 2),
    "dr-edited-in-peace": ("36m", 2),
    "dr-edited-in-peace-fixed": ("36m", 2),
    "login-at-the-lost-site": ("30m", 2),
    "login-at-the-lost-site-fixed": ("20m", 2),
    "planned-maintenance": ("45m", 2),
    "port-exhaustion": ("25m", 2),
    "port-exhaustion-fixed": ("20m", 2),
    "published-03-behind-0120": ("25m", 2),
    "published-03-forwarded": ("25m", 2),
    "published-03-only": ("25m", 2),
    "sbc-pair-takeover": ("20s", 3),
    "softphone-reconnect": ("16m", 2),
    "tokyo-osaka-dr": ("50m", 2),
    "trunk-overflow": ("1h", 2),
}
"""How much of each is played, and how often: with its faults and what people do, and in two minutes for all of them."""


def test_every_bundled_drill_is_played() -> None:
    assert set(PLAYED) == {name for name, _ in drills.bundled()}


@pytest.mark.slow
@pytest.mark.parametrize("name", PLAYED)
def test_calls_and_packets_agree_on_a_bundled_drill(name: str, tmp_path: Path) -> None:
    """So few runs have wide intervals, and what is held to the tolerances here is the mean difference."""
    lasts, runs = PLAYED[name]
    told, shown = tmp_path / "drift.json", StringIO()
    asked = options(engines="calls,packets", replications=runs, lasts=lasts, workers=1, json=str(told), everything=True)
    compare(drills.find(name), name, asked, Console(file=shown, width=120))
    result = json.loads(told.read_text(encoding="utf-8"))
    assert not result["no_evidence"]
    apart = [
        query
        for query, metric in result["pairings"][0]["metrics"].items()
        for part in (metric["difference"], metric["never"]["difference"], metric["nothing"]["difference"])
        if part is not None and abs(part["mean"]) > part["allowed"]
    ]
    assert apart == [], shown.getvalue()
