"""The replay: in step, without a look ahead, each close once, resumable, paced, with its progress."""

from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

import anyio
import pytest

from builtin_plugins.replay import driver
from builtin_plugins.replay.plugin import provide_market_data
from gatehook.clocks import ReplayClock
from gatehook.clocks import SystemClock
from gatehook.diagnostics import GatehookError
from gatehook.events import EventBus
from gatehook.kinds.capabilities import MarketDataCapabilities
from gatehook.kinds.errors import CursorExpired
from gatehook.kinds.errors import NotFound
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.market_data import Channel
from gatehook.kinds.market_data import Subscription
from gatehook.kinds.prices import Timeframe
from gatehook.kinds.provider import HealthStatus
from gatehook.kinds.times import HOUR
from gatehook.kinds.times import SECOND
from gatehook.kinds.times import from_rfc3339
from gatehook.market import MarketPump
from tests.market.entry import running

pytestmark = pytest.mark.anyio

EURUSD = InstrumentId("EURUSD", "REPLAY")
HOURS = Subscription(instrument_id=EURUSD, channel=Channel.CANDLES, timeframe=Timeframe.H1)
QUOTES = Subscription(instrument_id=EURUSD, channel=Channel.QUOTES)
START = from_rfc3339("2024-01-01T00:00:00Z")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture
def file(tmp_path):
    rows = [f"2024-01-01 {hour:02}:00,1.{hour:02},1.9,1.0,1.{hour + 1:02},{hour}\n" for hour in range(8)]
    path = tmp_path / "EURUSD.csv"
    path.write_text("Time,Open,High,Low,Close,Volume\n" + "".join(rows))
    return path


def replay(file, *, clock, bus=None, **config):
    return running(provide_market_data, {"file": str(file), **config}, clock=clock, bus=bus, venue="REPLAY")


def hour(item):
    return (item.ts_open - START) // HOUR


async def test_an_hour_after_the_other_until_the_end_of_the_file(file):
    clock = ReplayClock()
    async with replay(file, clock=clock) as market:
        assert clock.now() == START
        assert market.capabilities() == MarketDataCapabilities(timeframes=(Timeframe.H1,), history=True)
        clock.start()
        async with market.stream([HOURS]) as items:
            candles = [item async for item in items]
        assert [hour(one) for one in candles] == list(range(8))
        assert candles[3].closed
        assert (candles[3].open, candles[3].close, candles[3].volume) == (Decimal("1.03"), Decimal("1.04"), Decimal(3))
        assert clock.now() == START + 8 * HOUR
        assert market.progress == (8, 8)
        async with market.stream([HOURS]) as items:
            assert [item async for item in items] == []


async def test_nothing_is_replayed_before_the_clock_is_started(file):
    clock = ReplayClock()
    async with replay(file, clock=clock) as market, market.stream([HOURS]) as items:
        with anyio.move_on_after(0.05) as waited:
            await anext(items)
        assert waited.cancelled_caught
        with pytest.raises(NotFound, match="before the replay begins"):
            await market.quote(EURUSD)
        clock.start()
        assert hour(await anext(items)) == 0


async def test_a_started_replay_waits_for_a_stream(file):
    clock = ReplayClock()
    clock.start()
    async with replay(file, clock=clock) as market:
        await anyio.wait_all_tasks_blocked()
        assert market.progress == (0, 8)


async def test_streams_take_turns_in_the_order_they_were_opened_and_are_done_before_the_next_row(file):
    clock, log = ReplayClock(), []

    async def follow(name, market, opened):
        async with market.stream([HOURS]) as items:
            opened.set()
            async for item in items:
                await anyio.lowlevel.checkpoint()
                log.append((hour(item), name))
                assert clock.now() == item.ts_close

    async with replay(file, clock=clock) as market, anyio.create_task_group() as tasks:
        for name in ("broker", "pump", "third"):
            opened = anyio.Event()
            tasks.start_soon(follow, name, market, opened)
            await opened.wait()
            await anyio.wait_all_tasks_blocked()
        clock.start()
    assert log == [(row, name) for row in range(8) for name in ("broker", "pump", "third")]


async def test_nobody_looks_ahead(file):
    clock = ReplayClock()
    async with replay(file, clock=clock, spread="0.02") as market, market.stream([HOURS]) as items:
        clock.start()
        for done in range(1, 9):
            candle = await anext(items)
            quote = await market.quote(EURUSD)
            page = await market.history(EURUSD, Timeframe.H1, start=0, end=2**63)
            assert page.items[-1] == candle
            assert len(page.items) == done
            assert page.items[-1].ts_close == clock.now() == quote.ts_event
            assert (quote.bid, quote.ask) == (candle.close, candle.close + Decimal("0.02"))
            assert not quote.simulated


async def test_37_history_pages_join(file):
    clock = ReplayClock()
    clock.start()
    async with replay(file, clock=clock) as market:
        async with market.stream([HOURS]) as items:
            candles = [item async for item in items]
        start, end = START + HOUR, START + 7 * HOUR
        pages, cursor = [], None
        while True:
            page = await market.history(EURUSD, Timeframe.H1, start=start, end=end, limit=2, cursor=cursor)
            pages.append(page.items)
            cursor = page.cursor
            if cursor is None:
                break
        assert [len(page) for page in pages] == [2, 2, 2]
        assert [one for page in pages for one in page] == candles[1:7]


async def test_a_stream_resumes_after_its_cursor_and_catches_up(file):
    clock = ReplayClock()
    async with replay(file, clock=clock) as market:
        clock.start()
        async with market.stream([HOURS]) as items:
            seen = [hour(await anext(items)) for _ in range(3)]
            cursor = items.cursor
        async with market.stream([HOURS]) as other:
            await anext(other)
            async with market.stream([HOURS], after=cursor) as items, anyio.create_task_group() as tasks:

                async def go_on():
                    async for _ in other:
                        pass

                tasks.start_soon(go_on)
                seen += [hour(item) async for item in items]
    assert seen == list(range(8))


async def test_a_restarted_entry_goes_on_where_the_market_clock_is(file):
    clock = ReplayClock()
    clock.start()
    async with replay(file, clock=clock) as market, market.stream([HOURS]) as items:
        assert [hour(await anext(items)) for _ in range(3)] == [0, 1, 2]
    async with replay(file, clock=clock) as market, market.stream([HOURS]) as items:
        assert [hour(item) async for item in items] == [3, 4, 5, 6, 7]


async def test_a_stream_that_hangs_is_not_waited_for_for_ever(file, monkeypatch, caplog):
    monkeypatch.setattr(driver, "_PATIENCE", 0.01)
    clock = ReplayClock()
    async with replay(file, clock=clock) as market, market.stream([HOURS]), market.stream([HOURS]) as items:
        await anyio.wait_all_tasks_blocked()
        clock.start()
        assert [hour(await anext(items)) for _ in range(7)] == list(range(7))
        assert market.health().status is HealthStatus.DEGRADED
        assert "not keep up" in market.health().reasons[0]
        assert hour(await anext(items)) == 7
    assert caplog.text.count("not waited for") == 1


async def test_progress_is_published(file):
    clock, bus = ReplayClock(), EventBus()
    clock.start()
    with bus.subscribe("market.replay.progress") as subscription:
        async with replay(file, clock=clock, bus=bus) as market, market.stream([HOURS]) as items:
            _ = [item async for item in items]
            await anyio.wait_all_tasks_blocked()
        payloads = [event.payload for event in await subscription.batch()]
    assert payloads[0] == {"done": 1, "total": 8, "finished": False}
    assert payloads[-1] == {"done": 8, "total": 8, "finished": True}


async def test_a_paced_replay_takes_its_time_but_not_over_a_weekend(tmp_path):
    file = tmp_path / "EURUSD.csv"
    rows = [f"2024-01-0{day} 00:00,1,1,1,1,1\n2024-01-0{day} 00:01,1,1,1,1,1\n" for day in (1, 3, 5)]
    file.write_text("Time,Open,High,Low,Close,Volume\n" + "".join(rows))
    minutes = Subscription(instrument_id=EURUSD, channel=Channel.CANDLES, timeframe=Timeframe.M1)
    clock = SystemClock()
    async with replay(file, clock=clock, pace=6000) as market, market.stream([minutes]) as items:
        begun = clock.monotonic()
        assert len([item async for item in items]) == 6
        assert 5 * 60 / 6000 <= clock.monotonic() - begun < 10


async def test_without_a_market_clock_a_replay_begins_with_its_first_stream(file):
    async with replay(file, clock=SystemClock()) as market, market.stream([HOURS]) as items:
        assert [hour(item) async for item in items] == list(range(8))


async def test_the_instrument_follows_from_the_file_or_the_configuration(file):
    async with replay(file, clock=ReplayClock()) as market:
        (one,) = await market.list_instruments()
        assert (one.id, one.base, one.quote, one.price_increment) == (EURUSD, "EUR", "USD", Decimal("0.01"))
        assert await market.list_instruments(query="gbp") == []
    config = {"symbol": "GOLD", "base": "XAU", "quote": "EUR", "price_increment": "0.01", "size_increment": "0.5"}
    async with replay(file, clock=ReplayClock(), **config) as market:
        (one,) = await market.list_instruments(query="old")
        assert (str(one.id), one.base, one.settle_currency) == ("GOLD.REPLAY", "XAU", "EUR")
        assert one.size_increment == one.min_quantity == Decimal("0.5")


async def test_an_instrument_that_says_nothing_of_itself_is_refused(file):
    with pytest.raises(ExceptionGroup) as caught:
        async with replay(file, clock=ReplayClock(), symbol="DAX"):
            pass
    (error,) = caught.value.exceptions
    assert isinstance(error, GatehookError)
    assert error.diagnostics[0].code == "market.instrument-unclear"


async def test_skipped_rows_show_in_health(file):
    file.write_text(file.read_text() + "bad\n")
    async with replay(file, clock=ReplayClock(), bad_rows="skip") as market:
        assert market.health().status is HealthStatus.DEGRADED
        assert market.health().reasons == ("1 rows of the file are left out, the first at line 10",)


@pytest.mark.parametrize(
    ("subscription", "after", "error"),
    [
        (Subscription(instrument_id=EURUSD, channel=Channel.TRADES), None, UnsupportedCapability),
        (QUOTES, None, UnsupportedCapability),
        (
            Subscription(instrument_id=EURUSD, channel=Channel.CANDLES, timeframe=Timeframe.M1),
            None,
            UnsupportedCapability,
        ),
        (Subscription(instrument_id=InstrumentId("X", "REPLAY"), channel=Channel.QUOTES), None, NotFound),
        (HOURS, "5", CursorExpired),
        (HOURS, "x", CursorExpired),
    ],
)
async def test_what_the_file_has_not_is_refused(file, subscription, after, error):
    async with replay(file, clock=ReplayClock()) as market, market.stream([subscription], after=after) as items:
        with pytest.raises(error):
            await anext(items)


async def test_mid_candles_have_quotes_around_them(file):
    clock = ReplayClock()
    clock.start()
    async with replay(file, clock=clock, side="mid", spread="0.02") as market, market.stream([HOURS]) as items:
        await anext(items)
        quote = await market.quote(EURUSD)
        assert (quote.bid, quote.ask) == (Decimal("1.00"), Decimal("1.02"))


async def test_ticks_replay_and_candles_are_built_from_them(tmp_path):
    file = tmp_path / "EURUSD.csv"
    file.write_text("time,bid,ask\n" + "".join(f"{1704067200 + n * 20},1.{n:02},1.5\n" for n in range(10)))
    clock = ReplayClock()
    bus = EventBus(clock)
    minutes = Subscription(instrument_id=EURUSD, channel=Channel.CANDLES, timeframe=Timeframe.M1)
    with bus.subscribe("market.price.tick") as ticks, bus.subscribe("market.candle.closed") as closed:
        async with replay(file, clock=clock) as market:
            assert market.capabilities() == MarketDataCapabilities(ticks=True)
            clock.start()
            await MarketPump(bus, clock, settle_timeout=0).run("replay", market, [], build=[minutes])
        assert [event.ts for event in await ticks.batch()] == [START + n * 20 * SECOND for n in range(10)]
        bars = [event.payload for event in await closed.batch()]
        assert [str(bar.close) for bar in bars] == ["1.02", "1.05", "1.08"]


async def test_each_of_5000_real_closes_is_published_exactly_once(anyio_backend):
    spec = find_spec("backtesting")
    assert spec is not None, "the EUR/USD candles are those of the package backtesting, of the extra test"
    file = Path(spec.submodule_search_locations[0]) / "test" / "EURUSD.csv"
    expected = [line.split(",") for line in file.read_text().splitlines()[1:]]
    clock = ReplayClock()
    bus = EventBus(clock)
    events = []

    async def collect(subscription):
        events.extend([event async for event in subscription])

    async with replay(file, clock=clock) as market, anyio.create_task_group() as tasks:
        with bus.subscribe("market.candle.*") as subscription:
            tasks.start_soon(collect, subscription)
            clock.start()
            await MarketPump(bus, clock).run("replay", market, [HOURS])
    assert len(events) == len(expected) == 5000
    assert {event.topic for event in events} == {"market.candle.closed"}
    for event, (time, *prices, volume) in zip(events, expected, strict=True):
        candle = event.payload
        assert candle.ts_open == from_rfc3339(f"{time.replace(' ', 'T')}Z")
        assert (candle.ts_close, event.ts) == (candle.ts_open + HOUR, candle.ts_open + HOUR)
        assert [candle.open, candle.high, candle.low, candle.close] == [Decimal(price) for price in prices]
        assert candle.volume == Decimal(volume)
