"""An endpoint on the loopback that answers the embeddings call of the OpenAI API, and misbehaves when told to.

For tests of embedders and of memories that use one::

    async with EmbeddingServer() as server:
        ...                                     # configure the memory with server.url
        await server.misbehave(Fault.NAN)       # from now on; Fault.DOWN closes the port
        await server.behave()

Its vectors are of words (``gatehook.memory.embedding.hashing``): texts that share words are near. Each model has a
space of its own.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus
from types import TracebackType
from typing import Any
from typing import Final
from typing import Self

import anyio
from anyio.abc import ByteStream

from gatehook.memory.embedding.hashing import HashingEmbedder
from gatehook.testing.metaapi.http import HttpConnection
from gatehook.testing.metaapi.http import HttpRequest
from gatehook.testing.metaapi.listening import Listening

#: What a text holds that the server refuses as too long, whatever else it does.
POISON: Final = "text-that-is-refused"


class Fault(StrEnum):
    """A way to misbehave; each but ``DOWN`` and ``SLOW`` is an answer."""

    DOWN = "down"
    SLOW = "slow"
    BUSY = "429"
    FAILING = "500"
    WRONG_DIMS = "wrong dims"
    NAN = "NaN"
    NOT_JSON = "not JSON"
    WRONG_COUNT = "wrong count"
    OTHER_MODEL = "other model"


class EmbeddingServer:
    """The endpoint.

    Attributes:
        dims: of every vector. delay: seconds of ``SLOW``. retry_after: what ``BUSY`` asks for, in seconds.
        texts: what was asked for and answered, in order, with the model.
        holds_back: a request with a text that has this in it is answered 503; ``""`` is in none.
        allowance: how many requests a model still answers; one that is not in it answers all.
        readings: models that share a space, but for words that one reads as other words.
    """

    def __init__(self, dims: int = 64, *, key: str | None = None) -> None:
        """With ``key``, requests without it as their bearer token are refused."""
        self.dims = dims
        self.delay = 0.6
        self.retry_after: int | None = 1
        self.texts: list[tuple[str, str]] = []
        self.holds_back = ""
        self.allowance: dict[str, int] = {}
        self.readings: dict[str, Mapping[str, str]] = {}
        self._key = key
        self._fault: Fault | None = None
        self._listening = Listening(self._serve)

    async def __aenter__(self) -> Self:
        """Listen."""
        await self._listening.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """Close the port and every connection."""
        return await self._listening.__aexit__(kind, error, trace)

    @property
    def url(self) -> str:
        """The base of the endpoint."""
        return f"http://127.0.0.1:{self._listening.port}/v1"

    async def misbehave(self, fault: Fault) -> None:
        """Do this from now on, instead of what it did before."""
        await self.behave()
        self._fault = fault
        if fault is Fault.DOWN:
            await self._listening.close()

    async def behave(self) -> None:
        """Answer as it should."""
        if self._fault is Fault.DOWN:
            await self._listening.open()
        self._fault = None

    async def _serve(self, stream: ByteStream) -> None:
        connection = HttpConnection(stream, _at_once)
        while True:
            request = await connection.request()
            if self._fault is Fault.SLOW:
                await anyio.sleep(self.delay)
            status, headers, body = self._answer(request)
            lines = [f"HTTP/1.1 {status.value} {status.phrase}", "Content-Type: application/json"]
            lines += [f"Content-Length: {len(body)}", *headers]
            await connection.write("\r\n".join([*lines, "", ""]).encode() + body)

    def _answer(self, request: HttpRequest) -> tuple[HTTPStatus, list[str], bytes]:
        if request.path != "/v1/embeddings":
            return _error(HTTPStatus.NOT_FOUND, "there is nothing here")
        if self._key is not None and request.headers.get("authorization") != f"Bearer {self._key}":
            return _error(HTTPStatus.UNAUTHORIZED, "who is there?")
        asked = json.loads(request.body)
        given = asked["input"]
        texts = [given] if isinstance(given, str) else list(given)
        refusal = self._refusal(asked["model"], texts)
        if refusal is not None:
            return refusal
        if self._fault is Fault.NOT_JSON:
            return HTTPStatus.OK, [], b"<html>Welcome to the hotel's network</html>"
        self.texts += [(asked["model"], text) for text in texts]
        answer = self._embeddings(asked["model"], texts, asked.get("encoding_format", "float"))
        return HTTPStatus.OK, [], json.dumps(answer).encode()

    def _refusal(self, model: str, texts: list[str]) -> tuple[HTTPStatus, list[str], bytes] | None:
        if self._fault is Fault.BUSY:
            headers = [] if self.retry_after is None else [f"Retry-After: {self.retry_after}"]
            status, _, body = _error(HTTPStatus.TOO_MANY_REQUESTS, "slow down")
            return status, headers, body
        if self._fault is Fault.FAILING:
            return _error(HTTPStatus.INTERNAL_SERVER_ERROR, "it broke")
        if any(POISON in text for text in texts):
            return _error(HTTPStatus.BAD_REQUEST, "too many tokens")
        left = self.allowance.get(model)
        if left == 0 or (self.holds_back and any(self.holds_back in text for text in texts)):
            return _error(HTTPStatus.SERVICE_UNAVAILABLE, "this model is loading")
        if left is not None:
            self.allowance[model] = left - 1
        return None

    def _embeddings(self, model: str, texts: list[str], encoding: str) -> Mapping[str, Any]:
        dims = self.dims + 1 if self._fault is Fault.WRONG_DIMS else self.dims
        hashing = HashingEmbedder(dims, "read" if model in self.readings else model)
        rows: list[list[float]] = hashing.vectors([self._read(model, one) for one in texts]).tolist()
        if self._fault is Fault.NAN:
            rows = [[float("nan"), *row[1:]] for row in rows]
        if self._fault is Fault.WRONG_COUNT:
            rows = rows[1:]
        return {
            "object": "list",
            "model": f"{model}-renamed" if self._fault is Fault.OTHER_MODEL else model,
            "data": [
                {"object": "embedding", "index": at, "embedding": _encoded(row, encoding)}
                for at, row in enumerate(rows)
            ],
            "usage": {"prompt_tokens": 0, "total_tokens": 0},
        }

    def _read(self, model: str, text: str) -> str:
        readings = self.readings.get(model, {})
        return " ".join(readings.get(word, word) for word in text.split())


def _encoded(row: list[float], encoding: str) -> list[float] | str:
    return base64.b64encode(struct.pack(f"<{len(row)}f", *row)).decode() if encoding == "base64" else row


def _error(status: HTTPStatus, message: str) -> tuple[HTTPStatus, list[str], bytes]:
    return status, [], json.dumps({"error": {"message": message, "type": "error", "code": None}}).encode()


async def _at_once() -> None:
    return
