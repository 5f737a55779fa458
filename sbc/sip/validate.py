"""What an element checks before it acts on a message (RFC 3261 §8.2, §16.3)."""

import re
from collections.abc import Collection

from sbc.sip.message import VERSION, Request, Response
from sbc.sip.uri import SipUri

_VERSION = re.compile(r"SIP/[0-9]{1,3}\.[0-9]{1,3}", re.IGNORECASE)


def validate(message: Request | Response, schemes: Collection[str] = ("sip", "sips", "tel")) -> None:
    """Raise :class:`ParseError` with the response a message deserves, if it cannot be acted upon.

    505 for another version; 416 for a Request-URI whose scheme is not among `schemes`; 400 for a mandatory header field
    that is missing, doubled or malformed, a CSeq of another method, a Request-URI that is none or carries header
    fields. Fields that not every element needs are not read: a fault in them is for whoever needs them.
    """
    if message.version != VERSION and message.version.upper() != VERSION:
        if _VERSION.fullmatch(message.version):
            raise message.fault(f"the version is {message.version}, not {VERSION}", status=505)
        raise message.fault("the start line does not end in its version")
    cseq = message.cseq
    for read in (message.via, message.from_, message.to, message.call_id, message.max_forwards):
        del read  # reading is the check
    if isinstance(message, Request):
        if cseq.method != message.method:
            raise message.fault(f"the method is {message.method}, but CSeq says {cseq.method}", "CSeq")
        uri = message.uri
        if uri.scheme not in schemes:
            raise message.fault(f"nothing here understands the scheme {uri.scheme}", "Request-URI", 416)
        if isinstance(uri, SipUri) and uri.headers is not None:
            raise message.fault("it must not carry header fields", "Request-URI")
