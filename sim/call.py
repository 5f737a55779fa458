"""One caller on the way: the light event that stands for a call, and what its attempts leave in the evidence."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

import simpy

from sbc.decisions.distribution import Agent
from sbc.decisions.routing import Route
from scenarios.evidence import CallRecord, Direction, Outcome
from scenarios.model import Traffic
from sim.timer import Timer
from sim.world import NodeState


class State(Enum):
    """Where a caller stands."""

    SETUP = "nothing has answered the INVITE yet"
    WANTS_AGENT = "outbound work that waits for an agent"
    WAITING = "in a queue"
    IVR = "in announcements and menus"
    PROMISED = "has hung up and will be called back"
    TALKING = "answered"
    PAUSED = "will dial again"
    DONE = "gone"


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """What the callers of one traffic stream have in common."""

    plan: Traffic
    silence: Iterator[float]
    """How long people hold on in silence, in seconds."""


class Call(Timer):
    """One caller, attempt after attempt."""

    __slots__ = (
        "again", "agent", "answered", "attempt", "branch", "delivered", "dialled", "direction", "failed_over", "first",
        "group", "invited", "ivr", "last", "leg", "limits", "node", "number", "patience", "promised", "queue", "queued",
        "route", "sent", "silent", "site", "stage", "start", "state", "stream", "talk", "team", "tries", "willing",
    )  # fmt: skip

    def __init__(
        self,
        env: simpy.Environment,
        callbacks: list[Callable[[Any], None]],
        stream: Stream,
        draws: tuple[Any, ...],
    ) -> None:
        super().__init__(env, callbacks)
        self.stream = stream
        self.direction = Direction.INBOUND if stream.plan.from_ is None else Direction.OUTBOUND
        self.group = stream.plan.from_ or ""
        self.talk, self.patience, self.willing, self.again = draws
        self.tries = 0
        self.stage = 0
        self.queued = 0.0
        self.first = -1

    def reset(self, attempt: int, now: float) -> None:
        """Begin an attempt."""
        self.attempt = attempt
        self.tries += 1
        self.start = now
        self.sent = 0
        self.last = False
        self.silent = False
        self.branch: NodeState | None = None
        self.failed_over = False
        self.dialled = self.invited = now
        self.number = "" if self.group else self.stream.plan.to
        self.queue = ""
        self.site = ""
        self.state = State.SETUP
        self.route: Route | None = None
        self.node: NodeState | None = None
        self.limits: tuple[Any, ...] = ()
        self.agent: Agent | None = None
        self.delivered: float | None = None
        self.answered: float | None = None
        self.ivr = 0.0
        self.leg: tuple[NodeState, str] | None = None
        self.promised: float | None = None
        self.team = ""

    def uses(self, trunk: str) -> bool:
        """Whether a leg of the call is on a trunk; one that waits to be called back has none."""
        on = self.route is not None and self.route.trunk == trunk
        return on or (self.leg is not None and self.leg[1] == trunk)

    def leave_nodes(self) -> None:
        """Go from the nodes that carry the call."""
        if self.node is not None:
            del self.node.calls[self]
            if self.leg is not None and self.leg[0] is not self.node:
                del self.leg[0].calls[self]

    def record(self, now: float, outcome: Outcome, reason: str, sip: int, *, final: bool) -> CallRecord:
        """Return what is to be said of the attempt that ends now."""
        route, delivered, answered = self.route, self.delivered, self.answered
        waited_until = now if answered is None else answered
        inbound = self.direction is Direction.INBOUND
        return CallRecord(  # by position: by name takes twice as long, once a call
            self.attempt,
            self.first,
            self.tries,
            self.direction,
            self.number,
            (self.number if route is None else route.number) if inbound else self.stream.plan.to,
            self.dialled,
            None if delivered is None else delivered - self.dialled,
            None if delivered is None else waited_until - delivered - self.ivr,
            None if answered is None else now - answered,
            now,
            outcome,
            reason,
            sip,
            "" if route is None else route.trunk,
            "" if self.node is None else self.node.name,
            self.site,
            self.queue,
            self.team if self.agent is None else self.agent.group,
            final,
            self.ivr,
            0.0 if self.promised is None else waited_until - self.promised,
        )
