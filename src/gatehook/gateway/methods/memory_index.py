"""Folders indexed now."""

from __future__ import annotations

from collections.abc import AsyncIterator
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gatehook.gateway.indexing.indexer import Indexer
from gatehook.gateway.methods.memory_work import progress_json
from gatehook.gateway.methods.memory_work import result_json
from gatehook.gateway.methods.method import Stream
from gatehook.gateway.params import Params
from gatehook.host import MemoryHandle
from gatehook.kinds.memory import Progress


class MemoryIndex:
    """``memory.index``. ``memory`` returns the handle of whatever fills the slot now, or raises."""

    def __init__(self, memory: Callable[[], MemoryHandle], indexer: Indexer) -> None:
        self._memory = memory
        self._indexer = indexer

    def table(self) -> dict[str, Stream]:
        """Return the methods by name."""
        return {"memory.index": Stream(self.index)}

    async def index(self, params: Params) -> AsyncIterator[Any]:
        """Index the folders, or what is at some paths in them; the last item says what changed in each."""
        self._memory()
        found = []
        async for one in self._indexer.ask([Path(path) for path in params.texts("paths")]).follow():
            if isinstance(one, Progress):
                yield progress_json(one)
            else:
                found.append(one.to_json())
        yield result_json({"folders": found})
