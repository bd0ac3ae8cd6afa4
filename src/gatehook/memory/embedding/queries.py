"""Vectors of queries: remembered, made within a short time or not at all, and not asked for while that goes wrong."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import anyio
import numpy as np
from numpy.typing import NDArray

from gatehook.memory.embedding.embedder import Blame
from gatehook.memory.embedding.embedder import Embedder
from gatehook.memory.embedding.embedder import EmbeddingFailed
from gatehook.memory.embedding.embedder import embedded

_REMEMBERED: Final = 512
#: A query that is longer is cut.
_LONGEST: Final = 2_000
_REST: Final = 1.0
_LONGEST_REST: Final = 30.0


class QueryVectors:
    """Asks the embedder for the vectors of queries; searches must never wait for one that is slow or down."""

    def __init__(self, embedder: Embedder, seconds: float, now: Callable[[], float]) -> None:
        """``seconds`` is how long a vector may take; ``now`` a clock that never jumps."""
        self._embedder = embedder
        self._seconds = seconds
        self._now = now
        self._known: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._failures = 0
        self._open_until = 0.0
        self._reason = ""

    @property
    def failing(self) -> str:
        """Why the embedder is not asked now; ``""`` while it is."""
        return self._reason if self._failures and self._now() < self._open_until else ""

    def remembered(self, text: str) -> NDArray[np.float32] | None:
        """Return the vector of a query that was asked before."""
        key = _cleaned(text)
        if key not in self._known:
            return None
        self._known.move_to_end(key)
        return self._known[key]

    async def ask(self, text: str, at_most: float) -> NDArray[np.float32]:
        """Return a query's vector within ``at_most`` seconds, or less.

        Raises:
            EmbeddingFailed: with the reason; at once while the embedder is left alone after a failure.
        """
        if self.failing:
            raise EmbeddingFailed(self.failing)
        key, seconds = _cleaned(text), min(self._seconds, at_most)
        try:
            with anyio.fail_after(seconds):
                found: NDArray[np.float32] = (await embedded(self._embedder, [key], "query"))[0]
        except TimeoutError:
            failed = EmbeddingFailed(f"slow: no vector of the query within {seconds * 1_000:.0f} ms")
            self._failed(failed)
            raise failed from None
        except EmbeddingFailed as failed:
            self._failed(failed)
            raise
        self.recovered()
        self._remember(key, found)
        return found

    def recovered(self) -> None:
        """Take note that the embedder works."""
        self._failures = 0

    def forget(self) -> None:
        """Forget what is remembered: what makes vectors is another one now."""
        self._known.clear()

    def _failed(self, failed: EmbeddingFailed) -> None:
        if failed.blame is Blame.TEXTS:  # another query may be fine
            return
        self._failures += 1
        rest = min(_REST * 2 ** (self._failures - 1), _LONGEST_REST)
        self._open_until = self._now() + (rest if failed.retry_after is None else failed.retry_after)
        self._reason = failed.reason

    def _remember(self, key: str, vector: NDArray[np.float32]) -> None:
        self._known[key] = vector
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)


def _cleaned(text: str) -> str:
    """Return a query as text that can be sent: no half characters, no NUL."""
    return text[:_LONGEST].encode("utf-8", "replace").decode().replace("\0", " ")
