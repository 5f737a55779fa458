"""When requests for ports are filed and decided, on average and if nothing is declined: what plan checks go by."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from math import inf

from scenarios import portplan
from scenarios.calendar import DAY
from scenarios.model import Drill, PortManagement, Ports, RequestPorts, Step
from scenarios.portplan import Refusal
from scenarios.rules.plan import course
from scenarios.rules.rule import Path


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, as it comes out on average; times are seconds of the run."""

    index: int
    """Of the step in the runbook."""
    step: Step
    limits: Ports
    """What is asked for."""
    wanted: float
    """When it could be filed if no other were pending."""
    filed: float
    decided: float
    before: Ports
    """The limits when it is decided."""
    after: Ports
    """The limits from then on, which are the same if it is rejected."""
    quick: bool
    """Whether it is decided without a review."""
    refusal: Refusal | None

    @property
    def path(self) -> Path:
        """Where the plan has it."""
        return "runbook", self.index, "does", "request_ports"

    @property
    def more(self) -> int:
        """By how much it raises the concurrent ports."""
        return portplan.increase(self.before, self.limits)


def requests(drill: Drill) -> list[Asked]:
    """Return the requests that are filed in the run, the earliest first; none where port management is not described.

    Steps begin when all that they wait for has happened, as if their actors were there and free. Times are expected
    values, so that half of all runs come out later, or about that.
    """
    plan = drill.port_management
    begun = course(drill)
    if plan is None or not any(isinstance(step.does, RequestPorts) for step in begun.values()):
        return []
    return list(_Estimate(drill, plan, begun).requests())


class _Estimate:
    """A run in which everything takes its mean time."""

    def __init__(self, drill: Drill, plan: PortManagement, begun: dict[int, Step]) -> None:
        self._drill = drill
        self._plan = plan
        self._left = dict(begun)
        self._done: dict[str, float] = {}
        """When steps are finished; never for those that wait for what does not come."""
        self._granted: dict[str, float] = {}

    def requests(self) -> Iterator[Asked]:
        limits, free, grown = self._drill.ports, 0.0, dict[Hashable, int]()
        while self._left:
            index = min(self._left, key=self._ready)
            step = self._left[index]
            wanted = self._ready(index) + step.takes.mean
            del self._left[index]
            self._done[step.step] = wanted
            if not isinstance(step.does, RequestPorts) or wanted == inf:
                continue
            filed = self._done[step.step] = max(wanted, free)
            asked = self._asked(index, step, step.does.request_ports, (wanted, filed), limits, grown)
            limits, free = asked.after, asked.decided
            if asked.refusal is None:
                self._granted[step.step] = asked.decided
                day = self._day(asked.decided)
                grown[day] = grown.get(day, 0) + asked.more
            yield asked

    def _asked(
        self,
        index: int,
        step: Step,
        limits: Ports,
        times: tuple[float, float],
        before: Ports,
        grown: dict[Hashable, int],
    ) -> Asked:
        wanted, filed = times
        verified = filed + self._plan.verified_after.mean
        refusal = portplan.refusal(self._plan, before, limits, step.by)
        more = portplan.increase(before, limits)
        quick = refusal is not None or portplan.is_quick(self._plan, grown.get(self._day(verified), 0), more)
        decided = verified if quick else verified + self._plan.reviewed_after.mean
        after = before if refusal is not None else portplan.changed(before, limits)
        return Asked(index, step, limits, wanted, filed, decided, before, after, quick, refusal)

    def _ready(self, index: int) -> float:
        """Return when a step is begun, as far as that is known."""
        step = self._left[index]
        if step.starts is None:
            begins = max((self._done.get(name, inf) for name in step.predecessors), default=inf)
        else:
            fault = None if step.starts.after is None else self._drill.fault_named(step.starts.after)
            begins = fault.at if fault is not None else step.starts.at or 0.0
            begins += 0.0 if step.starts.delay is None else step.starts.delay.mean
        if step.when is not None and step.when.granted is not None:
            begins = max(begins, self._granted.get(step.when.granted, inf))
        if step.when is not None and step.when.repaired is not None:
            fault = self._drill.fault_named(step.when.repaired)
            over = inf if fault is None or fault.lasts is None else fault.at + fault.lasts
            begins = max(begins, over)
        return begins

    def _day(self, now: float) -> Hashable:
        clock = self._drill.run.clock
        return now // DAY if clock is None else clock.at(now).date()
