"""What faults do to a link short of cutting it: datagrams are late or never arrive, calls are refused."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from sbc.decisions.link import lateness
from scenarios.model import Fault
from sim.draws import Draws
from sim.log import Log


class Degradation:
    """What one fault does to every datagram that crosses a link."""

    def __init__(self, fault: Fault, draws: Draws) -> None:
        self.loss = fault.loss or 0.0
        """Share of datagrams that are lost."""
        self._luck = draws.uniforms(f"fault:{fault.name}:loss")
        self._delay: Iterator[float] | None = None
        if fault.delay is not None:
            self._delay = draws.values(f"fault:{fault.name}:delay", fault.delay)

    def delays(self, count: int) -> tuple[float, ...]:
        """Return how late as many datagrams are; nothing where it delays none."""
        return () if self._delay is None else tuple(islice(self._delay, count))

    def crossing(self) -> float:
        """Return how late the next datagram is, in seconds; ``inf`` when it is lost."""
        return lateness(self.loss, next(self._luck), 0.0 if self._delay is None else next(self._delay))


@dataclass(slots=True, eq=False)
class Link:
    """What datagrams have to cross: a trunk, an office's line, the line between the nodes of a pair."""

    degraded_by: dict[str, Degradation] = field(default_factory=dict)
    """By fault, oldest first."""

    def crossing(self, log: Log, met: str) -> float:
        """Return how late the next datagram is; what is late or lost is the effect of the faults that made it so."""
        late = 0.0
        for fault, degradation in self.degraded_by.items():
            added = degradation.crossing()
            if added:
                log.effect((fault,), met)
            late += added
        return late


class Restriction:
    """A carrier refuses a share of new calls."""

    def __init__(self, fault: Fault, draws: Draws) -> None:
        self._share = fault.refuses or 0.0
        self._luck = draws.uniforms(f"fault:{fault.name}:refuses")
        self.answer = fault.answer
        self.retry_after = fault.retry_after

    def refuses(self) -> bool:
        """Draw whether the next call is refused."""
        return next(self._luck) < self._share
