"""The vocabulary of a drill: what one YAML file may say.

Only shapes and meanings live here. Whether names lead somewhere is checked by :mod:`scenarios.rules`; how text becomes
seconds, rates and numbers by :mod:`scenarios.fields`. A :class:`Drill` is frozen: declaring a plan is not running it.
"""

from scenarios.model.contact_centre import AgentGroup, Callback, Ivr, Overflow, Queue, SkillLevel, Softphone, Widen
from scenarios.model.day import Fault, Retry, Surge, Traffic
from scenarios.model.drill import Drill, Run, Verdict, Waiver
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
from scenarios.model.steps import (
    ACTIONS,
    Action,
    Activate,
    CallerNumbers,
    DefaultCaller,
    Drain,
    Reroute,
    Resume,
    Start,
    Step,
    SwitchNodes,
    SwitchSoftphones,
    Verify,
)

__all__ = [
    "ACTIONS",
    "Action",
    "Activate",
    "AgentGroup",
    "Callback",
    "CallerNumbers",
    "DefaultCaller",
    "Detection",
    "Detector",
    "Drain",
    "Drill",
    "FailureDetection",
    "Fault",
    "Ivr",
    "NoDetection",
    "Number",
    "Office",
    "OptionsDetection",
    "Overflow",
    "Part",
    "Ports",
    "Queue",
    "Reroute",
    "Resume",
    "Retry",
    "Run",
    "SbcPair",
    "Site",
    "SkillLevel",
    "Softphone",
    "Start",
    "Step",
    "Surge",
    "SwitchNodes",
    "SwitchSoftphones",
    "Traffic",
    "Trunk",
    "Verdict",
    "Verify",
    "VrrpDetection",
    "Waiver",
    "Widen",
]
