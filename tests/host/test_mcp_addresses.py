"""Entries whose server is at a URL: what the configuration gives it, a server that comes late, two entries."""

from __future__ import annotations

import json

import pytest

from gatehook import InstrumentId
from gatehook.kinds.errors import ProviderError
from tests.host.mcp_kit import MARKET
from tests.host.plugin_kit import codes
from tests.host.plugin_kit import host_of
from tests.host.plugin_kit import state_of
from tests.orders.conftest import eventually
from tests.runtimes.mcp.http_server import Scripted
from tests.runtimes.mcp.http_server import serving

pytestmark = pytest.mark.anyio

EURUSD = InstrumentId.parse("EURUSD.FAR")
ADAPTER = """
from gatehook import InstrumentId, MarketData, Tick, TickKind, hookimpl


class Prices(MarketData):
    def __init__(self, context):
        self.mcp = context.mcp

    async def list_instruments(self, *, query=None):
        return []

    async def quote(self, instrument_id):
        bid = (await self.mcp.call("echo", {"text": "1.10000"})).json()
        return Tick(instrument_id=instrument_id, kind=TickKind.QUOTE, bid=bid, ask=bid, ts_event=7)


@hookimpl
def provide_market_data(context):
    return Prices(context)
"""
SCHEMA = {
    "type": "object",
    "properties": {
        "token": {"type": "string", "writeOnly": True, "x-gatehook-query": "token"},
        "accounts": {"type": "array", "items": {"type": "string"}, "x-gatehook-query": "accounts"},
        "bearer": {"type": "string", "writeOnly": True, "x-gatehook-header": "Authorization: Bearer {}"},
    },
}


@pytest.fixture
def far(tmp_path):
    """A plugin whose server its manifest has at a port where nobody is."""
    root = tmp_path / "plugins" / "far"
    root.mkdir(parents=True)
    (root / "adapter.py").write_text(ADAPTER)
    facts = {
        "id": "far",
        "name": "Far",
        "version": "1.0.0",
        "kinds": [MARKET],
        "entry": {"type": "external.mcp", "url": "http://127.0.0.1:1/mcp", "adapter": "adapter.py"},
        "configSchema": SCHEMA,
    }
    (root / "plugin.json").write_text(json.dumps(facts))
    return root


def at(port, **config):
    return {"url": f"http://127.0.0.1:{port}/mcp", "config": config}


async def test_the_configuration_says_where_and_gives_query_and_headers(tmp_path, far, caplog):
    server = Scripted()
    secrets = {"token": "to&ken-canary", "bearer": "bearer-canary"}
    async with serving(server.handle) as port:
        entry = at(port, accounts=["a", "b"], **secrets)
        async with host_of(tmp_path, far, entries={"far": entry}) as host:
            assert state_of(host, "far") == "active", host.diagnostics
            assert str((await host.market_data("far").quote(EURUSD)).bid) == "1.10000"
            said = str(host.diagnostics) + caplog.text + str(host.statuses())
    assert {one.path for one in server.requests} == {"/mcp?token=to%26ken-canary&accounts=a,b"}
    assert {one.headers["authorization"] for one in server.requests} == {"Bearer bearer-canary"}
    assert "canary" not in said


async def test_a_server_that_comes_late_is_found_and_one_that_goes_is_waited_for(tmp_path, far, free_tcp_port):
    async with host_of(tmp_path, far, entries={"far": at(free_tcp_port)}) as host:
        assert state_of(host, "far") == "backoff"
        server = Scripted()
        async with serving(server.handle, free_tcp_port):
            await eventually(lambda: state_of(host, "far") == "active", 10)
        with pytest.raises(ProviderError):
            await host.market_data("far").quote(EURUSD)
        await eventually(lambda: state_of(host, "far") == "degraded", 10)
        async with serving(Scripted().handle, free_tcp_port):
            await eventually(lambda: state_of(host, "far") == "active", 10)
            await host.market_data("far").quote(EURUSD)
        assert "quarantine" not in "".join(codes(host))


async def test_two_entries_of_a_plugin_ask_two_servers(tmp_path, far):
    first, second = Scripted(), Scripted()
    async with serving(first.handle) as one, serving(second.handle) as other:
        entries = {"far": at(one), "near": {**at(other), "plugin": "far"}}
        async with host_of(tmp_path, far, entries=entries) as host:
            await host.market_data("near").quote(EURUSD)
    assert (len(first.asked("tools/call")), len(second.asked("tools/call"))) == (0, 1)
    assert [one.requests[-1].method for one in (first, second)] == ["DELETE", "DELETE"]
