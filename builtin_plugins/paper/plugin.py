"""The hook of the paper broker."""

from __future__ import annotations

from gatehook import Broker
from gatehook import PluginContext
from gatehook import hookimpl

from .broker import PaperBroker


@hookimpl
def provide_broker(context: PluginContext) -> Broker:
    """Build the paper broker of an entry."""
    return PaperBroker(context)
