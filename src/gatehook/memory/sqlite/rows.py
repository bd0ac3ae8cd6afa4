"""Documents as rows and back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from typing import Final
from typing import NamedTuple

from gatehook.kinds.filters import Scalar
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import StoredDoc
from gatehook.kinds.times import Ns
from gatehook.memory.scope import read_namespace
from gatehook.memory.scope import scope_of
from gatehook.memory.scope import write_namespace
from gatehook.memory.sqlite.conditions import EMPTY
from gatehook.memory.sqlite.conditions import stored
from gatehook.memory.sqlite.conditions import type_of
from gatehook.memory.sqlite.schema import NEVER
from gatehook.memory.text import spaced

#: What ``read_document`` wants, in its order.
DOCUMENT: Final = (
    "d.ns, d.id, d.revision, d.ts, d.available_at, d.expires_at, d.created_at, d.ingested_at,"
    " d.kind, d.prev_id, d.labels, d.meta, d.text, d.original, d.visible_at"
)
_WRITTEN: Final = (
    "ns, id, past, revision, ts, available_at, visible_at, superseded_at, expires_at, created_at, ingested_at,"
    " kind, prev_id, labels, meta, digest, text, original, tags, ctx, scope"
)
INSERT: Final = f"INSERT INTO docs ({_WRITTEN}, rid) VALUES ({', '.join('?' * 22)})"  # noqa: S608  constants only
UPDATE: Final = f"UPDATE docs SET ({_WRITTEN}) = ({', '.join('?' * 21)}) WHERE rid = ?"  # noqa: S608  constants only
FACT: Final = "INSERT OR IGNORE INTO facts VALUES (?, ?, ?, ?)"
# What ``json.dumps`` makes anew in every call.
_write_json: Final = json.JSONEncoder().encode


class Assigned(NamedTuple):
    """What a revision has besides its document: a search as of a time sees it from ``visible_at`` until before
    ``superseded_at``. ``past`` is 0 for the current one, else its revision.
    """

    revision: int
    available_at: Ns
    visible_at: Ns
    created_at: Ns
    ingested_at: Ns
    digest: str
    superseded_at: Ns = NEVER
    past: int = 0


def write_row(doc: MemoryDoc, assigned: Assigned, context: str) -> tuple[object, ...]:
    """Return the parameters of ``INSERT`` and ``UPDATE`` but their last, the row's number."""
    text, tags = spaced(doc.text), sorted(doc.tags)
    return (
        write_namespace(doc.namespace),
        doc.id,
        assigned.past,
        assigned.revision,
        doc.ts,
        assigned.available_at,
        assigned.visible_at,
        assigned.superseded_at,
        doc.expires_at,
        assigned.created_at,
        assigned.ingested_at,
        doc.kind,
        doc.prev_id,
        _write_json(tags) if tags else "[]",
        _write_json(dict(doc.meta)) if doc.meta else "{}",
        assigned.digest,
        text,
        None if text == doc.text else doc.text,
        spaced(" ".join(tags)),
        context,
        scope_of(doc, past=bool(assigned.past)),
    )


def read_document(row: Sequence[Any]) -> StoredDoc:
    """Build a document of a row of ``DOCUMENT`` columns."""
    ns, id_, revision, ts, known, expires, created, ingested, kind, previous, labels, meta, text, original, seen = row
    doc = MemoryDoc(
        id=id_,
        text=text if original is None else original,
        namespace=read_namespace(ns),
        ts=ts,
        kind=kind,
        tags=_read_tags(labels),
        meta=_read_meta(meta),
        prev_id=previous,
        available_at=known,
        expires_at=expires,
    )
    visible = None if seen == known else seen
    return StoredDoc(doc=doc, revision=revision, created_at=created, ingested_at=ingested, visible_at=visible)


@lru_cache(maxsize=1024)
def _read_tags(labels: str) -> frozenset[str]:
    return frozenset(json.loads(labels))


def _read_meta(meta: str) -> dict[str, Any]:
    if meta == "{}":
        return {}
    return {key: tuple(value) if isinstance(value, list) else value for key, value in json.loads(meta).items()}


def facts_of(rid: int, doc: MemoryDoc) -> Iterator[tuple[int, str, int, object]]:
    """Yield the parameters of ``FACT`` for everything filters may ask about beyond the columns."""
    for tag in doc.tags:
        yield rid, "tags", type_of(tag), tag
    for key, value in doc.meta.items():
        members: tuple[Scalar, ...] = tuple(value) if isinstance(value, tuple | list) else (value,)
        if not members:
            yield rid, f"meta.{key}", EMPTY, 0
        for member in members:
            yield rid, f"meta.{key}", type_of(member), stored(member)
