"""The benchmarks: whoever is timed counts what the others count, and what a person counts by hand."""

import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import contestants, coverage, executors, growth, measure, packets, truth
from benchmarks.bare import bare
from benchmarks.measure import Json, Options
from benchmarks.ours import engine
from benchmarks.peers import ciw, salabim
from benchmarks.simpy_models import slim, textbook
from benchmarks.whole_run import RunError, measured, whole_run
from benchmarks.workload import Contender, Load, Tally, Workload, draw
from kirikae import drills
from kirikae.runner import Task
from reports.summary import RunSummary
from scenarios.evidence import EventKind, Gauge, Sample
from sim.crew import Crew, Workers
from tests.drills import Caller, callers, played

needs_salabim = pytest.mark.skipif(find_spec("salabim") is None, reason="salabim is not installed")
needs_ciw = pytest.mark.skipif(find_spec("ciw") is None, reason="Ciw is not installed")

WITH_THE_SAME_DRAWS = [
    pytest.param(engine, id="engine"),
    pytest.param(textbook, id="textbook"),
    pytest.param(slim, id="slim"),
    pytest.param(bare, id="bare"),
    pytest.param(salabim, id="salabim", marks=needs_salabim),
]
OF_TWO_PORTS = Workload(calls=100, ports=2, rate=1.0)
"""100 s; the node dies after 50 s, and the other serves 2.6 to 3.6 s later."""


def load_of(*who: Caller) -> Load:
    """Callers known beforehand, on a pair of two ports a node."""
    return replace(draw(OF_TWO_PORTS, seed=1), blocks=list(callers(*who)))


@pytest.mark.parametrize("contender", WITH_THE_SAME_DRAWS)
@pytest.mark.parametrize(
    ("who", "tally"),
    [
        pytest.param([Caller(1, 200), Caller(2, 5), Caller(3, 5)], Tally(3, 1, 1), id="the third finds no port"),
        pytest.param([Caller(1, 200), Caller(2, 5), Caller(8, 5)], Tally(3, 0, 1), id="a port is free again"),
        pytest.param(
            [Caller(1, 200), Caller(2, 5), Caller(3, 90, again=[5])],
            Tally(4, 1, 2),
            id="who was refused dials again at 8 s, gets through, and is lost",
        ),
        pytest.param(
            [Caller(1, 200), Caller(2, 200), Caller(3, 5, again=[1, 1])], Tally(5, 3, 2), id="refused three times"
        ),
        pytest.param(
            [Caller(1, 200, again=[5]), Caller(54, 200), Caller(55, 200)],
            Tally(4, 1, 1),
            id="who was lost dials again at 65 s, and finds the other node full",
        ),
        pytest.param(
            [Caller(1, 200, again=[5]), Caller(54, 200), Caller(55, 9)],
            Tally(4, 0, 1),
            id="who was lost dials again at 65 s, after a port has become free at 64 s",
        ),
        pytest.param(
            [Caller(51, 1.6), Caller(54.2, 200), Caller(54.3, 200), Caller(56.2, 1)],
            Tally(4, 2, 0),
            id="an INVITE of 51 s meets silence at 51.5 and 52.5 s and comes at 54.5 s to a full node",
        ),
        pytest.param(
            [Caller(97, 50), Caller(98, 50), Caller(99, 5, again=[2])], Tally(3, 1, 0), id="the run ends at 100 s"
        ),
    ],
)
def test_a_case_worked_out_by_hand(contender: Contender, who: list[Caller], tally: Tally) -> None:
    assert contender(load_of(*who)) == tally


@pytest.mark.parametrize("contender", WITH_THE_SAME_DRAWS)
@pytest.mark.parametrize("seed", range(3))
def test_all_count_the_same_as_the_bare_loop(contender: Contender, seed: int) -> None:
    load = draw(Workload(calls=400, ports=9, rate=0.06), seed)
    tally = bare(load)
    assert tally.blocked
    assert tally.lost
    assert contender(load) == tally


@pytest.mark.parametrize("seed", range(3))
def test_the_node_dies_and_the_other_serves_when_the_engine_says_so(seed: int) -> None:
    load = draw(OF_TWO_PORTS, seed)
    entries = played(OF_TWO_PORTS.drill(), load.blocks, seed=seed).of(EventKind.NODE_LOST, EventKind.TAKEOVER)
    assert [entry.at for entry in entries] == pytest.approx([load.death, load.takeover])


def one_port_more(load: Load) -> Tally:
    """A contender that is wrong."""
    return bare(replace(load, workload=replace(load.workload, ports=load.workload.ports + 1)))


def test_a_contender_with_one_port_more_is_found_out() -> None:
    with pytest.raises(truth.DisagreementError, match="wrong"):
        truth.trial({"bare": bare, "wrong": one_port_more})


def test_the_bare_loop_refuses_what_erlang_b_says() -> None:
    low, high = truth.refused("bare", bare, replace(truth.LOSS, calls=20_000))["interval"]
    assert high - low < 0.03


def test_too_few_ports_are_not_what_erlang_b_says() -> None:
    def wrong(load: Load) -> Tally:
        return bare(replace(load, workload=replace(load.workload, ports=90)))

    with pytest.raises(truth.DisagreementError, match=r"Erlang B says 0\.136"):
        truth.refused("wrong", wrong, replace(truth.LOSS, calls=20_000))


@needs_ciw
@pytest.mark.slow
@pytest.mark.alone
def test_ciw_refuses_what_erlang_b_says() -> None:
    truth.refused("Ciw", ciw, truth.LOSS)


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize("calls", [True, False])
def test_the_whole_run_counts_what_the_engine_counts(calls: bool) -> None:
    work = Workload(calls=400, ports=30, rate=0.1)
    tally, _ = whole_run(work, 2, calls=calls)
    assert tally == engine(draw(work, 2))
    assert tally.lost


def test_the_peak_of_a_program_is_its_own_and_not_that_of_who_started_it() -> None:
    held = bytearray(200_000_000)
    small = measured([sys.executable, "-S", "-c", "raise SystemExit(5)"])
    large = measured([sys.executable, "-S", "-c", "held = bytearray(100_000_000)"])
    assert len(held) > large.peak > 100_000_000 > small.peak
    assert (small.code, large.code) == (5, 0)


def test_takes_go_turn_about() -> None:
    seen: list[str] = []
    actions: dict[str, Callable[[], int]] = {
        name: lambda name=name: seen.append(name) or len(seen)  # type: ignore[misc, func-returns-value]
        for name in "abc"
    }
    assert measure.turn_about(actions, 3) == {"a": [1, 6, 8], "b": [2, 4, 9], "c": [3, 5, 7]}
    assert "".join(seen) == "abcbcacab"


def test_ratios_are_taken_round_by_round() -> None:
    assert measure.ratios([2, 8, 9], [1, 2, 9]) == measure.Spread(2, 1, 4)


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(contestants.PEERS, "other", ("no_such_library", bare))
    found, missing = contestants.present()
    assert "other" not in found
    assert "other: not installed (pip install '.[bench]')" in missing


def test_growth_measures_every_size(capsys: pytest.CaptureFixture[str]) -> None:
    figures = growth.main(Options(calls=200, repeats=1))
    assert list(figures["microseconds_an_attempt"][contestants.ENGINE]) == ["99", "999", "9999"]
    assert "9,999 ports" in capsys.readouterr().out


SWITCHES = [
    pytest.param({}, id="nothing on"),
    pytest.param({"keeps": "none"}, id="nothing kept"),
    pytest.param({"journal": True, "capture": True}, id="journal and pcap"),
    pytest.param({"strict": True}, id="strict wire"),
]


@pytest.mark.parametrize("switches", SWITCHES)
def test_every_call_through_the_pair_is_completed(switches: dict[str, Any]) -> None:
    assert packets.speed(20, **switches) > 0


def test_calls_that_are_not_completed_are_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packets, "LAST", -5.0)
    with pytest.raises(RunError, match="0 of 20 calls"):
        packets.speed(20)


def test_calls_in_progress_are_measured_while_there_are_as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    class Watched(packets.Meter):
        def sample(self, sample: Sample) -> None:
            if sample.gauge is Gauge.PORTS and self.read and len(self.read) < 2:
                seen.append(sample.value)
            super().sample(sample)

    monkeypatch.setattr(packets, "Meter", Watched)
    monkeypatch.setattr(packets, "RATE", 5.0)
    speed, _ = packets.crowded(100, 50)
    assert speed > 0
    assert max(seen) == pytest.approx(50, abs=2)


def test_a_drill_is_played_by_both_engines(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = tmp_path / "small.kirikae.yaml"
    small.write_text(json.dumps(OF_TWO_PORTS.plan()), encoding="utf-8")  # JSON is YAML
    monkeypatch.setattr(drills, "find", lambda name: small)
    figures = packets.drill_time(1)
    assert list(figures) == ["calls", "packets", "times"]
    assert "100 s: simulated seconds a CPU second" in capsys.readouterr().out


def test_the_command_runs_what_is_named_and_writes_its_figures(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def one(options: Options) -> Json:
        sys.stdout.write("a table\n")
        return {"calls": options.calls}

    monkeypatch.setattr(command, "BENCHMARKS", {"one": one, "two": one})
    file = tmp_path / "figures.json"
    assert command.main(["two", "--calls", "7", "--repeats", "2", "--json", str(file)]) == 0
    assert json.loads(file.read_text("utf-8")) == {"calls": 7, "repeats": 2, "two": {"calls": 7}}
    assert capsys.readouterr().out == "a table\n"
    assert command.main(["--json", "-"]) == 0
    shown = capsys.readouterr()
    assert list(json.loads(shown.out)) == ["calls", "repeats", "one", "two"]
    assert shown.err == "a table\na table\n"


@pytest.mark.parametrize(
    ("arguments", "says"), [(["three"], "no benchmark three; there are:"), (["--calls", "0"], "'0' is no whole number")]
)
def test_a_wrong_command_line_is_explained(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        command.main(arguments)
    assert says in capsys.readouterr().err


def test_no_figures_when_a_contender_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def wrong(options: Options) -> Json:
        raise truth.DisagreementError("a: 1; b: 2")

    monkeypatch.setattr(command, "BENCHMARKS", {"wrong": wrong})
    assert command.main([]) == 1
    assert capsys.readouterr().err == "not measured: a: 1; b: 2\n"


def test_coverage_is_the_share_of_experiments_whose_interval_holds_the_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage, "EXPERIMENTS", 40)
    population = np.array([0.1, 0.2, 0.3])
    draw = coverage.drawn_from(population)
    right = coverage.fixed("mean", coverage.BLOCKED, draw, 0.2, None)
    assert (right.hits > 30, right.experiments, right.runs) == (True, 40, 100)
    assert coverage.fixed("mean", coverage.BLOCKED, draw, 0.25, None).hits == 0
    assert coverage.fixed("median", coverage.TAKEOVER, draw, 0.2, 0.5).hits > 30
    assert coverage.fixed("p95", coverage.TAKEOVER, draw, 0.2, 0.95).hits == 0
    stopped = coverage.stopped("mean", coverage.BLOCKED, draw, 0.2, "1.3 points")  # 152 runs, by hand: 0.0816, 1.976
    assert stopped.hits > 30
    assert 150 <= stopped.runs <= 225
    assert coverage.at_once("mean", draw, 0.2, 0.1).runs == 10


def test_the_drill_whose_intervals_are_counted_blocks_calls_and_takes_over_by_the_law() -> None:
    """Three adverts and a skew of 156/256, less up to one advert (RFC 5798)."""
    played = coverage.played(30)
    assert 0.02 < played[coverage.BLOCKED].mean() < 0.25
    low, high = coverage.ADVERT * (2 + 156 / 256), coverage.ADVERT * (3 + 156 / 256)
    assert all(low - 1e-9 <= time <= high + 1e-9 for time in played[coverage.TAKEOVER])


def in_threads(stack: ExitStack, echo: executors.Echo) -> tuple[dict[str, float], dict[str, Workers]]:
    """Two ways to compute, that need no process."""
    ways = {name: Workers(stack.enter_context(ThreadPoolExecutor(2)), 2) for name in ("some", "others")}
    return dict.fromkeys(ways, 0.1), ways


def test_the_ways_to_hand_out_are_timed_and_the_drill_is_played_in_this_process_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(executors, "_begun", in_threads)
    monkeypatch.setattr(executors, "TASKS", 2)
    figures = executors.main(Options(calls=50, repeats=2))
    assert list(figures) == [executors.HERE, "some", "others"]
    assert figures[executors.HERE]["times_this_process"] == {"median": 1, "low": 1, "high": 1}
    assert figures["some"]["task_alone_ms"]["low"] > 0


def test_a_way_to_hand_out_that_gives_other_numbers_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = count()

    def replicate(crew: Crew, task: Task) -> tuple[float, dict[int, RunSummary]]:
        return 1.0, {next(turns): task.run(0)}

    monkeypatch.setattr(executors, "_begun", in_threads)
    monkeypatch.setattr(executors, "TASKS", 2)
    monkeypatch.setattr(executors, "_replicate", replicate)
    with pytest.raises(truth.DisagreementError, match="other numbers"):
        executors.main(Options(calls=50, repeats=1))
