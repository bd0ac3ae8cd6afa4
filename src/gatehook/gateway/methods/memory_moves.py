"""Moving one memory's documents to another, both running, whoever fills the slot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any
from typing import Final
from typing import Protocol

from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import memory_commands as codes
from gatehook.gateway.methods.memory_work import progress_json
from gatehook.gateway.methods.memory_work import result_json
from gatehook.gateway.methods.method import Stream
from gatehook.gateway.params import Params
from gatehook.host import MemoryHandle
from gatehook.host import PluginHost
from gatehook.kinds.memory import Progress
from gatehook.memory.moves import MoveStateFile
from gatehook.memory.moving import follow
from gatehook.memory.moving import migrate
from gatehook.memory.parity import ParityReport
from gatehook.memory.parity import parity_json

_SLOT: Final = "memory"
#: Below the data directory: how far each move is.
MOVES: Final = "moves"


class Remembered(Protocol):
    """Knows how much of the journal each memory has."""

    async def position(self, entry_id: str) -> int:
        """Return how far an entry is."""

    async def advance(self, entry_id: str, position: int) -> None:
        """Take note that an entry is at least so far."""


class MemoryMoves:
    """``memory.migrate``. One move into the same entry at a time."""

    def __init__(self, host: PluginHost, caller: str, remembered: Remembered) -> None:
        self._host = host
        self._caller = caller
        self._remembered = remembered
        self._targets: set[str] = set()

    def table(self) -> dict[str, Stream]:
        """Return the methods by name."""
        return {"memory.migrate": Stream(self.migrate)}

    async def migrate(self, params: Params) -> AsyncIterator[Any]:
        """Move everything; with ``use`` let the target take the slot where nothing is missing there."""
        source, target = params.text("source"), params.text("target")
        if source == target:
            raise GatehookError(codes.MOVE_TO_ITSELF(entry=source))
        if target in self._targets:
            raise params.refuse(f"another move into {target} is under way")
        self._targets.add(target)
        try:
            async with (
                self._host.memory_beside(source, caller=self._caller) as old,
                self._host.memory_beside(target, caller=self._caller) as new,
            ):
                async for item in self._moved(old, new, use=params.flag("use")):
                    yield item
        finally:
            self._targets.discard(target)

    async def _moved(self, old: MemoryHandle, new: MemoryHandle, *, use: bool) -> AsyncIterator[Any]:
        source, target = old.entry_id, new.entry_id
        state = MoveStateFile(self._host.config.gateway.data_dir / MOVES, source, target)
        report: ParityReport | None = None
        since, journal = self._host.clock.now(), await self._remembered.position(source)
        steps = migrate(old, new, state, is_serving=lambda: self._host.slot(_SLOT) == target)
        async with aclosing(steps):
            async for step in steps:
                if isinstance(step, Progress):
                    yield progress_json(step)
                else:
                    report = step
        assert report is not None, "a move ends with its report"
        await self._remembered.advance(target, journal)
        followed = 0
        if use and report.holds:
            await self._host.use_slot(_SLOT, target)
            followed = await follow(old, new, since)
        in_slot = self._host.slot(_SLOT) == target
        yield result_json(
            {"source": source, "target": target, "inSlot": in_slot, "followed": followed, "parity": parity_json(report)}
        )
