"""Entries whose plugin is an MCP server: their session, and their pinned tools."""

from __future__ import annotations

from typing import Final

from gatehook.diagnostics.records import Code
from gatehook.diagnostics.records import Severity

NO_SESSION: Final = Code(
    "mcp.no-session",
    Severity.ERROR,
    "The plugin {plugin} asked for context.mcp, and its entry type is {runtime}, which has no MCP session.",
    'Give the manifest "entry": {{"type": "external.mcp", …, "adapter": "adapter.py"}}, or do not use context.mcp.',
)
