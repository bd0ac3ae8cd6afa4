"""Who shares a budget of requests, what counts, and what a venue's refusal does to all of them."""

from __future__ import annotations

from contextlib import asynccontextmanager

import anyio
import pytest

from gatehook import InstrumentId
from gatehook import NotConnected
from gatehook import OrderStatus
from gatehook import hookimpl
from gatehook.host.breaker import THRESHOLD
from gatehook.kinds.capabilities import MarketDataCapabilities
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.errors import RateLimited
from gatehook.kinds.errors import Throttled
from gatehook.kinds.market_data import Channel
from gatehook.kinds.market_data import Subscription
from tests.host.plugin_kit import MARKET
from tests.host.plugin_kit import codes
from tests.host.plugin_kit import host_of
from tests.host.plugin_kit import state_of
from tests.host.scripted import Provider
from tests.host.scripted import Scripted
from tests.host.scripted import manifest
from tests.host.scripted import until
from tests.host.test_brokers import CAPABILITIES
from tests.host.test_brokers import Brokers
from tests.orders.conftest import eventually
from tests.orders.venue import VenueBroker
from tests.orders.venue import limit

pytestmark = pytest.mark.anyio

EURUSD = InstrumentId.parse("EURUSD.V")
SECRET = {"type": "string", "writeOnly": True}
SCHEMA = {
    "type": "object",
    "properties": {
        "token": SECRET,
        "accounts": {"type": "array", "items": {"type": "object", "properties": {"key": SECRET}}},
    },
}
SECRETS = {"ONE": "the first token", "TWO": "the second token"}


@pytest.fixture(autouse=True)
def tokens(monkeypatch):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


def entry(config=None, **keys):
    return {"plugin": "scripted", "config": config or {}, **keys}


ONE, TWO = ({"token": {"env": name}} for name in SECRETS)


@asynccontextmanager
async def quotes(tmp_path, plugin, entries, **capabilities):
    about = manifest(configSchema=SCHEMA, capabilities=capabilities)
    async with host_of(tmp_path, plugins=[(about, plugin)], entries=entries, supervision={"call_timeout": 0.2}) as host:
        yield host


async def quote(host, name):
    return await host.market_data(name).quote(EURUSD)


async def refuse_once(host, plugin, name, retry_after=600.0):
    async def refuse(provider):
        raise RateLimited("too many", retry_after=retry_after, venue_code="429")

    kept, plugin.answer = plugin.answer, refuse
    with pytest.raises(RateLimited):
        await quote(host, name)
    plugin.answer = kept


async def throttled(host, name):
    try:
        await quote(host, name)
    except Throttled:
        return True
    return False


@pytest.mark.parametrize(
    ("configs", "shared"),
    [
        ((ONE, ONE), True),
        ((ONE, {"accounts": [{"key": {"env": "ONE"}}]}), True),
        ((ONE, TWO), False),
        ((ONE, {}), False),
        (({}, {}), False),
    ],
)
async def test_entries_of_one_plugin_with_the_same_secrets_share_one_budget(tmp_path, configs, shared):
    plugin = Scripted()
    entries = {name: entry(config) for name, config in zip(("first", "second"), configs, strict=True)}
    async with quotes(tmp_path, plugin, entries) as host:
        await refuse_once(host, plugin, "first")
        assert await throttled(host, "first")
        assert await throttled(host, "second") is shared


async def test_a_secret_is_found_in_nothing_that_the_budgets_keep(tmp_path):
    async with quotes(tmp_path, Scripted(), {"first": entry(ONE)}) as host:
        budgets = host._runner._services.rates
        assert SECRETS["ONE"] not in repr(vars(budgets))
        assert SECRETS["ONE"].encode() not in b"".join(digest for _, digest in budgets._budgets)


async def test_a_refusal_is_shown_and_counts_neither_as_a_failure_nor_for_quarantine(tmp_path):
    plugin = Scripted()

    async def refuse(provider):
        raise RateLimited("too many", retry_after=0.001)

    async with quotes(tmp_path, plugin, {"first": entry(ONE)}) as host:
        plugin.answer = refuse
        for _ in range(THRESHOLD * 2):
            with pytest.raises((RateLimited, Throttled)):
                await quote(host, "first")
        await refuse_once(host, plugin, "first")
        health = host.health()
        assert (health.status, state_of(host, "first")) == ("degraded", "degraded")
        assert any("too many requests; calls go on in 600 s" in reason for reason in health.reasons)
        assert codes(host).count("host.rate-limited") == 1
        assert "host.call-failed" not in codes(host)


async def test_calls_go_on_after_the_stated_time(tmp_path):
    plugin = Scripted()
    async with quotes(tmp_path, plugin, {"first": entry(ONE)}) as host:
        await refuse_once(host, plugin, "first", 0.05)
        assert await quote(host, "first")
        assert host.health().status == "ok"


async def test_a_refusal_of_a_start_is_waited_out_and_not_counted(tmp_path):
    refusals = iter(range(7))

    async def enter(provider):
        if next(refusals, None) is not None:
            raise RateLimited("too many", retry_after=0.01)

    plugin = Scripted(enter=enter)
    async with quotes(tmp_path, plugin, {"first": entry(ONE)}) as host:
        await until(host, "first", "active")
        assert len(plugin.entered) == 8
        assert "host.quarantined" not in codes(host)


async def test_an_entry_does_not_connect_while_its_credential_is_refused(tmp_path):
    plugin = Scripted()
    async with quotes(tmp_path, plugin, {"first": entry(ONE)}) as host:
        await refuse_once(host, plugin, "first")
        status = await host.restart("first")
        assert (status.state, len(plugin.entered)) == ("backoff", 1)
        assert "too many requests" in status.reason


async def test_a_task_of_a_provider_that_is_refused_closes_the_budget(tmp_path):
    refuse = anyio.Event()

    async def enter(provider):
        async def work():
            await refuse.wait()
            raise RateLimited("too many", retry_after=600)

        if provider.context.entry_id == "first":
            provider.context.task_group.start_soon(work)

    plugin = Scripted(enter=enter)
    async with quotes(tmp_path, plugin, {"first": entry(ONE), "second": entry(ONE)}) as host:
        refuse.set()
        await until(host, "first", "backoff")
        assert await throttled(host, "second")


async def test_the_pace_is_the_plugins_and_a_configuration_lowers_it(tmp_path):
    entries = {"free": entry(ONE), "lowered": entry(TWO, requests_per_minute=20)}
    async with quotes(tmp_path, Scripted(), entries, requestsPerMinute=600) as host:
        assert [await throttled(host, "free") for _ in range(40)] == [False] * 40
        assert [await throttled(host, "lowered") for _ in range(3)] == [False, True, True]


async def test_a_provider_that_learns_of_a_lower_pace_says_so_and_is_not_degraded(tmp_path):
    plugin = Scripted()
    plugin.capabilities = MarketDataCapabilities(requests_per_minute=20)
    async with quotes(tmp_path, plugin, {"first": entry(ONE)}, requestsPerMinute=600) as host:
        assert state_of(host, "first") == "active"
        assert [await throttled(host, "first") for _ in range(2)] == [False, True]


async def test_opening_a_stream_counts_and_its_items_do_not(tmp_path):
    class Streaming(Provider):
        async def run_stream(self, subscriptions, sink, after):
            for _ in range(50):
                sink.put(await self.quote(EURUSD))

    plugin = Scripted(provide=Streaming)
    async with quotes(tmp_path, plugin, {"first": entry(ONE, requests_per_minute=20)}, supportsTicks=True) as host:
        wanted = [Subscription(instrument_id=EURUSD, channel=Channel.QUOTES)]
        async with host.market_data("first").stream(wanted, buffer=100) as items:
            assert [item async for item in items]
        with pytest.raises(Throttled):
            async with host.market_data("first").stream(wanted):
                pass


async def test_a_stream_that_is_refused_closes_the_budget(tmp_path):
    class Refused(Provider):
        async def run_stream(self, subscriptions, sink, after):
            raise RateLimited("too many", retry_after=600)

    plugin = Scripted(provide=Refused)
    async with quotes(tmp_path, plugin, {"first": entry(ONE)}, supportsTicks=True) as host:
        wanted = [Subscription(instrument_id=EURUSD, channel=Channel.QUOTES)]
        with pytest.raises(RateLimited):
            async with host.market_data("first").stream(wanted) as items:
                await items.batch()
        assert await throttled(host, "first")


# --- brokers


class Both(Brokers):
    """Broker and prices over one credential."""

    def __init__(self, **behaviour):
        super().__init__(**behaviour)
        self.prices = Scripted()

    @hookimpl
    def provide_market_data(self, context):
        return Provider(self.prices, context)


BOTH = {
    **manifest("venue"),
    "kinds": ["connector.broker", MARKET],
    "capabilities": {**CAPABILITIES, "supportsEvents": False},
}


async def test_an_order_for_which_there_is_no_room_was_not_sent_and_its_id_is_free(tmp_path):
    plugin = Both()
    async with host_of(tmp_path, plugins=[(BOTH, plugin)], supervision={"call_timeout": 0.2}) as host:
        broker = host.broker("venue", caller="test")
        await broker.submit_order(limit("a"))
        await refuse_once(host, plugin.prices, "venue")
        with pytest.raises(Throttled) as caught:
            await broker.submit_order(limit("b"))
        assert caught.value.retry_after > 500
        assert list(plugin.venue.orders) == ["a"]
        assert await broker.order("b") is None


async def test_opening_the_events_of_a_broker_counts_and_their_refusal_closes_the_budget(tmp_path, monkeypatch):
    async def refused(broker, sink, after):
        raise RateLimited("too many", retry_after=600)

    monkeypatch.setattr(VenueBroker, "run_events", refused)
    about = {**BOTH, "capabilities": {**CAPABILITIES, "requestsPerMinute": 60}}
    async with host_of(tmp_path, plugins=[(about, Both())], supervision={"call_timeout": 0.2}) as host:
        await eventually(lambda: "host.rate-limited" in codes(host))
        assert await throttled(host, "venue")


async def test_an_order_that_waits_for_room_when_its_entry_stops_was_not_sent(tmp_path):
    plugin = Both()
    async with host_of(tmp_path, plugins=[(BOTH, plugin)], supervision={"call_timeout": 5.0}) as host:
        broker = host.broker("venue", caller="test")
        await broker.submit_order(limit("a"))
        await refuse_once(host, plugin.prices, "venue", 4.0)
        raised = []

        async def intended():
            return len(await host.desk.journal.orders()) == 2

        async def submit():
            try:
                await broker.submit_order(limit("b"))
            except ProviderError as error:
                raised.append(error)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(submit)
            await eventually(intended)
            await host.restart("venue")
        assert isinstance(raised[0], NotConnected)
        [order] = [one for one in await broker.orders() if one.request.client_order_id == "b"]
        assert order.status is OrderStatus.DENIED
        assert host.desk.unknown_orders() == ()
