"""Searches of the control socket: from parameters to a query, from hits to JSON."""

from __future__ import annotations

import re
from typing import Any
from typing import Final

from gatehook.gateway.params import Params
from gatehook.kinds.filters import And
from gatehook.kinds.filters import Eq
from gatehook.kinds.filters import Filter
from gatehook.kinds.memory import Hit
from gatehook.kinds.memory import Namespace
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.kinds.memory import SearchMode
from gatehook.kinds.memory import SearchPage
from gatehook.kinds.memory import StoredDoc
from gatehook.kinds.times import DAY
from gatehook.kinds.times import HOUR
from gatehook.kinds.times import MINUTE
from gatehook.kinds.times import SECOND
from gatehook.kinds.times import Ns
from gatehook.kinds.times import from_rfc3339
from gatehook.kinds.times import to_rfc3339

_LENGTH: Final = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)([smhdw])", re.ASCII)
_UNITS: Final = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}


def namespace_of(params: Params) -> Namespace:
    """Return the namespace that a request names, its parts separated by ``/``; empty where it names none."""
    return tuple(part for part in (params.maybe("namespace") or "").split("/") if part)


def query_of(params: Params, now: Ns) -> Query:
    """Return the query that a request means."""
    as_of = params.maybe_read("as_of", from_rfc3339)
    return Query(
        text=params.maybe("text") or "",
        namespaces=(NamespaceSelector(namespace=namespace_of(params)),),
        filter=_filter(params),
        limit=params.integer("limit", 10, most=1000),
        cursor=params.maybe("cursor"),
        mode=params.maybe_read("mode", SearchMode) or SearchMode.AUTO,
        half_life=params.maybe_read("half_life", _length),
        now=now if as_of is None else as_of,
        as_of=as_of,
        min_score=params.maybe_read("min_score", float),
        explain=params.flag("explain"),
        timeout=5.0,  # within the request's own deadline
    )


def _length(text: str) -> int:
    match = _LENGTH.fullmatch(text)
    if match is None or float(match[1]) <= 0:
        raise ValueError(f"{text!r} is no length of time like 7d; its unit is s, m, h, d or w")
    return round(float(match[1]) * _UNITS[match[2]])


def _filter(params: Params) -> Filter | None:
    parts: list[Filter] = [Eq("tags", tag) for tag in params.texts("tags")]
    for name, field in (("symbol", "meta.symbol"), ("account", "meta.account"), ("kind", "kind")):
        if (value := params.maybe(name)) is not None:
            parts.append(Eq(field, value))
    return And(tuple(parts)) if parts else None


def page_json(page: SearchPage) -> dict[str, Any]:
    """Return a page as JSON."""
    return {
        "schemaVersion": 1,
        "hits": [_hit(hit) for hit in page.hits],
        "cursor": page.cursor,
        "mode": str(page.mode_used),
        "degraded": list(page.degraded),
        "tookMs": page.took_ms,
    }


def _hit(hit: Hit) -> dict[str, Any]:
    return {
        **document_json(hit.stored),
        "score": hit.score,
        "snippet": hit.snippet,
        "spans": [list(span) for span in hit.spans],
        "parts": dict(hit.parts),
    }


def document_json(stored: StoredDoc) -> dict[str, Any]:
    """Return a document as JSON."""
    doc = stored.doc
    return {
        "id": doc.id,
        "namespace": list(doc.namespace),
        "kind": doc.kind,
        "ts": to_rfc3339(doc.ts),
        "text": doc.text,
        "tags": sorted(doc.tags),
        "meta": {key: list(value) if isinstance(value, tuple) else value for key, value in doc.meta.items()},
        "revision": stored.revision,
    }
