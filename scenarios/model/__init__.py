"""The vocabulary of a drill: what one YAML file may say.

Only shapes and meanings live here. Whether names lead somewhere is checked by :mod:`scenarios.rules`; how text becomes
seconds, rates and numbers by :mod:`scenarios.fields`. A :class:`Drill` is frozen: declaring a plan is not running it.
"""

from scenarios.model.biztel import Asked, Biztel
from scenarios.model.contact_centre import AgentGroup, Callback, Ivr, Overflow, Queue, SkillLevel, Softphone, Widen
from scenarios.model.day import Fault, Retry, Surge, Traffic
from scenarios.model.drill import Drift, Drill, Run, Verdict, Waiver
from scenarios.model.duties import DUTIES, Duty
from scenarios.model.live import Command, HeaderKey, Live, Side, Target
from scenarios.model.network import (
    Detection,
    Detector,
    FailureDetection,
    NoDetection,
    Number,
    Office,
    OptionsDetection,
    Ports,
    SbcPair,
    Site,
    Trunk,
    VrrpDetection,
)
from scenarios.model.part import Part
from scenarios.model.people import Actor, Calendar
from scenarios.model.port_management import PortManagement
from scenarios.model.steps import (
    ACTIONS,
    Action,
    Activate,
    CallerNumbers,
    Deactivate,
    DefaultCaller,
    Drain,
    RequestPorts,
    Reroute,
    Resume,
    Start,
    Step,
    SwitchNodes,
    SwitchSoftphones,
    Verify,
    When,
)

__all__ = [
    "ACTIONS",
    "DUTIES",
    "Action",
    "Activate",
    "Actor",
    "AgentGroup",
    "Asked",
    "Biztel",
    "Calendar",
    "Callback",
    "CallerNumbers",
    "Command",
    "Deactivate",
    "DefaultCaller",
    "Detection",
    "Detector",
    "Drain",
    "Drift",
    "Drill",
    "Duty",
    "FailureDetection",
    "Fault",
    "HeaderKey",
    "Ivr",
    "Live",
    "NoDetection",
    "Number",
    "Office",
    "OptionsDetection",
    "Overflow",
    "Part",
    "PortManagement",
    "Ports",
    "Queue",
    "RequestPorts",
    "Reroute",
    "Resume",
    "Retry",
    "Run",
    "SbcPair",
    "Side",
    "Site",
    "SkillLevel",
    "Softphone",
    "Start",
    "Step",
    "Surge",
    "SwitchNodes",
    "SwitchSoftphones",
    "Target",
    "Traffic",
    "Trunk",
    "Verdict",
    "Verify",
    "VrrpDetection",
    "Waiver",
    "When",
    "Widen",
]
