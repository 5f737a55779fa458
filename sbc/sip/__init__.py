"""SIP without input or output: bytes and ``now`` in; messages, events and deadlines out (RFC 3261)."""
