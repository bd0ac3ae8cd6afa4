"""What a session is told of its authorization: the settings, their secrets, and where a person's tokens are kept."""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

from gatehook.config.auth import AuthConfig
from gatehook.secrets import Secret

#: Below a gateway's data directory: a file for each entry that a person authorized.
DIRECTORY: Final = "tokens"
#: Where the browser of a person returns to.
CALLBACK: Final = "/callback"

#: Shows a person the address to agree at; returns the parameters with which the browser came back.
Ask = Callable[[str], Awaitable[Mapping[str, str]]]
#: Fetches a secret that is another one each time.
Fetch = Callable[[str, str], Awaitable[str]]


def _nobody_learns(_: Secret) -> None:
    """Tell no redactor."""


@attrs.frozen(kw_only=True)
class McpAuth:
    """How one entry's session gets its tokens.

    Attributes:
        client_secret, private_key: the secrets that ``config`` refers to.
        assertion: gives an identity provider's assertion for an issuer and a server's address.
        file: where the tokens of a person's grant are kept; ``None`` keeps them in memory, as those of credentials are.
        learn: is told every secret that comes, for a redactor.
        ask: asks a person; ``None`` where nobody is there, which is everywhere but in ``plugins authorize``.
        is_fresh: whether tokens that are kept already are left aside.
    """

    config: AuthConfig
    client_secret: Secret | None = None
    private_key: Secret | None = None
    assertion: Fetch | None = attrs.field(default=None, repr=False)
    file: Path | None = None
    learn: Callable[[Secret], object] = _nobody_learns
    ask: Ask | None = attrs.field(default=None, repr=False)
    is_fresh: bool = False

    @property
    def redirect(self) -> str:
        """The address on this machine that a browser returns to."""
        return f"http://127.0.0.1:{self.config.redirect_port}{CALLBACK}"
