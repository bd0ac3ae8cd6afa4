"""Runtime ``external.mcp``: supervised sessions with MCP servers. The SDK is imported when a session connects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatehook.exports import lazy_exports

if TYPE_CHECKING:
    from gatehook.runtimes.mcp.auth import McpAuth as McpAuth
    from gatehook.runtimes.mcp.pins import ToolDifference as ToolDifference
    from gatehook.runtimes.mcp.pins import ToolPin as ToolPin
    from gatehook.runtimes.mcp.pins import fingerprint as fingerprint
    from gatehook.runtimes.mcp.session import McpSession as McpSession
    from gatehook.runtimes.mcp.spec import InputPolicy as InputPolicy
    from gatehook.runtimes.mcp.spec import McpLimits as McpLimits
    from gatehook.runtimes.mcp.spec import McpSpec as McpSpec
    from gatehook.runtimes.mcp.states import McpState as McpState
    from gatehook.runtimes.mcp.states import McpStatus as McpStatus

__all__, __getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "auth": "McpAuth",
        "pins": "ToolDifference ToolPin fingerprint",
        "session": "McpSession",
        "spec": "InputPolicy McpLimits McpSpec",
        "states": "McpState McpStatus",
    },
)
