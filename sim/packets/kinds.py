"""What the journal calls a datagram that has met a fault."""

from sbc.endpoints.wire import VRRP, Datagram
from sbc.sip.errors import ParseError
from sbc.sip.message import Request

_MET = {"REGISTER": "registration", "OPTIONS": "probe"}


def met(datagram: Datagram | None) -> str:
    """Return what the journal calls a datagram that met a fault: ``call``, ``registration``, ``probe``, ``advert``.

    None stands for the end of a connection, which may have carried anything.
    """
    if datagram is None:
        return "connection"
    if datagram.path.transport == VRRP:
        return "advert"
    message = datagram.message
    if message is None:
        return "replication"
    if isinstance(message, Request):
        return _MET.get(message.method, "call")
    try:
        return _MET.get(message.cseq.method, "call")
    except ParseError:  # what is sent wrong on purpose meets faults as well
        return "call"
