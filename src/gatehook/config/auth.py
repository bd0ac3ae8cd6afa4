"""``[plugins.entries.<entry>.auth]``: how the gateway gets a token for an MCP server that asks for one (OAuth)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import attrs

from gatehook.config.settings import Shape
from gatehook.config.settings import about
from gatehook.secrets import SecretReference

_LAST_PORT: Final = 65535


class Grant(StrEnum):
    """Who agrees: the gateway with its own credentials, a person in a browser, once, or an enterprise's identity
    provider, whose assertion something else on this machine keeps fresh.
    """

    CLIENT_CREDENTIALS = "client_credentials"
    AUTHORIZATION_CODE = "authorization_code"
    IDENTITY_ASSERTION = "identity_assertion"


class ClientMethod(StrEnum):
    """Where a client secret stands in a request for a token."""

    BASIC = "client_secret_basic"
    POST = "client_secret_post"


class Signing(StrEnum):
    """How a private key signs."""

    RS256 = "RS256"
    ES256 = "ES256"
    PS256 = "PS256"
    EDDSA = "EdDSA"


class IncompleteAuth(ValueError):
    """Settings that do not fit together.

    Attributes:
        key: the setting to change.
        expected: what it must be.
    """

    def __init__(self, key: str, expected: str) -> None:
        super().__init__(f"{key} must be {expected}")
        self.key = key
        self.expected = expected


@attrs.frozen(kw_only=True)
class AuthConfig:
    """The settings; secrets are references. Credentials go to the authorization server ``issuer`` and to no other.

    Raises:
        IncompleteAuth: they do not fit together.
    """

    grant: Grant = attrs.field(
        default=Grant.AUTHORIZATION_CODE,
        metadata=about(
            Shape.CHOICE,
            "who agrees: the gateway's own credentials, a person (`gatehook plugins authorize`), or who asserts it",
            choices=Grant,
        ),
    )
    issuer: str | None = attrs.field(
        default=None,
        metadata=about(Shape.URL, "the authorization server that the credentials belong to; needed with credentials"),
    )
    client_id: str | None = attrs.field(
        default=None, metadata=about(Shape.TEXT, "the client; without one a person's grant registers one by itself")
    )
    client_secret: SecretReference | None = attrs.field(
        default=None, metadata=about(Shape.SECRET, "the client's secret")
    )
    client_method: ClientMethod = attrs.field(
        default=ClientMethod.BASIC,
        metadata=about(Shape.CHOICE, "where the secret stands in a request for a token", choices=ClientMethod),
    )
    private_key: SecretReference | None = attrs.field(
        default=None, metadata=about(Shape.SECRET, "a private key in PEM, in place of a secret (private_key_jwt)")
    )
    signing: Signing = attrs.field(
        default=Signing.RS256, metadata=about(Shape.CHOICE, "how the private key signs", choices=Signing)
    )
    assertion: SecretReference | None = attrs.field(
        default=None,
        metadata=about(
            Shape.SECRET, "the assertion (ID-JAG) of an identity provider, read anew whenever one is needed"
        ),
    )
    client_metadata_url: str | None = attrs.field(
        default=None, metadata=about(Shape.URL, "an https address that describes the client and is its id")
    )
    redirect_port: int = attrs.field(
        default=18463, metadata=about(Shape.COUNT, "the port on loopback to which a person's browser returns")
    )

    def __attrs_post_init__(self) -> None:
        if self.grant is Grant.AUTHORIZATION_CODE:
            self._check_attended()
        else:
            self._check_unattended()
        if (self.assertion is not None) != (self.grant is Grant.IDENTITY_ASSERTION):
            raise IncompleteAuth("assertion", "given for the grant identity_assertion, and for no other")
        if self.issuer is None and (self.client_secret is not None or self.private_key is not None):
            raise IncompleteAuth("issuer", "the authorization server's address: nobody else gets the credentials")
        if self.client_metadata_url is not None and not self.client_metadata_url.startswith("https://"):
            raise IncompleteAuth("client_metadata_url", "an https address with a path")
        if self.redirect_port > _LAST_PORT:
            raise IncompleteAuth("redirect_port", f"a port from 1 to {_LAST_PORT}")

    def _check_unattended(self) -> None:
        if self.client_id is None:
            raise IncompleteAuth("client_id", "the client's id: this grant has no person who could register one")
        if self.private_key is not None and self.grant is Grant.IDENTITY_ASSERTION:
            raise IncompleteAuth("private_key", "left out: an assertion comes with a client_secret")
        if (self.client_secret is None) == (self.private_key is None):
            raise IncompleteAuth("client_secret", "given, or a private_key in its place, and not both")

    def _check_attended(self) -> None:
        if self.private_key is not None:
            raise IncompleteAuth("private_key", "left out: only the grant client_credentials signs with one")
        if self.client_secret is not None and self.client_id is None:
            raise IncompleteAuth("client_id", "the id that client_secret belongs to")
