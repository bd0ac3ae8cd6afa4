"""What a venue reported goes into the journal: in order, once, and only what is usable and concerns its entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Final

from gatehook.diagnostics.codes.orders import FILL_ORPHANED
from gatehook.diagnostics.codes.orders import REPORT_IGNORED
from gatehook.kinds.accounts import AccountState
from gatehook.kinds.accounts import PositionReport
from gatehook.kinds.broker import BrokerEvent
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderRef
from gatehook.orders.access import CallKind
from gatehook.orders.entry import Entry

if TYPE_CHECKING:
    from gatehook.orders.desk import Desk

#: How many events share one commit at most: others want to write too.
_TOGETHER: Final = 256


async def apply(desk: Desk, entry: Entry, events: Sequence[BrokerEvent], cursor: str | None = None) -> None:
    """Journal events, and with the last of them the stream's position after it.

    Raises:
        StorageUnavailable: when the journal cannot be written.
    """
    usable = [event for event in events if is_usable(desk, entry, event)]
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


def is_usable(desk: Desk, entry: Entry, event: object) -> bool:
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
        problem = f"fill {fill.trade_id} of an order that the journal does not know: {named(error)}"
        desk.report(REPORT_IGNORED(entry=entry.entry_id, problem=problem))
        return
    if found is not None and is_usable(desk, entry, found):
        await desk.journal.apply(entry.entry_id, [found])
    else:
        desk.report(
            FILL_ORPHANED(entry=entry.entry_id, fill=fill.trade_id, order=fill.venue_order_id, account=fill.account)
        )


def named(error: Exception) -> str:
    """Name an error. Only what plugin authors write for people is quoted: other texts may hold anything."""
    return error.message if isinstance(error, ProviderError) else type(error).__name__
