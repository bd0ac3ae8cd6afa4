"""The wire: the seven kinds spoken over MCP, so that a plugin in any language is an MCP server.

``docs/wire.md`` specifies it. Nothing here imports the MCP SDK but ``gatehook.wire.http``.
"""
