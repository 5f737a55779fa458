"""The load every engine plays: blocks of callers with all their draws attached."""

from typing import NamedTuple


class CallerBlock(NamedTuple):
    """Callers of one stream in order of arrival; all lists have one entry a caller.

    Of a stream with `sources` the first callers are one for each; the others, without end, come one by one as sources
    have done with a call.
    """

    at: list[float]
    """First attempt, in seconds since the start of the run; of those who come later, since the end of that call."""
    talk: list[float]
    """Conversation, in seconds."""
    patience: list[float]
    """Longest wait in all, in seconds; infinite for those who wait for ever."""
    tries: list[int]
    """Attempts the caller is ready to make, at least 1."""
    again: list[list[float]]
    """Pause before the second, third … attempt, in seconds; at least ``tries - 1`` entries."""
