"""An embedded plugin whose provider does what the test says."""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from typing import Any

import anyio

from gatehook import MarketData
from gatehook import PluginHost
from gatehook import Tick
from gatehook import TickKind
from gatehook import hookimpl
from tests.host.plugin_kit import MARKET


async def _nothing(*_: Any) -> None:
    """The default step."""


class Provider(MarketData):
    def __init__(self, plugin: Scripted, context: Any) -> None:
        self.plugin = plugin
        self.context = context

    async def __aenter__(self):
        self.plugin.entered.append(self)
        await self.plugin.enter(self)
        return self

    async def __aexit__(self, *error):
        await self.plugin.leave(self)
        self.plugin.left.append(self)

    async def list_instruments(self, *, query=None):
        return []

    async def quote(self, instrument_id):
        result = await self.plugin.answer(self)
        return result or Tick(instrument_id=instrument_id, kind=TickKind.QUOTE, bid="1", ask="2", ts_event=1)

    def capabilities(self):
        return self.plugin.capabilities

    def health(self):
        return self.plugin.health() if self.plugin.health else super().health()


class Scripted:
    """``enter``, ``leave`` and ``answer`` are called with the provider; ``entered`` and ``left`` are in order."""

    def __init__(
        self,
        *,
        enter: Callable[[Provider], Awaitable[Any]] = _nothing,
        leave: Callable[[Provider], Awaitable[Any]] = _nothing,
        answer: Callable[[Provider], Awaitable[Any]] = _nothing,
        provide: Callable[[Scripted, Any], Any] = Provider,
    ) -> None:
        self.enter, self.leave, self.answer, self.provide = enter, leave, answer, provide
        self.entered: list[Provider] = []
        self.left: list[Provider] = []
        self.capabilities: Any = None
        self.health: Callable[[], Any] | None = None

    @hookimpl
    def provide_market_data(self, context):
        return self.provide(self, context)


def manifest(plugin_id: str = "scripted", **keys: Any) -> dict[str, Any]:
    return {"id": plugin_id, "name": plugin_id, "version": "1.0.0", "kinds": [MARKET], **keys}


async def until(host: PluginHost, entry: str, *states: str) -> str:
    """Wait for an entry's run state."""
    found = host._runner.entries[entry]
    with anyio.fail_after(30):
        await host._runner._changes.wait_until(lambda: found.state in states)
    return str(found.state)


async def until_started(host: PluginHost, plugin: Scripted, times: int, entry: str = "scripted") -> None:
    """Wait until an entry is active in its nth generation; a state on the way there may be too short to be seen."""
    found = host._runner.entries[entry]
    with anyio.fail_after(30):
        await host._runner._changes.wait_until(lambda: len(plugin.entered) == times and found.state == "active")
