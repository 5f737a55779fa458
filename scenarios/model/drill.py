"""One drill: the whole of a file."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from scenarios.fields import ClockTime, ExpectationField, Flag, Line, LongerThanZero, Name, PhoneNumber, Prose, Whole
from scenarios.model.contact_centre import AgentGroup, Queue
from scenarios.model.day import Fault, Traffic
from scenarios.model.network import Number, Office, Ports, SbcPair, Site, Trunk
from scenarios.model.part import Part
from scenarios.model.steps import Step


class Verdict(StrEnum):
    """What a run says about its plan."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"


class Run(Part):
    """How long, how often, from which state."""

    lasts: Annotated[LongerThanZero, Field(alias="for")]
    """Simulated time."""
    warm: Flag
    """Start with calls in progress, as on an ordinary day, or with an empty system."""
    start: ClockTime | None = None
    """Time of day at the start, for time-of-day profiles."""
    replications: Annotated[Whole, Field(ge=1, le=100_000)] = 100
    """Runs with different draws."""
    seed: Annotated[Whole, Field(ge=0, lt=2**63)] = 1
    """Same file and seed, same result."""


class Waiver(Part):
    """A finding of the plan checks that the author accepts, with the reason in writing."""

    finding: Line
    """Its id, as printed."""
    reason: Annotated[Prose, Field(min_length=10)]
    """Why this is right here; shown in the report."""


class Drill(Part):
    """One drill: the plan, the day it meets, and what must come out."""

    kirikae: Literal[1]
    """Version of the language."""
    name: Line
    """One line that says what happens."""
    teaches: Prose | None = None
    """What a reader learns from it."""
    system: Line | None = None
    """The system the plan is for, such as `biztel-3.9`."""
    expected_verdict: Verdict = Verdict.PASSED
    """A teaching drill may be meant to fail: then a pass is the failure."""
    run: Run
    """How the run is made."""
    sites: Annotated[dict[Name, Site], Field(min_length=1)]
    """Sites by name."""
    sbc_pairs: Annotated[dict[Name, SbcPair], Field(min_length=1)]
    """SBC pairs by name."""
    trunks: Annotated[dict[Name, Trunk], Field(min_length=1)]
    """Trunks by name."""
    numbers: Annotated[dict[PhoneNumber, Number], Field(min_length=1)]
    """Numbers by their digits; or a CSV ledger."""
    default_caller: PhoneNumber | None = None
    """The number outbound calls show unless they choose another (Z32)."""
    ports: Ports = Ports()
    """Contract-wide port limits."""
    queues: dict[Name, Queue] = {}
    """Queues by name; a group of agents has one of its own name without being asked."""
    offices: dict[Name, Office] = {}
    """Offices by name."""
    agents: dict[Name, AgentGroup] = {}
    """Groups of agents by name; or counted from a CSV ledger."""
    traffic: Annotated[list[Traffic], Field(min_length=1)]
    """Streams of calls."""
    faults: list[Fault] = []
    """What fails, and when."""
    runbook: list[Step] = []
    """What people do about it."""
    expect: Annotated[list[ExpectationField], Field(min_length=1)]
    """What must come out, each `metric{selector} op value`."""
    waivers: list[Waiver] = []
    """Findings accepted with a reason."""

    def queue_table(self) -> dict[str, Queue]:
        """All queues: those declared, and one for each group of agents that none is named after."""
        implied = {group: Queue(agents=[group]) for group in self.agents if group not in self.queues}
        return {**self.queues, **implied}

    def fault_named(self, name: str) -> Fault | None:
        """Return the fault of that name, or None."""
        return next((fault for fault in self.faults if fault.name == name), None)
