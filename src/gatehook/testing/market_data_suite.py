"""The provider statements for market data."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from itertools import pairwise
from typing import ClassVar
from typing import Final
from typing import Protocol
from typing import TypeVar

import anyio
import attrs
import pytest

from gatehook.host.handles import MarketDataHandle
from gatehook.kinds.capabilities import MarketDataCapabilities
from gatehook.kinds.errors import NotFound
from gatehook.kinds.errors import StreamOverflow
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.market_data import Channel
from gatehook.kinds.market_data import Subscription
from gatehook.kinds.prices import Candle
from gatehook.kinds.prices import Tick
from gatehook.kinds.prices import Timeframe
from gatehook.kinds.provider import HealthStatus
from gatehook.kinds.streams import Gap
from gatehook.kinds.streams import Items
from gatehook.kinds.streams import Overflow
from gatehook.kinds.streams import Reconnected
from gatehook.kinds.streams import Stale
from gatehook.testing.statements import Suite


class Feed(Protocol):
    """The source behind market data under test, as far as the suite moves it."""

    async def produce(self, items: int) -> None:
        """Let the source produce at least this many items on every open stream."""

    def disconnected(self) -> AbstractAsyncContextManager[None]:
        """Cut the connection for as long as the block lasts."""

    def silent(self) -> AbstractAsyncContextManager[None]:
        """Keep the connection and send nothing for longer than the source's ``stale_after``."""


T = TypeVar("T")

#: Seconds within which a source does what a statement waits for.
PATIENCE: Final = 5.0


@attrs.frozen(kw_only=True)
class PricesRig:
    """A running market data provider and, where the test moves it, its source.

    Attributes:
        source: the entry's handle, of a host that loaded it by the real loader.
        declared: its capabilities, from the manifest.
        instrument: one it has prices for.
        start, end: a span of nanoseconds UTC with history in it, where history is declared.
        feed: the controls of the source; ``None`` where it has no connection that a test could cut.
    """

    source: MarketDataHandle
    declared: MarketDataCapabilities
    instrument: Instrument
    start: int = 0
    end: int = 0
    feed: Feed | None = None

    @property
    def subscription(self) -> Subscription:
        """The finest stream it declares: quotes, trades, or candles."""
        if self.declared.ticks:
            return Subscription(instrument_id=self.instrument.id, channel=Channel.QUOTES)
        if self.declared.trades:
            return Subscription(instrument_id=self.instrument.id, channel=Channel.TRADES)
        timeframe = self.declared.timeframes[0]
        return Subscription(instrument_id=self.instrument.id, channel=Channel.CANDLES, timeframe=timeframe)

    @property
    def controls(self) -> Feed:
        """The feed; the statement is skipped where there is none."""
        if self.feed is None:
            pytest.skip("the rig's source has no connection to cut")
        return self.feed


@pytest.mark.anyio
class MarketDataSuite(Suite):
    """Inherit it, and give a fixture ``rig`` that yields a ``PricesRig``."""

    suite: ClassVar[str] = "market data"

    async def test_10_what_is_not_declared_is_refused(self, rig: PricesRig) -> None:
        if not rig.declared.history:
            with pytest.raises(UnsupportedCapability):
                await rig.source.history(rig.instrument.id, Timeframe.H1, start=0, end=1)
        with pytest.raises(NotFound):
            await rig.source.quote(InstrumentId("NO-SUCH-THING", rig.instrument.id.venue))
        quote = await rig.source.quote(rig.instrument.id)
        assert quote.bid is not None
        assert quote.ask is not None
        assert quote.bid <= quote.ask

    async def test_37_history_is_ascending_without_doubles_or_holes_where_pages_join(self, rig: PricesRig) -> None:
        if not rig.declared.history:
            pytest.skip("the plugin does not declare supportsHistory")
        for timeframe in rig.declared.timeframes:
            whole = await paged(rig, timeframe, None)
            again = await paged(rig, timeframe, 7)
            opens = [one.ts_open for one in whole]
            assert opens == [one.ts_open for one in again]
            # One that still forms at the end of the span is another by the time of the second reading.
            assert all(one == same for one, same in zip(whole, again, strict=True) if one.closed)
            assert opens == sorted(set(opens))
            assert all(rig.start <= one < rig.end for one in opens)
            assert all(before.ts_close <= after.ts_open for before, after in pairwise(whole))
            assert all(one.low <= min(one.open, one.close) <= max(one.open, one.close) <= one.high for one in whole)
            assert all(one.closed for one in whole[:-1])

    async def test_38_a_slow_consumer_sees_what_it_lost(self, rig: PricesRig) -> None:
        feed = rig.controls
        async with rig.source.stream([rig.subscription], overflow=Overflow.DROP_OLDEST, buffer=4) as items:
            await feed.produce(20)
            first = await soon(items)
            assert isinstance(first, Gap) or items.dropped == 0
            assert items.dropped >= 10
        async with rig.source.stream([rig.subscription], overflow=Overflow.ERROR, buffer=4) as items:
            await feed.produce(20)
            with pytest.raises(StreamOverflow):
                await until(items, ())

    async def test_39_a_disconnect_is_a_gap_and_then_reconnected(self, rig: PricesRig) -> None:
        feed = rig.controls
        async with rig.source.stream([rig.subscription], overflow=Overflow.DROP_OLDEST) as items:
            await feed.produce(1)
            async with feed.disconnected():
                await until(items, Gap)
            await until(items, Reconnected)
            await feed.produce(1)
            assert isinstance(await until(items, (Tick, Candle)), (Tick, Candle))

    async def test_40_times_do_not_go_back_unless_they_say_so(self, rig: PricesRig) -> None:
        last = 0
        async with rig.source.stream([rig.subscription]) as items:
            if rig.feed is not None:
                await rig.feed.produce(20)
            for _ in range(5):
                item: Tick | Candle = await until(items, (Tick, Candle))
                at = item.ts_event if isinstance(item, Tick) else item.ts_open
                assert at >= last or (isinstance(item, Tick) and item.out_of_order)
                assert at > 10**18, "nanoseconds, not seconds or milliseconds"
                last = max(last, at)

    async def test_41_silence_is_stale_although_the_connection_is_open(self, rig: PricesRig) -> None:
        feed = rig.controls
        async with rig.source.stream([rig.subscription]) as items:
            await feed.produce(1)
            async with feed.silent():
                await until(items, Stale)
                assert rig.source.health().status is HealthStatus.DEGRADED

    async def test_44_leaving_a_stream_ends_it_at_once(self, rig: PricesRig) -> None:
        with anyio.fail_after(PATIENCE):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(read_for_ever, rig)
                await anyio.sleep(0.05)
                tasks.cancel_scope.cancel()
            async with rig.source.stream([rig.subscription]) as items:
                assert await until(items, (Tick, Candle)) is not None


async def read_for_ever(rig: PricesRig) -> None:
    """Consume a stream until cancelled."""
    async with rig.source.stream([rig.subscription]) as items:
        async for _ in items:
            pass


async def paged(rig: PricesRig, timeframe: Timeframe, limit: int | None) -> Sequence[Candle]:
    """Read the whole span page by page."""
    found: list[Candle] = []
    cursor = None
    while True:
        page = await rig.source.history(
            rig.instrument.id, timeframe, start=rig.start, end=rig.end, limit=limit, cursor=cursor
        )
        found.extend(page.items)
        if (cursor := page.cursor) is None:
            return found


async def soon(items: Items[Tick | Candle]) -> object:
    """Return the next item, or fail when it does not come."""
    with anyio.fail_after(PATIENCE):
        return await anext(items)


async def until(items: Items[Tick | Candle], kinds: type[T] | tuple[type[T], ...]) -> T:
    """Return the next item of these types, or fail when it does not come."""
    with anyio.fail_after(PATIENCE):
        async for item in items:
            if isinstance(item, kinds):
                return item
    # No pytest.fail: it is no Exception, and the task group of the stream would wrap it.
    raise AssertionError(f"the stream ended before {kinds}")
