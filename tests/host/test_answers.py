"""What a provider answers is of the type that its contract says, or it is the plugin's fault."""

from __future__ import annotations

import pytest

from gatehook import InstrumentId
from gatehook import MemoryDoc
from gatehook import ProviderError
from gatehook import Timeframe
from gatehook.kinds.market_data import Channel
from gatehook.kinds.market_data import Subscription
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from tests.host.plugin_kit import MARKET
from tests.host.plugin_kit import MEMORY
from tests.host.plugin_kit import MEMORY_KIND
from tests.host.plugin_kit import QUOTES
from tests.host.plugin_kit import codes
from tests.host.plugin_kit import host_of
from tests.host.plugin_kit import state_of
from tests.host.plugin_kit import write_plugin

pytestmark = pytest.mark.anyio

EURUSD = InstrumentId.parse("EURUSD.BAD")
EVERYTHING = NamespaceSelector.everything()
DOC = MemoryDoc(id="a", text="hello", namespace=("n",), ts=1)

MARKET_CALLS = {
    "list_instruments": lambda handle: handle.list_instruments(),
    "quote": lambda handle: handle.quote(EURUSD),
    "history": lambda handle: handle.history(EURUSD, Timeframe.H1, start=0, end=1),
    "ticks_history": lambda handle: handle.ticks_history(EURUSD, start=0, end=1),
}
MEMORY_CALLS = {
    "upsert": lambda handle: handle.upsert([DOC]),
    "get": lambda handle: handle.get(("n",), ["a"]),
    "delete": lambda handle: handle.delete(("n",), ["a"]),
    "search": lambda handle: handle.search(Query(namespaces=(EVERYTHING,))),
    "stats": lambda handle: handle.stats(),
    "forget": lambda handle: handle.forget(("n",), ["a"]),
    "namespaces": lambda handle: handle.namespaces(),
}


def answering(source: str, method: str, value: str) -> str:
    """The plugin with one method that answers something else, whatever it is asked."""
    name = "Quotes" if "Quotes" in source else "Memory"
    lie = f"\nasync def lie(self, *_, **__):\n    return {value}\n\n\n{name}.{method} = lie\n"
    return source + lie


@pytest.mark.parametrize("value", ["None", "'x'", "['x']"])
@pytest.mark.parametrize("method", MARKET_CALLS)
async def test_prices_of_a_wrong_type_are_the_plugins_fault(tmp_path, method, value):
    can = {"supportsHistory": True, "supportsTickHistory": True}
    bad = write_plugin(tmp_path, "bad", answering(QUOTES, method, value), capabilities=can)
    async with host_of(tmp_path, bad, write_plugin(tmp_path, "good")) as host:
        with pytest.raises(ProviderError, match=rf"{method} of bad \(plugin bad\) raised TypeError: it answered"):
            await MARKET_CALLS[method](host.market_data("bad"))
        assert "host.call-failed" in codes(host)
        assert state_of(host, "good") == "active"
        assert (await host.market_data("good").quote(EURUSD)).ts_event == 7


@pytest.mark.parametrize("value", ["'x'", "[['x']]"])
@pytest.mark.parametrize("method", MEMORY_CALLS)
async def test_a_memory_that_answers_a_wrong_type_is_the_plugins_fault(tmp_path, method, value):
    source = answering(MEMORY, method, value)
    bad = write_plugin(tmp_path, "bad", source, kinds=(MEMORY_KIND,), capabilities={"supportsForget": True})
    async with host_of(tmp_path, bad, slots={"memory": "bad"}) as host:
        with pytest.raises(ProviderError, match=rf"{method} of bad .* it answered"):
            await MEMORY_CALLS[method](host.memory())
        assert "host.call-failed" in codes(host)


async def test_a_health_that_is_a_coroutine_is_no_health_and_leaves_nothing_behind(tmp_path):
    source = QUOTES.replace(
        "    async def quote(", "    async def health(self):\n        return 7\n\n    async def quote("
    )
    async with host_of(tmp_path, write_plugin(tmp_path, "bad", source, kinds=(MARKET,))) as host:
        assert host.market_data("bad").health().status == "degraded"


STREAM = """
async def run_stream(self, subscriptions, sink, after):
    raise SystemExit(3)


Quotes.run_stream = run_stream
"""


async def test_a_stream_that_ends_the_program_ends_itself_only(tmp_path):
    bad = write_plugin(tmp_path, "bad", QUOTES + STREAM, capabilities={"supportsTicks": True})
    async with host_of(tmp_path, bad, write_plugin(tmp_path, "good")) as host:
        wanted = Subscription(instrument_id=EURUSD, channel=Channel.QUOTES)
        async with host.market_data("bad").stream([wanted]) as items:
            with pytest.raises(RuntimeError, match="SystemExit: 3"):
                await anext(items)
        assert state_of(host, "good") == "active"
