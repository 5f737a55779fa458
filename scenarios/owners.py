"""Who is responsible for what: whose people somebody is one of, and whose business a part of the plan is (G6)."""

from scenarios.model import Drill, Fault
from scenarios.parties import Owner, Party
from scenarios.problems import fold

SHARED: Owner = "shared"


def works_for(drill: Drill, actor: str) -> Party:
    """Return whose people an actor is one of: as the plan says, or as the name does."""
    known = drill.actors.get(actor)
    if known is not None and known.works_for is not None:
        return known.works_for
    match fold(actor):
        case "vendor":
            return "vendor"
        case "carrier":
            return "carrier"
        case _:
            return "customer"


def owner_of_pair(drill: Drill, pair: str) -> Owner:
    """Return whose business the nodes of a pair are, and their noticing that one of them is gone."""
    found = drill.sbc_pairs[pair]
    return found.owner or drill.sites[found.site].owner


def owner_of_fault(drill: Drill, fault: Fault) -> Owner:
    """Return whose business the repair of a fault is; shared where several have a part in it, or nobody is named."""
    if fault.pair is not None:
        return owner_of_pair(drill, fault.pair)
    if fault.trunk is not None:
        return drill.trunks[fault.trunk].owner
    if fault.office is not None:
        return drill.offices[fault.office].owner
    if fault.carrier is not None:
        owners = {trunk.owner for trunk in drill.trunks.values() if trunk.carrier == fault.carrier}
        return owners.pop() if len(owners) == 1 else SHARED
    site = fault.site or fault.registrar
    return SHARED if site is None else drill.sites[site].owner
