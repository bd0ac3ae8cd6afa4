"""Tokens for a server that asks for them: the SDK's OAuth flows, with deadlines, bounds, and nobody silently asked.

The SDK's flow holds a lock from before a request until the head of its response, so only requests that need a new token
go through it. Its own requests leave here, through a guarded client of their own: the headers of the MCP server are not
for an authorization server, and its answers are bounded. What renews a token is not cut off by the deadline of the call
that needed it: a renewal may have replaced the old secret at the other side already.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator
from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any
from typing import Final
from urllib.parse import urlsplit

import anyio
import anyio.abc
import httpx2

from gatehook.runtimes.mcp.addresses import is_loopback
from gatehook.runtimes.mcp.faults import ConnectionDown
from gatehook.runtimes.mcp.faults import NotUsable
from gatehook.runtimes.mcp.faults import TooLarge
from gatehook.runtimes.mcp.flows import PersonNeeded
from gatehook.runtimes.mcp.flows import flow_of
from gatehook.runtimes.mcp.http import GuardedTransport
from gatehook.runtimes.mcp.http import whole_body
from gatehook.runtimes.mcp.tokens import LONG_AGO
from gatehook.runtimes.mcp.tokens import TokenStore

if TYPE_CHECKING:
    from gatehook.runtimes.mcp.auth import McpAuth
    from gatehook.runtimes.mcp.spec import McpSpec

#: For a request to an authorization server, and for a whole renewal.
REQUEST_SECONDS: Final = 10.0
RENEWAL_SECONDS: Final = 5.0
#: How long before its end a token is renewed: a fifth of its life, a minute at most.
_AHEAD: Final = 0.2
_LONGEST_AHEAD: Final = 60.0
_AGAIN: Final = 5.0
_BODY: Final = 262_144
_REFUSED: Final = frozenset({400, 401, 403})
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_BUSY: Final = 429
_BROKEN: Final = 500


class _Silent(logging.Filter):
    """Takes the SDK's reports out of the log: they quote what authorization servers answer. Failures are told here."""

    def filter(self, record: logging.LogRecord) -> bool:
        return False


_SILENT: Final = _Silent()


class Authorizer(httpx2.Auth):
    """Puts a token on every request of one connection, and gets a new one where that is needed and possible."""

    def __init__(self, spec: McpSpec, auth: McpAuth, record: dict[str, Any], warn: Callable[[str], object]) -> None:
        """``record`` is where the connections of one session share their tokens."""
        logging.getLogger("mcp.client.auth.oauth2").addFilter(_SILENT)  # a filter that is there is not added twice
        self._store = TokenStore(auth, spec.url.partition("?")[0], record, warn)
        self._flow, self._context = flow_of(spec.url.partition("?")[0], auth, self._store)
        self._store.context = self._context
        host = urlsplit(auth.config.issuer or "").hostname
        self._named = spec.named_hosts if host is None else spec.named_hosts | {host.lower()}
        self._client = httpx2.AsyncClient(
            transport=GuardedTransport(self._named, REQUEST_SECONDS),
            timeout=REQUEST_SECONDS,
            follow_redirects=False,
            trust_env=False,
        )
        self._tasks: anyio.abc.TaskGroup | None = None
        self._renewing: anyio.Event | None = None
        #: What is wrong with the authorization server, in this flow and in the last renewal.
        self._trouble = self._not_renewed = ""
        self._refused = False

    async def run(self, *, task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Own the renewals of a connection; a token that is kept from before and has ended is renewed first."""
        context = self._context
        context.current_tokens = await self._store.get_tokens()
        context.client_info = await self._store.get_client_info()
        async with self._client, anyio.create_task_group() as tasks:
            self._tasks = tasks
            try:
                if self._must_renew():
                    await self._renewed()
                task_status.started()
                await self._keep()
            finally:
                self._tasks = None

    async def authorize(self, request: httpx2.Request) -> bool:
        """Get tokens for the server that a request goes to; ``False`` where it asks for none.

        Raises:
            ConnectionDown: it did not come to that.
            NotUsable: an address is forbidden.
        """
        asked = False
        async with self._client:
            flow = self._through_the_flow(request)
            try:
                outgoing = await anext(flow, None)
                while outgoing is not None:
                    response = await self._head(outgoing)
                    asked = asked or _wants_other_token(response)
                    outgoing = await flow.asend(response)
            except StopAsyncIteration:
                pass
            except httpx2.TransportError as error:
                raise ConnectionDown(f"no connection ({type(error).__name__})", sent=False) from None
            finally:
                await flow.aclose()
        return asked

    async def _head(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._client.send(request, stream=True)
        await response.aclose()
        return httpx2.Response(response.status_code, headers=response.headers, request=request)

    # What HTTP asks for.

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """Send a request with a token.

        Raises:
            ConnectionDown: there is none to be had; ``refused`` where trying again would not help.
        """
        context = self._context
        if self._must_renew():
            await self._renewed()
        for _ in range(2):
            if not context.is_token_valid() or context.current_tokens is None:
                break
            token = context.current_tokens.access_token
            request.headers["authorization"] = f"Bearer {token}"
            response = yield request
            if not _wants_other_token(response):
                return
            if response.status_code != _UNAUTHORIZED or not await self._replaced(token):
                break
        flow = self._through_the_flow(request)
        try:
            outgoing = await anext(flow, None)
            while outgoing is not None:
                response = yield outgoing
                try:
                    outgoing = await flow.asend(response)
                except StopAsyncIteration:
                    return
        finally:
            await flow.aclose()

    async def _through_the_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """Drive the SDK's flow; only the request itself leaves through who asked."""
        flow, sent, status = self._flow.async_auth_flow(request), False, 0
        self._trouble, self._refused = "", False
        try:
            outgoing = await anext(flow)
            while True:
                if outgoing is request:
                    sent = True
                    response = yield request
                    status = response.status_code
                else:
                    response = await self._fetched(outgoing)
                outgoing = await flow.asend(response)
        except StopAsyncIteration:
            return
        except (ConnectionDown, NotUsable):
            raise
        except httpx2.TransportError as error:
            raise _unreachable(error, sent=sent) from None
        except Exception as error:  # noqa: BLE001  the SDK, its models and PyJWT fail in many ways; all mean: no token
            raise self._failed(error, sent=sent, is_step_up=status == _FORBIDDEN) from None
        finally:
            await flow.aclose()

    def _failed(self, error: Exception, *, sent: bool, is_step_up: bool) -> ConnectionDown:
        trouble = self._trouble or (self._not_renewed if isinstance(error, PersonNeeded) else "")
        if trouble:
            reason = f"the authorization server does not work ({trouble})"
            return ConnectionDown(reason, sent=sent, dead=not is_step_up)
        if isinstance(error, PersonNeeded):
            reason = "nobody has agreed, or not for long enough"
        else:
            reason = f"no token: {error}" if str(error) else f"no token ({type(error).__name__})"
        return ConnectionDown(reason, sent=sent, refused=True, dead=not is_step_up)

    async def _fetched(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request of the flow's own; its answer is bounded."""
        url = request.url
        if url.scheme != "https" and not is_loopback(url.host) and url.host.lower() not in self._named:
            raise NotUsable(f"the authorization server {url.host!r} is to be asked without TLS")
        with anyio.move_on_after(REQUEST_SECONDS):
            response = await self._client.send(request, stream=True)
            try:
                body = await whole_body(response, _BODY)
            except TooLarge as error:
                raise ConnectionDown(f"the authorization server's answer: {error}", sent=False) from None
            finally:
                await response.aclose()
            self._note(response)
            headers = {
                name: value
                for name, value in response.headers.items()
                if name.lower() not in {"content-length", "content-encoding", "transfer-encoding"}
            }
            made = httpx2.Response(response.status_code, headers=headers, content=body, request=request)
            made.next_request = response.next_request
            return made
        raise ConnectionDown(f"the authorization server did not answer within {REQUEST_SECONDS:g} s", sent=False)

    def _note(self, response: httpx2.Response) -> None:
        status = response.status_code
        if status >= _BROKEN or status == _BUSY:
            self._trouble = f"HTTP status {status}"
        self._refused = status in _REFUSED

    # Renewal.

    def _must_renew(self) -> bool:
        return not self._context.is_token_valid() and self._context.can_refresh_token()

    async def _replaced(self, token: str) -> bool:
        """Renew a token that the server no longer takes, unless that has happened; whether there is another now."""
        context = self._context
        if context.current_tokens is not None and context.current_tokens.access_token == token:
            if not context.can_refresh_token():
                return False
            context.token_expiry_time = LONG_AGO
            await self._renewed()
        now = context.current_tokens
        return now is not None and now.access_token != token

    async def _renewed(self) -> None:
        """Wait for a renewal; one for all who wait, and nobody's deadline ends it."""
        if self._tasks is None:
            return
        if self._renewing is None:
            self._renewing = anyio.Event()
            self._tasks.start_soon(self._renew, self._renewing)
        await self._renewing.wait()

    async def _renew(self, done: anyio.Event) -> None:
        try:
            with anyio.move_on_after(RENEWAL_SECONDS, shield=True):
                await self._renew_by_the_flow()
        finally:
            self._renewing = None
            done.set()

    async def _renew_by_the_flow(self) -> None:
        context, before = self._context, self._context.current_tokens
        dummy = httpx2.Request("POST", context.server_url)
        flow = self._flow.async_auth_flow(dummy)
        self._trouble = self._not_renewed = ""
        self._refused = False
        try:
            outgoing = await anext(flow)
            while outgoing is not dummy:
                outgoing = await flow.asend(await self._fetched(outgoing))
            self._not_renewed = self._trouble
        except NotUsable:
            raise
        except Exception as error:  # noqa: BLE001  whatever a renewal fails of, the token from before may still do
            self._not_renewed = type(error).__name__
        finally:
            await flow.aclose()
        if context.current_tokens is not None and context.current_tokens is not before:
            return
        if self._refused and not self._not_renewed:
            await self._store.cannot_renew()
        context.current_tokens = await self._store.get_tokens()  # the old one may still do

    async def _keep(self) -> None:
        """Renew a token before it ends."""
        context = self._context
        while True:
            changed = self._store.changed
            if context.token_expiry_time is None or not context.can_refresh_token():
                await changed.wait()
                continue
            left = max(context.token_expiry_time - time.time(), 0.0)
            with anyio.move_on_after(left - min(_LONGEST_AHEAD, left * _AHEAD)):
                await changed.wait()
                continue
            before = context.current_tokens
            context.token_expiry_time = LONG_AGO
            await self._renewed()
            if context.current_tokens is before or self._not_renewed:
                await anyio.sleep(_AGAIN)


def _wants_other_token(response: httpx2.Response) -> bool:
    if response.status_code == _UNAUTHORIZED:
        return True
    asked = response.headers.get("www-authenticate", "")
    return response.status_code == _FORBIDDEN and "insufficient_scope" in asked


def _unreachable(error: httpx2.TransportError, *, sent: bool) -> ConnectionDown:
    return ConnectionDown(f"the authorization server is not reached ({type(error).__name__})", sent=sent, dead=False)
