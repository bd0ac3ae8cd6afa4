"""What the memory statements share: the memory under test, and words to ask it with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from typing import ClassVar
from typing import Final

import anyio
import pytest

from gatehook.kinds.capabilities import MemoryCapabilities
from gatehook.kinds.memory import MemoryBackend
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.kinds.memory import SearchPage
from gatehook.testing import memory_probes as probes
from gatehook.testing.statements import Suite

EVERYTHING = (NamespaceSelector.everything(),)
NS = ("suite",)
#: Seconds within which an embedder that works is in time once, on a machine that has much else to do.
PATIENCE: Final = 5.0


def doc(id_: str, text: str = "plain words", **fields: Any) -> MemoryDoc:
    """Make a document."""
    return MemoryDoc(id=id_, text=text, **{"namespace": NS, "ts": 1_000, **fields})


def ids(page: SearchPage) -> list[str]:
    """Return a page's ids in order."""
    return [hit.stored.doc.id for hit in page.hits]


async def find(memory: MemoryBackend, text: str = "", *spaces: tuple[str, ...], **fields: Any) -> SearchPage:
    """Search in these namespaces and below, or everywhere."""
    selectors = tuple(NamespaceSelector(namespace=space) for space in spaces) or EVERYTHING
    return await memory.search(Query(**{"text": text, "namespaces": selectors, "timeout": 30.0, **fields}))


async def find_with_embedder(memory: MemoryBackend, text: str, **fields: Any) -> SearchPage:
    """Search as ``find``; again while the page says that the embedder is slow, for ``PATIENCE`` seconds at most.

    A page by words that says so is right, and an embedder that works is slow now and then on a busy machine.
    """
    page = await find(memory, text, **fields)
    with anyio.move_on_after(PATIENCE):
        while any(reason.startswith("embedder: slow") for reason in page.degraded):
            await anyio.sleep(0.05)
            page = await find(memory, text, **fields)
    return page


class MemoryStatements(Suite):
    """What all memory statements share: each test gets a memory of its own, over an empty directory.

    Attributes:
        opener: opens the memory over a directory (``memory_probes.OpenMemory``), wrapped in ``staticmethod``.
        manifest: the ``plugin.json`` that says what is declared.
        embedder: opens it with an embedder that the suite can break (``memory_probes.OpenEmbedding``), wrapped in
            ``staticmethod``; a memory that declares ``supportsVectors`` has it.
        kills: rounds of statement 31. fuzz: random texts of statement 14. bulk: documents of statement 34.
    """

    suite: ClassVar[str] = "memory"
    opener: ClassVar[probes.OpenMemory]
    manifest: ClassVar[Path]
    embedder: ClassVar[probes.OpenEmbedding | None] = None
    kills: ClassVar[int] = 12
    fuzz: ClassVar[int] = 300
    bulk: ClassVar[int] = 2_000

    @pytest.fixture
    def clock(self) -> probes.SetClock:
        """Give the memory's clock; market time is 1,000,000 until a test sets it."""
        return probes.SetClock()

    @pytest.fixture
    def capabilities(self) -> MemoryCapabilities:
        """Give what the manifest declares."""
        return probes.declared_in(self.manifest)

    @pytest.fixture
    async def memory(self, tmp_path: Path, clock: probes.SetClock) -> AsyncIterator[MemoryBackend]:
        """Open a memory over an empty directory."""
        async with type(self).opener(tmp_path, clock) as memory:
            yield memory

    def needs(self, word: str, declared: object) -> None:
        """Skip a statement whose capability is not declared."""
        if not declared:
            pytest.skip(f"the plugin does not declare {word}")
