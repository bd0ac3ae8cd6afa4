"""A request of ours until its answer is there."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import anyio
from mcp.shared.dispatcher import ProgressFnT


class Waiting:
    """A request that left or is about to. ``sent``: a byte of it may have reached the server."""

    __slots__ = ("answer", "deadline", "done", "error", "is_late", "progress", "reports", "scope", "sent")

    def __init__(self, progress: ProgressFnT | None) -> None:
        self.done = anyio.Event()
        self.answer: dict[str, Any] | None = None
        self.error: Exception | None = None
        self.progress = progress
        self.reports: deque[tuple[float, float | None, str | None]] = deque()
        #: What the transport still does for this request; cancelled when it has failed.
        self.scope: anyio.CancelScope | None = None
        self.sent = False
        self.deadline = math.inf
        self.is_late = False

    def expire(self) -> None:
        """End the wait without an answer."""
        self.deadline = math.inf
        if not self.done.is_set():
            self.is_late = True
            self.done.set()

    @property
    def has_ended(self) -> bool:
        """Whether there is an answer or an error."""
        return self.done.is_set() and not self.is_late

    def fail(self, error: Exception) -> None:
        """End the wait with an error, unless it has ended."""
        if not self.done.is_set():
            self.error = error
            self.done.set()
            if self.scope is not None:
                self.scope.cancel()
