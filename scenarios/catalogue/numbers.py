"""Where the rows about numbers are held."""

from scenarios.catalogue.row import Places, behaviour, not_held, parameter

PLACES: Places = {
    "Z15": (
        behaviour(
            "A call out leaves by trunks of the phone's own site, and fails with 403 when the number it shows has none "
            "there.",
            drill="default-caller-forgotten",
            metric="isa{direction=out}",
        ),
    ),
    "Z17": (
        parameter("Number.service"),
        behaviour(
            "Calls to 0120, 0800 and 0570 fail with 403 while a 050 number is behind a plain one.",
            drill="free-dial-to-050",
            metric="failed_ratio",
        ),
    ),
    "Z20": (
        parameter("Announce.reaches"),
        behaviour(
            "Callers whom no announcement has reached dial the old number, which is lost with its site.",
            drill="published-03-only",
            metric="failed_ratio",
        ),
    ),
    "Z23": (parameter("Number.voice_warp"),),
    "Z32": (
        behaviour(
            "A call out that asks for the default number fails where that number does not work.",
            drill="default-caller-forgotten",
            metric="asr{direction=out}",
        ),
    ),
    "Z37": (
        parameter("AgentGroup.caller_number"),
        behaviour(
            "A call out that asks for the terminal's own number fails until that number is changed too.",
            drill="tokyo-osaka-dr",
            metric="asr{direction=out}",
        ),
    ),
    "Z39": (
        behaviour(
            "From the step on that starts it, the carrier sends calls to the other number, though the site is lost.",
            drill="published-03-forwarded",
            metric="failed_ratio",
        ),
    ),
    "Z40": (
        behaviour(
            "Test calls in and out fail, and are repeated, while callers would reach nobody or calls would not leave.",
            drill="default-caller-forgotten",
            metric="runbook_time{step=test a call out}",
        ),
    ),
    "J1": (parameter("Drill.numbers"),),
    "J2": (parameter("Drill.numbers"),),
    "J3": (
        parameter("VoiceWarp.channels"),
        behaviour(
            "Calls above the channels of the contract hear busy.",
            drill="published-03-forwarded",
            metric="blocked_ratio",
        ),
    ),
    "J4": (
        not_held(
            "No step ports a number: it takes days and is not open to 050, so that no plan for a day can rest on it."
        ),
    ),
    "J5": (
        behaviour(
            "110, 118 and 119 leave by a fixed line of the phone's own site, and fail where there is none.",
            drill="failback-under-load",
            metric="asr{number=110}",
        ),
    ),
    "J6": (
        not_held(
            "Which header field carries the caller's number changes no figure: phones of engines with messages name it "
            "in P-Asserted-Identity (sbc/endpoints/phone.py), where the contact centre reads it "
            "(sbc/endpoints/placing.py); nobody in a drill withholds it."
        ),
    ),
    "J7": (
        parameter("Ports.tenant"),
        parameter("Number.tap"),
        behaviour(
            "The limits of contract and number count calls in and out alike, and lost ones until they are released.",
            drill="port-exhaustion",
            metric="blocked_ratio{limit=tenant}",
        ),
    ),
}
