"""Spaces and what waits for a vector. Every function but ``build_index`` runs inside a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import psycopg
from psycopg import sql

from gatehook.kinds.times import Ns
from gatehook.memory.embedding.embedder import EmbedderIdentity
from gatehook.memory.postgres.texts import read_text
from gatehook.memory.postgres.vector_schema import INDEX_LOCK
from gatehook.memory.postgres.vector_schema import SPACES_LOCK
from gatehook.memory.postgres.vector_schema import Extension
from gatehook.memory.vectors.store import ACTIVE
from gatehook.memory.vectors.store import ATTEMPTS
from gatehook.memory.vectors.store import BUILDING
from gatehook.memory.vectors.store import Filling
from gatehook.memory.vectors.store import Job
from gatehook.memory.vectors.store import Space

#: So many seconds a gateway may take for what it took off the queue; after that another one may.
HELD: Final = 60
#: Where texts wait for a gateway that has them, or other gateways may write some, so many seconds until the next look.
_SOON: Final = 1
_SOME_TIME: Final = 30
_SECOND: Final = 1_000_000_000
#: Below so many vectors all are measured; an index of more dimensions there cannot be.
INDEXED_FROM: Final = 5_000
_MOST_DIMS: Final = 4_000
_SWEPT: Final = 2_000
_FORGOTTEN: Final = "7 days"
_SPACE: Final = "SELECT id, dims, served, state FROM spaces WHERE "
_TAKE: Final = """
UPDATE embed_queue q SET holder = %(holder)s, held_until = clock_timestamp() + make_interval(secs => %(held)s)
FROM docs d WHERE d.rid = q.rid AND q.space = %(space)s AND q.rid IN (
  SELECT w.rid FROM embed_queue w WHERE w.space = %(space)s AND w.attempts < %(attempts)s AND w.not_before <= %(now)s
    AND (w.holder IS NULL OR w.holder = %(holder)s OR w.held_until < clock_timestamp())
  ORDER BY w.rid DESC LIMIT %(most)s FOR UPDATE SKIP LOCKED)
RETURNING q.rid, d.digest, d.text
"""
_DUE: Final = """
SELECT min(not_before) FILTER (WHERE free), coalesce(bool_or(NOT free), false) FROM (
  SELECT not_before, holder IS NULL OR holder = %(holder)s OR held_until < clock_timestamp() AS free
  FROM embed_queue WHERE space = %(space)s AND attempts < %(attempts)s) waiting
"""
# A document that is being deleted is waited for: its vector would be left over.
_ANSWER: Final = """
INSERT INTO vectors (space, rid, e) SELECT %s, d.rid, w.e::{halfvec}
FROM unnest(%s::bigint[], %s::text[]) AS w(rid, e) JOIN docs d ON d.rid = w.rid FOR KEY SHARE OF d
ON CONFLICT (space, rid) DO UPDATE SET e = excluded.e
"""
_DONE: Final = "DELETE FROM embed_queue WHERE space = %s AND rid = ANY(%s::bigint[])"


def enter(connection: psycopg.Connection, identity: EmbedderIdentity, lock: int) -> Space:
    """Return the space of an identity, made if it is new, with every text queued for it.

    Other spaces are left as they are: gateways with another embedder go on filling and searching theirs.
    """
    connection.execute("SELECT pg_advisory_xact_lock(%s::integer, %s::integer)", (lock, SPACES_LOCK))
    found = find(connection, identity)
    if found is not None:
        connection.execute("UPDATE spaces SET seen = now() WHERE id = %s", (found.id,))
        return found
    # A text that is written meanwhile would be queued by nobody.
    connection.execute("LOCK TABLE docs IN SHARE ROW EXCLUSIVE MODE")
    connection.execute(
        "INSERT INTO spaces (identity, dims, state) VALUES (%s, %s, %s)", (identity.to_json(), identity.dims, BUILDING)
    )
    made = find(connection, identity)
    assert made is not None, "its row was written above"
    _queue_all(connection, made.id)
    return reread(connection, made)


def find(connection: psycopg.Connection, identity: EmbedderIdentity) -> Space | None:
    """Return the space of an identity, ``None`` where the schema has none."""
    row = connection.execute(f"{_SPACE}identity = %s", (identity.to_json(),)).fetchone()
    return None if row is None else Space(*row)


def reread(connection: psycopg.Connection, space: Space) -> Space:
    """Return a space as it is now, whichever gateway changed it."""
    row = connection.execute(f"{_SPACE}id = %s", (space.id,)).fetchone()
    return space if row is None else Space(*row)


def filling(connection: psycopg.Connection, space: int) -> Filling:
    """Count a space's vectors and what waits for one."""
    row = connection.execute(
        "SELECT (SELECT count(*) FROM vectors WHERE space = %(space)s), count(*) FILTER (WHERE attempts < %(most)s),"
        " count(*) FILTER (WHERE attempts >= %(most)s) FROM embed_queue WHERE space = %(space)s",
        {"space": space, "most": ATTEMPTS},
    ).fetchone()
    assert row is not None
    return Filling(*row)


def take(connection: psycopg.Connection, space: int, now: Ns, most: int, holder: str) -> list[Job]:
    """Take what waits and no other gateway has, the newest rows first; it is the holder's for a while."""
    wanted = {"space": space, "now": now, "most": most, "holder": holder, "held": HELD, "attempts": ATTEMPTS}
    rows = connection.execute(_TAKE, wanted).fetchall()
    return [Job(rid, digest, read_text(text)) for rid, digest, text in sorted(rows, reverse=True)]


def waits_until(connection: psycopg.Connection, space: int, now: Ns, holder: str) -> Ns:
    """Return when to look again; there is always a next time, as another gateway may write, or die."""
    row = connection.execute(_DUE, {"holder": holder, "space": space, "attempts": ATTEMPTS}).fetchone()
    assert row is not None
    due, elsewhere = row
    again = now + (_SOON if elsewhere else _SOME_TIME) * _SECOND
    return again if due is None else min(int(due), again)


def answer(
    connection: psycopg.Connection, space: int, done: Sequence[tuple[Job, bytes | None]], extension: Extension
) -> None:
    """Write vectors, and take their texts off the queue; ``None`` is a text that needs none."""
    made = [(job.rid, written(vector)) for job, vector in done if vector is not None]
    if made:
        statement = _ANSWER.format(halfvec=extension.name("halfvec"))
        connection.execute(statement.encode(), (space, [rid for rid, _ in made], [vector for _, vector in made]))
    connection.execute(_DONE, (space, [job.rid for job, _ in done]))


def written(vector: bytes) -> str:
    """Return f16 numbers as the extension reads them."""
    return str(np.frombuffer(vector, dtype="<f2").astype(np.float32).tolist())


def refuse(connection: psycopg.Connection, space: int, jobs: Sequence[Job], not_before: Ns) -> None:
    """Count an attempt that failed because of these texts."""
    connection.execute(
        "UPDATE embed_queue SET attempts = attempts + 1, not_before = %s, holder = NULL, held_until = NULL"
        " WHERE space = %s AND rid = ANY(%s::bigint[])",
        (not_before, space, [job.rid for job in jobs]),
    )


def release(connection: psycopg.Connection, space: int, holder: str) -> None:
    """Give back what this gateway took: it goes."""
    connection.execute(
        "UPDATE embed_queue SET holder = NULL, held_until = NULL WHERE space = %s AND holder = %s", (space, holder)
    )


def note_served(connection: psycopg.Connection, space: int, served: str) -> None:
    """Remember what the service called itself when the space got its first vectors."""
    connection.execute("UPDATE spaces SET served = %s WHERE id = %s AND served = ''", (served, space))


def complete(connection: psycopg.Connection, space: Space) -> Space:
    """Let a space be searched if nothing waits for a vector in it any more; return it as it is then."""
    connection.execute(
        "UPDATE spaces SET state = %s WHERE id = %s AND state = %s AND NOT EXISTS"
        " (SELECT FROM embed_queue q WHERE q.space = spaces.id AND q.attempts < %s)",
        (ACTIVE, space.id, BUILDING, ATTEMPTS),
    )
    return reread(connection, space)


def requeue(connection: psycopg.Connection, space: int) -> int:
    """Drop a space's vectors and queue every text again, refused ones too; return how many there are.

    No gateway searches the space until it is complete.
    """
    _drop_index(connection, space)
    connection.execute("DELETE FROM vectors WHERE space = %s", (space,))
    connection.execute("UPDATE spaces SET state = %s, served = '', indexed = false WHERE id = %s", (BUILDING, space))
    return _queue_all(connection, space)


def _queue_all(connection: psycopg.Connection, space: int) -> int:
    connection.execute(
        "INSERT INTO embed_queue (space, rid) SELECT %s, rid FROM docs ON CONFLICT (space, rid)"
        " DO UPDATE SET attempts = 0, not_before = 0, holder = NULL, held_until = NULL",
        (space,),
    )
    row = connection.execute("SELECT count(*) FROM embed_queue WHERE space = %s", (space,)).fetchone()
    assert row is not None
    if not row[0]:
        connection.execute("UPDATE spaces SET state = %s WHERE id = %s", (ACTIVE, space))
    return int(row[0])


def sweep(connection: psycopg.Connection, space: int) -> bool:
    """Delete some of what belongs to embedders that no gateway had for a week; return whether there is more."""
    connection.execute("UPDATE spaces SET seen = now() WHERE id = %s AND seen < now() - interval '1 hour'", (space,))
    row = connection.execute(
        "SELECT id FROM spaces WHERE id <> %s AND seen < now() - %s::interval LIMIT 1", (space, _FORGOTTEN)
    ).fetchone()
    if row is None:
        return False
    (old,) = row
    for table in ("vectors", "embed_queue"):
        statement = sql.SQL(
            "DELETE FROM {0} WHERE space = %s AND rid IN (SELECT rid FROM {0} WHERE space = %s LIMIT %s)"
        )
        if connection.execute(statement.format(sql.Identifier(table)), (old, old, _SWEPT)).rowcount == _SWEPT:
            return True
    _drop_index(connection, old)
    connection.execute("DELETE FROM spaces WHERE id = %s", (old,))
    return True


def wants_index(connection: psycopg.Connection, space: Space) -> bool:
    """Say whether a space has grown so large that it should have an index, and has none."""
    row = connection.execute(
        "SELECT indexed, (SELECT count(*) FROM (SELECT FROM vectors WHERE space = %s LIMIT %s) v)"
        " FROM spaces WHERE id = %s",
        (space.id, INDEXED_FROM, space.id),
    ).fetchone()
    return row is not None and space.dims <= _MOST_DIMS and not row[0] and row[1] >= INDEXED_FROM


def build_index(connection: psycopg.Connection, space: Space, extension: Extension, lock: int) -> None:
    """Build a space's index while searches and writes go on, if no other gateway does; outside of a transaction.

    The connection is not used again: it waits as long as it takes, and has more memory.
    """
    try:
        mine = connection.execute(
            "SELECT pg_try_advisory_lock(%s::integer, %s::integer)", (lock, INDEX_LOCK)
        ).fetchone()
        if mine is None or not mine[0]:
            return
        connection.execute(
            "SELECT set_config('statement_timeout', '0', false), set_config('maintenance_work_mem', '256MB', false)"
        )
        # One that was not finished is no index.
        _drop_index(connection, space.id, concurrently=True)
        connection.execute(
            f"CREATE INDEX CONCURRENTLY {index_name(space.id)} ON vectors"
            f" USING hnsw ({cast('e', space.dims, extension)} {extension.name('halfvec_ip_ops')})"
            f" WITH (ef_construction = 128) WHERE space = {space.id:d}".encode()
        )
        # By what the planner knows of them, searches choose between the index and what passes.
        connection.execute("ANALYZE docs, vectors")
        connection.execute("UPDATE spaces SET indexed = true WHERE id = %s", (space.id,))
    finally:
        connection.close()


def index_name(space: int) -> str:
    """Return the name of a space's index."""
    return f"vectors_near_{space:d}"


def cast(value: str, dims: int, extension: Extension) -> str:
    """Return the expression that a space's index is made of: a vector of known length."""
    return f"(({value})::{extension.name(f'halfvec({dims:d})')})"


def _drop_index(connection: psycopg.Connection, space: int, *, concurrently: bool = False) -> None:
    way = "CONCURRENTLY " if concurrently else ""
    connection.execute(f"DROP INDEX {way}IF EXISTS {index_name(space)}".encode())
