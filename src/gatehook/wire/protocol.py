"""The names and numbers of the wire, version 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from typing import Final

from gatehook.kinds.kind import Kind

WIRE_VERSION: Final = 1
#: Under this key of MCP's ``capabilities.experimental`` either side says that it speaks the wire.
EXPERIMENTAL: Final = "gatehook"

#: MCP versions with a handshake, oldest first; the last one is asked for.
HANDSHAKE_VERSIONS: Final = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
#: The version whose requests carry their version themselves; no handshake comes first.
STATELESS_VERSION: Final = "2026-07-28"

#: kind -> the middle part of its tools' names
WORDS: Final[Mapping[Kind, str]] = {
    Kind.BROKER: "broker",
    Kind.MARKET_DATA: "market_data",
    Kind.FEED: "feed",
    Kind.MARKETPLACE: "marketplace",
    Kind.CHANNEL: "channel",
    Kind.NOTIFIER: "notifier",
    Kind.MEMORY: "memory",
}

#: The tool that lets the plugin's providers connect; a server that is always ready need not have it.
OPEN: Final = "gatehook.open"

#: Tools on one page of a list.
TOOLS_PER_PAGE: Final = 32
#: The most items in one answer of a stream, and what a client asks for.
MOST_ITEMS: Final = 1_000
#: The longest that ``next`` waits for a first item, in seconds.
LONGEST_WAIT: Final = 30.0
#: Streams that one connection may have open.
MOST_STREAMS: Final = 64
#: A stream that nobody reads for so many seconds is closed.
IDLE_STREAM: Final = 90.0


def experimental(**more: Any) -> Mapping[str, Any]:
    """Return the ``experimental`` capability that says: the wire is spoken here."""
    return {EXPERIMENTAL: {"wire": WIRE_VERSION, **more}}


def speaks_wire(capabilities: Any) -> bool:
    """Say whether the other side's capabilities announce this version of the wire."""
    return announced(capabilities).get("wire") == WIRE_VERSION


def announced(capabilities: Any) -> Mapping[str, Any]:
    """Return what the other side announces about the wire; empty where it announces nothing."""
    found = capabilities.get("experimental") if isinstance(capabilities, Mapping) else None
    found = found.get(EXPERIMENTAL) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}
