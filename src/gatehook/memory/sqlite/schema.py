"""The tables, and how a file of an older version becomes one of this version."""

from __future__ import annotations

import sqlite3
from typing import Final

#: Marks the file as a memory of ours (``PRAGMA application_id``).
APPLICATION_ID: Final = 0x4748_4D31
#: ``superseded_at`` of a revision that nothing supersedes.
NEVER: Final = (1 << 63) - 1

#: How strongly a document matches, the stronger the lower: weights of text, tags, ctx, scope.
BM25: Final = "bm25(fts, 1.0, 0.5, 0.4, 0.0)"

# One row a revision: ``past`` is 0 for the current one, else its revision. ``text``, ``tags``, ``ctx`` and ``scope``
# are indexed: CJK spaced, the neighbouring turns, and opaque tokens that make a namespace or a symbol as cheap to
# select as a word. ``original`` is the text where ``text`` had to differ.
_DOCS: Final = """
CREATE TABLE docs (
  rid INTEGER PRIMARY KEY, ns TEXT NOT NULL, id TEXT NOT NULL, past INTEGER NOT NULL, revision INTEGER NOT NULL,
  ts INTEGER NOT NULL, available_at INTEGER NOT NULL, visible_at INTEGER NOT NULL, superseded_at INTEGER NOT NULL,
  expires_at INTEGER, created_at INTEGER NOT NULL, ingested_at INTEGER NOT NULL,
  kind TEXT NOT NULL, prev_id TEXT, labels TEXT NOT NULL, meta TEXT NOT NULL, digest TEXT NOT NULL,
  text TEXT NOT NULL, original TEXT, tags TEXT NOT NULL, ctx TEXT NOT NULL, scope TEXT NOT NULL,
  UNIQUE (ns, id, past))
"""
# What filters compare: one row a value; ``type`` keeps True from 1 and text from numbers.
_FACTS: Final = """
CREATE TABLE facts (
  rid INTEGER NOT NULL, field TEXT NOT NULL, type INTEGER NOT NULL, value NOT NULL,
  PRIMARY KEY (rid, field, type, value)) WITHOUT ROWID
"""
_FTS: Final = """
CREATE VIRTUAL TABLE fts USING fts5(
  text, tags, ctx, scope, content='docs', content_rowid='rid', tokenize='porter unicode61 remove_diacritics 2')
"""
# An external-content index is told the old values before they change; triggers cannot forget it.
_ADD: Final = "INSERT INTO fts(rowid, text, tags, ctx, scope) VALUES (new.rid, new.text, new.tags, new.ctx, new.scope)"
_DROP: Final = (
    "INSERT INTO fts(fts, rowid, text, tags, ctx, scope)"
    " VALUES ('delete', old.rid, old.text, old.tags, old.ctx, old.scope)"
)

#: Step n makes version n + 1 of version n. Append; never change one that was released.
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        f"PRAGMA application_id = {APPLICATION_ID}",
        _DOCS,
        _FACTS,
        _FTS,
        # The weights are kept in the file for those who look into it by hand; we write them in the query.
        "INSERT INTO fts(fts, rank) VALUES ('rank', 'bm25(1.0, 0.5, 0.4, 0.0)')",
        "CREATE INDEX docs_by_time ON docs (ts DESC, id, ns) WHERE past = 0",
        "CREATE INDEX docs_by_namespace ON docs (ns, ts DESC, id) WHERE past = 0",
        "CREATE INDEX docs_by_previous ON docs (ns, prev_id) WHERE past = 0 AND prev_id IS NOT NULL",
        "CREATE INDEX docs_by_expiry ON docs (expires_at) WHERE expires_at IS NOT NULL",
        f"CREATE TRIGGER docs_added AFTER INSERT ON docs BEGIN {_ADD}; END",
        f"CREATE TRIGGER docs_dropped AFTER DELETE ON docs BEGIN {_DROP}; END",
        f"CREATE TRIGGER docs_changed AFTER UPDATE OF text, tags, ctx, scope ON docs BEGIN {_DROP}; {_ADD}; END",
    ),
)


def version_of(connection: sqlite3.Connection) -> int:
    """Return the schema version of an open file; 0 is an empty one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, steps: tuple[tuple[str, ...], ...] = MIGRATIONS) -> None:
    """Bring a file to the newest version, all steps in one transaction: after a failure it is what it was."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in steps[version_of(connection) :]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(steps)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
