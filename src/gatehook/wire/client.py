"""A provider of each kind over any session that speaks the wire, for the host to run in the plugin's place."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from functools import partial
from typing import Any
from typing import Final

import anyio

from gatehook.catalog.manifest import Manifest
from gatehook.context import PluginContext
from gatehook.kinds.channel import Channel
from gatehook.kinds.channel import Message
from gatehook.kinds.channel import Receipt
from gatehook.kinds.feed import ExternalFeed
from gatehook.kinds.feed import FeedQuery
from gatehook.kinds.feed import NewsEvent
from gatehook.kinds.kind import Kind
from gatehook.kinds.marketplace import Marketplace
from gatehook.kinds.marketplace import StrategyListing
from gatehook.kinds.notifier import Notification
from gatehook.kinds.notifier import Notifier
from gatehook.kinds.provider import Page
from gatehook.kinds.provider import Provider
from gatehook.wire.broker import WireBroker
from gatehook.wire.market_data import WireMarketData
from gatehook.wire.memory import WireMemory
from gatehook.wire.remote import Remote


class WireFeed(Remote, ExternalFeed):
    """A feed of a server (provisional)."""

    kind = Kind.FEED

    async def fetch(self, query: FeedQuery, *, cursor: str | None = None, limit: int = 100) -> Page[NewsEvent]:
        """Return items, newest last."""
        page: Page[NewsEvent] = await self._link.ask("fetch", {"query": query, "cursor": cursor, "limit": limit})
        return page


class WireMarketplace(Remote, Marketplace):
    """A marketplace of a server (provisional)."""

    kind = Kind.MARKETPLACE

    async def list_strategies(self, *, query: str = "", cursor: str | None = None) -> Page[StrategyListing]:
        """Return listings."""
        page: Page[StrategyListing] = await self._link.ask("list_strategies", {"query": query, "cursor": cursor})
        return page


class WireChannel(Remote, Channel):
    """A channel of a server (provisional): it sends; what people say back does not travel yet."""

    kind = Kind.CHANNEL

    async def run(self, gateway: Any) -> None:
        """Stay until cancelled."""
        await anyio.sleep_forever()

    async def send(self, message: Message) -> Receipt:
        """Send a message."""
        receipt: Receipt = await self._link.ask("send", {"message": message})
        return receipt


class WireNotifier(Remote, Notifier):
    """A notifier of a server (provisional)."""

    kind = Kind.NOTIFIER

    async def notify(self, notification: Notification) -> Receipt:
        """Send an alert."""
        receipt: Receipt = await self._link.ask("notify", {"notification": notification})
        return receipt


#: kind -> its provider over the wire
REMOTES: Final[Mapping[Kind, type[Remote]]] = {
    cls.kind: cls
    for cls in (WireBroker, WireMarketData, WireFeed, WireMarketplace, WireChannel, WireNotifier, WireMemory)
}


def wire_providers(manifest: Manifest) -> Mapping[Kind, Callable[[PluginContext], Provider]]:
    """Return how the providers of an entry without an adapter are built: over ``context.mcp``, one for each kind."""
    return {kind: partial(_provided, kind) for kind in manifest.kinds}


def _provided(kind: Kind, context: PluginContext) -> Provider:
    return REMOTES[kind](context.mcp, context)
