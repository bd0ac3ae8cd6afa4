"""How far a move is, in a file that is always whole: written beside, synced, renamed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import anyio
import anyio.to_thread
import attrs


@attrs.frozen(kw_only=True)
class MoveState:
    """How many documents were copied, and where the scan stands; ``copied_all`` when only comparing is left."""

    copied: int = 0
    position: str | None = None
    copied_all: bool = False


class MoveStateFile:
    """Keeps the state of one move, named by what it moves between."""

    def __init__(self, directory: Path, source: str, target: str) -> None:
        self.path = directory / f"{source}--{target}.json"
        self._limiter = anyio.CapacityLimiter(1)

    async def read(self) -> MoveState | None:
        """Return the state that an interrupted move left; a file that is missing or damaged means from the start."""
        return await anyio.to_thread.run_sync(self._read, limiter=self._limiter)

    def _read(self) -> MoveState | None:
        try:
            found = json.loads(self.path.read_text("utf-8"))
            return MoveState(
                copied=int(found["copied"]), position=found["position"], copied_all=found["copied_all"] is True
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    async def write(self, state: MoveState) -> None:
        """Keep a state."""
        await anyio.to_thread.run_sync(self._write, state, limiter=self._limiter)

    def _write(self, state: MoveState) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = self.path.with_suffix(".new")
        with temporary.open("w", encoding="utf-8") as file:
            file.write(json.dumps(attrs.asdict(state)))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.path)

    async def remove(self) -> None:
        """The move has ended."""
        await anyio.to_thread.run_sync(lambda: self.path.unlink(missing_ok=True), limiter=self._limiter)
