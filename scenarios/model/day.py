"""The day the plan meets: calls and faults."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from scenarios.distributions import Distribution, Shape
from scenarios.fields import (
    Arrivals,
    Count,
    Distributed,
    Duration,
    Flag,
    Line,
    LongerThanZero,
    Name,
    PhoneNumber,
    Quantity,
    Share,
    Whole,
    as_text,
)
from scenarios.model.live import Command
from scenarios.model.part import Part
from scenarios.numberplan import is_emergency


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
    """The number dialled. An emergency call, to 110, 118 or 119, leaves by a fixed-line number (0AB-J) at the site of
    the agent's phone, whatever `default_caller` says, and fails where there is none (J5). The next free agent places
    it, before any caller is answered; every limit counts it, for a full contract refuses all calls alike (J7)."""
    from_: Annotated[Name | None, Field(alias="from")] = None
    """The group that places the calls; absent on inbound traffic."""
    arrivals: Arrivals
    """Callers per time, a Poisson process; constant or a time-of-day profile."""
    sources: Count | None = None
    """People who place these calls, each one at a time: after every call they wait anew, for an exponential time. Then
    `arrivals`, which has to be constant, is the rate while none of them is in a call, and falls with each that is
    (Engset). Without it callers are so many that those in a call make no difference."""
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
    needs: list[Name] = []
    """Functions that these calls cannot do without, such as `fax`: where the site that serves them lacks one they
    fail, as nothing there can take them (501, Q.850 cause 79, RFC 3398; Z27)."""

    @property
    def emergency(self) -> bool:
        """Whether these are emergency calls."""
        return is_emergency(self.to)


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
    carrier: Line | None = None
    """The carrier all of whose trunks are lost."""
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
    how: Literal["killed", "hung", "restarted", "degraded"] = "killed"
    """How nodes of a pair fail: `killed` is silent in every way; `hung` answers no SIP, but holds the address and sends
    adverts, as a node whose SIP process alone has died. Either way calls are cut or wait for the other node by what the
    pair `keeps`; those kept on a node whose failure is never noticed stay up in silence. `restarted`: as `hung` for the
    time that the process takes to boot (`for`), but it comes back without its calls: those kept are saved only if the
    other node has taken over by then. `degraded`: a link is not cut, but datagrams on it are late (`delay`) or lost
    (`loss`): that of a trunk or of all of a carrier, on which calls are set up; that of an office, on which phones
    register; or with `fails: link` that of the adverts of a pair."""
    delay: Distributed | None = None
    """Time by which a degraded link makes each datagram later, one way."""
    loss: Annotated[Share, Field(gt=0)] | None = None
    """Share of the datagrams, one way, that a degraded link loses; requests are sent again at the times of RFC 3261
    until one copy and its answer get through (S1), and a standby that misses three adverts takes over."""
    refuses: Annotated[Share, Field(gt=0)] | None = None
    """Share of new calls that a carrier refuses, on a trunk or on all of its trunks, as carriers do in disasters; calls
    up go on, and emergency calls (110, 118, 119) are let through. A call refused goes on to the next trunk as after any
    other answer (S9)."""
    answer: Annotated[Whole, Field(ge=400, le=699)] = 503
    """What a call hears that is refused so: a SIP response from 400 to 699."""
    retry_after: LongerThanZero | None = None
    """Retry-After of such a 503, or of that of `fails: 503`: until it is over, whoever has heard it does not try the
    trunk for new calls (S2), emergency calls excepted. Without it, 503 speaks for the call at hand only."""
    lasts: Annotated[LongerThanZero | None, Field(alias="for")] = None
    """Time until it is repaired, or has booted; without it, not in this run."""
    command: Command | None = None
    """How it is brought about on a pair that is a real one (`targets`); for the live engine."""

    @property
    def targets(self) -> dict[str, str]:
        """What it breaks, by the field that names it."""
        stated = {
            "site": self.site,
            "pair": self.pair,
            "trunk": self.trunk,
            "carrier": self.carrier,
            "registrar": self.registrar,
            "office": self.office,
            "identity": "identity" if self.identity else None,
        }
        return {field: name for field, name in stated.items() if name is not None}
