"""Files of other programs' MCP servers that cannot be imported."""

from __future__ import annotations

import json

from tests.bad_input.table import Table

TABLE = Table()


def imports(code, what, at, content, *, before=None):
    async def provoke(world):
        file = world.folder / "mcp.json"
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        if before is not None:
            plugin = world.folder / "plugins" / before
            plugin.mkdir(parents=True)
        into = ("--into", world.folder / "plugins")
        return world.command("plugins", "import", file, *into, "--yes")

    TABLE.add(code, what, at, provoke)


imports("import.refused", "half a file", "path", '{"servers":')
imports("import.refused", "a list", "path", "[]")
imports(
    "import.server", "a secret in an argument", "path", {"servers": {"a": {"command": "x", "args": ["--token=abc"]}}}
)
imports("import.server", "an address with a user", "path", {"mcpServers": {"a": {"url": "http://u:p@host/"}}})
imports(
    "import.exists", "a directory that is there", "path plugin", {"servers": {"a b": {"command": "x"}}}, before="a_b"
)
