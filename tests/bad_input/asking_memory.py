"""What is asked of a memory and cannot be meant."""

from __future__ import annotations

import anyio.to_thread

from tests.bad_input.table import Table

TABLE = Table()


def command(code, what, *words):
    async def provoke(world):
        # In a thread of its own: without a gateway the command runs a loop.
        return await anyio.to_thread.run_sync(lambda: world.command("memory", *words))

    TABLE.add(code, what, "", provoke)


command("memory.document-unclear", "an id that no document has", "explain", "nobody", "words")
command("memory.document-unclear", "an id to forget that no document has", "forget", "nobody", "--yes")
command("memory.move-to-itself", "one entry twice", "migrate", "sqlite_fts", "sqlite_fts")
