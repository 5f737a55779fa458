"""What an engine reports while it runs: flat, typed records, and the protocol of whoever takes them.

Engines are handed a :class:`Recorder`; they never know what becomes of the evidence. All times are seconds since the
start of the run; calls already up at the start have negative ones.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol


class Direction(StrEnum):
    """Which way a call is set up, seen from the plan."""

    INBOUND = "in"
    OUTBOUND = "out"


class Outcome(StrEnum):
    """How an attempt ended."""

    COMPLETED = "completed"
    """Answered, and ended by the people in it."""
    BLOCKED = "blocked"
    """Refused by a limit."""
    FAILED = "failed"
    """Reached nobody: no route, nothing answering, a caller number that is not usable."""
    ABANDONED = "abandoned"
    """The caller hung up while waiting."""
    DROPPED = "dropped"
    """Set up or answered, and cut off by a fault."""
    CLOSED = "closed"
    """Outside the hours of the number or queue: the caller heard so, and does not try again."""
    IN_PROGRESS = "in progress"
    """Still up when the run ended."""


class CallRecord(NamedTuple):
    """One attempt, from first dial to its end."""

    attempt: int
    """Identity within the run."""
    caller: int
    """The attempt that this caller began with."""
    tries: int
    """1 for a caller's first attempt."""
    direction: Direction
    number: str
    """Inbound: the number dialled. Outbound: the caller number shown."""
    destination: str
    """Inbound: the number it was routed to, behind `number`. Outbound: the number dialled."""
    start: float
    """When it was dialled; outbound work starts when an agent dials, or was wanted when none ever did."""
    setup: float | None
    """Time until the call was delivered: queued, ringing or answered."""
    wait: float | None
    """Time from delivery, or the end of the IVR, to answer or to giving up."""
    talk: float | None
    """Time from answer to end."""
    end: float
    outcome: Outcome
    reason: str
    """The refusing limit, or what went wrong; empty when nothing did."""
    sip: int
    """The final response a SIP caller would have seen (RFC 3261 §21); 0 while in progress, or if never dialled."""
    trunk: str
    node: str
    """The SBC node that carried it, as `pair/1`."""
    site: str
    queue: str
    agents: str
    """The group whose agent answered or placed it."""
    final: bool
    """The caller makes no further attempt in this run."""
    ivr: float = 0.0
    """Time from delivery to the queue, in announcements and menus (W9); of a call that ended there, `talk` has it."""
    callback: float = 0.0
    """The part of `wait` after the caller had hung up to be called back, holding no port (W15)."""

    @property
    def answered(self) -> bool:
        """Whether somebody answered."""
        return self.talk is not None


class EventKind(StrEnum):
    """What a journal entry tells."""

    FAULT = "fault"
    """A fault was injected."""
    EFFECT = "effect"
    """A call, probe, advert or registration met what a fault had broken: the fault took effect."""
    REPAIRED = "repaired"
    NODE_LOST = "node lost"
    """A pair's serving node died; its service address is silent."""
    DETECTED = "detected"
    """The standby noticed that the active node is gone."""
    TAKEOVER = "takeover"
    """A node began to serve the pair's address; `outage` is the time since its last node was lost."""
    RESIGNED = "resigned"
    """A pair's serving node gave the address up, as planned or to a node of higher priority."""
    DRAINED = "drained"
    """A pair refuses new calls from now on."""
    RESUMED = "resumed"
    """A drained pair takes new calls again."""
    ACTIVATED = "activated"
    """A site came into service."""
    DEACTIVATED = "deactivated"
    """A site refuses new calls and registrations from now on."""
    REGISTERED = "registered"
    """A softphone of a group registered at a `site`, or its office is reachable again; `registered` counts the group's
    phones now registered, `without` the seconds since this one lost its registration, if it did."""
    UNREGISTERED = "unregistered"
    """Phones of a group lost the registrar of their `site`, or their office, or left for a site that does not take
    them; `registered` counts the group's phones left, `lost` those that a fault has taken."""
    REROUTED = "rerouted"
    FORWARDED = "forwarded"
    """The carrier forwards a number `to` another from now on."""
    ANNOUNCED = "announced"
    """Callers are told of a new number, `to`; `reaches` is the share who hear it."""
    CALLER_NUMBER = "caller number"
    OPENED = "opened"
    """A number or queue is open from now on."""
    CLOSED = "closed"
    """A number or queue is closed from now on."""
    SHIFT = "shift"
    """A shift of a group begins or ends; `on_duty` counts its agents on duty from now on."""
    STEP_READY = "step ready"
    """All that a step waits for has happened; `released_by` names the last of it."""
    STEP_WAITING = "step waiting"
    """A step cannot begin because of its conditions; `unmet` names those that do not hold."""
    CONDITIONS_MET = "conditions met"
    """The conditions of a step that was waiting hold; it begins unless its actor is busy."""
    ACTOR_SOUGHT = "actor sought"
    """Nobody is there to take a step; its actor, `by`, is called."""
    ACTOR_REACHED = "actor reached"
    """Somebody who was called for a step, `by`, has been reached, `waited` seconds after the first call."""
    STEP_STARTED = "step started"
    STEP_REPEATED = "step repeated"
    """A try of a step did not succeed."""
    STEP_FINISHED = "step finished"
    PORTS_REQUESTED = "ports requested"
    """A request for other port limits was filed by a step, `by` somebody; `case` is its number (P14), and with it the
    limits asked for."""
    PORTS_IN_REVIEW = "ports in review"
    """A request raises the concurrent ports by more than is verified automatically (P6)."""
    PORTS_GRANTED = "ports granted"
    """A request was granted; the limits that hold from now on."""
    PORTS_REJECTED = "ports rejected"
    """A request was rejected, for the `reason` given; nothing changes."""
    CHANGED = "changed"
    """Somebody has made a change at a `site`; `data` is its class."""
    REPLICATED = "replicated"
    """A change counts at the other `site` as well, `after` seconds."""
    SYNC_STOPPED = "sync stopped"
    """A site gets no replicas any more, `by` its activation or a change that was made there."""
    SYNC_SEEN = "sync seen"
    """Somebody has looked whether a site gets replicas: `state` is syncing or stopped."""
    SYNC_RESUMED = "sync resumed"
    """A site gets replicas again, after a resync."""
    EXPORTED = "exported"
    """The data of one class that a `site` has for itself are saved."""
    DELETED = "deleted"
    """They are deleted there for good, after having been `exported` or not."""
    COPY = "copy"
    """A `site` enters service with a class of data that is `age` seconds old and without `lost` changes."""
    OVERWRITTEN = "overwritten"
    """A resync has taken `lost` changes of a class of data from a `site` that were made there alone."""
    STOPPED = "stopped"
    """Somebody has stopped a live run before its end."""
    LATENESS = "lateness"
    """At the end of a live run: how many seconds the generator was late, `p99` of the events that were due and the
    `worst`; more than `limit` means that the run has measured the generator, and not the system."""


class JournalEntry(NamedTuple):
    """One thing that happened."""

    at: float
    kind: EventKind
    subject: str
    """The fault, pair, site, group, number or step it is about."""
    detail: Mapping[str, str | float | int | bool] = {}


class Gauge(StrEnum):
    """What a sample measures."""

    PORTS = "ports"
    """Most calls held against a limit since the sample before."""
    SOFTPHONES = "softphones"
    """Phones registered at a site that works."""
    REGISTERS = "registers"
    """Most REGISTERs that arrived at a site's registrar within one second since the sample before."""
    AGENTS_BUSY = "agents busy"
    ON_DUTY = "agents on duty"
    """Agents of a group with shifts."""
    WAITING = "waiting"
    """Callers in a queue."""


class Sample(NamedTuple):
    """A level at a moment; engines take one every :data:`SAMPLE_EVERY` seconds."""

    at: float
    gauge: Gauge
    name: str
    """The limit, site, group or queue."""
    value: int


class Fate(StrEnum):
    """What became of a datagram, as far as its sender's side of the link knows."""

    SENT = "sent"
    LOST = "lost on the way"
    CUT = "sent into a link that is cut"
    UNREACHABLE = "refused: there is no way to its target"


class WireRecord(NamedTuple):
    """A datagram that an endpoint has sent, as its sender's side saw it; what was lost is here as well."""

    at: float
    source: str
    """An IP address."""
    source_port: int
    target: str
    target_port: int
    transport: str
    """`udp`, `tcp`, `tls`, `ws`, `wss`, or `vrrp`."""
    data: bytes
    """What the headers of IP and transport are put before."""
    fate: Fate
    sender: str = ""
    """The machine that sends: of a service address, the node that has it."""
    receiver: str = ""
    """The machine that the target's address led to when it was sent; empty for none."""
    heard: bool = True
    """Whether a process ran there then; false where it had ended or hung, and where there was no machine."""
    call: str = ""
    """The attempt of an INVITE that does not name it itself: real pairs pass no charging key on."""


SAMPLE_EVERY = 10.0
"""Seconds between two samples."""


class Pulse(NamedTuple):
    """How a live engine keeps up, told now and then while it runs."""

    at: float
    asked: int
    """Calls whose time had come, of those that the generator places; those of the warm-up too."""
    placed: int
    """Those of them that were placed."""
    p99: float
    """Seconds that 99 % of what was due was late at most."""
    worst: float
    limit: float
    """Seconds that the worst may be."""


PULSE_EVERY = 0.5
"""Seconds between two pulses."""


class Recorder(Protocol):
    """Whoever takes the evidence of one run."""

    def calls(self, records: Sequence[CallRecord]) -> None:
        """Take attempts that have ended, in blocks, in the order in which they ended."""

    def entry(self, entry: JournalEntry) -> None:
        """Take one journal entry; entries come in order of time."""

    def sample(self, sample: Sample) -> None:
        """Take one sample."""


class WireRecorder(Protocol):
    """Whoever takes what engines with real messages send."""

    def wire(self, record: WireRecord) -> None:
        """Take one datagram; they come in order of time."""
