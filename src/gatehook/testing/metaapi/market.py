"""The market behind the stand-in: a price for every symbol at every moment, the same for the same seed."""

from __future__ import annotations

from bisect import bisect_left
from bisect import bisect_right
from collections.abc import Iterable
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any
from typing import Final

import attrs

from gatehook.kinds.times import DAY
from gatehook.kinds.times import HOUR
from gatehook.kinds.times import MINUTE
from gatehook.kinds.times import SECOND
from gatehook.testing.metaapi.settings import SymbolSettings
from gatehook.testing.metaapi.times import broker_text
from gatehook.testing.metaapi.times import closing
from gatehook.testing.metaapi.times import is_weekend
from gatehook.testing.metaapi.times import opening
from gatehook.testing.metaapi.times import utc_text

#: How far the price swings over how long: millionths of it, nanoseconds.
_WAVES: Final = (
    (30, 20 * SECOND),
    (90, 5 * MINUTE),
    (300, 40 * MINUTE),
    (900, 4 * HOUR),
    (2500, DAY),
    (6000, 7 * DAY),
    (20000, 60 * DAY),
)
_SAMPLES: Final = 6
_TICK: Final = 5 * SECOND
_OLDEST: Final = 15 * 365 * DAY
_MASK: Final = (1 << 64) - 1


@attrs.frozen
class Price:
    """Bid and ask at a moment."""

    bid: Decimal
    ask: Decimal
    time: int


class Market:
    """Prices of all symbols.

    The past is a walk that depends on nothing but the seed and the time. From the start on a price stands still until
    ``set`` moves it; with ``drifting`` it goes on walking instead, until it is set.

    Attributes:
        offered: the lots that each side of a symbol still has; any number where nothing is said.
        closed: the symbols that are not traded now.
        execution: nanoseconds that an order at the market waits, placed but not filled.
        weekends_closed: whether none is on Saturdays and Sundays.
    """

    def __init__(self, symbols: Iterable[SymbolSettings], *, seed: int, started: int, drifting: bool) -> None:
        self.symbols: Final[Mapping[str, SymbolSettings]] = {one.name: one for one in symbols}
        self.offered: Final[dict[str, Decimal]] = {}
        self.closed: Final[set[str]] = set()
        self.weekends_closed = False
        self.execution = 0
        self._seed = seed
        self._set: dict[str, list[Price]] = {}
        if not drifting:
            for one in self.symbols.values():
                self._set[one.name] = [Price(one.bid, one.bid + one.spread * one.point, started)]

    def set(self, symbol: str, bid: Decimal, ask: Decimal, now: int) -> None:
        """Set the price of a symbol from now on.

        Raises:
            ValueError: for an ask below the bid.
        """
        if ask < bid:
            raise ValueError(f"the ask, {ask}, is below the bid, {bid}")
        self._set.setdefault(symbol, []).append(Price(bid, ask, now))

    def take(self, symbol: str, wanted: Decimal) -> Decimal:
        """Take what the market offers of a volume, in whole steps."""
        if symbol not in self.offered:
            return wanted
        step = self.symbols[symbol].volume_step
        volume = min(wanted, self.offered[symbol] // step * step)
        self.offered[symbol] -= volume
        return volume

    def offers(self, symbol: str) -> bool:
        """Say whether there is anything to be had."""
        return symbol not in self.offered or self.offered[symbol] >= self.symbols[symbol].volume_step

    def at(self, symbol: str, ns: int) -> Price:
        """Return the price at a moment."""
        prices = self._set.get(symbol, ())
        found = bisect_right(prices, ns, key=_time)
        return prices[found - 1] if found else self._walk(self.symbols[symbol], ns)

    def is_open(self, symbol: str, ns: int) -> bool:
        """Say whether the symbol can be traded."""
        return symbol not in self.closed and not (self.weekends_closed and is_weekend(ns))

    def candles(self, symbol: str, timeframe: str, latest: int, limit: int, now: int) -> list[Mapping[str, Any]]:
        """Return the candles that opened at ``latest`` or before, at most ``limit``, ascending.

        The one that holds ``now`` is what has been made of it so far.
        """
        found: list[Mapping[str, Any]] = []
        opened = opening(latest, timeframe)
        oldest = latest - _OLDEST
        while len(found) < limit and opened > oldest:
            if not (self.weekends_closed and timeframe not in ("1w", "1mn") and is_weekend(opened)):
                found.append(self._candle(symbol, timeframe, opened, now))
            opened = opening(opened - 1, timeframe)
        return found[::-1]

    def ticks(self, symbol: str, start: int, now: int, offset: int, limit: int) -> list[Mapping[str, Any]]:
        """Return the ticks from ``start`` to ``now``, without the first ``offset``, at most ``limit``, ascending."""
        prices = self._set.get(symbol, [])
        first_set = prices[0].time if prices else now + 1
        walked = range(-(-start // _TICK) * _TICK, min(now + 1, first_set), _TICK)
        skipped = max(0, offset - len(walked))
        chosen = [self._walk(self.symbols[symbol], ns) for ns in walked[offset : offset + limit]]
        since = [price for price in prices if start <= price.time <= now]
        return [self._tick(symbol, price) for price in [*chosen, *since[skipped:]][:limit]]

    def _tick(self, symbol: str, price: Price) -> Mapping[str, Any]:
        return {
            "symbol": symbol,
            "time": utc_text(price.time),
            "brokerTime": broker_text(price.time),
            "bid": price.bid,
            "ask": price.ask,
        }

    def _candle(self, symbol: str, timeframe: str, opened: int, now: int) -> Mapping[str, Any]:
        end = closing(opened, timeframe)
        length = min(end - 1, now) - opened
        moments = [opened + length * index // (_SAMPLES - 1) for index in range(_SAMPLES)]
        bids = [self.at(symbol, moment).bid for moment in moments]
        prices = self._set.get(symbol, [])
        first = bisect_left(prices, opened, key=_time)
        extra = [price.bid for price in prices[first : bisect_left(prices, min(end, now + 1), key=_time)]]
        volume = length // _TICK + 1
        return {
            "symbol": symbol,
            "timeframe": timeframe,
            "time": utc_text(opened),
            "brokerTime": broker_text(opened),
            "open": bids[0],
            "high": max(*bids, *extra),
            "low": min(*bids, *extra),
            "close": bids[-1],
            "tickVolume": volume,
            "spread": self.symbols[symbol].spread,
            "volume": 0,
        }

    def _walk(self, symbol: SymbolSettings, ns: int) -> Price:
        base = int(symbol.bid.scaleb(symbol.digits))
        swing = sum(self._wave(symbol.name, level, ns) for level in range(len(_WAVES)))
        bid = Decimal(base + base * swing // 1_000_000_000).scaleb(-symbol.digits)
        return Price(bid, bid + symbol.spread * symbol.point, ns)

    def _wave(self, symbol: str, level: int, ns: int) -> int:
        """Return one wave's share in thousandths of a millionth: between two random heights, on a straight line."""
        height, period = _WAVES[level]
        index, rest = divmod(ns, period)
        left = _height(self._seed, symbol, level, index)
        right = _height(self._seed, symbol, level, index + 1)
        return height * (left + (right - left) * rest // period)


def _time(price: Price) -> int:
    return price.time


@lru_cache(maxsize=65536)
def _height(seed: int, symbol: str, level: int, index: int) -> int:
    """Return a number from -1000 to 1000 that looks random."""
    mixed = index * 8 + level + seed * 0x9E3779B97F4A7C15 + int.from_bytes(symbol.encode()[:8], "big")
    for factor in (0xBF58476D1CE4E5B9, 0x94D049BB133111EB):
        mixed = ((mixed ^ (mixed & _MASK) >> 30) * factor) & _MASK
    return (mixed ^ mixed >> 31) % 2001 - 1000
