"""The random walk: a function of seed, symbol and time, in whole numbers, so that every machine has the same prices.

At the turn of each minute the price is the sum of waves of noise whose height grows with the square root of their
length, which looks like a random walk and stays around its level. Between two turns it is a bridge of random steps.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from random import Random
from typing import Final

from gatehook.kinds.times import MINUTE

from .listing import Listing

#: Lengths of the waves in minutes, and the square roots of them in thousandths: half a minute to three weeks.
_WAVES: Final = tuple((2**power, round(1000 * 2 ** (power / 2))) for power in range(15))
_FINE: Final = 1 << 16


class Walk:
    """The path of one instrument. Tick ``k`` is at ``k * step`` nanoseconds since 1970."""

    def __init__(self, listing: Listing, seed: int, ticks_per_minute: int) -> None:
        self.listing = listing
        self.per_minute = ticks_per_minute
        self.step = MINUTE // ticks_per_minute
        self._seed = f"{seed}/{listing.symbol}/"
        self._noise = lru_cache(maxsize=256)(self._make_noise)
        self.minute = lru_cache(maxsize=8)(self._make_minute)

    def _make_noise(self, wave: int, place: int) -> int:
        digest = blake2b(f"{self._seed}{wave}/{place}".encode(), digest_size=4).digest()
        return int.from_bytes(digest, "big", signed=False) % (2 * _FINE + 1) - _FINE

    def _turn(self, minute: int) -> int:
        """The price at the turn to ``minute``, in thousandths of an increment."""
        total = 0
        for length, height in _WAVES:
            place, along = divmod(minute, length)
            here, there = self._noise(length, place), self._noise(length, place + 1)
            total += height * (here * (length - along) + there * along) // length
        return 1000 * self.listing.level + total * self.listing.wildness // _FINE

    def _make_minute(self, minute: int) -> tuple[tuple[int, int], ...]:
        """Return (bid in increments, size in multiples of the listing's) of every tick of a minute since 1970."""
        steps = self.per_minute
        seed = blake2b(f"{self._seed}{minute}".encode(), digest_size=8).digest()
        random = Random(int.from_bytes(seed, "big"))  # noqa: S311  a simulation is no secret
        draws = [random.getrandbits(16) for _ in range(2 * steps)]
        reach = max(1, 1700 * self.listing.wildness // max(1, round(steps**0.5)))
        path, at = [0], 0
        for draw in draws[:steps]:
            at += draw * 2 * reach // 65_535 - reach
            path.append(at)
        first, last = self._turn(minute), self._turn(minute + 1)
        slope = last - first - at
        return tuple(((first + path[i] + slope * i // steps) // 1000, 1 + draws[steps + i] % 20) for i in range(steps))

    def tick(self, k: int) -> tuple[int, int]:
        """Return (bid in increments, size in multiples of the listing's) of tick ``k``."""
        minute, place = divmod(k, self.per_minute)
        return self.minute(minute)[place]
