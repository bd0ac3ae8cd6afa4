"""The authorization of an entry's MCP server: its secrets fetched, its tokens' place, and what is said of a refusal."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from gatehook.config.auth import AuthConfig
from gatehook.config.auth import Grant
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics.codes import mcp_entries as codes
from gatehook.host.entry import EntrySpec
from gatehook.runtimes.mcp.auth import DIRECTORY
from gatehook.runtimes.mcp.auth import McpAuth
from gatehook.secrets import Redactor
from gatehook.secrets import Secret
from gatehook.secrets import SecretReference
from gatehook.secrets import SecretUnavailable

if TYPE_CHECKING:
    from gatehook.runtimes.mcp.auth import Ask


async def auth_of(
    config: AuthConfig, entry_id: str, data_dir: Path, redactor: Redactor, *, limit: float, ask: Ask | None = None
) -> McpAuth:
    """Return how the tokens of an entry are got, its secrets fetched within ``limit`` seconds.

    With ``ask`` a person is asked, and what is kept already is left aside.

    Raises:
        SecretUnavailable: a secret is not where the configuration says.
    """
    names = ("client_secret", "private_key")
    secrets = {}
    for name in names:
        reference = getattr(config, name)
        secrets[name] = None if reference is None else await _fetched(reference, name, limit)
    for secret in filter(None, secrets.values()):
        redactor.add(secret)
    return McpAuth(
        config=config,
        **secrets,
        file=data_dir / DIRECTORY / f"{entry_id}.json" if config.grant is Grant.AUTHORIZATION_CODE else None,
        learn=redactor.add,
        ask=ask,
        is_fresh=ask is not None,
    )


async def _fetched(reference: SecretReference, name: str, limit: float) -> Secret:
    try:
        with anyio.fail_after(limit):
            return await anyio.to_thread.run_sync(partial(reference.resolve), abandon_on_cancel=True)
    except SecretUnavailable as unavailable:
        raise SecretUnavailable(f"auth.{name}: {unavailable}") from None
    except TimeoutError:
        raise SecretUnavailable(f"auth.{name}: {reference} did not answer within {limit:g} s") from None


def unauthorized(spec: EntrySpec, reason: str) -> Diagnostic:
    """Say that a server refuses, and what a person is to do about it."""
    auth = spec.config.auth
    code = codes.AUTH_MISSING
    if auth is not None:
        code = codes.AUTHORIZE if auth.grant is Grant.AUTHORIZATION_CODE else codes.AUTH_REFUSED
    return code(plugin=spec.plugin_id, entry=spec.entry_id, reason=reason)
