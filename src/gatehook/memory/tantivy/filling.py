"""One build of the index, and how rows come into it: in commits, each of which says what it holds."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import uuid4

import attrs
import tantivy

from gatehook.memory.giving_way import giving_way
from gatehook.memory.tantivy.engine import IndexFault
from gatehook.memory.tantivy.engine import engine
from gatehook.memory.tantivy.fields import ROW
from gatehook.memory.tantivy.fields import SCHEMA
from gatehook.memory.tantivy.fields import WEIGHTS
from gatehook.memory.tantivy.fields import Indexed
from gatehook.memory.tantivy.fields import Mark
from gatehook.memory.tantivy.fields import Row
from gatehook.memory.tantivy.fields import document_of
from gatehook.memory.tantivy.fields import mark_in
from gatehook.memory.tantivy.fields import register
from gatehook.memory.tantivy.queue import State
from gatehook.memory.tantivy.queue import changes
from gatehook.memory.tantivy.queue import last_change

#: So many changes are brought into the index by one commit.
BATCH: Final = 5_000
#: So many rows, or so many characters, are copied by one commit while a build is made.
COPIED: Final = 10_000
COPIED_CHARS: Final = 32_000_000
#: So many rows are looked up by one statement, and so many are taken apart before another thread has its turn.
_SLICE: Final = 256
_TURN: Final = 16
_CHANGED: Final = f"SELECT {ROW} FROM json_each(?) AS wanted CROSS JOIN docs d ON d.rid = wanted.value"  # noqa: S608  constants only
_COPY: Final = f"SELECT {ROW} FROM docs d WHERE d.rid >= ? ORDER BY d.rid LIMIT ?"  # noqa: S608  constants only


def builds_of(path: Path) -> Path:
    """Return the directory of a memory's builds."""
    return path.with_name(f"{path.name}.tantivy")


def remove_builds(path: Path, keep: Iterable[str]) -> None:
    """Delete the files of all builds but some."""
    kept = set(keep)
    for directory in builds_of(path).glob("*"):
        if directory.name not in kept:
            shutil.rmtree(directory, ignore_errors=True)


def size_of(path: Path) -> int:
    """Return the bytes of all builds."""
    size = 0
    for file in builds_of(path).rglob("*"):
        # A merge of segments deletes the old ones at any time.
        with suppress(FileNotFoundError):
            size += file.lstat().st_size
    return size


def open_index(directory: Path) -> tantivy.Index:
    """Open a build that exists.

    Raises:
        IndexFault: when it is missing or damaged.
    """
    with engine():
        index = tantivy.Index.open(str(directory))
        register(index)
        return index


def is_readable(path: Path, build: str) -> bool:
    """Say whether a build can be opened and says what it holds."""
    try:
        with engine():
            return mark_in(open_index(builds_of(path) / build).searcher()) is not None
    except IndexFault:
        return False


class Build:
    """A build that is written to. Used by one thread at a time."""

    def __init__(self, index: tantivy.Index, heap: int, mark: Mark, known: int) -> None:
        self._index = index
        self._writer = index.writer(heap, 1)
        self._known = known
        self.mark = mark

    @classmethod
    def create(cls, path: Path, heap: int, upto: int, *, empty: bool) -> Build:
        """Begin a new build; where there are rows, they have to be copied.

        Raises:
            IndexFault: when it cannot be written.
        """
        name = uuid4().hex
        directory = builds_of(path) / name
        with engine():
            directory.mkdir(parents=True, mode=0o700)
            index = tantivy.Index(SCHEMA, path=str(directory))
            register(index)
            build = cls(index, heap, Mark(name, commit=-1, upto=upto, copied=None if empty else 0), upto)
            build._commit(build.mark)
            return build

    @classmethod
    def reopen(cls, path: Path, heap: int, state: State, last: int) -> Build:
        """Go on with the build that the file names.

        Raises:
            IndexFault: when it is missing, damaged, of another format, or does not belong to these rows.
        """
        index = open_index(builds_of(path) / state.build) if state.build else None
        if index is None:
            raise IndexFault("there was none")
        with engine():
            mark = mark_in(index.searcher())
            if mark is None:
                raise IndexFault("it has another format")
            if mark.build != state.build or not state.upto <= mark.upto <= last:
                raise IndexFault("it belongs to older or other rows")
            # What was brought in before a crash may be in it although the queue still has it.
            return cls(index, heap, mark, last)

    def step(self, connection: sqlite3.Connection) -> Mark:
        """Bring in the oldest changes, copy some rows if that is not done, and commit; return what is now in it.

        Raises:
            IndexFault: when the index cannot be written; the build has to be opened again.
        """
        connection.execute("BEGIN")
        try:
            with engine():
                mark = self._copy(connection, self._bring_in(connection))
                return self._commit(mark)
        finally:
            connection.execute("ROLLBACK")

    def lacks(self, connection: sqlite3.Connection) -> bool:
        """Say whether there is something to bring in or to copy."""
        return self.mark.copied is not None or last_change(connection) > self.mark.upto

    def close(self) -> None:
        """Let go of the files. What was not committed is in the queue."""
        del self._writer

    def _bring_in(self, connection: sqlite3.Connection) -> Mark:
        batch = changes(connection, self.mark.upto, BATCH)
        first: dict[int, bool] = {}
        for seq, rid, grown in batch:
            first.setdefault(rid, grown == 1 and seq > self._known)
        mark = attrs.evolve(self.mark, upto=batch[-1][0] if batch else self.mark.upto)
        rids = [*first]
        for some in (rids[at : at + _SLICE] for at in range(0, len(rids), _SLICE)):
            for rid in some:
                if not first[rid] or self.mark.copied is not None:
                    self._writer.delete_documents_by_term("rid", rid)
            mark = self._add(mark, connection.execute(_CHANGED, (json.dumps(some),)))
        return mark

    def _copy(self, connection: sqlite3.Connection, mark: Mark) -> Mark:
        if mark.copied is None:
            return mark
        left, chars, following = COPIED, COPIED_CHARS, mark.copied
        for row in connection.execute(_COPY, (mark.copied, COPIED)):
            self._writer.delete_documents_by_term("rid", row[0])
            mark = self._add(mark, [row])
            left, chars, following = left - 1, chars - len(row[7]), row[0] + 1
            if chars < 0:
                break
        # Rows that come later are in the queue.
        return attrs.evolve(mark, copied=None if left and chars >= 0 else following)

    def _add(self, mark: Mark, rows: Iterable[Row]) -> Mark:
        added, lengths = mark.added, list(mark.lengths)
        for row in giving_way(rows):
            indexed = Indexed.of(row)
            self._writer.add_document(document_of(row, indexed))
            added += 1
            for at, name in enumerate(WEIGHTS):
                lengths[at] += len(indexed.words[name])
        return attrs.evolve(mark, added=added, lengths=(lengths[0], lengths[1], lengths[2]))

    def _commit(self, mark: Mark) -> Mark:
        mark = attrs.evolve(mark, commit=mark.commit + 1)
        mark.clear(self._writer)
        self._writer.add_document(mark.document())
        self._writer.commit()
        self.mark = mark
        return mark
