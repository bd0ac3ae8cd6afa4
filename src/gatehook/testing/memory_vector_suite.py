"""Memory statements 28 to 30: an embedder that fails, that comes back, that is another one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from typing import ClassVar

import pytest

from gatehook.kinds.capabilities import MemoryCapabilities
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.memory import MemoryBackend
from gatehook.kinds.memory import SearchMode
from gatehook.testing import memory_probes as probes
from gatehook.testing.memory_statements import MemoryStatements
from gatehook.testing.memory_statements import doc
from gatehook.testing.memory_statements import find
from gatehook.testing.memory_statements import find_with_embedder
from gatehook.testing.memory_statements import ids

if TYPE_CHECKING:
    from gatehook.testing.embedding_server import EmbeddingServer
    from gatehook.testing.embedding_server import Fault

_TIMEOUT = 5.0
_MODES = (SearchMode.AUTO, SearchMode.HYBRID, SearchMode.VECTOR)


@pytest.mark.anyio
class VectorStatements(MemoryStatements):
    """What comes of vectors when their embedder is not what it was."""

    suite: ClassVar[str] = "memory"

    async def test_28_an_embedder_that_is_down_leaves_lexical_hits(
        self, tmp_path: Path, clock: probes.SetClock, capabilities: MemoryCapabilities
    ) -> None:
        async with self._server(capabilities) as server, self._opened(tmp_path, clock, server, "one") as memory:
            await memory.upsert([doc("before", "known already")])
            await memory.flush(vectors=True)
            for number, fault in enumerate(_faults()):
                await server.misbehave(fault)
                await memory.upsert([doc(f"d{number}", f"text{number} stays")])
                for mode in _MODES:
                    page = await find(memory, f"text{number}", mode=mode, timeout=_TIMEOUT)
                    assert (ids(page), page.mode_used) == ([f"d{number}"], SearchMode.LEXICAL), fault
                    assert [reason for reason in page.degraded if reason.startswith("embedder:")], fault
                    assert page.took_ms < _TIMEOUT * 1_000
                await server.behave()
                await memory.flush(vectors=True)
                page = await find_with_embedder(memory, f"stays text{number}", mode=SearchMode.VECTOR)
                assert (ids(page)[:1], page.degraded) == ([f"d{number}"], ()), fault

    async def test_29_documents_get_their_vectors_later(
        self, tmp_path: Path, clock: probes.SetClock, capabilities: MemoryCapabilities
    ) -> None:
        async with self._server(capabilities) as server:
            faults = _faults()
            async with self._opened(tmp_path, clock, server, "one") as memory:
                for number, fault in enumerate(faults):
                    await server.misbehave(fault)
                    await memory.upsert([doc(f"d{number}", f"text{number} waits")])
                    with suppress(ProviderError):
                        await memory.flush(vectors=True)
            await server.behave()
            async with self._opened(tmp_path, clock, server, "one") as memory:
                await memory.flush(vectors=True)
                for number, fault in enumerate(faults):
                    page = await find_with_embedder(memory, f"text{number}", mode=SearchMode.VECTOR)
                    assert (ids(page)[:1], page.mode_used) == ([f"d{number}"], SearchMode.VECTOR), fault
        wanted = {("one", f"text{number} waits") for number in range(len(faults))}
        assert wanted <= set(server.texts)

    async def test_30_vectors_of_two_embedders_are_never_mixed(
        self, tmp_path: Path, clock: probes.SetClock, capabilities: MemoryCapabilities
    ) -> None:
        async with self._server(capabilities) as server:
            # What the other model makes of one word is what the first one made of the other: mixed, the wrong is best.
            server.readings = {"one": {}, "two": {"alpha": "omega", "omega": "alpha"}}
            async with self._opened(tmp_path, clock, server, "one") as memory:
                await memory.upsert([doc("a", "alpha"), doc("o", "omega")])
                await memory.upsert([doc(f"n{n}", f"filler{n}") for n in range(80)])
                await memory.flush(vectors=True)
                assert await self._right(memory) == {SearchMode.HYBRID, SearchMode.VECTOR}
            for model in ("two", "one"):
                server.holds_back = "filler"
                async with self._opened(tmp_path, clock, server, model) as memory:
                    await self._right(memory)
                    await memory.upsert([doc(f"later-{model}", f"alpha written for {model}")])
                    await self._right(memory)
                    server.holds_back = ""
                    await memory.flush(vectors=True)
                    assert await self._right(memory) == {SearchMode.HYBRID, SearchMode.VECTOR}

    async def _right(self, memory: MemoryBackend) -> set[SearchMode]:
        """Search in every mode: what has the word is found, what the other model takes for it is not."""
        used = set()
        for word, right, wrong in (("alpha", "a", "o"), ("omega", "o", "a")):
            for mode in _MODES:
                page = await find_with_embedder(memory, word, mode=mode)
                found = ids(page)
                assert right in found, (word, mode, page)
                assert wrong not in found, (word, mode, page)
                assert (page.mode_used is SearchMode.LEXICAL) is bool(page.degraded), page
                used.add(page.mode_used)
        return used

    @asynccontextmanager
    async def _server(self, capabilities: MemoryCapabilities) -> AsyncIterator[EmbeddingServer]:
        self.needs("supportsVectors", capabilities.vectors)
        # Only here: its vectors need numpy, which a memory without vectors does not.
        from gatehook.testing.embedding_server import EmbeddingServer

        async with EmbeddingServer(probes.DIMS) as server:
            yield server

    @asynccontextmanager
    async def _opened(
        self, directory: Path, clock: probes.SetClock, server: EmbeddingServer, model: str
    ) -> AsyncIterator[MemoryBackend]:
        opener = type(self).embedder
        assert opener is not None, "a suite of a memory with vectors sets the attribute embedder"
        async with opener(directory, clock, server.url, model) as memory:
            yield memory


def _faults() -> list[Fault]:
    from gatehook.testing.embedding_server import Fault  # as above

    return list(Fault)
