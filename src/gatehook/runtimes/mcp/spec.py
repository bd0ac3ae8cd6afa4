"""What a session is told: where the server is or how it is started, and the bounds of everything."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any
from typing import Final

import attrs

from gatehook.catalog.manifest import ExternalMcp
from gatehook.catalog.manifest import Transport
from gatehook.runtimes.mcp.auth import McpAuth

#: The table of an entry's configuration that is the session's, whatever else the plugin's schema has.
TABLE: Final = "mcp"
_MIB: Final = 1_048_576


class InputPolicy(StrEnum):
    """What becomes of a tool's question for input: the call fails, the server hears no, or its form's defaults."""

    REFUSE = "refuse"
    DECLINE = "decline"
    DEFAULTS = "defaults"


@attrs.frozen(kw_only=True)
class McpLimits:
    """Bounds of a session; seconds and bytes.

    Attributes:
        start_timeout: from the start of the process or the first byte to the tool list.
        call_timeout: of a call that states none.
        ping_every, ping_timeout, ping_misses: an idle connection is asked; after so many misses it is made anew.
        grace: what a server gets to end by itself, and again after SIGTERM.
        max_result: the largest message from the server.
        max_rounds: how often a tool may ask for input before it answers, within the deadline of its call.
        max_in_flight: calls at once; more wait for their turn within their deadline.
        max_unsent: bytes waiting for a server that does not read.
        backoff, backoff_cap: the first bound of the pause before a reconnect, and the last; the pause is drawn from
            the whole range below (full jitter).
        max_pages, max_tools, max_schema, max_description: of the tool list.
    """

    start_timeout: float = 30.0
    call_timeout: float = 30.0
    ping_every: float = 15.0
    ping_timeout: float = 2.0
    ping_misses: int = 2
    grace: float = 2.0
    max_result: int = 8 * _MIB
    max_rounds: int = 8
    max_in_flight: int = 32
    max_unsent: int = 4 * _MIB
    backoff: float = 0.2
    backoff_cap: float = 60.0
    max_pages: int = 100
    max_tools: int = 512
    max_schema: int = 65_536
    max_description: int = 4_096


@attrs.frozen(kw_only=True)
class McpSpec:
    """One server. Either ``url`` or ``command`` is set; ``url``, ``headers`` and ``environment`` may hold secrets.

    Attributes:
        shown: the address or the program as a person may see it.
        named_hosts: hosts that the configuration names; only such a host may have a private address.
        inputs: what becomes of a tool's question for input.
        auth: how tokens are got; ``None`` where the server wants none.
    """

    transport: Transport
    command: tuple[str, ...] = attrs.field(default=(), repr=False)
    url: str = attrs.field(default="", repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    environment: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    root: Path
    shown: str
    named_hosts: frozenset[str] = frozenset()
    inputs: InputPolicy = InputPolicy.REFUSE
    auth: McpAuth | None = attrs.field(default=None, repr=False)
    limits: McpLimits = attrs.field(factory=McpLimits)

    @classmethod
    def of(cls, entry: ExternalMcp, config: Mapping[str, Any], root: Path) -> McpSpec:
        """Make the spec of a manifest's entry; what the configuration passes to the server is put in by its host.

        The table ``mcp`` of the configuration may have ``callTimeout`` (seconds), ``maxResult`` (bytes) and ``input``.

        Raises:
            ValueError: for a limit that is no positive number, and for an unknown word of ``input``.
        """
        table = config.get(TABLE) or {}
        return cls(
            transport=entry.transport,
            command=tuple(entry.command or ()),
            url=entry.url or "",
            root=root,
            shown=_without_query(entry.url) if entry.url else (entry.command or ("",))[0],
            inputs=InputPolicy(table.get("input", InputPolicy.REFUSE)),
            limits=_limits(table),
        )


def _limits(table: Mapping[str, Any]) -> McpLimits:
    given = {"callTimeout": "call_timeout", "maxResult": "max_result"}
    stated = {name: table[key] for key, name in given.items() if key in table}
    for value in stated.values():
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise ValueError(f"a limit of the session is a number above 0, not {value!r}")
    return McpLimits(**stated)


def _without_query(url: str) -> str:
    """Return the address as it may be shown: what follows ``?`` often holds a token."""
    address, asked, _ = url.partition("?")
    return f"{address}?…" if asked else address
