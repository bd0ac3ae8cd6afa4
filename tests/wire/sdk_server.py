"""A market data server written by hand with the official SDK, as a stranger would from the specification."""

from __future__ import annotations

import anyio
from mcp import types
from mcp.server import Server
from mcp.server.stdio import stdio_server

INSTRUMENT = {
    "id": "EURUSD.SDK",
    "native_symbol": "EURUSD",
    "base": "EUR",
    "quote": "USD",
    "price_increment": "0.00001",
    "size_increment": "1000",
    "settle_currency": "USD",
}
TICK = {"instrument_id": "EURUSD.SDK", "kind": "quote", "bid": "1.10000", "ask": "1.10010"}
ANSWERS = {
    "gatehook.market_data.capabilities": lambda _: {"supportsTicks": True},
    "gatehook.market_data.health": lambda _: {"status": "ok", "reasons": []},
    "gatehook.market_data.list_instruments": lambda _: [INSTRUMENT],
    "gatehook.market_data.quote": lambda _: TICK | {"ts_event": "2024-01-01T00:00:00Z"},
    "gatehook.market_data.stream.open": lambda _: {"stream": "only"},
    "gatehook.market_data.stream.next": lambda given: batch(given["after"]),
    "gatehook.market_data.stream.close": lambda _: None,
}


def batch(after):
    """Five ticks, two at a time."""
    numbers = range(after, min(after + 2, 5))
    items = [{"type": "tick", "value": TICK | {"ts_event": f"2024-01-01T00:00:0{one}Z"}} for one in numbers]
    return {"items": items, "position": after + len(items), "ended": after + len(items) == 5}


async def list_tools(ctx, params):
    return types.ListToolsResult(tools=[types.Tool(name=name, input_schema={"type": "object"}) for name in ANSWERS])


async def call_tool(ctx, params):
    arguments = params.arguments or {}
    if arguments.get("instrument_id", "EURUSD.SDK") != "EURUSD.SDK":
        error = {"code": "not_found", "category": "not_found", "message": "no such thing"}
        return types.CallToolResult(content=[], structured_content=error, is_error=True)
    return types.CallToolResult(content=[], structured_content={"result": ANSWERS[params.name](arguments)})


async def main():
    server = Server("by-hand", version="1.0.0", on_list_tools=list_tools, on_call_tool=call_tool)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


anyio.run(main)
