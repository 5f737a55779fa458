"""Where the rows about numbers are held."""

from scenarios.catalogue.row import Places

PLACES: Places = {}
