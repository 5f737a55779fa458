"""Work that ends whoever does it, once; a module of its own, for workers import it."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from kirikae.runner import Task
from reports.summary import RunSummary


@dataclass(frozen=True)
class Deadly:
    """Replications of a drill, one of which is the end of the first process that begins it."""

    task: Task
    at: int
    died: Path
    """A file that is there when a process has died."""
    spared: int
    """The process of the test, which is not to compute that one."""

    def run(self, replication: int) -> RunSummary:
        """Play one replication, or die."""
        if replication == self.at and not self.died.exists():
            assert os.getpid() != self.spared
            self.died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return self.task.run(replication)
