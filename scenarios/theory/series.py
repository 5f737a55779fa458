"""Sums 1 + r₁ + r₁r₂ + … of ratios that never rise: what the inverse of every loss formula is.

All terms are positive, so nothing cancels, and the sum can stop where a geometric series that bounds the rest is lost
in rounding. That takes about ten times the root of the ports near full load, where the recursion 1/B(n) = 1 + (n/A) ·
1/B(n-1), whose terms these are from the last to the first, takes them all.
"""

import math
from collections.abc import Iterable

ROUNDING = 1e-17
"""Share of a sum that may be left out without being seen in it."""


def total(ratios: Iterable[float]) -> float:
    """Return the sum to rounding; infinity where it is beyond floating-point numbers. The ratios must never rise."""
    term = added = 1.0
    for ratio in ratios:
        term *= ratio
        added += term
        if (ratio < 1 and term * ratio <= ROUNDING * (1 - ratio) * added) or added == math.inf:
            break
    return added
