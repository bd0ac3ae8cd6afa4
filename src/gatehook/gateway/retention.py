"""What ``[[memory.retention]]`` says is dropped: a bounded part of it at a time, the oldest first."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import AsyncGenerator
from collections.abc import Iterable
from contextlib import aclosing
from typing import Final

from gatehook.config.memory import RetentionConfig
from gatehook.gateway.recorder import NAMESPACE as TRADING
from gatehook.host import MemoryHandle
from gatehook.kinds.filters import And
from gatehook.kinds.filters import Eq
from gatehook.kinds.filters import Filter
from gatehook.kinds.filters import Lt
from gatehook.kinds.filters import Not
from gatehook.kinds.memory import Namespace
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import StoredDoc
from gatehook.kinds.times import Ns
from gatehook.memory.rules import EVERGREEN

#: So many documents are dropped at a time.
BATCH: Final = 500
_IS_EVERGREEN: Final = Eq("tags", EVERGREEN)

#: When it happened, where it is, its id, how many bytes of text it has: by this order the oldest go first.
_Found = tuple[Ns, Namespace, str, int]


async def drop_old(memory: MemoryHandle, rule: RetentionConfig, now: Ns) -> int:
    """Drop what is older than a rule keeps, at most ``BATCH``; return how many there were.

    Raises:
        ProviderError: the memory does not work, or cannot be scanned.
    """
    if rule.keep_ns is None:
        return 0
    old = And((Lt("ts", now - rule.keep_ns), Not(_IS_EVERGREEN)))
    found: list[_Found] = []
    async with aclosing(_documents(memory, rule, old)) as documents:
        async for one in documents:
            found.append(one)
            if len(found) == BATCH:
                break
    return await _drop(memory, found)


async def drop_excess(memory: MemoryHandle, rule: RetentionConfig) -> int:
    """Drop the oldest of what is more than a rule allows, at most ``BATCH``; return how many there were.

    Raises:
        ProviderError: the memory does not work, or cannot be scanned.
    """
    if rule.max_documents is None and rule.max_bytes is None:
        return 0
    spared = await _evergreen(memory, rule) if rule.spare_evergreen else frozenset()
    count = size = 0
    oldest: list[tuple[int, _Found]] = []
    async with aclosing(_documents(memory, rule, None)) as documents:
        async for one in documents:
            count, size = count + 1, size + one[3]
            if one[1:3] not in spared:
                _keep_oldest(oldest, one)
    return await _drop(memory, _too_much(sorted(one for _, one in oldest), rule, count, size))


async def _evergreen(memory: MemoryHandle, rule: RetentionConfig) -> frozenset[tuple[Namespace, str]]:
    async with aclosing(_documents(memory, rule, _IS_EVERGREEN)) as documents:
        return frozenset([(one[1], one[2]) async for one in documents])


def _keep_oldest(oldest: list[tuple[int, _Found]], one: _Found) -> None:
    """Keep the oldest ``BATCH`` in a heap whose first is the newest of them."""
    if len(oldest) < BATCH:
        heapq.heappush(oldest, (-one[0], one))
    elif -one[0] > oldest[0][0]:
        heapq.heapreplace(oldest, (-one[0], one))


def _too_much(oldest: Iterable[_Found], rule: RetentionConfig, count: int, size: int) -> list[_Found]:
    found = []
    for one in oldest:
        if count <= (rule.max_documents or count) and size <= (rule.max_bytes or size):
            break
        found.append(one)
        count, size = count - 1, size - one[3]
    return found


async def _documents(memory: MemoryHandle, rule: RetentionConfig, only: Filter | None) -> AsyncGenerator[_Found, None]:
    """Yield what a rule is about. One for everything leaves out the records of trading, which it does not name."""
    selector = NamespaceSelector(namespace=rule.parts)
    async for stored in memory.scan(selector, filter=only):
        if rule.parts or stored.doc.namespace[0] != TRADING:
            yield _found(stored)


def _found(stored: StoredDoc) -> _Found:
    doc = stored.doc
    return doc.ts, doc.namespace, doc.id, len(doc.text.encode())


async def _drop(memory: MemoryHandle, found: Iterable[_Found]) -> int:
    places: dict[Namespace, list[str]] = defaultdict(list)
    for _, namespace, doc_id, _ in found:
        places[namespace].append(doc_id)
    return sum([await memory.delete(namespace, ids) for namespace, ids in places.items()])
