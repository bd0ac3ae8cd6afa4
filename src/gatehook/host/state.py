"""``context.state``: small JSON values of an entry, durable when a call returns."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from collections.abc import Callable
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from typing import Final
from typing import TypeVar

import anyio
import anyio.to_thread

from gatehook.context import StateTransaction
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import state as codes
from gatehook.host.state_file import StateFile
from gatehook.secrets import Redactor

T = TypeVar("T")

MOST_KEYS: Final = 10_000
MOST_BYTES: Final = 4 * 1024 * 1024


class StateStore:
    """The stores of all entries, in one file, used by one thread at a time."""

    def __init__(self, path: Path, report: Callable[[Diagnostic], object], redactor: Redactor) -> None:
        self.redactor = redactor
        self._file = StateFile(path, report)
        self._report = report
        self._unusable: Diagnostic | None = None
        self._limiter = anyio.CapacityLimiter(1)

    async def open(self) -> None:
        """Open the file; where there can be none it is reported, and every use of the state says why."""
        try:
            await self.run(self._file.open)
        except GatehookError as error:
            self._unusable = error.diagnostics[0]
            self._report(self._unusable)

    async def close(self) -> None:
        """Close the file, after what is under way."""
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._file.close, limiter=self._limiter)

    async def run(self, work: Callable[[], T]) -> T:
        """Run blocking work on the file."""
        if self._unusable is not None:
            raise GatehookError(self._unusable)
        return await anyio.to_thread.run_sync(work, limiter=self._limiter)

    async def read(self, entry: str) -> dict[str, str]:
        """Return an entry's values as JSON text, by key."""
        return await self.run(lambda: self._file.read(entry))

    async def write(self, entry: str, changes: Mapping[str, str | None]) -> None:
        """Write changes durably, all or none.

        Raises:
            GatehookError: when the disk is full or fails; the old state stays.
        """
        try:
            await self.run(lambda: self._file.write(entry, changes))
        except sqlite3.Error as error:
            diagnostic = codes.WRITE_FAILED(entry=entry, error=str(error))
            self._report(diagnostic)
            raise GatehookError(diagnostic) from error


class EntryState:
    """One entry's store."""

    def __init__(self, store: StateStore, entry_id: str) -> None:
        self._store = store
        self._entry = entry_id
        self._lock = anyio.Lock()

    async def get(self, key: str, default: Any = None) -> Any:
        """Return a value."""
        values = await self._store.read(self._entry)
        return json.loads(values[key]) if key in values else default

    async def set(self, key: str, value: Any) -> None:
        """Set a JSON value."""
        async with self.transaction() as transaction:
            transaction.set(key, value)

    async def delete(self, key: str) -> None:
        """Remove a key; a missing one is no error."""
        async with self.transaction() as transaction:
            transaction.delete(key)

    async def keys(self, prefix: str = "") -> list[str]:
        """Return the keys, sorted."""
        return sorted(key for key in await self._store.read(self._entry) if key.startswith(prefix))

    def transaction(self) -> AbstractAsyncContextManager[StateTransaction]:
        """Group reads and writes; an exception in the block writes nothing."""
        return self._transaction()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[StateTransaction]:
        async with self._lock:
            transaction = _Transaction(self._entry, await self._store.read(self._entry), self._store.redactor)
            yield transaction
            if transaction.changes:
                transaction.check_quota()
                await self._store.write(self._entry, transaction.changes)


class _Transaction:
    def __init__(self, entry: str, values: dict[str, str], redactor: Redactor) -> None:
        self._entry = entry
        self._values = values
        self._redactor = redactor
        self.changes: dict[str, str | None] = {}

    def get(self, key: str, default: Any = None) -> Any:
        return json.loads(self._values[key]) if key in self._values else default

    def set(self, key: str, value: Any) -> None:
        if not isinstance(key, str) or not key:
            raise TypeError(f"a key is a non-empty string, not {key!r}")
        text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        if self._redactor.redact(text) != text:
            raise GatehookError(codes.SECRET(entry=self._entry, key=key))
        self._values[key] = text
        self.changes[key] = text

    def delete(self, key: str) -> None:
        if self._values.pop(key, None) is not None:
            self.changes[key] = None

    def check_quota(self) -> None:
        size = sum(len(key.encode()) + len(value.encode()) for key, value in self._values.items())
        if size > MOST_BYTES:
            raise GatehookError(codes.QUOTA(entry=self._entry, limit=f"{MOST_BYTES} bytes", found=f"{size} bytes"))
        count = len(self._values)
        if count > MOST_KEYS:
            raise GatehookError(codes.QUOTA(entry=self._entry, limit=f"{MOST_KEYS} keys", found=f"{count} keys"))
