"""Handles of the four provisional kinds: the guarded call and nothing more, until their parts are built."""

from __future__ import annotations

from gatehook.host.handles import Handle
from gatehook.kinds.channel import Channel
from gatehook.kinds.channel import Message
from gatehook.kinds.channel import Receipt
from gatehook.kinds.feed import ExternalFeed
from gatehook.kinds.feed import FeedQuery
from gatehook.kinds.feed import NewsEvent
from gatehook.kinds.marketplace import Marketplace
from gatehook.kinds.marketplace import StrategyListing
from gatehook.kinds.notifier import Notification
from gatehook.kinds.notifier import Notifier
from gatehook.kinds.provider import Page


class FeedHandle(Handle):
    """Items of one feed (provisional)."""

    async def fetch(self, query: FeedQuery, *, cursor: str | None = None, limit: int = 100) -> Page[NewsEvent]:
        """Return items, newest last, from after the cursor on."""
        port = self._source()
        provider: ExternalFeed = port.require()
        return port.one(Page, "fetch", await port.call(provider.fetch, query, cursor=cursor, limit=limit))


class MarketplaceHandle(Handle):
    """Listings of one marketplace (provisional)."""

    async def list_strategies(self, *, query: str = "", cursor: str | None = None) -> Page[StrategyListing]:
        """Return listings."""
        port = self._source()
        provider: Marketplace = port.require()
        return await port.call(provider.list_strategies, query=query, cursor=cursor)


class ChannelHandle(Handle):
    """One channel (provisional)."""

    async def send(self, message: Message) -> Receipt:
        """Send a message."""
        port = self._source()
        provider: Channel = port.require()
        return await port.call(provider.send, message)


class NotifierHandle(Handle):
    """One notifier (provisional)."""

    async def notify(self, notification: Notification) -> Receipt:
        """Send an alert."""
        port = self._source()
        provider: Notifier = port.require()
        return await port.call(provider.notify, notification)
