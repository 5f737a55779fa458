"""Which trunk a call is to leave by, as its Request-URI says, or has come by, as its Contact does (RFC 4904 §5)."""

from typing import NamedTuple

from sbc.endpoints.wire import Address
from sbc.sip.grammar import Params
from sbc.sip.uri import SipUri, TelUri, Uri, escape, unescape

CONTEXT = "kirikae"
"""The name space that the names of trunks live in."""

PHONE = Params([("user", "phone")])
"""Says of a URI that its user part is a telephone number."""


class Wish(NamedTuple):
    """What a user part says: a number, and the trunk that a call is to leave by, or has come by."""

    number: str
    trunk: str | None


def by_trunk(number: str, trunk: str, sbc: Address) -> SipUri:
    """Return the Request-URI of a call that an SBC is to send on by a trunk, or the Contact of one that came by it."""
    user = f"{number};tgrp={escape(trunk)};trunk-context={CONTEXT}"
    return SipUri(sbc.host, user, sbc.port, PHONE)


def wish(uri: SipUri) -> Wish:
    """Return the number and the trunk that a Request-URI names."""
    number, *params = (uri.user or "").split(";")
    named = dict(param.partition("=")[::2] for param in params)
    trunk = named.get("tgrp")
    return Wish(number, None if trunk is None else unescape(trunk))


def number_in(uri: Uri) -> str:
    """Return the number in a URI, without the trunk group behind it; empty where a URI has none."""
    match uri:
        case SipUri():
            return (uri.user_text or "").partition(";")[0]
        case TelUri():
            return uri.phone
        case _:
            return ""
