"""What a plan for the BIZTEL DR service states about its contract and its sites."""

import re
import unicodedata
from typing import Annotated, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from scenarios.fields import Flag, Stated, refuse
from scenarios.model.part import Part

_VERSION = re.compile(r"v?(?P<version>\d{1,9}(?:\.\d{1,9}){0,3})", re.IGNORECASE)
_VERSIONS = "a version such as 3.9.0"

Option = Literal["outbound", "number-notification"]
"""An option of the contract that decides about DR."""


def _version(value: object) -> str:
    text = str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    found = _VERSION.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if found is None:
        raise refuse("not a version", _VERSIONS)
    return found["version"]


VersionField = Annotated[
    str,
    PlainValidator(_version),
    WithJsonSchema(
        {
            "type": ["string", "number"],
            "pattern": r"^[vV]?[0-9０-９]+([.．][0-9０-９]+){0,3}$",
            "description": _VERSIONS,
            "examples": ["3.9.0"],
        }
    ),
]
"""A version, as its numbers and dots."""


class Asked(Part):
    """What the vendor said works on DR, of what varies by contract: `no` also for what is not used, `unknown` for what
    nobody has asked yet (Z26)."""

    speech_recognition: Annotated[Stated, Field(alias="speech-recognition")] = "unknown"
    """Speech recognition."""
    vpn: Stated = "unknown"
    """Lines over a VPN."""
    external_links: Annotated[Stated, Field(alias="external-links")] = "unknown"
    """Links to other systems."""


class Biztel(Part):
    """The contract and the sites of the BIZTEL DR service, as the customer states them; a plan whose `system` is
    another has no such section. Nothing in a run depends on it: plan checks take it at its word."""

    dr_contract: Stated = "unknown"
    """Whether the DR option is contracted (Z1)."""
    options: list[Option] = []
    """Contract options that decide about DR: `outbound`, which excludes it (Z3), and `number-notification`, with which
    outbound calls show a 0120, 0800 or 0570 number (Z22)."""
    asked: Asked = Asked()
    """What the vendor said works on DR, of what varies by contract (Z26)."""
    accepts_lower_service: Stated = "unknown"
    """Whether a service level on DR that differs from the ordinary one is accepted (Z13)."""
    opencti: Flag = False
    """Whether OpenCTI is used, whose server URL has to be changed at a switch (Z24)."""
    dr_version: VersionField | None = None
    """The version on the DR site, which is not upgraded by itself; `system` says that of the primary one (Z45)."""
    two_step_login: Flag = False
    """Whether people sign in by two-step login: on the DR site they verify anew, for which the steps that switch
    softphones need a `login` (Z46)."""
