"""One round over two memories: every document compared, what differs made equal."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from collections.abc import Callable
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any
from typing import Final

from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import StoredDoc
from gatehook.kinds.times import Ns
from gatehook.memory.lines import portable
from gatehook.memory.parity import MOST_NAMED
from gatehook.memory.parity import Tally
from gatehook.memory.parity import key_of
from gatehook.memory.parity import name_of
from gatehook.memory.writing import Key
from gatehook.memory.writing import Movable
from gatehook.memory.writing import find
from gatehook.memory.writing import is_same
from gatehook.memory.writing import write

_BATCH: Final = 100
_BATCH_CHARS: Final = 1_000_000


async def batches(memory: Movable, after: str | None) -> AsyncGenerator[list[StoredDoc], None]:
    """Scan a memory from a position on, some documents at a time; an empty batch is not yielded."""
    batch: list[StoredDoc] = []
    size = 0
    scan: Any = memory.scan(NamespaceSelector.everything(), after=after)
    async with aclosing(scan):
        async for stored in scan:
            batch.append(stored)
            size += len(stored.doc.text)
            if len(batch) == _BATCH or size >= _BATCH_CHARS:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch


class Round:
    """Compares two memories once, and mends the target.

    Attributes:
        mended: how many documents were made equal.
        extra: how many documents only the target has; the first are named in ``extra_examples``.
    """

    def __init__(
        self,
        source: Movable,
        target: Movable,
        tally: Tally,
        *,
        is_serving: Callable[[], bool],
        untouched: bool,
        since: Ns | None = None,
    ) -> None:
        """Make a round.

        ``is_serving``: others write to the target by now, so that what is newer there stays, and nothing is deleted.
        ``untouched``: the target had nothing of its own, so that what only it has was deleted at the source.
        ``since``: what a serving target lacks and the source had earlier than this was deleted there.
        """
        self._source = source
        self._target = target
        self._tally = tally
        self._is_serving = is_serving
        self._untouched = untouched
        self._since = since
        self.mended = 0
        self.extra = 0
        self.extra_examples: list[str] = []

    async def run(self) -> AsyncGenerator[int, None]:
        """Compare everything, then look for what only the target has; yields how many documents are done."""
        async with aclosing(self.compare()) as compared:
            async for done in compared:
                yield done
        async with aclosing(batches(self._target, None)) as found:
            async for batch in found:
                await self._look_for_extra(batch)

    async def compare(self) -> AsyncGenerator[int, None]:
        """Go through the source; yields how many of its documents are done."""
        done = 0
        async with aclosing(batches(self._source, None)) as found:
            async for batch in found:
                await self._compare(batch)
                done += len(batch)
                yield done

    async def _compare(self, batch: Sequence[StoredDoc]) -> None:
        here = {key_of(stored.doc): stored for stored in batch}
        there = await find(self._target, [stored.doc for stored in batch])
        differing = [key for key, stored in here.items() if self._is_behind(stored, there.get(key))]
        if differing:
            await self._mend(differing, here, there)
        for key, stored in here.items():
            self._tally.compare(stored, there.get(key))

    def _is_behind(self, stored: StoredDoc, there: StoredDoc | None) -> bool:
        if self._is_serving():
            if there is None:
                return self._since is None or stored.ingested_at >= self._since
            if there.ingested_at >= stored.ingested_at:
                return False
        return not is_same(portable(stored), there)

    async def _mend(self, keys: Sequence[Key], here: dict[Key, StoredDoc], there: dict[Key, StoredDoc]) -> None:
        """Make the target's documents those that the source has now; both sides are updated in place."""
        docs = [here.pop(key).doc for key in keys]
        for key in keys:
            there.pop(key, None)
        now = await find(self._source, docs)
        here.update(now)
        for doc in docs:
            if key_of(doc) not in now and not self._is_serving():
                self.mended += await _erase(self._target, doc)
        current = [portable(stored) for stored in now.values()]
        await write(self._target, current)
        there.update(await find(self._target, current))
        if not self._is_serving():
            await self._replace([doc for doc in current if not is_same(doc, there.get(key_of(doc)))], there)
        self.mended += sum(is_same(doc, there.get(key_of(doc))) for doc in current)

    async def _replace(self, docs: Sequence[MemoryDoc], there: dict[Key, StoredDoc]) -> None:
        """Write documents anew whose history in the target lets no revision be known as early as they state."""
        for doc in docs:
            if key_of(doc) in there:
                await self._target.delete(doc.namespace, [doc.id])
                await write(self._target, [doc])
        there.update(await find(self._target, docs))

    async def _look_for_extra(self, batch: Sequence[StoredDoc]) -> None:
        known = await find(self._source, [stored.doc for stored in batch])
        for stored in batch:
            if key_of(stored.doc) in known:
                continue
            if self._untouched and not self._is_serving():
                self.mended += await _erase(self._target, stored.doc)
                continue
            self.extra += 1
            if len(self.extra_examples) < MOST_NAMED:
                self.extra_examples.append(name_of(key_of(stored.doc)))


async def _erase(memory: Movable, doc: MemoryDoc) -> int:
    """Delete a document that the source deleted, without a trace where the memory can: it may have been forgotten."""
    try:
        return await memory.forget(doc.namespace, [doc.id])
    except UnsupportedCapability:
        return await memory.delete(doc.namespace, [doc.id])
