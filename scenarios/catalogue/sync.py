"""Where the rows about replication and functions of the DR site are held."""

from scenarios.catalogue.row import Places

PLACES: Places = {}
