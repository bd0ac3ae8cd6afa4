"""``context.http``: a client for each entry over one shared TLS context; httpx2 is imported when one is asked for."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from gatehook.secrets import MASK

if TYPE_CHECKING:
    import httpx2


class MaskedRequest(ValueError):
    """A URL or a header holds the mask of a secret: the plugin wrote ``str(secret)`` instead of ``secret.reveal()``."""


class HttpClients:
    """Makes the clients of one host."""

    def __init__(self) -> None:
        self._tls: ssl.SSLContext | None = None

    def new(self) -> httpx2.AsyncClient:
        """Return a client; its owner closes it."""
        import httpx2

        if self._tls is None:
            self._tls = httpx2.create_ssl_context()
        return httpx2.AsyncClient(verify=self._tls, event_hooks={"request": [_refuse_mask]})


async def _refuse_mask(request: httpx2.Request) -> None:
    if MASK in str(request.url):
        raise MaskedRequest("the URL holds the mask of a secret; write secret.reveal() where the value is needed")
    for name, value in request.headers.items():
        if MASK in value:
            raise MaskedRequest(f"the header {name} holds the mask of a secret; write secret.reveal()")
