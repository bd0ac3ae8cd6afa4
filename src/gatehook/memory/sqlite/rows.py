"""Documents as rows and back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from typing import Final

import attrs

from gatehook.kinds.filters import Scalar
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import StoredDoc
from gatehook.kinds.times import Ns
from gatehook.memory.rules import digest_of
from gatehook.memory.sqlite.conditions import EMPTY
from gatehook.memory.sqlite.conditions import stored
from gatehook.memory.sqlite.conditions import type_of
from gatehook.memory.sqlite.schema import NEVER
from gatehook.memory.sqlite.scope import read_namespace
from gatehook.memory.sqlite.scope import scope_of
from gatehook.memory.sqlite.scope import write_namespace
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
INSERT: Final = f"INSERT INTO docs ({_WRITTEN}) VALUES ({', '.join('?' * 21)})"  # noqa: S608  constants only
UPDATE: Final = f"UPDATE docs SET ({_WRITTEN}) = ({', '.join('?' * 21)}) WHERE rid = ?"  # noqa: S608  constants only


@attrs.frozen(kw_only=True)
class Revision:
    """A stored document and the span of time in which a search as of a time sees it; ``past`` 0 is the current one."""

    stored: StoredDoc
    visible_at: Ns
    superseded_at: Ns = NEVER
    past: int = 0


def write_revision(revision: Revision) -> tuple[object, ...]:
    """Return the parameters of ``INSERT`` and ``UPDATE``; ``ctx`` is empty."""
    doc, meta = revision.stored.doc, revision.stored
    text = spaced(doc.text)
    return (
        write_namespace(doc.namespace),
        doc.id,
        revision.past,
        meta.revision,
        doc.ts,
        doc.available_at,
        revision.visible_at,
        revision.superseded_at,
        doc.expires_at,
        meta.created_at,
        meta.ingested_at,
        doc.kind,
        doc.prev_id,
        json.dumps(sorted(doc.tags)),
        json.dumps(dict(doc.meta)),
        digest_of(doc),
        text,
        None if text == doc.text else doc.text,
        spaced(" ".join(sorted(doc.tags))),
        "",
        scope_of(doc, past=bool(revision.past)),
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


def facts_of(doc: MemoryDoc) -> Iterator[tuple[str, int, object]]:
    """Yield (field, type, value) of everything filters may ask about beyond the columns."""
    for tag in doc.tags:
        yield "tags", type_of(tag), tag
    for key, value in doc.meta.items():
        members: tuple[Scalar, ...] = tuple(value) if isinstance(value, tuple | list) else (value,)
        if not members:
            yield f"meta.{key}", EMPTY, 0
        for member in members:
            yield f"meta.{key}", type_of(member), stored(member)
