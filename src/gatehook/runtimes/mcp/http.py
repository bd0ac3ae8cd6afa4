"""The HTTP below the sessions: addresses are checked when they are dialled, other hosts are not followed."""

from __future__ import annotations

import email.utils
import logging
import math
import time
from collections.abc import AsyncIterator
from collections.abc import Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import TYPE_CHECKING
from typing import Final
from urllib.parse import urljoin

import httpx2

from gatehook.runtimes.mcp.addresses import resolve
from gatehook.runtimes.mcp.faults import ConnectionDown
from gatehook.runtimes.mcp.faults import TooLarge

if TYPE_CHECKING:
    import ssl

    from gatehook.runtimes.mcp.spec import McpSpec
    from gatehook.runtimes.mcp.waiting import Waiting

MAX_REDIRECTS: Final = 3
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_KEEPS_METHOD: Final = frozenset({307, 308})
_REFUSED: Final = frozenset({401, 403})
_LONGEST_WAIT: Final = 3600.0
_NOT_FOUND: Final = 404
_ERRORS: Final = 400
_LONGEST_HOST: Final = 200
_PORTS: Final = {"http": 80, "https": 443}


@cache
def tls_context() -> ssl.SSLContext:
    """Return the one TLS context of all sessions: making one costs 50 ms and 700 KiB."""
    return httpx2.create_ssl_context()


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Dials checked addresses: the name is resolved here, and what was checked is what is dialled."""

    def __init__(self, named: frozenset[str], timeout: float) -> None:
        self._named = named
        self._timeout = timeout
        self._inner = httpx2.AsyncHTTPTransport(verify=tls_context(), limits=httpx2.Limits(max_connections=100))
        self._known: dict[tuple[str, int], tuple[str, ...]] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request to the first address that takes a connection.

        Raises:
            NotUsable: the address is forbidden.
            httpx2.TransportError: ``ConnectError`` and ``ConnectTimeout`` say that nothing was sent.
        """
        url = request.url
        port = url.port or _PORTS[url.scheme]
        failure: httpx2.TransportError | None = None
        for address in await self._addresses(url.host, port):
            request.url = url.copy_with(host=address)
            request.extensions = {**request.extensions, "sni_hostname": url.host}
            try:
                return await self._inner.handle_async_request(request)
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                failure = error
            finally:
                request.url = url
        self._known.pop((url.host, port), None)
        raise failure or httpx2.ConnectError("the host has no address", request=request)

    async def _addresses(self, host: str, port: int) -> tuple[str, ...]:
        known = self._known.get((host, port))
        if known is None:
            try:
                known = await resolve(host, port, self._named)
            except OSError:
                raise httpx2.ConnectError("the name of the host cannot be resolved") from None
            self._known[host, port] = known
        return known

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


class _NoAddresses(logging.Filter):
    """Takes requests out of httpx2's log: it writes whole URLs, and a token is often in one."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING


_NO_ADDRESSES: Final = _NoAddresses()


def new_client(spec: McpSpec, auth: httpx2.Auth | None = None) -> httpx2.AsyncClient:
    """Return a client for one connection of a session; its owner closes it. Only calls have deadlines, not reads."""
    logging.getLogger("httpx2").addFilter(_NO_ADDRESSES)  # a filter that is there is not added twice
    return httpx2.AsyncClient(
        transport=GuardedTransport(spec.named_hosts, spec.limits.start_timeout),
        headers=dict(spec.headers),
        auth=auth,
        timeout=httpx2.Timeout(None, connect=min(10.0, spec.limits.start_timeout)),
        follow_redirects=False,
        trust_env=False,
    )


@asynccontextmanager
async def answered(
    client: httpx2.AsyncClient,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    content: bytes | None = None,
    waiting: Waiting | None = None,
) -> AsyncIterator[httpx2.Response]:
    """Send a request and give its response; redirects are followed on the same host only.

    Raises:
        ConnectionDown: there was no answer; ``sent`` is false when no connection came to be.
        NotUsable: the address is forbidden.
    """
    for _ in range(MAX_REDIRECTS):
        request = client.build_request(method, url, headers=dict(headers), content=content)
        if waiting is not None:
            waiting.sent = True
        response = await _sent(client, request, waiting)
        try:
            target = _redirected(response, method, url)
            if target is None:
                yield response
                return
            url = target
        except httpx2.TransportError as error:
            raise ConnectionDown(f"the connection was lost ({type(error).__name__})", sent=True, dead=False) from None
        finally:
            await response.aclose()
    raise ConnectionDown("too many redirects", sent=True, dead=False)


async def _sent(client: httpx2.AsyncClient, request: httpx2.Request, waiting: Waiting | None) -> httpx2.Response:
    try:
        return await client.send(request, stream=True)
    except ConnectionDown as error:  # there is no token
        if waiting is not None:
            waiting.sent = error.sent
        raise
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
        if waiting is not None:
            waiting.sent = False
        reason = str(error).partition("\n")[0][:200] or type(error).__name__
        raise ConnectionDown(f"no connection: {reason}", sent=False) from None
    except httpx2.TransportError as error:
        raise ConnectionDown(f"the connection was lost ({type(error).__name__})", sent=True, dead=False) from None


def _redirected(response: httpx2.Response, method: str, url: str) -> str | None:
    location = response.headers.get("location")
    if response.status_code not in _REDIRECTS or location is None:
        return None
    try:
        old, new = httpx2.URL(url), httpx2.URL(urljoin(url, location))
    except (httpx2.InvalidURL, ValueError):
        raise ConnectionDown("the server redirects to what is no address", sent=True, dead=False) from None
    keeps = method == "GET" or response.status_code in _KEEPS_METHOD
    if not keeps or (old.scheme, old.host, old.port) != (new.scheme, new.host, new.port):
        where = f"{new.scheme}://{new.host}"[:_LONGEST_HOST]
        raise ConnectionDown(f"the server redirects to {where}, which is not followed", sent=True, dead=False)
    return str(new)


def refusal(response: httpx2.Response, *, has_session: bool) -> ConnectionDown:
    """Return what a response with an error status says of the connection: the message arrived, and was answered so."""
    status = response.status_code
    lost = status == _NOT_FOUND and has_session
    return ConnectionDown(
        f"HTTP status {status}" if not lost else "the server no longer knows the session",
        sent=True,
        retry_after=seconds_of(response.headers.get("retry-after")),
        refused=status in _REFUSED,
        lost_session=lost,
        dead=lost or status in _REFUSED,
    )


def seconds_of(header: str | None) -> float | None:
    """Read ``Retry-After``: seconds, or a date; an hour at most."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(header).timestamp() - time.time()
        except ValueError:
            return None
    return min(max(seconds, 0.0), _LONGEST_WAIT) if math.isfinite(seconds) else None


async def whole_body(response: httpx2.Response, cap: int) -> bytes:
    """Return a body of at most ``cap`` bytes.

    Raises:
        TooLarge: it is longer; the rest was not read.
        httpx2.TransportError: the connection was lost.
    """
    size = int(response.headers.get("content-length") or 0)
    if size > cap:
        raise TooLarge(size, cap)
    parts, size = [], 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > cap:
            raise TooLarge(size, cap)
        parts.append(part)
    return b"".join(parts)


def is_error(response: httpx2.Response) -> bool:
    """Say whether the status is one of an error."""
    return response.status_code >= _ERRORS
