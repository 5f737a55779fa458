"""What a SIP endpoint finds in a datagram."""

from sbc.endpoints.wire import Datagram
from sbc.sip.framing import KeepAlive, datagram
from sbc.sip.message import Request, Response
from sbc.sip.validate import validate


def message_of(arrived: Datagram) -> Request | Response | None:
    """Return the message that has arrived, None for a keep-alive; raises ParseError, as parsing and validating do."""
    message = arrived.message
    if message is None:
        read = datagram(arrived.data)
        if isinstance(read, KeepAlive):
            return None
        message = read
    validate(message)
    return message
