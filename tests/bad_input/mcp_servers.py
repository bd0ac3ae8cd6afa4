"""Entries whose plugin is an MCP server, and those that want to be one."""

from __future__ import annotations

from tests.bad_input.table import Table

TABLE = Table()

ENTERED = """
from gatehook import MarketData, hookimpl


class Quotes(MarketData):
    def __init__(self, context):
        self.context = context

    async def __aenter__(self):
        self.context.mcp.tools
        return self

    async def list_instruments(self, *, query=None):
        return []

    async def quote(self, instrument_id):
        raise AssertionError


@hookimpl
def provide_market_data(context):
    return Quotes(context)
"""


@TABLE.row("mcp.no-session", "a Python module that asks for context.mcp", "plugin entry")
async def no_session(world):
    return await world.hosted(world.bad(ENTERED))
