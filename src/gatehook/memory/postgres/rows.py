"""Documents as rows and back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any
from typing import Final

import attrs

from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import StoredDoc
from gatehook.kinds.times import Ns
from gatehook.memory.postgres.conditions import facts_of
from gatehook.memory.postgres.lexemes import vector_of
from gatehook.memory.postgres.texts import read_text
from gatehook.memory.postgres.texts import write_text
from gatehook.memory.scope import read_namespace
from gatehook.memory.scope import write_namespace

#: ``superseded_at`` of a revision that nothing supersedes.
NEVER: Final = (1 << 63) - 1
#: Writers of one namespace wait for each other, by its bucket; so that locks are few however many the namespaces.
BUCKETS: Final = 64

#: What ``read_document`` wants, in its order.
DOCUMENT: Final = (
    "d.ns, d.id, d.revision, d.ts, d.available_at, d.visible_at, d.expires_at, d.created_at, d.ingested_at,"
    " d.kind, d.prev_id, d.labels, d.meta, d.text"
)
_COLUMNS: Final = {
    "bucket": "smallint",
    "ns": "text",
    "id": "text",
    "past": "integer",
    "revision": "integer",
    "ts": "bigint",
    "available_at": "bigint",
    "visible_at": "bigint",
    "superseded_at": "bigint",
    "expires_at": "bigint",
    "created_at": "bigint",
    "ingested_at": "bigint",
    "kind": "text",
    "prev_id": "text",
    "labels": "text",
    "meta": "text",
    "digest": "text",
    "text": "text",
    "facts": "jsonb",
    "words": "integer",
    "lexemes": "tsvector",
}
_NAMES: Final = ", ".join(_COLUMNS)
#: A list of these travels as a list of text.
_AS_TEXT: Final = frozenset({"jsonb", "tsvector"})
_CASTS: Final = ", ".join(f"{name}::{kind}" for name, kind in _COLUMNS.items())
_LISTS: Final = ", ".join(f"%s::{'text' if kind in _AS_TEXT else kind}[]" for kind in _COLUMNS.values())
#: Writes many rows at once: a parameter is the list of a column's values.
INSERT: Final = f"INSERT INTO docs ({_NAMES}) SELECT {_CASTS} FROM unnest({_LISTS}) AS w({_NAMES})"  # noqa: S608  constants only


@attrs.frozen(kw_only=True)
class Revision:
    """A stored document and the span of time in which a search as of a time sees it; ``past`` 0 is the current one."""

    stored: StoredDoc
    digest: str
    visible_at: Ns
    superseded_at: Ns = NEVER
    past: int = 0


def bucket_of(ns: str) -> int:
    """Return the bucket of a written namespace."""
    return hashlib.blake2b(ns.encode(), digest_size=1).digest()[0] % BUCKETS


def write_revision(revision: Revision) -> tuple[object, ...]:
    """Return a row of ``INSERT``, without its neighbours' words."""
    doc, meta = revision.stored.doc, revision.stored
    ns = write_namespace(doc.namespace)
    vector = vector_of(doc, "", past=bool(revision.past))
    return (
        bucket_of(ns),
        ns,
        write_text(doc.id),
        revision.past,
        meta.revision,
        doc.ts,
        doc.available_at,
        revision.visible_at,
        revision.superseded_at,
        doc.expires_at,
        meta.created_at,
        meta.ingested_at,
        write_text(doc.kind),
        None if doc.prev_id is None else write_text(doc.prev_id),
        json.dumps(sorted(doc.tags)),
        json.dumps(dict(doc.meta)),
        revision.digest,
        write_text(doc.text),
        facts_of(doc),
        vector.words,
        vector.text,
    )


def read_document(row: Sequence[Any]) -> StoredDoc:
    """Build a document of a row of ``DOCUMENT`` columns."""
    ns, id_, revision, ts, known, visible, expires, created, ingested, kind, previous, labels, meta, text = row
    doc = MemoryDoc(
        id=read_text(id_),
        text=read_text(text),
        namespace=read_namespace(ns),
        ts=ts,
        kind=read_text(kind),
        tags=frozenset(json.loads(labels)),
        meta=_read_meta(meta),
        prev_id=None if previous is None else read_text(previous),
        available_at=known,
        expires_at=expires,
    )
    stored_since = None if visible == known else visible
    return StoredDoc(doc=doc, revision=revision, created_at=created, ingested_at=ingested, visible_at=stored_since)


def _read_meta(meta: str) -> dict[str, Any]:
    if meta == "{}":
        return {}
    return {key: tuple(value) if isinstance(value, list) else value for key, value in json.loads(meta).items()}
