"""A test double: the same words make near vectors, on every machine. It knows no meaning."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gatehook.memory.embedding.embedder import Embedder
from gatehook.memory.embedding.embedder import EmbedderIdentity
from gatehook.memory.embedding.embedder import Kind
from gatehook.memory.embedding.embedder import Vectors
from gatehook.memory.embedding.embedder import checked
from gatehook.memory.text import STOP_WORDS
from gatehook.memory.text import units_of

_WEIGHTS: Final = 8


class HashingEmbedder(Embedder):
    """Hashes words into a few of the dimensions. Deterministic, without a model: for tests and measurements only."""

    batch = 64
    metered = False
    caveat = "hashing is a test double: it finds the same words, not the same meaning"

    def __init__(self, dims: int = 384, model: str = "words") -> None:
        self._identity = EmbedderIdentity(provider="hashing", model=model, dims=dims)

    @property
    def identity(self) -> EmbedderIdentity:
        """What it is: its model's name makes vectors of another space."""
        return self._identity

    async def embed(self, texts: Sequence[str], kind: Kind = "document") -> Vectors:
        """Return the sum of the words' vectors."""
        return self.vectors(texts)

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Return what ``embed`` does, to callers without a loop."""
        dims = self._identity.dims
        rows = [self._sum(text, dims) for text in texts]
        return checked(np.array(rows, dtype=np.float32).reshape(len(texts), dims), len(texts), dims)

    def _sum(self, text: str, dims: int) -> NDArray[np.float64]:
        words = b"".join(_numbers(self._identity.model, word) for word in _words(text))
        numbers = np.frombuffer(words, dtype=">u4").astype(np.int64)
        signs = (2 * (numbers & 1) - 1).astype(np.float64)
        return np.bincount((numbers >> 1) % dims, signs, dims).astype(np.float64)


@lru_cache(maxsize=32_768)
def _numbers(model: str, word: str) -> bytes:
    """Return what a word adds: a place and a sign in each number of four bytes."""
    return hashlib.blake2b(f"{model}\0{word}".encode(), digest_size=4 * _WEIGHTS).digest()


def _words(text: str) -> Iterator[str]:
    """Yield what two texts can share: words that mean something, and neighbours in a CJK run."""
    for unit in units_of(text):
        if unit.cjk and len(unit.words) > 1:
            yield from map("".join, zip(unit.words, unit.words[1:], strict=False))
        else:
            yield from (word for word in unit.words if word not in STOP_WORDS)
