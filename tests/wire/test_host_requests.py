"""A plugin in a process of its own has the context that it has in process; who it is, is its pipe."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import SimpleNamespace

import anyio
import anyio.lowlevel
import pytest

from gatehook import ChatMessage
from gatehook.context import RunState
from gatehook.kinds.chat import CHAT_MESSAGE
from gatehook.kinds.codec import from_json
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.provider import HealthStatus
from gatehook.secrets import Secret
from gatehook.testing import ControlledPrices
from gatehook.testing.rig import eventually
from gatehook.wire.host_requests import HostRequests
from gatehook.wire.host_requests import hidden
from gatehook.wire.host_requests import revealed
from tests.wire.serving import ServedPlugin
from tests.wire.serving import stdio_session

pytestmark = pytest.mark.anyio
WIRED = Path(__file__).parent / "wired"


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture
async def host(plugin_host, monkeypatch):
    monkeypatch.setenv("WIRED_TOKEN", "kept-from-everybody")
    served = ServedPlugin(WIRED, partial(stdio_session, WIRED))
    prices = ControlledPrices(bid="1.10000", ask="1.10010")
    config = {"plugins": {"entries": {"wired": {"config": {"token": {"env": "WIRED_TOKEN"}, "prices": "prices"}}}}}
    plugins = [(ControlledPrices.MANIFEST, prices), (served.manifest, served.plugin)]
    async with plugin_host(plugins=plugins, config=config) as host:
        yield host


async def test_everything_that_a_context_offers_comes_over_the_pipe(host, caplog):
    source = host.market_data("wired", caller="test")
    with host.bus.subscribe("wired.*") as events, host.bus.subscribe(CHAT_MESSAGE) as turns:
        facts = [one.native_symbol for one in await source.list_instruments()]
        with anyio.fail_after(30):
            event, turn = await anext(aiter(events)), await anext(aiter(turns))
    assert from_json(ChatMessage, turn.payload).text == "hello"
    assert (event.topic, event.source, dict(event.payload)) == ("wired.done", "wired", {"n": 1})
    assert facts[:5] == ["wired", "wired", "WIRED", "********", "kept-from-everybody"]
    assert facts[5:8] == ["count=1", "keys=['count']", "default=none"]
    assert facts[8] == "used=EURUSD.PRICES 1.10000 True"
    assert facts[9:] == ["pid=True", "drift=True"]
    again = [one.native_symbol for one in await source.list_instruments()]
    assert again[5] == "count=2"
    assert "a line from the child" in caplog.text
    assert "kept-from-everybody" not in caplog.text


async def test_an_entry_that_the_configuration_does_not_name_is_refused(host):
    with pytest.raises(ProviderError, match="nobody"):
        await host.market_data("wired", caller="test").quote(InstrumentId("EURUSD", "WIRED"))


async def test_a_process_that_dies_is_down_and_its_calls_fail(host):
    source = host.market_data("wired", caller="test")
    with pytest.raises(NotConnected):
        await source.quote(InstrumentId("DIE", "WIRED"))

    async def health():
        return source.health()

    assert (await eventually(health, lambda found: found.status is not HealthStatus.OK)).reasons
    assert {one.entry_id: one.state for one in host.statuses()}["prices"] is RunState.ACTIVE


def test_secrets_are_hidden_again_where_they_were():
    config = {"a": [{"b/c": Secret("s1")}, "x"], "d": Secret("s2"), "e": 1}
    plain, pointers = revealed(config)
    assert plain == {"a": [{"b/c": "s1"}, "x"], "d": "s2", "e": 1}
    assert hidden(plain, pointers) == {"a": ({"b/c": Secret("s1")}, "x"), "d": Secret("s2"), "e": 1}


async def test_thousands_of_events_do_not_stop_the_gateway():
    published = []
    events = SimpleNamespace(publish=lambda topic, payload, **_: published.append(payload["n"]))
    requests = HostRequests(SimpleNamespace(events=events), lambda: None)
    with anyio.fail_after(20):  # a hundred times of what it takes
        for number in range(20_000):
            requests.hear("gatehook/events.publish", {"topic": "a.b", "payload": {"n": number}})
            if number % 100 == 0:
                await anyio.lowlevel.checkpoint()
    assert published == list(range(20_000))
