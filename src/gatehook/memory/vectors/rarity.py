"""How strongly a document would match that had all of a query: what the rarity of the query's words comes to."""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from gatehook.memory.sqlite.match import complete_match
from gatehook.memory.text import Unit

_DOCUMENTS: Final = "SELECT count(*) FROM docs"
_HAVING: Final = "SELECT count(*) FROM fts WHERE fts MATCH ?"
_REMEMBERED: Final = 4_096
#: What takes no longer than this is counted in every search.
_CHEAP_SECONDS: Final = 0.0002
#: What takes longer is counted for a thousandth of the time.
_SELDOM: Final = 1_000
#: FTS5 lets a word that most documents have count this much.
_LEAST: Final = 1e-6


class Rarity:
    """Counts documents by words and remembers what was slow to count; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def whole(self, connection: sqlite3.Connection, units: Iterable[Unit]) -> float:
        """Return the strength of a document of average length that has each of the units once."""
        documents = self._count(connection, _DOCUMENTS)
        having = [self._count(connection, _HAVING, complete_match((unit,), "", context=True)) for unit in units]
        return sum(_weight(documents, count) for count in having)

    def _count(self, connection: sqlite3.Connection, sql: str, match: str = "") -> int:
        began = time.monotonic()
        with self._lock:
            count, until = self._counts.get(match, (0, 0.0))
        if began < until:
            return count
        # Of this thread alone: what else the machine does makes no count dear.
        spent = time.thread_time()
        count = int(connection.execute(sql, (match,) if match else ()).fetchone()[0])
        spent = time.thread_time() - spent
        if spent > _CHEAP_SECONDS:
            self._remember(match, count, began + spent * _SELDOM)
        return count

    def _remember(self, match: str, count: int, until: float) -> None:
        with self._lock:
            self._counts[match] = count, until
            self._counts.move_to_end(match)
            while len(self._counts) > _REMEMBERED:
                self._counts.popitem(last=False)


def _weight(documents: int, having: int) -> float:
    """Return what FTS5 weighs a word with; of one that nothing has it says how much is missing."""
    return max(math.log((max(documents - having, 0) + 0.5) / (having + 0.5)), _LEAST)
