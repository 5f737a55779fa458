"""What there is on the wire: sites, SBC pairs, trunks, numbers and port limits."""

from typing import Annotated, Literal

from pydantic import Field

from scenarios.fields import Count, Duration, Flag, Line, LongerThanZero, Name, PhoneNumber, Rate, Whole
from scenarios.model.part import Part
from scenarios.parties import Owner


class Site(Part):
    """A place that SBCs, registrars and people stand in, and that can be lost as a whole."""

    role: Literal["primary", "secondary"] = "primary"
    """`primary`: in service from the start. `secondary`: refuses calls until a step activates it (Z14)."""
    register_rate: Rate | None = None
    """REGISTERs that its registrar takes; above that it answers 503 and the phone tries again later (S7, S13)."""
    retry_after: LongerThanZero | None = None
    """Retry-After of that 503: a phone waits that long, and then as it does after any failure (S2)."""
    lacks: list[Name] | None = None
    """Functions that are not there: a call that `needs` one fails with 501. Without it what the `system` says of its
    secondary sites (Z27); `[]` for nothing."""
    owner: Owner = "shared"
    """Who is responsible for what stands there: the `customer`, the `vendor`, the `carrier`, or several together,
    `shared` (G6). It decides whose the minutes of an outage are in which a repair of it is waited for."""


class Office(Part):
    """A place that agents work at, reached over a line of its own that can be lost (G1, G4)."""

    owner: Owner = "customer"
    """Who is responsible for that line, as with sites (G1, G6)."""


class VrrpDetection(Part):
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


class OptionsDetection(Part):
    """The standby takes over when the active node leaves an OPTIONS probe unanswered."""

    by: Literal["options"]
    """Probes from outside."""
    every: LongerThanZero = 10.0
    """Time between two probes."""
    timeout: LongerThanZero = 2.0
    """The probe's own transaction time-out, added to the interval (S10)."""


class FailureDetection(Part):
    """Nobody probes; a node of an active-active pair is avoided from the first call that it leaves unanswered."""

    by: Literal["failure"]
    """The first call that fails."""


class NoDetection(Part):
    """Nobody notices: a dead node of an active-active pair gets every second call for ever."""

    by: Literal["nobody"]
    """Neither probes nor calls that fail."""


Detector = VrrpDetection | OptionsDetection | FailureDetection | NoDetection


Detection = Annotated[Detector, Field(discriminator="by")]


class SbcPair(Part):
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
    """Calls that survive a takeover: all, those already answered, or none (S11). Callers in a queue who survive are in
    silence until a node serves: no agent can answer them, and they keep their place."""
    session_timer: Annotated[Duration, Field(ge=90)] = 1800.0
    """Session interval of its calls: it ends a lost call that nobody hangs up (RFC 4028, S5); 90 s at least."""
    passes: Literal["b2bua", "proxy"] = "b2bua"
    """How its nodes pass calls on: each as two calls joined back to back, or as a Record-Routing proxy, whose dialogs
    carry the service address: those already answered then go on with the next node without having been replicated."""
    failover: Flag = True
    """Active-active: a call that one node refuses with 503, or leaves unanswered for the trunk's `advance_after`, goes
    on to the other; false: it is lost with that answer, or with 408."""
    owner: Owner | None = None
    """Who is responsible for its nodes, and for their noticing that one of them is gone; unless said otherwise whoever
    is for the site (G6)."""


class Trunk(Part):
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
    owner: Owner = "carrier"
    """Who is responsible for the line (G6)."""


class VoiceWarp(Part):
    """Carrier forwarding that is contracted for a number (J3, Z23); it forwards nothing before a step starts it."""

    channels: Count
    """Calls that it forwards at the same time; those above hear busy (486)."""


class Number(Part):
    """A public number and where a call to it goes: on to a number behind it, or to a trunk."""

    to: PhoneNumber | None = None
    """The number behind this one (0120, 0800, 0570); a runbook step may re-point it."""
    service: Literal["free-dial", "free-dial-intelligent", "other"] = "free-dial"
    """What a 0120, 0800 or 0570 number is: Free Dial or Navi Dial of NTT Communications, its Free Dial Intelligent
    Service, or another carrier's. With the first alone, calls fail (403) while a 050 number is behind it (Z17)."""
    trunk: Name | Annotated[list[Name], Field(min_length=1)] | None = None
    """The trunk its calls arrive by, or several in the order in which they are tried: the next on 408, 480, 503, 504 or
    a lost trunk, never on an answer of the far side such as 404, 486 or 603 (S9)."""
    queue: Name | None = None
    """The queue its calls wait in; without one, the far side answers at once."""
    open: Name | None = None
    """The calendar of its hours; outside them callers hear that it is closed (480)."""
    tap: Count | None = None
    """Most calls on this number at the same time, the per-number limit under the contract's (J7)."""
    voice_warp: VoiceWarp | None = None
    """The forwarding service contracted for it, which a step starts (`forward`). Sign-up takes days (J3)."""

    @property
    def trunks(self) -> tuple[str, ...]:
        """The trunks named in ``trunk``, in the order in which they are tried."""
        if self.trunk is None:
            return ()
        return (self.trunk,) if isinstance(self.trunk, str) else tuple(self.trunk)


class Ports(Part):
    """Contract-wide limits on calls at the same time."""

    tenant: Count | None = None
    """Inbound and outbound calls together, over all numbers (J7, P8)."""
    outbound: Count | None = None
    """Outbound calls."""
    agentless: Count | None = None
    """Outbound calls without an agent. No call of a drill is one, so that none counts against it: only requests for
    ports, and how they relate to the others (P9), know it."""
