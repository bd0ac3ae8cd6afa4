"""The part ``vectors`` of a memory's file. Its triggers queue each text in the transaction that wrote it, whichever
memory wrote it, and drop the vectors of a text that changed or is gone.

Past revisions have vectors too: a search as of a time finds the revision of that time by meaning, and only that one,
since what a search may see is decided by the rows of ``docs`` alone.
"""

from __future__ import annotations

from typing import Final

from gatehook.memory.sqlite.schema import Part

#: Another embedder is configured; nothing is queued for this space until its own comes back.
LEFT: Final = "left"

# One row an identity: vectors of two spaces are never compared. ``served`` is what its service said it answers with.
_SPACE: Final = """
CREATE TABLE space (
  id INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE, dims INTEGER NOT NULL, served TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL)
"""
# ``seq`` only rises: what is above a number is new to who has seen everything up to it. ``e`` has a byte a number.
_VEC: Final = """
CREATE TABLE vec (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, space INTEGER NOT NULL, rid INTEGER NOT NULL, e BLOB NOT NULL,
  UNIQUE (space, rid))
"""
_QUEUE: Final = """
CREATE TABLE embed_queue (
  space INTEGER NOT NULL, rid INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
  not_before INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (space, rid)) WITHOUT ROWID
"""
_ADD: Final = f"INSERT OR REPLACE INTO embed_queue (space, rid) SELECT id, new.rid FROM space WHERE state <> '{LEFT}'"  # noqa: S608  constants only
_DROP: Final = "DELETE FROM vec WHERE rid = old.rid AND space IN (SELECT id FROM space)"
_UNQUEUE: Final = "DELETE FROM embed_queue WHERE rid = old.rid AND space IN (SELECT id FROM space)"
_CHANGED: Final = "CREATE TRIGGER vec_changed AFTER UPDATE OF text, original ON docs"
_DIFFERS: Final = "new.text IS NOT old.text OR new.original IS NOT old.original"

# The order of the queue: what is written now is searched now, whatever else waits.
_ADD_IN_ORDER: Final = (
    "INSERT OR REPLACE INTO embed_queue (space, rid, written_at) "  # noqa: S608  constants only
    f"SELECT id, new.rid, new.ingested_at FROM space WHERE state <> '{LEFT}'"
)

VECTORS: Final = Part(
    "vectors",
    (
        (
            _SPACE,
            _VEC,
            _QUEUE,
            f"CREATE TRIGGER vec_added AFTER INSERT ON docs BEGIN {_ADD}; END",
            f"CREATE TRIGGER vec_dropped AFTER DELETE ON docs BEGIN {_DROP}; {_UNQUEUE}; END",
            f"{_CHANGED} WHEN {_DIFFERS} BEGIN {_DROP}; {_ADD}; END",
        ),
        (
            "ALTER TABLE embed_queue ADD COLUMN written_at INTEGER NOT NULL DEFAULT 0",
            "CREATE INDEX embed_queue_by_time ON embed_queue (space, written_at DESC, rid DESC)",
            "DROP TRIGGER vec_added",
            "DROP TRIGGER vec_changed",
            f"CREATE TRIGGER vec_added AFTER INSERT ON docs BEGIN {_ADD_IN_ORDER}; END",
            f"{_CHANGED} WHEN {_DIFFERS} BEGIN {_DROP}; {_ADD_IN_ORDER}; END",
        ),
    ),
)
