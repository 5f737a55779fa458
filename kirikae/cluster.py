"""A cluster of dask.distributed as the workers of a crew: the same tasks, on many machines.

The library is the extra `cluster`, and imported where one is asked for.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future
from concurrent.futures import wait as wait_for
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from kirikae.options import OptionError
from sim.crew import Workers

if TYPE_CHECKING:
    from distributed import Client

R = TypeVar("R")
Versions = Mapping[str, str | None]
"""By name of what has them; None is for what is not there."""

ADDRESSES = "tcp://HOST:PORT, such as tcp://127.0.0.1:8786"
ANSWERS_WITHIN = 10.0
"""Seconds in which a scheduler has to answer."""
DESERTED_AFTER = 60.0
"""Seconds without any worker after which work is given up; a worker that died is replaced by its nanny in a few."""
LOOKS_EVERY = 1.0
"""Seconds between two looks at whether there are workers."""
_DECIDE_RESULTS = ("kirikae", "numpy", "simpy")
"""Packages that have to be of one version everywhere, or a result would depend on who computed it."""
_GONE = "The scheduler of the cluster is gone, and what it had with it."
_GIVEN_UP = ("closing", "closed")
"""What the status of a client is once dask has given its scheduler up."""
_NAMED = 3
"""Workers that an error names; others are counted."""


class ClusterLostError(BrokenExecutor):
    """A cluster that cannot finish what it has begun; says why."""


def check_address(address: str) -> None:
    """Raise :class:`~kirikae.options.OptionError` for what is not `tcp://HOST:PORT`."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:  # a port that is no number, a bracket left open
        host = port = None
    if not host or not port or address.lower() not in (f"tcp://{host}:{port}", f"tcp://[{host}]:{port}"):
        raise OptionError(f"--cluster {address}: this is no address of a scheduler (allowed: {ADDRESSES})")


def connect(address: str) -> Workers:
    """Return the workers of the cluster whose scheduler is at ``address``, all of one version with this process.

    Raises :class:`~kirikae.options.OptionError` where they cannot be had.
    """
    try:
        from distributed import Client
    except ImportError:
        raise OptionError(
            f"--cluster {address}: this needs dask.distributed, which is not installed (pip install 'kirikae[cluster]')"
        ) from None
    _check_scheduler(address)
    client = Client(address, timeout=ANSWERS_WITHIN, set_as_default=False)
    try:
        told = client.get_versions(packages=list(_DECIDE_RESULTS))
        here = _versions(told["client"])
        _check_workers(address, here, {name: _versions(there) for name, there in told["workers"].items()})
        return Workers(ClusterExecutor(client, here), sum(client.nthreads().values()))
    except BaseException:
        client.close()
        raise


def _check_scheduler(address: str) -> None:
    """Ask the scheduler who it is, in bounded time: a Client waits for ever for a peer that is silent."""
    from distributed import rpc

    async def ask() -> str:
        async with rpc(address, timeout=ANSWERS_WITHIN) as peer:
            return str((await peer.identity())["type"])

    try:
        kind = asyncio.run(asyncio.wait_for(ask(), ANSWERS_WITHIN))
    except (OSError, MemoryError, ValueError):  # nobody is there, or somebody who talks of something else
        kind = ""
    if kind != "Scheduler":
        found = f", but a {kind.lower()}" if kind else f" within {ANSWERS_WITHIN:g} s"
        raise OptionError(
            f"--cluster {address}: no scheduler of dask answers there{found} "
            "(start one: dask scheduler; allowed: the address that it prints)"
        )


def _check_workers(address: str, here: Versions, workers: Mapping[str, Versions]) -> None:
    if not workers:
        raise OptionError(f"--cluster {address}: it has no workers; nothing was run (start one: dask worker {address})")
    wrong = [
        f"worker {name}: {difference}"
        for name, there in sorted(workers.items())
        if (difference := _difference(here, there))
    ]
    if len(wrong) > _NAMED:
        wrong[_NAMED:] = [f"and {len(wrong) - _NAMED} workers more"]
    if wrong:
        raise OptionError(
            f"--cluster {address}: results could depend on who computed them; nothing was run "
            "(allowed: workers of the versions that are here)\n" + "\n".join(wrong)
        )


def _versions(told: Mapping[str, Any]) -> Versions:
    """Return, of what dask tells of a process, what decides results."""
    packages = told["packages"]
    python = ".".join(packages["python"].split(".")[:2])
    return {"Python": python, **{name: packages[name] for name in _DECIDE_RESULTS}}


def _difference(here: Versions, there: Versions) -> str:
    """Return what is not the same, as words; nothing where all is."""
    return ", ".join(
        f"{name} {there[name]} there and {version} here" if there[name] else f"no {name} there, and {version} here"
        for name, version in here.items()
        if there[name] != version
    )


class ClusterExecutor(Executor):
    """The executor of a client of dask, whose tasks come to an end in any case: done, or with why they cannot be.

    A task whose worker dies is computed by another, as often as the scheduler allows.
    """

    def __init__(self, client: "Client", versions: Versions) -> None:
        self._client = client
        # Not pure: dask is not to look for a task of the same arguments whose result it might still have.
        self._tasks = client.get_executor(pure=False)
        self._versions = versions
        self._open: set[Future[Any]] = set()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._watch = threading.Thread(target=self._look_for_workers, name="cluster watch", daemon=True)
        self._watch.start()

    def submit(self, fn: Callable[..., R], /, *args: Any, **kwargs: Any) -> Future[R]:
        """Have a worker call ``fn``; its future raises :class:`ClusterLostError` where none can.

        So does this, where the scheduler has been gone for so long that dask has given it up.
        """
        if self._client.status in _GIVEN_UP:
            raise ClusterLostError(_GONE)
        task = self._tasks.submit(_of_one_version, self._versions, fn, *args, **kwargs)
        future: Future[R] = Future()
        with self._lock:
            self._open.add(future)
        future.add_done_callback(lambda future: task.cancel() if future.cancelled() else None)
        task.add_done_callback(partial(self._pass_on, future))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster, which goes on without us."""
        with self._lock:
            waiting = list(self._open)
        left = [future for future in waiting if not (cancel_futures and future.cancel())]
        if wait:
            wait_for(left)
        self._closed.set()
        self._watch.join()
        self._client.close()

    def _pass_on(self, future: Future[Any], task: Future[Any]) -> None:
        """Let ``future`` come out as ``task`` did."""
        from distributed import KilledWorker

        error: BaseException | None
        if task.cancelled():
            error = ClusterLostError(_GONE)
        elif isinstance(error := task.exception(), KilledWorker):
            deaths = error.allowed_failures + 1
            error = ClusterLostError(
                f"The cluster gave a task up after the death of {deaths} workers that had it, the last of them "
                f"{error.last_worker.address}; memory may be what they wanted."
            )
        elif isinstance(error, ModuleNotFoundError):
            error = ClusterLostError(f"A worker that joined the cluster later cannot compute anything: {error}.")
        self._settle(future, error, None if error else task.result())

    def _settle(self, future: Future[Any], error: BaseException | None, result: Any = None) -> None:
        with self._lock:
            if future not in self._open:
                return
            self._open.remove(future)
        if not future.set_running_or_notify_cancel():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def _look_for_workers(self) -> None:
        """Give up what is open once there have been no workers for too long: dask would wait for ever."""
        seen = time.monotonic()
        while not self._closed.wait(LOOKS_EVERY):
            if self._manned():
                seen = time.monotonic()
            elif time.monotonic() - seen >= DESERTED_AFTER:
                with self._lock:
                    waiting = list(self._open)
                for future in waiting:
                    self._settle(future, ClusterLostError(f"The cluster has had no worker for {DESERTED_AFTER:g} s."))

    def _manned(self) -> bool:
        try:
            return self._client.status not in _GIVEN_UP and bool(self._client.nthreads())
        except (OSError, AttributeError):  # the scheduler is gone, and perhaps given up just now: then it is None
            return False


def _of_one_version(versions: Versions, fn: Callable[..., R], *args: Any, **kwargs: Any) -> R:
    """Call ``fn`` on a worker, unless its versions are others: it may have joined after they were checked."""
    from distributed import get_worker
    from distributed.versions import get_versions

    there = _versions(get_versions(packages=list(_DECIDE_RESULTS)))
    if difference := _difference(versions, there):
        raise ClusterLostError(f"Worker {get_worker().address}, which joined the cluster later, has {difference}.")
    return fn(*args, **kwargs)
