"""A scan in pages: what a backend reads at once, joined to one iteration."""

from __future__ import annotations

from collections.abc import AsyncIterator
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Sequence

from gatehook.kinds.memory import Namespace
from gatehook.kinds.memory import StoredDoc
from gatehook.memory.ranking import position
from gatehook.memory.ranking import read_position

#: Where a page begins: behind this namespace and id.
After = tuple[Namespace, str] | None


async def scanned(
    read_page: Callable[[After], Awaitable[Sequence[StoredDoc]]], size: int, after: After
) -> AsyncIterator[StoredDoc]:
    """Iterate over pages of ``size`` documents until one is not full; nothing is held between two of them."""
    while True:
        page = await read_page(after)
        for stored in page:
            yield stored
        if len(page) < size:
            return
        after = read_position(position(page[-1].doc))
