"""The official SDK at the other end, over each transport and both eras of the protocol."""

from __future__ import annotations

import logging
import os
import signal
import sys
from contextlib import asynccontextmanager

import anyio
import pytest

from gatehook.catalog.manifest import Transport
from gatehook.kinds.errors import Ambiguous
from gatehook.runtimes.mcp import McpState
from tests.runtimes.mcp.conftest import SERVERS
from tests.runtimes.mcp.conftest import running
from tests.runtimes.mcp.conftest import spec_of
from tests.runtimes.mcp.conftest import until

pytestmark = pytest.mark.anyio

OF_THE_SDK = str(SERVERS / "of_the_sdk.py")
PROTOCOLS = {"sse": "2025-11-25", "streamable": "2026-07-28", "stdio": "2025-11-25"}


def spec_for(kind, port, **limits):
    if kind == "stdio":
        return spec_of(sys.executable, OF_THE_SDK, kind, "0", limits={"start_timeout": 60, **limits})
    transport = Transport.SSE if kind == "sse" else Transport.STREAMABLE_HTTP
    url = f"http://127.0.0.1:{port}/{'sse' if kind == 'sse' else 'mcp'}?token=tok-12345678"
    return spec_of(url=url, transport=transport, limits={"start_timeout": 30, **limits})


@asynccontextmanager
async def served(kind, port):
    """Serve in a process of its own; gives the process."""
    if kind == "stdio":
        yield None
        return
    process = await anyio.open_process(
        [sys.executable, OF_THE_SDK, kind, str(port)], stdin=None, stdout=None, stderr=None
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize("kind", PROTOCOLS)
async def test_a_server_of_the_sdk_is_used(kind, free_tcp_port, caplog):
    caplog.set_level(logging.DEBUG)
    told = []

    async def progress(progress, total, message):
        told.append((progress, total, message))

    async with served(kind, free_tcp_port), running(spec_for(kind, free_tcp_port), wait=False) as session:
        await session.wait_connected(60)
        assert session.server["protocol"] == PROTOCOLS[kind]
        assert set(session.tools) == {"echo", "sleep", "big", "change", "progress"}
        assert (await session.call("echo", {"text": "hi"})).texts == ("hi",)
        assert len((await session.call("big", {"size": 2_000_000})).texts[0]) == 2_000_000
        await session.call("progress", {}, progress=progress)
        assert told == [(1.0, 2.0, "on it")]
        with pytest.raises(Ambiguous):
            await session.call("sleep", {"seconds": 5}, timeout=0.1)
        assert (await session.call("echo", {"text": "on"})).texts == ("on",)
        if PROTOCOLS[kind] == "2025-11-25":  # where the server tells without being asked
            await session.call("change", {})
            await until(session, McpState.SUSPENDED)
            assert session.difference.added == ("another",)
    assert "tok-12345678" not in caplog.text


@pytest.mark.parametrize("kind", ["sse", "streamable"])
async def test_killed_in_a_call_and_back(kind, free_tcp_port):
    errors = []

    async def failing(session):
        try:
            await session.call("sleep", {"seconds": 60}, timeout=60)
        except Ambiguous as error:
            errors.append(error)

    spec = spec_for(kind, free_tcp_port, backoff_cap=0.2)
    async with running(spec, wait=False) as session:
        async with served(kind, free_tcp_port) as process:
            await session.wait_connected(60)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(failing, session)
                await anyio.wait_all_tasks_blocked()
                await session.call("echo", {"text": "the other one is at the server by now"})
                os.kill(process.pid, signal.SIGKILL)
            await until(session, McpState.BACKOFF)
        async with served(kind, free_tcp_port):
            await session.wait_connected(60)
            assert (await session.call("echo", {"text": "again"})).texts == ("again",)
            assert session.generation == 2
    assert len(errors) == 1
