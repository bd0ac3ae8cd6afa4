"""The hooks."""

from __future__ import annotations

from gatehook import Broker
from gatehook import PluginContext
from gatehook import hookimpl

from .broker import HostileBroker


@hookimpl
def provide_broker(context: PluginContext) -> Broker:
    """Build the broker of this entry."""
    return HostileBroker(context)
