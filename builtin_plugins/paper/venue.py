"""The engine and its store together: a change is stored before it is told, and what cannot be stored did not happen."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.to_thread

from gatehook.kinds.broker import BrokerEvent
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.orders import Order
from gatehook.kinds.times import Ns

from .engine import Engine
from .record import Batch
from .record import batch
from .record import restore
from .settings import Settings
from .state import Changes
from .state import State
from .store import FILE
from .store import Store

T = TypeVar("T")


class Venue:
    """The engine, what it remembers, and the one thread that reads. Calls must not overlap, except ``read``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._thread = anyio.CapacityLimiter(1)
        self._writing = anyio.Lock(fast_acquire=True)
        self._store: Store | None = None
        self._used: set[tuple[str, str]] = set()
        self.engine = Engine(State(settings))
        self.problem: str | None = None

    async def open(self, data_dir: Path) -> None:
        """Open the store and bring the state back.

        Raises:
            StorageUnavailable: for a store that cannot be used.
        """
        store = self._store = await self._on_thread(partial(Store, data_dir / FILE))
        try:
            await self._reload()
            self._used = await self.read(Store.used_ids)
            await self.commit()
        except BaseException:  # nothing may be saved of a state that was not read whole
            self._store = None
            with anyio.CancelScope(shield=True):
                await self._on_thread(store.close)
            raise

    async def close(self) -> None:
        """Write the last prices down and close the store."""
        if self._store is None:
            return
        store, self._store = self._store, None
        last = batch(self.engine.state, {}, all_marks=True)
        try:
            await self._on_thread(partial(store.save, last))
        except StorageUnavailable as error:  # prices come anew; everything else is stored already
            self.problem = str(error)
        finally:
            await self._on_thread(store.close)

    async def _reload(self) -> None:
        stored = await self.read(Store.load)
        self.engine = Engine(restore(self._settings, stored))

    async def read(self, ask: Callable[[Store], T]) -> T:
        """Ask the store something, on its thread."""
        assert self._store is not None, "the broker is entered before it is used"
        return await self._on_thread(partial(ask, self._store))

    async def _on_thread(self, call: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(call, limiter=self._thread)

    async def know(self, instruments: Sequence[Instrument]) -> None:
        """Take over what the price source trades."""
        known = self.engine.state.instruments
        news = [one for one in instruments if known.get(one.id) != one]
        known.update({one.id: one for one in news})
        if news:
            async with self._writing:
                await self.read(lambda store: store.save_instruments(news))

    def is_used(self, account_id: str, client_order_id: str) -> bool:
        """Say whether an id was ever used in an account."""
        return (account_id, client_order_id) in self._used

    async def run(self, operate: Callable[[Engine, Ns], T], now: Ns) -> tuple[T, list[BrokerEvent], set[str]]:
        """Do something and store what it changed; return its result, the events, and the accounts whose books changed.

        What passing time changed stays when the operation itself is refused; its events then come with the next one.

        Raises:
            StorageUnavailable: when it cannot be stored; then it did not happen.
            ProviderError: as the operation does.
        """
        try:
            result = operate(self.engine, now)
        except ProviderError:
            raise
        except Exception:
            await self._undo()
            raise
        return (result, *await self.commit())

    async def commit(self) -> tuple[list[BrokerEvent], set[str]]:
        """Store what has changed; return the events in their order and the accounts whose books changed.

        Raises:
            StorageUnavailable: when it cannot be stored; then it did not happen.
        """
        state = self.engine.state
        changes = state.changes
        if not changes:
            return [], set()
        orders = [event for event in changes.events if isinstance(event, Order)]
        ended = {str(one.venue_order_id): one for one in orders if one.status.is_final}
        state.counters.event += len(changes.events)
        try:
            await self._save(batch(state, ended))
        except StorageUnavailable as error:
            self.problem = str(error)
            await self._undo()
            raise
        self.problem = None
        self._used.update((one.request.account.account_id, one.request.client_order_id) for one in orders)
        state.changes = Changes()
        return changes.events, changes.accounts | {one.request.account.account_id for one in orders}

    async def _save(self, rows: Batch) -> None:
        assert self._store is not None, "the broker is entered before it is used"
        async with self._writing:
            self._store.save(rows)
            if self._store.wants_sync:
                await self.read(Store.sync)

    async def _undo(self) -> None:
        """Go back to what is stored, prices excepted."""
        before = self.engine.state
        await self._reload()
        self.engine.state.marks = before.marks
        self.engine.state.instruments = before.instruments
