"""A disk without room, as the journal sees it."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest


class Disk:
    """Limits the pages of the journal by SQLite's own means: it answers as on a full disk. Make it before the host."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._connections: list[sqlite3.Connection] = []
        connect = sqlite3.connect

        def keep(database: Any, *args: Any, **kwargs: Any) -> sqlite3.Connection:
            connection: sqlite3.Connection = connect(database, *args, **kwargs)
            if str(database).endswith("journal.sqlite") and not kwargs.get("uri"):
                self._connections.append(connection)
            return connection

        monkeypatch.setattr(sqlite3, "connect", keep)

    def fill(self) -> None:
        """Give the journal no page beyond those it has; what is free inside them can still be used up."""
        used = self._connections[-1].execute("PRAGMA page_count").fetchone()[0]
        self._connections[-1].execute(f"PRAGMA max_page_count = {used}")
