"""The contact centre: queues, what callers meet in them, agents and their phones."""

from typing import Annotated, Literal

from pydantic import Field

from scenarios.fields import Count, Distributed, Duration, Flag, LongerThanZero, Name, PhoneNumber, Share, Stated, Whole
from scenarios.model.part import Part

SkillLevel = Annotated[Whole, Field(ge=1, le=10)]
"""How good an agent is at something."""


class Ivr(Part):
    """Announcements and menus that every call goes through first: it is answered, and holds its ports (W9)."""

    takes: Distributed
    """How long a call is in them; the caller's patience does not run meanwhile."""
    contained: Share = 0.0
    """Share of callers whose errand ends there, without an agent (W38)."""


class Widen(Part):
    """More groups are asked for a caller who has waited long (W12)."""

    after: LongerThanZero
    """Time in the queue from which on."""
    agents: Annotated[list[Name], Field(min_length=1)]
    """The groups that join in."""


class Callback(Part):
    """A courtesy callback: the caller hangs up, keeps the place in the queue and frees all ports (W15)."""

    after: LongerThanZero
    """Time in the queue at which it is offered."""
    accepts: Share
    """Share of callers who accept; an agent dials them when their turn comes, by the trunk they came by."""


class Overflow(Part):
    """An external team, reached over the public network: the call holds an outbound leg besides its own (W16)."""

    after: LongerThanZero
    """Time in the queue at which the call is passed on; if there is no room it stays in the queue."""
    to: PhoneNumber
    """The team's number."""
    trunk: Name
    """The trunk of the outbound leg."""
    team: Count
    """Calls the team can take at the same time."""


class Queue(Part):
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
    open: Name | None = None
    """The calendar of its hours; outside them callers hear that it is closed: instead of being answered (480), or
    after its IVR."""
    at_closing: Literal["serve", "clear"] = "serve"
    """What becomes of callers who wait when it closes: they are served, or told so and cleared."""
    answer_within: Duration = 20.0
    """The threshold of the queue's service level."""


class Softphone(Part):
    """The phones of a group: where they may register, and how they change over."""

    sites: Annotated[list[Name], Field(min_length=1)]
    """Sites in order; phones start at the first."""
    phone: Literal["soft", "hard"] = "soft"
    """`soft`: a program on the agent's PC. `hard`: a telephone, which knows another site only if it has been `prepared`
    for it (Z25)."""
    prepared: Stated = "unknown"
    """Whether hard phones have been configured for the other sites beforehand. Those that are not known to be stay
    where they are: a step that switches them takes its time and changes nothing (Z25)."""
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

    @property
    def stays(self) -> bool:
        """Whether no step can bring these phones to another site."""
        return self.phone == "hard" and self.prepared != "yes"


class AgentGroup(Part):
    """People who answer and place calls."""

    count: Count
    """Agents logged in."""
    shifts: dict[Name, Count] = {}
    """Who of them is on duty when: calendars, each with a head count, together as many as `count`. A call in progress
    at the end of a shift is finished, and the phone stays registered. Without shifts all are on duty all the time."""
    softphone: Softphone
    """Their phones."""
    skills: dict[Name, SkillLevel] = {}
    """What they can, each with a level from 1 to 10."""
    wrap_up: Distributed | None = None
    """Work after each call, before the next."""
    caller_number: PhoneNumber | None = None
    """The number their terminals show on outbound calls with `shows: terminal` (Z37)."""
    dials: Count | None = None
    """Calls that a dialler tries at once for each of them, every try on a port of its own (P16). For plan checks: in a
    run, an agent places one call at a time."""
    office: Name | None = None
    """The office they work at; without one, a fault of an office does not touch them."""
