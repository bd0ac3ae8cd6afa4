"""What is written and not yet in the index: searched in memory, so that a write is found when it returns."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Final

import attrs

from gatehook.memory.tantivy.fields import ROW
from gatehook.memory.tantivy.fields import WEIGHTS
from gatehook.memory.tantivy.fields import Indexed
from gatehook.memory.tantivy.fields import stems
from gatehook.memory.tantivy.queue import newest_changes

_ROWS: Final = f"SELECT {ROW} FROM json_each(?) AS wanted CROSS JOIN docs d ON d.rid = wanted.value"  # noqa: S608  constants only


@attrs.frozen
class Entry:
    """A row that is not yet in the index as it is now; without stems it is no longer there at all."""

    rid: int
    seq: int
    grown: int
    stems: Mapping[str, Sequence[str]]
    tokens: frozenset[str] = frozenset()


class Pending:
    """The rows that changed since a commit, by words. Not for several threads at once."""

    def __init__(self) -> None:
        self._seen = 0
        self._skipped_to = 0
        self._entries: dict[int, Entry] = {}
        self._having: dict[tuple[str, str], set[int]] = {}
        self.grown = 0
        self.added = 0
        self.lengths = [0] * len(WEIGHTS)

    def follow(self, connection: sqlite3.Connection, upto: int, limit: int) -> int:
        """Take in what was written since the last time, and leave out what is in the index ``upto`` a change.

        Returns:
            how many changes are neither in the index nor here.
        """
        self._leave_out(upto)
        seen = max(upto, self._seen)
        changes = newest_changes(connection, seen, limit)
        if len(changes) == limit:
            self._skipped_to = changes[0][0] - 1
        self._take(connection, changes)
        return max(0, self._skipped_to - upto)

    def _leave_out(self, upto: int) -> None:
        gone = [entry for entry in self._entries.values() if entry.seq <= upto]
        if 2 * len(gone) <= len(self._entries):
            for entry in gone:
                self._drop(entry)
            return
        kept = [entry for entry in self._entries.values() if entry.seq > upto]
        self._entries, self._having = {}, {}
        self.grown, self.added, self.lengths = 0, 0, [0] * len(WEIGHTS)
        for entry in kept:
            self._add(entry)

    def _take(self, connection: sqlite3.Connection, changes: Sequence[tuple[int, int, int]]) -> None:
        if not changes:
            return
        newest = {rid: seq for seq, rid, _ in changes}
        grown = dict.fromkeys(newest, 0)
        for _, rid, more in changes:
            grown[rid] += more
        rows = {row[0]: row for row in connection.execute(_ROWS, (json.dumps(list(newest)),))}
        for rid, seq in newest.items():
            before = self._entries.get(rid)
            if before is not None:
                grown[rid] += before.grown
                self._drop(before)
            if rid in rows:
                indexed = Indexed.of(rows[rid])
                words = {name: stems(found) for name, found in indexed.words.items()}
                self._add(Entry(rid, seq, grown[rid], words, frozenset(indexed.tokens.split())))
            else:
                self._add(Entry(rid, seq, grown[rid], {}))
        self._seen = changes[-1][0]

    @property
    def rids(self) -> frozenset[int]:
        """The rows that are here: what the index says of them is old."""
        return frozenset(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def frequency(self, field: str, stem: str) -> int:
        """Return how many rows have a stem in a field."""
        return len(self._having.get((field, stem), ()))

    def having_any(self, stems: Iterable[str], fields: Iterable[str]) -> list[Entry]:
        """Return the rows that have any of these stems, in any of these fields."""
        fields = tuple(fields)
        found: set[int] = set()
        for stem in stems:
            for field in fields:
                found |= self._having.get((field, stem), set())
        return [self._entries[rid] for rid in sorted(found)]

    def _add(self, entry: Entry) -> None:
        self._entries[entry.rid] = entry
        self.grown += entry.grown
        self._count(entry, 1)
        for field, words in entry.stems.items():
            for stem in set(words):
                self._having.setdefault((field, stem), set()).add(entry.rid)

    def _drop(self, entry: Entry) -> None:
        del self._entries[entry.rid]
        self.grown -= entry.grown
        self._count(entry, -1)
        for field, words in entry.stems.items():
            for stem in set(words):
                having = self._having[(field, stem)]
                having.discard(entry.rid)
                if not having:
                    del self._having[(field, stem)]

    def _count(self, entry: Entry, times: int) -> None:
        if entry.stems:
            self.added += times
            for at, name in enumerate(WEIGHTS):
                self.lengths[at] += times * len(entry.stems[name])
