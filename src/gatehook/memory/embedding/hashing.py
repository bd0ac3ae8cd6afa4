"""A test double: the same words make near vectors, on every machine. It knows no meaning."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Final

import numpy as np

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
        rows = np.zeros((len(texts), self._identity.dims), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in _words(text):
                self._add(row, word)
        return checked(rows, len(texts), self._identity.dims)

    def _add(self, row: Vectors, word: str) -> None:
        digest = hashlib.blake2b(f"{self._identity.model}\0{word}".encode(), digest_size=4 * _WEIGHTS).digest()
        for at in range(0, len(digest), 4):
            number = int.from_bytes(digest[at : at + 4], "big")
            row[(number >> 1) % len(row)] += 1.0 if number & 1 else -1.0


def _words(text: str) -> Iterator[str]:
    """Yield what two texts can share: words that mean something, and neighbours in a CJK run."""
    for unit in units_of(text):
        if unit.cjk and len(unit.words) > 1:
            yield from map("".join, zip(unit.words, unit.words[1:], strict=False))
        else:
            yield from (word for word in unit.words if word not in STOP_WORDS)
