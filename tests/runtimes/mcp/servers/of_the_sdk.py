"""A server of the SDK: ``of_the_sdk.py stdio|streamable|sse PORT``."""

import sys

import anyio
import uvicorn
from mcp.server.mcpserver import Context
from mcp.server.mcpserver import MCPServer

server = MCPServer("over http", log_level="ERROR")


@server.tool(structured_output=False)
def echo(text: str) -> str:
    return text


@server.tool(structured_output=False)
async def sleep(seconds: float) -> str:
    await anyio.sleep(seconds)
    return "slept"


@server.tool(structured_output=False)
def big(size: int) -> str:
    return "x" * size


@server.tool(structured_output=False)
async def change(ctx: Context) -> str:
    server.add_tool(lambda: "new", name="another", description="new", structured_output=False)
    await ctx.session.send_tool_list_changed()
    return "changed"


@server.tool(structured_output=False)
async def progress(ctx: Context) -> str:
    await ctx.report_progress(1, 2, "on it")
    return "done"


kind, port = sys.argv[1], int(sys.argv[2])
if kind == "stdio":
    server.run("stdio")
else:
    app = server.sse_app() if kind == "sse" else server.streamable_http_app()
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error")
