"""One caller on the way: the light event that stands for a call, and what its attempts leave in the evidence."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import inf
from typing import Any

import simpy

from sbc.decisions.admission import Limit
from sbc.decisions.call import Event, State
from sbc.decisions.distribution import Agent
from sbc.decisions.link import Answers
from scenarios.evidence import CallRecord, Direction, Outcome
from scenarios.model import Announce, Drill, Traffic
from sim.draws import Draws
from sim.timer import Timer
from sim.world import NodeState, PairState, Way

_PAUSED = State.PAUSED  # read off its class once, which takes long in Python 3.11


@dataclass(slots=True, eq=False)
class Stream:
    """What the callers of one traffic stream have in common."""

    plan: Traffic
    silence: Iterator[float]
    """How long people hold on in silence, in seconds."""
    hears: Iterator[float] | None = None
    """By caller, from 0 to 1: whoever is below the share of an announcement hears it; None where there is none."""
    direction: Direction = field(init=False)
    group: str = field(init=False)
    """The agents who place the calls; empty where the callers dial."""
    to: str = field(init=False)
    begins: Event = field(init=False)
    """What begins an attempt."""
    emergency: bool = field(init=False)
    """Whether these are emergency calls, which no carrier restricts."""
    source_free: Callable[[float], None] | None = None
    """Who hears at which moment one of few sources has done with a call, and will place another."""

    @classmethod
    def of(cls, plan: Traffic, name: str, drill: Drill, draws: Draws) -> "Stream":
        """Return a stream of a drill with its draws, which are named after it."""
        told = any(isinstance(step.does, Announce) and step.does.announce == plan.to for step in drill.runbook)
        hears = draws.uniforms(f"{name}:hears") if told else None
        return cls(plan, draws.values(f"{name}:silence", plan.silence_hangup), hears)

    def __post_init__(self) -> None:
        self.group = self.plan.from_ or ""
        self.to = self.plan.to
        self.direction = Direction.OUTBOUND if self.group else Direction.INBOUND
        self.emergency = self.plan.emergency
        self.begins = Event.NEEDED if self.group else Event.DIALLED


class Call(Timer):
    """One caller, attempt after attempt; as an event it stands for the next thing that time brings."""

    __slots__ = (
        "again", "agent", "answered", "answers", "attempt", "branch", "brings", "delivered", "dialled", "failed_over",
        "first", "gives_up", "hears", "held_on", "invited", "ivr", "leg", "limits", "lost", "lots", "node", "number",
        "patience", "promised", "queue", "queued", "reason", "redials", "refusal", "sent", "silent", "stage", "start",
        "state", "stream", "talk", "team", "tries", "way", "willing",
    )  # fmt: skip

    # These have no meaning, and no value, before the machine comes to what sets them.
    hears: float
    """Where a change of the number is announced: whether this caller hears it, as :attr:`Stream.hears` says."""
    brings: Event
    """What happens when the call is due."""
    branch: NodeState | None
    """The node of an active-active pair that the INVITE was sent to."""
    failed_over: bool
    """It was sent to the other node of the pair before."""
    invited: float
    sent: int
    """Copies of the INVITE so far."""
    answers: Answers
    """On a degraded trunk: the answers to the INVITE that are on their way."""
    queued: float
    stage: int
    """Treatments of the queue so far."""
    lost: tuple[PairState, NodeState]
    """The node that died with the call."""
    refusal: tuple[Outcome, str, int]
    """The last answer that was no success: its outcome, reason and SIP response."""
    reason: str
    """What cut the call off."""
    redials: float
    """When the caller tries again."""

    def __init__(
        self,
        env: simpy.Environment,
        callbacks: list[Callable[[Any], None]],
        stream: Stream,
        draws: tuple[Any, ...],
    ) -> None:
        self.env = env
        self.callbacks = callbacks
        self.stream = stream
        _, self.talk, self.patience, self.willing, self.again = draws
        self.tries = 0
        self.first = -1
        self.state = _PAUSED

    def begin(self, attempt: int, number: str, now: float) -> None:
        """Begin an attempt."""
        self.attempt = attempt
        if self.first < 0:
            self.first = attempt
        self.tries += 1
        self.start = self.dialled = now
        self.gives_up = now + self.patience
        self.number = number
        self.queue = self.team = ""
        self.way: Way | None = None
        self.node: NodeState | None = None
        self.limits: tuple[Limit, ...] = ()
        self.agent: Agent | None = None
        self.leg: tuple[NodeState, str] | None = None
        self.delivered: float | None = None
        self.answered: float | None = None
        self.promised: float | None = None
        self.ivr = self.held_on = 0.0
        self.silent = False
        self.lots: dict[str, bool] = {}

    def wait(self, until: float, brings: Event, now: float) -> None:
        """Let time bring an event, at once when its moment has passed, never when it is infinite."""
        self.brings = brings
        if until == inf:
            self.due = inf
            return
        delay = until - now
        if delay < 0:
            delay = 0.0
        self.due = now + delay  # as the environment will round it
        self.env.schedule(self, delay=delay)

    def uses(self, trunk: str) -> bool:
        """Whether a leg of the call is on a trunk; one that waits to be called back has none."""
        on = self.way is not None and self.way.route.trunk == trunk
        return on or (self.leg is not None and self.leg[1] == trunk)

    def leave_nodes(self) -> None:
        """Go from the nodes that carry the call."""
        if self.node is not None:
            del self.node.calls[self]
            if self.leg is not None and self.leg[0] is not self.node:
                del self.leg[0].calls[self]

    def record(self, now: float, outcome: Outcome, reason: str, sip: int, *, final: bool) -> CallRecord:
        """Return what is to be said of the attempt that ends now."""
        stream, way, delivered, answered = self.stream, self.way, self.delivered, self.answered
        waited_until = now if answered is None else answered
        return CallRecord(  # by position: by name takes twice as long, once a call
            self.attempt,
            self.first,
            self.tries,
            stream.direction,
            self.number,
            stream.to if stream.group else self.number if way is None else way.route.number,
            self.dialled,
            None if delivered is None else delivered - self.dialled,
            None if delivered is None else waited_until - delivered - self.ivr,
            None if answered is None else now - answered,
            now,
            outcome,
            reason,
            sip,
            "" if way is None else way.route.trunk,
            "" if self.node is None else self.node.name,
            way.site if way is not None else self.agent.site if self.agent is not None else "",
            self.queue,
            self.team if self.agent is None else self.agent.group,
            final,
            self.ivr,
            0.0 if self.promised is None else waited_until - self.promised,
        )
