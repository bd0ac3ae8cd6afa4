"""A sentence embedding model in a directory of this machine: ``model.onnx`` (int8 or not) and ``tokenizer.json``."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from typing import Final

import anyio
import anyio.to_thread
import attrs
import numpy as np
from numpy.typing import NDArray

from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes.embedding import MODEL_DIMENSION
from gatehook.diagnostics.codes.embedding import MODEL_UNREADABLE
from gatehook.diagnostics.codes.embedding import PACKAGE_MISSING
from gatehook.memory.embedding.embedder import Blame
from gatehook.memory.embedding.embedder import Embedder
from gatehook.memory.embedding.embedder import EmbedderIdentity
from gatehook.memory.embedding.embedder import EmbeddingFailed
from gatehook.memory.embedding.embedder import Kind
from gatehook.memory.embedding.embedder import Vectors
from gatehook.memory.embedding.embedder import checked

#: Axes of an answer with a vector for each text, and for each token of each text.
_OF_TEXTS, _OF_TOKENS = 2, 3
_INPUTS: Final = frozenset({"input_ids", "attention_mask", "token_type_ids"})


@attrs.frozen(kw_only=True)
class ModelDirectory:
    """Where the model is and how it is used.

    Attributes:
        path: the directory. dims: what its vectors must have. file: the model's name in it.
        pooling: ``mean`` of the tokens, or the first one (``cls``); a model that answers one vector a text needs none.
        max_tokens: what is longer is cut. threads: how many a run uses.
    """

    path: Path
    dims: int
    file: str = "model.onnx"
    pooling: str = "mean"
    max_tokens: int = 256
    query_prefix: str = ""
    document_prefix: str = ""
    batch: int = 32
    threads: int = 1


class OnnxEmbedder(Embedder):
    """Runs the model in threads of its own: one batch of documents at a time, and beside it one query.

    A query never waits behind a batch, which takes longer than a query's vector may.
    """

    metered = False

    def __init__(self, directory: ModelDirectory) -> None:
        self._directory = directory
        self.batch = directory.batch
        self._identity: EmbedderIdentity | None = None
        self._session: Any = None
        self._tokenizer: Any = None
        self._threads: Mapping[Kind, anyio.CapacityLimiter] = {
            "query": anyio.CapacityLimiter(1),
            "document": anyio.CapacityLimiter(1),
        }

    @property
    def identity(self) -> EmbedderIdentity:
        """The model by its file's digest: another file is another model."""
        if self._identity is None:
            raise RuntimeError("an embedder is opened before it is asked what it is")
        return self._identity

    async def open(self) -> None:
        """Load the model and try it on a word.

        Raises:
            GatehookError: ``memory.embedder-package``, ``memory.model-unreadable`` or ``memory.model-dimension``.
        """
        await anyio.to_thread.run_sync(self._open, limiter=self._threads["document"])

    def _open(self) -> None:
        one = self._directory
        tokenizer_file, model_file = one.path / "tokenizer.json", one.path / one.file
        for file in (tokenizer_file, model_file):
            if not file.is_file():
                raise _unreadable(one.path, f"it has no {file.name}")
        self._tokenizer = _tokenizer(one, tokenizer_file)
        self._session = _session(one, model_file)
        found = self._probed()
        if found != one.dims:
            raise GatehookError(MODEL_DIMENSION(path=one.path, found=found, expected=one.dims))
        self._identity = EmbedderIdentity(
            provider="onnx",
            model=f"{one.path.name} {_digest(model_file)}",
            dims=one.dims,
            pooling=one.pooling,
            tokenizer=_digest(tokenizer_file),
            query_prefix=one.query_prefix,
            document_prefix=one.document_prefix,
        )

    def _probed(self) -> int:
        try:
            return int(self._run(["probe"]).shape[1])
        except EmbeddingFailed as failed:
            raise _unreadable(self._directory.path, failed.reason) from failed

    async def embed(self, texts: Sequence[str], kind: Kind = "document") -> Vectors:
        """Run the model over texts; those of similar length are best run together."""
        one = self._directory
        prefix = one.query_prefix if kind == "query" else one.document_prefix
        prefixed = [f"{prefix}{text}" for text in texts]
        answer = await anyio.to_thread.run_sync(self._run, prefixed, limiter=self._threads[kind])
        return checked(answer, len(texts), one.dims)

    def _run(self, texts: Sequence[str]) -> NDArray[np.float32]:
        try:
            encoded = self._tokenizer.encode_batch(list(texts))
            tokens = {
                "input_ids": np.array([one.ids for one in encoded], dtype=np.int64),
                "attention_mask": np.array([one.attention_mask for one in encoded], dtype=np.int64),
                "token_type_ids": np.array([one.type_ids for one in encoded], dtype=np.int64),
            }
            wanted = [one.name for one in self._session.get_inputs()]
            answer = self._session.run(None, {name: tokens[name] for name in wanted})[0]
        except Exception as error:
            # The engines raise classes of their own for whatever a model makes of a text.
            raise EmbeddingFailed(f"the model cannot be run ({type(error).__name__})", Blame.TEXTS) from error
        return _pooled(np.asarray(answer), tokens, self._directory.pooling)


def _pooled(answer: NDArray[Any], tokens: Mapping[str, NDArray[np.int64]], pooling: str) -> NDArray[np.float32]:
    if answer.ndim == _OF_TEXTS:
        return answer.astype(np.float32)
    if answer.ndim != _OF_TOKENS:
        raise EmbeddingFailed(f"the model answers {answer.ndim} axes where a sentence has 2 or 3", Blame.SETTINGS)
    if pooling == "cls":
        return answer[:, 0].astype(np.float32)
    mask = tokens["attention_mask"][:, :, None].astype(np.float32)
    pooled: NDArray[np.float32] = (answer * mask).sum(axis=1) / np.maximum(mask.sum(axis=1), 1.0)
    return pooled.astype(np.float32)


def _tokenizer(one: ModelDirectory, file: Path) -> Any:
    try:
        import tokenizers
    except ImportError:
        raise GatehookError(PACKAGE_MISSING(type="onnx", package="tokenizers", extra="onnx")) from None
    try:
        tokenizer = tokenizers.Tokenizer.from_file(str(file))
    except Exception as error:
        # tokenizers raises bare exceptions.
        raise _unreadable(one.path, f"its {file.name} cannot be read: {error}") from error
    tokenizer.enable_truncation(one.max_tokens)
    tokenizer.enable_padding()
    return tokenizer


def _session(one: ModelDirectory, file: Path) -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise GatehookError(PACKAGE_MISSING(type="onnx", package="onnxruntime", extra="onnx")) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = one.threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # onnxruntime's errors have no common class that it publishes.
        raise _unreadable(one.path, f"its {file.name} cannot be loaded ({type(error).__name__})") from error
    unknown = {entry.name for entry in session.get_inputs()} - _INPUTS
    if unknown:
        raise _unreadable(one.path, f"it wants inputs that no text has: {', '.join(sorted(unknown))}")
    return session


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()[:16]


def _unreadable(path: Path, reason: str) -> GatehookError:
    return GatehookError(MODEL_UNREADABLE(path=path, reason=reason))
