"""Namespaces as sortable text, and the opaque tokens of the ``scope`` column."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from gatehook.kinds.filters import And
from gatehook.kinds.filters import Eq
from gatehook.kinds.filters import Filter
from gatehook.kinds.filters import In
from gatehook.kinds.filters import is_encodable
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import Namespace
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query

#: The keys of ``meta`` that have tokens.
TOKEN_KEYS: Final = ("symbol", "account", "source")
#: The fields of a filter that have tokens in every index; an index may have more.
TOKEN_FIELDS: Final = frozenset({"tags", *(f"meta.{key}" for key in TOKEN_KEYS)})
#: No token is shorter; a shorter text cannot contain one.
TOKEN_LENGTH: Final = 18
# Segments end with \x01; the escapes keep the order of the segments' own characters, and \x01 out of them.
_ESCAPES: Final = {"\x00": "\x02\x02", "\x01": "\x02\x03", "\x02": "\x02\x04"}
_TABLE: Final = str.maketrans(_ESCAPES)
_ORIGINALS: Final = {escape: char for char, escape in _ESCAPES.items()}
_ESCAPED: Final = re.compile("\x02[\x02-\x04]")


@lru_cache(maxsize=1024)
def write_namespace(namespace: Namespace) -> str:
    """Return text that sorts as the tuple does and starts with the text of every ancestor."""
    return "".join(f"{segment.translate(_TABLE)}\x01" for segment in namespace)


@lru_cache(maxsize=1024)
def read_namespace(text: str) -> Namespace:
    """Return the tuple again."""
    return tuple(_ESCAPED.sub(lambda found: _ORIGINALS[found[0]], part) for part in text.split("\x01")[:-1])


def above(namespace: Namespace) -> str:
    """Return the first text that sorts behind a namespace and all below it."""
    return f"{write_namespace(namespace)[:-1]}\x02"


def scope_of(doc: MemoryDoc, *, past: bool) -> str:
    """Return the tokens of a document: its namespace, each ancestor of it, its tags, symbol, account and source."""
    tokens = [_namespace_tokens(doc.namespace, past), *(field_token("tags", tag) for tag in sorted(doc.tags))]
    for key in TOKEN_KEYS:
        if key in doc.meta:
            tokens += (field_token(f"meta.{key}", value) for value in _texts(doc.meta[key]))
    return " ".join(tokens)


@lru_cache(maxsize=1024)
def _namespace_tokens(namespace: Namespace, past: bool) -> str:
    ancestors = (namespace[:depth] for depth in range(1, len(namespace) + 1))
    tokens = [_namespace_token(one, exact=False, past=past) for one in ancestors]
    return " ".join([_namespace_token(namespace, exact=True, past=past), *tokens])


def _texts(value: object) -> Iterator[str]:
    members = value if isinstance(value, tuple | list) else (value,)
    yield from (member for member in members if isinstance(member, str))


def selector_tokens(selector: NamespaceSelector, *, with_past: bool) -> Iterator[str]:
    """Yield the tokens one of which every document of the selection has; past revisions have their own."""
    for past in (False, True) if with_past else (False,):
        yield _namespace_token(selector.namespace, exact=selector.exact, past=past)


def token_groups(query: Query, fields: frozenset[str] = TOKEN_FIELDS, most: int | None = None) -> list[list[str]]:
    """Return sets of tokens: what a query's namespaces and filter let pass has one of each.

    ``fields`` have tokens; so many sets as ``most`` are the filter's. Where there are none, tokens say nothing.
    """
    groups = [*_field_groups(query.filter, fields)][:most]
    if is_within(query.namespaces):
        with_past = query.as_of is not None
        known = [one for one in query.namespaces if all(map(is_encodable, one.namespace))]
        groups.insert(0, [token for one in known for token in selector_tokens(one, with_past=with_past)])
    return [group for group in groups if group]


def is_within(selectors: Iterable[NamespaceSelector]) -> bool:
    """Say whether none of these selects everything."""
    return all(selector.namespace or selector.exact for selector in selectors)


def _field_groups(filter_: Filter | None, fields: frozenset[str]) -> Iterator[list[str]]:
    match filter_:
        case And(parts):
            for part in parts:
                yield from _field_groups(part, fields)
        case Eq(field, str(value)) if field in fields:
            yield [field_token(field, value)]
        case In(field, values) if field in fields and values and all(isinstance(v, str) for v in values):
            yield [field_token(field, str(value)) for value in values]


@lru_cache(maxsize=4096)
def field_token(field: str, value: str) -> str:
    """Return the token of a field's value."""
    return _token("f", f"{field}\x00{value}")


def _namespace_token(namespace: Namespace, *, exact: bool, past: bool) -> str:
    return _token(("p" if past else "n") + ("x" if exact else "s"), write_namespace(namespace))


def _token(prefix: str, value: str) -> str:
    """Hash a value; the closing digit keeps the stemmer away."""
    return f"{prefix}{hashlib.blake2b(value.encode(), digest_size=8).hexdigest()}0"
