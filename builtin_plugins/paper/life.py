"""What happens to one order: it is accepted, changed, and comes to its end; each time its whole state is an event."""

from __future__ import annotations

from typing import Any

import attrs

from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import Reason
from gatehook.kinds.times import Ns

from .arithmetic import ZERO
from .arithmetic import add
from .book import Working
from .margin import reserve
from .state import State
from .trailing import Trail


def change(state: State, working: Working, ts: Ns, **fields: Any) -> None:
    """Set fields of an order, emit it, and let it go if that was its end."""
    order = working.order
    working.order = attrs.evolve(order, version=order.version + 1, ts_last=max(ts, order.ts_last), **fields)
    reserve(state, working)
    state.touch(working)
    state.touch_account(state.account_of(working))
    state.changes.events.append(working.order)
    if working.order.status.is_final:
        state.book.remove(working)
        _end_list(state, working, ts)


def accept(state: State, working: Working, ts: Ns) -> None:
    """Take an order to work."""
    state.book.add(working)
    change(state, working, ts, status=OrderStatus.ACCEPTED, ts_accepted=ts)


def finish(state: State, working: Working, ts: Ns, status: OrderStatus, reason: Reason | None) -> None:
    """End what is left of an order."""
    order = working.order
    change(state, working, ts, status=status, leaves=ZERO, canceled=add(order.canceled, order.leaves), reason=reason)


def cancel(state: State, working: Working, ts: Ns, code: str, message: str) -> None:
    """Cancel what is left of an order, if it is still at work."""
    if state.book.get(working.id) is working:
        finish(state, working, ts, OrderStatus.CANCELED, Reason(code=code, message=message))


def expire_due(state: State, instrument_id: InstrumentId, ts: Ns) -> None:
    """Expire what ends at or before a time; this precedes every price of that time."""
    for working in state.book.expiring():
        due = working.expires is not None and working.expires <= ts
        if due and working.order.request.instrument_id == instrument_id and state.book.get(working.id) is working:
            reason = Reason(code="expired", message="the end of its time in force has come")
            finish(state, working, working.expires or ts, OrderStatus.EXPIRED, reason)


def traded(state: State, working: Working, ts: Ns) -> None:
    """Do what an order's fill means for the list it came in: the others are canceled, its children begin."""
    for sibling in working.siblings:
        if (other := state.book.get(sibling)) is not None:
            cancel(state, other, ts, "oco", f"order {working.id} of the same list was filled")
    for child in _children(state, working):
        if child.held:
            _release(state, child, ts)


def _children(state: State, working: Working) -> list[Working]:
    instrument_ids = state.book.of(working.order.request.instrument_id)
    return [one for one in instrument_ids if one.parent == working.id]


def _release(state: State, child: Working, ts: Ns) -> None:
    request = child.order.request
    child.held = False
    child.since = ts
    if child.reduces:
        held = state.held(request.account.account_id, request.instrument_id)
        child.position_id = held[-1].position_id if held else None
    if child.trail is not None:
        child.trail = started(state, child.trail, request.instrument_id, ts)
    state.touch(child)


def started(state: State, trail: Trail, instrument_id: InstrumentId, ts: Ns) -> Trail:
    """Return a trail that begins at the market of a time; inside a candle still to come it begins on its path."""
    mark = state.marks[instrument_id]
    return trail if mark.period and mark.ts < ts else trail.moved(mark.price(trail.side))


def _end_list(state: State, working: Working, ts: Ns) -> None:
    if not working.order.filled:
        for child in _children(state, working):
            cancel(state, child, ts, "parent", f"order {working.id}, which it waited for, ended without a fill")


def cancel_reducing(
    state: State, account: AccountKey, instrument_id: InstrumentId, position_id: str, ts: Ns, *, but: Working
) -> None:
    """Cancel the orders that only reduce a position which is no more."""
    for working in state.book.of(instrument_id):
        if working is but or not working.reduces or working.held or working.order.request.account != account:
            continue
        if working.position_id in (None, position_id):
            cancel(state, working, ts, "reduce_only", f"position {position_id} is closed")
