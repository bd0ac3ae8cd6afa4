"""Candles: the server gives them backwards from a time; here they become ascending pages without holes or doubles."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from itertools import pairwise
from typing import Final

import attrs

from gatehook import Candle
from gatehook import InstrumentId
from gatehook import Timeframe
from gatehook.kinds.times import DAY
from gatehook.kinds.times import SECOND
from gatehook.kinds.times import to_rfc3339

from .reading import Node
from .session import Session

#: The most candles that the server gives at once.
MOST: Final = 1000
#: How many candles are asked for together at first; some more fit before the server leaves any out.
_FEW: Final = 900
#: How many candles around a span are asked for with it.
_AROUND: Final = 3
#: How much is read back to find where the data begins, before a shorter span is asked for.
_ENOUGH: Final = 5 * MOST
#: How long after its end a candle without a successor may still change: trades are late, clocks differ.
GRACE: Final = 5 * SECOND
_MS: Final = 1_000_000
#: The least length of the frames whose length the broker's calendar decides.
_LEAST: Final[Mapping[Timeframe, int]] = {Timeframe.D1: DAY, Timeframe.W1: 7 * DAY, Timeframe.MN1: 28 * DAY}


@attrs.frozen
class Row:
    """A candle as the server has it; ``local`` is its opening in the broker's own time."""

    opened: int
    local: datetime
    node: Node


class Candles:
    """Reads the candles of one account's symbols."""

    def __init__(self, session: Session, account_id: str, instrument_id: InstrumentId, timeframe: Timeframe) -> None:
        self._session = session
        self._account_id = account_id
        self._instrument_id = instrument_id
        self._timeframe = timeframe

    @property
    def _length(self) -> int:
        return self._timeframe.length or _LEAST[self._timeframe]

    async def part(self, start: int, end: int, now: int, most: int) -> tuple[list[Candle], int | None]:
        """Return the first candles that opened in [start, end), ascending, about ``most`` of them, and from where it
        goes on; ``None``: there are no more.
        """
        width = min(most, _FEW) * self._length
        end = min(end, now + DAY)
        while start < end:
            stop = min(start + width, end)
            rows = await self._covering(start, stop)
            if rows is None:
                width = max(width // 2, self._length)
                continue
            inside = [one for one in rows if start <= one.opened < stop]
            if inside:
                return self._made(rows, inside, now), stop if stop < end else None
            start, width = stop, width * 8
        return [], None

    async def newest(self, count: int, now: int) -> list[Candle]:
        """Return the newest candles, ascending; the last is still forming unless its time is up."""
        rows = await self._backwards(now + DAY, count)
        return self._made(rows, rows, now)

    async def _covering(self, start: int, stop: int) -> list[Row] | None:
        """Return all candles from ``start`` to ``stop``, with more around them; ``None`` where they are too many."""
        rows = await self._backwards(stop, min((stop - start) // self._length + _AROUND, MOST))
        while rows and rows[0].opened > start:
            if len(rows) >= _ENOUGH:
                return None
            older = [one for one in await self._backwards(rows[0].opened, MOST) if one.opened < rows[0].opened]
            if not older:  # here the data begins
                break
            rows = older + rows
        return rows

    async def _backwards(self, latest: int, count: int) -> list[Row]:
        symbol = self._instrument_id.symbol
        answer = await self._session.ask(
            "get_candles",
            self._account_id,
            symbol=symbol,
            timeframe=self._timeframe.value,
            startTime=to_rfc3339(-(-latest // _MS) * _MS),
            limit=count,
        )
        if answer["symbol"].text() != symbol:
            answer["symbol"].wrong("the symbol that was asked for")
        if answer["timeframe"].text() != self._timeframe:
            answer["timeframe"].wrong("the timeframe that was asked for")
        found = {(row := _row(node)).opened: row for node in answer["candles"].items()}
        return [found[opened] for opened in sorted(found)]

    def _made(self, rows: list[Row], wanted: list[Row], now: int) -> list[Candle]:
        following = {one.opened: after for one, after in pairwise(rows)}
        return [self._candle(one, following.get(one.opened), now) for one in wanted]

    def _candle(self, row: Row, after: Row | None, now: int) -> Candle:
        node, closes = row.node, self._close(row, after)
        low, high = node["low"].above_zero(), node["high"].above_zero()
        first, last = node["open"].above_zero(), node["close"].above_zero()
        if not low <= min(first, last) <= max(first, last) <= high:
            node.wrong("a candle whose prices lie between its low and its high")
        return Candle(
            instrument_id=self._instrument_id,
            timeframe=self._timeframe,
            ts_open=row.opened,
            ts_close=closes,
            open=first,
            high=high,
            low=low,
            close=last,
            volume=node["tickVolume"].number(),
            closed=after is not None or now >= closes + GRACE,
            ts_init=now,
            raw=node.value,
        )

    def _close(self, row: Row, after: Row | None) -> int:
        """Return when a candle ends. Days and longer end by the broker's own clock, whose distance from UTC changes
        with its summer time: where the next candle opens at that very time, its distance holds.
        """
        length = self._timeframe.length
        if length is not None:
            return row.opened + length if after is None else min(row.opened + length, after.opened)
        local = _local_close(row.local, self._timeframe)
        offset = after if after is not None and after.local == local else row
        return _ns(local) - (_ns(offset.local) - offset.opened)


def _row(node: Node) -> Row:
    return Row(node["time"].time(), _broker_time(node["brokerTime"]), node)


def _broker_time(node: Node) -> datetime:
    try:
        return datetime.fromisoformat(node.text()).replace(tzinfo=UTC)
    except ValueError:
        node.wrong("a time of the broker like 2026-01-31 23:59:59.000")


def _local_close(opened: datetime, timeframe: Timeframe) -> datetime:
    if timeframe is Timeframe.D1:
        return opened + timedelta(days=1)
    if timeframe is Timeframe.W1:
        return opened + timedelta(days=7)
    return (opened.replace(day=28) + timedelta(days=4)).replace(day=1)


def _ns(at: datetime) -> int:
    return int(at.timestamp()) * SECOND + at.microsecond * 1000
