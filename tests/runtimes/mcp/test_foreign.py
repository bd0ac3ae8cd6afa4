"""Servers that others wrote, where they are installed: ``GATEHOOK_FOREIGN_SERVERS`` names a directory that holds

- ``node_modules`` with ``@modelcontextprotocol/server-everything``, ``server-filesystem`` and ``server-memory``,
- ``py``, a virtual environment with ``mcp-server-time``.
"""

from __future__ import annotations

import os
import shutil
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from gatehook.catalog.manifest import Transport
from gatehook.kinds.errors import Ambiguous
from tests.runtimes.mcp.conftest import running
from tests.runtimes.mcp.conftest import spec_of

PLACE = os.environ.get("GATEHOOK_FOREIGN_SERVERS")
pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not PLACE, reason="GATEHOOK_FOREIGN_SERVERS names no directory with foreign servers"),
    pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed"),
]
HERE = Path(PLACE or ".")
PATH = {"PATH": os.environ["PATH"]}


def node(package, *arguments, **limits):
    script = HERE / "node_modules" / "@modelcontextprotocol" / package / "dist" / "index.js"
    if not script.exists():
        pytest.skip(f"{package} is not installed in {HERE}")
    return spec_of("node", str(script), *arguments, limits={"start_timeout": 60, **limits})


@asynccontextmanager
async def everything_over(kind, port):
    script = HERE / "node_modules/@modelcontextprotocol/server-everything/dist/index.js"
    process = await anyio.open_process(
        ["node", str(script), kind], env={**PATH, "PORT": str(port)}, stderr=None, stdout=None
    )
    try:
        yield
    finally:
        process.kill()
        await process.wait()


async def exercise(session):
    told = []

    async def progress(progress, total, message):
        told.append(progress)

    assert "hi" in (await session.call("echo", {"message": "hi"})).texts[0]
    name = "trigger-long-running-operation"
    await session.call(name, {"duration": 1, "steps": 4}, progress=progress, timeout=20)
    assert len(told) >= 3
    with pytest.raises(Ambiguous):
        await session.call(name, {"duration": 20, "steps": 2}, timeout=0.3)
    with anyio.move_on_after(0.2):
        await session.call(name, {"duration": 20, "steps": 2})
    assert "on" in (await session.call("echo", {"message": "on"})).texts[0]


async def test_everything_over_stdio():
    async with running(node("server-everything", "stdio"), wait=False) as session:
        await session.wait_connected(60)
        await exercise(session)


@pytest.mark.parametrize(("kind", "path"), [("sse", "/sse"), ("streamableHttp", "/mcp")])
async def test_everything_over_http(kind, path, free_tcp_port):
    transport = Transport.SSE if kind == "sse" else Transport.STREAMABLE_HTTP
    spec = spec_of(url=f"http://127.0.0.1:{free_tcp_port}{path}", transport=transport, limits={"start_timeout": 60})
    async with everything_over(kind, free_tcp_port), running(spec, wait=False) as session:
        await session.wait_connected(60)
        await exercise(session)


async def test_filesystem(tmp_path):
    (tmp_path / "a.txt").write_text("hello")
    async with running(node("server-filesystem", str(tmp_path)), wait=False) as session:
        await session.wait_connected(60)
        assert "hello" in (await session.call("read_text_file", {"path": str(tmp_path / "a.txt")})).texts[0]
        assert (await session.call("read_text_file", {"path": "/etc/passwd"})).is_error


async def test_memory(tmp_path):
    spec = node("server-memory")
    async with running(spec, wait=False) as session:
        await session.wait_connected(60)
        entity = {"name": f"n{os.getpid()}", "entityType": "t", "observations": ["o"]}
        assert not (await session.call("create_entities", {"entities": [entity]})).is_error
        assert entity["name"] in (await session.call("search_nodes", {"query": entity["name"]})).texts[0]
        await session.call("delete_entities", {"entityNames": [entity["name"]]})


async def test_time():
    program = HERE / "py" / "bin" / "mcp-server-time"
    if not program.exists():
        pytest.skip(f"mcp-server-time is not installed in {HERE}")
    async with running(spec_of(str(program), limits={"start_timeout": 60}), wait=False) as session:
        await session.wait_connected(60)
        assert "UTC" in (await session.call("get_current_time", {"timezone": "UTC"})).texts[0]
