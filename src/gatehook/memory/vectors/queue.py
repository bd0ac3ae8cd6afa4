"""What waits for its vector: taken in reads, answered in writes, so that no text waits in memory only."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Final

from gatehook.kinds.times import Ns
from gatehook.memory.vectors import bytewise
from gatehook.memory.vectors.store import ATTEMPTS
from gatehook.memory.vectors.store import Job

_DIGESTS: Final = "SELECT rid, digest FROM docs WHERE rid IN (SELECT value FROM json_each(?))"


def take(connection: sqlite3.Connection, space: int, now: Ns, most: int) -> list[Job]:
    """Read what waits and may be asked for now, the newest first: what is written now is searched now."""
    rows = connection.execute(
        "SELECT q.rid, d.digest, coalesce(d.original, d.text) FROM embed_queue q JOIN docs d ON d.rid = q.rid"
        " WHERE q.space = ? AND q.attempts < ? AND q.not_before <= ? ORDER BY q.written_at DESC, q.rid DESC LIMIT ?",
        (space, ATTEMPTS, now, most),
    )
    return [Job(*row) for row in rows]


def waits_until(connection: sqlite3.Connection, space: int) -> Ns | None:
    """Return when the next text may be asked for, ``None`` when none waits."""
    sql = "SELECT min(not_before) FROM embed_queue WHERE space = ? AND attempts < ?"
    found: Ns | None = connection.execute(sql, (space, ATTEMPTS)).fetchone()[0]
    return found


def answer(connection: sqlite3.Connection, space: int, done: Sequence[tuple[Job, bytes | None]]) -> None:
    """Write vectors, and take their texts off the queue; ``None`` is a text that needs none.

    A document that changed since it was read keeps its place in the queue: its vector would be of another text.
    """
    digests = dict(connection.execute(_DIGESTS, (json.dumps([job.rid for job, _ in done]),)))
    same = [(job, vector) for job, vector in done if digests.get(job.rid) == job.digest]
    connection.executemany("DELETE FROM embed_queue WHERE space = ? AND rid = ?", [(space, job.rid) for job, _ in same])
    made = [(job.rid, vector) for job, vector in same if vector is not None]
    packed = bytewise.pack([vector for _, vector in made])
    # Another number, not the old one again: who has seen the old vector must see this one too.
    connection.executemany(
        "INSERT OR REPLACE INTO vec (space, rid, e) VALUES (?, ?, ?)",
        [(space, rid, row) for (rid, _), row in zip(made, packed, strict=True)],
    )


def refuse(connection: sqlite3.Connection, space: int, jobs: Sequence[Job], not_before: Ns) -> None:
    """Count an attempt that failed because of these texts."""
    connection.execute(
        "UPDATE embed_queue SET attempts = attempts + 1, not_before = ?"
        " WHERE space = ? AND rid IN (SELECT value FROM json_each(?))",
        (not_before, space, json.dumps([job.rid for job in jobs])),
    )


def note_served(connection: sqlite3.Connection, space: int, served: str) -> None:
    """Remember what the service called itself when the space got its first vectors."""
    connection.execute("UPDATE space SET served = ? WHERE id = ? AND served = ''", (served, space))
