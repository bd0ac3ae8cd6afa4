"""What happened, on disk: one line each, written in one go before anything is answered."""

from __future__ import annotations

import json
import os
from pathlib import Path


class Log:
    """An append-only file. A torn last line never happened: nobody was told of it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)

    def read(self) -> list[dict]:
        """Return what happened, and cut off a torn end."""
        data = self._path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        os.ftruncate(self._file, len(whole))
        return [json.loads(line) for line in whole.splitlines()]

    def append(self, event: dict) -> None:
        """Write one more. A killed process loses nothing that was written, so this does not wait for the disk."""
        os.write(self._file, json.dumps(event).encode() + b"\n")

    def clear(self) -> None:
        """Forget everything."""
        os.ftruncate(self._file, 0)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
