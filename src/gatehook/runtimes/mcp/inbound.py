"""What the SDK is told about a message that came from the server."""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

import anyio
from mcp.shared.dispatcher import CallOptions
from mcp.shared.exceptions import NoBackChannelError
from mcp.shared.transport_context import TransportContext

Notify = Callable[[str, Mapping[str, Any] | None, CallOptions | None], Awaitable[None]]


class InboundContext:
    """The SDK's ``DispatchContext``. Nothing is asked of a server while its own request is answered."""

    def __init__(self, transport: TransportContext, request_id: int | str | None, notify: Notify) -> None:
        self.transport = transport
        self.request_id = request_id
        self.message_metadata = None
        self.cancel_requested = anyio.Event()
        self._notify = notify

    @property
    def can_send_request(self) -> bool:
        """Never."""
        return False

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        """Refuse.

        Raises:
            NoBackChannelError: always.
        """
        raise NoBackChannelError(method)

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        """Send a notification."""
        await self._notify(method, params, opts)

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Do nothing: what a client answers, it answers at once."""
