"""Guarded handles: deadlines, breakers, wrapped errors, capabilities, streams."""

from __future__ import annotations

import anyio
import pytest

from gatehook import GatehookError
from gatehook import InstrumentId
from gatehook import NotConnected
from gatehook import ProviderError
from gatehook import Subscription
from gatehook import Timeframe
from gatehook import UnsupportedCapability
from gatehook import hookimpl
from gatehook.host.breaker import THRESHOLD
from gatehook.host.breaker import Breaker
from gatehook.kinds.errors import NotFound
from gatehook.kinds.market_data import Channel
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.kinds.memory import SearchMode
from gatehook.kinds.provider import Health
from gatehook.kinds.provider import HealthStatus
from gatehook.kinds.streams import Overflow
from tests.host.plugin_kit import MEMORY
from tests.host.plugin_kit import MEMORY_KIND
from tests.host.plugin_kit import codes
from tests.host.plugin_kit import host_of
from tests.host.plugin_kit import write_plugin
from tests.host.scripted import Provider
from tests.host.scripted import Scripted
from tests.host.scripted import manifest
from tests.host.scripted import until

pytestmark = pytest.mark.anyio
EURUSD = InstrumentId.parse("EURUSD.SCRIPTED")
STREAMING = manifest(capabilities={"supportsTicks": True, "timeframes": ["1h"]})
QUOTES = Subscription(instrument_id=EURUSD, channel=Channel.QUOTES)


def raising(error: BaseException):
    async def answer(provider):
        raise error

    return answer


async def test_a_call_has_a_deadline(tmp_path):
    plugin = Scripted(answer=lambda provider: anyio.sleep_forever())
    async with host_of(tmp_path, plugins=[(manifest(), plugin)], supervision={"call_timeout": 0.05}) as host:
        with pytest.raises(NotConnected, match=r"quote gave no answer within 0\.05 s"):
            await host.market_data("scripted").quote(EURUSD)


@pytest.mark.parametrize("error", [ZeroDivisionError("x"), SystemExit(1), GeneratorExit(), BaseException("b")])
async def test_fault_10_an_exception_of_provider_code_is_wrapped_with_its_plugin(tmp_path, error):
    async with host_of(tmp_path, plugins=[(manifest(), Scripted(answer=raising(error)))]) as host:
        with pytest.raises(ProviderError, match="quote of scripted \\(plugin scripted\\) raised") as caught:
            await host.market_data("scripted").quote(EURUSD)
        assert caught.value.__cause__ is error
        assert "host.call-failed" in codes(host)


async def test_errors_of_gatehook_come_out_as_they_are(tmp_path):
    error = NotFound("no such instrument")
    async with host_of(tmp_path, plugins=[(manifest(), Scripted(answer=raising(error)))]) as host:
        for _ in range(20):
            with pytest.raises(NotFound):
                await host.market_data("scripted").quote(EURUSD)
        assert "host.call-failed" not in codes(host)
        assert host.health().status == "ok"


async def test_a_timeout_of_the_provider_itself_is_no_connection(tmp_path):
    async with host_of(tmp_path, plugins=[(manifest(), Scripted(answer=raising(TimeoutError("socket"))))]) as host:
        with pytest.raises(NotConnected, match="timed out"):
            await host.market_data("scripted").quote(EURUSD)


async def test_a_run_of_failures_opens_the_breaker_which_fails_fast_and_probes(tmp_path):
    calls = []

    async def answer(provider):
        calls.append(1)
        raise NotConnected("away")

    async with host_of(tmp_path, plugins=[(manifest(), Scripted(answer=answer))]) as host:
        handle = host.market_data("scripted")
        for _ in range(THRESHOLD + 3):
            with pytest.raises(NotConnected):
                await handle.quote(EURUSD)
        assert len(calls) == THRESHOLD
        assert handle.health().status == "down"
        assert host.health().status == "down"


def test_a_breaker_lets_one_probe_through_and_rests_longer_after_each_failure():
    now = [0.0]
    breaker = Breaker(lambda: now[0])
    for _ in range(THRESHOLD):
        assert breaker.admits()
        breaker.failed()
    assert not breaker.admits()
    now[0] = 1.0
    assert breaker.admits()
    assert not breaker.admits()
    breaker.failed()
    assert breaker.rest == 2.0
    now[0] = 3.0
    assert breaker.admits()
    breaker.succeeded()
    assert breaker.admits()
    assert not breaker.is_open


async def test_five_exceptions_of_provider_code_in_calls_quarantine_it(tmp_path):
    async with host_of(tmp_path, plugins=[(manifest(), Scripted(answer=raising(KeyError("bug"))))]) as host:
        for _ in range(5):
            with pytest.raises(ProviderError):
                await host.market_data("scripted").quote(EURUSD)
        await until(host, "scripted", "quarantined")
        with pytest.raises(NotConnected, match="quarantined"):
            await host.market_data("scripted").quote(EURUSD)


async def test_what_is_not_declared_is_refused_before_the_call(tmp_path):
    async with host_of(tmp_path, plugins=[(manifest(), Scripted())]) as host:
        handle = host.market_data("scripted")
        with pytest.raises(UnsupportedCapability, match="supportsHistory"):
            await handle.history(EURUSD, Timeframe.H1, start=0, end=1)
        with pytest.raises(UnsupportedCapability, match="supportsTickHistory"):
            await handle.ticks_history(EURUSD, start=0, end=1)
        candles = Subscription(instrument_id=EURUSD, channel=Channel.CANDLES, timeframe=Timeframe.M1)
        trades = Subscription(instrument_id=EURUSD, channel=Channel.TRADES)
        for subscription, words in ((QUOTES, "supportsTicks"), (candles, "timeframe 1m"), (trades, "supportsTrades")):
            with pytest.raises(UnsupportedCapability, match=words):
                await handle.stream([subscription]).__aenter__()


class Streaming(Provider):
    async def run_stream(self, subscriptions, sink, after):
        for number in range(3):
            sink.put(await self.quote(EURUSD), cursor=str(number))
        await anyio.sleep_forever()


async def test_a_streams_items_pass_through_and_it_ends_when_the_entry_stops(tmp_path):
    async with (
        host_of(tmp_path, plugins=[(STREAMING, Scripted(provide=Streaming))]) as host,
        host.market_data("scripted").stream([QUOTES], overflow=Overflow.DROP_OLDEST) as items,
    ):
        for _ in range(3):
            await anext(items)
        assert (type(items).__name__, items.cursor) == ("Items", "2")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(host.restart, "scripted")
            with pytest.raises(NotConnected, match="stops"):
                await anext(items)


async def test_a_handle_stays_good_over_restarts(tmp_path):
    plugin = Scripted()
    async with host_of(tmp_path, plugins=[(manifest(), plugin)]) as host:
        handle = host.market_data("scripted")
        await handle.quote(EURUSD)
        await host.restart("scripted")
        await handle.quote(EURUSD)
        assert handle.entry_id == "scripted"
        assert len(plugin.entered) == 2


async def test_calls_in_flight_end_before_the_provider_is_let_go(tmp_path):
    begun, go, order = anyio.Event(), anyio.Event(), []

    async def answer(provider):
        begun.set()
        await go.wait()
        order.append("answered")

    async def leave(provider):
        order.append("left")

    plugin = Scripted(answer=answer, leave=leave)
    async with (
        host_of(tmp_path, plugins=[(manifest(), plugin)], supervision={"stop_timeout": 10}) as host,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(host.market_data("scripted").quote, EURUSD)
        await begun.wait()
        tasks.start_soon(host.restart, "scripted")
        await until(host, "scripted", "stopping")
        go.set()
    assert order[:2] == ["answered", "left"]


@pytest.mark.parametrize(
    ("health", "status"),
    [
        (lambda: Health(status=HealthStatus.DEGRADED, reasons=("slow",)), "degraded"),
        (lambda: 1 / 0, "degraded"),
        (lambda: "fine", "degraded"),
        (Health, "ok"),
    ],
)
async def test_health_is_the_providers_word_or_that_it_has_none(tmp_path, health, status):
    plugin = Scripted()
    plugin.health = health
    async with host_of(tmp_path, plugins=[(manifest(), plugin)]) as host:
        assert host.market_data("scripted").health().status == status
        assert host.health().status == status


async def test_the_memory_handle_refuses_what_is_not_declared(tmp_path):
    notes = write_plugin(tmp_path, "notes", MEMORY, kinds=(MEMORY_KIND,))
    async with host_of(tmp_path, notes, slots={"memory": "notes"}) as host:
        memory, everything = host.memory(), (NamespaceSelector.everything(),)
        assert (await memory.search(Query(namespaces=everything))).degraded == ("notes",)
        assert (await memory.stats()).documents == 0
        assert await memory.get(("a",), ["x"]) == [None]
        assert await memory.delete(("a",), ["x"]) == 0
        assert (await memory.upsert([])).inserted == ()
        await memory.flush()
        for query in (Query(namespaces=everything, mode=SearchMode.VECTOR), Query(namespaces=everything, as_of=1)):
            with pytest.raises(UnsupportedCapability):
                await memory.search(query)
        with pytest.raises(UnsupportedCapability):
            await memory.forget(("a",), ["x"])
        with pytest.raises(UnsupportedCapability):
            await anext(memory.scan(NamespaceSelector.everything()))
        with pytest.raises(UnsupportedCapability):
            await memory.namespaces()


async def test_the_four_provisional_kinds_have_a_guarded_call(tmp_path):
    from gatehook import ExternalFeed
    from gatehook import FeedQuery
    from gatehook import Page
    from gatehook.kinds.kind import Kind

    class Feed(ExternalFeed):
        async def fetch(self, query, *, cursor=None, limit=100):
            return Page(items=(query.text,))

    class Plugin:
        @hookimpl
        def provide_feed(self, context):
            return Feed()

    about = {**manifest("feed"), "kinds": ["feed.external"]}
    async with host_of(tmp_path, plugins=[(about, Plugin())]) as host:
        page = await host.handle("feed", Kind.FEED, caller="test").fetch(FeedQuery(text="eur"))
        assert page.items == ("eur",)
        with pytest.raises(GatehookError):
            host.handle("feed", Kind.NOTIFIER)
