"""The MCP server that the sessions are measured on: stdio without the SDK, or HTTP with it (``http PORT``)."""

from __future__ import annotations

import json
import sys
from typing import Any

SCHEMA = {"type": "object", "properties": {"text": {"type": "string"}, "size": {"type": "integer"}}}


def main() -> None:
    """Serve."""
    if sys.argv[1:2] == ["http"]:
        _over_http(int(sys.argv[2]))
    else:
        _over_stdio()


def _over_stdio() -> None:
    out = sys.stdout.buffer
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if "id" in request:
            reply = {"jsonrpc": "2.0", "id": request["id"], "result": _result(request)}
            out.write(json.dumps(reply).encode() + b"\n")
            out.flush()


def _result(request: dict[str, Any]) -> dict[str, Any]:
    method, params = request["method"], request.get("params") or {}
    if method == "initialize":
        info = {"name": "measured", "version": "1"}
        return {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": info}
    if method == "tools/list":
        return {"tools": [{"name": "echo", "description": "", "inputSchema": SCHEMA}]}
    if method != "tools/call":
        return {}
    arguments = params["arguments"]
    text = "x" * arguments["size"] if "size" in arguments else arguments["text"]
    return {"content": [{"type": "text", "text": text}]}


def _over_http(port: int) -> None:
    import uvicorn
    from mcp.server.mcpserver import MCPServer

    server = MCPServer("measured", log_level="ERROR")

    @server.tool(structured_output=False)
    def echo(text: str) -> str:
        return text

    uvicorn.run(server.streamable_http_app(), host="127.0.0.1", port=port, log_level="error")


if __name__ == "__main__":
    main()
