"""What systems say of their replication and of their secondary sites, and what that makes of a plan."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from scenarios.model import Data, Drill
from scenarios.systems import System, Version

HISTORIES: Final = (
    "calls", "recordings", "call-centre", "work-labels", "callback-calls", "concurrent-calls", "billing", "login",
    "agent-activity", "ivr", "external-api", "call-action", "sms", "operation", "setting-change", "call-rating-filter",
    "salesforce-recording-link", "callback-results",
)  # fmt: skip
"""The histories that each site of BIZTEL has for itself (Z10)."""
REPORTS: Final = ("call-centre", "agent", "outbound", "dashboard")
"""The reports that show their own site alone (Z11); `outbound` is that by number."""

_NOT_ON_DR: Final = (
    "security-services", "fax", "bulk-download", "speech-synthesis", "auto-upgrade", "international", "mobile",
    "extension-linkage",
)  # fmt: skip
"""What the DR site of BIZTEL does not have (Z27)."""

_AT_ONCE = Data.model_validate({"every": "0s"})
_HOURLY = Data.model_validate({"every": "0s", "loaded_every": "1h"})


class _Documented(NamedTuple):
    """What a system documents."""

    data: tuple[tuple[Version, Mapping[str, Data]], ...]
    """Classes of data with the version from which on they are so, later ones replacing earlier ones."""
    lacks: tuple[str, ...]
    """Functions that its secondary sites do not have."""


_DOCUMENTED: Final[Mapping[str, _Documented]] = MappingProxyType(
    {
        "biztel": _Documented(
            data=(
                (
                    (),
                    {
                        "settings": _AT_ONCE,  # Z5
                        "announcements": Data.model_validate({"every": "5m"}),  # Z6
                        "ip-restrictions": Data.model_validate({"every": "1h"}),  # Z7
                        "recordings": Data(excluded=True),  # Z9
                        "histories": Data(excluded=True, holds=list(HISTORIES)),  # Z10
                        "reports": Data(excluded=True, holds=list(REPORTS)),  # Z11
                    },
                ),
                (
                    (3, 7, 10),  # Z8
                    {
                        "accounts": _HOURLY,
                        "terminals": _HOURLY,
                        "park-groups": _HOURLY,
                        "pickup-groups": _HOURLY,
                        "call-centre": _HOURLY,
                        "voicemail": _HOURLY,
                        "hold-music": _HOURLY,
                    },
                ),
            ),
            lacks=_NOT_ON_DR,
        )
    }
)

FUNCTIONS: Final = frozenset(name for each in _DOCUMENTED.values() for name in each.lacks)
"""Functions that some system is known to lack at its secondary sites."""


def data_of(system: System | None) -> dict[str, Data]:
    """Return the classes of data that a system replicates or leaves out, as it documents them for its version."""
    found: dict[str, Data] = {}
    if system is None or system.name not in _DOCUMENTED:
        return found
    for since, classes in _DOCUMENTED[system.name].data:
        if system.is_at_least(since):
            found |= classes
    return found


def replicated(drill: Drill) -> dict[str, Data]:
    """Return all classes of data of a plan: those of its system, with what the plan says otherwise, and its own."""
    if drill.sync is None:
        return {}
    known = data_of(System.of(drill))
    stated = {
        name: known[name].model_copy(update={field: getattr(data, field) for field in data.model_fields_set})
        if name in known
        else data
        for name, data in drill.sync.data.items()
    }
    return {**known, **stated}


def lacking(drill: Drill, site: str) -> tuple[str, ...]:
    """Return the functions that a site does not have: those it states, or those of a secondary site of its system."""
    plan, system = drill.sites[site], System.of(drill)
    if plan.lacks is not None:
        return tuple(plan.lacks)
    if plan.role == "primary" or system is None or system.name not in _DOCUMENTED:
        return ()
    return _DOCUMENTED[system.name].lacks
