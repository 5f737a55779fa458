"""Rules about replication, consoles and functions of the other site."""

from scenarios.problems import Severity
from scenarios.rules.packs import sync_changes, sync_consoles
from scenarios.rules.rule import Check, Declarations, Rule

_BIZTEL = "biztel"

SYNC: dict[Rule, Check] = {
    Rule(
        "edited-in-peace",
        Severity.ERROR,
        "A change at the site that gets replicas, while all is well, stops the replication, and nobody is told.",
        cites=("Z44",),
    ): sync_changes.edited_in_peace,
    Rule(
        "lost-at-resync",
        Severity.WARNING,
        "What is changed at the other site never comes back by itself, and a resync overwrites it.",
        cites=("Z42", "N10"),
    ): sync_changes.lost_at_resync,
    Rule(
        "sync-never-resumed",
        Severity.WARNING,
        "From the activation on nothing is replicated until it is resumed, and the next outage finds an old copy.",
        cites=("Z48", "Z41"),
    ): sync_changes.never_resumed,
    Rule(
        "change-not-there-yet",
        Severity.NOTE,
        "What is replicated or loaded at intervals is not there yet at the other site for as long.",
        cites=("Z6", "Z7", "Z8"),
    ): sync_changes.not_there_yet,
    Rule(
        "change-never-made",
        Severity.WARNING,
        "A change that nobody makes within the run changes nothing.",
    ): sync_changes.never_made,
    Rule(
        "delete-without-export",
        Severity.ERROR,
        "What a site has for itself is in no replica, and deleting it in bulk takes it for good.",
        cites=("Z43", "Z9"),
        system=_BIZTEL,
        since=(3, 9),
    ): sync_changes.deleted_unsaved,
    Rule(
        "no-bulk-download",
        Severity.WARNING,
        "Where recordings cannot be downloaded in bulk, saving them takes time for each call.",
        cites=("Z49", "Z27"),
    ): sync_changes.saved_at_once,
    Rule(
        "sync-not-looked-at",
        Severity.WARNING,
        "Whether replication runs is on a status page; whoever does not look activates a copy of unknown age.",
        cites=("Z12",),
        system=_BIZTEL,
        since=(3, 7),
    ): sync_consoles.not_looked_at,
    Rule(
        "dr-console-not-named",
        Severity.WARNING,
        "The other site has a console of its own, and who has to find its address first loses time.",
        cites=("Z4",),
        system=_BIZTEL,
        since=(3, 9),
    ): sync_consoles.not_named,
    Rule(
        "instant-activation",
        Severity.WARNING,
        "Activation may take several minutes, and a plan without them is too hopeful.",
        cites=("Z31",),
        system=_BIZTEL,
    ): sync_consoles.at_once,
    Rule(
        "console-out-of-reach",
        Severity.ERROR,
        "A console whose login or server is at a site that is lost is of no use until that site is back.",
        cites=("Z38",),
    ): sync_consoles.out_of_reach,
}

DECLARED: tuple[Declarations, ...] = (sync_consoles.declared,)
