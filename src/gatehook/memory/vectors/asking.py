"""How a search comes to its mode: by words and meaning while it can, else by words with the reason."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from collections.abc import Callable
from typing import Final
from typing import Protocol
from typing import TypeVar

import anyio
import attrs
import numpy as np
from numpy.typing import NDArray

from gatehook.kinds.errors import CursorExpired
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.memory import Query
from gatehook.kinds.memory import SearchMode
from gatehook.kinds.memory import SearchPage
from gatehook.memory.embedding.embedder import EmbeddingFailed
from gatehook.memory.embedding.queries import QueryVectors
from gatehook.memory.ranking import read_cursor
from gatehook.memory.text import units_of

A = TypeVar("A")
B = TypeVar("B")

NOT_ALL: Final = "vectors: not all documents have one of this embedder yet"


class NoVectors(Exception):
    """A search goes by words only; the message is the reason, as a page's ``degraded`` has it."""


class ByWords(Protocol):
    """Searches by words; the page carries the reasons."""

    def __call__(self, query: Query, started: float, *degraded: str) -> Awaitable[SearchPage]:
        """Answer a query that was begun at ``started`` of ``time.perf_counter``."""


ByMeaning = Callable[[Query, float], Awaitable[SearchPage]]


async def routed(query: Query, by_meaning: ByMeaning, by_words: ByWords) -> SearchPage:
    """Answer a query as it asks to be, or by words where that cannot be.

    Raises:
        CursorExpired: when the pages before had vectors and this one cannot.
        TimeoutError: when it takes longer than the query's timeout.
    """
    started = time.perf_counter()
    best = SearchMode.VECTOR if query.mode is SearchMode.VECTOR else SearchMode.HYBRID
    mode = _mode_of_cursor(query, best)
    if query.mode is SearchMode.LEXICAL or not query.limit or not units_of(query.text):
        return await by_words(query, started)
    if mode is SearchMode.LEXICAL:
        return await by_words(query, started, "vectors: the first page was searched by words")
    try:
        with anyio.fail_after(query.timeout):
            return await by_meaning(attrs.evolve(query, mode=best), started)
    except NoVectors as missing:
        if query.cursor is not None:
            raise CursorExpired(f"the pages before this one had vectors ({missing}); ask for the first") from None
        return await by_words(query, started, str(missing))


async def by_words(
    search: Callable[[Query], Awaitable[SearchPage]], query: Query, started: float, degraded: tuple[str, ...]
) -> SearchPage:
    """Answer a query that was begun at ``started`` by a search by words, in what is left of its time."""
    left = max(query.timeout - since(started) / 1_000, 0.0)
    page = await search(attrs.evolve(query, mode=SearchMode.LEXICAL, timeout=left))
    return attrs.evolve(page, degraded=(*degraded, *page.degraded), took_ms=since(started))


def _mode_of_cursor(query: Query, best: SearchMode) -> SearchMode:
    """Return how the pages before this one were searched: scores of two modes make no one order."""
    try:
        read_cursor(attrs.evolve(query, mode=best))
    except CursorExpired:
        return SearchMode.LEXICAL
    return best


async def vector_of(queries: QueryVectors, query: Query) -> NDArray[np.float32]:
    """Return a query's vector, within half of its time.

    Raises:
        NoVectors: when there is none.
    """
    vector = queries.remembered(query.text)
    if vector is not None:
        return vector
    try:
        return await queries.ask(query.text, query.timeout / 2)
    except EmbeddingFailed as failed:
        raise NoVectors(f"embedder: {failed.reason}") from None


async def beside(words: Callable[[], Awaitable[A]], meaning: Callable[[], Awaitable[B]]) -> tuple[A, B]:
    """Search by words while the query's vector is made.

    Raises:
        NoVectors: when ``meaning`` does, and the words were read. ProviderError: what the memory raises.
    """
    found: list[A] = []
    made: list[B] = []
    failed: list[Exception] = []

    async def read() -> None:
        try:
            found.append(await words())
        except (ProviderError, TimeoutError) as error:
            failed.insert(0, error)

    async def make() -> None:
        try:
            made.append(await meaning())
        except NoVectors as missing:
            failed.append(missing)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        tasks.start_soon(make)
    if failed:
        raise failed[0]
    return found[0], made[0]


def since(started: float) -> float:
    """Return the milliseconds since a time of ``time.perf_counter``."""
    return (time.perf_counter() - started) * 1_000
