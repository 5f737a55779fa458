"""Where the rows about port requests are held."""

from scenarios.catalogue.row import Places

PLACES: Places = {}
