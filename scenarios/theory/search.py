"""Where a condition that holds on one side only begins to hold, or ceases to."""

from collections.abc import Callable


def smallest(meets: Callable[[int], bool], least: int = 0) -> int:
    """Return the smallest whole number from `least` on that meets a condition, which all above it must meet too.

    The condition must be met somewhere, or the search does not end.
    """
    if meets(least):
        return least
    low, step = least, 1
    while not meets(low + step):
        low, step = low + step, 2 * step
    high = low + step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if meets(middle) else (middle, high)
    return high


def largest(meets: Callable[[int], bool], least: int) -> int:
    """Return the largest whole number that meets a condition; `least` does, and some number above does not."""
    return smallest(lambda number: not meets(number), least) - 1


def last(meets: Callable[[float], bool], low: float, high: float) -> float:
    """Return the number closest to the end of a condition that still meets it, by halving down to rounding.

    `low` meets the condition and `high` does not; between them it ends once. `low` may be the larger of the two.
    """
    while True:
        middle = low + (high - low) / 2
        if middle in (low, high):
            return low
        low, high = (middle, high) if meets(middle) else (low, middle)
