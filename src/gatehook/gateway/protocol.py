"""What is spoken on the control socket: one JSON object a line.

A request is ``{"id", "method", "params"}``. Its answer is any number of ``{"id", "item"}`` and then one
``{"id", "result"}`` or ``{"id", "error": {"code", "message", "remedy", …}}``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import gateway as codes

SOCKET: Final = "control.sock"
#: Longest request and longest answer, in bytes.
MAX_REQUEST: Final = 1 << 20
MAX_ANSWER: Final = 1 << 26
#: Longest path that a Unix socket's address holds on every system, in bytes.
MAX_ADDRESS: Final = 100
#: Where Linux shows a process's own descriptors: a directory that is open has a short path there.
DESCRIPTORS: Final = Path("/proc/self/fd")


@contextmanager
def socket_address(data_dir: Path) -> Iterator[str]:
    """Yield an address of the socket in the data directory that is short enough to bind or connect to.

    Raises:
        GatehookError: when the path is too long and this system has no ``/proc`` to shorten it with.
        FileNotFoundError: when there is no such directory.
    """
    address = str(data_dir / SOCKET)
    if len(os.fsencode(address)) <= MAX_ADDRESS:
        yield address
        return
    if not DESCRIPTORS.is_dir():
        raise GatehookError(codes.SOCKET_PATH_TOO_LONG(path=data_dir, limit=MAX_ADDRESS))
    directory = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"{DESCRIPTORS}/{directory}/{SOCKET}"
    finally:
        os.close(directory)
