"""Which of the SDK's OAuth flows an entry's configuration means."""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Final
from urllib.parse import urlsplit

import httpx2
from mcp.client.auth import AuthorizationCodeResult
from mcp.client.auth import OAuthClientProvider
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider
from mcp.client.auth.extensions.client_credentials import PrivateKeyJWTOAuthProvider
from mcp.client.auth.extensions.client_credentials import SignedJWTParameters
from mcp.client.auth.extensions.identity_assertion import IdentityAssertionOAuthProvider
from mcp.client.auth.oauth2 import OAuthContext
from mcp.shared.auth import OAuthClientMetadata

from gatehook.config.auth import Grant
from gatehook.runtimes.mcp.addresses import is_loopback

if TYPE_CHECKING:
    from gatehook.runtimes.mcp.auth import McpAuth
    from gatehook.runtimes.mcp.tokens import TokenStore

_GRANTS: Final = ("authorization_code", "refresh_token")


class PersonNeeded(Exception):
    """Somebody has to agree in a browser, and nobody can be asked here."""


def flow_of(server: str, auth: McpAuth, store: TokenStore) -> tuple[httpx2.Auth, OAuthContext]:
    """Return the SDK's flow for one server, and what the flow knows of its tokens.

    ``server`` is its address without what is secret in it.
    """
    config, client = auth.config, auth.config.client_id or ""
    flow: OAuthClientProvider
    if config.grant is Grant.IDENTITY_ASSERTION:
        return _asserted(server, auth, store)
    if config.grant is Grant.AUTHORIZATION_CODE:
        flow = _attended(server, auth, store)
    elif auth.client_secret is not None:
        flow = ClientCredentialsOAuthProvider(
            server,
            store,
            client,
            auth.client_secret.reveal(),
            token_endpoint_auth_method=config.client_method.value,
            issuer=config.issuer,
        )
    else:
        flow = PrivateKeyJWTOAuthProvider(server, store, client, _signed(auth), issuer=config.issuer)
    return flow, flow.context


def _signed(auth: McpAuth) -> Callable[[str], Awaitable[str]]:
    assert auth.private_key is not None, "the configuration was checked"
    client = auth.config.client_id or ""
    return SignedJWTParameters(
        issuer=client,
        subject=client,
        signing_key=auth.private_key.reveal(),
        signing_algorithm=str(auth.config.signing),
    ).create_assertion_provider()


def _asserted(server: str, auth: McpAuth, store: TokenStore) -> tuple[httpx2.Auth, OAuthContext]:
    """Return a flow that keeps its tokens to itself; what is known of them is mirrored beside it."""
    config = auth.config
    assert auth.client_secret is not None, "the configuration was checked"
    assert auth.assertion is not None, "the configuration was checked"
    context = OAuthContext(server, OAuthClientMetadata(redirect_uris=None), store, None, None)
    flow = IdentityAssertionOAuthProvider(
        server,
        store,
        config.client_id or "",
        auth.client_secret.reveal(),
        config.issuer or "",
        auth.assertion,
        token_endpoint_auth_method=config.client_method.value,
    )
    return flow, context


def _attended(server: str, auth: McpAuth, store: TokenStore) -> OAuthClientProvider:
    came_back: dict[str, str] = {}

    async def show(address: str) -> None:
        if auth.ask is None:
            raise PersonNeeded
        parts = urlsplit(address)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            raise ValueError("the address for a person is neither https nor on this machine")
        came_back.clear()
        came_back.update(await auth.ask(address))
        if "error" in came_back:
            raise ValueError(f"it was not agreed to ({came_back['error']})")

    async def taken() -> AuthorizationCodeResult:
        return AuthorizationCodeResult(
            code=came_back.get("code", ""), state=came_back.get("state"), iss=came_back.get("iss")
        )

    metadata = OAuthClientMetadata.model_validate(
        {
            "client_name": "Gatehook",
            "redirect_uris": [auth.redirect],
            "grant_types": list(_GRANTS),
            "response_types": ["code"],
        }
    )
    return OAuthClientProvider(
        server, metadata, store, show, taken, client_metadata_url=auth.config.client_metadata_url
    )
