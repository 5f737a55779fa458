"""Seconds since the start of a run."""

from time import monotonic


class Clock:
    """Tells how long a run goes on; all processes of a run have clocks of one origin.

    The monotonic clock of Linux is one for the whole machine, so that another process may be handed :attr:`origin`.
    """

    def __init__(self, origin: float | None = None) -> None:
        """``origin`` is the start of the run as ``time.monotonic()`` has it; None for now."""
        self.origin = monotonic() if origin is None else origin

    def now(self) -> float:
        """Return the seconds since the start; below 0 before it."""
        return monotonic() - self.origin
