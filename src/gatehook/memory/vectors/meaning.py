"""What a search needs for its leg of meaning: the space, its codes, the query's vector; or why there is none."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import anyio
from anyio.abc import TaskGroup

from gatehook.kinds.errors import Closed
from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.memory import Query
from gatehook.memory.embedding.queries import QueryVectors
from gatehook.memory.vectors.asking import NOT_ALL
from gatehook.memory.vectors.asking import NoVectors
from gatehook.memory.vectors.asking import vector_of
from gatehook.memory.vectors.codes import Codes
from gatehook.memory.vectors.dense import Dense
from gatehook.memory.vectors.file import VectorFile
from gatehook.memory.vectors.store import Space


class Meaning:
    """Gets a query ready for the dense leg without ever holding it up for long."""

    def __init__(
        self, file: VectorFile, queries: QueryVectors, tasks: Callable[[], TaskGroup], *, least: float, codes_bytes: int
    ) -> None:
        self.queries = queries
        self._file = file
        self._tasks = tasks
        self._least = least
        self._codes_bytes = codes_bytes
        self._codes: Codes | None = None
        self._space: Space | None = None
        self._loading: dict[object, anyio.Event] = {}

    @property
    def codes_bytes(self) -> int:
        """How much memory the codes take."""
        return 0 if self._codes is None else self._codes.size

    def enter(self, space: Space | None) -> None:
        """Compare in this space from now on; codes of another one are let go."""
        if space is None or self._space is None or space.id != self._space.id:
            self._codes = None if space is None else Codes(space.id, space.dims, self._codes_bytes)
        self._space = space

    def renew(self) -> None:
        """Let go of codes and of remembered queries: the space was emptied."""
        space, self._space = self._space, None
        self.queries.forget()
        self.enter(space)

    async def ready(self, query: Query) -> Dense:
        """Return the dense leg of a query, within a part of its time.

        Raises:
            NoVectors: with the reason.
        """
        space, codes = self._space, self._codes
        if space is None or codes is None:
            raise NoVectors("vectors: this file has none of this embedder")
        if not space.active:
            raise NoVectors(NOT_ALL)
        vector = await vector_of(self.queries, query)
        if not codes.covers(query.namespaces):
            await self._loaded(codes, query)
        return Dense(codes, space.id, vector, self._least)

    def is_remembered(self, query: Query) -> bool:
        """Say whether ``ready`` would answer at once."""
        codes, known = self._codes, self.queries.remembered(query.text)
        return known is not None and codes is not None and codes.covers(query.namespaces)

    async def _loaded(self, codes: Codes, query: Query) -> None:
        """Wait for the codes of a selection; they go on loading when this search cannot wait for them."""
        key = query.namespaces
        loading = self._loading.get(key)
        if loading is None:
            loading = self._loading[key] = anyio.Event()
            self._tasks().start_soon(self._load, codes, query, loading)
        with anyio.move_on_after(query.timeout / 3):
            await loading.wait()
        if not codes.covers(query.namespaces):
            raise NoVectors("vectors: their index is being read into memory")

    async def _load(self, codes: Codes, query: Query, loading: anyio.Event) -> None:
        try:
            await self._file.read(partial(codes.load, selectors=query.namespaces))
        except (Closed, StorageUnavailable):
            return  # the search that waits says that there is no index; the next one tries again
        finally:
            del self._loading[query.namespaces]
            loading.set()
