"""The table of kinds: which hook provides each, what its provider is, and which slot it fills."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from importlib import import_module
from typing import Final
from typing import cast

import attrs

from gatehook.kinds import capabilities


class Kind(StrEnum):
    """One of seven contracts."""

    BROKER = "connector.broker"
    MARKET_DATA = "connector.marketData"
    FEED = "feed.external"
    MARKETPLACE = "feed.marketplace"
    CHANNEL = "channel.ui"
    NOTIFIER = "channel.notifications"
    MEMORY = "memory.backend"


@attrs.frozen(kw_only=True)
class KindSpec:
    """What the host knows about a kind.

    Attributes:
        hook: the hook that provides it.
        provider: where its base class is, ``module:name``; imported only when a plugin runs.
        capabilities: its vocabulary in the manifest.
        slot: the slot it fills, at most one entry at a time; ``None`` where any number may be active.
        default_entry: what fills the slot when the configuration says nothing.
        stable: whether minor releases keep the contract.
        stop_rank: when its entries stop at shutdown, lowest first.
        summary: what it does, in a line.
    """

    hook: str
    provider: str
    capabilities: type
    slot: str | None = None
    default_entry: str | None = None
    stable: bool = False
    stop_rank: int
    summary: str

    def provider_class(self) -> type:
        """Import and return the base class."""
        module, name = self.provider.split(":")
        return cast("type", getattr(import_module(module), name))


KINDS: Final[Mapping[Kind, KindSpec]] = {
    Kind.BROKER: KindSpec(
        hook="provide_broker",
        provider="gatehook.kinds.broker:Broker",
        capabilities=capabilities.BrokerCapabilities,
        stable=True,
        stop_rank=2,
        summary="accounts, orders, positions, fills",
    ),
    Kind.MARKET_DATA: KindSpec(
        hook="provide_market_data",
        provider="gatehook.kinds.market_data:MarketData",
        capabilities=capabilities.MarketDataCapabilities,
        stable=True,
        stop_rank=2,
        summary="instruments, quotes, candles, tick streams",
    ),
    Kind.FEED: KindSpec(
        hook="provide_feed",
        provider="gatehook.kinds.feed:ExternalFeed",
        capabilities=capabilities.FeedCapabilities,
        stop_rank=1,
        summary="news, social, calendar, sentiment",
    ),
    Kind.MARKETPLACE: KindSpec(
        hook="provide_marketplace",
        provider="gatehook.kinds.marketplace:Marketplace",
        capabilities=capabilities.MarketplaceCapabilities,
        stop_rank=1,
        summary="strategy listings, copy-trading signals",
    ),
    Kind.CHANNEL: KindSpec(
        hook="provide_channel",
        provider="gatehook.kinds.channel:Channel",
        capabilities=capabilities.ChannelCapabilities,
        stop_rank=0,
        summary="a person or an agent talks to the gateway",
    ),
    Kind.NOTIFIER: KindSpec(
        hook="provide_notifier",
        provider="gatehook.kinds.notifier:Notifier",
        capabilities=capabilities.NotifierCapabilities,
        stop_rank=0,
        summary="one-way alerts: push, mail, SMS",
    ),
    Kind.MEMORY: KindSpec(
        hook="provide_memory_backend",
        provider="gatehook.kinds.memory:MemoryBackend",
        capabilities=capabilities.MemoryCapabilities,
        slot="memory",
        default_entry="sqlite_fts",
        stable=True,
        stop_rank=3,
        summary="index and search",
    ),
}
