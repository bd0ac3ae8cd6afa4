"""What the venue says by itself: its events are applied to the journal in order, and what was missed is read again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING
from typing import Final

import anyio

from gatehook.diagnostics.codes.orders import EVENTS_LOST
from gatehook.diagnostics.codes.orders import REPORT_IGNORED
from gatehook.kinds.accounts import AccountState
from gatehook.kinds.accounts import PositionReport
from gatehook.kinds.broker import BrokerEvent
from gatehook.kinds.errors import CursorExpired
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderRef
from gatehook.kinds.streams import Gap
from gatehook.kinds.streams import Items
from gatehook.kinds.streams import Reconnected
from gatehook.kinds.streams import StreamControl
from gatehook.kinds.times import SECOND
from gatehook.orders.access import CallKind
from gatehook.orders.entry import Entry
from gatehook.orders.reading import UNBOUNDED
from gatehook.orders.resolving import look_up
from gatehook.orders.resolving import resolve_doubts

if TYPE_CHECKING:
    from gatehook.orders.desk import Desk

#: How far before the newest known fill a venue is asked for fills, in nanoseconds: clocks differ, reports are late.
OVERLAP: Final = 60 * SECOND
#: Seconds before a stream that ended is opened again, doubled up to the second figure.
_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 60.0
#: How many events share one commit at most: others want to write too.
_TOGETHER: Final = 256
#: Seconds between two looks at a venue that reports nothing by itself.
_POLL: Final = 5.0


async def watch(desk: Desk, entry: Entry) -> None:
    """Run both loops of an entry until cancelled: its events, and the look-up of what is not known."""
    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(resolve_doubts, desk, entry)
        try:
            await (_follow(desk, entry) if entry.access.capabilities.events else _poll(desk, entry))
        except Exception as error:  # noqa: BLE001  raised again below, where no task group wraps it
            failure = error
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure


async def _poll(desk: Desk, entry: Entry) -> None:
    while True:
        try:
            await catch_up(desk, entry)
        except (ProviderError, TimeoutError) as error:
            _lost(desk, entry, _named(error))
        await anyio.sleep(_POLL)


async def _follow(desk: Desk, entry: Entry) -> None:
    """Keep the stream of events open. Reading starts before the snapshot is taken, so nothing falls between the two."""
    pause = _PAUSE
    cursor = await desk.journal.cursor(entry.entry_id)
    while True:
        problem = "the stream ended"
        try:
            async with entry.access.provider.events(after=cursor) as items:
                await catch_up(desk, entry)
                pause = _PAUSE
                await _read(desk, entry, items)
        except CursorExpired as error:
            cursor, problem = None, _named(error)
        except (ProviderError, TimeoutError) as error:
            cursor, problem = await desk.journal.cursor(entry.entry_id), _named(error)
        _lost(desk, entry, problem)
        await anyio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def _lost(desk: Desk, entry: Entry, problem: str) -> None:
    """Say that the events stopped, unless that is because the entry is being stopped."""
    if not entry.stopped:
        desk.report(EVENTS_LOST(entry=entry.entry_id, problem=problem))


async def _read(desk: Desk, entry: Entry, items: Items[BrokerEvent]) -> None:
    """Apply what waits together: the more there is, the fewer commits it takes."""
    while batch := await items.batch():
        events: list[BrokerEvent] = []
        for item in batch:
            if isinstance(item, (Gap, Reconnected)):
                await _apply(desk, entry, events, None)
                await catch_up(desk, entry)
                events = []
            elif not isinstance(item, StreamControl):
                events.append(item)
        await _apply(desk, entry, events, items.cursor)


async def catch_up(desk: Desk, entry: Entry) -> None:
    """Read the working orders and the fills since the last known one; ask for each order that is not among them.

    Raises:
        ProviderError, TimeoutError: when the venue cannot be asked, or the journal not be written.
    """
    for ref in await entry.accounts():
        account = ref.account
        since = await desk.journal.fills_since(account)
        listed = await _read_orders(desk, entry, account)
        if since is not None:
            await _read_fills(desk, entry, account, max(since - OVERLAP, 0))
        for order in await desk.journal.orders(accounts=[account], open_only=True, limit=UNBOUNDED):
            client_order_id = order.request.client_order_id
            if client_order_id not in listed and not desk.is_sending(client_order_id):
                await look_up(desk, entry, order)


async def _read_orders(desk: Desk, entry: Entry, account: AccountKey) -> set[str]:
    provider, cursor = entry.access.provider, None
    listed: set[str] = set()
    while True:
        page = await entry.access.call(
            CallKind.REDUCE, "list_orders", partial(provider.list_orders, account, open_only=True, cursor=cursor)
        )
        await _apply(desk, entry, page.items, None)
        listed.update(order.request.client_order_id for order in page.items if isinstance(order, Order))
        if page.cursor in (None, cursor):
            return listed
        cursor = page.cursor


async def _read_fills(desk: Desk, entry: Entry, account: AccountKey, since: int) -> None:
    provider, cursor = entry.access.provider, None
    while True:
        page = await entry.access.call(
            CallKind.REDUCE, "list_fills", partial(provider.list_fills, account, since=since, cursor=cursor)
        )
        await _apply(desk, entry, page.items, None)
        if page.cursor in (None, cursor):
            return
        cursor = page.cursor


async def _apply(desk: Desk, entry: Entry, events: Sequence[BrokerEvent], cursor: str | None) -> None:
    usable = [event for event in events if _usable(desk, entry, event)]
    if not usable and cursor is None:
        return
    for start in range(0, max(len(usable), 1), _TOGETHER):
        part = usable[start : start + _TOGETHER]
        is_last = start + _TOGETHER >= len(usable)
        for fill in await _journaled(desk, entry, part, cursor if is_last else None):
            await _adopt(desk, entry, fill)


async def _journaled(desk: Desk, entry: Entry, events: Sequence[BrokerEvent], cursor: str | None) -> tuple[Fill, ...]:
    """Journal events together; if one of them cannot be, each alone, and that one is reported and left out."""
    try:
        return await desk.journal.apply(entry.entry_id, events, cursor)
    except (ValueError, TypeError, ArithmeticError) as error:
        if len(events) == 1:
            desk.report(REPORT_IGNORED(entry=entry.entry_id, problem=str(error)))
            return await desk.journal.apply(entry.entry_id, (), cursor)
    orphans = [await _journaled(desk, entry, [event], None) for event in events]
    await desk.journal.apply(entry.entry_id, (), cursor)
    return tuple(fill for found in orphans for fill in found)


def _usable(desk: Desk, entry: Entry, event: object) -> bool:
    """Say whether an event is one, and of an account that this entry may use; others are not looked at."""
    if not isinstance(event, (Order, Fill, PositionReport, AccountState)):
        desk.report(REPORT_IGNORED(entry=entry.entry_id, problem=f"an event of the type {type(event).__name__}"))
        return False
    account = event.request.account if isinstance(event, Order) else event.account
    if account.entry_id != entry.entry_id:
        desk.report(
            REPORT_IGNORED(entry=entry.entry_id, problem=f"an event of account {account}, which is another entry's")
        )
        return False
    return entry.sees(account)


async def _adopt(desk: Desk, entry: Entry, fill: Fill) -> None:
    """Ask for the order of a fill that belongs to none we know: somebody else's, or ours before it is acknowledged."""
    provider = entry.access.provider
    ref = OrderRef(account=fill.account, client_order_id=fill.client_order_id, venue_order_id=fill.venue_order_id)
    try:
        found = (await entry.access.call(CallKind.REDUCE, "get_order", lambda: provider.get_order(ref))).order
    except Exception as error:  # noqa: BLE001  the fill is kept, and the guard counted the failure
        problem = f"fill {fill.trade_id} of an order that the journal does not know: {_named(error)}"
        desk.report(REPORT_IGNORED(entry=entry.entry_id, problem=problem))
        return
    if found is not None and _usable(desk, entry, found):
        await desk.journal.apply(entry.entry_id, [found])


def _named(error: Exception) -> str:
    return error.message if isinstance(error, ProviderError) else type(error).__name__
