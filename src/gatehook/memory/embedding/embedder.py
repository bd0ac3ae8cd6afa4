"""What every embedder is, what it says of itself, and how it fails."""

from __future__ import annotations

import json
from abc import ABC
from abc import abstractmethod
from collections.abc import Sequence
from enum import StrEnum
from typing import Any
from typing import Final
from typing import Literal

import attrs
import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Kind = Literal["query", "document"]
_AXES: Final = 2


@attrs.frozen(kw_only=True)
class EmbedderIdentity:
    """Everything that decides what a text's vector is. Vectors of two identities are never compared.

    Attributes:
        provider: the type of embedder. model: the model's name, with a digest of its file where there is one.
        dims: how many numbers a vector has. pooling: how token vectors become one. normalised: whether vectors have
            length 1 when they are stored. tokenizer: a digest of the tokenizer's file.
        query_prefix, document_prefix: what is written before a text.
    """

    provider: str
    model: str
    dims: int
    pooling: str = ""
    normalised: bool = True
    tokenizer: str = ""
    query_prefix: str = ""
    document_prefix: str = ""

    def to_json(self) -> str:
        """Return the identity as text that is equal where the identity is."""
        return json.dumps(attrs.asdict(self), sort_keys=True, separators=(",", ":"))

    def __str__(self) -> str:
        return f"{self.provider} {self.model} ({self.dims})"


class Blame(StrEnum):
    """What has to change before it can work: the ``service`` (time helps), the ``settings``, or these ``texts``."""

    SERVICE = "service"
    SETTINGS = "settings"
    TEXTS = "texts"


class EmbeddingFailed(Exception):
    """No vectors came of it.

    Attributes:
        reason: a short phrase without secrets and without text of the service.
        blame: whether, and when, asking again can help.
        retry_after: seconds of silence that the service asked for.
    """

    def __init__(self, reason: str, blame: Blame = Blame.SERVICE, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.blame = blame
        self.retry_after = retry_after


class Embedder(ABC):
    """Makes vectors of texts. One of your own derives from it, and says what it is and what it answers.

    Attributes:
        batch: how many texts it takes at once. concurrency: how many batches side by side.
        metered: whether a request costs more than time of this machine, so that they are counted by the hour.
        caveat: what everybody should know who relies on it; ``""`` where there is nothing.
        served: what its service says it answers with, after an answer; ``""`` where nothing says so.
    """

    batch: int = 32
    concurrency: int = 1
    metered: bool = True
    caveat: str = ""
    served: str = ""

    @property
    @abstractmethod
    def identity(self) -> EmbedderIdentity:
        """What it is; known after ``open``, and the same from then on."""

    @abstractmethod
    async def embed(self, texts: Sequence[str], kind: Kind = "document") -> Vectors:
        """Return one row for each text, as ``float32``.

        Raises:
            EmbeddingFailed: with the reason.
        """

    async def open(self) -> None:
        """Make ready what is on this machine. A service that does not answer is no error here.

        Raises:
            GatehookError: when it can never work as configured.
        """
        return

    def hold_to(self, served: str) -> None:
        """From now on take no answer of a service that calls itself something else; ``""`` takes any."""
        return


async def embedded(embedder: Embedder, texts: Sequence[str], kind: Kind) -> Vectors:
    """Ask an embedder, and check what it answers.

    Raises:
        EmbeddingFailed: whatever went wrong.
    """
    try:
        answer = await embedder.embed(texts, kind)
    except EmbeddingFailed:
        raise
    except Exception as error:
        # An embedder is somebody's code: what it raises must not end the task that fills the vectors.
        raise EmbeddingFailed(f"it raises {type(error).__name__}", Blame.SETTINGS) from error
    return checked(answer, len(texts), embedder.identity.dims)


def checked(answer: Any, count: int, dims: int) -> Vectors:
    """Return an answer as vectors of length 1.

    Raises:
        EmbeddingFailed: when it has not ``count`` rows of ``dims`` finite numbers.
    """
    try:
        vectors = np.asarray(answer, dtype=np.float32)
    except (TypeError, ValueError):
        raise EmbeddingFailed("it answers something else than numbers", Blame.SETTINGS) from None
    if vectors.ndim != _AXES or vectors.shape[1] != dims:
        found = vectors.shape[1] if vectors.ndim == _AXES else "no"
        raise EmbeddingFailed(f"its vectors have {found} dimensions, not {dims}", Blame.SETTINGS)
    if vectors.shape[0] != count:
        raise EmbeddingFailed(f"it answers {vectors.shape[0]} vectors for {count} texts", Blame.SETTINGS)
    if not np.isfinite(vectors).all():
        raise EmbeddingFailed("its vectors hold numbers that are none (NaN or infinity)", Blame.TEXTS)
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
