"""Documents of one memory or file, written to another: only what differs, so that the same twice changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Protocol

import attrs

from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import MemoryStats
from gatehook.kinds.memory import Namespace
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.kinds.memory import SearchPage
from gatehook.kinds.memory import StoredDoc
from gatehook.kinds.memory import UpsertReport
from gatehook.memory.lines import portable
from gatehook.memory.rules import digest_of

Key = tuple[Namespace, str]


class Movable(Protocol):
    """What moving needs of a memory: a ``MemoryBackend`` has it, and so has the handle that guards one."""

    async def upsert(self, docs: Sequence[MemoryDoc], *, if_revision: Mapping[str, int] | None = None) -> UpsertReport:
        """Write documents."""

    async def get(self, namespace: Namespace, ids: Sequence[str]) -> list[StoredDoc | None]:
        """Return documents by id."""

    async def delete(self, namespace: Namespace, ids: Sequence[str]) -> int:
        """Delete documents."""

    async def forget(self, namespace: Namespace, ids: Sequence[str]) -> int:
        """Delete documents without a trace."""

    async def stats(self, namespace: NamespaceSelector | None = None) -> MemoryStats:
        """Count what is there."""

    async def search(self, query: Query) -> SearchPage:
        """Search."""

    def scan(self, namespace: NamespaceSelector, *, after: str | None = None) -> AsyncIterator[StoredDoc]:
        """Iterate over documents by (namespace, id)."""


@attrs.frozen(kw_only=True)
class Written:
    """What a batch came to: how many documents, and those that the memory refused, with its reason."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: tuple[tuple[MemoryDoc, str], ...] = ()

    def __add__(self, other: Written) -> Written:
        return Written(
            inserted=self.inserted + other.inserted,
            updated=self.updated + other.updated,
            unchanged=self.unchanged + other.unchanged,
            rejected=self.rejected + other.rejected,
        )


async def find(memory: Movable, docs: Iterable[MemoryDoc]) -> dict[Key, StoredDoc]:
    """Return those of these documents that a memory has, whatever they say there."""
    wanted: dict[Namespace, list[str]] = {}
    for doc in docs:
        wanted.setdefault(doc.namespace, []).append(doc.id)
    found: dict[Key, StoredDoc] = {}
    for namespace, ids in wanted.items():
        for stored in await memory.get(namespace, ids):
            if stored is not None:
                found[namespace, stored.doc.id] = stored
    return found


def is_same(doc: MemoryDoc, stored: StoredDoc | None) -> bool:
    """Say whether a memory has a document as it is; one without ``available_at`` does not say when it was known."""
    if stored is None:
        return False
    there = portable(stored)
    return digest_of(doc) == digest_of(there) and doc.available_at in (None, there.available_at)


async def write(memory: Movable, docs: Sequence[MemoryDoc]) -> Written:
    """Write those documents that differ; what is there already gets no new revision."""
    latest = {(doc.namespace, doc.id): doc for doc in docs}
    there = await find(memory, latest.values())
    differing = [doc for key, doc in latest.items() if not is_same(doc, there.get(key))]
    same = len(latest) - len(differing)
    if not differing:
        return Written(unchanged=same)
    report = await memory.upsert(differing)
    refused = _refused(differing, report)
    return Written(
        inserted=len(report.inserted),
        updated=len(report.updated),
        unchanged=same + len(report.unchanged),
        rejected=refused,
    )


def _refused(docs: Sequence[MemoryDoc], report: UpsertReport) -> tuple[tuple[MemoryDoc, str], ...]:
    """Pair refusals with their documents: they come in the order of the batch."""
    rest = iter(docs)
    pairs = []
    for id_, reason in report.rejected:
        doc = next((one for one in rest if one.id == id_), None)
        if doc is not None:
            pairs.append((doc, reason))
    return tuple(pairs)
