"""Plugins written from source text, and hosts that discover nothing but them."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gatehook import PluginHost
from gatehook.catalog.places import Places

FAST = {
    "start_timeout": 20.0,
    "stop_timeout": 0.4,
    "call_timeout": 5.0,
    "backoff_base": 0.01,
    "backoff_cap": 0.02,
}

QUOTES = """
from gatehook import InstrumentId, MarketData, Tick, TickKind, hookimpl


class Quotes(MarketData):
    def __init__(self, context):
        self.context = context

    async def list_instruments(self, *, query=None):
        return []

    async def quote(self, instrument_id):
        return Tick(instrument_id=instrument_id, kind=TickKind.QUOTE, bid="1.1", ask="1.2", ts_event=7)


@hookimpl
def provide_market_data(context):
    return Quotes(context)
"""

MEMORY = """
from gatehook import MemoryBackend, hookimpl
from gatehook.kinds.memory import MemoryStats, SearchMode, SearchPage, UpsertReport


class Memory(MemoryBackend):
    def __init__(self, context):
        self.context = context

    async def upsert(self, docs, *, if_revision=None):
        return UpsertReport(inserted=tuple(doc.id for doc in docs))

    async def get(self, namespace, ids):
        return [None for _ in ids]

    async def delete(self, namespace, ids):
        return 0

    async def search(self, query):
        return SearchPage(hits=(), mode_used=SearchMode.LEXICAL, degraded=(self.context.entry_id,))

    async def stats(self, namespace=None):
        return MemoryStats(documents=0, namespaces=0, bytes_on_disk=0)


@hookimpl
def provide_memory_backend(context):
    return Memory(context)
"""

MARKET = "connector.marketData"
MEMORY_KIND = "memory.backend"


def recording(log: Path, source: str) -> str:
    """Source text in which ``record(text)`` appends a line to a file."""
    head = f"""
        from pathlib import Path
        LOG = Path({str(log)!r})
        def record(text):
            with LOG.open("a") as file:
                file.write(text + "\\n")
    """
    return textwrap.dedent(head) + textwrap.dedent(source)


def lines(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


def write_plugin(
    directory: Path,
    plugin_id: str,
    source: str = QUOTES,
    *,
    kinds: tuple[str, ...] = (MARKET,),
    files: Mapping[str, str] | None = None,
    **manifest: Any,
) -> Path:
    """Write a plugin's directory; returns it."""
    root = directory / plugin_id.replace("-", "_")
    root.mkdir(parents=True)
    (root / "plugin.py").write_text(textwrap.dedent(source))
    for name, text in (files or {}).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(textwrap.dedent(text))
    data = {
        "id": plugin_id,
        "name": plugin_id,
        "version": "1.0.0",
        "kinds": list(kinds),
        "entry": {"type": "python.module", "module": "plugin.py"},
        **manifest,
    }
    (root / "plugin.json").write_text(json.dumps(data))
    return root


def host_of(tmp_path: Path, *dev: Path, slots: Mapping[str, Any] | None = None, **options: Any) -> PluginHost:
    """A host over plugin directories that are trusted like an author's own; memory is off unless it is asked for."""
    config = {
        "gateway": {"data_dir": str(tmp_path / "data")},
        "supervision": {**FAST, **options.pop("supervision", {})},
        "plugins": {"entries": options.pop("entries", {}), "slots": slots or {"memory": "none"}},
    }
    places = options.pop("places", None) or Places(dev=dev)
    return PluginHost.from_config(config, places=places, **options)


def codes(host: PluginHost) -> list[str]:
    return [one.code for one in host.diagnostics]


def state_of(host: PluginHost, entry: str) -> str:
    return next(str(one.state) for one in host.statuses() if one.entry_id == entry)
