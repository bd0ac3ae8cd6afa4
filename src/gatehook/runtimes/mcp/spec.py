"""What a session is told: where the server is or how it is started, and the bounds of everything."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any
from typing import Final
from urllib.parse import quote
from urllib.parse import urlsplit

import attrs

from gatehook.catalog.manifest import ExternalMcp
from gatehook.catalog.manifest import Transport
from gatehook.runtimes.mcp.auth import McpAuth
from gatehook.secrets import MASK
from gatehook.secrets import Secret

#: The table of an entry's configuration that is the session's, whatever else the plugin's schema has.
TABLE: Final = "mcp"
_PLACE: Final = re.compile(r"\$\{config\.([A-Za-z_][A-Za-z0-9_]*)\}")
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
        """Make the spec of a manifest's entry and the entry's own configuration.

        ``${config.NAME}`` in the manifest's ``url`` (percent-encoded, lists with commas) and in arguments of its
        ``command`` is replaced. The table ``mcp`` of the configuration may have ``url``, ``headers``, ``env``,
        ``allowedHosts``, ``startTimeout``, ``callTimeout``, ``maxResult``, ``input``.

        Raises:
            KeyError: for a placeholder whose name the configuration does not have.
            ValueError: for a limit that is no positive number, and for an unknown word of ``input``.
        """
        table = config.get(TABLE) or {}
        template = str(table.get("url") or entry.url or "")
        named = {str(host).lower() for host in table.get("allowedHosts", ())}
        if table.get("url") or (entry.url and _host_is_configured(entry.url)):
            named.add((urlsplit(_filled(template, config, _in_url)).hostname or "").lower())
        return cls(
            transport=entry.transport,
            command=tuple(_filled(one, config, _plain) for one in entry.command or ()),
            url=_filled(template, config, _in_url) if template else "",
            headers=_texts(table.get("headers")),
            environment=_texts(table.get("env")),
            root=root,
            shown=_without_query(template) if template else (entry.command or ("",))[0],
            named_hosts=frozenset(named),
            inputs=InputPolicy(table.get("input", InputPolicy.REFUSE)),
            limits=_limits(table),
        )


def _limits(table: Mapping[str, Any]) -> McpLimits:
    given = {"startTimeout": "start_timeout", "callTimeout": "call_timeout", "maxResult": "max_result"}
    stated = {name: table[key] for key, name in given.items() if key in table}
    for value in stated.values():
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise ValueError(f"a limit of the session is a number above 0, not {value!r}")
    return McpLimits(**stated)


def _filled(template: str, config: Mapping[str, Any], write: Callable[[Any], str]) -> str:
    return _PLACE.sub(lambda match: write(config[match[1]]), template)


def _plain(value: Any) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ",".join(_plain(one) for one in value)
    return str(value)


def _in_url(value: Any) -> str:
    return quote(_plain(value), safe=",")


def _texts(table: Mapping[str, Any] | None) -> dict[str, str]:
    return {str(name): _plain(value) for name, value in (table or {}).items()}


def _host_is_configured(template: str) -> bool:
    return _PLACE.search(template.partition("://")[2].partition("/")[0]) is not None


def _without_query(template: str) -> str:
    """Return the address as it may be shown: what follows ``?`` often holds a token."""
    address, asked, _ = _PLACE.sub(MASK, template).partition("?")
    return f"{address}?…" if asked else address
