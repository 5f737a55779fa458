"""What the command line tells its caller."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of a run."""

    PASSED = 0
    """The expected verdict came out, and the run is evidence."""
    FAILED = 1
    """An expectation does not hold, or a drill that is meant to fail passed."""
    INVALID = 2
    """The file, the plan or the command line is wrong."""
    INCONCLUSIVE = 3
    """The run is no evidence."""
