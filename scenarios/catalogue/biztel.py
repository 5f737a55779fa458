"""Where the rows about contract, people and order of a BIZTEL switch are held."""

from scenarios.catalogue.row import Places

PLACES: Places = {}
