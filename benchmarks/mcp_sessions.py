"""Sessions with MCP servers, against the SDK's own clients on the same servers, and a bare JSON-RPC pipe."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import AsyncExitStack
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from typing import Final

import anyio

from benchmarks.measuring import Budget
from benchmarks.measuring import Row
from benchmarks.measuring import side_by_side_async
from gatehook.catalog.manifest import Transport
from gatehook.runtimes.mcp import McpLimits
from gatehook.runtimes.mcp import McpSession
from gatehook.runtimes.mcp import McpSpec

_SERVER: Final = Path(__file__).parent / "mcp_server.py"
_STDIO: Final = (sys.executable, "-S", str(_SERVER))
_TEXT: Final = "x" * 60
_AT_ONCE: Final = 32
_SDK: Final = "the SDK's client"
_FLOOR: Final = "a bare JSON-RPC pipe"
_LOGGER: Final = logging.getLogger("benchmarks.mcp")
Call = Callable[[dict[str, Any]], Awaitable[Any]]


def run(quick: bool) -> Iterator[Row]:
    """Measure on asyncio, which the SDK's own users run on."""
    yield from anyio.run(_stdio, quick)
    yield from anyio.run(_http, quick)
    yield from anyio.run(_recovery, quick)
    yield anyio.run(_memory, quick)


@asynccontextmanager
async def _session(spec: McpSpec) -> AsyncIterator[McpSession]:
    session = McpSession(spec, entry_id="measured", logger=_LOGGER)
    async with anyio.create_task_group() as tasks:
        await tasks.start(lambda task_status: session.run(task_status=task_status))
        await session.wait_connected(60)
        yield session
        tasks.cancel_scope.cancel()


def _spec(url: str = "", **limits: Any) -> McpSpec:
    return McpSpec(
        transport=Transport.STREAMABLE_HTTP if url else Transport.STDIO,
        command=() if url else _STDIO,
        url=url,
        root=_SERVER.parent,
        shown="measured",
        limits=McpLimits(**limits),
    )


@asynccontextmanager
async def _bare_pipe() -> AsyncIterator[Call]:
    """Requests one after the other and at once over a pipe, matched by id: the least there is to do."""
    process = await asyncio.create_subprocess_exec(*_STDIO, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    reader, writer, waiting = process.stdout, process.stdin, dict[int, asyncio.Future[Any]]()

    async def read() -> None:
        while line := await reader.readline():
            reply = json.loads(line)
            waiting.pop(reply["id"]).set_result(reply["result"])

    reading = asyncio.create_task(read())
    counted = iter(range(1_000_000_000))

    async def call(arguments: dict[str, Any]) -> Any:
        number = next(counted)
        waiting[number] = future = asyncio.get_running_loop().create_future()
        params = {"name": "echo", "arguments": arguments}
        message = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
        writer.write(json.dumps(message).encode() + b"\n")
        return await future

    yield call
    writer.close()
    await process.wait()
    await reading


async def _one_by_one(call: Call, calls: int) -> None:
    for _ in range(calls):
        await call({"text": _TEXT})


async def _at_once(call: Call, calls: int) -> None:
    async def some() -> None:
        for _ in range(calls // _AT_ONCE):
            await call({"text": _TEXT})

    async with anyio.create_task_group() as tasks:
        for _ in range(_AT_ONCE):
            tasks.start_soon(some)


async def _stdio(quick: bool) -> list[Row]:
    from mcp import Client
    from mcp import StdioServerParameters

    calls, rounds = (64, 1) if quick else (3200, 5)
    sizes = {"10 MB": 1_000_000} if quick else {"10 MB": 10_000_000, "100 MB": 100_000_000}
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(_session(_spec(max_result=200_000_000, call_timeout=300.0)))
        parameters = StdioServerParameters(command=_STDIO[0], args=list(_STDIO[1:]))
        client = await stack.enter_async_context(Client(parameters, mode="legacy"))
        pipe = await stack.enter_async_context(_bare_pipe())
        ours: Call = lambda arguments: session.call("echo", arguments)  # noqa: E731  three of one shape
        theirs: Call = lambda arguments: client.call_tool("echo", arguments)  # noqa: E731
        works = {"ours": ours, "sdk": theirs, "floor": pipe}
        latency = await side_by_side_async(
            {name: _bound(_one_by_one, one, calls) for name, one in works.items()}, rounds
        )
        rate = await side_by_side_async({name: _bound(_at_once, one, calls) for name, one in works.items()}, rounds)
        rows = [*_latencies(latency, calls), *_rates(rate, calls)]
        for name, size in sizes.items():
            rows.append(await _large(name, size, ours, theirs))
    rows.append(await _set_up(_spec(), _connected_client(parameters), "stdio: connect and list", quick))
    return rows


def _bound(work: Callable[[Call, int], Awaitable[None]], call: Call, calls: int) -> Callable[[], Awaitable[None]]:
    return lambda: work(call, calls)


def _latencies(seconds: Any, calls: int) -> list[Row]:
    ours, sdk, floor = (seconds[name] / calls * 1e6 for name in ("ours", "sdk", "floor"))
    budget = Budget(0.5, "x the SDK's")
    return [
        Row(work="stdio: a call", figure=ours, unit="µs", against=_SDK, other=sdk, budget=budget, relative=True),
        Row(work="stdio: a call", figure=ours, unit="µs", against=_FLOOR, other=floor),
    ]


def _rates(seconds: Any, calls: int) -> list[Row]:
    done = calls // _AT_ONCE * _AT_ONCE
    ours, sdk, floor = (done / seconds[name] for name in ("ours", "sdk", "floor"))
    work, budget = f"stdio: {_AT_ONCE} calls in flight", Budget(3.0, "x the SDK's", ceiling=False)
    return [
        Row(work=work, figure=ours, unit="/s", against=_SDK, other=sdk, budget=budget, relative=True),
        Row(work=work, figure=ours, unit="/s", against=_FLOOR, other=floor),
    ]


async def _large(name: str, size: int, ours: Call, theirs: Call) -> Row:
    """The SDK's reader takes time quadratic in the size: of more than 10 MB it is not asked."""
    begun = time.perf_counter()
    await ours({"size": size})
    took = time.perf_counter() - begun
    other = None
    if size <= 10_000_000:
        begun = time.perf_counter()
        await theirs({"size": size})
        other = time.perf_counter() - begun
    return Row(work=f"stdio: a result of {name}", figure=took, unit="s", against=_SDK if other else "", other=other)


def _connected_client(*arguments: Any) -> Callable[[], Awaitable[None]]:
    from mcp import Client

    async def connect() -> None:
        async with Client(*arguments, mode="auto" if isinstance(arguments[0], str) else "legacy") as client:
            await client.list_tools()

    return connect


async def _set_up(spec: McpSpec, theirs: Callable[[], Awaitable[None]], work: str, quick: bool) -> Row:
    async def ours() -> None:
        async with _session(spec):
            return

    rounds = 1 if quick else 7
    seconds = await side_by_side_async({"ours": ours, "sdk": theirs}, rounds)
    unit, against = "ms, with the end of it", _SDK
    return Row(work=work, figure=seconds["ours"] * 1e3, unit=unit, against=against, other=seconds["sdk"] * 1e3)


@asynccontextmanager
async def _served() -> AsyncIterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    process = await anyio.open_process([sys.executable, str(_SERVER), "http", str(port)], stdout=None, stderr=None)
    try:
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.kill()
        await process.wait()


async def _http(quick: bool) -> list[Row]:
    from mcp import Client

    calls, rounds = (20, 1) if quick else (300, 7)
    async with _served() as url, _session(_spec(url, backoff_cap=0.2)) as session, Client(url) as client:
        seconds = await side_by_side_async(
            {
                "ours": _bound(_one_by_one, lambda arguments: session.call("echo", arguments), calls),
                "sdk": _bound(_one_by_one, lambda arguments: client.call_tool("echo", arguments), calls),
            },
            rounds,
        )
        ours, sdk = (seconds[name] / calls * 1e6 for name in ("ours", "sdk"))
        work, budget = "streamable HTTP: a call", Budget(1.1, "x the SDK's")
        return [
            Row(work=work, figure=ours, unit="µs", against=_SDK, other=sdk, budget=budget, relative=True),
            await _set_up(_spec(url), _connected_client(url), "streamable HTTP: connect and list", quick),
        ]


async def _recovery(quick: bool) -> list[Row]:
    """From the signal to the next answer; a frozen server is asked every half second here, by default every 15."""
    rows = []
    for name, number in (("SIGKILL", signal.SIGKILL), ("SIGSTOP", signal.SIGSTOP)):
        taken = sorted([await _recovered(number) for _ in range(1 if quick else 5)])
        rows.append(Row(work=f"stdio: back after {name}", figure=taken[len(taken) // 2] * 1e3, unit="ms"))
    return rows


async def _recovered(number: signal.Signals) -> float:
    folder = Path(os.environ.get("TMPDIR", "/tmp")) / f"gatehook-benchmark-{os.getpid()}"
    spec = _spec(ping_every=0.5, ping_timeout=0.5)
    session = McpSession(spec, entry_id="measured", logger=_LOGGER, data_dir=folder)
    async with anyio.create_task_group() as tasks:
        await tasks.start(lambda task_status: session.run(task_status=task_status))
        await session.wait_connected(60)
        record = json.loads(next((folder / "children").glob("*.json")).read_text())
        begun = time.perf_counter()
        os.kill(record["pid"], number)
        while session.generation == 1:  # noqa: ASYNC110  it has no event, and a millisecond is exact enough
            await anyio.sleep(0.001)
        await session.wait_connected(60)
        await session.call("echo", {"text": _TEXT})
        took = time.perf_counter() - begun
        tasks.cancel_scope.cancel()
    (folder / "children").rmdir()
    folder.rmdir()
    return took


async def _memory(quick: bool) -> Row:
    sessions = 2 if quick else 50
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(_session(_spec()))  # with the SDK's import
        before = _resident()
        for _ in range(sessions):
            await stack.enter_async_context(_session(_spec()))
        each = (_resident() - before) / sessions / 1024
    return Row(work="resident memory of a session (without its server)", figure=each, unit="KiB")


def _resident() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
