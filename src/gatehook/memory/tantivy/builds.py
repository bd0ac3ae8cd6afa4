"""The build in use, and the one that is made to take its place."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from gatehook.kinds.memory import Progress
from gatehook.memory.sqlite.database import open_reader
from gatehook.memory.tantivy.engine import IndexFault
from gatehook.memory.tantivy.filling import Build
from gatehook.memory.tantivy.filling import is_readable
from gatehook.memory.tantivy.filling import remove_builds
from gatehook.memory.tantivy.queue import State
from gatehook.memory.tantivy.queue import last_change
from gatehook.memory.tantivy.queue import state_of

#: Up to so many rows an index is built before the memory is open; more are copied while it is used.
AT_ONCE: Final = 2_000


class Builds:
    """Changed by one thread at a time; the event loop reads and asks."""

    def __init__(self, path: Path, heap: int) -> None:
        self._path = path
        self._heap = heap
        self._connection: sqlite3.Connection | None = None
        self._build: Build | None = None
        self._next: Build | None = None
        self._doubt: bool | None = None
        self._asked = self._begun = self._made = 0
        self.progress = Progress(done=0)

    # --- asked from the event loop

    @property
    def state(self) -> State:
        """What the file is to say; changes are dropped when every build has them."""
        build = self._current()
        reached = [one.mark.upto for one in (self._build, self._next) if one is not None]
        return State(build.mark.build, min(reached))

    @property
    def is_copying(self) -> bool:
        """Say whether the build in use does not hold all rows yet."""
        return self._build is None or self._build.mark.copied is not None

    @property
    def is_busy(self) -> bool:
        """Say whether there is work beside what is written."""
        return self.is_copying or self._next is not None or self._doubt is not None or self._asked > self._begun

    def ask_for_another(self) -> int:
        """Ask for a build that is begun from now on; return its number."""
        self._asked = self._begun + 1
        return self._asked

    def has_made(self, number: int) -> bool:
        """Say whether this build, or a later one, is in use."""
        return self._made >= number

    def doubt(self, build: str, *, certain: bool) -> bool:
        """Have this build tried, and another made in its place if it cannot be read, or if that is certain.

        Returns:
            whether it is in use, and nobody said so before.
        """
        if self._build is None or self._build.mark.build != build or self._doubt is not None:
            return False
        self._doubt = certain
        return True

    # --- in a thread

    def begin(self, connection: sqlite3.Connection) -> None:
        """Open what belongs to the rows, or begin a build; a small one is made at once.

        Raises:
            IndexFault: when none can be written.
        """
        remove_builds(self._path, {state_of(connection).build})
        self._open(connection)
        few = connection.execute(f"SELECT count(*) FROM (SELECT 1 FROM docs LIMIT {AT_ONCE + 1})").fetchone()  # noqa: S608  a constant
        if few[0] <= AT_ONCE and self.is_copying:
            self._current().step(connection)

    def reach(self, connection: sqlite3.Connection) -> tuple[int, int]:
        """Return up to which change the index goes, and the last change there is."""
        return state_of(connection).upto, last_change(connection)

    def step(self) -> State:
        """Bring changes and rows into the build in use, and into the next one; return what the file is to say.

        Raises:
            IndexFault: when that failed; the builds are opened again by the next step.
        """
        connection = self._connection = self._connection or open_reader(self._path)
        try:
            self._open(connection)
            self._current().step(connection)
            self._further(connection)
        except IndexFault:
            self._close_builds()
            raise
        return self.state

    def tidy(self, state: State) -> None:
        """Delete what no search can ask for any more, now that the file says so."""
        keep = {state.build} | ({self._next.mark.build} if self._next is not None else set())
        remove_builds(self._path, keep)

    def close(self) -> None:
        """Let go of all files. Idempotent."""
        self._close_builds()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _current(self) -> Build:
        if self._build is None:
            raise IndexFault("it is not open")
        return self._build

    def _open(self, connection: sqlite3.Connection) -> None:
        state = state_of(connection)
        if self._doubt is not None:
            lost = self._doubt or not is_readable(self._path, state.build)
            if lost:
                self._close_builds()
                self._build = self._create(connection, state.upto)
            self._doubt = None
        if self._build is None:
            try:
                self._build = Build.reopen(self._path, self._heap, state, last_change(connection))
            except IndexFault:
                self._build = self._create(connection, state.upto)

    def _create(self, connection: sqlite3.Connection, upto: int) -> Build:
        empty = connection.execute("SELECT 1 FROM docs LIMIT 1").fetchone() is None
        return Build.create(self._path, self._heap, upto, empty=empty)

    def _further(self, connection: sqlite3.Connection) -> None:
        if self._next is None and self._asked > self._begun:
            self._begun += 1
            self._next = self._create(connection, self.state.upto)
        if self._next is None:
            return
        self._next.step(connection)
        total = connection.execute("SELECT count(*) FROM docs").fetchone()[0]
        self.progress = Progress(done=min(self._next.mark.added, total), total=total)
        if self._next.mark.copied is None and self._next.mark.upto >= self._current().mark.upto:
            self._current().close()
            self._build, self._next, self._made = self._next, None, self._begun

    def _close_builds(self) -> None:
        for build in (self._build, self._next):
            if build is not None:
                build.close()
        if self._next is not None:
            self._begun -= 1
        self._build = self._next = None
