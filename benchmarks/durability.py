"""What each promise to survive costs on this disk: the ways in which a gateway writes, against one FULL commit."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import ExitStack
from contextlib import closing
from pathlib import Path
from time import perf_counter
from typing import Final

from benchmarks.measuring import Row
from benchmarks.measuring import side_by_side

#: As long as an intent in the journal, and as its record in the audit.
INTENT: Final = "x" * 600
RECORD: Final = b"x" * 400 + b"\n"


def run(quick: bool) -> Iterator[Row]:
    """Write one after the other, each way in turn."""
    writes, rounds = (5, 1) if quick else (200, 7)
    with tempfile.TemporaryDirectory() as directory, ExitStack() as opened:
        disk = Disk(Path(directory), opened)
        ways: dict[str, Callable[[], None]] = {
            "FULL": disk.commit_full,
            "an intent: record in the audit (fdatasync), then the journal's commit (FULL)": disk.intend,
            "an outcome or an event: the journal's commit (NORMAL)": disk.commit_normal,
            "a record of the audit that no commit waits for (fdatasync)": disk.record,
            "a record without any wait": disk.note,
            "a small file replaced whole (fsync of file and directory): halt, grants, days": disk.replace,
        }
        took = side_by_side({name: _times(writes, way) for name, way in ways.items()}, rounds, perf_counter)
    each = {name: seconds / writes * 1_000 for name, seconds in took.items()}
    floor = each.pop("FULL")
    for name, figure in each.items():
        yield Row(work=name, figure=figure, unit="ms", against="one bare SQLite FULL commit", other=floor)


def _times(count: int, way: Callable[[], None]) -> Callable[[], None]:
    def work() -> None:
        for _ in range(count):
            way()

    return work


class Disk:
    """Bare files in a directory, written in the ways that the gateway writes its own."""

    def __init__(self, directory: Path, opened: ExitStack) -> None:
        self._directory = directory
        self._full = bare_database(directory / "full.sqlite", "FULL", opened)
        self._normal = bare_database(directory / "normal.sqlite", "NORMAL", opened)
        self._audit = os.open(directory / "audit", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        opened.callback(os.close, self._audit)

    def commit_full(self) -> None:
        """Commit a row, and wait for the disk."""
        self._full.execute("INSERT INTO intents (content) VALUES (?)", (INTENT,))

    def commit_normal(self) -> None:
        """Commit a row that survives the process only."""
        self._normal.execute("INSERT INTO intents (content) VALUES (?)", (INTENT,))

    def record(self) -> None:
        """Append a record, and wait for the disk."""
        self.note()
        os.fdatasync(self._audit)

    def note(self) -> None:
        """Append a record."""
        os.write(self._audit, RECORD)

    def intend(self) -> None:
        """Do both, in the order of an intent."""
        self.record()
        self.commit_full()

    def replace(self) -> None:
        """Write a file beside another and rename it over that one, so that either is whole after a power cut."""
        new = self._directory / "small.new"
        with new.open("wb") as file:
            file.write(RECORD)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._directory / "small")
        directory = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(directory)
        os.close(directory)


def bare_database(path: Path, synchronous: str, opened: ExitStack) -> sqlite3.Connection:
    """Open a database in which each statement is a commit of this durability; ``opened`` closes it."""
    connection = opened.enter_context(closing(sqlite3.connect(path, isolation_level=None)))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute("CREATE TABLE intents (id INTEGER PRIMARY KEY, content TEXT)")
    return connection
