"""Adapters: what they need of the MCP server behind them."""

from __future__ import annotations

from typing import Final

from gatehook.diagnostics.records import Code
from gatehook.diagnostics.records import Severity

TOOLS_MISSING: Final = Code(
    "adapter.tools-missing",
    Severity.ERROR,
    "The server of {entry} has no {tools}, without which its adapter can do nothing.",
    "Look at the address: it may be another server, or a version without these tools.",
)
