"""A gateway that is killed while it indexes: the next one has everything, once."""

from __future__ import annotations

import os
import random
import subprocess
import sys

import anyio
import anyio.to_thread
import pytest

from gatehook.cli.client import Client
from gatehook.kinds.filters import Eq
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.memory.documents.chunks import chunks_of

pytestmark = pytest.mark.anyio

ROUNDS = int(os.environ.get("GATEHOOK_INDEX_KILLS", "2"))
FILES = 120

PROGRAM = """
import sys, anyio
from gatehook.config import config_from
from gatehook.catalog.places import Places, builtin_directory
from gatehook.gateway import Gateway
from gatehook.gateway.indexing.folder import FolderRound
from gatehook.host import PluginHost

data, folder, batches = sys.argv[1], sys.argv[2], int(sys.argv[3])
write, seen = FolderRound._write, []

async def counted(self, *args):
    seen.append(1)
    if len(seen) > batches:
        print("now", flush=True)
    await write(self, *args)

FolderRound._write = counted

async def main():
    config = {"gateway": {"data_dir": data}, "memory": {"folders": [{"path": folder}]}}
    async with Gateway(PluginHost.from_config(config_from(config), places=Places(builtin=builtin_directory()))):
        await anyio.sleep_forever()

anyio.run(main)
"""


def fill(folder, generation):
    """Write files of which every generation has other ones and other sections."""
    chance = random.Random(generation)
    for n in range(FILES):
        path = folder / f"{n}.md"
        path.unlink(missing_ok=True)
        if chance.random() < 0.9:
            path.write_text("".join(f"# Part {chance.randrange(9)}\n\ntext {generation}\n\n" for _ in range(5)))


async def indexed(running):
    client = Client(running.host.config.gateway.data_dir)
    with anyio.fail_after(60):
        await anyio.to_thread.run_sync(lambda: list(client.stream("memory.index", {})))


async def test_killed_while_indexing_nothing_is_missing_and_nothing_is_left_behind(gateway, tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()
    for generation in range(ROUNDS):
        fill(folder, generation)
        words = [sys.executable, "-c", PROGRAM, str(tmp_path / "data"), str(folder), str(generation % 4 + 1)]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as process:  # noqa: ASYNC220  nothing else runs yet
            assert process.stdout.readline() == b"now\n"
            process.kill()
    fill(folder, ROUNDS)
    async with gateway({"memory": {"folders": [{"path": str(folder)}]}}) as running:
        expected = {
            chunk.id
            for path in folder.iterdir()
            for chunk in chunks_of(path.name, path.read_text())
            if chunk.text.strip()
        }
        await indexed(running)
        selector = NamespaceSelector(namespace=("documents", "notes"), exact=True)
        found = [stored async for stored in running.host.memory().scan(selector)]
        assert {one.doc.id for one in found} == expected
        assert all(f"text {ROUNDS}" in one.doc.text for one in found)
        page = await running.host.memory().search(
            Query(text="text", namespaces=(selector,), filter=Eq("meta.source", "files"), limit=1000)
        )
        assert len(page.hits) == min(1000, len(expected))
