"""Orders and fills are remembered: read from the journal, behind what was remembered before, and written to the memory.

The journal is the source; an event only says that there is more. So nothing is missed over a restart, a slow memory or
a switch of the slot, and nothing is there twice, since the ids are the journal's own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import anyio

from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics.codes import gateway as codes
from gatehook.events import EventBus
from gatehook.events import FeedEvent
from gatehook.gateway.outage import Outage
from gatehook.gateway.positions import Positions
from gatehook.gateway.slot import FAILURES
from gatehook.gateway.slot import why
from gatehook.host import MemoryHandle
from gatehook.kinds.amounts import plain
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Order
from gatehook.kinds.times import to_rfc3339
from gatehook.orders import Journal
from gatehook.orders.records import Change

_BATCH: Final = 500
#: Seconds between attempts while the memory does not work.
_RETRY: Final = 5.0
POSITION_FILE: Final = "remembered.json"
NAMESPACE: Final = "trading"


class Recorder:
    """Keeps the memory up with the journal."""

    def __init__(
        self,
        journal: Journal,
        bus: EventBus,
        memory: Callable[[], tuple[str, MemoryHandle] | None],
        data_dir: Path,
        report: Callable[[Diagnostic], object],
    ) -> None:
        """``memory`` returns the entry that fills the slot and its own handle, not the slot's, if there is one."""
        self._journal = journal
        self._memory = memory
        self._positions = Positions(data_dir / POSITION_FILE, int, self._is_of_this_journal)
        self._outage = Outage(report)
        self._more = anyio.Event()
        self._turn = anyio.Lock()
        bus.on_control(self._notice)

    def _notice(self, event: FeedEvent) -> None:
        if event.topic.startswith("account.") or event.topic == "gateway.plugin":
            self._more.set()

    async def run(self) -> None:
        """Remember what happens until cancelled."""
        while True:
            self._more = anyio.Event()
            pause = math.inf if await self.catch_up() else _RETRY
            with anyio.move_on_after(pause):
                await self._more.wait()

    async def catch_up(self) -> bool:
        """Remember everything the journal has now; ``False`` when that does not work, which is reported."""
        async with self._turn:
            while (filled := self._memory()) is not None:
                entry_id, memory = filled
                try:
                    if not await self._next_batch(entry_id, memory):
                        self._outage.over()
                        return True
                except FAILURES as error:
                    now = self._memory()
                    if now is None or now[0] == entry_id:  # else the slot was switched: another memory is asked
                        self._outage.goes_on(codes.NOT_REMEMBERED(entry=entry_id, why=why(error)))
                        return False
            return True

    async def position(self, entry_id: str) -> int:
        """Return how far a memory is with the journal."""
        async with self._turn:
            return await self._positions.get(entry_id, 0)

    async def advance(self, entry_id: str, position: int) -> None:
        """Take note that a memory got what another one had: it is at least so far."""
        async with self._turn:
            await self._positions.set(entry_id, max(await self._positions.get(entry_id, 0), position))

    async def _next_batch(self, entry_id: str, memory: MemoryHandle) -> bool:
        """Remember the next changes; ``False`` when there are none."""
        changes = await self._journal.changes(after=await self._positions.get(entry_id, 0), limit=_BATCH)
        if not changes:
            return False
        await memory.upsert(list(_documents(changes)))
        await self._positions.set(entry_id, max(change.seq or 0 for change in changes))
        return True

    async def _is_of_this_journal(self, position: int) -> bool:
        return position > 0 and bool(await self._journal.changes(after=position - 1, limit=1))


def _documents(changes: Iterable[Change]) -> Iterable[MemoryDoc]:
    for change in changes:
        if isinstance(change.payload, Order):
            yield _order_document(change, change.payload)
        elif isinstance(change.payload, Fill):
            yield _fill_document(change, change.payload)


def _order_document(change: Change, order: Order) -> MemoryDoc:
    request = order.request
    price = f" at {plain(request.price)}" if request.price is not None else ""
    trigger = f" trigger {plain(request.trigger_price)}" if request.trigger_price is not None else ""
    why = f": {order.reason.code} {order.reason.message}" if order.reason is not None else ""
    text = (
        f"order {request.client_order_id} {request.side} {plain(request.quantity)} {request.quantity_unit} "
        f"{request.instrument_id} {request.type}{price}{trigger} is {order.status}, filled {plain(order.filled)}{why}"
    )
    identity = f"order/{request.client_order_id}"
    return _document(change, identity, "order", text, request.instrument_id.symbol, request.tags)


def _fill_document(change: Change, fill: Fill) -> MemoryDoc:
    text = (
        f"fill {fill.trade_id} of order {fill.client_order_id or fill.venue_order_id}: {fill.side} "
        f"{plain(fill.quantity)} {fill.quantity_unit} {fill.instrument_id} at {plain(fill.price)} "
        f"on {to_rfc3339(fill.ts_event)}"
    )
    identity = f"fill/{fill.venue_order_id}/{fill.trade_id}"
    return _document(change, identity, "fill", text, fill.instrument_id.symbol, ())


def _document(change: Change, identity: str, kind: str, text: str, symbol: str, tags: Sequence[str]) -> MemoryDoc:
    return MemoryDoc(
        id=identity,
        text=text,
        namespace=(NAMESPACE, change.account.entry_id, change.account.account_id),
        ts=change.at.market,
        kind=kind,
        tags=tags,
        meta={
            "symbol": symbol,
            "account": str(change.account),
            "source": change.account.entry_id,
            "wall_time": to_rfc3339(change.at.wall),
        },
        available_at=change.at.market,
    )
