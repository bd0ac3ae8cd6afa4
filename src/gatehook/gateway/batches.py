"""Documents in batches for the memory, and what comes again in one of them.

The memory keeps the last of two with one id, so no id is twice in a batch.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Final
from typing import TypeVar

import attrs

from gatehook.host import MemoryHandle
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import Namespace
from gatehook.kinds.memory import StoredDoc
from gatehook.memory.rules import digest_of

T = TypeVar("T")

#: So many documents are written at a time.
MOST: Final = 200


def batches(items: Iterable[T], id_of: Callable[[T], str]) -> Iterator[dict[str, T]]:
    """Yield the items by id, in their order; an id that comes again begins another batch."""
    batch: dict[str, T] = {}
    for item in items:
        id_ = id_of(item)
        if id_ in batch or len(batch) == MOST:
            yield batch
            batch = {}
        batch[id_] = item
    if batch:
        yield batch


async def there(memory: MemoryHandle, namespace: Namespace, ids: Iterable[str]) -> Mapping[str, StoredDoc]:
    """Return what is there of some documents, by id.

    Raises:
        ProviderError: the memory does not work.
    """
    return {one.doc.id: one for one in await memory.get(namespace, list(ids)) if one is not None}


def as_first_known(doc: MemoryDoc, stored: StoredDoc | None) -> MemoryDoc:
    """Return a document that is there with the same content as it is there: it is known since it was first known."""
    if stored is None or digest_of(doc) != digest_of(stored.doc):
        return doc
    return attrs.evolve(doc, available_at=stored.doc.available_at)
