"""The one form that every foreign file of MCP servers is read into."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from gatehook.catalog.manifest import Transport


class NotTakenOver(ValueError):
    """A server cannot be taken over; the text says why and what to do, and holds no value of the file."""


@attrs.frozen(kw_only=True)
class Setting:
    """A property of the plugin's configuration.

    Attributes:
        name: its name in the configuration.
        keyword: where its value goes: a keyword of ``gatehook.config.passing``.
        place: the query parameter, header or environment variable that it becomes.
        value: what the entry says: ``{"env": NAME}`` for whatever may be a secret, else plain text; ``None``: nothing.
        secret: whether it is marked as a secret.
        description: what it is, as far as the file says so.
        required: whether the server needs it.
    """

    name: str
    keyword: str
    place: str
    value: Any = None
    secret: bool = True
    description: str = ""
    required: bool = True


@attrs.frozen(kw_only=True)
class ForeignServer:
    """One MCP server: either ``command``, or ``url`` with its ``transport``.

    Attributes:
        name: what the file calls it.
        settings: what its configuration has.
        files: what belongs to it, by path below the plugin's directory: contents, and whether it is a program.
        notes: what a person should know: values that were not copied, keys that were left out.
        about: description, authors, licence and homepage, as far as the file has them.
    """

    name: str
    command: tuple[str, ...] | None = None
    url: str | None = None
    transport: Transport = Transport.STDIO
    settings: tuple[Setting, ...] = ()
    files: Mapping[str, tuple[bytes, bool]] = attrs.field(factory=dict, repr=False)
    notes: tuple[str, ...] = ()
    about: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class ForeignFile:
    """What a file holds: servers that can be taken over, and those that cannot, with the reason."""

    path: Path
    servers: tuple[ForeignServer, ...]
    refused: Mapping[str, str]
