"""A cluster of dask on loopback: a scheduler and workers, started by their command lines and ended by their ids."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
STARTS_WITHIN = 300.0
"""Seconds in which a worker has to be there; nobody waits longer than it takes."""


@contextmanager
def scheduler(**environment: str) -> Iterator[str]:
    """Run a scheduler; yield the address that it prints."""
    with _dask("scheduler", "--port", "0", **environment) as program:
        assert program.stderr is not None  # noqa: S101 - it is a pipe
        says = next(line for line in program.stderr if "Scheduler at:" in line)
        yield says.split()[-1]


@contextmanager
def worker(address: str, before: int = 0, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run a worker of one thread; it is there when its scheduler knows of one more than ``before``."""
    from distributed import Client

    with (
        _dask("worker", address, "--nthreads", "1", "--no-nanny", **environment) as program,
        Client(address, timeout=STARTS_WITHIN, set_as_default=False) as client,
    ):
        client.wait_for_workers(before + 1, timeout=STARTS_WITHIN)
        yield program


@contextmanager
def _dask(*command: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "dask", *command, "--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0"],
        cwd=ROOT,  # from where workers can import what they are asked to call
        env=os.environ | environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        try:
            yield program
        finally:
            program.kill()
