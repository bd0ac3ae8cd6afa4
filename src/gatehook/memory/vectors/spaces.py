"""The spaces of a file: which one the configured embedder's vectors are in, how full it is, when it may be searched."""

from __future__ import annotations

import sqlite3
from typing import Final

from gatehook.memory.embedding.embedder import EmbedderIdentity
from gatehook.memory.vectors.schema import LEFT
from gatehook.memory.vectors.store import ACTIVE
from gatehook.memory.vectors.store import ATTEMPTS
from gatehook.memory.vectors.store import BUILDING
from gatehook.memory.vectors.store import Filling
from gatehook.memory.vectors.store import Space

_SWEPT: Final = 2_000
_QUEUE: Final = "INTO embed_queue (space, rid, written_at) SELECT ?, rid, ingested_at FROM docs"
_HAS_VECTOR: Final = "EXISTS (SELECT 1 FROM vec WHERE space = ? AND rid = docs.rid)"


def enter(connection: sqlite3.Connection, identity: EmbedderIdentity) -> Space:
    """Return the space of an identity, made if it is new, with everything queued that has no vector in it.

    Other spaces are left: their vectors stay until this space is complete, so that going back costs little.
    """
    key = identity.to_json()
    connection.execute("UPDATE space SET state = ? WHERE identity IS NOT ?", (LEFT, key))
    connection.execute("DELETE FROM embed_queue WHERE space IN (SELECT id FROM space WHERE state = ?)", (LEFT,))
    found = find(connection, identity)
    if found is not None and found.state != LEFT:
        return found
    if found is None:
        insert = "INSERT INTO space (identity, dims, state) VALUES (?, ?, ?)"
        number = connection.execute(insert, (key, identity.dims, BUILDING)).lastrowid
    else:
        number = found.id
    queued = connection.execute(f"INSERT OR IGNORE {_QUEUE} WHERE NOT {_HAS_VECTOR}", (number, number))
    state = BUILDING if queued.rowcount else ACTIVE
    connection.execute("UPDATE space SET state = ? WHERE id = ?", (state, number))
    entered = find(connection, identity)
    assert entered is not None, "its row was written above"
    return entered


def find(connection: sqlite3.Connection, identity: EmbedderIdentity) -> Space | None:
    """Return the space of an identity, ``None`` where the file has none."""
    sql = "SELECT id, dims, served, state FROM space WHERE identity = ?"
    row = connection.execute(sql, (identity.to_json(),)).fetchone()
    return None if row is None else Space(*row)


def reread(connection: sqlite3.Connection, space: Space) -> Space:
    """Return a space as it is now."""
    row = connection.execute("SELECT id, dims, served, state FROM space WHERE id = ?", (space.id,)).fetchone()
    return space if row is None else Space(*row)


def has_old(connection: sqlite3.Connection, space: int) -> bool:
    """Say whether there are other spaces."""
    return connection.execute("SELECT 1 FROM space WHERE id IS NOT ?", (space,)).fetchone() is not None


def filling(connection: sqlite3.Connection, space: int) -> Filling:
    """Count a space's vectors and what waits for one."""
    vectors = connection.execute("SELECT count(*) FROM vec WHERE space = ?", (space,)).fetchone()[0]
    waiting, refused = connection.execute(
        "SELECT count(*) FILTER (WHERE attempts < ?), count(*) FILTER (WHERE attempts >= ?)"
        " FROM embed_queue WHERE space = ?",
        (ATTEMPTS, ATTEMPTS, space),
    ).fetchone()
    return Filling(vectors, waiting, refused)


def complete(connection: sqlite3.Connection, space: int) -> bool:
    """Let a space be searched if nothing waits for a vector in it any more; return whether it is."""
    waits = "SELECT 1 FROM embed_queue WHERE space = ? AND attempts < ? LIMIT 1"
    if connection.execute(waits, (space, ATTEMPTS)).fetchone() is None:
        connection.execute("UPDATE space SET state = ? WHERE id = ? AND state = ?", (ACTIVE, space, BUILDING))
    found = connection.execute("SELECT state FROM space WHERE id = ?", (space,)).fetchone()
    return found is not None and bool(found[0] == ACTIVE)


def sweep(connection: sqlite3.Connection, space: int) -> bool:
    """Delete some of the vectors of other spaces; return whether there is more to delete."""
    old = "SELECT seq FROM vec WHERE space IN (SELECT id FROM space WHERE id IS NOT ?) LIMIT ?"
    deleted = connection.execute(f"DELETE FROM vec WHERE seq IN ({old})", (space, _SWEPT)).rowcount  # noqa: S608  constants only
    if deleted < _SWEPT:
        connection.execute("DELETE FROM space WHERE id IS NOT ?", (space,))
    return deleted == _SWEPT


def requeue(connection: sqlite3.Connection, space: int) -> int:
    """Drop a space's vectors and queue every text again, refused ones too; return how many there are.

    The space is not searched until it is complete.
    """
    connection.execute("DELETE FROM vec WHERE space = ?", (space,))
    connection.execute(f"INSERT OR REPLACE {_QUEUE}", (space,))
    queued = int(connection.execute("SELECT count(*) FROM embed_queue WHERE space = ?", (space,)).fetchone()[0])
    state = BUILDING if queued else ACTIVE
    connection.execute("UPDATE space SET state = ?, served = '' WHERE id = ?", (state, space))
    return queued
