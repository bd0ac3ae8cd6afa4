"""The official SDKs at the other end of the wire."""

from __future__ import annotations

import logging
import os
import shutil
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import anyio
import pytest

from gatehook.clocks import SystemClock
from gatehook.kinds.errors import NotFound
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.market_data import Channel
from gatehook.kinds.market_data import Subscription
from gatehook.wire.market_data import WireMarketData
from gatehook.wire.session import StdioWireSession
from tests.wire.serving import child

pytestmark = pytest.mark.anyio
HERE = Path(__file__).parent
#: Where npm put the SDK, for whoever has it: a directory with ``node_modules``.
NODE_HOME = Path(os.environ.get("GATEHOOK_TEST_NODE", HERE))


@asynccontextmanager
async def prices(*command, cwd=None):
    """Connect to a server of market data that is no plugin of ours."""
    session = StdioWireSession()
    async with child(*command, cwd=cwd) as process, anyio.create_task_group() as tasks:
        await tasks.start(session.run, process.stdout, process.stdin)
        context = SimpleNamespace(
            entry_id="e", clock=SystemClock(), logger=logging.getLogger("test.wire"), task_group=tasks
        )
        async with WireMarketData(session, context) as source:
            yield source
        tasks.cancel_scope.cancel()


async def test_a_server_on_the_python_sdk_is_a_source_of_prices():
    async with prices(sys.executable, str(HERE / "sdk_server.py")) as source:
        assert source.capabilities().ticks is True
        (instrument,) = await source.list_instruments()
        assert str((await source.quote(instrument.id)).ask) == "1.10010"
        with pytest.raises(NotFound):
            await source.quote(InstrumentId("GBPUSD", "SDK"))
        async with source.stream([Subscription(instrument_id=instrument.id, channel=Channel.QUOTES)]) as items:
            assert len([item async for item in items]) == 5


async def test_a_server_on_the_node_sdk_is_a_source_of_prices(tmp_path):
    node = shutil.which("node")
    if node is None or not (NODE_HOME / "node_modules/@modelcontextprotocol/sdk").is_dir():
        pytest.skip("node with @modelcontextprotocol/sdk is not here; name its directory by GATEHOOK_TEST_NODE")
    script = NODE_HOME / "gatehook_wire_server.mjs"
    shutil.copy(HERE / "node_server.mjs", script)
    try:
        async with prices(node, str(script), cwd=NODE_HOME) as source:
            assert source.capabilities().ticks == "polled"
            assert (await source.quote(InstrumentId("EURUSD", "NODE"))).bid is not None
    finally:
        script.unlink()


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_a_client_of_the_python_sdk_reads_a_served_plugin(tmp_path, mode):
    from mcp import Client
    from mcp import StdioServerParameters

    command = ["-m", "gatehook", "plugins", "serve", "simulated", "--entry", "simulated", "--data-dir", str(tmp_path)]
    server = StdioServerParameters(command=sys.executable, args=command, cwd=str(tmp_path))
    async with Client(server, mode=mode, read_timeout_seconds=20) as client:
        page = await client.list_tools()
        names = {tool.name for tool in page.tools}
        assert {"gatehook.open", "gatehook.market_data.quote", "gatehook.market_data.stream.next"} <= names
        found = await client.call_tool("gatehook.market_data.list_instruments", {"query": "EUR"})
        assert found.structured_content["result"][0]["native_symbol"] == "EURUSD"
        refused = await client.call_tool("gatehook.market_data.quote", {"instrument_id": "NO-SUCH.SIMULATED"})
        assert refused.is_error
        assert refused.structured_content["code"] == "not_found"
