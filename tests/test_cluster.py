"""`--cluster`: real schedulers and workers of dask on loopback, and what a user is told when something is wrong."""

import json
import os
import shlex
import signal
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from benchmarks.local_cluster import scheduler, worker
from kirikae import cluster
from kirikae.cli import app
from kirikae.cluster import ClusterExecutor, ClusterLostError, check_address
from kirikae.options import OptionError
from kirikae.runner import Task, crew
from reports.queries import default_queries
from scenarios.loader import load_text
from sim import crew as hands
from tests.deadly import Deadly
from tests.test_drift_command import TAKEOVER

ROOT = Path(__file__).parent.parent


@pytest.fixture
def all_is_worth_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each replication be a task for workers, however short it is."""
    monkeypatch.setattr(hands, "WORTH_A_TASK", 1e-9)


@pytest.fixture
def task() -> Task:
    drill = load_text(TAKEOVER, "takeover").drill
    return Task(drill, 1, default_queries(drill))


@pytest.mark.slow
@pytest.mark.usefixtures("all_is_worth_a_task")
def test_two_workers_give_the_numbers_of_this_process_and_so_does_the_one_left_when_the_other_is_killed(
    task: Task, tmp_path: Path
) -> None:
    file = tmp_path / "takeover.kirikae.yaml"
    file.write_text(TAKEOVER, encoding="utf-8")
    deadly = Deadly(task, at=5, died=tmp_path / "died", spared=os.getpid())
    with scheduler() as address, worker(address) as first, worker(address, 1) as second:
        told = []
        for words in (["--workers", "1"], ["--cluster", address]):
            out = tmp_path / words[0].strip("-")
            outcome = CliRunner().invoke(app, ["run", str(file), "-n", "12", "--out", str(out), *words, "--quiet"])
            told.append((outcome.exit_code, json.loads((out / "result.json").read_text(encoding="utf-8"))))
        assert told[0] == told[1]

        with crew(cluster=address) as workers:
            heard: list[int] = []
            computed = workers.compute(deadly.run, range(20), heard.append)
        assert [first.poll(), second.poll()].count(-signal.SIGKILL) == 1
    assert deadly.died.exists()
    assert computed == crew(workers=1).compute(task.run, range(20))
    assert heard[-1] == 20
    assert heard == sorted(heard)


@pytest.mark.slow
@pytest.mark.usefixtures("all_is_worth_a_task")
def test_workers_of_other_versions_do_not_compute_whether_they_come_before_or_later(task: Task, tmp_path: Path) -> None:
    other = tmp_path / "kirikae-9.9.9.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: kirikae\nVersion: 9.9.9\n", encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    with scheduler() as address:
        with pytest.raises(OptionError, match=f"{address}: it has no workers"), crew(cluster=address):
            pass
        with worker(address) as good, crew(cluster=address) as workers, worker(address, 1, PYTHONPATH=path):
            with pytest.raises(OptionError, match=r"worker tcp://127.0.0.1:\d+: kirikae 9\.9\.9 there and \d"):
                crew(cluster=address).__enter__()
            good.kill()
            with pytest.raises(ClusterLostError, match=r"Worker tcp.*joined the cluster later, has kirikae 9\.9\.9 th"):
                workers.compute(task.run, range(5))


class Fake(Executor):
    """dask's executor and its client, as far as they are asked for here."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.tasks: list[Future[Any]] = []

    def get_executor(self, *, pure: bool) -> "Fake":
        return self

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.tasks.append(Future())
        return self.tasks[-1]

    def nthreads(self) -> dict[str, int]:
        return {f"tcp://127.0.0.1:{number}": 1 for number in range(self.workers)}

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "LOOKS_EVERY", 0.001)
    monkeypatch.setattr(cluster, "DESERTED_AFTER", 0.01)


@pytest.mark.usefixtures("looks_at_once")
def test_work_is_given_up_when_there_are_no_workers_any_more() -> None:
    executor = ClusterExecutor(Fake(workers=0), {})
    with pytest.raises(ClusterLostError, match="no worker for"):
        executor.submit(pow, 2, 3).result(60)
    executor.shutdown()


@pytest.mark.usefixtures("looks_at_once")
def test_what_becomes_of_a_task_becomes_of_its_future_and_a_cancelled_future_cancels_its_task() -> None:
    dask = Fake(workers=1)
    executor = ClusterExecutor(dask, {})
    done, failed, lost, given_up = (executor.submit(pow, 2, 3) for _ in range(4))
    dask.tasks[0].set_result(8)
    dask.tasks[1].set_exception(ValueError("broken"))
    dask.tasks[2].cancel()
    assert given_up.cancel()
    assert done.result(60) == 8
    with pytest.raises(ValueError, match="broken"):
        failed.result(60)
    with pytest.raises(ClusterLostError, match="scheduler"):
        lost.result(60)
    assert dask.tasks[3].cancelled()
    executor.shutdown()


def test_a_task_that_ends_as_many_workers_as_its_scheduler_allows_is_given_up_with_a_reason() -> None:
    from distributed import KilledWorker

    dask = Fake(workers=1)
    executor = ClusterExecutor(dask, {})
    future = executor.submit(pow, 2, 3)
    dask.tasks[0].set_exception(KilledWorker("task", SimpleNamespace(address="tcp://127.0.0.1:4711"), 3))
    with pytest.raises(
        ClusterLostError, match=r"death of 4 workers that had it, the last of them tcp://127\.0\.0\.1:4711"
    ):
        future.result(60)
    executor.shutdown()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "127.0.0.1:8786",
        "tcp://",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:0",
        "tcp://127.0.0.1:99999",
        "tcp://127.0.0.1:port",
        "tcp://:8786",
        "tcp://[::1:8786",
        "tcp://host:8786/path",
        "tcp://user@host:8786",
        "udp://127.0.0.1:8786",
    ],
)
def test_an_address_of_another_shape_is_refused_with_the_shape(address: str) -> None:
    with pytest.raises(OptionError, match=r"tcp://HOST:PORT"):
        check_address(address)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:8786", "tcp://[::1]:8786", "tcp://Build.example:8786"])
def test_an_address_is_a_host_by_number_or_name_and_a_port(address: str) -> None:
    check_address(address)


@contextmanager
def peer(says: bytes) -> Iterator[str]:
    """Take connections, say something on each, and leave it open."""
    taken: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                taken.append(server.accept()[0])
            except OSError:  # closed
                return
            taken[-1].sendall(says)

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    thread.join()
    for each in taken:
        each.close()


@pytest.mark.parametrize("says", [b"", b"SSH-2.0-OpenSSH_9.6\r\n"])
def test_a_peer_that_is_no_scheduler_is_said_to_be_none(says: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "ANSWERS_WITHIN", 0.3)
    with peer(says) as address, pytest.raises(OptionError, match="no scheduler of dask"), crew(cluster=address):
        pass


def refused(*words: str) -> str:
    """Return what is said of a command line that is refused."""
    outcome = CliRunner().invoke(app, [*words])
    assert outcome.exit_code == 2, outcome.output
    return " ".join(outcome.stderr.split())


def test_a_scheduler_that_is_not_there_is_an_error_and_nothing_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "ANSWERS_WITHIN", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    said = refused("run", "sbc-pair-takeover", "--cluster", address, "--out", str(tmp_path / "out"))
    assert f"--cluster {address}: no scheduler of dask answers there within 0.3 s" in said
    assert not (tmp_path / "out").exists()
    assert "no scheduler" in refused("drift", "sbc-pair-takeover", "--engines", "calls,packets", "--cluster", address)


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert "pip install 'kirikae[cluster]'" in refused("run", "sbc-pair-takeover", "--cluster", "tcp://127.0.0.1:1")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "sbc-pair-takeover", "--engine", "live"], "allowed with: calls, packets"),
        (["drift", "sbc-pair-takeover", "--engines", "calls,live"], "allowed with: calls, packets"),
        (["run", "sbc-pair-takeover", "--workers", "2"], "--workers"),
        (["drift", "sbc-pair-takeover", "--engines", "calls,packets", "--workers", "2"], "--workers"),
        (["run", "sbc-pair-takeover", "--at", "10s"], "--at plays one replication"),
    ],
)
def test_what_a_cluster_cannot_be_for_is_refused(words: list[str], said: str) -> None:
    assert said in refused(*words, "--cluster", "tcp://127.0.0.1:1")


def test_the_commands_of_the_page_are_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    """dask's own command line takes apart what is for it, and ours gets as far as the scheduler that is not there."""
    from distributed.cli import dask_scheduler, dask_worker

    monkeypatch.setattr(cluster, "ANSWERS_WITHIN", 0.3)
    page = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    told = Counter[str]()
    for words in (shlex.split(line) for line in page.splitlines() if line.startswith("$ ")):
        told[words[1]] += 1
        match words[1:]:
            case ["dask", "scheduler", *options]:
                dask_scheduler.main.make_context("dask scheduler", options)
            case ["dask", "worker", *options]:
                dask_worker.main.make_context("dask worker", options)
            case ["kirikae", *options]:
                assert "no scheduler of dask answers there" in refused(*options)
    assert told == {"pip": 1, "dask": 5, "kirikae": 1}
