"""The key that pairs the legs of a call: the ICID of P-Charging-Vector, whoever changes Call-IDs (RFC 7315 §4.6)."""

import re
from typing import Final

from sbc.sip.message import Request

HEADER: Final = "P-Charging-Vector"
_ICID = re.compile(r'icid-value="?([^";]+)"?')


def charging(key: str) -> tuple[str, str]:
    """Return the header field that carries a call's key."""
    return HEADER, f'icid-value="{key}"'


def key_of(request: Request) -> str | None:
    """Return the key of the call that a request belongs to; None where it carries none."""
    value = request.headers.get(HEADER)
    found = None if value is None else _ICID.search(value)
    return None if found is None else found[1]
