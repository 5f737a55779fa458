"""The day the plan meets: calls and faults."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from scenarios.distributions import Distribution, Shape
from scenarios.fields import (
    Arrivals,
    Distributed,
    Duration,
    Flag,
    LongerThanZero,
    Name,
    PhoneNumber,
    Quantity,
    Share,
    Whole,
    as_text,
)
from scenarios.model.part import Part


class Retry(Part):
    """What a caller does who was refused, gave up or was cut off."""

    share: Share
    """Share of callers who try again, drawn anew each time."""
    after: Distributed
    """Time until the next attempt."""
    times: Annotated[Whole, Field(ge=1, le=20)] = 3
    """Attempts after the first, at most."""


class Surge(Part):
    """Extra arrivals from a fault on: people call because something is wrong."""

    at: Name
    """The fault that starts it."""
    factor: Annotated[Quantity, Field(gt=0, le=100)]
    """Arrivals are multiplied by this."""
    lasts: Annotated[LongerThanZero, Field(alias="for")]
    """How long."""


class Traffic(Part):
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


class Fault(Part):
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
