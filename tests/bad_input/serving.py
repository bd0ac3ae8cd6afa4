"""What cannot be served over the wire."""

from __future__ import annotations

import json

from gatehook.diagnostics import GatehookError
from gatehook.runtimes.wire_child import read_directory
from tests.bad_input.table import Table

TABLE = Table()


def _refused(folder):
    try:
        read_directory(folder)
    except GatehookError as error:
        return error.diagnostics
    return ()


@TABLE.row("wire.not-servable", "a directory without a manifest", "path")
async def _no_manifest(world):
    return _refused(world.folder)


@TABLE.row("wire.not-servable", "a plugin whose entry is a server already", "path plugin")
async def _a_server(world):
    manifest = {
        "id": "remote",
        "name": "A server",
        "version": "1.0.0",
        "kinds": ["connector.marketData"],
        "entry": {"type": "external.mcp", "command": ["server"]},
        "configSchema": {"type": "object", "additionalProperties": False},
    }
    (world.folder / "plugin.json").write_text(json.dumps(manifest))
    return _refused(world.folder)
