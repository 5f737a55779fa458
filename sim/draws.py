"""Random draws: streams keyed by name, so that adding one part of a plan does not shift the draws of another.

The same (seed, replication, name) always gives the same numbers, whatever else the run draws.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from zlib import crc32

import numpy as np
from numpy.random import Generator, SeedSequence
from numpy.typing import NDArray

from scenarios.distributions import Distribution, Shape

Floats = NDArray[np.float64]

BLOCK = 256
"""Values drawn at once: one by one costs 6 to 17 times as much."""


class Draws:
    """All the randomness of one replication."""

    def __init__(self, seed: int, replication: int) -> None:
        self._seed = seed
        self._replication = replication

    def stream(self, name: str) -> Generator:
        """Return the generator of that name, at its beginning."""
        key = (self._replication, crc32(name.encode()))
        return np.random.default_rng(SeedSequence(self._seed, spawn_key=key))

    def values(self, name: str, distribution: Distribution) -> Iterator[float]:
        """Draw from a distribution without end."""
        return _endless(self.stream(name), lambda rng: sample(distribution, rng, BLOCK))

    def bits(self, name: str) -> Callable[[int], int]:
        """Return a source of random bits: called with n, it returns n of them as a number."""
        seed = int(self.stream(name).integers(1 << 63))
        return Random(seed).getrandbits  # noqa: S311 - a run has to be repeatable

    def uniforms(self, name: str) -> Iterator[float]:
        """Draw from 0 to 1 without end."""
        return _endless(self.stream(name), lambda rng: rng.random(BLOCK))

    def shares(self, name: str, among: int, distribution: Distribution | None = None) -> "Shares":
        """Draw for each of ``among`` from a distribution of times, or without one from 0 to 1."""

        def turn(n: int) -> Floats:
            rng = self.stream(f"{name}:{n}" if n else name)
            return rng.random(among) if distribution is None else sample(distribution, rng, among)

        return Shares(turn)


class Shares:
    """Draws for many at once: the n-th of each is the same, however often and in what order the others draw.

    So two engines in which the same phones, or people, come in another order still give each of them the same.
    """

    def __init__(self, turn: Callable[[int], Floats]) -> None:
        """``turn(n)`` returns the n-th draws of all of them, from 0 on."""
        self._turn = turn
        self._turns: list[Floats] = []
        self._taken: Counter[int] = Counter()

    def next(self, one: int) -> float:
        """Return the next draw of one of them."""
        turn = self._taken[one]
        self._taken[one] = turn + 1
        if turn == len(self._turns):
            self._turns.append(self._turn(turn))
        return float(self._turns[turn][one])


def _endless(rng: Generator, block: Callable[[Generator], Floats]) -> Iterator[float]:
    while True:
        yield from block(rng).tolist()


def sample(distribution: Distribution, rng: Generator, n: int) -> Floats:
    """Draw ``n`` values, in seconds."""
    p = distribution.parameters
    match distribution.shape:
        case Shape.CONSTANT:
            return np.full(n, p[0])
        case Shape.EXPONENTIAL:
            return rng.exponential(p[0], n)
        case Shape.UNIFORM:
            return rng.uniform(p[0], p[1], n)
        case Shape.TRIANGULAR:
            return rng.triangular(p[0], p[1], p[2], n) if p[0] < p[2] else np.full(n, p[0])
        case Shape.LOGNORMAL:
            mean, cv = p
            variance = np.log1p(cv**2)
            return rng.lognormal(np.log(mean) - variance / 2, np.sqrt(variance), n)
        case Shape.GAMMA:
            mean, cv = p
            return rng.gamma(1 / cv**2, mean * cv**2, n)
        case Shape.EMPIRICAL:
            return rng.choice(np.asarray(p), n)


def residuals(distribution: Distribution, rng: Generator, n: int) -> Floats:
    """Draw how long ``n`` calls found in progress will still last (the equilibrium distribution of renewal theory).

    A call found in progress is long in proportion to its length, and is met at a uniform point of it.
    """
    pool = sample(distribution, rng, max(4096, n))
    total = pool.sum()
    if not total:
        return np.zeros(n)
    return rng.choice(pool, n, p=pool / total) * rng.random(n)
