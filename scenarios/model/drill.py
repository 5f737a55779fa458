"""One drill: the whole of a file."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from scenarios.calendar import Clock, Holidays, Openings, openings
from scenarios.fields import (
    ComparedField,
    ExpectationField,
    Flag,
    Line,
    LongerThanZero,
    Name,
    PhoneNumber,
    PrecisionField,
    Prose,
    Start,
    TimeZone,
    ToleranceField,
    Whole,
)
from scenarios.model.biztel import Biztel
from scenarios.model.contact_centre import AgentGroup, Queue
from scenarios.model.day import Fault, Traffic
from scenarios.model.live import Live, Target
from scenarios.model.network import Number, Office, Ports, SbcPair, Site, Trunk
from scenarios.model.part import Part
from scenarios.model.people import Actor, Calendar
from scenarios.model.port_management import PortManagement
from scenarios.model.steps import Step, VerifyOut
from scenarios.model.sync import Change, Console, Sync
from scenarios.numberplan import forwarding, is_fixed_line


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
    start: Start | None = None
    """Date and time at the start, for calendars; a time of day alone will do for time-of-day profiles."""
    timezone: TimeZone = "Asia/Tokyo"
    """The time zone of all dates and times of day."""
    replications: Annotated[Whole, Field(ge=1, le=100_000)] = 100
    """Runs with different draws; with `precision` the most that are made, 10,000 unless it is said here."""
    precision: PrecisionField | None = None
    """How far 95 % intervals may reach either way: runs are made until they are so narrow. A percentage such as `10%`
    of all means that something is expected of, or by metric, such as `blocked_ratio: 0.1 points`."""
    seed: Annotated[Whole, Field(ge=0, lt=2**63)] = 1
    """Same file and seed, same result."""

    @property
    def clock(self) -> Clock | None:
        """The clock on the wall, if the run has one."""
        return None if self.start is None else Clock.of(self.start, self.timezone)


class Waiver(Part):
    """A finding of the plan checks that the author accepts, with the reason in writing."""

    finding: Line
    """Its id, as printed."""
    reason: Annotated[Prose, Field(min_length=10)]
    """Why this is right here; shown in the report."""


class Drift(Part):
    """How two engines are compared on this drill (`kirikae drift`)."""

    lasts: Annotated[LongerThanZero | None, Field(alias="for")] = None
    """Time from the start that is played, where the whole run would take an engine too long."""
    allow: dict[ComparedField, ToleranceField] = {}
    """How far apart engines may be, by metric or `metric{selector=value}`: a percentage of the first engine's value, or
    a difference in the metric's unit. Of several that fit, the narrowest counts."""


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
    biztel: Biztel | None = None
    """What is so about contract and sites, for a plan whose `system` is BIZTEL."""
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
    port_management: PortManagement | None = None
    """How the contract-wide limits are changed."""
    calendars: dict[Name, Calendar] = {}
    """Opening hours, shifts and times on duty by name."""
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
    sync: Sync | None = None
    """What one site has of another's data."""
    changes: list[Change] = []
    """What people change while the run goes on, besides the steps of the runbook."""
    consoles: dict[Name, Console] = {}
    """Consoles by name."""
    actors: dict[Name, Actor] = {}
    """Who takes the steps of the runbook; without this part, everybody is always there."""
    runbook: list[Step] = []
    """What people do about it."""
    expect: Annotated[list[ExpectationField], Field(min_length=1)]
    """What must come out, each `metric{selector} op value`."""
    waivers: list[Waiver] = []
    """Findings accepted with a reason."""
    drift: Drift = Drift()
    """How far apart engines may be."""
    targets: dict[Name, Target] = {}
    """Real SBC pairs by the name of the pair that each stands for; for the live engine."""
    live: Live = Live()
    """What is scaled in a live run; for the live engine."""

    def queue_table(self) -> dict[str, Queue]:
        """All queues: those declared, and one for each group of agents that none is named after."""
        implied = {group: Queue(agents=[group]) for group in self.agents if group not in self.queues}
        return {**self.queues, **implied}

    def fixed_lines(self, site: str) -> dict[str, str]:
        """Return the trunks by which emergency calls leave a site, in the order in which they are tried.

        They are those that its fixed-line numbers (0AB-J) arrive by, each with the first such number (J5).
        """
        lines: dict[str, str] = {}
        for number, entry in self.numbers.items():
            for trunk in entry.trunks if is_fixed_line(number) else ():
                if self.sbc_pairs[self.trunks[trunk].via].site == site:
                    lines.setdefault(trunk, number)
        return lines

    def forwarding_limits(self) -> dict[str, int]:
        """Return the calls that Voice Warp forwards at the same time, by the name of the limit (J3)."""
        return {
            forwarding(number): entry.voice_warp.channels
            for number, entry in self.numbers.items()
            if entry.voice_warp is not None
        }

    def called_by_test(self, test: VerifyOut) -> str | None:
        """Return who is called by outbound test calls; None where neither step nor traffic says so."""
        theirs = (stream.to for stream in self.traffic if stream.from_ == test.verify_out and not stream.emergency)
        return test.to or next(theirs, None)

    @property
    def keeps_hours(self) -> bool:
        """Whether any number or queue is closed at some time."""
        kept = (*(number.open for number in self.numbers.values()), *(queue.open for queue in self.queues.values()))
        return any(calendar is not None for calendar in kept)

    def openings(self, calendar: str) -> Openings:
        """Return when a calendar is open during the run; the run must begin on a date."""
        clock, plan = self.run.clock, self.calendars[calendar]
        if clock is None or not clock.dated:
            raise ValueError(f"calendar {calendar!r} needs a run that begins on a date")
        return openings(plan.hours, plan.holidays or Holidays(), clock, 0.0, self.run.lasts)

    def fault_named(self, name: str) -> Fault | None:
        """Return the fault of that name, or None."""
        return next((fault for fault in self.faults if fault.name == name), None)
