"""A record of each running child in the data directory: the next start ends what a killed gateway left behind."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs

from gatehook.runtimes.process_trees import ProcessInfo
from gatehook.runtimes.process_trees import is_alive
from gatehook.runtimes.process_trees import look_at
from gatehook.runtimes.process_trees import members
from gatehook.runtimes.process_trees import send_signal

#: The folder of the records in the data directory.
CHILDREN: Final = "children"
_TERM_SECONDS: Final = 1.0
_KILL_SECONDS: Final = 2.0
_LOOK_EVERY: Final = 0.02


@attrs.frozen
class ChildRecord:
    """A child that was started. ``start`` is ``/proc``'s start time, 0 where there is none."""

    pid: int
    start: int
    mark: str
    name: str
    command: str


class ChildRecords:
    """The records of one gateway, a file each; the gateway holds the lock of its data directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, record: ChildRecord) -> None:
        """Write a record; it outlives this process, not a loss of power, which ends the child as well."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(record)
        temporary = path.with_suffix(".new")
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(attrs.asdict(record), file)
        temporary.replace(path)

    def remove(self, record: ChildRecord) -> None:
        """Forget a child of which nothing is left."""
        self._path(record).unlink(missing_ok=True)

    def sweep(self) -> tuple[ChildRecord, ...]:
        """End what children of an earlier gateway left, and return of which there was something. Blocks for seconds.

        A process id that is somebody else's by now is left alone: the start time and the mark must be the child's.
        """
        found = []
        for path, record in self._all():
            left = _left_of(record)
            if left:
                found.append(record)
                left = _end(record, left)
            if not left:
                path.unlink(missing_ok=True)
        return tuple(found)

    def _all(self) -> Iterator[tuple[Path, ChildRecord]]:
        for path in sorted(self.folder.glob("*.json")) if self.folder.is_dir() else ():
            try:
                yield path, _read(path)
            except (OSError, ValueError, TypeError):
                path.unlink(missing_ok=True)  # half a record names nobody

    def _path(self, record: ChildRecord) -> Path:
        return self.folder / f"{record.pid}-{record.mark}.json"


def _read(path: Path) -> ChildRecord:
    raw = json.loads(path.read_text("utf-8"))
    record = ChildRecord(**raw)
    if type(record.pid) is not int or type(record.start) is not int or type(record.mark) is not str or not record.mark:
        raise ValueError("no record of a child")
    return record


def _left_of(record: ChildRecord) -> tuple[ProcessInfo, ...]:
    now = look_at(record.pid)
    same = now is not None and record.start == now.start
    return members(record.pid if same else None, record.mark)


def _end(record: ChildRecord, left: tuple[ProcessInfo, ...]) -> tuple[ProcessInfo, ...]:
    for number, seconds in ((signal.SIGTERM, _TERM_SECONDS), (signal.SIGKILL, _KILL_SECONDS)):
        deadline = time.monotonic() + seconds
        while left and time.monotonic() < deadline:
            for one in left:
                send_signal(one, number)
            time.sleep(_LOOK_EVERY)
            left = tuple(one for one in left if is_alive(one)) or _left_of(record)
    return left
