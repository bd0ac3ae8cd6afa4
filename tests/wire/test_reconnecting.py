"""One session over one child after the other: calls in between fail at once, streams go on where they were."""

from __future__ import annotations

import json
import logging
import sys
from contextlib import asynccontextmanager
from itertools import pairwise
from types import SimpleNamespace

import anyio
import pytest

from gatehook.clocks import SystemClock
from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.market_data import Channel
from gatehook.kinds.market_data import Subscription
from gatehook.kinds.streams import Overflow
from gatehook.kinds.streams import Reconnected
from gatehook.wire.host_requests import HostRequests
from gatehook.wire.market_data import WireMarketData
from gatehook.wire.session import StdioWireSession
from tests.wire.serving import BUILTIN
from tests.wire.serving import CHILD
from tests.wire.serving import child

pytestmark = pytest.mark.anyio
SIMULATED = (*CHILD, str(BUILTIN / "simulated"))
#: Nanoseconds between two quotes.
QUOTE = 50_000_000
#: Shakes hands, has one tool, and never answers a call of it.
SILENT = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    if asked.get("method") == "initialize":
        result = {"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "s", "version": "1"}}
    elif asked.get("method") == "tools/list":
        result = {"tools": [{"name": "wait", "inputSchema": {}}]}
    else:
        continue
    print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}), flush=True)
"""


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@asynccontextmanager
async def connected(session, *command):
    """Run a child and the session over it; yields the process."""
    async with child(*command) as process, anyio.create_task_group() as tasks:
        await tasks.start(session.run, process.stdout, process.stdin)
        yield process
        tasks.cancel_scope.cancel()


@pytest.fixture
def context(tmp_path):
    return SimpleNamespace(
        plugin_id="simulated",
        entry_id="entry",
        venue="SIM",
        data_dir=tmp_path,
        config={"seed": 7, "interval": 0.05},
        clock=SystemClock(),
        logger=logging.getLogger("test.wire"),
    )


class Children:
    """Runs one child after the other under a session; the next one starts when it is let."""

    def __init__(self, session, *command):
        self.session, self.command = session, command
        self.process = None
        self.ended, self.again = anyio.Event(), anyio.Event()

    async def run(self):
        while True:
            async with child(*self.command) as self.process:
                await self.session.run(self.process.stdout, self.process.stdin)
            self.ended.set()
            await self.again.wait()


async def test_a_stream_goes_on_over_a_second_child_where_it_was(context):
    async with anyio.create_task_group() as tasks:
        context.task_group = tasks
        session = StdioWireSession(offers=HostRequests(context, lambda: tasks).answer)
        children = Children(session, *SIMULATED)
        tasks.start_soon(children.run)
        await session.wait_connected(20)
        source = WireMarketData(session, context)
        (instrument, *_) = await source.list_instruments()
        wanted = [Subscription(instrument_id=instrument.id, channel=Channel.QUOTES)]
        with anyio.fail_after(30):
            async with source.stream(wanted, overflow=Overflow.ERROR) as items:
                places = [(await anext(items)).ts_event]
                children.process.kill()
                await children.ended.wait()
                with pytest.raises(NotConnected, match="not connected"):
                    await session.call("gatehook.market_data.health", {})
                children.again.set()
                while not isinstance(item := await anext(items), Reconnected):
                    places.append(item.ts_event)
                places.append((await anext(items)).ts_event)
        assert session.generation == 2
        steps = {after - before for before, after in pairwise(places)}
        assert 0 < min(steps) <= max(steps) <= QUOTE  # none was lost, and none came twice
        tasks.cancel_scope.cancel()


async def test_a_call_under_way_when_its_child_dies_is_ambiguous_and_the_next_child_is_asked(context):
    session = StdioWireSession()
    async with connected(session, sys.executable, "-c", SILENT) as process, anyio.create_task_group() as tasks:

        async def ask():
            with pytest.raises(Ambiguous):
                await session.call("wait", {})

        tasks.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        process.kill()
    async with connected(session, sys.executable, "-c", SILENT):
        assert (session.generation, session.server["name"]) == (2, "s")
        with pytest.raises(Ambiguous, match="within"):
            await session.call("wait", {}, timeout=0.05)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"protocolVersion": "1999-01-01", "serverInfo": {}}, "1999-01-01"),
        ({"protocolVersion": "2025-11-25"}, "protocol version"),
        ([], "protocol version"),
    ],
)
async def test_what_is_no_server_of_the_wire_is_not_connected_to_and_the_next_may_be(answer, why):
    other = (
        f"import sys\nsys.stdin.readline()\nprint({json.dumps(json.dumps({'id': 1, 'result': answer}))}, flush=True)"
    )
    session = StdioWireSession()
    with pytest.raises(NotConnected, match=why):
        async with child(sys.executable, "-c", other) as process:
            await session.run(process.stdout, process.stdin)
    assert session.generation == 0
    async with connected(session, sys.executable, "-c", SILENT):
        await session.wait_connected(1)
        assert session.generation == 1
    with pytest.raises(NotConnected, match="let go"):
        await session.wait_connected(0.01)
