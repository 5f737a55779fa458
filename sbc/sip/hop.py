"""Requests made of another request, for the same hop: the ACK of a failure, the CANCEL (RFC 3261 §9.1, §17.1.1.3)."""

from sbc.sip.message import Request, Response


def ack_for(invite: Request, response: Response) -> Request:
    """Return the ACK that a client transaction sends for a 3xx to 6xx (§17.1.1.3), credentials copied (§22.1).

    The ACK for a 2xx is another matter: the dialog makes it, with a branch of its own (§13.2.2.4).
    """
    return _on_the_same_hop(invite, "ACK", response, "Route", "Authorization", "Proxy-Authorization")


def cancel_for(invite: Request) -> Request:
    """Return the CANCEL of an INVITE that a client transaction has sent (§9.1): a request with its own transaction.

    It may be sent once a provisional response has come, and not after a final one.
    """
    return _on_the_same_hop(invite, "CANCEL", invite, "Route")


def _on_the_same_hop(invite: Request, method: str, to: Request | Response, *copied: str) -> Request:
    """Return a request that names the transaction of another; what the other lacks on purpose is left empty."""
    own = invite.headers
    return Request.build(
        method,
        invite.uri_text,
        via=invite.via,
        from_=own.get("From") or "",
        to=to.headers.get("To") or "",
        call_id=own.get("Call-ID") or "",
        cseq=invite.cseq.number,
        headers=[(name, value) for name in copied for value in own.values(name)],
    )
