"""A bundled drill on sockets, whole: its verdict, and set-up times held to the offsets of RFC 3261 §17.1.1.2."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.alone]

OFFSETS = (0.0, 0.5, 1.5, 3.5, 7.5)
"""When a copy of an INVITE is sent, in seconds after the first."""
ON_THE_WAY = 0.25
"""Seconds that a call may take beyond its offset; a run in which the generator is later is no evidence."""


def test_the_takeover_of_the_bundled_drill_delays_calls_by_the_grid_of_their_copies(tmp_path: Path) -> None:
    command = ["kirikae", "run", "sbc-pair-takeover", "--engine", "live", "--out", str(tmp_path)]
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, timeout=180, check=False)
    result = json.loads((tmp_path / "result.json").read_text("utf-8"))
    if any("saturated" in why for why in result["no_evidence"]):
        pytest.skip(f"this machine has too much to do: {result['no_evidence']}")
    assert done.returncode == 0, done.stdout + done.stderr
    takeover = next(each for each in result["expectations"] if each["text"].startswith("takeover_time"))
    with (tmp_path / "calls.csv").open(encoding="utf-8-sig", newline="") as file:
        setups = [float(row["setup (seconds)"]) for row in csv.DictReader(file) if row["setup (seconds)"]]
    beyond = {setup: setup - max(offset for offset in OFFSETS if offset <= setup) for setup in setups}
    assert max(beyond.values()) < ON_THE_WAY
    # Nobody waits for a later copy than the first after the takeover, which probes see to some hundredths of a second.
    first_after = min(offset for offset in OFFSETS if offset >= takeover["value"] + 0.1)
    assert max(setups) < first_after + ON_THE_WAY
    assert sum(setup >= OFFSETS[1] for setup in setups) >= 85
