"""Work on a connection, in a thread, for a caller who may be gone before it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic
from typing import TypeVar

C = TypeVar("C")
T = TypeVar("T")


class Lease(Generic[C, T]):
    """One call: its connection while it runs, and whether its caller is gone."""

    def __init__(self, work: Callable[[C], T], *, interrupt: Callable[[C], None], given_up: Exception) -> None:
        """``interrupt`` ends the work under way on a connection; ``given_up`` is raised by work that never began."""
        self._work = work
        self._interrupt = interrupt
        self._given_up = given_up
        self._lock = threading.Lock()
        self._connection: C | None = None
        self._abandoned = False

    def run(self, connection: C) -> T:
        """Do the work, unless nobody waits for it any more."""
        with self._lock:
            if self._abandoned:
                raise self._given_up
            self._connection = connection
        try:
            return self._work(connection)
        finally:
            with self._lock:
                self._connection = None

    @property
    def abandoned(self) -> bool:
        """Whether the caller is gone."""
        return self._abandoned

    def abandon(self) -> None:
        """Interrupt the work if it still runs; only this work, never the next one on its connection."""
        with self._lock:
            self._abandoned = True
            if self._connection is not None:
                self._interrupt(self._connection)
