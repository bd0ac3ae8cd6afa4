"""What is wrong with a file that is to be imported into a memory."""

from __future__ import annotations

import pytest

from gatehook import GatehookError
from gatehook.memory.portable import import_file
from gatehook.memory.sqlite.backend import SqliteMemory
from gatehook.testing.memory_probes import SetClock
from tests.bad_input.table import Table

TABLE = Table()


def file(what, text):
    async def provoke(world):
        path = world.folder / "memory.jsonl"
        if text is not None:
            path.write_text(text)
        async with SqliteMemory(world.folder / "memory.sqlite", SetClock()) as memory:
            with pytest.raises(GatehookError) as caught:
                [step async for step in import_file(memory, path)]
        return caught.value.diagnostics

    TABLE.add("memory.import-file", what, "path", provoke)


file("a file that is not there", None)
file("an empty file", "")
file("a file that is no export", "# Notes\n")
file("an export of a newer release", '{"gatehook":"memory","schemaVersion":2}\n')
