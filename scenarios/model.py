"""The vocabulary of a drill: what one YAML file may say.

Only shapes and meanings live here. Whether names lead somewhere is checked by :mod:`scenarios.rules`; how text becomes
seconds, rates and numbers by :mod:`scenarios.fields`. A :class:`Drill` is frozen: declaring a plan is not running it.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema

from scenarios.distributions import Distribution, Shape
from scenarios.expectations import Expectation
from scenarios.fields import (
    Arrivals,
    ClockTime,
    Count,
    Distributed,
    Duration,
    ExpectationField,
    Flag,
    Line,
    LongerThanZero,
    Name,
    PhoneNumber,
    Prose,
    Quantity,
    Rate,
    Share,
    Whole,
    as_text,
)

SkillLevel = Annotated[Whole, Field(ge=1, le=10)]
"""How good an agent is at something."""


class Verdict(StrEnum):
    """What a run says about its plan."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"


class _Part(BaseModel):
    """Base of every part: frozen, and an unknown field is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, use_attribute_docstrings=True)


class Site(_Part):
    """A place that SBCs, registrars and people stand in, and that can be lost as a whole."""

    role: Literal["primary", "secondary"] = "primary"
    """`primary`: in service from the start. `secondary`: refuses calls until a step activates it (Z14)."""
    register_rate: Rate | None = None
    """REGISTERs that its registrar takes; above that it answers 503 and the phone tries again later (S7, S13)."""


class Office(_Part):
    """A place that agents work at, reached over a line of its own that can be lost (G1, G4)."""


class VrrpDetection(_Part):
    """The standby takes over when the active node's adverts stop (VRRP, RFC 5798 §6.1)."""

    by: Literal["vrrp"]
    """Adverts between the nodes."""
    advert: LongerThanZero = 1.0
    """Time between two adverts; the standby waits three of them plus its skew."""
    priority: Annotated[Whole, Field(ge=1, le=254)] = 100
    """Priority of the standby node; its skew is (256 - priority) / 256 adverts."""
    track: LongerThanZero | None = None
    """Time between two checks of the node's SIP process; a node that fails one resigns, and the standby waits its skew
    only. Without it a hung node is never noticed, for its adverts go on."""
    preempt: Flag = False
    """The first node, when it has come back, takes the address again after three adverts and a skew."""


class OptionsDetection(_Part):
    """The standby takes over when the active node leaves an OPTIONS probe unanswered."""

    by: Literal["options"]
    """Probes from outside."""
    every: LongerThanZero = 10.0
    """Time between two probes."""
    timeout: LongerThanZero = 2.0
    """The probe's own transaction time-out, added to the interval (S10)."""


class FailureDetection(_Part):
    """Nobody probes; a node of an active-active pair is avoided from the first call that it leaves unanswered."""

    by: Literal["failure"]
    """The first call that fails."""


class NoDetection(_Part):
    """Nobody notices: a dead node of an active-active pair gets every second call for ever."""

    by: Literal["nobody"]
    """Neither probes nor calls that fail."""


Detector = VrrpDetection | OptionsDetection | FailureDetection | NoDetection
Detection = Annotated[Detector, Field(discriminator="by")]


class SbcPair(_Part):
    """Two session border controllers behind one service address."""

    site: Name
    """The site both nodes stand in."""
    mode: Literal["active-standby", "active-active"] = "active-standby"
    """`active-standby`: one node serves, the other waits for its failure. `active-active`: both serve, new calls go to
    them in turn, and the calls up on a node that fails are cut."""
    ports: Count
    """Calls that one node can carry at the same time; a call through a node holds one port."""
    cps: Count | None = None
    """New calls that one node takes in any one second; those above it are refused with 503."""
    detect: Detection = VrrpDetection(by="vrrp")
    """How the standby, or whoever sends calls to two serving nodes, learns that a node is gone."""
    keeps: Literal["all", "confirmed", "none"] = "confirmed"
    """Calls that survive a takeover: all, those already answered, or none (S11)."""
    session_timer: Annotated[Duration, Field(ge=90)] = 1800.0
    """Session interval of its calls: it ends a lost call that nobody hangs up (RFC 4028, S5); 90 s at least."""
    failover: Flag = True
    """Active-active: a call that one node refuses with 503, or leaves unanswered for the trunk's `advance_after`, goes
    on to the other; false: it is lost with that answer, or with 408."""


class Trunk(_Part):
    """A carrier's line into a pair."""

    via: Name
    """The pair it enters by."""
    channels: Count
    """Calls it carries at the same time, in and out together (J7)."""
    site: Name | None = None
    """The site it ends in; the pair's, unless said otherwise."""
    carrier: Line | None = None
    """Who runs it, as shown in reports."""
    advance_after: LongerThanZero = 10.0
    """Time without any answer after which a call tries the number's next trunk (S9), or the other node of an
    active-active pair."""


class Number(_Part):
    """A public number and where a call to it goes: on to a number behind it, or to a trunk."""

    to: PhoneNumber | None = None
    """The number behind this one (0120, 0800, 0570); a runbook step may re-point it."""
    trunk: Name | Annotated[list[Name], Field(min_length=1)] | None = None
    """The trunk its calls arrive by, or several in the order in which they are tried: the next on 408, 480, 503, 504 or
    a lost trunk, never on an answer of the far side such as 404, 486 or 603 (S9)."""
    queue: Name | None = None
    """The queue its calls wait in; without one, the far side answers at once."""
    tap: Count | None = None
    """Most calls on this number at the same time, the per-number limit under the contract's (J7)."""

    @property
    def trunks(self) -> tuple[str, ...]:
        """The trunks named in ``trunk``, in the order in which they are tried."""
        if self.trunk is None:
            return ()
        return (self.trunk,) if isinstance(self.trunk, str) else tuple(self.trunk)


class Ports(_Part):
    """Contract-wide limits on calls at the same time."""

    tenant: Count | None = None
    """Inbound and outbound calls together, over all numbers (J7, P8)."""
    outbound: Count | None = None
    """Outbound calls."""


class Ivr(_Part):
    """Announcements and menus that every call goes through first: it is answered, and holds its ports (W9)."""

    takes: Distributed
    """How long a call is in them; the caller's patience does not run meanwhile."""
    contained: Share = 0.0
    """Share of callers whose errand ends there, without an agent (W38)."""


class Widen(_Part):
    """More groups are asked for a caller who has waited long (W12)."""

    after: LongerThanZero
    """Time in the queue from which on."""
    agents: Annotated[list[Name], Field(min_length=1)]
    """The groups that join in."""


class Callback(_Part):
    """A courtesy callback: the caller hangs up, keeps the place in the queue and frees all ports (W15)."""

    after: LongerThanZero
    """Time in the queue at which it is offered."""
    accepts: Share
    """Share of callers who accept; an agent dials them when their turn comes, by the trunk they came by."""


class Overflow(_Part):
    """An external team, reached over the public network: the call holds an outbound leg besides its own (W16)."""

    after: LongerThanZero
    """Time in the queue at which the call is passed on; if there is no room it stays in the queue."""
    to: PhoneNumber
    """The team's number."""
    trunk: Name
    """The trunk of the outbound leg."""
    team: Count
    """Calls the team can take at the same time."""


class Queue(_Part):
    """A line of callers in front of groups of agents."""

    agents: Annotated[list[Name], Field(min_length=1)]
    """Groups that answer it; each agent takes the caller who has waited longest."""
    skills: dict[Name, SkillLevel] = {}
    """Skills that agents need for it, each with the least level."""
    select: Literal["in-order", "longest", "best"] = "in-order"
    """Whose agent is next: of the first group in the list with anybody free, of all groups whoever is available longest
    (LAA), or of those with the highest sum of levels in the skills needed (BAA); among equals the longest (W11)."""
    widen: list[Widen] = []
    """Groups that join in as the wait grows."""
    callback: Callback | None = None
    """The offer to be called back."""
    overflow: Overflow | None = None
    """An external team."""
    max_waiting: Count | None = None
    """Callers in the queue at which another is refused with 486 (W14)."""
    longest_wait: LongerThanZero | None = None
    """Wait of the caller longest in the queue at which another is refused with 486 (W14)."""
    answers: Flag = True
    """Callers hear an announcement or music, and so their calls are confirmed while they wait (W9); false: they hear
    ringing, and a pair that keeps only confirmed calls loses them."""
    ivr: Ivr | None = None
    """What callers go through before they come into the queue; their calls are confirmed from then on."""
    answer_within: Duration = 20.0
    """The threshold of the queue's service level."""


class Softphone(_Part):
    """The phones of a group: where they may register, and how they change over."""

    sites: Annotated[list[Name], Field(min_length=1)]
    """Sites in order; phones start at the first."""
    switch: Literal["by-hand", "automatic"] = "by-hand"
    """`by-hand`: each phone is switched by its agent, in a runbook step (Z34). `automatic`: a phone that is refused, or
    unanswered for 32 s, turns to the next of its sites by itself (S3)."""
    client: Literal["plain", "rfc5626", "jssip", "pjsua", "linphone", "audiocodes", "snom", "asterisk"] = "plain"
    """How it tries again after a failure (S12). `plain`: at its next refresh."""
    expires: LongerThanZero = 300.0
    """Registration expiry; a phone refreshes at half of it, and so meets a dead registrar."""
    spread: Duration = 0.0
    """Every wait before another try is longer by a uniform time up to this, so that phones do not all return at once
    (S13)."""
    login: Flag = False
    """Whether registering anew needs a sign-in, which an outage of identity refuses (W18, W34)."""


class AgentGroup(_Part):
    """People who answer and place calls."""

    count: Count
    """Agents logged in."""
    softphone: Softphone
    """Their phones."""
    skills: dict[Name, SkillLevel] = {}
    """What they can, each with a level from 1 to 10."""
    wrap_up: Distributed | None = None
    """Work after each call, before the next."""
    caller_number: PhoneNumber | None = None
    """The number their terminals show on outbound calls with `shows: terminal` (Z37)."""
    office: Name | None = None
    """The office they work at; without one, a fault of an office does not touch them."""


class Retry(_Part):
    """What a caller does who was refused, gave up or was cut off."""

    share: Share
    """Share of callers who try again, drawn anew each time."""
    after: Distributed
    """Time until the next attempt."""
    times: Annotated[Whole, Field(ge=1, le=20)] = 3
    """Attempts after the first, at most."""


class Surge(_Part):
    """Extra arrivals from a fault on: people call because something is wrong."""

    at: Name
    """The fault that starts it."""
    factor: Annotated[Quantity, Field(gt=0, le=100)]
    """Arrivals are multiplied by this."""
    lasts: Annotated[LongerThanZero, Field(alias="for")]
    """How long."""


class Traffic(_Part):
    """One stream of calls: inbound to a number of the plan, or outbound from a group of agents."""

    to: PhoneNumber
    """The number dialled."""
    from_: Annotated[Name | None, Field(alias="from")] = None
    """The group that places the calls; absent on inbound traffic."""
    arrivals: Arrivals
    """Callers per time, a Poisson process; constant or a time-of-day profile."""
    talk: Distributed
    """Conversation, from the answer on."""
    patience: Distributed | None = None
    """Time a caller waits in all for an answer; without it, for ever."""
    retry: Retry | None = None
    """Whether a caller without success tries again."""
    surge: Surge | None = None
    """Extra arrivals after a fault."""
    silence_hangup: Distributed = Distribution(Shape.EXPONENTIAL, (10.0,))
    """Time until a person hangs up on a call whose SBC has died, drawn for each end; meanwhile the line and the agent
    stay held, and a caller who tries again begins afterwards."""
    shows: Literal["default", "terminal"] | PhoneNumber | None = None
    """Outbound: caller number shown: the default one, the terminal's own, or a number of the plan (Z32)."""


class Fault(_Part):
    """Something that fails at a moment of the run."""

    name: Name
    """What steps, surges and reports call it."""
    at: Duration
    """Time since the start of the run."""
    site: Name | None = None
    """The site that is lost: its pairs, trunks, registrar."""
    pair: Name | None = None
    """The pair that loses a node."""
    trunk: Name | None = None
    """The trunk that is lost."""
    registrar: Name | None = None
    """The site whose registrar alone is lost: calls go on, but no phone is registered there."""
    office: Name | None = None
    """The office whose line is lost: its agents are cut off."""
    identity: Flag = False
    """Whether nobody can sign in (W34)."""
    fails: Annotated[
        Literal["all", "active", "standby", "link", "503"],
        BeforeValidator(as_text),
        WithJsonSchema({"enum": ["all", "active", "standby", "link", "503", 503]}),
    ] = "all"
    """The whole; one node of a pair by the part it plays at that moment; `link`: the link that carries a pair's
    adverts, so that both nodes come to serve, new calls go to the former standby, and after the repair the first node
    stays with those of the other's calls that the pair `keeps`; or `503`: a trunk answers every new call with 503, and
    calls up go on."""
    how: Literal["killed", "hung"] = "killed"
    """How nodes of a pair fail: `killed` is silent in every way; `hung` answers no SIP, but holds the address and sends
    adverts, as a node whose SIP process alone has died. Either way calls are cut or wait for the other node by what the
    pair `keeps`; those kept on a node whose failure is never noticed stay up in silence."""
    lasts: Annotated[LongerThanZero | None, Field(alias="for")] = None
    """Time until it is repaired; without it, not in this run."""


class Activate(_Part):
    """Bring a secondary site into service (the DR button, Z30-Z31)."""

    activate: Name
    """The site."""


class DefaultCaller(_Part):
    """Change the default caller number (Z32)."""

    default_caller: PhoneNumber
    """The new one."""


class SwitchSoftphones(_Part):
    """Every agent of a group switches the phone by hand; `takes` is drawn for each (Z34)."""

    softphones: Name
    """The group."""
    site: Name
    """Where the phones register afterwards."""
    slips: Annotated[Share, Field(lt=1)] = 0.0
    """Share of switches after which the agent clicks back to the old site; noticed and corrected after another time
    as long as `takes` says (Z35)."""
    login: Distributed | None = None
    """Two-step sign-in at the new site: further time for each agent, without a phone meanwhile (N22, Z46)."""


class CallerNumbers(_Part):
    """Change the caller number of a group's terminals (Z37)."""

    caller_numbers: Name
    """The group."""
    to: PhoneNumber
    """The new number."""


class Reroute(_Part):
    """Re-point a number to another number behind it (Z38)."""

    route: PhoneNumber
    """The number callers dial."""
    to: PhoneNumber
    """Where its calls go from now on."""


class Verify(_Part):
    """A test call (Z40): it fails, and is repeated, while the number reaches nobody who could answer."""

    verify: PhoneNumber
    """The number called."""


class Drain(_Part):
    """Let a pair refuse new calls with 503, so that carriers go on to the next trunk; calls up go on."""

    drain: Name
    """The pair."""


class Resume(_Part):
    """Let a drained pair take new calls again."""

    resume: Name
    """The pair."""


class SwitchNodes(_Part):
    """The nodes of a pair change roles: the serving one resigns, the other serves after its skew time, or at once
    without VRRP. Calls that the pair does not keep are cut; the step is repeated until two nodes work."""

    switch: Name
    """The pair."""


def _action_tag(value: object) -> str | None:
    """Name the kind of action by the field only that kind has."""
    keys = value if isinstance(value, dict) else getattr(value, "model_fields_set", ())
    return next((f"<{key}>" for key in ACTIONS if key in keys), None)


ACTIONS = ("activate", "default_caller", "softphones", "caller_numbers", "route", "verify", "drain", "resume", "switch")
"""The field that tells each kind of action from the others."""

Action = Annotated[
    Annotated[Activate, Tag("<activate>")]
    | Annotated[DefaultCaller, Tag("<default_caller>")]
    | Annotated[SwitchSoftphones, Tag("<softphones>")]
    | Annotated[CallerNumbers, Tag("<caller_numbers>")]
    | Annotated[Reroute, Tag("<route>")]
    | Annotated[Verify, Tag("<verify>")]
    | Annotated[Drain, Tag("<drain>")]
    | Annotated[Resume, Tag("<resume>")]
    | Annotated[SwitchNodes, Tag("<switch>")],
    Discriminator(_action_tag),
]


class Start(_Part):
    """What sets a step off that no other step does."""

    after: Name | None = None
    """The fault that people notice."""
    at: Duration | None = None
    """For planned work: time since the start of the run."""
    delay: Distributed | None = None
    """Time until they decide to act (N6)."""


class Step(_Part):
    """Something people do."""

    step: Line
    """What, in words; other steps refer to it by these words."""
    by: Name
    """Who; one actor does one thing at a time, `agents` act each for themselves."""
    starts: Start | None = None
    """What sets it off, for a first step."""
    after: Line | Annotated[list[Line], Field(min_length=1)] | None = None
    """The steps that must be finished before."""
    takes: Distributed
    """How long it takes."""
    does: Action | None = None
    """Its effect, when finished; without one it only takes time."""
    fails: Annotated[Share, Field(lt=1)] = 0.0
    """Share of tries that do not succeed and are repeated."""

    @property
    def predecessors(self) -> tuple[str, ...]:
        """The steps named in ``after``, in file order."""
        if self.after is None:
            return ()
        return (self.after,) if isinstance(self.after, str) else tuple(self.after)


class Run(_Part):
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


class Waiver(_Part):
    """A finding of the plan checks that the author accepts, with the reason in writing."""

    finding: Line
    """Its id, as printed."""
    reason: Annotated[Prose, Field(min_length=10)]
    """Why this is right here; shown in the report."""


class Drill(_Part):
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


__all__ = ["Drill", "Expectation", "Verdict"]
