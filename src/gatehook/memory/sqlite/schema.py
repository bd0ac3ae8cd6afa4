"""The tables in named parts, and how a file of an older version becomes one of this version.

Several memories can share a file: each brings the parts it needs, and leaves the parts it does not know alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Final

import attrs

from gatehook.memory.sqlite import blocks

#: Marks the file as a memory of ours (``PRAGMA application_id``).
APPLICATION_ID: Final = 0x4748_4D31
#: How the file says which parts it has (``PRAGMA user_version``).
FORMAT: Final = 1
#: ``superseded_at`` of a revision that nothing supersedes.
NEVER: Final = (1 << 63) - 1

#: How strongly a document matches, the stronger the lower: weights of text, tags, ctx, scope.
BM25: Final = "bm25(fts, 1.0, 0.5, 0.4, 0.0)"


@attrs.frozen
class Part:
    """Tables, indices and triggers with a version of their own. Step n makes version n + 1 of version n: append to the
    steps, never change one that was released. What follows the documents follows by triggers on ``docs``.
    """

    name: str
    steps: tuple[tuple[str, ...], ...]

    @property
    def version(self) -> int:
        """The version that all steps make."""
        return len(self.steps)


_PARTS: Final = "CREATE TABLE parts (name TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID"
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
_INDEXED: Final = "text, tags, ctx, scope"
_COLUMNS: Final = f"{_INDEXED}, content='docs', content_rowid='rid', tokenize='porter unicode61 remove_diacritics 2'"
#: What rows can do, as the triggers are named.
FOLLOWING: Final = ("added", "dropped", "changed")


def index_named(name: str) -> tuple[str, ...]:
    """Return the statements that make an empty full-text index over ``docs``."""
    return (
        f"CREATE VIRTUAL TABLE {name} USING fts5({_COLUMNS})",
        # The weights are kept in the file for those who look into it by hand; we write them in the query.
        f"INSERT INTO {name}({name}, rank) VALUES ('rank', 'bm25(1.0, 0.5, 0.4, 0.0)')",  # noqa: S608  constants only
        # More segments before they are merged: a sixth less work in a write, and ``maintain`` merges all of them.
        f"INSERT INTO {name}({name}, rank) VALUES ('automerge', 8)",  # noqa: S608  constants only
    )


def following(index: str, prefix: str, rows: str = "1") -> tuple[str, ...]:
    """Return the statements that make an index follow ``docs``; of those rows only for which ``rows`` holds, in which
    ``{}`` stands for the row.

    An external-content index is told the old values before they change; triggers cannot forget it.
    """
    add = f"INSERT INTO {index}(rowid, text, tags, ctx, scope) VALUES (new.rid, new.text, new.tags, new.ctx, new.scope)"  # noqa: S608  constants only
    drop = (
        f"INSERT INTO {index}({index}, rowid, text, tags, ctx, scope)"  # noqa: S608  constants only
        " VALUES ('delete', old.rid, old.text, old.tags, old.ctx, old.scope)"
    )
    new, old = rows.format("new"), rows.format("old")
    return (
        f"CREATE TRIGGER {prefix}_added AFTER INSERT ON docs WHEN {new} BEGIN {add}; END",
        f"CREATE TRIGGER {prefix}_dropped AFTER DELETE ON docs WHEN {old} BEGIN {drop}; END",
        f"CREATE TRIGGER {prefix}_changed AFTER UPDATE OF {_INDEXED} ON docs WHEN {old} BEGIN {drop}; {add}; END",
    )


STORAGE: Final = Part(
    "storage",
    (
        (
            _DOCS,
            _FACTS,
            "CREATE INDEX docs_by_time ON docs (ts DESC, id, ns) WHERE past = 0",
            "CREATE INDEX docs_by_namespace ON docs (ns, ts DESC, id) WHERE past = 0",
            "CREATE INDEX docs_by_previous ON docs (ns, prev_id, id) WHERE past = 0 AND prev_id IS NOT NULL",
            "CREATE INDEX docs_by_expiry ON docs (expires_at) WHERE expires_at IS NOT NULL",
        ),
        (blocks.TABLE, blocks.BEGIN),
    ),
)
LEXICAL: Final = Part(
    "lexical",
    (
        (
            *index_named("fts"),
            # A file that another memory began has documents already.
            "INSERT INTO fts(fts) VALUES ('rebuild')",
            *following("fts", "docs"),
        ),
    ),
)
#: What a memory that searches by words keeps; ``STORAGE`` comes first in every file.
BY_WORDS: Final = (STORAGE, LEXICAL)


def versions_of(connection: sqlite3.Connection) -> Mapping[str, int]:
    """Return the version of each part of an open file; an empty file has none."""
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'parts'").fetchone() is None:
        return {}
    return dict(connection.execute("SELECT name, version FROM parts"))


def newer_part(connection: sqlite3.Connection, parts: Sequence[Part]) -> tuple[int, int] | None:
    """Return the found and the known version of a part that is newer than we know it, ``None`` when there is none.

    A part that is not ours is no concern of ours: its triggers go on working.
    """
    found = versions_of(connection)
    newer = ((found[part.name], part.version) for part in parts if found.get(part.name, 0) > part.version)
    return next(newer, None)


def migrate(connection: sqlite3.Connection, parts: Sequence[Part]) -> None:
    """Bring every part to its newest version, all in one transaction: after a failure the file is what it was."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        found = versions_of(connection)
        if not found:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {FORMAT}")
            connection.execute(_PARTS)
        for part in parts:
            _bring_up(connection, part, found.get(part.name, 0))
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _bring_up(connection: sqlite3.Connection, part: Part, version: int) -> None:
    for step in part.steps[version:]:
        for statement in step:
            connection.execute(statement)
    if version != part.version:
        connection.execute("INSERT OR REPLACE INTO parts VALUES (?, ?)", (part.name, part.version))


def has_words(connection: sqlite3.Connection) -> bool:
    """Say whether the file has the full-text index, whichever memory made it."""
    return "lexical" in versions_of(connection)
