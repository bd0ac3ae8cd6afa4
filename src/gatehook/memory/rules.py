"""What every memory decides alike about a document: is it valid, what is its content, since when is it known."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Final

from gatehook.kinds.errors import FilterError
from gatehook.kinds.filters import Scalar
from gatehook.kinds.filters import check_scalar
from gatehook.kinds.filters import is_encodable
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import Namespace
from gatehook.kinds.times import Ns

#: A document with this tag does not decay.
EVERGREEN: Final = "evergreen"
_MAX_ID: Final = 1_000
# What ``json.dumps`` makes anew in every call.
_write_json: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def fault_of(doc: MemoryDoc, max_bytes: int) -> str | None:
    """Return why a document is invalid by itself, or ``None``."""
    for where, value in _texts(doc):
        if not isinstance(value, str) or not (value or where == "text"):
            return f"{where} is text and not empty, not {value!r}"
    if len(doc.id) > _MAX_ID:
        return f"an id has at most {_MAX_ID} characters"
    return _fault_of_times(doc) or _fault_of_values(doc, max_bytes)


def _texts(doc: MemoryDoc) -> Iterator[tuple[str, object]]:
    yield "id", doc.id
    yield "kind", doc.kind
    yield "text", doc.text
    if doc.prev_id is not None:
        yield "prev_id", doc.prev_id
    yield from (("a tag", tag) for tag in doc.tags)
    yield from (("a key of meta", key) for key in doc.meta)


def _fault_of_times(doc: MemoryDoc) -> str | None:
    for name in ("ts", "available_at", "expires_at"):
        value = getattr(doc, name)
        optional = name != "ts" and value is None
        if not optional and (not isinstance(value, int) or isinstance(value, bool)):
            return f"{name} is an int of nanoseconds, not {value!r}"
    if doc.available_at is not None and doc.available_at < doc.ts:
        return "available_at is before ts"
    return None


def _fault_of_values(doc: MemoryDoc, max_bytes: int) -> str | None:
    try:
        for value in _scalars(doc):
            check_scalar(value)
    except FilterError as error:
        return error.message
    size = len(doc.text) if doc.text.isascii() else len(doc.text.encode())
    return f"text has {size} bytes, at most {max_bytes} are taken" if size > max_bytes else None


def _scalars(doc: MemoryDoc) -> Iterator[object]:
    yield from (doc.id, doc.text, doc.kind, doc.prev_id, doc.ts, doc.available_at, doc.expires_at)
    yield from doc.namespace
    yield from doc.tags
    for key, value in doc.meta.items():
        yield key
        yield from value if isinstance(value, tuple | list) else (value,)


def possible_ids(namespace: Namespace, ids: Sequence[str]) -> list[str]:
    """Return the distinct ids that a document can have there: none with a lone surrogate can be stored."""
    if not all(is_encodable(segment) for segment in namespace):
        return []
    return [id_ for id_ in dict.fromkeys(ids) if is_encodable(id_)]


def digest_of(doc: MemoryDoc) -> str:
    """Return a digest of a document's content: everything but its id, namespace and ``available_at``."""
    content = [doc.text, doc.ts, doc.kind, sorted(doc.tags), doc.meta, doc.prev_id, doc.expires_at]
    return hashlib.blake2b(_write_json(content).encode(), digest_size=16).hexdigest()


def available_at(doc: MemoryDoc, now: Ns) -> Ns:
    """Return since when a document is said to be known: what it states, else now, never before it happened."""
    return max(now, doc.ts) if doc.available_at is None else doc.available_at


def visible_from(stated: Ns, now: Ns, previous: Ns | None) -> Ns:
    """Return from when on a revision shows in a search as of a time.

    A first revision, and a later one that states a later time than the one before (an import of history), show from
    the stated time on. A correction that only repeats the old time was not known before it was written: it shows from
    now on.
    """
    if previous is None or stated > previous:
        return stated
    return max(stated, now)


def fields_of(doc: MemoryDoc) -> Mapping[str, Scalar | tuple[Scalar, ...]]:
    """Return the fields that filters see, of a document as it is stored."""
    fields: dict[str, Any] = {"kind": doc.kind, "ts": doc.ts, "tags": tuple(sorted(doc.tags))}
    if doc.available_at is not None:
        fields["available_at"] = doc.available_at
    for key, value in doc.meta.items():
        fields[f"meta.{key}"] = tuple(value) if isinstance(value, tuple | list) else value
    return fields
