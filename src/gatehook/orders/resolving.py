"""Orders whose state is not proven are looked up at the venue until its evidence says what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Final

from gatehook.kinds.broker import Evidence
from gatehook.kinds.broker import OrderLookup
from gatehook.kinds.capabilities import AbsenceProof
from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import Reason
from gatehook.orders.access import CallKind
from gatehook.orders.entry import Entry
from gatehook.orders.records import Conclusion

if TYPE_CHECKING:
    from gatehook.orders.desk import Desk

#: Seconds between two looks at what is not known: short at first, then doubled up to the second figure.
_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 30.0


async def resolve_doubts(desk: Desk, entry: Entry) -> None:
    """Look up the entry's doubtful orders until cancelled; sleep while there are none."""
    pause = _PAUSE
    while True:
        await _save(desk)
        doubtful = desk.unknown_orders(entry.entry_id)
        desk.reconciliations.note_doubts()
        for order in doubtful:
            await look_up(desk, entry, order)
        if not doubtful and not desk.outcomes.unsaved:
            pause = _PAUSE
            await entry.wait_for_doubt(None)
        elif await entry.wait_for_doubt(pause):
            pause = _PAUSE
        else:
            pause = min(pause * 2, _LONGEST_PAUSE)


async def look_up(desk: Desk, entry: Entry, order: Order) -> Evidence:
    """Ask the venue for one order, and write down and return what it proves. A failure to ask proves nothing."""
    provider = entry.access.provider
    try:
        found = await entry.access.call(CallKind.REDUCE, "get_order", lambda: provider.get_order(order.ref))
        return await _weigh(desk, entry, order, found)
    except Exception:  # noqa: BLE001  no evidence: the guard counted it, health shows the order, it is asked for again
        return Evidence.INDETERMINATE


async def _weigh(desk: Desk, entry: Entry, order: Order, found: object) -> Evidence:
    if not isinstance(found, OrderLookup):
        return Evidence.INDETERMINATE
    match found.evidence:
        case Evidence.FOUND if found.order is not None and _is_answer(order, found.order):
            await desk.journal.apply(entry.entry_id, [found.order])
        case Evidence.ABSENT if found.complete and entry.access.capabilities.absence_proof is not AbsenceProof.NONE:
            await _absent(desk, order)
        case _:
            return Evidence.INDETERMINATE
    return found.evidence


def _is_answer(order: Order, found: Order) -> bool:
    return found.request.account == order.request.account and (
        found.request.client_order_id == order.request.client_order_id
        or (found.venue_order_id is not None and found.venue_order_id == order.venue_order_id)
    )


async def _absent(desk: Desk, order: Order) -> None:
    """An unknown order that provably never arrived is rejected, and its id stays used. One that had been accepted and
    is gone from a complete report becomes unknown: only a person can say where it went.
    """
    known = await desk.journal.order(order.request.client_order_id)
    if known is None:
        return
    never_arrived = known.order.status is OrderStatus.UNKNOWN and known.order.venue_order_id is None
    status = OrderStatus.REJECTED if never_arrived else OrderStatus.UNKNOWN
    reason = Reason(code="not_found", message="the venue proves that it does not have the order")
    await desk.outcomes.record(known, Conclusion(status=status, reason=reason, proven=True))


async def _save(desk: Desk) -> None:
    try:
        await desk.outcomes.save()
    except StorageUnavailable:
        # Still no room: health says so, and it is tried again.
        return
