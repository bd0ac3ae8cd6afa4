"""An observer that remembers every call of the observer hooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from typing import Final

from gatehook.context import PluginContext
from gatehook.context import PluginStatus
from gatehook.context import RunState
from gatehook.diagnostics import Diagnostic
from gatehook.events import FeedEvent
from gatehook.hookspecs import hookimpl
from gatehook.kinds.channel import Delivery
from gatehook.kinds.channel import Receipt
from gatehook.kinds.notifier import Notification
from gatehook.kinds.notifier import Notifier


class HookRecorder(Notifier):
    """Embed its ``plugin``. It is a notifier too, so that it has an entry; its notifications are recorded as well."""

    MANIFEST: Final[Mapping[str, Any]] = {
        "id": "recorder",
        "name": "Hook recorder",
        "version": "1.0.0",
        "kinds": ["channel.notifications"],
        "entry": {"type": "python.module", "module": "recorder.py"},
        "configSchema": {"type": "object", "additionalProperties": False},
        "capabilities": {},
    }

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []

    @property
    def plugin(self) -> tuple[Mapping[str, Any], object]:
        """What ``PluginHost`` takes in ``plugins``."""
        return (self.MANIFEST, self)

    def named(self, hook: str) -> list[Any]:
        """Return the arguments of a hook's calls, in order."""
        return [value for name, value in self.calls if name == hook]

    def states(self, entry_id: str) -> list[RunState]:
        """Return the run states an entry went through."""
        return [status.state for status in self.named("plugin_status_changed") if status.entry_id == entry_id]

    @hookimpl
    def provide_notifier(self, context: PluginContext) -> Notifier:
        """Give the recorder its entry."""
        self.clock = context.clock
        return self

    async def notify(self, notification: Notification) -> Receipt:
        """Record a notification."""
        self.calls.append(("notify", notification))
        return Receipt(message_id=str(len(self.calls)), delivery=Delivery.DELIVERED, ts_event=self.clock.now())

    @hookimpl
    def gateway_started(self) -> None:
        """Record the start."""
        self.calls.append(("gateway_started", None))

    @hookimpl
    def gateway_stopping(self) -> None:
        """Record the stop."""
        self.calls.append(("gateway_stopping", None))

    @hookimpl
    def plugin_status_changed(self, status: PluginStatus) -> None:
        """Record a change of state."""
        self.calls.append(("plugin_status_changed", status))

    @hookimpl
    def diagnostic_reported(self, diagnostic: Diagnostic) -> None:
        """Record a diagnostic."""
        self.calls.append(("diagnostic_reported", diagnostic))

    @hookimpl
    def event_published(self, event: FeedEvent) -> None:
        """Record an event."""
        self.calls.append(("event_published", event))

    @hookimpl
    def approval_requested(self, approval: object) -> None:
        """Record a request for approval."""
        self.calls.append(("approval_requested", approval))
