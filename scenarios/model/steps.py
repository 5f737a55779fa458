"""What people do: the steps of the runbook and their effects."""

from typing import Annotated

from pydantic import Discriminator, Field, Tag

from scenarios.fields import Distributed, Duration, Line, Name, PhoneNumber, Share
from scenarios.model.part import Part


class Activate(Part):
    """Bring a secondary site into service (the DR button, Z30-Z31)."""

    activate: Name
    """The site."""


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


class Verify(Part):
    """A test call (Z40): it fails, and is repeated, while the number reaches nobody who could answer."""

    verify: PhoneNumber
    """The number called."""


class Drain(Part):
    """Let a pair refuse new calls with 503, so that carriers go on to the next trunk; calls up go on."""

    drain: Name
    """The pair."""


class Resume(Part):
    """Let a drained pair take new calls again."""

    resume: Name
    """The pair."""


class SwitchNodes(Part):
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


class Start(Part):
    """What sets a step off that no other step does."""

    after: Name | None = None
    """The fault that people notice."""
    at: Duration | None = None
    """For planned work: time since the start of the run."""
    delay: Distributed | None = None
    """Time until they decide to act (N6)."""


class Step(Part):
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
