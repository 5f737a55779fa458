"""What a message has in common with its transaction, and with no other (RFC 3261 §17.1.3, §17.2.3, §8.2.2.2).

Branches are compared as they stand; Request-URIs and Vias of RFC 2543 as they are written, since a copy is written like
its original. All raise :class:`~sbc.sip.errors.ParseError` for a header field that they need and cannot read.
"""

from sbc.sip.fields import is_rfc3261
from sbc.sip.message import Request, Response
from sbc.sip.transaction import Key


def client_key(message: Request | Response) -> Key:
    """Return branch and method: what a response shares with the request that it answers."""
    return (message.branch, message.method if isinstance(message, Request) else message.cseq.method)


def server_key(request: Request, method: str) -> Key:
    """Return what a request shares with its copies; with the method INVITE, what an ACK or CANCEL shares with that.

    Without the magic cookie of RFC 3261 the key is that of RFC 2543, in which an ACK's To tag is the response's.
    """
    branch = request.branch
    if is_rfc3261(branch):
        return (branch, request.via.sent_by, method)
    return rfc2543_key(request, method, request.to_tag)


def rfc2543_key(request: Request, method: str, to_tag: str | None) -> Key:
    """Return what a request of RFC 2543 shares with its copies."""
    return (request.uri_text, to_tag, request.from_tag, request.call_id, request.cseq.number, str(request.via), method)


def merge_key(request: Request) -> Key | None:
    """Return what a request shares with itself come by another way; None within a dialog, where none is merged."""
    if request.to_tag is not None:
        return None
    return (request.from_tag, request.call_id, request.cseq)
