"""Where the rows about contract, people and order of a BIZTEL switch are held."""

from scenarios.catalogue.row import Places, behaviour, metric, not_held, parameter

_BACK = "softphones_back{agents=desk}"

PLACES: Places = {
    "Z1": (parameter("Biztel.dr_contract"),),
    "Z3": (parameter("Biztel.options"),),
    "Z13": (parameter("Biztel.accepts_lower_service"),),
    "Z14": (
        behaviour(
            "A secondary site refuses calls and registrations until a step activates it, and again once a step has "
            "taken it out of service.",
            drill="dr-button-late",
            metric=_BACK,
        ),
    ),
    "Z22": (parameter("Biztel.options"),),
    "Z24": (parameter("Biztel.opencti"),),
    "Z25": (parameter("Softphone.prepared"),),
    "Z26": (parameter("Biztel.asked"),),
    "Z33": (parameter("Actor.may"),),
    "Z34": (
        behaviour(
            "Each agent of a group switches the phone in a time of their own, after the call in progress; the step is "
            "over with the last.",
            drill="dr-button-first",
            metric=_BACK,
        ),
    ),
    "Z35": (
        behaviour(
            "A share of the agents clicks back to the old site after the switch, notices it, and switches once more.",
            drill="dr-button-first",
            metric=_BACK,
        ),
    ),
    "Z36": (metric("softphones_least"),),
    "Z45": (parameter("Biztel.dr_version"),),
    "Z46": (
        parameter("Biztel.two_step_login"),
        behaviour(
            "Signing in at the other site takes every agent further time, without a phone meanwhile.",
            drill="dr-button-first",
            metric=_BACK,
        ),
    ),
    "Z50": (
        not_held(
            "The icon is to keep administrators from working in the wrong console. How many it keeps from that is "
            "stated nowhere, and no default would be more than a guess: `fails` of a step is for what a team has "
            "found out about itself."
        ),
    ),
}
"""Rows that are held besides by plan checks."""
