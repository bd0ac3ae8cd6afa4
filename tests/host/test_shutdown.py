"""The end: in order, within the deadlines, nothing left."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

import anyio
import pytest

from gatehook import hookimpl
from gatehook.kinds.kind import KINDS
from tests.host.plugin_kit import MEMORY
from tests.host.plugin_kit import MEMORY_KIND
from tests.host.plugin_kit import host_of
from tests.host.plugin_kit import lines
from tests.host.plugin_kit import recording
from tests.host.plugin_kit import write_plugin
from tests.host.scripted import Scripted
from tests.host.scripted import manifest

pytestmark = pytest.mark.anyio

LEAVING = """
from gatehook import {base}, hookimpl


class Provider({base}):
    async def __aexit__(self, *error):
        record({base!r})

{methods}

@hookimpl
def {hook}(context):
    return Provider()
"""


def leaving(tmp_path, plugin_id, kind, base, *methods):
    hook = KINDS[kind].hook
    body = "\n".join(f"    async def {name}(self, *a, **k):\n        return []" for name in methods)
    source = recording(tmp_path / "log", LEAVING.format(base=base, hook=hook, methods=body))
    return write_plugin(tmp_path, plugin_id, source, kinds=(kind,))


async def test_channels_stop_before_feeds_before_connectors_and_memory_is_last(tmp_path):
    remembering = MEMORY.replace(
        "    async def upsert(",
        "    async def __aexit__(self, *error):\n        record('MemoryBackend')\n\n    async def upsert(",
    )
    plugins = (
        write_plugin(tmp_path, "notes", recording(tmp_path / "log", remembering), kinds=(MEMORY_KIND,)),
        leaving(tmp_path, "prices", "connector.marketData", "MarketData", "list_instruments", "quote"),
        leaving(tmp_path, "news", "feed.external", "ExternalFeed", "fetch"),
        leaving(tmp_path, "chat", "channel.ui", "Channel", "run", "send"),
    )
    async with host_of(tmp_path, *plugins, slots={"memory": "notes"}) as host:
        assert host.health().status == "ok"
    assert lines(tmp_path / "log") == ["Channel", "ExternalFeed", "MarketData", "MemoryBackend"]


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_nothing_is_left_when_the_host_is_closed(tmp_path):
    async def enter(provider):
        provider.context.task_group.start_soon(anyio.sleep_forever)
        await provider.context.state.set("a", 1)

    async def once():
        async with host_of(tmp_path, plugins=[(manifest(), Scripted(enter=enter))]):
            pass

    await once()
    gc.collect()
    threads, files = threading.active_count(), open_files()
    for _ in range(3):
        await once()
    gc.collect()
    assert threading.active_count() <= threads
    assert open_files() <= files


async def test_one_that_hangs_does_not_hold_up_the_others_of_its_rank(tmp_path):
    left = []

    async def hang(provider):
        await anyio.sleep_forever()

    async def leave(provider):
        left.append(provider.context.entry_id)

    plugins = [(manifest(f"h{n}"), Scripted(leave=hang)) for n in range(5)] + [
        (manifest("good"), Scripted(leave=leave))
    ]
    with anyio.fail_after(30):
        async with host_of(tmp_path, plugins=plugins):
            pass
    assert left == ["good"]


async def test_observers_hear_that_it_stops_while_entries_still_run(tmp_path):
    heard = []

    class Observer(Scripted):
        @hookimpl
        def gateway_stopping(self):
            heard.append(("stopping", len(self.left)))

    async with host_of(tmp_path, plugins=[(manifest(), Observer())]):
        pass
    assert heard == [("stopping", 0)]


async def test_fault_25_a_cancelled_start_lets_go_of_what_had_started(tmp_path):
    first = Scripted()

    async def hang(provider):
        while not first.entered:  # noqa: ASYNC110  a provider under test tells nobody
            await anyio.sleep(0.001)
        scope.cancel()
        await anyio.sleep_forever()

    with anyio.CancelScope() as scope:
        async with host_of(tmp_path, plugins=[(manifest(), first), (manifest("slow"), Scripted(enter=hang))]):
            pass
    assert scope.cancelled_caught
    assert len(first.left) == len(first.entered) == 1
