"""A document as one line of canonical JSON, and back: what moves between memories, without what one of them assigned.

Two memories hold the same document exactly where its lines are equal. Revision, creation and ingestion are each
memory's own and are left out. ``available_at`` is the time from which the revision shows in a search as of a time: a
correction that repeats the old time was not known before it was written, and after a move it still is not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from typing import Final

import attrs

from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import StoredDoc
from gatehook.kinds.times import Ns
from gatehook.kinds.times import from_rfc3339
from gatehook.kinds.times import to_rfc3339

#: The version of the lines; it rises when a field changes its meaning or goes away.
SCHEMA_VERSION: Final = 1
#: The longest line that is read, in bytes.
MAX_LINE: Final = 1 << 25
_NEEDED: Final = frozenset({"namespace", "id", "text", "ts"})
#: What a memory assigned: written where it is asked for, never read.
_ASSIGNED: Final = "assigned"


class BadLineError(ValueError):
    """A line that is no document: the rule it breaks, and what to do about it."""

    def __init__(self, rule: str, remedy: str) -> None:
        super().__init__(f"{rule}. {remedy}")
        self.rule = rule
        self.remedy = remedy


def write_line(stored: StoredDoc, *, assigned: bool = False) -> str:
    """Return a document's line, without its end; with ``assigned`` also what its memory assigned."""
    doc = portable(stored)
    fields: dict[str, Any] = {
        "available_at": _written(doc.available_at),
        "expires_at": _written(doc.expires_at),
        "id": doc.id,
        "kind": doc.kind,
        "meta": {key: list(value) if isinstance(value, tuple) else value for key, value in doc.meta.items()},
        "namespace": list(doc.namespace),
        "prev_id": doc.prev_id,
        "tags": sorted(doc.tags),
        "text": doc.text,
        "ts": _written(doc.ts),
    }
    if assigned:
        fields[_ASSIGNED] = {
            "created_at": _written(stored.created_at),
            "ingested_at": _written(stored.ingested_at),
            "revision": stored.revision,
        }
    return canonical(fields)


def portable(stored: StoredDoc) -> MemoryDoc:
    """Return the document as another memory has to be given it."""
    doc = stored.doc
    if stored.visible_at is None or stored.visible_at == doc.available_at:
        return doc
    return attrs.evolve(doc, available_at=max(stored.visible_at, doc.ts))


def canonical(value: Mapping[str, Any]) -> str:
    """Return an object as JSON of which there is one form only: keys sorted, no spaces, text as it is."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _written(time: Ns | None) -> str | None:
    return None if time is None else to_rfc3339(time)


def new_digest() -> hashlib.blake2b:
    """Return the digest of an export's lines, to be fed with each and its line feed."""
    return hashlib.blake2b(digest_size=16)


def header_line() -> str:
    """Return the first line of an export."""
    return canonical({"gatehook": "memory", "schemaVersion": SCHEMA_VERSION})


def end_line(documents: int, digest: str) -> str:
    """Return the last line of an export."""
    return canonical({"digest": digest, "documents": documents})


def read_object(line: bytes) -> Mapping[str, Any]:
    """Read a line as a JSON object.

    Raises:
        BadLineError: for anything else.
    """
    if len(line) > MAX_LINE:
        raise BadLineError(f"it is longer than {MAX_LINE} bytes", "Leave the document out.")
    try:
        value = json.loads(line, object_pairs_hook=_distinct, parse_constant=_no_constant)
    except BadLineError:
        raise
    except (ValueError, RecursionError) as error:
        raise BadLineError(f"it is not JSON ({error})", "Write one JSON object a line, in UTF-8.") from None
    if not isinstance(value, dict):
        raise BadLineError("it is no JSON object", "Write one document a line: {…}.")
    return value


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for at, (key, _) in enumerate(pairs) if key in dict(pairs[:at]))
        raise BadLineError(f"it has {twice!r} twice", "Leave one of them out.")
    return found


def _no_constant(word: str) -> Any:
    raise BadLineError(f"{word} is no JSON number", "Write a finite number, or null.")


def read_document(fields: Mapping[str, Any]) -> MemoryDoc:
    """Build a document of a line's object. What was assigned is passed over.

    Raises:
        BadLineError: for a missing or unknown field, or a value of the wrong type.
    """
    missing = ", ".join(sorted(_NEEDED - fields.keys()))
    if missing:
        raise BadLineError(f"it lacks {missing}", "A document has at least namespace, id, text and ts.")
    unknown = ", ".join(sorted(fields.keys() - _READERS.keys() - {_ASSIGNED}))
    if unknown:
        raise BadLineError(f"it has the unknown field {unknown}", "Put what is your own into meta.")
    read: dict[str, Any] = {}
    for name, value in fields.items():
        if name == _ASSIGNED or (value is None and name not in _NEEDED):
            continue
        try:
            read[name] = _READERS[name](value)
        except (ValueError, TypeError, OverflowError) as error:
            raise BadLineError(f"{name}: {error}", _REMEDIES.get(name, "Write text.")) from None
    return MemoryDoc(**read)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, found {json.dumps(value)[:40]}")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"expected a list of texts, found {json.dumps(value)[:40]}")
    return tuple(_text(one) for one in value)


def _namespace(value: Any) -> tuple[str, ...]:
    segments = _texts(value)
    if not segments or not all(segments):
        raise ValueError("a namespace has at least one segment, and none is empty")
    return segments


def _time(value: Any) -> Ns:
    return from_rfc3339(_text(value))


def _meta(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"expected an object, found {json.dumps(value)[:40]}")
    return {key: _member(key, member) for key, member in value.items()}


def _member(key: str, value: Any) -> Any:
    return tuple(_scalar(key, one) for one in value) if isinstance(value, list) else _scalar(key, value)


def _scalar(key: str, value: Any) -> Any:
    if isinstance(value, dict | list):
        raise TypeError(f"{key!r} is neither text, a number, a bool, null, nor a list of these")
    return value


_TIME: Final = "Write a time with its offset, as 2026-01-31T09:30:00Z."
_REMEDIES: Final[Mapping[str, str]] = {
    "namespace": 'Write a list of texts, as ["journal","paper"].',
    "tags": "Write a list of texts.",
    "meta": "Write an object of plain values.",
    **dict.fromkeys(("ts", "available_at", "expires_at"), _TIME),
}
_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "available_at": _time,
    "expires_at": _time,
    "id": _text,
    "kind": _text,
    "meta": _meta,
    "namespace": _namespace,
    "prev_id": _text,
    "tags": _texts,
    "text": _text,
    "ts": _time,
}
