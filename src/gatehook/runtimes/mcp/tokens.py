"""The tokens of one session: the SDK's ``TokenStorage``, in a file that only its owner can read, or in memory.

The SDK keeps neither when a token ends nor where it is renewed, so both are kept here beside it: a token is renewed
after a restart as before it, without a person.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING
from typing import Any
from typing import Final
from typing import TypeVar

import anyio
import anyio.to_thread
from mcp.shared.auth import OAuthClientInformationFull
from mcp.shared.auth import OAuthMetadata
from mcp.shared.auth import OAuthToken
from mcp.shared.auth import ProtectedResourceMetadata
from pydantic import BaseModel
from pydantic import ValidationError

from gatehook.catalog.records import RecordUnusable
from gatehook.catalog.records import read_record
from gatehook.catalog.records import write_record
from gatehook.runtimes.mcp.auth import McpAuth
from gatehook.runtimes.mcp.faults import NotUsable
from gatehook.secrets import Secret

if TYPE_CHECKING:
    from mcp.client.auth.oauth2 import OAuthContext

Model = TypeVar("Model", bound=BaseModel)

SCHEMA_VERSION: Final = 1
#: A moment that is over: a token that ends then is renewed before it is used again.
LONG_AGO: Final = 1.0


class TokenStore:
    """What is known of one server's tokens. ``context`` is the SDK's flow that they belong to."""

    def __init__(self, auth: McpAuth, server: str, record: dict[str, Any], warn: Callable[[str], object]) -> None:
        """``server`` is the address that the tokens are for; ``record`` is what the connections of a session share."""
        self._auth = auth
        self._whose = {"server": server, "issuer": auth.config.issuer, "client": auth.config.client_id}
        self._limiter = anyio.CapacityLimiter(1)
        self._record = record
        self._warn = warn
        self.context: OAuthContext | None = None
        #: Set when there are other tokens; a new one takes its place.
        self.changed = anyio.Event()

    async def get_tokens(self) -> OAuthToken | None:
        """Return the tokens, and tell the flow when they end and who renews them.

        Raises:
            NotUsable: the record cannot be read.
        """
        await self._read()
        tokens = _made(OAuthToken, self._record.get("tokens"))
        if tokens is not None and self.context is not None:
            self.context.token_expiry_time = self._record.get("endsAt")
            self.context.oauth_metadata = _made(OAuthMetadata, self._record.get("metadata"))
            self.context.protected_resource_metadata = _made(ProtectedResourceMetadata, self._record.get("resource"))
            self.context.auth_server_url = self._record.get("authServer")
        return tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """Keep new tokens; where they cannot be written they are used all the same, and a warning says so."""
        self._learn(tokens.access_token, tokens.refresh_token)
        context = self.context
        assert context is not None, "a flow has set it"
        if context.current_tokens is not tokens:  # a flow without a context of its own
            context.current_tokens = tokens
            context.update_token_expiry(tokens)
        self._record |= {
            "tokens": _plain(tokens),
            "endsAt": None if context.token_expiry_time is None else int(context.token_expiry_time),
            "metadata": _plain(context.oauth_metadata),
            "resource": _plain(context.protected_resource_metadata),
            "authServer": context.auth_server_url,
        }
        changed, self.changed = self.changed, anyio.Event()
        changed.set()
        await self._write()

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """Return the client: the one of the configuration, or the one that registered itself.

        Raises:
            NotUsable: the record cannot be read.
        """
        config = self._auth.config
        if config.client_id is not None:
            secret = self._auth.client_secret
            return OAuthClientInformationFull.model_validate(
                {
                    "client_id": config.client_id,
                    "client_secret": None if secret is None else secret.reveal(),
                    "token_endpoint_auth_method": "none" if secret is None else str(config.client_method),
                    "redirect_uris": [self._auth.redirect],
                    "issuer": config.issuer,
                }
            )
        await self._read()
        return _made(OAuthClientInformationFull, self._record.get("client"))

    async def set_client_info(self, client: OAuthClientInformationFull) -> None:
        """Keep a client that registered itself; it is written with its first tokens."""
        self._learn(client.client_secret)
        self._record["client"] = _plain(client)

    async def cannot_renew(self) -> None:
        """Forget how the tokens are renewed, because the authorization server refused."""
        tokens = self._record.get("tokens")
        if tokens is not None and tokens.pop("refresh_token", None) is not None:
            await self._write()

    def _learn(self, *secrets: str | None) -> None:
        for one in secrets:
            if one:
                self._auth.learn(Secret(one))

    async def _read(self) -> None:
        if self._record or self._auth.is_fresh or self._auth.file is None:
            return
        try:
            found = await anyio.to_thread.run_sync(
                partial(read_record, self._auth.file, private=True), limiter=self._limiter
            )
        except FileNotFoundError:
            return
        except RecordUnusable as error:
            raise NotUsable(f"the record of its tokens cannot be used ({error}): {self._auth.file}") from None
        if (
            not isinstance(found, dict)
            or found.get("schemaVersion") != SCHEMA_VERSION
            or found.get("for") != self._whose
        ):
            return
        self._record.update(found)
        tokens, client = found.get("tokens") or {}, found.get("client") or {}
        self._learn(tokens.get("access_token"), tokens.get("refresh_token"), client.get("client_secret"))

    async def _write(self) -> None:
        if self._auth.file is None:
            return
        value = {**self._record, "schemaVersion": SCHEMA_VERSION, "for": self._whose}
        try:
            await anyio.to_thread.run_sync(partial(self._keep, value), limiter=self._limiter)
        except OSError as error:
            self._warn(f"its tokens cannot be kept ({error.strerror}): the next start may need a person")

    def _keep(self, value: dict[str, Any]) -> None:
        assert self._auth.file is not None
        self._auth.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_record(self._auth.file, value)


def _plain(model: BaseModel | None) -> dict[str, Any] | None:
    return None if model is None else model.model_dump(mode="json", exclude_none=True)


def _made(model: type[Model], value: Any) -> Model | None:
    """Return a part of the record; one that is none counts as absent, and is got anew."""
    try:
        return None if value is None else model.model_validate(value)
    except ValidationError:
        return None
