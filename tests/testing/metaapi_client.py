"""The official SDK's client, as the tests of the stand-in use it."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from mcp import ClientSession
from mcp.client.sse import sse_client


class Failed(Exception):
    """A tool said that it failed."""

    def __init__(self, answer):
        super().__init__(answer)
        self.code = answer["code"]
        self.answer = answer


class Client:
    """Calls tools, and reads the one text block of what they answer."""

    def __init__(self, session: ClientSession) -> None:
        self.session = session
        self.notes: list[str] = []

    async def text(self, tool: str, **arguments: Any) -> str:
        result = await self.session.call_tool(tool, arguments)
        [block] = result.content
        if result.is_error:
            raise Failed(json.loads(block.text))
        assert result.structured_content is None
        return block.text

    async def call(self, tool: str, **arguments: Any) -> Any:
        return json.loads(await self.text(tool, **arguments), parse_float=Decimal)

    async def buy(self, volume: float = 1, **arguments: Any) -> Any:
        wanted = {"accountId": "hedging", "symbol": "EURUSD", "side": "buy", "volume": volume}
        return await self.call("place_market_order", **wanted | arguments)


@asynccontextmanager
async def connected(url: str):
    """Connect, shake hands, and give a client."""
    async with sse_client(url) as (read, write):
        client: Client

        async def note(message: Any) -> None:
            method = getattr(message, "method", None)
            if method is not None:
                client.notes.append(method)

        async with ClientSession(read, write, message_handler=note) as session:
            client = Client(session)
            await session.initialize()
            yield client
