"""memory.backend: index and search what the gateway and its agents remember."""

from __future__ import annotations

from abc import ABC
from abc import abstractmethod
from collections.abc import AsyncIterator
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from enum import StrEnum

import attrs

from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.filters import Filter
from gatehook.kinds.filters import Scalar
from gatehook.kinds.provider import Provider
from gatehook.kinds.times import Ns

Namespace = tuple[str, ...]


def _namespace(value: Iterable[str]) -> Namespace:
    segments = () if isinstance(value, str) else tuple(value)
    if isinstance(value, str) or not all(isinstance(segment, str) and segment for segment in segments):
        raise ValueError(f"a namespace is a tuple of non-empty strings, not {value!r}")
    return segments


def _not_empty(_: object, __: object, value: Namespace) -> None:
    if not value:
        raise ValueError("a document's namespace is not empty")


def _tags(value: Iterable[str]) -> frozenset[str]:
    return frozenset(value)


def _selectors(value: Iterable[NamespaceSelector]) -> tuple[NamespaceSelector, ...]:
    return tuple(value)


def _hits(value: Iterable[Hit]) -> tuple[Hit, ...]:
    return tuple(value)


@attrs.frozen(kw_only=True)
class MemoryDoc:
    """One remembered text. ``ts`` is when it happened, ``available_at`` when it could be known (never before ``ts``;
    the clock's now by default). ``symbol``, ``account`` and ``source`` live in ``meta`` under these names.
    ``prev_id`` is the turn before this one in a conversation. The tag ``evergreen`` exempts a document from decay.
    """

    id: str
    text: str
    namespace: Namespace = attrs.field(converter=_namespace, validator=_not_empty)
    ts: Ns
    kind: str = "note"
    tags: frozenset[str] = attrs.field(default=frozenset(), converter=_tags)
    meta: Mapping[str, Scalar | tuple[Scalar, ...]] = attrs.field(factory=dict)
    prev_id: str | None = None
    available_at: Ns | None = None
    expires_at: Ns | None = None


@attrs.frozen(kw_only=True)
class StoredDoc:
    """A document with what the backend assigned. ``revision`` starts at 1 and rises when the content changes.

    ``visible_at`` is since when a search as of a time shows this revision, where that is not the document's
    ``available_at`` (``memory.rules.visible_from``); a memory without ``as_of`` leaves it out.
    """

    doc: MemoryDoc
    revision: int
    created_at: Ns
    ingested_at: Ns
    visible_at: Ns | None = None


@attrs.frozen(kw_only=True)
class NamespaceSelector:
    """One namespace (``exact``) or it and all below it. ``NamespaceSelector.everything()`` selects all, explicitly."""

    namespace: Namespace = attrs.field(converter=_namespace)
    exact: bool = False

    @classmethod
    def everything(cls) -> NamespaceSelector:
        """Select every namespace."""
        return cls(namespace=())


class SearchMode(StrEnum):
    """How to search; ``auto`` takes the best the backend has."""

    AUTO = "auto"
    LEXICAL = "lexical"
    VECTOR = "vector"
    HYBRID = "hybrid"


@attrs.frozen(kw_only=True)
class Query:
    """What to search. Any text is a safe query; an empty or punctuation-only one lists the newest first.

    ``half_life`` is in nanoseconds; ``now`` and ``as_of`` are times; ``timeout`` is in seconds. As of a time, a search
    sees only what happened until then, in the revision that was known then. ``explain`` asks for more ``parts`` of
    each hit: of each leg (lexical, vector) its rank and its raw and normalised score.
    """

    text: str = ""
    namespaces: tuple[NamespaceSelector, ...] = attrs.field(converter=_selectors)
    filter: Filter | None = None
    limit: int = 10
    cursor: str | None = None
    mode: SearchMode = SearchMode.AUTO
    half_life: int | None = None
    now: Ns | None = None
    as_of: Ns | None = None
    min_score: float | None = None
    snippet_chars: int = 240
    explain: bool = False
    timeout: float = 2.0

    def __attrs_post_init__(self) -> None:
        if not self.namespaces:
            raise ValueError("a search names its namespaces; NamespaceSelector.everything() selects all")
        if self.limit < 0:
            raise ValueError(f"limit is not negative, but {self.limit}")
        if self.half_life is not None and self.half_life <= 0:
            raise ValueError(f"half_life is above zero, but {self.half_life}")


@attrs.frozen(kw_only=True)
class Hit:
    """One result: score in [0, 1], a snippet, and where in the snippet the matches are (start, end)."""

    stored: StoredDoc
    score: float
    snippet: str
    spans: tuple[tuple[int, int], ...] = ()
    parts: Mapping[str, float] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class SearchPage:
    """Hits by score (descending), then ts (newest first), then id. ``degraded`` says what was left out and why."""

    hits: tuple[Hit, ...] = attrs.field(converter=_hits)
    cursor: str | None = None
    mode_used: SearchMode
    degraded: tuple[str, ...] = ()
    took_ms: float = 0.0


@attrs.frozen(kw_only=True)
class UpsertReport:
    """What an upsert did, by ids; ``rejected`` has the reason with each."""

    inserted: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    rejected: tuple[tuple[str, str], ...] = ()


@attrs.frozen(kw_only=True)
class MemoryStats:
    """What a backend holds. ``bytes_on_disk`` counts all its files."""

    documents: int
    namespaces: int
    bytes_on_disk: int
    oldest: Ns | None = None
    newest: Ns | None = None
    details: Mapping[str, Scalar] = attrs.field(factory=dict)


class IndexPart(StrEnum):
    """What ``reindex`` builds again out of the stored texts."""

    LEXICAL = "lexical"
    VECTORS = "vectors"
    ALL = "all"


@attrs.frozen(kw_only=True)
class Progress:
    """How far long work is: ``done`` of ``total`` (``None`` while it is not known) in the units of ``what``."""

    done: int
    total: int | None = None
    what: str = "documents"


class MemoryBackend(Provider, ABC):
    """What the author of a memory plugin implements. Every write is durable when it returns; ``aclose`` is
    ``__aexit__``, after which every method raises ``Closed``.
    """

    @abstractmethod
    async def upsert(self, docs: Sequence[MemoryDoc], *, if_revision: Mapping[str, int] | None = None) -> UpsertReport:
        """Write documents by (namespace, id): the same content changes nothing, other content makes a new revision.

        The batch is atomic but for documents that are invalid by themselves: those are named in ``rejected``, the rest
        is written. Of two with one id the last wins.

        Raises:
            Conflict: when a document's revision is not the one in ``if_revision``; nothing was written.
        """

    @abstractmethod
    async def get(self, namespace: Namespace, ids: Sequence[str]) -> list[StoredDoc | None]:
        """Return documents in the order of ``ids``, ``None`` for each that is missing or expired."""

    @abstractmethod
    async def delete(self, namespace: Namespace, ids: Sequence[str]) -> int:
        """Delete documents; return how many there were."""

    @abstractmethod
    async def search(self, query: Query) -> SearchPage:
        """Search. Read-your-writes holds for everything lexical.

        Raises:
            FilterError: for a filter that names an unknown field or has a bad value.
            CursorExpired: for a cursor that belongs to another query.
            UnsupportedCapability: for a mode, or an ``as_of``, that this memory does not declare.
            TimeoutError: when ``timeout`` passed.
        """

    @abstractmethod
    async def stats(self, namespace: NamespaceSelector | None = None) -> MemoryStats:
        """Count what is there."""

    async def forget(self, namespace: Namespace, ids: Sequence[str]) -> int:
        """Delete documents so that no byte of their text stays in any file; return how many there were."""
        raise UnsupportedCapability("this memory cannot prove that it forgot")

    def scan(
        self,
        namespace: NamespaceSelector,
        *,
        filter: Filter | None = None,  # noqa: A002  the word that Query uses
        after: str | None = None,
    ) -> AsyncIterator[StoredDoc]:
        """Iterate over documents by (namespace, id), from after ``memory.ranking.position(document)`` on."""
        raise UnsupportedCapability("this memory cannot be scanned")

    async def namespaces(self, prefix: Namespace = (), *, limit: int = 1000) -> Sequence[Namespace]:
        """Return the namespaces below a prefix, sorted."""
        raise UnsupportedCapability("this memory does not list its namespaces")

    async def flush(self, *, vectors: bool = False) -> None:
        """Return when everything written before is in the index on disk; with ``vectors`` also in every mode's.

        Raises:
            StorageUnavailable: what was written cannot be brought into the index; it is not lost.
        """
        return

    def reindex(self, part: IndexPart = IndexPart.ALL) -> AsyncIterator[Progress]:
        """Build an index again from the stored texts while searches go on; what was interrupted can be asked again."""
        raise UnsupportedCapability("this memory has no index to build again")

    async def maintain(self, budget: float) -> None:
        """Do what makes searches faster or files smaller, for about ``budget`` seconds. Called when nothing else is."""
        return
