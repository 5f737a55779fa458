"""What the process of a machine is started with."""

from typing import NamedTuple

from sbc.endpoints.ha import Phases, Seat
from sbc.live.words import SipPlan
from scenarios.model import Detector


class MachinePlan(NamedTuple):
    """The first that the process of a machine hears, once it is up."""

    sip: SipPlan
    seat: Seat
    detect: Detector
    phases: Phases
    serves: bool
    """Whether it is the machine that has served so far."""
