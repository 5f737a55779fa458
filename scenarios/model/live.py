"""A live run: the user's own SBCs as the system under test, what is done to them, and what is scaled."""

from typing import Annotated, Literal

from pydantic import Field

from scenarios.addresses import Address
from scenarios.fields import (
    CommandField,
    Duration,
    ExpectationField,
    HeaderName,
    LongerThanZero,
    PublicAddressField,
    Share,
    SipAddress,
)
from scenarios.model.part import Part

PROBED_HERE = 0.05
PROBED_ELSEWHERE = 0.2
"""Seconds between two probes of a pair on loopback, and of one off it, which others may be using."""


class Side(Part):
    """One side of an SBC: where calls are sent to it, and where kirikae hears those that it sends."""

    send_to: SipAddress
    """The service address of the pair on this side."""
    listen_on: SipAddress | None = None
    """The address of this machine that the SBC sends its calls to; without it, the one by which this machine reaches
    `send_to`, with a port that is free."""
    advertise: PublicAddressField | None = None
    """What Via and Contact say instead of `listen_on`, where a NAT stands between."""


class HeaderKey(Part):
    """A header that the SBC passes on as it is."""

    header: HeaderName
    """Its name."""


class Target(Part):
    """A real SBC pair in place of an emulated one; kirikae is the carrier outside and the contact centre inside."""

    outside: Side
    """The side of the carrier."""
    inside: Side | None = None
    """The side of phones and contact centre; without it, the SBC has one address for both."""
    key: Literal["number"] | HeaderKey = "number"
    """How a call that the SBC sends on is known again, since it has another Call-ID: `number`, the caller number, of
    which every call under way has one of its own; or `{header: NAME}`, which the SBC passes on."""
    nodes: Annotated[list[SipAddress], Field(min_length=2, max_length=2)] | None = None
    """The addresses of the two nodes themselves; each is asked by OPTIONS whether it is well, before and after anything
    is done to the pair."""
    probe: Annotated[Duration | None, Field(ge=0.01, le=10)] = None
    """How often the pair is asked by OPTIONS, at `send_to` outside, whether it answers: outages are known so exactly.
    Without it, every 50 ms on loopback, and every 200 ms off it."""

    @property
    def probe_every(self) -> float:
        """Seconds between two probes of the pair."""
        if self.probe is not None:
            return self.probe
        return PROBED_HERE if self.outside.send_to.loopback else PROBED_ELSEWHERE

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Everything that is sent something, each once."""
        inside = self.inside or self.outside
        return tuple(dict.fromkeys((self.outside.send_to, inside.send_to, *(self.nodes or ()))))


class Command(Part):
    """How a fault is brought about on real gear, and how it is put right; no shell reads these lines."""

    run: CommandField
    """What breaks it: words separated by spaces, or a list. `${env:NAME}` stands for a secret."""
    undo: CommandField
    """What puts it right; it is run in any case, even where `run` has failed."""
    verify: CommandField | None = None
    """What succeeds when it is right again; tried once a second until `timeout` is over."""
    timeout: Annotated[LongerThanZero, Field(le=600)] = 30.0
    """Time that each of the three has."""


class Live(Part):
    """What is scaled in a live run, which takes as long as the clock on the wall; SIP timers never are."""

    lasts: Annotated[Duration | None, Field(alias="for", gt=0)] = None
    """Time from the start that is played; without it, the whole run as the timeline is scaled."""
    traffic: Annotated[Share, Field(gt=0)] = 1.0
    """The share of arrivals that are placed."""
    timeline: Annotated[Share, Field(gt=0)] = 1.0
    """The share of the time in which all goes by that is people's: callers come, talk, wait and try again, steps are
    taken, faults and surges come and go. As many calls are up at the same time as otherwise, and as many are placed in
    all, in a shorter time; what is up to SIP, phones and SBCs takes the time it takes."""
    expect: list[ExpectationField] = []
    """What has to hold of a live run instead, where a shorter day has other figures: SIP is late for more callers when
    more come in its time. Windows are of the live run."""
