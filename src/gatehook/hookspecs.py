"""The hooks of Gatehook and the two markers.

A plugin is a module with functions marked by ``hookimpl``::

    from gatehook import PluginContext, hookimpl

    @hookimpl
    def provide_broker(context: PluginContext) -> Broker:
        return MyBroker(context.config)

A ``provide_*`` hook is called once for each configured entry and kind, for that plugin alone. It builds and returns; it
does no I/O. The other hooks are for observers: each implementation is called guarded, and what it raises is reported,
not passed on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Final

import pluggy

if TYPE_CHECKING:
    from gatehook.context import PluginContext
    from gatehook.context import PluginStatus
    from gatehook.diagnostics import Diagnostic
    from gatehook.events import FeedEvent
    from gatehook.kinds.broker import Broker
    from gatehook.kinds.channel import Channel
    from gatehook.kinds.feed import ExternalFeed
    from gatehook.kinds.market_data import MarketData
    from gatehook.kinds.marketplace import Marketplace
    from gatehook.kinds.memory import MemoryBackend
    from gatehook.kinds.notifier import Notifier

PROJECT: Final = "gatehook"

#: Marks a hook of this module; for programs that add hooks of their own.
hookspec = pluggy.HookspecMarker(PROJECT)
#: Marks a plugin's implementation of a hook.
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def provide_broker(context: PluginContext) -> Broker:  # type: ignore[empty-body]
    """Build the broker of this entry."""


@hookspec
def provide_market_data(context: PluginContext) -> MarketData:  # type: ignore[empty-body]
    """Build the market data source of this entry."""


@hookspec
def provide_feed(context: PluginContext) -> ExternalFeed:  # type: ignore[empty-body]
    """Build the feed of this entry (provisional)."""


@hookspec
def provide_marketplace(context: PluginContext) -> Marketplace:  # type: ignore[empty-body]
    """Build the marketplace of this entry (provisional)."""


@hookspec
def provide_channel(context: PluginContext) -> Channel:  # type: ignore[empty-body]
    """Build the channel of this entry (provisional)."""


@hookspec
def provide_notifier(context: PluginContext) -> Notifier:  # type: ignore[empty-body]
    """Build the notifier of this entry (provisional)."""


@hookspec
def provide_memory_backend(context: PluginContext) -> MemoryBackend:  # type: ignore[empty-body]
    """Build the memory of this entry."""


@hookspec
def gateway_started() -> None:
    """Every entry that could start has started."""


@hookspec
def gateway_stopping() -> None:
    """Shutdown begins; entries still run."""


@hookspec
def plugin_status_changed(status: PluginStatus) -> None:
    """An entry's run state changed."""


@hookspec
def diagnostic_reported(diagnostic: Diagnostic) -> None:
    """A diagnostic was added to the host's list."""


@hookspec
def event_published(event: FeedEvent) -> None:
    """A control event (account, gateway; never a tick or a candle) was published."""


@hookspec
def approval_requested(approval: object) -> None:
    """A command waits for a person's approval (provisional)."""
