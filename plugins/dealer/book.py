"""The dealer's book: orders and fills, kept in the entry's state."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import attrs

from gatehook import AccountKey
from gatehook import Fill
from gatehook import InstrumentId
from gatehook import Order
from gatehook import OrderRef
from gatehook import Position
from gatehook import Side
from gatehook.context import PluginState
from gatehook.kinds.codec import from_json
from gatehook.kinds.codec import to_json


@attrs.define
class Book:
    """Everything the dealer knows. ``orders`` are in the order they came, by client order id."""

    state: PluginState
    orders: dict[str, Order] = attrs.field(factory=dict)
    fills: list[Fill] = attrs.field(factory=list)

    async def load(self) -> None:
        """Read what an earlier run wrote."""
        for key in await self.state.keys("order:"):
            order = from_json(Order, await self.state.get(key))
            self.orders[order.request.client_order_id] = order
        self.orders = dict(sorted(self.orders.items(), key=lambda item: int(item[1].venue_order_id or 0)))
        for key in await self.state.keys("fill:"):
            self.fills.append(from_json(Fill, await self.state.get(key)))
        self.fills.sort(key=lambda fill: int(fill.trade_id))

    async def write(self, order: Order, fill: Fill | None = None) -> None:
        """Keep an order as it is now, and the fill that made it so; both or neither."""
        async with self.state.transaction() as transaction:
            transaction.set(f"order:{order.request.client_order_id}", to_json(order))
            if fill is not None:
                transaction.set(f"fill:{fill.trade_id}", to_json(fill))
        self.orders[order.request.client_order_id] = order
        if fill is not None:
            self.fills.append(fill)

    def find(self, ref: OrderRef) -> Order | None:
        """Look an order up by either id."""
        for order in self.orders.values():
            if order.request.account == ref.account and (
                order.request.client_order_id == ref.client_order_id or order.venue_order_id == ref.venue_order_id
            ):
                return order
        return None

    def working(self, instrument_id: InstrumentId) -> list[Order]:
        """Return the open orders of an instrument, oldest first."""
        return [
            order
            for order in self.orders.values()
            if order.request.instrument_id == instrument_id and not order.status.is_final
        ]

    def positions(self, account: AccountKey) -> list[Position]:
        """Net the account's fills, instrument by instrument."""
        by_instrument: dict[InstrumentId, list[Fill]] = {}
        for fill in self.fills:
            if fill.account == account:
                by_instrument.setdefault(fill.instrument_id, []).append(fill)
        return [one for fills in by_instrument.values() if (one := _net(account, fills)) is not None]


def _net(account: AccountKey, fills: Iterable[Fill]) -> Position | None:
    quantity = cost = realized = Decimal(0)  # signed quantity, and what it cost at its opening prices
    opened, last = 0, None
    for fill in fills:
        signed = fill.quantity if fill.side is Side.BUY else -fill.quantity
        closing = min(abs(signed), abs(quantity)) if signed * quantity < 0 else Decimal(0)
        if closing:
            part = cost * closing / abs(quantity)
            realized += (closing if quantity > 0 else -closing) * fill.price - part
            cost -= part
        opening = abs(signed) - closing
        if quantity + signed and (not quantity or (quantity > 0) is not (quantity + signed > 0)):
            opened = fill.ts_event
        cost += (opening if signed > 0 else -opening) * fill.price
        quantity, last = quantity + signed, fill
    if last is None or not quantity:
        return None
    return Position(
        account=account,
        position_id=str(last.instrument_id),
        instrument_id=last.instrument_id,
        side=Side.BUY if quantity > 0 else Side.SELL,
        quantity=abs(quantity),
        quantity_unit=last.quantity_unit,
        cost=abs(cost),
        realized_pnl=realized,
        ts_opened=opened,
        ts_last=last.ts_event,
    )
