"""``gatehook/http``: a request over the entry's own HTTP client, asked for by the plugin's process."""

from __future__ import annotations

from base64 import b64decode
from base64 import b64encode
from collections.abc import Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

import attrs

from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import Denied
from gatehook.kinds.errors import NotConnected
from gatehook.wire.codec import NotOnTheWire
from gatehook.wire.codec import WireCodec

if TYPE_CHECKING:
    import httpx2

#: Bytes of an answer's body; a longer one is not given at all.
LARGEST: Final = 4 * 1024 * 1024
#: Seconds that a request may take at most, and does where it says nothing.
LONGEST: Final = 60.0
_USUAL: Final = 30.0
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_CODEC: Final = WireCodec()


@attrs.frozen(kw_only=True)
class _Request:
    method: str
    url: str
    headers: Mapping[str, str] = attrs.field(factory=dict)
    text: str | None = None
    base64: str | None = None
    timeout: float = _USUAL


async def fetched(client: httpx2.AsyncClient, params: Any) -> Mapping[str, Any]:
    """Send one request, and return ``status``, ``headers`` (pairs) and the body as ``text``, or else ``base64``.

    Redirects are not followed. Every status is an answer.

    Raises:
        NotOnTheWire, Denied: nothing was sent.
        NotConnected: the server was not reached; nothing was sent.
        Ambiguous: it was sent, and there is no answer, or one that is too large.
    """
    import anyio
    import httpx2

    asked = _CODEC.load(_Request, params)
    content = _content(asked)
    if asked.method not in _METHODS or not asked.url.startswith(("http://", "https://")):
        raise NotOnTheWire("", f"a request has a method of {', '.join(sorted(_METHODS))} and an http or https URL")
    limit = min(max(asked.timeout, 0.0), LONGEST)
    try:
        with anyio.fail_after(limit):
            return await _sent(client, asked, content, limit)
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
        raise NotConnected(f"the server was not reached: {type(error).__name__}; nothing was sent") from None
    except (httpx2.TransportError, TimeoutError) as error:
        raise Ambiguous(f"the request left and has no answer: {type(error).__name__}") from None
    except (ValueError, httpx2.InvalidURL) as error:  # among them the refusal of a secret's mask
        raise Denied(f"the request was not sent: {error}") from None


async def _sent(client: httpx2.AsyncClient, asked: _Request, content: bytes | None, limit: float) -> Mapping[str, Any]:
    sending = client.stream(asked.method, asked.url, headers=asked.headers, content=content, timeout=limit)
    async with sending as response:
        parts, size = [], 0
        async with aclosing(response.aiter_bytes()) as body_parts:
            async for part in body_parts:
                size += len(part)
                if size > LARGEST:
                    raise Ambiguous(f"the answer is longer than {LARGEST} bytes; the request was done")
                parts.append(part)
        body = b"".join(parts)
    pairs = [[name, value] for name, value in response.headers.multi_items()]
    return {"status": response.status_code, "headers": pairs, **_written(body)}


def _content(asked: _Request) -> bytes | None:
    if asked.text is not None and asked.base64 is not None:
        raise NotOnTheWire("/base64", "a body is text or base64, not both")
    try:
        return asked.text.encode() if asked.text is not None else b64decode(asked.base64 or "", validate=True) or None
    except ValueError:
        raise NotOnTheWire("/text" if asked.text is not None else "/base64", "it cannot be sent as bytes") from None


def _written(body: bytes) -> Mapping[str, str]:
    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        return {"base64": b64encode(body).decode()}
