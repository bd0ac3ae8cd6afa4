"""The bus: who gets what, in which order, and what happens to those who fall behind."""

import anyio
import pytest

from gatehook.clocks import ReplayClock
from gatehook.events import EventBus
from gatehook.events import FeedEvent
from gatehook.kinds.errors import StreamOverflow
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.prices import Tick
from gatehook.kinds.prices import TickKind
from gatehook.kinds.streams import Gap
from gatehook.kinds.streams import Overflow

pytestmark = pytest.mark.anyio

EURUSD = InstrumentId("EURUSD", "TEST")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


def quote(bid, symbol=EURUSD):
    return Tick(instrument_id=symbol, kind=TickKind.QUOTE, bid=bid, ask=bid + 1, ts_event=bid)


async def test_an_event_carries_what_it_was_published_with():
    bus = EventBus(ReplayClock(1_500_000_000_000_000_000))
    with bus.subscribe("news.headline") as news:
        published = bus.publish("news.headline", {"a": 1}, source="feed", symbol="EURUSD.X", trace_id="t")
        assert await news.batch() == [published]
    assert published.to_json() == {
        "event_id": published.event_id,
        "ts": "2017-07-14T02:40:00Z",
        "source": "feed",
        "topic": "news.headline",
        "partition_key": "EURUSD.X",
        "sequence": 1,
        "symbol": "EURUSD.X",
        "timeframe": None,
        "account_id": None,
        "trace_id": "t",
        "payload": {"a": 1},
    }


async def test_a_domain_object_is_a_payload_too():
    event = EventBus().publish("market.price.tick", quote(5), source="x")
    assert event.to_json()["payload"]["bid"] == "5"


@pytest.mark.parametrize(
    ("pattern", "topics"),
    [
        ("market.price.tick", ["market.price.tick"]),
        ("market.*", ["market.price.tick", "market.candle.closed"]),
        ("*", ["market.price.tick", "market.candle.closed", "marketplace.offer", "account.fill"]),
        ("account.*", ["account.fill"]),
    ],
)
async def test_a_pattern_gets_its_topics(pattern, topics):
    bus = EventBus()
    with bus.subscribe(pattern) as subscription:
        for topic in ("market.price.tick", "market.candle.closed", "marketplace.offer", "account.fill"):
            bus.publish(topic, {}, source="x")
        assert [event.topic for event in await subscription.batch()] == topics


async def test_an_event_that_fits_two_patterns_comes_once():
    bus = EventBus()
    with bus.subscribe("news.*", "news.headline") as subscription:
        bus.publish("news.headline", {}, source="x")
        assert len(await subscription.batch()) == 1


@pytest.mark.parametrize("topic", ["", "News", "a..b", "a.", "*", "a.*", "a b", "a\n"])
async def test_a_malformed_topic_is_refused(topic):
    with pytest.raises(ValueError, match="not a topic"):
        EventBus().publish(topic, {}, source="x")


@pytest.mark.parametrize("pattern", ["", "a*", "*.a", "a.*.b", "A", "a."])
async def test_a_malformed_pattern_is_refused(pattern):
    with pytest.raises(ValueError, match="not a topic or a pattern"):
        EventBus().subscribe(pattern)


async def test_a_subscription_without_a_topic_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        EventBus().subscribe()


async def test_a_second_event_with_the_same_id_is_dropped():
    bus = EventBus()
    with bus.subscribe("a") as subscription:
        assert bus.publish("a", 1, source="x", event_id="one") is not None
        assert bus.publish("a", 2, source="x", event_id="one") is None
        assert bus.publish("a", 3, source="x", event_id="two").sequence == 2
        assert [event.payload for event in await subscription.batch()] == [1, 3]


async def test_remembering_ids_is_bounded():
    bus = EventBus(remembered=2)
    for event_id in ("one", "two", "three"):
        bus.publish("a", {}, source="x", event_id=event_id)
    assert bus.publish("a", {}, source="x", event_id="three") is None
    assert bus.publish("a", {}, source="x", event_id="one") is not None


@pytest.mark.parametrize(
    ("fields", "partition"),
    [
        ({}, "a"),
        ({"account_id": "paper/main"}, "paper/main"),
        ({"account_id": "paper/main", "symbol": "EURUSD.X"}, "EURUSD.X"),
        ({"symbol": "EURUSD.X", "partition_key": "mine"}, "mine"),
    ],
)
async def test_the_partition_is_named_or_follows_from_the_event(fields, partition):
    assert EventBus().publish("a", {}, source="x", **fields).partition_key == partition


async def test_a_partition_counts_its_own_events():
    bus = EventBus()
    sequences = [bus.publish("a", {}, source="x", symbol=symbol).sequence for symbol in "ABAAB"]
    assert sequences == [1, 1, 2, 3, 2]


async def test_partitions_beyond_the_bound_are_forgotten_and_never_count_backwards():
    bus = EventBus(partitions=2)
    last = {}
    for symbol in "AABCABCCAB":
        sequence = bus.publish("a", {}, source="x", symbol=symbol).sequence
        assert sequence > last.get(symbol, 0)
        last[symbol] = sequence


async def test_the_oldest_are_dropped_and_a_gap_says_so():
    bus = EventBus()
    with bus.subscribe("a", buffer=2) as subscription:
        for number in range(5):
            bus.publish("a", number, source="x")
        gap, *events = await subscription.batch()
        assert gap == Gap(reason="overflow", lost=3)
        assert [event.payload for event in events] == [3, 4]
        assert subscription.dropped == 3


async def test_quotes_conflate_and_nothing_else_does():
    bus = EventBus()
    with bus.subscribe("market.*", overflow=Overflow.CONFLATE) as subscription:
        for bid in (1, 2):
            bus.publish("market.price.tick", quote(bid), source="x")
        bus.publish("market.price.tick", quote(7, InstrumentId("GBPUSD", "TEST")), source="x")
        bus.publish("market.candle.closed", {"close": 1}, source="x")
        bus.publish("market.candle.closed", {"close": 2}, source="x")
        bus.publish("market.price.tick", quote(3), source="x")
        batch = await subscription.batch()
        assert [getattr(event.payload, "bid", "candle") for event in batch] == [2, 7, "candle", "candle", 3]
        assert subscription.conflated == 1


@pytest.mark.parametrize("pattern", ["account.*", "account.fill", "*"])
@pytest.mark.parametrize("overflow", [Overflow.CONFLATE, Overflow.DROP_OLDEST])
async def test_account_events_are_never_conflated_or_dropped(pattern, overflow):
    with pytest.raises(ValueError, match="never conflated or dropped"):
        EventBus().subscribe(pattern, overflow=overflow)


async def test_an_account_reader_that_falls_behind_gets_the_overflow_and_others_go_on():
    bus = EventBus()
    with bus.subscribe("account.*", buffer=2) as slow, bus.subscribe("account.*", buffer=10) as quick:
        for number in range(3):
            assert bus.publish("account.fill", number, source="x") is not None
        assert [event.payload for event in await slow.batch()] == [0, 1]
        with pytest.raises(StreamOverflow):
            await slow.batch()
        assert [event.payload for event in await quick.batch()] == [0, 1, 2]


async def test_control_events_are_observed_and_prices_are_not():
    bus = EventBus()
    observed = []
    bus.on_control(observed.append)
    for topic in ("market.price.tick", "account.fill", "gateway.diagnostic"):
        bus.publish(topic, {}, source="x")
    assert [event.topic for event in observed] == ["account.fill", "gateway.diagnostic"]


async def test_a_closed_subscription_gives_what_it_has_and_ends():
    bus = EventBus()
    subscription = bus.subscribe("a")
    bus.publish("a", 1, source="x")
    subscription.close()
    bus.publish("a", 2, source="x")
    assert [event.payload async for event in subscription] == [1]
    assert await subscription.batch() == []
    subscription.close()


async def test_settled_waits_for_readers_and_for_what_they_publish():
    bus = EventBus()
    done = []

    async def relay(subscription):
        async for event in subscription:
            await anyio.lowlevel.checkpoint()
            bus.publish("b", event.payload, source="relay")

    async def collect(subscription):
        async for event in subscription:
            await anyio.lowlevel.checkpoint()
            done.append(event.payload)

    async with anyio.create_task_group() as tasks:
        with bus.subscribe("b") as last, bus.subscribe("a") as first:
            tasks.start_soon(collect, last)
            tasks.start_soon(relay, first)
            for number in range(3):
                bus.publish("a", number, source="x")
            assert await bus.settled(5)
            assert done == [0, 1, 2]


async def test_settled_gives_up_after_its_timeout():
    bus = EventBus()
    assert await bus.settled(0.01)
    with bus.subscribe("a"):
        assert not await bus.settled(0.01)
    assert await bus.settled(0.01)


async def test_events_are_immutable():
    event = EventBus().publish("a", {}, source="x")
    assert isinstance(event, FeedEvent)
    with pytest.raises(AttributeError):
        event.payload = 1
