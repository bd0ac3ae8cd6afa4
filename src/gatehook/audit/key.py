"""The key of the hash chain: made once, exclusively and durably, and never replaced."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from gatehook.audit.files import sync_directory
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import audit as codes

KEY_BYTES: Final = 32
_OTHERS: Final = 0o077


def make_key(path: Path) -> None:
    """Make a key, unless there is one; whoever reads the file sees all of it.

    Raises:
        OSError: there is none.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # somebody else was first: theirs it is
            os.link(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
    sync_directory(path.parent)


def read_key(path: Path) -> tuple[bytes, tuple[Diagnostic, ...]]:
    """Return the key, and a warning when others could read it too.

    Raises:
        GatehookError: when it is missing, unreadable or too short.
    """
    try:
        with path.open("rb") as file:
            key, mode = file.read(1 << 16), os.fstat(file.fileno()).st_mode & 0o7777
    except OSError as error:
        raise GatehookError(codes.KEY_UNUSABLE(path=path, problem=error.strerror or error)) from error
    if len(key) < KEY_BYTES:
        raise GatehookError(codes.KEY_UNUSABLE(path=path, problem=f"it has {len(key)} of {KEY_BYTES} bytes"))
    return key, (codes.KEY_EXPOSED(path=path, mode=f"{mode:o}"),) if mode & _OTHERS else ()
