"""Servers that are not what their adapter is for."""

from __future__ import annotations

from gatehook.testing.metaapi import MetaApiVenue
from tests.bad_input.table import Table

TABLE = Table()


@TABLE.row("adapter.tools-missing", "a server without a tool that its adapter cannot do without", "entry")
async def tools_missing(world):
    async with MetaApiVenue() as venue:
        venue.change_tool("get_orders", hide=True)
        entry = {"url": venue.url, "config": {"token": "t", "allowedAccounts": ["netting"]}}
        return await world.hosted(builtin=True, entries={"metaapi-mcp": entry})
