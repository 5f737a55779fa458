"""How much of a message is too much."""

from typing import NamedTuple


class Limits(NamedTuple):
    """The most that is taken in; whatever comes, no more than `size` bytes of one message are ever kept."""

    size: int = 65_535
    """Bytes of a whole message."""
    head: int = 32_768
    """Bytes of start line and header fields together."""
    line: int = 8_192
    """Characters of one header field, unfolded, and of the start line."""
    fields: int = 256
    """Header fields in a message."""
    body: int = 65_535
    """Bytes of a body."""
