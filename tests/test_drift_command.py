"""`kirikae drift` as a user meets it: errors planted in one engine are found, and nothing else is."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import scipy.stats
from rich.console import Console
from typer.testing import CliRunner

from kirikae import runner
from kirikae.cli import app
from kirikae.drift import Chosen, Options, chosen_engines, compare, share_out
from kirikae.options import OptionError
from kirikae.runner import Paired, Task
from reports.drift import metric_drift, usual_tolerance
from reports.exit_codes import ExitCode
from reports.queries import default_queries
from scenarios.evidence import Recorder, WireRecorder
from scenarios.load import CallerBlock
from scenarios.loader import load_text
from scenarios.model import Drill
from tests.test_cli import kirikae

TAKEOVER = """
kirikae: 1
name: a node dies and its pair is probed
run: {for: 90s, warm: true}
sites: {tokyo: {}}
sbc_pairs: {edge: {site: tokyo, ports: 200, detect: {by: options, every: 5s, timeout: 2s}}}
trunks: {ntt: {via: edge, channels: 200}}
numbers: {03-1234-5678: {trunk: ntt}}
traffic: [{to: 03-1234-5678, arrivals: 2/s, talk: 10s}]
faults: [{name: node-dies, at: 30s, pair: edge, fails: active}]
expect: ['takeover_time{pair=edge} <= 8s']
"""

# 10 erlang on 10 ports: by Erlang B, 21.5 % are refused, and 27.3 % on 9 ports, had nobody tried again.
FULL = """
kirikae: 1
name: a contract that is too small
run: {for: 20m, warm: true}
sites: {tokyo: {}}
sbc_pairs: {edge: {site: tokyo, ports: 100}}
trunks: {ntt: {via: edge, channels: 100}}
numbers: {03-1234-5678: {trunk: ntt}}
ports: {tenant: 10}
traffic:
  - {to: 03-1234-5678, arrivals: 0.25/s, talk: {exponential: 40s},
     retry: {share: 70%, after: {exponential: 20s}, times: 3}}
expect: [blocked_ratio < 60%]
waivers: [{finding: overloaded-baseline, reason: it is meant to be too small}]
"""

PLANTED = {
    "takeover + 0.5 s": (TAKEOVER, "sbc_pairs.edge.detect.timeout=2500ms", "takeover_time{pair=edge}"),
    "one port fewer": (FULL, "ports.tenant=9", "blocked_ratio"),
    "retry share - 10 points": (FULL, "traffic[0].retry.share=60%", "blocked_ratio"),
}


def options(**asked: Any) -> Options:
    usual: dict[str, Any] = {
        "engines": "calls,other=calls",
        "changes": (),
        "seed": None,
        "replications": 20,
        "lasts": None,
        "workers": 1,
        "cluster": None,
        "json": None,
        "everything": False,
    }
    return Options(**{**usual, **asked})


def told(plan: str, folder: Path, width: int = 120, **asked: Any) -> tuple[ExitCode, str, dict[str, Any]]:
    """Return the exit code, what stands on a terminal, and the JSON."""
    path = folder / "plan.kirikae.yaml"
    path.write_text(plan, encoding="utf-8")
    console = Console(file=StringIO(), width=width)
    code = compare(path, path.name, options(json=str(folder / "drift.json"), **asked), console)
    assert isinstance(console.file, StringIO)
    return code, console.file.getvalue(), json.loads((folder / "drift.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("plan", "change", "metric"), PLANTED.values(), ids=PLANTED)
def test_an_error_planted_in_one_engine_is_found(plan: str, change: str, metric: str, tmp_path: Path) -> None:
    code, shown, result = told(plan, tmp_path, changes=[f"other:{change}"])
    assert code is ExitCode.FAILED
    found = result["pairings"][0]["metrics"][metric]
    assert (found["agreement"], found["difference"]["significant"]) == ("differs", True)
    assert metric in shown
    assert result["engines"][1]["changes"] == [change]


BY_ADVERTS = TAKEOVER.replace("{by: options, every: 5s, timeout: 2s}", "{by: vrrp, advert: 1s}")
IN_PACKETS = {
    # Three adverts less the phase, and a skew of 156/256: 3.11 × 0.16 s on average.
    "takeover + 0.5 s": (BY_ADVERTS, "sbc_pairs.edge.detect.advert=1160ms", "takeover_time{pair=edge}"),
    "one port fewer": (FULL, "ports.tenant=9", "ports_peak{limit=tenant}"),
    "retry share - 10 points": (FULL, "traffic[0].retry.share=60%", "blocked"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("plan", "change", "metric"), IN_PACKETS.values(), ids=IN_PACKETS)
def test_calls_and_packets_agree_until_an_error_is_planted_in_one(
    plan: str, change: str, metric: str, tmp_path: Path
) -> None:
    outcomes = []
    for changes in ([], [f"packets:{change}"]):
        _, _, result = told(
            plan, tmp_path, engines="calls,packets", changes=changes, replications=12, lasts="10m", workers=1
        )
        outcomes.append(result["pairings"][0]["metrics"][metric]["agreement"])
    assert outcomes == ["agrees", "differs"]


@pytest.mark.parametrize("plan", [TAKEOVER, FULL])
def test_one_engine_twice_agrees_to_the_last_digit(plan: str, tmp_path: Path) -> None:
    code, shown, result = told(plan, tmp_path)
    assert code is ExitCode.PASSED
    assert "all of them to the last digit" in shown
    (pairing,) = result["pairings"]
    assert {metric["agreement"] for metric in pairing["metrics"].values()} == {"agrees"}


def test_a_planted_half_second_is_measured_as_half_a_second(tmp_path: Path) -> None:
    _, _, result = told(TAKEOVER, tmp_path, changes=["other:sbc_pairs.edge.detect.timeout=2500ms"])
    found = result["pairings"][0]["metrics"]["takeover_time{pair=edge}"]
    assert found["difference"]["mean"] == pytest.approx(0.5, abs=1e-9)
    assert found["difference"]["interval"] == pytest.approx([0.5, 0.5], abs=1e-9)


def test_a_drill_may_allow_a_difference(tmp_path: Path) -> None:
    change = "other:sbc_pairs.edge.detect.timeout=2500ms"
    allow = "drift: {allow: {takeover_time: 600ms, time_to_detect: 600ms, setup_delay_max: 8s, setup_delay_p99: 8s, "
    more = "setup_delay_p95: 8s, delayed: 10, ports_peak: 20}}\n"
    code, shown, _ = told(TAKEOVER + allow + more, tmp_path, changes=[change])
    assert code is ExitCode.PASSED
    assert "small, but more than chance" in shown


def test_a_change_for_all_engines_sets_none_of_them_apart(tmp_path: Path) -> None:
    code, _, result = told(TAKEOVER, tmp_path, changes=["sbc_pairs.edge.detect.timeout=2500ms"])
    assert code is ExitCode.PASSED
    assert [each["changes"] for each in result["engines"]] == [["sbc_pairs.edge.detect.timeout=2500ms"]] * 2


def test_too_few_runs_cannot_tell_and_say_how_many_could(tmp_path: Path) -> None:
    code, shown, result = told(FULL, tmp_path, replications=3, changes=["other:traffic[0].retry.share=69%"])
    assert code is ExitCode.INCONCLUSIVE
    unclear = [
        metric["difference"]["needed"]
        for metric in result["pairings"][0]["metrics"].values()
        if metric["agreement"] == "cannot tell"
    ]
    assert any(needed is not None and needed > 3 for needed in unclear)
    assert "runs could tell" in shown


def test_only_so_much_of_a_run_is_played_as_the_drill_or_the_command_line_says(tmp_path: Path) -> None:
    _, shown, result = told(TAKEOVER + "drift: {for: 45s}\n", tmp_path)
    assert (result["scenario"]["lasts"], result["scenario"]["played"]) == (90, 45)
    assert "Of 1m30s the first 45s were played." in shown
    _, _, result = told(TAKEOVER + "drift: {for: 45s}\n", tmp_path, lasts="60s")
    assert result["scenario"]["played"] == 60
    _, shown, result = told(TAKEOVER, tmp_path, lasts="1h")
    assert result["scenario"]["played"] == 90
    assert "were played" not in shown


def test_a_shorter_run_is_the_beginning_of_the_whole_one(tmp_path: Path) -> None:
    """The fault at 30 s is not there any more, and nobody misses it."""
    code, _, result = told(TAKEOVER, tmp_path, lasts="20s")
    assert (code, result["no_evidence"]) == (ExitCode.PASSED, [])
    assert "takeover_time{pair=edge}" in result["pairings"][0]["nothing_to_measure"]


@pytest.mark.parametrize("width", [40, 72, 120])
def test_every_terminal_shows_what_differs_and_by_how_much(width: int, tmp_path: Path) -> None:
    _, shown, result = told(TAKEOVER, tmp_path, width, changes=["other:sbc_pairs.edge.detect.timeout=2500ms"])
    assert max(map(len, shown.splitlines())) <= width
    assert "+500ms" in shown
    flat = "".join(shown.split())
    (pairing,) = result["pairings"]
    for query, metric in pairing["metrics"].items():
        if metric["agreement"] == "differs":
            assert "".join(query.split()) in flat
    assert "other is calls with sbc_pairs.edge.detect.timeout=2500ms.".replace(" ", "") in flat


def test_all_metrics_are_shown_if_asked_for(tmp_path: Path) -> None:
    _, shown, result = told(TAKEOVER, tmp_path, everything=True)
    assert all(query in shown for query in result["pairings"][0]["metrics"])
    assert "--all" not in shown


def test_a_third_engine_is_held_against_the_first_as_well(tmp_path: Path) -> None:
    code, _, result = told(
        TAKEOVER, tmp_path, engines="calls,same=calls,slow=calls", changes=["slow:sbc_pairs.edge.detect.timeout=3s"]
    )
    assert code is ExitCode.FAILED
    assert [(each["second"], each["agreement"]) for each in result["pairings"]] == [
        ("same", "agrees"),
        ("slow", "differs"),
    ]


def test_the_result_does_not_depend_on_the_number_of_workers(tmp_path: Path) -> None:
    (tmp_path / "plan.kirikae.yaml").write_text(FULL, encoding="utf-8")
    words = ["drift", "plan.kirikae.yaml", "--engines", "calls,less=calls", "--set", "less:ports.tenant=9", "-n", "12"]
    one, two = (kirikae(*words, "--json", "-", "--workers", count, at=tmp_path) for count in ("1", "2"))
    assert one.returncode == two.returncode == 1, one.stderr.decode()
    assert one.stdout == two.stdout
    assert b"THE ENGINES DIFFER" in one.stderr
    assert json.loads(one.stdout)["agreement"] == "differs"


# What is played


def test_all_engines_are_handed_the_same_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[list[list[CallerBlock]]] = []

    def listen(
        drill: Drill,
        load: list[Iterator[CallerBlock]],
        seed: int,
        replication: int,
        recorder: Recorder,
        *,
        wire: WireRecorder | None = None,
        strict: bool = False,
    ) -> None:
        heard.append([list(blocks) for blocks in load])

    monkeypatch.setattr(runner, "ENGINES", {"one": listen, "other": listen})
    drill = load_text(FULL, "plan").drill
    tasks = tuple(Task(drill, 7, default_queries(drill), engine) for engine in ("one", "other"))
    for replication in range(2):
        Paired(tasks).run(replication)
    assert heard[0] == heard[1]
    assert heard[2] == heard[3]
    assert heard[0] != heard[2]


@pytest.mark.slow
def test_engines_without_a_difference_seldom_seem_to_have_one(tmp_path: Path) -> None:
    """Runs with other seeds differ by chance alone: about one comparison in twenty is called significant."""
    drill = load_text(FULL, "plan", ["run.for=2m"]).drill
    (asr,) = (query for query in default_queries(drill) if str(query) == "asr")
    trials, runs = 120, 8
    summaries = [Task(drill, seed, (asr,)).run(0) for seed in range(trials * runs * 2)]
    values = [summary.values[asr] for summary in summaries]
    significant = 0
    for trial in range(trials):
        mine = values[trial * runs * 2 : (trial + 1) * runs * 2]
        pairs = list(zip(mine[:runs], mine[runs:], strict=True))
        significant += metric_drift(asr, pairs, usual_tolerance(asr), expected=False).significant
    assert 0 < significant <= scipy.stats.binom.ppf(1 - 1e-4, trials, 0.05)


# The command line


def test_engines_come_by_name_and_the_same_one_again_under_another() -> None:
    assert chosen_engines("calls, what-if = calls") == [Chosen("calls", "calls"), Chosen("what-if", "calls")]


@pytest.mark.parametrize(
    ("engines", "reason"),
    [
        ("calls", "nothing to differ from"),
        ("calls,calls", "stands twice"),
        ("calls,cals", "did you mean 'calls'"),
        ("calls,", "no engine is called ''"),
        ("calls,=calls", "no name"),
        ("calls,a b=calls", "no name"),
    ],
)
def test_engines_that_cannot_be_compared_are_refused(engines: str, reason: str) -> None:
    with pytest.raises(OptionError, match=reason):
        chosen_engines(engines)


def test_a_change_is_for_the_engine_whose_name_stands_before_it() -> None:
    chosen = [Chosen("calls", "calls"), Chosen("other", "calls")]
    changes = ["other:run.for=3m", "ports.tenant=9", "runbook[step: two].takes=3m", "calls:name=a: b"]
    given, common = share_out(changes, chosen)
    assert [each.changes for each in given] == [("name=a: b",), ("run.for=3m",)]
    assert common == ["ports.tenant=9", "runbook[step: two].takes=3m"]
    with pytest.raises(OptionError, match="did you mean 'other'"):
        share_out(["othr:run.for=3m"], chosen)


WRONG: Sequence[tuple[list[str], str]] = [
    (["--engines", "calls"], "nothing to differ from"),
    (["--engines", "calls,other=calls", "--for", "3"], "has no unit"),
    (["--engines", "calls,other=calls", "--for", "0s"], "nothing is left to play"),
    (["--engines", "calls,other=calls", "--set", "other:sbc_pairs.egde.ports=3"], "did you mean 'edge'"),
    (["--engines", "calls,other=calls", "--set", "other:trunks.ntt.channels=10"], "overloaded-baseline"),
    (["--engines", "calls,other=calls", "--set", "drift.allow.takover_time=3s"], "did you mean 'takeover_time'"),
]


@pytest.mark.parametrize(("words", "reason"), WRONG)
def test_what_cannot_be_compared_is_refused_before_anything_runs(words: list[str], reason: str, tmp_path: Path) -> None:
    plan = tmp_path / "plan.kirikae.yaml"
    plan.write_text(TAKEOVER, encoding="utf-8")
    done = CliRunner().invoke(app, ["drift", str(plan), *words])
    assert done.exit_code == 2
    assert reason in " ".join(done.stderr.split())
    assert not done.stdout


def test_a_reader_who_goes_away_does_not_change_the_exit_code(tmp_path: Path) -> None:
    (tmp_path / "plan.kirikae.yaml").write_text(TAKEOVER, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "kirikae",
        "drift",
        "plan.kirikae.yaml",
        "--engines",
        "calls,other=calls",
        "-n",
        "2",
    ]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, timeout=120, check=False)
    assert done.returncode == 0
    assert b"No space left" in done.stderr
