"""The fate of a datagram on a link, and of a request that is sent again until an answer comes through.

How late a datagram is adds up over the links on its way; one that is lost is late for ever.
"""

from collections.abc import Iterable
from math import inf


def lateness(loss: float, luck: float, delay: float) -> float:
    """Return how late a link makes a datagram, in seconds; ``inf`` for one that is lost.

    ``loss`` is the share of datagrams lost, ``luck`` a uniform draw from 0 to 1, ``delay`` seconds.
    """
    return inf if luck < loss else delay


Answers = tuple[float, ...]
"""When answers to the copies of a request will be there, the next one first."""


def expecting(answers: Answers, sent: float, late: Iterable[float]) -> Answers:
    """Return ``answers`` and that to a copy sent at ``sent``; ``late`` is what each crossing, there and back, takes."""
    when = sent + sum(late)
    return answers if when == inf else tuple(sorted((*answers, when)))


def comes_first(answers: Answers, otherwise: float) -> bool:
    """Whether an answer is there by the moment at which a client would else send again or give up."""
    return bool(answers) and answers[0] <= otherwise
