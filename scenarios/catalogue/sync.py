"""Where the rows about replication and functions of the DR site are held."""

from scenarios.catalogue.row import Places, behaviour, metric, parameter

_EDITED = "dr-edited-in-peace"
_FIXED = "dr-edited-in-peace-fixed"

PLACES: Places = {
    "Z4": (parameter("Console.address"), parameter("Sync.from"), parameter("Sync.to")),
    "Z5": (parameter("Data.every"),),
    "Z6": (parameter("Data.every"),),
    "Z7": (
        parameter("Data.every"),
        behaviour(
            "Phones of an office are refused at a site that does not have the change which allows them.",
            drill=_EDITED,
            metric="softphones_least{site=osaka, after=18m, before=28m}",
        ),
    ),
    "Z8": (
        parameter("Data.loaded_every"),
        behaviour(
            "What has been replicated counts from the next load on, and not at all if the site serves before.",
            drill=_FIXED,
            metric="data_lost{data=accounts}",
        ),
    ),
    "Z9": (
        parameter("Data.excluded"),
        behaviour(
            "What is excluded is not replicated: the gap is as long as the run until the loss.",
            drill=_FIXED,
            metric="rpo{data=histories}",
        ),
    ),
    "Z10": (parameter("Data.holds"),),
    "Z11": (parameter("Data.holds"),),
    "Z12": (parameter("LookAtSync.look_at_sync"),),
    "Z27": (
        parameter("Site.lacks"),
        behaviour(
            "A call that needs a function which its site lacks fails with 501.",
            drill=_FIXED,
            metric="failed{site=osaka}",
        ),
    ),
    "Z31": (
        parameter("Step.takes"),
        behaviour("Activation stops the replication.", drill=_FIXED, metric="unprotected"),
    ),
    "Z38": (
        parameter("Console.needs"),
        behaviour(
            "A step is not begun while a console that it uses needs a site or office that is lost.",
            drill="login-at-the-lost-site",
            metric="runbook_time{step=re-point 0120-123-456}",
        ),
    ),
    "Z42": (
        behaviour(
            "A resync overwrites what was changed at the other site alone.",
            drill=_EDITED,
            metric="data_lost{data=announcements}",
        ),
    ),
    "Z44": (
        behaviour(
            "A change at the site that gets replicas stops the replication, and nobody is told.",
            drill=_EDITED,
            metric="data_lost{data=ip-restrictions}",
        ),
    ),
    "Z48": (metric("unprotected"),),
    "Z49": (parameter("Export.each"),),
}
"""Z43 is held by a plan check alone."""
