"""Plugins whose code is a server on stdio: one that speaks the wire, one with plain tools and an adapter."""

from __future__ import annotations

import json
import os
import signal
import sys
import textwrap
from pathlib import Path
from typing import Any

MARKET = "connector.marketData"

#: Answers JSON-RPC lines with ``TOOLS`` and ``call``; what a test wants of it is in the environment.
SERVER = """
import json, os, sys, time

def note(text):
    with open(os.environ["NOTES"], "a") as file:
        file.write(text + "\\n")

note(f"started {os.getpid()} token={os.environ.get('TOKEN')}")
if os.path.exists(os.environ["NOTES"] + ".refuse"):
    sys.exit("no licence today")

def answer(message):
    method, params = message["method"], message.get("params") or {}
    if method == "initialize":
        info = {"name": "tiny", "version": "1.0"}
        return {"protocolVersion": "2025-11-25", "serverInfo": info, "capabilities": CAPABILITIES}
    if method == "tools/list":
        extra = os.environ["NOTES"] + ".tools"
        text = open(extra).read() if os.path.exists(extra) else "as ever"
        schema = {"type": "object", "properties": {"symbol": {"type": "string"}}}
        return {"tools": [{"name": name, "description": text, "inputSchema": schema} for name in TOOLS]}
    if method == "tools/call":
        return call(params["name"], params.get("arguments") or {})
    return {}

def reply(value):
    return {"content": [{"type": "text", "text": json.dumps(value)}], "structuredContent": value}

for line in sys.stdin:
    message = json.loads(line)
    if "id" in message and "method" in message:
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": answer(message)}), flush=True)
note("ended")
"""

WIRE = (
    """
CAPABILITIES = {"tools": {}, "experimental": {"gatehook": {"wire": 1}}}
TOOLS = ["gatehook.market_data." + one for one in ("capabilities", "health", "list_instruments", "quote")]

def call(name, arguments):
    method = name.rpartition(".")[2]
    if method == "capabilities":
        return reply({"result": {}})
    if method == "health":
        return reply({"result": {"status": "ok", "reasons": []}})
    if method == "list_instruments":
        return reply({"result": []})
    if "DIE" in arguments["instrument_id"]:
        note("dies")
        os._exit(7)
    return reply({"result": {"instrument_id": arguments["instrument_id"], "kind": "quote",
        "bid": "1.1", "ask": "1.2", "ts_event": "2026-01-01T00:00:00Z"}})
"""
    + SERVER
)

TOOLS = (
    """
CAPABILITIES = {"tools": {}}
TOOLS = ["price"]

def call(name, arguments):
    if "DIE" in arguments["symbol"]:
        note("dies")
        os._exit(7)
    return reply({"bid": 1.1, "ask": 1.25})
"""
    + SERVER
)

ADAPTER = """
from gatehook import InstrumentId, MarketData, Tick, TickKind, hookimpl
from .words import FIELDS


class Prices(MarketData):
    def __init__(self, context):
        self.mcp = context.mcp

    async def list_instruments(self, *, query=None):
        return []

    async def quote(self, instrument_id):
        found = (await self.mcp.call("price", {"symbol": str(instrument_id)})).json()
        bid, ask = (found[name] for name in FIELDS)
        return Tick(instrument_id=instrument_id, kind=TickKind.QUOTE, bid=bid, ask=ask, ts_event=7)


@hookimpl
def provide_market_data(context):
    return Prices(context)
"""


class ServerPlugin:
    """A plugin's directory, and what its server wrote down about itself."""

    def __init__(self, folder: Path, plugin_id: str, server: str, *, adapter: str | None = None, **manifest: Any):
        self.root = folder / plugin_id.replace("-", "_")
        self.root.mkdir(parents=True)
        self.notes = folder.parent / f"{plugin_id}.notes"
        (self.root / "server.py").write_text(textwrap.dedent(server))
        entry: dict[str, Any] = {"type": "external.mcp", "command": [sys.executable, "-u", "server.py"]}
        if adapter is not None:
            (self.root / "adapter.py").write_text(adapter)
            (self.root / "words.py").write_text("FIELDS = ('bid', 'ask')\n")
            entry["adapter"] = "adapter.py"
        facts = {
            "id": plugin_id,
            "name": plugin_id,
            "version": "1.0.0",
            "kinds": [MARKET],
            "entry": entry,
            "configSchema": {
                "type": "object",
                "properties": {
                    "notes": {"type": "string", "x-gatehook-env": "NOTES"},
                    "token": {"type": "string", "writeOnly": True, "x-gatehook-env": "TOKEN"},
                },
                "additionalProperties": False,
            },
            **manifest,
        }
        (self.root / "plugin.json").write_text(json.dumps(facts))

    @property
    def config(self) -> dict[str, Any]:
        return {"notes": str(self.notes)}

    def entry(self, **more: Any) -> dict[str, Any]:
        return {"config": self.config, **more}

    @property
    def lines(self) -> list[str]:
        return self.notes.read_text().splitlines() if self.notes.exists() else []

    @property
    def pids(self) -> list[int]:
        return [int(line.split()[1]) for line in self.lines if line.startswith("started")]

    def kill(self) -> None:
        os.kill(self.pids[-1], signal.SIGKILL)

    def say(self, what: str, text: str = "") -> None:
        """Tell the next start of the server something: ``refuse``, or the words of its ``tools``."""
        self.notes.with_name(f"{self.notes.name}.{what}").write_text(text)

    def unsay(self, what: str) -> None:
        self.notes.with_name(f"{self.notes.name}.{what}").unlink()


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z"
