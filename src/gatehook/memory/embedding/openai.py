"""An endpoint that speaks the embeddings call of the OpenAI API, of whatever provider or server."""

from __future__ import annotations

import base64
import json
import math
import time
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

import anyio
import attrs
import httpx2
import numpy as np

from gatehook.memory.embedding.embedder import Blame
from gatehook.memory.embedding.embedder import Embedder
from gatehook.memory.embedding.embedder import EmbedderIdentity
from gatehook.memory.embedding.embedder import EmbeddingFailed
from gatehook.memory.embedding.embedder import Kind
from gatehook.memory.embedding.embedder import Vectors
from gatehook.memory.embedding.embedder import checked

if TYPE_CHECKING:
    from gatehook.secrets import Secret

_TEXTS_AT_FAULT: Final = frozenset({400, 413, 422})
_SERVICE_AT_FAULT: Final = frozenset({408, 409, 425, 429})
#: A number in JSON has at most so many bytes; an answer that is longer than its numbers is not read to its end.
_NUMBER: Final = 32
_SPARE: Final = 65_536
_LONGEST_SILENCE: Final = 3_600.0


@attrs.frozen(kw_only=True)
class Endpoint:
    """Where the endpoint is and how it is asked.

    Attributes:
        url: the base, as ``https://host/v1``, or the whole address of the call. key: sent as a bearer token.
        dims: how many numbers its vectors have. ask_dims: whether the request names ``dimensions``.
        batch: texts in a request, at most. concurrency: requests side by side. timeout: seconds for a request.
    """

    url: str
    model: str
    dims: int
    key: Secret | None = None
    query_prefix: str = ""
    document_prefix: str = ""
    ask_dims: bool = False
    batch: int = 32
    concurrency: int = 2
    timeout: float = 30.0

    @property
    def address(self) -> str:
        """The address of the call."""
        base = self.url.rstrip("/")
        return base if base.endswith("/embeddings") else f"{base}/embeddings"


class OpenAIEmbedder(Embedder):
    """Asks an endpoint over the entry's own HTTP client."""

    def __init__(self, endpoint: Endpoint, client: Callable[[], httpx2.AsyncClient]) -> None:
        self._endpoint = endpoint
        self._client = client
        self._held_to = ""
        self.batch = endpoint.batch
        self.concurrency = endpoint.concurrency

    @property
    def identity(self) -> EmbedderIdentity:
        """The model as configured: an address is no part of it, so that an endpoint can move."""
        one = self._endpoint
        return EmbedderIdentity(
            provider="openai",
            model=one.model,
            dims=one.dims,
            query_prefix=one.query_prefix,
            document_prefix=one.document_prefix,
        )

    def hold_to(self, served: str) -> None:
        """Refuse answers that name another model: their vectors would be of another space."""
        self._held_to = served

    async def embed(self, texts: Sequence[str], kind: Kind = "document") -> Vectors:
        """Ask for the vectors of these texts, in one request."""
        one = self._endpoint
        prefix = one.query_prefix if kind == "query" else one.document_prefix
        body: dict[str, Any] = {
            "model": one.model,
            "input": [f"{prefix}{text}" for text in texts],
            "encoding_format": "float",
        }
        if one.ask_dims:
            body["dimensions"] = one.dims
        answer = await self._ask(body, len(texts) * one.dims * _NUMBER + _SPARE)
        vectors = checked(_rows(answer), len(texts), one.dims)
        served = str(answer.get("model") or "")
        if self._held_to and served != self._held_to:
            reason = f"it answers with the model {served!r}; the vectors here are of {self._held_to!r}"
            raise EmbeddingFailed(reason, Blame.SETTINGS)
        self.served = served
        return vectors

    async def _ask(self, body: Mapping[str, Any], most: int) -> Mapping[str, Any]:
        try:
            with anyio.fail_after(self._endpoint.timeout):
                return await self._post(body, most)
        except TimeoutError:
            raise EmbeddingFailed(f"no answer within {self._endpoint.timeout:g} s") from None
        except httpx2.InvalidURL:
            raise EmbeddingFailed("its url is none", Blame.SETTINGS) from None
        except httpx2.UnsupportedProtocol:
            raise EmbeddingFailed("its url begins with neither http:// nor https://", Blame.SETTINGS) from None
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            raise EmbeddingFailed(f"no connection ({type(error).__name__})") from None

    async def _post(self, body: Mapping[str, Any], most: int) -> Mapping[str, Any]:
        key = self._endpoint.key
        headers = {} if key is None else {"Authorization": f"Bearer {key.reveal()}"}
        request = self._client().stream(
            "POST", self._endpoint.address, json=body, headers=headers, timeout=self._endpoint.timeout
        )
        async with request as reply:
            if reply.status_code != HTTPStatus.OK:
                raise _refusal(reply.status_code, reply.headers.get("retry-after"), await _read(reply, _SPARE))
            return _parsed(await _read(reply, most))


async def _read(reply: httpx2.Response, most: int) -> bytes:
    pieces, size = [], 0
    async for piece in reply.aiter_bytes():
        pieces.append(piece)
        size += len(piece)
        if size > most:
            raise EmbeddingFailed("its answer is longer than its vectors can be", Blame.SETTINGS)
    return b"".join(pieces)


def _parsed(content: bytes) -> Mapping[str, Any]:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        raise EmbeddingFailed("its answer is no JSON", Blame.SETTINGS) from None
    if not isinstance(answer, dict) or not isinstance(answer.get("data"), list):
        raise EmbeddingFailed("its answer has no list of data", Blame.SETTINGS)
    return answer


def _rows(answer: Mapping[str, Any]) -> list[Any]:
    """Return the vectors in the order of the texts; an answer may be in another one."""
    try:
        rows = sorted(answer["data"], key=lambda row: int(row["index"]))
        if [int(row["index"]) for row in rows] != list(range(len(rows))):
            raise EmbeddingFailed("its vectors are not numbered from 0 on", Blame.SETTINGS)
        return [_numbers(row["embedding"]) for row in rows]
    except (KeyError, TypeError, ValueError, OverflowError):
        raise EmbeddingFailed("its answer lacks vectors", Blame.SETTINGS) from None


def _numbers(embedding: Any) -> Any:
    """Some servers answer base64 whatever is asked for."""
    return np.frombuffer(base64.b64decode(embedding), dtype="<f4") if isinstance(embedding, str) else embedding


def _refusal(status: int, wait: str | None, content: bytes) -> EmbeddingFailed:
    if b"insufficient_quota" in content:
        return EmbeddingFailed("its quota is spent", Blame.SETTINGS)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return EmbeddingFailed("it asks for fewer requests (429)", Blame.SERVICE, _seconds(wait) or 1.0)
    if status in _TEXTS_AT_FAULT:
        return EmbeddingFailed(f"it refuses texts ({status})", Blame.TEXTS)
    if status in _SERVICE_AT_FAULT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return EmbeddingFailed(f"it fails ({status})", Blame.SERVICE, _seconds(wait))
    word = "refuses the key" if status in (401, 403) else "refuses the request"
    return EmbeddingFailed(f"it {word} ({status})", Blame.SETTINGS)


def _seconds(wait: str | None) -> float | None:
    """Read ``Retry-After``, seconds or a date; never longer than an hour."""
    if wait is None:
        return None
    try:
        seconds = float(wait)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(wait).timestamp() - time.time()
        except (TypeError, ValueError):
            return None
    return min(max(seconds, 0.0), _LONGEST_SILENCE) if math.isfinite(seconds) else None
