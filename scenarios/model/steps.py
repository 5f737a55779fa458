"""What people do: the steps of the runbook and their effects."""

from typing import Annotated

from pydantic import Discriminator, Field, Tag

from scenarios.fields import Distributed, Duration, ForwardingTarget, Label, LongerThanZero, Name, PhoneNumber, Share
from scenarios.model.duties import Duty
from scenarios.model.network import Ports
from scenarios.model.part import Part


class Activate(Part):
    """Bring a secondary site into service (the DR button, Z30-Z31)."""

    activate: Name
    """The site."""


class Deactivate(Part):
    """Take a site out of service again: it refuses new calls and registrations, calls up go on (Z14, Z41)."""

    deactivate: Name
    """The site; phones still registered there keep their line until their registration expires."""


class DefaultCaller(Part):
    """Change the default caller number (Z32)."""

    default_caller: PhoneNumber
    """The new one."""


class SwitchSoftphones(Part):
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


class CallerNumbers(Part):
    """Change the caller number of a group's terminals (Z37)."""

    caller_numbers: Name
    """The group."""
    to: PhoneNumber
    """The new number."""


class Reroute(Part):
    """Re-point a number to another number behind it (Z38)."""

    route: PhoneNumber
    """The number callers dial."""
    to: PhoneNumber
    """Where its calls go from now on."""


class Forward(Part):
    """Start the carrier's forwarding of a number, Voice Warp (Z39): the carrier does it, so that it works though the
    site is lost."""

    forward: PhoneNumber
    """The number callers dial, with `voice_warp` contracted."""
    to: ForwardingTarget
    """Where its calls go from now on, as many at the same time as there are `channels`."""


class Announce(Part):
    """Tell callers that a number has changed (Z20): whoever hears it dials the new one from then on, the others the
    old."""

    announce: PhoneNumber
    """The old number."""
    to: PhoneNumber
    """The new one."""
    reaches: Share
    """Share of callers who hear it, before their first attempt or between two."""


class Verify(Part):
    """A test call (Z40): it fails, and is repeated, while the number reaches nobody who could answer."""

    verify: PhoneNumber
    """The number called."""


class VerifyOut(Part):
    """Outbound test calls (Z40): one that shows the default number, and one that shows the terminal's own if it has
    one. They fail, and are repeated, while either would not leave."""

    verify_out: Name
    """The group on one of whose phones they are placed, the first that is registered."""
    to: PhoneNumber | None = None
    """Who is called, such as the mobile phone of whoever tests; else whom the first traffic of that group calls."""


class Drain(Part):
    """Let a pair refuse new calls with 503, so that carriers go on to the next trunk; calls up go on."""

    drain: Name
    """The pair."""
    retry_after: LongerThanZero | None = None
    """Retry-After of its 503: until it is over, whoever has heard it does not try that trunk again, be the pair resumed
    or not (S2): a carrier for calls in, the contact centre for calls out, emergency calls excepted."""


class Resume(Part):
    """Let a drained pair take new calls again."""

    resume: Name
    """The pair."""


class SwitchNodes(Part):
    """The nodes of a pair change roles: the serving one resigns, the other serves after its skew time, or at once
    without VRRP. Calls that the pair does not keep are cut; the step is repeated until two nodes work."""

    switch: Name
    """The pair."""


class RequestPorts(Part):
    """File a request for other limits on concurrent ports. The step is repeated while another request is pending, new
    or in review (P12), and finished when this one is filed; `when: {granted: …}` of a later step waits for the outcome.
    A requested change counts at once when granted, as a whole or not at all (P10), and calls above a lowered limit go
    on."""

    request_ports: Ports
    """The limits asked for, of the one tenant that a drill is about (P11); those left out stay as they are."""


class Enter(Part):
    """Make a change at a site; made at the site that data are replicated from, it is not lost at the next resync."""

    enter: Name
    """The change."""
    site: Name
    """Where."""


class LookAtSync(Part):
    """Look whether a site still gets replicas (Z12); what is seen stands in the journal."""

    look_at_sync: Name
    """The site that gets them."""


class ResumeSync(Part):
    """Let replication go on, with a resync first: what only the other site has is overwritten (Z41, Z42). Repeated
    while the site that data come from is lost."""

    resume_sync: Name
    """The site that gets replicas again."""


class Export(Part):
    """Save the data of one class that a site has for itself, before they are deleted or out of reach (Z43, Z49)."""

    export: Name
    """The class."""
    site: Name
    """Where."""
    each: Duration | None = None
    """Further time for each call answered there until then, where what belongs to a call is saved one by one; a site
    that lacks `bulk-download` offers no other way."""


class Delete(Part):
    """Delete all data of one class that a site has for itself, for good (Z43)."""

    delete: Name
    """The class."""
    site: Name
    """Where."""


def _action_tag(value: object) -> str | None:
    """Name the kind of action by the field only that kind has."""
    keys = value if isinstance(value, dict) else getattr(value, "model_fields_set", ())
    return next((f"<{key}>" for key in ACTIONS if key in keys), None)


ACTIONS = (
    "activate", "deactivate", "default_caller", "softphones", "caller_numbers", "route", "forward", "announce",
    "verify", "verify_out", "drain", "resume", "switch", "request_ports", "enter", "look_at_sync",
    "resume_sync", "export", "delete",
)  # fmt: skip
"""The field that tells each kind of action from the others."""


Action = Annotated[
    Annotated[Activate, Tag("<activate>")]
    | Annotated[Deactivate, Tag("<deactivate>")]
    | Annotated[DefaultCaller, Tag("<default_caller>")]
    | Annotated[SwitchSoftphones, Tag("<softphones>")]
    | Annotated[CallerNumbers, Tag("<caller_numbers>")]
    | Annotated[Reroute, Tag("<route>")]
    | Annotated[Forward, Tag("<forward>")]
    | Annotated[Announce, Tag("<announce>")]
    | Annotated[Verify, Tag("<verify>")]
    | Annotated[VerifyOut, Tag("<verify_out>")]
    | Annotated[Drain, Tag("<drain>")]
    | Annotated[Resume, Tag("<resume>")]
    | Annotated[SwitchNodes, Tag("<switch>")]
    | Annotated[RequestPorts, Tag("<request_ports>")]
    | Annotated[Enter, Tag("<enter>")]
    | Annotated[LookAtSync, Tag("<look_at_sync>")]
    | Annotated[ResumeSync, Tag("<resume_sync>")]
    | Annotated[Export, Tag("<export>")]
    | Annotated[Delete, Tag("<delete>")],
    Discriminator(_action_tag),
]


class Start(Part):
    """What sets a step off that no other step does."""

    after: Name | None = None
    """The fault that people notice."""
    at: Duration | None = None
    """For planned work: time since the start of the run."""
    delay: Distributed | None = None
    """Time until they decide to act (N6)."""


class When(Part):
    """What must be so before a step is begun; several conditions hold all at once. Its actor is free meanwhile."""

    repaired: Name | None = None
    """A fault that has happened and is over, such as the one of which the vendor gives notice (Z41)."""
    in_service: Name | None = None
    """A site that takes calls: activated if it is secondary, and not lost."""
    idle: Name | None = None
    """A pair that carries no call."""
    granted: Label | None = None
    """A step whose request for ports has been granted."""
    registered: Name | None = None
    """A group of which at least `share` of the agents have their phone registered at `site`."""
    site: Name | None = None
    """With `registered`: where."""
    share: Annotated[Share, Field(gt=0)] = 1.0
    """With `registered`: how many of them; all, unless said otherwise."""


class Step(Part):
    """Something people do."""

    step: Label
    """What, in words; other steps refer to it by these words."""
    by: Name
    """Who; one actor does one thing at a time, `agents` act each for themselves."""
    starts: Start | None = None
    """What sets it off, for a first step."""
    after: Label | Annotated[list[Label], Field(min_length=1)] | None = None
    """The steps that must be finished before."""
    when: When | None = None
    """What must be so as well, looked at once a second from the moment it is set off and decided on. It is begun only
    while this holds and its actor is free, and after those of the actor's steps that wait for nothing else."""
    uses: Name | Annotated[list[Name], Field(min_length=1)] | None = None
    """The consoles that it is taken at: it is not begun while one of them needs a site or office that is lost, as with
    `when`."""
    takes: Distributed
    """How long it takes."""
    does: Action | None = None
    """Its effect, when finished; without one it only takes time."""
    duty: Duty | Annotated[list[Duty], Field(min_length=1)] | None = None
    """What it is for where no action says so, one duty or several: a rule that is content with it takes the plan at its
    word, since nothing in a run shows whether it was done."""
    fails: Annotated[Share, Field(lt=1)] = 0.0
    """Share of tries that do not succeed and are repeated."""

    @property
    def duties(self) -> tuple[Duty, ...]:
        """What is named in ``duty``."""
        if self.duty is None:
            return ()
        return (self.duty,) if isinstance(self.duty, Duty) else tuple(self.duty)

    @property
    def predecessors(self) -> tuple[str, ...]:
        """The steps named in ``after``, in file order."""
        if self.after is None:
            return ()
        return (self.after,) if isinstance(self.after, str) else tuple(self.after)

    @property
    def consoles(self) -> tuple[str, ...]:
        """The consoles named in ``uses``."""
        if self.uses is None:
            return ()
        return (self.uses,) if isinstance(self.uses, str) else tuple(self.uses)

    @property
    def conditional(self) -> bool:
        """Whether anything may keep it from being begun besides its actor and the steps before it."""
        return self.when is not None or self.uses is not None
