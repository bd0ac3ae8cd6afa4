"""Recorded prices as a market: what was replayed so far is all that can be seen."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal
from types import TracebackType
from typing import Final
from typing import Self

import anyio
import anyio.to_thread

from gatehook import Candle
from gatehook import GatehookError
from gatehook import Instrument
from gatehook import InstrumentId
from gatehook import MarketData
from gatehook import NotFound
from gatehook import Page
from gatehook import PluginContext
from gatehook import Sink
from gatehook import Subscription
from gatehook import Tick
from gatehook import TickKind
from gatehook import Timeframe
from gatehook import UnsupportedCapability
from gatehook.diagnostics.codes import market as codes
from gatehook.kinds.capabilities import MarketDataCapabilities
from gatehook.kinds.errors import CursorExpired
from gatehook.kinds.market_data import Channel
from gatehook.kinds.prices import CandleSide
from gatehook.kinds.provider import Health
from gatehook.kinds.provider import HealthStatus

from .driver import Driver
from .driver import Listener
from .recording import Recording
from .recording import Row
from .recording import name_of
from .recording import read_recording
from .settings import Settings

_PAGE: Final = 1000
_PAIR: Final = re.compile(r"([A-Z]{3})([A-Z]{3})\Z")
#: A pause of a paced replay is never longer than this many seconds of its own time, so that weekends pass at once.
_LONGEST_PAUSE: Final = 3600.0


class ReplayedMarket(MarketData):
    """One file's rows. Streams opened before the replay starts see it from the beginning, in step with each other."""

    narrowed_by_configuration = True

    def __init__(self, context: PluginContext) -> None:
        """Replay what the configuration of ``context`` names."""
        self._context = context
        self._recording: Recording | None = None
        self._driver: Driver | None = None

    async def __aenter__(self) -> Self:
        """Read and check the file, and get ready.

        Raises:
            GatehookError: saying what about the configuration or the file cannot be used.
        """
        settings = self._settings = Settings.of(self._context.config)
        self._id = InstrumentId(settings.symbol or name_of(settings.path), self._context.venue)
        limiter = anyio.CapacityLimiter(1)
        recording = await anyio.to_thread.run_sync(read_recording, settings, limiter=limiter)
        self._pair()
        for diagnostic in recording.skipped:
            said = f"{diagnostic.code}: {diagnostic.place}: {diagnostic.message}"
            self._context.logger.warning("%s", said, extra={"gatehook_diagnostic": diagnostic})
        length = recording.timeframe and recording.timeframe.length
        self._recording = recording
        self._driver = Driver(
            recording.rows,
            self._context.clock,
            pace=settings.pace,
            longest_pause=length / 1e9 if length else _LONGEST_PAUSE,
            logger=self._context.logger,
            on_progress=self._publish_progress,
        )
        self._driver.go_to_now()
        self._context.task_group.start_soon(self._driver.run)
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the open streams."""
        self._running().stop()

    def _running(self) -> Driver:
        assert self._driver is not None, "the host enters a provider before it calls it"
        return self._driver

    def _read(self) -> Recording:
        assert self._recording is not None, "the host enters a provider before it calls it"
        return self._recording

    def capabilities(self) -> MarketDataCapabilities:
        """What the file has: ticks, or candles of one length and their history."""
        timeframe = self._read().timeframe
        if timeframe is None:
            return MarketDataCapabilities(ticks=True)
        return MarketDataCapabilities(timeframes=(timeframe,), history=True)

    @property
    def progress(self) -> tuple[int, int]:
        """How many rows were replayed, of how many."""
        return self._running().done, len(self._read().rows)

    def _publish_progress(self) -> None:
        done, total = self.progress
        finished = self._running().is_finished
        self._context.events.publish(
            "market.replay.progress",
            {"done": done, "total": total, "finished": finished},
            symbol=str(self._id),
        )

    def health(self) -> Health:
        """Say what was left out, and whether somebody holds the replay up."""
        reasons = []
        if self._recording is not None and self._recording.skipped:
            skipped = self._recording.skipped
            reasons.append(f"{len(skipped)} rows of the file are left out, the first at line {skipped[0].line}")
        if self._driver is not None and self._driver.slow:
            reasons.append(f"{self._driver.slow} streams do not keep up with the replay")
        return Health(status=HealthStatus.DEGRADED if reasons else HealthStatus.OK, reasons=reasons)

    def _pair(self) -> tuple[str, str]:
        base, quote = self._settings.base, self._settings.quote
        match = _PAIR.match(self._id.symbol)
        if match is not None:
            base, quote = base or match[1], quote or match[2]
        if not base or not quote:
            raise GatehookError(codes.INSTRUMENT_UNCLEAR(entry=self._context.entry_id, symbol=self._id.symbol))
        return base, quote

    async def list_instruments(self, *, query: str | None = None) -> Sequence[Instrument]:
        """Return the one instrument; ``query`` is a part of its symbol, in any case."""
        if (query or "").lower() not in self._id.symbol.lower():
            return []
        base, quote = self._pair()
        return [
            Instrument(
                id=self._id,
                native_symbol=self._id.symbol,
                base=base,
                quote=quote,
                price_increment=self._read().price_increment,
                size_increment=self._settings.size_increment,
                settle_currency=quote,
                min_quantity=self._settings.size_increment,
            )
        ]

    def _known(self, instrument_id: InstrumentId) -> None:
        if instrument_id != self._id:
            raise NotFound(f"this replay is of {self._id}, not {instrument_id}")

    async def quote(self, instrument_id: InstrumentId) -> Tick:
        """Return the quote of the row replayed last; from a candle, that of its close."""
        self._known(instrument_id)
        done = self._running().done
        if done == 0:
            raise NotFound(f"there is no price of {self._id} before the replay begins")
        return self._tick(self._read().rows[done - 1])

    async def history(
        self,
        instrument_id: InstrumentId,
        timeframe: Timeframe,
        *,
        start: int,
        end: int,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[Candle]:
        """Return the candles that were replayed: none that is still to come. At most 1000 a page."""
        self._known(instrument_id)
        self._check_timeframe(timeframe)
        rows = self._read().rows
        done = self._running().done
        first = bisect_left(rows, start, hi=done, key=lambda row: row.begin) if cursor is None else self._place(cursor)
        over = bisect_left(rows, end, hi=done, key=lambda row: row.begin)
        stop = min(over, first + (_PAGE if limit is None else min(limit, _PAGE)))
        return Page(
            items=[self._candle(row, timeframe) for row in rows[first:stop]], cursor=str(stop) if stop < over else None
        )

    def _check_timeframe(self, timeframe: Timeframe | None) -> None:
        if timeframe is not self._read().timeframe:
            has = f"candles of {self._read().timeframe}" if self._read().timeframe else "ticks"
            raise UnsupportedCapability(f"this replay has {has}, not candles of {timeframe}")

    def _place(self, cursor: str) -> int:
        if not cursor.isdecimal() or int(cursor) > self._running().done:
            raise CursorExpired(f"not a position of this replay: {cursor!r}")
        return int(cursor)

    async def run_stream(
        self, subscriptions: Sequence[Subscription], sink: Sink[Tick | Candle], after: str | None
    ) -> None:
        """Put each row's candle or quote, until the last row or until cancelled."""
        for one in subscriptions:
            self._known(one.instrument_id)
            self._check_channel(one)
        timeframe = self._read().timeframe

        def item_of(row: Row) -> Tick | Candle:
            return self._tick(row) if timeframe is None else self._candle(row, timeframe)

        await self._running().serve(Listener(item_of, sink), None if after is None else self._place(after))

    def _check_channel(self, subscription: Subscription) -> None:
        if subscription.channel is Channel.CANDLES:
            self._check_timeframe(subscription.timeframe)
        elif subscription.channel is Channel.TRADES or self._read().timeframe is not None:
            raise UnsupportedCapability(f"this replay streams no {subscription.channel}")

    def _candle(self, row: Row, timeframe: Timeframe) -> Candle:
        first, high, low, last = row.prices
        return Candle(
            instrument_id=self._id,
            timeframe=timeframe,
            ts_open=row.begin,
            ts_close=row.end,
            open=first,
            high=high,
            low=low,
            close=last,
            volume=row.sizes[0],
            side=self._settings.side,
            closed=True,
            ts_init=self._context.clock.now(),
        )

    def _tick(self, row: Row) -> Tick:
        is_tick = self._read().timeframe is None
        bid, ask = row.prices if is_tick else self._quote_at(row.prices[3])
        bid_size, ask_size = row.sizes if is_tick else (None, None)
        return Tick(
            instrument_id=self._id,
            kind=TickKind.QUOTE,
            bid=bid,
            ask=ask,
            bid_size=bid_size,
            ask_size=ask_size,
            ts_event=row.end,
            ts_init=self._context.clock.now(),
        )

    def _quote_at(self, close: Decimal) -> tuple[Decimal, Decimal]:
        spread = self._settings.spread
        bid = close - spread / 2 if self._settings.side is CandleSide.MID else close
        return bid, bid + spread
