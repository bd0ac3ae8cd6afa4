"""The authorization of an entry's MCP server: its secrets fetched, its tokens' place, and what is said of a refusal."""

from __future__ import annotations

from pathlib import Path

import anyio
import anyio.to_thread

from gatehook.config.auth import AuthConfig
from gatehook.config.auth import Grant
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics.codes import mcp_entries as codes
from gatehook.host.entry import EntrySpec
from gatehook.runtimes.mcp.auth import DIRECTORY
from gatehook.runtimes.mcp.auth import Fetch
from gatehook.runtimes.mcp.auth import McpAuth
from gatehook.secrets import Redactor
from gatehook.secrets import Secret
from gatehook.secrets import SecretReference
from gatehook.secrets import SecretUnavailable


async def auth_of(config: AuthConfig, entry_id: str, data_dir: Path, redactor: Redactor, *, limit: float) -> McpAuth:
    """Return how the tokens of an entry are got, its secrets fetched within ``limit`` seconds each.

    Raises:
        SecretUnavailable: a secret is not where the configuration says.
    """
    secret = await _fetched(config.client_secret, "client_secret", limit)
    key = await _fetched(config.private_key, "private_key", limit)
    for one in (secret, key):
        if one is not None:
            redactor.add(one)
    return McpAuth(
        config=config,
        client_secret=secret,
        private_key=key,
        assertion=_asserting(config.assertion, redactor, limit),
        file=data_dir / DIRECTORY / f"{entry_id}.json" if config.grant is Grant.AUTHORIZATION_CODE else None,
        learn=redactor.add,
    )


def _asserting(reference: SecretReference | None, redactor: Redactor, limit: float) -> Fetch | None:
    if reference is None:
        return None

    async def fetch(_issuer: str, _server: str) -> str:
        secret = await _fetched(reference, "assertion", limit)
        assert secret is not None, "there is a reference"
        redactor.add(secret)
        return secret.reveal().strip()

    return fetch


async def _fetched(reference: SecretReference | None, name: str, limit: float) -> Secret | None:
    if reference is None:
        return None
    try:
        with anyio.fail_after(limit):
            return await anyio.to_thread.run_sync(reference.resolve, abandon_on_cancel=True)
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
