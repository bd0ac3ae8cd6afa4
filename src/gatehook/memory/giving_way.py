"""Work in a thread, in Python, that lets the event loop's thread go on in between."""

from __future__ import annotations

import time
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Final
from typing import TypeVar

T = TypeVar("T")

#: Seconds of work between two offers of the interpreter's lock, which a thread else keeps for five milliseconds.
_TURN: Final = 0.0005


def giving_way(items: Iterable[T]) -> Iterator[T]:
    """Yield items, and let other threads have the interpreter's lock each half a millisecond."""
    until = time.perf_counter() + _TURN
    for item in items:
        yield item
        if time.perf_counter() > until:
            time.sleep(0)
            until = time.perf_counter() + _TURN
