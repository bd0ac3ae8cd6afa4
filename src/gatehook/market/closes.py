"""Each candle's close is published once, and corrections are told apart from it."""

from __future__ import annotations

from enum import StrEnum

from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.prices import Candle
from gatehook.kinds.prices import Timeframe
from gatehook.kinds.times import Ns


class CloseTopic(StrEnum):
    """What a closed candle is news of."""

    CLOSED = "market.candle.closed"
    REVISED = "market.candle.revised"


class Closes:
    """Remembers the last closes of each instrument and timeframe, across restarts of the streams they came from.

    Closes go forward only. What comes later about the past is a revision, if it says something new.
    """

    def __init__(self, remembered: int = 512) -> None:
        """Keep the last ``remembered`` closes of each instrument and timeframe; older repeats are dropped unread."""
        self._remembered = remembered
        self._known: dict[tuple[InstrumentId, Timeframe], dict[Ns, Candle]] = {}

    def judge(self, candle: Candle) -> CloseTopic | None:
        """Say where a closed candle is published, and remember it; ``None`` for a repeat."""
        known = self._known.setdefault((candle.instrument_id, candle.timeframe), {})
        if not known or candle.ts_open > next(reversed(known)):
            known[candle.ts_open] = candle
            if len(known) > self._remembered:
                del known[next(iter(known))]
            return CloseTopic.CLOSED
        if candle.ts_open < next(iter(known)) or candle == known.get(candle.ts_open):
            return None
        known[candle.ts_open] = candle
        if next(reversed(known)) == candle.ts_open:  # a bar that was missing: the newest stays last
            self._known[candle.instrument_id, candle.timeframe] = dict(sorted(known.items()))
        return CloseTopic.REVISED


class OpenBars:
    """The newest state of bars that a source has not declared closed, for sources that never do."""

    def __init__(self) -> None:
        self._bars: dict[tuple[InstrumentId, Timeframe], Candle] = {}

    def see(self, candle: Candle) -> Candle | None:
        """Take a forming or closed candle; return the bar before it, if that was still open: it has ended now."""
        key = (candle.instrument_id, candle.timeframe)
        before = self._bars.get(key)
        if before is not None and candle.ts_open < before.ts_open:
            return None
        if candle.closed:
            self._bars.pop(key, None)
        else:
            self._bars[key] = candle
        return before if before is not None and before.ts_open < candle.ts_open else None

    def ended(self, until: Ns) -> list[Candle]:
        """Remove and return the bars whose ``ts_close`` is not after ``until``."""
        over = [key for key, bar in self._bars.items() if bar.ts_close <= until]
        return [self._bars.pop(key) for key in over]

    @property
    def next_end(self) -> Ns | None:
        """The earliest ``ts_close`` of an open bar."""
        return min((bar.ts_close for bar in self._bars.values()), default=None)

    def clear(self) -> None:
        """Forget the open bars: items were lost, so their last state is not known."""
        self._bars.clear()
