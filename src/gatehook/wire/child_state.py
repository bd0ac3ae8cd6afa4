"""``context.state`` and ``context.events`` of a plugin in a process of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from contextlib import asynccontextmanager
from typing import Any

import anyio

from gatehook.context import Payload
from gatehook.context import StateTransaction
from gatehook.kinds.codec import to_json
from gatehook.kinds.times import Ns
from gatehook.kinds.times import to_rfc3339
from gatehook.wire.host import Host


class RemoteState:
    """The entry's small store, at the host: durable when a call returns."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._lock = anyio.Lock()

    async def get(self, key: str, default: Any = None) -> Any:
        """Return a value."""
        found = await self._host.ask("state.get", {"key": key})
        return found["value"] if found["found"] else default

    async def set(self, key: str, value: Any) -> None:
        """Set a JSON value."""
        await self._host.ask("state.set", {"key": key, "value": _json(value)})

    async def delete(self, key: str) -> None:
        """Remove a key; a missing one is no error."""
        await self._host.ask("state.delete", {"key": key})

    async def keys(self, prefix: str = "") -> list[str]:
        """Return the keys, sorted."""
        found: list[str] = (await self._host.ask("state.keys", {"prefix": prefix}))["keys"]
        return found

    def transaction(self) -> AbstractAsyncContextManager[StateTransaction]:
        """Group reads and writes; an exception in the block writes nothing."""
        return self._transaction()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[StateTransaction]:
        async with self._lock:
            values = {key: await self.get(key) for key in await self.keys()}
            transaction = _Transaction(values)
            yield transaction
            if transaction.given or transaction.removed:
                changes = {"set": transaction.given, "delete": sorted(transaction.removed)}
                await self._host.ask("state.transaction", changes)


class _Transaction:
    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values
        self.given: dict[str, Any] = {}
        self.removed: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        return self._values.get(key, default)

    def set(self, key: str, value: Any) -> None:
        if not isinstance(key, str) or not key:
            raise TypeError(f"a key is a non-empty string, not {key!r}")
        self._values[key] = self.given[key] = _json(value)
        self.removed.discard(key)

    def delete(self, key: str) -> None:
        if key in self._values:
            del self._values[key]
            self.given.pop(key, None)
            self.removed.add(key)


def _json(value: Any) -> Any:
    """Return a copy that is JSON, or raise as the host's own state does."""
    return json.loads(json.dumps(value, allow_nan=False))


class RemoteEvents:
    """Publishes under the entry's own source, at the host."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def publish(
        self,
        topic: str,
        payload: Payload,
        *,
        event_id: str | None = None,
        partition_key: str = "",
        symbol: str | None = None,
        account_id: str | None = None,
        ts: Ns | None = None,
    ) -> None:
        """Publish an event; one with an ``event_id`` seen before is dropped."""
        event = {
            "topic": topic,
            "payload": dict(payload) if isinstance(payload, Mapping) else to_json(payload),
            "event_id": event_id,
            "partition_key": partition_key,
            "symbol": symbol,
            "account_id": account_id,
            "ts": None if ts is None else to_rfc3339(ts),
        }
        self._host.tell("events.publish", event)
