"""Files of MCP servers that other programs have configured, and that are imported."""

from __future__ import annotations

from typing import Final

from gatehook.diagnostics.records import Code
from gatehook.diagnostics.records import Severity

IMPORT_REFUSED: Final = Code(
    "import.refused",
    Severity.ERROR,
    "{path} cannot be imported: {reason}.",
    "Give a VS Code mcp.json, a file with mcpServers, or an .mcpb bundle.",
)
IMPORT_SERVER: Final = Code(
    "import.server",
    Severity.ERROR,
    "The server {server} was not taken over: {reason}.",
    "Mend the file or give the value, or leave this server out with --only.",
)
IMPORT_EXISTS: Final = Code(
    "import.exists",
    Severity.ERROR,
    "The server {server} would become the plugin {plugin}, and there is one already ({path}).",
    "Rename the server in the file, leave it out with --only, or remove the plugin.",
)
