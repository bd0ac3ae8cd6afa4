"""Sessions with small servers, each stopped again and nothing of it left."""

from __future__ import annotations

import logging
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from gatehook.catalog.manifest import Transport
from gatehook.runtimes.mcp import McpLimits
from gatehook.runtimes.mcp import McpSession
from gatehook.runtimes.mcp import McpSpec
from gatehook.runtimes.mcp import McpState

SERVERS = Path(__file__).parent / "servers"
PLAIN = SERVERS / "plain.py"
QUICK = {"start_timeout": 10.0, "grace": 0.3, "backoff": 0.01, "call_timeout": 5.0}


def spec_of(*command, url="", transport=Transport.STDIO, root=SERVERS, **more):
    limits = McpLimits(**{**QUICK, **more.pop("limits", {})})
    return McpSpec(transport=transport, command=command, url=url, root=root, shown="the server", limits=limits, **more)


def plain(*faults, **limits):
    return spec_of(sys.executable, "-S", str(PLAIN), *faults, limits=limits)


class History:
    """What a session told its host."""

    def __init__(self):
        self.status = []
        self.first = []
        self.differences = []

    def states(self):
        return [str(one.state) for one in self.status]


@asynccontextmanager
async def running(spec, *, wait=True, history=None, **more):
    history = history or History()
    session = McpSession(
        spec,
        entry_id="mt5",
        logger=logging.getLogger("gatehook.test.mcp"),
        on_status=history.status.append,
        on_first_tools=history.first.append,
        on_suspended=history.differences.append,
        **more,
    )
    async with anyio.create_task_group() as tasks:
        await tasks.start(lambda task_status: session.run(task_status=task_status))
        try:
            if wait:
                await session.wait_connected(10)
            yield session
        finally:
            tasks.cancel_scope.cancel()
    assert session.status.state is McpState.CLOSED


async def until(session, state):
    with anyio.fail_after(10):
        while session.status.state is not state:
            await session._changed.wait()


@pytest.fixture
def data_dir(tmp_path):
    return tmp_path / "data"
