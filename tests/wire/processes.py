"""``gatehook plugins serve --http`` in a process of its own, and the gateway's session with it."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import attrs
import tomlkit
from anyio.streams.text import TextReceiveStream

from gatehook.catalog.consent import ConsentStore
from gatehook.catalog.manifest import Transport
from gatehook.catalog.places import Places
from gatehook.host import PluginHost
from gatehook.runtimes.mcp.session import McpSession
from gatehook.runtimes.mcp.spec import McpSpec
from tests.paper.rig import ACCOUNTS

DRIVEN = Path(__file__).parent / "driven"
PATIENCE = 30
#: Before a command: a run of the tests that is killed leaves no server behind.
DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--") if shutil.which("setpriv") else ()


@attrs.define
class Serving:
    """A server: where it listens, its token, and its process."""

    url: str
    token: str
    process: object
    lines: list[str]

    @property
    def port(self):
        return int(self.url.rpartition(":")[2].partition("/")[0])


@asynccontextmanager
async def serving_process(folder, plugin, config=None, *, options=(), stop=signal.SIGTERM):
    """Serve a plugin's entry at a port; the process is gone afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "gatehook.toml").write_text(tomlkit.dumps(config or {}))
    command = [*DIES_WITH_US, sys.executable, "-m", "gatehook", "plugins", "serve", plugin, "--http", "0", *options]
    command += ["--config", str(folder / "gatehook.toml"), "--data-dir", str(folder / "data")]
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    process = await anyio.open_process(command, stdin=None, stdout=None, cwd=folder, env=env)
    serving = Serving("", "", process, [])
    ready = anyio.Event()

    async def listen():
        rest = ""
        async for text in TextReceiveStream(process.stderr):
            *lines, rest = (rest + text).split("\n")
            for line in lines:
                serving.lines.append(line)
                if line.startswith("http://"):
                    serving.url = line
                if line.startswith("Authorization: Bearer "):
                    serving.token = line.rpartition(" ")[2]
            if serving.url and (serving.token or "--token-file" in options):
                ready.set()
        ready.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen)
        try:
            with anyio.fail_after(PATIENCE):
                await ready.wait()
            assert serving.url, serving.lines
            yield serving
        finally:
            with anyio.CancelScope(shield=True):
                await ended(process, stop)
    await process.aclose()


async def ended(process, how=signal.SIGTERM):
    """Stop a process, and return its exit code."""
    if process.returncode is None:
        process.send_signal(how)
        with anyio.move_on_after(PATIENCE) as late:
            await process.wait()
        if late.cancelled_caught:
            process.kill()
            await process.wait()
            raise AssertionError("the server did not stop when it was told to")
    return process.returncode


@asynccontextmanager
async def gateway_session(serving, entry_id="entry"):
    """Connect as a gateway does."""
    spec = McpSpec(
        transport=Transport.STREAMABLE_HTTP,
        url=serving.url,
        headers={"Authorization": f"Bearer {serving.token}"},
        root=DRIVEN,
        shown=serving.url,
        named_hosts=frozenset({"127.0.0.1"}),
    )
    session = McpSession(spec, entry_id=entry_id, logger=logging.getLogger("test.session"))
    async with anyio.create_task_group() as tasks:
        await tasks.start(session.run)
        await session.wait_connected(PATIENCE)
        yield session
        tasks.cancel_scope.cancel()


class DrivenPrices:
    """Sets the prices that a served broker trades at, in its process."""

    def __init__(self, stream):
        self._stream = stream

    async def set(self, bid, ask, size=None):
        await self._said([str(bid), str(ask), None if size is None else str(size)])

    async def followed(self):
        await self._said([])

    async def _said(self, words):
        with anyio.fail_after(PATIENCE):
            await self._stream.send(json.dumps(words).encode() + b"\n")
            assert await self._stream.receive() == b"\n"


@asynccontextmanager
async def paper_process(folder):
    """Serve paper on prices that the test sets; yields the server and the prices."""
    with TemporaryDirectory() as short:  # a socket's path has room for 107 bytes, and pytest's own are longer
        async with _paper_process(folder, f"{short}/socket") as serving_and_prices:
            yield serving_and_prices


@asynccontextmanager
async def _paper_process(folder, socket):
    config = {
        "plugins": {
            "paths": [str(DRIVEN)],
            "deny": ["simulated", "replay", "sqlite_fts"],
            "slots": {"memory": "none"},
            "entries": {
                "prices": {"config": {"socket": socket}},
                "paper": {"config": {"prices": "prices", "accounts": ACCOUNTS}},
            },
        },
    }
    consent(DRIVEN, folder / "data")
    async with serving_process(folder, "paper", config) as serving, await anyio.connect_unix(socket) as stream:
        yield serving, DrivenPrices(stream)


def consent(plugin, data_dir):
    """Consent to a plugin's directory, for the gateways of a data directory."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    config = {"gateway": {"data_dir": str(data_dir)}, "plugins": {"slots": {"memory": "none"}}}
    for candidate in PluginHost.from_config(config, places=Places(config=(plugin,))).plan.candidates:
        ConsentStore(data_dir / "consent.json").grant(candidate)
