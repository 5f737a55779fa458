"""Where the rows about responsibility with Genesys Cloud are held."""

from scenarios.catalogue.row import Places, metric, parameter

PLACES: Places = {
    "G1": (parameter("Office.owner"),),
    "G6": (
        parameter("Site.owner"),
        parameter("SbcPair.owner"),
        parameter("Trunk.owner"),
        parameter("Actor.works_for"),
        metric("outage_minutes"),
    ),
}
