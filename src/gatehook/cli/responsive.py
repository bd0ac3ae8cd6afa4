"""What a process does for its event loop, when it is a gateway's alone."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

#: Seconds that a thread may go on while the event loop waits for it, where the interpreter allows five milliseconds.
SWITCH: Final = 0.001


@contextmanager
def responsive_loop() -> Iterator[None]:
    """Within it, threads that work in Python give way sooner, and nothing that is there already is looked at again by
    the collector of cycles: both held the event loop up, the collector by a tenth of a second while files were indexed.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH)
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(before)
