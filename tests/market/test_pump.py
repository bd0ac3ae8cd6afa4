"""From a source's stream to events: ticks, closes exactly once, revisions, losses."""

import anyio
import pytest

import gatehook.market.pump
from gatehook.clocks import ReplayClock
from gatehook.clocks import SystemClock
from gatehook.events import EventBus
from gatehook.kinds.errors import CursorExpired
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.market_data import Channel
from gatehook.kinds.market_data import Subscription
from gatehook.kinds.prices import Timeframe
from gatehook.kinds.streams import Gap
from gatehook.kinds.streams import Overflow
from gatehook.kinds.streams import Reconnected
from gatehook.kinds.streams import Snapshot
from gatehook.kinds.streams import Stale
from gatehook.kinds.times import MINUTE
from gatehook.kinds.times import SECOND
from gatehook.market import MarketPump
from tests.market.prices import EURUSD
from tests.market.prices import MINUTES
from tests.market.prices import QUOTES
from tests.market.prices import TRADES
from tests.market.prices import Script
from tests.market.prices import candle
from tests.market.prices import quote
from tests.market.prices import trade

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(gatehook.market.pump, "_FIRST_PAUSE", 0.0)


async def published(source, subscriptions=(MINUTES,), *, build=(), clock=None, runs=1, bus=None):
    """Run a pump over the script; return the events of the market."""
    bus = bus or EventBus()
    pump = MarketPump(bus, clock or SystemClock())
    subscription = bus.subscribe("market.*", overflow=Overflow.ERROR)
    for _ in range(runs):
        await pump.run("source", source, list(subscriptions), build=build)
    subscription.close()
    return [event async for event in subscription]


def closes(events, topic="market.candle.closed"):
    return [(event.payload.ts_open // MINUTE, int(event.payload.close)) for event in events if event.topic == topic]


async def test_ticks_and_closes_say_what_they_are_of():
    tick, close = await published(Script([quote(5, 1), candle(1)]), [QUOTES, MINUTES])
    assert (tick.topic, tick.symbol, tick.partition_key, tick.ts, tick.source) == (
        "market.price.tick",
        "EURUSD.TEST",
        "EURUSD.TEST",
        5,
        "source",
    )
    assert (close.topic, close.timeframe, close.ts, close.sequence) == ("market.candle.closed", "1m", 2 * MINUTE, 2)


async def test_a_close_comes_once_however_often_the_source_says_it():
    events = await published(Script([candle(1), candle(1), candle(2), candle(1), candle(2), candle(3)]))
    assert closes(events) == [(1, 1), (2, 1), (3, 1)]
    assert len(events) == 3


async def test_a_later_correction_is_a_revision():
    events = await published(Script([candle(1), candle(2), candle(1, 4), candle(1, 4)]))
    assert closes(events) == [(1, 1), (2, 1)]
    assert closes(events, "market.candle.revised") == [(1, 4)]


async def test_a_forming_bar_closes_with_the_next_bars_first_item():
    script = [candle(1, 2, closed=False), candle(1, 3, closed=False), candle(2, 4, closed=False)]
    events = await published(Script(script))
    assert closes(events) == [(1, 3)]
    assert events[0].payload.closed


async def test_the_sources_own_close_after_ours_is_nothing_new_or_a_revision():
    forming = [candle(1, 3, closed=False), candle(2, 4, closed=False)]
    same = await published(Script([*forming, candle(1, 3)]))
    assert len(same) == 1
    other = await published(Script([*forming, candle(1, 9)]))
    assert closes(other, "market.candle.revised") == [(1, 9)]


async def test_a_forming_bar_closes_at_its_end_plus_grace_without_another_item():
    bus = EventBus()
    script = Script([candle(1, 3, closed=False), quote(2 * MINUTE - SECOND // 100, 5), anyio.sleep_forever])
    async with anyio.create_task_group() as tasks:
        with bus.subscribe("market.candle.closed") as subscription, anyio.fail_after(10):
            tasks.start_soon(MarketPump(bus, SystemClock(), grace_ns=SECOND // 100).run, "source", script, [MINUTES])
            assert closes(await subscription.batch()) == [(1, 3)]
        tasks.cancel_scope.cancel()


async def test_prices_that_come_late_do_not_end_a_bar_early():
    """The clock of the machine is decades ahead of these prices, and the stream pauses in the middle of a bar."""
    script = Script([candle(1, 2, closed=False), anyio.lowlevel.checkpoint, candle(1, 3, closed=False), candle(2)])
    events = await published(script)
    assert closes(events) == [(1, 3), (2, 1)]
    assert len(events) == 2


async def test_a_stream_that_fails_is_resumed_at_its_cursor_and_each_close_comes_once():
    script = Script(
        [candle(1), candle(2), NotConnected("the line is down")],
        [candle(2), candle(3), OSError("again")],
        [candle(1, 7), candle(3), candle(4)],
    )
    events = await published(script)
    assert closes(events) == [(1, 1), (2, 1), (3, 1), (4, 1)]
    assert closes(events, "market.candle.revised") == [(1, 7)]
    assert [after for _, after in script.opened] == [None, "1", "1"]
    gaps = [event.payload.reason for event in events if event.topic == "market.stream.gap"]
    assert gaps == ["the stream failed: NotConnected", "the stream failed: OSError"]


async def test_closes_are_remembered_when_the_pump_runs_again():
    events = await published(Script([candle(1), candle(2)], [candle(1), candle(2), candle(3)]), runs=2)
    assert closes(events) == [(1, 1), (2, 1), (3, 1)]


async def test_an_expired_cursor_starts_anew_and_says_so():
    script = Script([candle(1), OSError("x")], [CursorExpired("too old")], [candle(5)])
    events = await published(script)
    assert closes(events) == [(1, 1), (5, 1)]
    assert [after for _, after in script.opened] == [None, "0", None]
    assert "could not be resumed" in events[-2].payload.reason


@pytest.mark.parametrize(
    ("item", "topic"),
    [
        (Gap(reason="maintenance", lost=3), "market.stream.gap"),
        (Stale(since=5), "market.stream.stale"),
        (Reconnected(at=6), "market.stream.reconnected"),
        (Snapshot(complete=True), "market.stream.snapshot"),
    ],
)
async def test_what_happens_to_the_stream_is_published(item, topic):
    (event,) = await published(Script([item]))
    assert (event.topic, event.payload, event.partition_key) == (topic, item, "source")


async def test_a_bar_that_lost_items_is_not_closed_by_us():
    events = await published(Script([candle(1, 3, closed=False), Gap(reason="x"), candle(2, 4, closed=False)]))
    assert closes(events) == []


async def test_candles_are_built_from_quotes_when_the_source_has_none():
    script = Script([quote(0, 1), quote(SECOND, 5), quote(MINUTE, 2), quote(2 * MINUTE, 3)])
    events = await published(script, (), build=[MINUTES])
    assert script.opened == [((QUOTES,), None)]
    assert closes(events) == [(0, 5), (1, 2)]


async def test_candles_are_built_from_trades_when_only_trades_are_asked_for():
    script = Script([trade(0, 1, 2), trade(SECOND, 5), trade(MINUTE, 2)])
    events = await published(script, [TRADES], build=[MINUTES])
    assert [event.payload.volume for event in events if event.topic == "market.candle.closed"] == [3]


async def test_a_trade_that_comes_again_after_a_restart_is_published_once():
    events = await published(Script([trade(0, 1), OSError("x")], [trade(0, 1), trade(1, 2)]), [TRADES])
    assert [event.payload.ts_event for event in events if event.topic == "market.price.tick"] == [0, 1]


async def test_calendar_candles_are_not_built():
    daily = Subscription(instrument_id=EURUSD, channel=Channel.CANDLES, timeframe=Timeframe.D1)
    with pytest.raises(UnsupportedCapability):
        await published(Script([]), (), build=[daily])


async def test_in_a_replay_the_next_item_waits_for_the_consequences_of_the_last():
    clock, bus, log = ReplayClock(), EventBus(), []

    async def say(word):
        log.append(word)

    async def react(subscription):
        async for event in subscription:
            await anyio.lowlevel.checkpoint()
            log.append(event.payload.ts_open // MINUTE)

    class InStep(Script):
        async def run_stream(self, subscriptions, sink, after):
            for minute in (1, 2, 3):
                log.append(f"put {minute}")
                sink.put(candle(minute))
                await sink.drained()

    async with anyio.create_task_group() as tasks:
        with bus.subscribe("market.*") as subscription:
            tasks.start_soon(react, subscription)
            await MarketPump(bus, clock).run("source", InStep(), [MINUTES])
    assert log == ["put 1", 1, "put 2", 2, "put 3", 3]


async def test_a_subscriber_that_hangs_does_not_stop_a_replay(caplog):
    bus = EventBus()
    with bus.subscribe("market.*"):  # nobody reads
        await MarketPump(bus, ReplayClock(), settle_timeout=0.01).run("source", Script([candle(1)]), [MINUTES])
    assert "still work on the last price" in caplog.text
