"""What can go wrong with SIP messages.

::

    SipError
    ├── ParseError      what was received cannot be taken as it stands; says which response it deserves
    └── EncodeError     what was to be sent would not be one message on the wire
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sbc.sip.message import Message


class SipError(Exception):
    """The root of the tree: nothing in this package raises anything else about a message."""


class ParseError(SipError):
    """A message, or a part of one, that breaks the grammar or a limit."""

    status: int | None
    """The response it deserves (400, 416, 505, 513 …); None where none may be sent, as to a response."""
    reason: str
    """One sentence, fit for a log and for the reader of one."""
    header: str | None
    """The header field at fault, if it is one."""
    message: "Message | None"
    """As much of the message as could be read: enough to answer it when `status` is given."""

    def __init__(
        self, reason: str, *, status: int | None = 400, header: str | None = None, message: "Message | None" = None
    ) -> None:
        super().__init__(f"{header}: {reason}" if header else reason)
        self.status = status
        self.reason = reason
        self.header = header
        self.message = message


class EncodeError(SipError):
    """A message whose text would end a line or a message where none ends, or that is no text at all."""
