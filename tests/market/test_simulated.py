"""The simulated market: labelled, seeded, and the same after a restart."""

import json
from decimal import Decimal
from pathlib import Path

import anyio
import pytest

from builtin_plugins.simulated.market import quotes_a_minute
from builtin_plugins.simulated.plugin import provide_market_data
from gatehook.clocks import ReplayClock
from gatehook.clocks import SystemClock
from gatehook.kinds.amounts import on_step
from gatehook.kinds.errors import CursorExpired
from gatehook.kinds.errors import NotFound
from gatehook.kinds.errors import StreamOverflow
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.market_data import Channel
from gatehook.kinds.market_data import Subscription
from gatehook.kinds.prices import Candle
from gatehook.kinds.prices import Tick
from gatehook.kinds.prices import Timeframe
from gatehook.kinds.provider import HealthStatus
from gatehook.kinds.streams import Gap
from gatehook.kinds.streams import Overflow
from gatehook.kinds.times import MINUTE
from gatehook.kinds.times import SECOND
from tests.market.entry import running

pytestmark = pytest.mark.anyio

NOW = 1_790_000_000 * SECOND + SECOND // 2
EURUSD = InstrumentId("EURUSD", "SIMULATED")
QUOTES = Subscription(instrument_id=EURUSD, channel=Channel.QUOTES)
MINUTES = Subscription(instrument_id=EURUSD, channel=Channel.CANDLES, timeframe=Timeframe.M1)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


def simulated(*, clock=None, **config):
    return running(provide_market_data, config, clock=clock or ReplayClock(NOW), venue="SIMULATED")


async def test_every_instrument_has_quotes_on_its_steps():
    async with simulated() as market:
        instruments = await market.list_instruments()
        assert {one.native_symbol for one in instruments} >= {"EURUSD", "GBPUSD", "USDJPY", "XAUUSD", "BTCUSD"}
        for one in instruments:
            tick = await market.quote(one.id)
            assert one.id.venue == "SIMULATED"
            assert tick.simulated
            assert 0 < tick.bid < tick.ask
            assert on_step(tick.bid, one.price_increment)
            assert on_step(tick.ask, one.price_increment)
            assert on_step(tick.bid_size, one.size_increment)
            assert on_step(tick.ask_size, one.size_increment)
            assert one.min_quantity < tick.bid_size < one.max_quantity


async def test_a_part_of_the_symbol_finds_instruments():
    async with simulated() as market:
        assert [one.native_symbol for one in await market.list_instruments(query="usdj")] == ["USDJPY"]


async def test_unknown_instruments_are_not_found():
    async with simulated() as market:
        with pytest.raises(NotFound, match=r"EURUSD\.SIMULATED"):
            await market.quote(InstrumentId("EURUSD", "OTHER"))


async def test_the_same_seed_gives_the_same_prices_and_another_seed_others():
    async def bids(seed):
        async with simulated(seed=seed) as market:
            page = await market.history(EURUSD, Timeframe.M1, start=NOW - 60 * MINUTE, end=NOW)
            return [candle.close for candle in page.items]

    assert await bids(5) == await bids(5) != await bids(6)


async def test_the_path_is_pinned_so_that_every_machine_has_it():
    async with simulated(seed=1) as market:
        tick = await market.quote(EURUSD)
        assert (tick.bid, tick.ask, tick.bid_size) == (Decimal("1.09329"), Decimal("1.09337"), Decimal(1300000))


async def test_37_history_is_ascending_whole_and_joins_at_pages():
    async with simulated() as market:
        start, end = NOW - 1200 * MINUTE, NOW + 10 * MINUTE
        candles, cursor = [], None
        while True:
            page = await market.history(EURUSD, Timeframe.M1, start=start, end=end, cursor=cursor)
            candles += page.items
            cursor = page.cursor
            if cursor is None:
                break
        opens = [candle.ts_open for candle in candles]
        assert opens == list(range(-(-start // MINUTE) * MINUTE, NOW, MINUTE))
        assert [candle.closed for candle in candles] == [True] * (len(candles) - 1) + [False]
        assert all(candle.simulated and candle.low <= candle.open <= candle.high for candle in candles)


async def test_history_obeys_start_end_and_limit():
    async with simulated() as market:
        first = NOW // MINUTE * MINUTE - 10 * MINUTE
        page = await market.history(EURUSD, Timeframe.M1, start=first, end=first + 3 * MINUTE, limit=2)
        assert [candle.ts_open for candle in page.items] == [first, first + MINUTE]
        page = await market.history(
            EURUSD, Timeframe.M1, start=first, end=first + 3 * MINUTE, limit=2, cursor=page.cursor
        )
        assert [candle.ts_open for candle in page.items] == [first + 2 * MINUTE]
        assert page.cursor is None


async def test_candles_are_made_of_the_quotes_of_their_minute():
    clock = ReplayClock(NOW)
    async with simulated(clock=clock, interval=5) as market:
        minute = NOW // MINUTE - 3
        bids = []
        for place in range(12):
            clock._now = minute * MINUTE + place * 5 * SECOND
            bids.append((await market.quote(EURUSD)).bid)
        clock._now = NOW
        page = await market.history(EURUSD, Timeframe.M1, start=minute * MINUTE, end=(minute + 1) * MINUTE)
        (candle,) = page.items
        assert (candle.open, candle.high, candle.low, candle.close) == (bids[0], max(bids), min(bids), bids[-1])


async def test_other_timeframes_and_trades_are_unsupported():
    async with simulated() as market:
        with pytest.raises(UnsupportedCapability):
            await market.history(EURUSD, Timeframe.H1, start=0, end=NOW)
        for channel, timeframe in ((Channel.TRADES, None), (Channel.CANDLES, Timeframe.H1)):
            wrong = Subscription(instrument_id=EURUSD, channel=channel, timeframe=timeframe)
            async with market.stream([wrong]) as items:
                with pytest.raises(UnsupportedCapability):
                    await anext(items)


async def test_40_quotes_come_in_time_order_and_a_cursor_resumes_them():
    async with simulated(clock=SystemClock(), interval=0.05) as market:
        async with market.stream([QUOTES]) as items:
            first = [await anext(items) for _ in range(4)]
            cursor = items.cursor
        async with market.stream([QUOTES], after=cursor) as items:
            more = [await anext(items) for _ in range(3)]
        times = [tick.ts_event for tick in first + more]
        assert times == list(range(times[0], times[0] + 7 * SECOND // 20, SECOND // 20))


async def test_a_minutes_candle_comes_before_the_next_minutes_quote():
    clock = ReplayClock(NOW)
    minute = NOW // MINUTE
    async with simulated(clock=clock, interval=0.05) as market:
        clock.advance((minute + 1) * MINUTE - SECOND // 10)
        async with market.stream([QUOTES, MINUTES], overflow=Overflow.DROP_OLDEST) as items:
            assert isinstance(await anext(items), Tick)
            clock.advance((minute + 1) * MINUTE)
            rest = [await anext(items) for _ in range(3)]
            page = await market.history(EURUSD, Timeframe.M1, start=minute * MINUTE, end=(minute + 1) * MINUTE)
            assert [type(item) for item in rest] == [Tick, Candle, Tick]
            assert [rest[1]] == list(page.items)


async def test_39_a_long_sleep_is_a_gap_and_not_a_flood():
    clock = ReplayClock(NOW)
    async with simulated(clock=clock, interval=0.05) as market, market.stream([QUOTES]) as items:
        before = await anext(items)
        clock.advance(NOW + 90 * MINUTE)
        gap = await anext(items)
        assert isinstance(gap, Gap)
        assert (gap.start, gap.end) == (before.ts_event, NOW // (SECOND // 20) * (SECOND // 20) + 90 * MINUTE)


async def test_38_a_slow_consumer_sees_what_was_lost():
    async with simulated(interval=0.05) as market:
        newest = (await market.quote(EURUSD)).sequence
        behind = str(newest - 100)
        async with market.stream([QUOTES], overflow=Overflow.DROP_OLDEST, buffer=2, after=behind) as items:
            await anyio.wait_all_tasks_blocked()
            assert await anext(items) == Gap(reason="overflow", lost=items.dropped)
            assert items.dropped == 98
        async with market.stream([QUOTES], overflow=Overflow.CONFLATE, after=behind) as items:
            await anyio.wait_all_tasks_blocked()
            assert (await anext(items)).sequence == newest
            assert items.conflated == 99
        async with market.stream([QUOTES], overflow=Overflow.ERROR, buffer=2, after=behind) as items:
            await anyio.wait_all_tasks_blocked()
            assert [(await anext(items)).sequence for _ in range(2)] == [newest - 99, newest - 98]
            with pytest.raises(StreamOverflow):
                await anext(items)


async def test_a_foreign_cursor_is_expired():
    async with simulated() as market, market.stream([QUOTES], after="yesterday") as items:
        with pytest.raises(CursorExpired):
            await anext(items)


async def test_41_health_says_when_no_price_comes_although_streams_are_open():
    class Stuck(ReplayClock):
        seconds = 0.0

        def monotonic(self):
            return self.seconds

    clock = Stuck(NOW)
    async with simulated(clock=clock) as market:
        assert market.health().status is HealthStatus.OK
        async with market.stream([QUOTES]) as items:
            await anext(items)
            clock.seconds = 60.0
            assert market.health().status is HealthStatus.DEGRADED
            assert "60 s" in market.health().reasons[0]
        assert market.health().status is HealthStatus.OK


@pytest.mark.parametrize(("interval", "count"), [(1, 60), (0.05, 1200), (60, 1), (7, 8), (0.9, 60), (45, 1)])
def test_a_minute_has_a_whole_number_of_quotes(interval, count):
    assert quotes_a_minute(interval) == count


def test_the_manifest_names_what_the_market_streams():
    manifest = json.loads(Path("builtin_plugins/simulated/plugin.json").read_text())
    assert manifest["capabilities"] == {"supportsTicks": True, "supportsHistory": True, "timeframes": ["1m"]}
