"""What a session is doing, and why."""

from __future__ import annotations

from enum import StrEnum

import attrs


class McpState(StrEnum):
    """The states of a session; ``ready`` alone lets calls through. ``unauthorized`` is ``backoff`` with a cause that
    time does not mend: the server refuses the credentials, or there are none.
    """

    IDLE = "idle"
    CONNECTING = "connecting"
    READY = "ready"
    SUSPENDED = "suspended"
    BACKOFF = "backoff"
    UNAUTHORIZED = "unauthorized"
    FAILED = "failed"
    CLOSED = "closed"


@attrs.frozen(kw_only=True)
class McpStatus:
    """A state with its reason, and what was counted since the start.

    Attributes:
        retry_in: the seconds until the next attempt, in ``backoff`` and ``unauthorized``.
        connections: how often it connected.
        garbage, dropped: messages that were none, and requests and progress of the server over the bound.
    """

    state: McpState = McpState.IDLE
    reason: str = ""
    retry_in: float = 0.0
    connections: int = 0
    garbage: int = 0
    dropped: int = 0
