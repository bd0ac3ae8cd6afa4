"""``gatehook plugins authorize``: a person agrees in a browser, and the tokens are kept for the gateway."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Final

import anyio
import attrs

from gatehook.catalog.manifest import ExternalMcp
from gatehook.catalog.manifest import Transport
from gatehook.config.auth import Grant
from gatehook.config.passing import CannotPass
from gatehook.config.plugin_config import resolve_entry
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import mcp_entries as codes
from gatehook.host.browser_return import returning
from gatehook.host.logs import PluginLoggers
from gatehook.host.mcp_auth import auth_of
from gatehook.host.mcp_sessions import not_passed
from gatehook.host.mcp_sessions import target_of
from gatehook.runtimes.mcp.faults import ConnectionDown
from gatehook.runtimes.mcp.faults import NotUsable
from gatehook.runtimes.stderr_lines import one_line
from gatehook.secrets import Redactor
from gatehook.secrets import SecretUnavailable

if TYPE_CHECKING:
    from gatehook.config import Config
    from gatehook.config.auth import AuthConfig
    from gatehook.host.entry import EntrySpec
    from gatehook.runtimes.mcp import McpAuth
    from gatehook.runtimes.mcp import McpSpec


_LONGEST: Final = 300
#: What a server is asked that shall say whether it wants a token.
_HARMLESS: Final = {"jsonrpc": "2.0", "id": 0, "method": "ping"}


async def authorize(spec: EntrySpec, config: Config, show: Callable[[str], None], *, limit: float) -> None:
    """Let a person authorize an entry; ``show`` is told the address to open. At most ``limit`` seconds.

    Raises:
        GatehookError: the entry wants no person (``grant_of``), nobody agreed in time, or a secret is not there.
    """
    wanted = grant_of(spec)
    redactor = Redactor()
    data_dir, settings = config.gateway.data_dir, config.supervision
    values = resolve_entry(spec.config, spec.manifest.config_schema, redactor=redactor).values
    try:
        target = target_of(spec, values, data_dir, settings)
        auth = await auth_of(wanted, spec.entry_id, data_dir, redactor, limit=settings.start_timeout)
    except (CannotPass, SecretUnavailable, KeyError, ValueError) as error:
        raise not_passed(spec, error) from None
    try:
        with PluginLoggers(redactor) as loggers:
            async with returning(wanted.redirect_port, show) as ask:
                auth = attrs.evolve(auth, ask=ask, is_fresh=True)
                reason = await _asked(target, auth, loggers.of(f"plugin.{spec.entry_id}"), limit)
    except OSError as error:
        raise _refused(spec, f"the port {wanted.redirect_port} on loopback cannot be listened at: {error}") from None
    if reason:
        raise _refused(spec, one_line(redactor.redact(reason), _LONGEST))


def grant_of(spec: EntrySpec) -> AuthConfig:
    """Return how an entry that a person can authorize is configured.

    Raises:
        GatehookError: nobody can, or needs to.
    """
    entry, auth = spec.manifest.entry, spec.config.auth
    if not isinstance(entry, ExternalMcp) or entry.url is None:
        raise _refused(spec, "its plugin is no MCP server at an address")
    if auth is None:
        raise _refused(spec, f"there is no [plugins.entries.{spec.entry_id}.auth]")
    if auth.grant is not Grant.AUTHORIZATION_CODE:
        raise _refused(spec, f"its grant is {auth.grant}, which needs nobody")
    return auth


async def _asked(target: McpSpec, auth: McpAuth, logger: logging.Logger, limit: float) -> str:
    """Get tokens; return why there are none, or nothing."""
    import httpx2

    from gatehook.runtimes.mcp.oauth import Authorizer

    authorizer = Authorizer(attrs.evolve(target, auth=auth), auth, {}, logger.warning)
    accepted = {**target.headers, "accept": "application/json, text/event-stream"}
    if target.transport is Transport.SSE:
        request = httpx2.Request("GET", target.url, headers=accepted)
    else:
        request = httpx2.Request("POST", target.url, headers=accepted, json=_HARMLESS)
    try:
        with anyio.fail_after(limit):
            asked = await authorizer.authorize(request)
    except TimeoutError:
        return f"nobody agreed within {limit:g} s"
    except (ConnectionDown, NotUsable) as error:
        return str(error)
    return "" if asked else "its server asks for no authorization"


def _refused(spec: EntrySpec, reason: str) -> GatehookError:
    return GatehookError(codes.NOT_AUTHORIZED(plugin=spec.plugin_id, entry=spec.entry_id, reason=reason))
