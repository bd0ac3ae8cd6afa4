"""The client that the official conformance suite runs: ``conformance_client.py URL`` connects with our session.

It lists the tools and calls each with arguments made from its schema, as the suite's scenarios of tools want it.
"""

import json
import logging
import os
import sys
from pathlib import Path

import anyio

from gatehook.catalog.manifest import Transport
from gatehook.kinds.errors import ProviderError
from gatehook.runtimes.mcp import McpLimits
from gatehook.runtimes.mcp import McpSession
from gatehook.runtimes.mcp import McpSpec

MADE = {"string": "text", "number": 5, "integer": 3, "boolean": True, "array": [], "object": {}, "null": None}


def calls_for(tools):
    """Return what is to be called: what the scenario says, or each tool once."""
    stated = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT") or "{}").get("toolCalls")
    if stated:
        return [(one["name"], one.get("arguments") or {}) for one in stated]
    if "json_schema_echo" in tools:
        focal = next(tool for name, tool in tools.items() if name != "json_schema_echo")
        return [("json_schema_echo", {"schema": dict(focal.input_schema)})]
    return [(name, made_for(tool.input_schema)) for name, tool in tools.items()]


def made_for(schema):
    properties = schema.get("properties") or {}
    return {name: one.get("default", MADE.get(one.get("type"), "text")) for name, one in properties.items()}


async def main():
    spec = McpSpec(
        transport=Transport.STREAMABLE_HTTP, url=sys.argv[-1], root=Path.cwd(), shown="conformance", limits=McpLimits()
    )
    session = McpSession(spec, entry_id="conformance", logger=logging.getLogger("conformance"))
    async with anyio.create_task_group() as tasks:
        await tasks.start(lambda task_status: session.run(task_status=task_status))
        await session.wait_connected(20)
        for name, arguments in calls_for(session.tools):
            try:
                print(name, await session.call(name, arguments, timeout=15), file=sys.stderr)
            except ProviderError as error:
                print(name, repr(error), file=sys.stderr)
        await anyio.sleep(float(os.environ.get("GATEHOOK_CONFORMANCE_LINGER", "0.5")))
        tasks.cancel_scope.cancel()


logging.basicConfig(stream=sys.stderr)
anyio.run(main)
