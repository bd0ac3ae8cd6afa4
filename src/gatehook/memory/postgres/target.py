"""Where the memory lies, and what must not be shown of that."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from typing import Final

import attrs
import psycopg
from psycopg.conninfo import conninfo_to_dict

from gatehook import GatehookError
from gatehook.diagnostics.codes.memory import DSN_UNREADABLE
from gatehook.secrets import Redactor
from gatehook.secrets import Secret

_SECRETS: Final = ("password", "sslpassword", "oauth_client_secret")
#: A network that lost the server is noticed in about half a minute, where the DSN says nothing else.
_WATCHFUL: Final[Mapping[str, Any]] = {
    "application_name": "gatehook",
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}


@attrs.frozen(kw_only=True)
class Target:
    """A schema of a database on a server.

    Attributes:
        dsn: a connection string or URL.
        given: parameters of libpq that are put over it; a password is a ``Secret``.
        schema: the schema's name.
        pool_size: connections at most; at least two, one of which writes.
        timeout: seconds in which the server answers anything but a search, which has its own.
        connect_timeout: seconds in which it takes a connection.
    """

    dsn: Secret | None = None
    given: Mapping[str, Any] = attrs.field(factory=dict)
    schema: str = "gatehook"
    pool_size: int = 4
    timeout: float = 20.0
    connect_timeout: float = 5.0
    _redactor: Redactor = attrs.field(factory=Redactor, repr=False, eq=False, init=False)

    def parameters(self) -> dict[str, Any]:
        """Return what to connect with, the password in plain.

        Raises:
            GatehookError: ``memory.dsn-unreadable``; its text shows nothing of the DSN.
        """
        found: dict[str, Any] = {"connect_timeout": max(2, round(self.connect_timeout)), **_WATCHFUL}
        if self.dsn is not None:
            self._redactor.add(self.dsn)
            try:
                found |= conninfo_to_dict(self.dsn.reveal())
            except psycopg.ProgrammingError:
                raise GatehookError(DSN_UNREADABLE()) from None
        for name, value in self.given.items():
            found[name] = value.reveal() if isinstance(value, Secret) else value
        for name in _SECRETS:
            if found.get(name):
                self._redactor.add(Secret(str(found[name])))
        return found

    @property
    def lock(self) -> int:
        """The first number of the advisory locks of this schema."""
        digest = hashlib.blake2b(f"gatehook memory {self.schema}".encode(), digest_size=4).digest()
        return int.from_bytes(digest, "big", signed=True)

    def said(self, error: BaseException) -> str:
        """Return an error's text in one line, without secrets."""
        return self._redactor.redact(" ".join(str(error).split()) or type(error).__name__)
