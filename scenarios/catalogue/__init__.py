"""The catalogue of rules: facts about the systems that plans are for, each with the places that hold a plan to it.

Plan checks say themselves which rows they cite (:attr:`scenarios.rules.Rule.cites`); :data:`PLACES` has the others.
"""

from pathlib import Path

import yaml

from scenarios.catalogue import biztel, genesys, numbers, port_management, sync
from scenarios.catalogue.row import Held, Place, Places, Row

PLACES: Places = {}
"""Where rows are held besides by plan checks."""
for _part in (sync.PLACES, numbers.PLACES, biztel.PLACES, genesys.PLACES, port_management.PLACES):
    for _id, _places in _part.items():
        PLACES[_id] = (*PLACES.get(_id, ()), *_places)

_FACTS = yaml.safe_load(Path(__file__).with_name("facts.yaml").read_text("utf-8"))

ROWS = {name: Row(name, fact) for name, fact in _FACTS.items()}
"""Every row by its id."""

__all__ = ["PLACES", "ROWS", "Held", "Place", "Row"]
