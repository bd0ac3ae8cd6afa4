"""A turn of a conversation is also found, at a lower weight, by the words of the turns beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs
import psycopg

from gatehook.memory.postgres.lexemes import Vector
from gatehook.memory.postgres.lexemes import certainly_fits
from gatehook.memory.postgres.lexemes import vector_of
from gatehook.memory.postgres.rows import DOCUMENT
from gatehook.memory.postgres.rows import read_document
from gatehook.memory.postgres.texts import read_text

#: So many characters of a neighbour are taken.
_PART: Final = 500
_AFFECTED: Final = """
SELECT w.ns, w.id FROM unnest(%s::text[], %s::text[]) AS w(ns, id)
WHERE EXISTS (SELECT FROM docs f WHERE f.ns = w.ns AND f.prev_id = w.id AND f.past = 0 AND f.prev_id IS NOT NULL)
UNION SELECT f.ns, f.id FROM unnest(%s::text[], %s::text[]) AS w(ns, id)
JOIN docs f ON f.ns = w.ns AND f.prev_id = w.id AND f.past = 0 AND f.prev_id IS NOT NULL
"""
_BESIDE: Final = f"""
SELECT d.rid, (SELECT left(p.text, {_PART}) FROM docs p WHERE p.ns = d.ns AND p.id = d.prev_id AND p.past = 0),
  ARRAY(SELECT left(f.text, {_PART}) FROM docs f
    WHERE f.ns = d.ns AND f.prev_id = d.id AND f.past = 0 AND f.prev_id IS NOT NULL ORDER BY f.id LIMIT 2),
  {DOCUMENT}
FROM unnest(%s::text[], %s::text[]) AS w(ns, id) JOIN docs d ON d.ns = w.ns AND d.id = w.id AND d.past = 0
"""  # noqa: S608  constants only
_WRITE: Final = (
    "UPDATE docs d SET lexemes = w.lexemes::tsvector, words = w.words"
    " FROM unnest(%s::bigint[], %s::text[], %s::integer[]) AS w(rid, lexemes, words) WHERE d.rid = w.rid"
)


@attrs.define
class Places:
    """Where in conversations something changed: documents by (written) namespace and id, and those before them."""

    changed: set[tuple[str, str]] = attrs.field(factory=set)
    beside: set[tuple[str, str]] = attrs.field(factory=set)

    def add(self, ns: str, id_: str, *previous: str) -> None:
        """Note a document that changed, and the turns that it follows or followed."""
        self.changed.add((ns, id_))
        if previous:
            self.beside.add((ns, id_))
            self.beside.update((ns, one) for one in previous)


def refresh(connection: psycopg.Connection, places: Places) -> None:
    """Write the neighbours' words into the vectors of everything beside a change."""
    spaces, ids = _columns(places.changed)
    found = {(ns, id_) for ns, id_ in connection.execute(_AFFECTED, (spaces, ids, spaces, ids))}
    affected = found | places.beside
    if affected:
        rewrite(connection, *_columns(affected))


def rewrite(connection: psycopg.Connection, spaces: list[str], ids: list[str]) -> int:
    """Build the vectors of current documents out of their texts again; return how many there are."""
    written = [*_vectors(connection, spaces, ids)]
    if written:
        rids, vectors = [rid for rid, _ in written], [vector for _, vector in written]
        connection.execute(_WRITE, (rids, [one.text for one in vectors], [one.words for one in vectors]))
    return len(written)


def _vectors(connection: psycopg.Connection, spaces: list[str], ids: list[str]) -> Iterator[tuple[int, Vector]]:
    for rid, before, after, *row in connection.execute(_BESIDE, (spaces, ids)).fetchall():
        doc = read_document(row).doc
        parts = [read_text(one) for one in (before, *after) if one]
        # A text that fills a vector by itself has no room for others' words.
        context = " ".join(parts) if certainly_fits(doc) else ""
        yield rid, vector_of(doc, context, past=False)


def _columns(places: set[tuple[str, str]]) -> tuple[list[str], list[str]]:
    ordered = sorted(places)
    return [ns for ns, _ in ordered], [id_ for _, id_ in ordered]
