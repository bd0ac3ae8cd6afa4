"""A broker behind an MCP session: when the session was cut and is back, its accounts are compared again."""

from __future__ import annotations

import pytest

from tests.host.mcp_kit import TOOLS
from tests.host.mcp_kit import ServerPlugin
from tests.host.plugin_kit import host_of
from tests.host.plugin_kit import state_of
from tests.host.test_brokers import CAPABILITIES
from tests.orders.conftest import eventually as until

pytestmark = pytest.mark.anyio

#: The venue is in the adapter, and its events too: only the session can say that it was cut.
ADAPTER = """
from gatehook import hookimpl
from tests.orders.venue import Venue, VenueBroker


class Counted(VenueBroker):
    def __init__(self, context):
        super().__init__(Venue())
        self.file = context.data_dir / "listed"

    async def list_accounts(self):
        with self.file.open("a") as file:
            file.write("x")
        return await super().list_accounts()


@hookimpl
def provide_broker(context):
    return Counted(context)
"""


async def test_a_session_that_is_back_asks_for_a_reconciliation(tmp_path):
    plugin = ServerPlugin(
        tmp_path / "plugins",
        "tiny",
        TOOLS,
        adapter=ADAPTER,
        kinds=["connector.broker"],
        capabilities=CAPABILITIES,
    )
    entry = plugin.entry(reconcile_every=3600.0)
    async with host_of(tmp_path, plugin.root, entries={"tiny": entry}) as host:
        listed = host.config.gateway.data_dir / "entries" / "tiny" / "listed"
        assert state_of(host, "tiny") == "active", host.diagnostics
        await until(listed.exists)
        before = listed.stat().st_size
        plugin.kill()
        await until(lambda: len(plugin.pids) == 2 and state_of(host, "tiny") == "active")
        await until(lambda: listed.stat().st_size > before)
