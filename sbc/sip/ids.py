"""Identifiers that have to be new and hard to guess: branches, tags, Call-IDs, nonces (RFC 3261 §8.1.1, §19.3)."""

from collections.abc import Callable

from sbc.sip.fields import MAGIC


class Ids:
    """Makes identifiers from a source of random bits.

    The source is ``random.Random(seed).getrandbits`` where a run has to be repeatable, ``secrets.randbits`` on sockets.
    """

    def __init__(self, bits: Callable[[int], int]) -> None:
        """``bits(n)`` returns n random bits as a number."""
        self._bits = bits

    def branch(self) -> str:
        """Return the branch of a new transaction (§8.1.1.7)."""
        return f"{MAGIC}{self._bits(72):018x}"

    def tag(self) -> str:
        """Return a tag for From or To; 64 bits, where §19.3 asks for 32 at least."""
        return f"{self._bits(64):016x}"

    def word(self) -> str:
        """Return a Call-ID, a cnonce or the salt of a nonce: 128 bits."""
        return f"{self._bits(128):032x}"

    def uniform(self) -> float:
        """Return a number from 0 to 1 for a waiting time that is to differ from everybody else's."""
        return self._bits(53) / (1 << 53)
