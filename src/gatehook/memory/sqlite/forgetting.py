"""Deleting so that no byte stays: not in a table, not in the index, not in the log."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from typing import Final

from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.memory import Namespace
from gatehook.memory.sqlite.reindexing import indices_of
from gatehook.memory.sqlite.removing import delete
from gatehook.memory.sqlite.writer import transaction

_PATIENCE: Final = 5.0
_PAUSE: Final = 0.02


def forget(connection: sqlite3.Connection, namespace: Namespace, ids: Sequence[str]) -> int:
    """Delete documents; return how many there were.

    The connection overwrites what it deletes (``secure_delete``). A deleted document's words stay in older segments of
    the full-text index until ``optimize`` writes one without them, its pages in the log until that is truncated.

    Raises:
        StorageUnavailable: when a reader holds the log; the documents are deleted, their bytes are not yet gone.
    """
    with transaction(connection):
        count = delete(connection, namespace, ids)
        for index in indices_of(connection):
            connection.execute(f"INSERT INTO {index}({index}) VALUES ('optimize')")  # noqa: S608  constants only
    deadline = time.monotonic() + _PATIENCE
    while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        if time.monotonic() > deadline:
            raise StorageUnavailable(
                "the documents are deleted, but a reader holds their bytes in the log; forget again"
            )
        time.sleep(_PAUSE)
    return count
