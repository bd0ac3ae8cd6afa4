"""Small JSON files of the control plane: read strictly, and written so that a reader sees the old or the new."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from typing import Final

from gatehook.catalog.safe_files import FILE_FLAGS
from gatehook.catalog.safe_files import NotRegular
from gatehook.catalog.safe_files import file_of
from gatehook.catalog.strict_json import Refused
from gatehook.catalog.strict_json import decode

LARGEST_RECORD: Final = 4 * 1024 * 1024


class RecordUnusable(Exception):
    """A record cannot be used; the text says why."""


def read_record(path: Path, *, private: bool = False) -> Any:
    """Return the JSON value of a file.

    With ``private`` a file that somebody else owns or can write is refused.

    Raises:
        FileNotFoundError: there is none.
        RecordUnusable: it is no regular file, too large, not strict JSON, or not private.
    """
    try:
        descriptor = os.open(path, FILE_FLAGS)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise RecordUnusable(error.strerror or str(error)) from None
    try:
        file = file_of(descriptor)
    except NotRegular as other:
        raise RecordUnusable(f"it is {other}") from None
    with file:
        about = os.fstat(file.fileno())
        if private and (about.st_uid not in (0, os.geteuid()) or about.st_mode & 0o022):
            raise RecordUnusable("somebody else can write to it")
        data = file.read(LARGEST_RECORD + 1)
    if len(data) > LARGEST_RECORD:
        raise RecordUnusable("it is too large")
    try:
        return decode(data)[0]
    except Refused as refused:
        raise RecordUnusable(f"it is no strict JSON ({refused.findings[0].code.id})") from None


def write_record(path: Path, value: Any, *, mode: int = 0o600) -> None:
    """Write a JSON value: to a new file beside it, synchronised, then renamed over it.

    Raises:
        OSError: nothing changed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
