"""How much of a message is too much."""

from typing import NamedTuple


class Limits(NamedTuple):
    """The most that is taken in of one message; no more than `head` and `body` together is ever held.

    There is nothing that nests, and parameters and list items are bounded by the line that they stand in.
    """

    head: int = 32_768
    """Bytes of start line and header fields together."""
    line: int = 8_192
    """Characters of one header field, unfolded, and of the start line."""
    fields: int = 256
    """Header fields."""
    body: int = 65_535
    """Bytes of a body."""
