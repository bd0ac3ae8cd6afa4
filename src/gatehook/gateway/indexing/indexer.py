"""The folders of ``[memory]``, indexed at the start and followed: a task of its own that holds up nobody."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import AsyncIterator
from collections.abc import Iterable
from collections.abc import Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread
import attrs

from gatehook.config.memory import FolderConfig
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import documents as codes
from gatehook.events import FeedEvent
from gatehook.gateway.indexing.changes import Changes
from gatehook.gateway.indexing.changes import Tell
from gatehook.gateway.indexing.folder import FolderRound
from gatehook.gateway.indexing.jobs import Job
from gatehook.gateway.indexing.reading import Reader
from gatehook.gateway.indexing.state import STATE_FILE
from gatehook.gateway.indexing.state import IndexState
from gatehook.gateway.indexing.state import open_state
from gatehook.host import MemoryHandle
from gatehook.host import PluginHost
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.kind import Kind

#: Seconds between attempts while the memory does not work.
_RETRY: Final = 5.0
#: A round may take one part of so many of the time.
_SHARE: Final = 20


@attrs.frozen
class Part:
    """A folder, or what is below a path in it."""

    folder: FolderConfig
    below: str = ""


class Indexer:
    """Keeps the memory up with the folders. One round at a time, whoever asks for it."""

    def __init__(self, host: PluginHost) -> None:
        """Take a host that runs; its slot ``memory`` is asked at each round who fills it."""
        self._host = host
        self._section = host.config.memory
        self._turn = anyio.Lock()
        self._limiter = anyio.CapacityLimiter(1)
        self._again = anyio.Event()
        self._jobs: deque[Job] = deque()
        self._asked = anyio.Event()
        host.bus.on_control(self._notice)

    def _notice(self, event: FeedEvent) -> None:
        if event.topic == "gateway.plugin":
            self._again.set()

    async def run(self) -> None:
        """Index, and follow what changes, until cancelled."""
        while self._section.folders:
            self._again = anyio.Event()
            started = anyio.current_time()
            works = await self._round()
            took = anyio.current_time() - started
            with anyio.move_on_after(max(self._section.follow_every if works else _RETRY, took * _SHARE)):
                await self._again.wait()

    async def _round(self) -> bool:
        try:
            await self.index_now()
        except GatehookError as error:
            for diagnostic in error.diagnostics:
                self._host.report(diagnostic)
            return False
        except (ProviderError, TimeoutError) as error:
            self._host.report(codes.NOT_INDEXED(why=str(error) or type(error).__name__))
            return False
        return True

    def ask(self, paths: Sequence[Path] = ()) -> Job:
        """Let the task that runs ``answer`` index, and return what there is to follow.

        Raises:
            GatehookError: a path is in no folder that is remembered; no folder is.
        """
        if not self._section.folders:
            raise GatehookError(codes.NO_FOLDER())
        self._parts(paths)
        job = Job(paths)
        self._jobs.append(job)
        self._asked.set()
        return job

    async def answer(self) -> None:
        """Index for those who ask, one after the other, until cancelled."""
        while True:
            while self._jobs:
                await self._jobs.popleft().do(self.index_now)
            self._asked = anyio.Event()
            await self._asked.wait()

    async def index_now(self, paths: Sequence[Path] = (), tell: Tell = lambda _: None) -> tuple[Changes, ...]:
        """Bring the memory up with the folders, or with what is at ``paths`` below them, and say what changed.

        Nothing happens while the slot is empty. ``tell`` is told after every few files how far it is.

        Raises:
            GatehookError: a path is in no folder that is remembered; what was indexed cannot be written down.
            ProviderError: the memory does not work.
        """
        parts = self._parts(paths)
        async with self._turn:
            entry_id = self._host.slot("memory")
            if entry_id is None:
                return ()
            # Of this entry, whoever fills the slot meanwhile: what was indexed is written down for it.
            memory: MemoryHandle = self._host.handle(entry_id, Kind.MEMORY, caller="gateway")
            try:
                async with self._states() as connection:
                    return tuple([await self._one(part, entry_id, memory, connection, tell) for part in parts])
            except (sqlite3.Error, OSError) as error:
                raise GatehookError(codes.NOT_INDEXED(why=str(error))) from error

    async def _one(
        self, part: Part, entry_id: str, memory: MemoryHandle, connection: sqlite3.Connection, tell: Tell
    ) -> Changes:
        host = self._host
        reader = Reader(
            folder=part.folder,
            most_bytes=self._section.max_file_bytes,
            redact=host.redactor.redact,
            wall=host.clock.wall,
        )
        one = FolderRound(
            reader=reader,
            most_files=self._section.max_files,
            memory=memory,
            state=IndexState(connection, entry_id, part.folder.parts),
            report=host.report,
            limiter=self._limiter,
            below=part.below,
        )
        return await one.run(tell)

    @asynccontextmanager
    async def _states(self) -> AsyncIterator[sqlite3.Connection]:
        lost: list[Diagnostic] = []
        path = self._host.config.gateway.data_dir / STATE_FILE
        connection = await anyio.to_thread.run_sync(open_state, path, lost.append, limiter=self._limiter)
        for diagnostic in lost:
            self._host.report(diagnostic)
        try:
            yield connection
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(connection.close, limiter=self._limiter)

    def _parts(self, paths: Iterable[Path]) -> list[Part]:
        folders = self._section.folders
        return [part_of(path, folders) for path in paths] or [Part(one) for one in folders]


def part_of(path: Path, folders: Sequence[FolderConfig]) -> Part:
    """Return the folder that a path is in, and where.

    Raises:
        GatehookError: it is in none.
    """
    full = path.expanduser().resolve()
    for folder in folders:
        root = folder.path.resolve()
        if full == root:
            return Part(folder)
        if root in full.parents:
            return Part(folder, full.relative_to(root).as_posix())
    raise GatehookError(codes.NO_SUCH_FOLDER(path=path))
