"""The hook: what Gatehook calls to get the broker of an entry."""

from __future__ import annotations

from gatehook import Broker
from gatehook import PluginContext
from gatehook import hookimpl

from .broker import Dealer


@hookimpl
def provide_broker(context: PluginContext) -> Broker:
    """Build the dealer of this entry."""
    return Dealer(context)
