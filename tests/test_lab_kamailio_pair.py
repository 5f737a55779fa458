"""A real SBC pair as the system under test: what kirikae says of its outages, against a capture that it does not read.

kirikae runs in a namespace beside the pair, as its carrier and its contact centre, and takes the master's cable out by
commands of the drill.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from random import SystemRandom
from typing import Any

import pytest

from tests import kamailio_pair as pair
from tests.keepalived import refusal
from tests.lab import peer

pytestmark = pytest.mark.lab(needs=["kamailio", "keepalived", "ip", "tshark"])

EXACT = 0.1
"""Seconds that what is said may differ from the capture by."""
PROBES = 0.05
"""Seconds between two probes."""
LEAST = 0.15
"""Seconds of silence that count: three probes."""
ATTEMPTS = 3
"""Runs that a busy machine may take until one of them was played in time."""
NUMBER = "03-1234-5678"

Case = tuple[int, float, int, float, float, Any]

CASES: list[Case] = [
    (2, 1.0, 3, 5.0, 10.0, "number"),
    (3, 0.1, 7, 1.5, 3.0, {"header": "X-Correlation-ID"}),
]
"""The version of VRRP, its adverts, how many takeovers; how long the cable is out, and from one time to the next; the
key. A second is long enough for the first node to take its addresses back."""


def drill(lab: pair.Lab, times: list[float], out: float, lasts: float, advert: float, key: object) -> dict[str, Any]:
    """Return a plan whose faults take the cable of the first node out at these times, seconds."""
    ip, space = peer("ip"), lab.nodes[0]
    command = {
        "run": [ip, "-n", space, "link", "set", pair.CABLE, "down"],
        "undo": [ip, "-n", space, "link", "set", pair.CABLE, "up"],
        "verify": [ip, "-n", space, "route", "get", pair.FREE],
    }
    return {
        "kirikae": 1,
        "name": "a real pair loses the cable of its master",
        "run": {"for": f"{lasts:.3f}s", "warm": False},
        "sites": {"tokyo": {}},
        "sbc_pairs": {"edge": {"site": "tokyo", "ports": 1000, "detect": {"by": "vrrp", "advert": f"{advert}s"}}},
        "trunks": {"ntt": {"via": "edge", "channels": 1000}},
        "numbers": {NUMBER: {"trunk": "ntt"}},
        "traffic": [{"to": NUMBER, "arrivals": "3/s", "talk": "4s"}],
        "faults": [
            {"name": f"cable-{i}", "at": f"{at:.3f}s", "for": f"{out}s", "pair": "edge", "fails": "active",
             "command": command}
            for i, at in enumerate(times, 1)
        ],
        "targets": {
            "edge": {
                "outside": {"send_to": f"udp:{pair.OUTSIDE}:5060", "listen_on": f"udp:{pair.CARRIER}:5060"},
                "inside": {"send_to": f"udp:{pair.INSIDE}:5060", "listen_on": f"udp:{pair.CENTRE}:5060"},
                "key": key,
                "nodes": [f"udp:{node}:5060" for node in pair.NODES],
                "probe": f"{PROBES}s",
            }
        },
        "expect": ["failed == 0", "dropped == 0", "answered >= 1"],
    }  # fmt: skip


@pytest.mark.parametrize(("version", "advert", "takeovers", "out", "every", "key"), CASES, ids=["1s", "100ms"])
def test_the_outage_that_is_reported_is_that_of_the_capture(
    tmp_path: Path, version: int, advert: float, takeovers: int, out: float, every: float, key: object
) -> None:
    if why := refusal():
        pytest.skip(why)
    for attempt in range(ATTEMPTS):
        folder = tmp_path / f"attempt{attempt}"
        folder.mkdir()
        times = [2.0 + i * every + SystemRandom().uniform(0.0, advert) for i in range(takeovers)]
        with pair.lab(folder, version, advert) as lab, pair.captured(lab.beside, folder / "seen.pcapng"):
            plan = folder / "plan.kirikae.yaml"
            plan.write_text(json.dumps(drill(lab, times, out, times[-1] + every, advert, key)))
            done = kirikae(lab, plan, folder / "out")
        assert done.returncode in (0, 3), done.stdout + done.stderr
        entries = [json.loads(line) for line in (folder / "out" / "journal.jsonl").read_text().splitlines()]
        if max(entry["detail"]["worst"] for entry in entries if entry["kind"] == "lateness") < EXACT / 2:
            break  # else kirikae says itself that it was late, and cannot have measured so exactly
    assert done.returncode == 0, done.stdout + done.stderr
    assert "This sends real SIP to real systems." in done.stderr
    reported = [entry["detail"]["outage"] for entry in entries if entry["kind"] == "takeover"]
    seen = pair.outages(folder / "seen.pcapng", LEAST)
    told = ", ".join(f"{one:.3f}/{other:.3f}" for one, other in zip(reported, seen, strict=False))
    print(f"VRRP version {version}, adverts {advert:g} s, outage reported/captured in seconds: {told}")  # noqa: T201 - for whoever reads CI
    assert len(reported) == len(seen) == takeovers, (reported, seen)
    assert reported == pytest.approx(seen, abs=EXACT)


def kirikae(lab: pair.Lab, plan: Path, out: Path) -> "subprocess.CompletedProcess[str]":
    """Run a drill in the namespace beside the pair; the gear is as it was afterwards even if the test gives up."""
    words = [
        peer("ip"), "netns", "exec", lab.beside, sys.executable, "-m", "kirikae", "run", str(plan), "--engine", "live",
        "--allow-target", pair.NETWORK, "--allow-number", NUMBER, "--allow-exec", "--out", str(out),
    ]  # fmt: skip
    state = {**os.environ, "XDG_STATE_HOME": str(out.parent / "state")}
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=state) as process:
        try:
            told, wrong = process.communicate(timeout=120)
        except BaseException:
            process.terminate()
            process.communicate(timeout=60)
            raise
    return subprocess.CompletedProcess(words, process.returncode, told, wrong)
