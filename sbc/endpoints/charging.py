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


def branched(key: str, branch: int) -> str:
    """Return the key of the legs that the ``branch``-th INVITE of a call begins, counted from 1.

    An INVITE that its sender has given up may come through after the next (RFC 3261 §9.1: no CANCEL before a
    provisional response), and its legs are not to be taken for those of the other.
    """
    return key if branch == 1 else f"{key}.{branch}"


def unbranched(key: str) -> tuple[str, int]:
    """Return the key of the call that legs belong to, and by which INVITE; a key that is none of ours stays whole."""
    call, _, branch = key.partition(".")
    return (call, int(branch)) if branch.isdecimal() else (key, 1)
