"""The data directory belongs to one host at a time."""

from __future__ import annotations

import fcntl
import json
import os
from datetime import UTC
from datetime import datetime
from pathlib import Path
from typing import Any

from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import host as codes


class DataDirectory:
    """A directory that only its owner reads, locked while it is open. The lock goes when the process does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    def open(self) -> None:
        """Make the directory and take its lock.

        Raises:
            GatehookError: when another host holds it, saying who; or when it cannot be made or is not ours.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.chmod(0o700)
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise GatehookError(codes.DATA_DIR_UNUSABLE(path=self.path, error=error.strerror)) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = _read_holder(lock)
            os.close(lock)
            raise GatehookError(codes.DATA_DIR_LOCKED(path=self.path, holder=holder)) from error
        os.ftruncate(lock, 0)
        started = datetime.now(UTC).isoformat(timespec="seconds")
        os.pwrite(lock, json.dumps({"pid": os.getpid(), "started": started}).encode(), 0)
        self._lock = lock

    def close(self) -> None:
        """Give the lock back; a second call does nothing."""
        if self._lock is not None:
            os.ftruncate(self._lock, 0)
            os.close(self._lock)
            self._lock = None

    def of_entry(self, entry_id: str) -> Path:
        """Return an entry's own directory, made if need be."""
        path = self.path / "entries" / entry_id
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path


def _read_holder(lock: int) -> str:
    try:
        holder: Any = json.loads(os.pread(lock, 4096, 0))
        return f"the process {holder['pid']}, started {holder['started']}"
    except (ValueError, KeyError, TypeError):  # it is just being written
        return "another process"
