"""Folders that cannot be remembered, as they are."""

from __future__ import annotations

from typing import Any

import anyio

from gatehook.gateway.housekeeping import Housekeeping
from gatehook.gateway.indexing.state import STATE_FILE
from tests.bad_input.table import Table
from tests.host.plugin_kit import MEMORY
from tests.host.plugin_kit import MEMORY_KIND
from tests.orders.conftest import eventually

TABLE = Table()
KEPT = {"memory": "sqlite_fts"}


async def indexed(world: Any, *paths: Any, **memory: Any) -> Any:
    """Run a gateway that remembers a folder, let it index, and return all it said."""
    folder = world.folder / "notes"
    section = {"folders": [{"path": str(folder)}], **memory}
    async with world.gateway(memory=section, slots=KEPT) as call:
        with anyio.fail_after(20):
            refused = await call("memory.index", paths=[str(path) for path in paths])
            await eventually(lambda: world.codes <= {one.code for one in call.host.diagnostics})
        return [*call.host.diagnostics, *(refused if isinstance(refused, list) else [])]


def row(code: str, what: str, place: str = "") -> Any:
    def wrap(make: Any) -> Any:
        async def provoke(world: Any) -> Any:
            world.codes = set()
            (world.folder / "notes").mkdir()
            return await make(world)

        TABLE.add(code, what, place, provoke)
        return make

    return wrap


@row("documents.folder-unreachable", "a folder that is not there", "path")
async def gone(world):
    (world.folder / "notes").rmdir()
    return await indexed(world)


@row("documents.folder-unreachable", "a file in its place", "path")
async def file(world):
    (world.folder / "notes").rmdir()
    (world.folder / "notes").write_text("text")
    return await indexed(world)


@row("documents.file-skipped", "a file in another encoding", "path")
async def latin(world):
    (world.folder / "notes" / "a.md").write_bytes(b"caf\xe9 " + world.canary.encode())
    return await indexed(world)


@row("documents.file-skipped", "a file that is too large", "path")
async def large(world):
    (world.folder / "notes" / "a.md").write_text("x" * 100)
    return await indexed(world, max_file_bytes=99)


@row("documents.file-skipped", "a file whose name is no text", "path")
async def name(world):
    (world.folder / "notes" / "a\udcff.md").write_text("text")
    return await indexed(world)


@row("documents.too-many-files", "one file too many", "path")
async def many(world):
    for n in range(3):
        (world.folder / "notes" / f"{n}.md").write_text("text")
    return await indexed(world, max_files=2)


@row("documents.no-such-folder", "a path that is in no folder", "path")
async def elsewhere(world):
    return await indexed(world, world.folder)


@row("documents.no-folder", "no folder at all")
async def none(world):
    return await indexed(world, folders=[])


@row("documents.state-lost", "a state that is no database", "path")
async def lost(world):
    world.data_dir.mkdir(parents=True)
    (world.data_dir / STATE_FILE).write_bytes(b"no database" * 100)
    return await indexed(world)


@row("documents.not-indexed", "a state that cannot be written")
async def unwritable(world):
    world.codes = {"documents.not-indexed"}
    (world.data_dir / STATE_FILE).mkdir(parents=True)
    return await indexed(world)


@row("documents.retention-failed", "a memory that cannot be scanned")
async def no_scan(world):
    notes = world.plugin("notes", MEMORY, kinds=[MEMORY_KIND])
    retention = [{"namespace": "news", "keep": "1d"}]
    async with world.gateway(notes, memory={"retention": retention}, slots={"memory": "notes"}) as call:
        await Housekeeping(call.host).look()
        return call.host.diagnostics
