"""MetaTrader's orders, deals and positions in our words, and our orders in the server's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from typing import Final

import attrs

from gatehook import AccountKey
from gatehook import Fill
from gatehook import InstrumentId
from gatehook import Money
from gatehook import Order
from gatehook import OrderRequest
from gatehook import OrderStatus
from gatehook import OrderType
from gatehook import Position
from gatehook import Side
from gatehook.kinds.amounts import LEDGER
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.orders import OrderOrigin
from gatehook.kinds.orders import Reason
from gatehook.kinds.orders import TimeInForce

from .reading import Node
from .reading import price_of
from .reading import text_of

_TYPES: Final = {
    "ORDER_TYPE_BUY": (OrderType.MARKET, Side.BUY),
    "ORDER_TYPE_SELL": (OrderType.MARKET, Side.SELL),
    "ORDER_TYPE_BUY_LIMIT": (OrderType.LIMIT, Side.BUY),
    "ORDER_TYPE_SELL_LIMIT": (OrderType.LIMIT, Side.SELL),
    "ORDER_TYPE_BUY_STOP": (OrderType.STOP, Side.BUY),
    "ORDER_TYPE_SELL_STOP": (OrderType.STOP, Side.SELL),
    "ORDER_TYPE_BUY_STOP_LIMIT": (OrderType.STOP_LIMIT, Side.BUY),
    "ORDER_TYPE_SELL_STOP_LIMIT": (OrderType.STOP_LIMIT, Side.SELL),
    "ORDER_TYPE_CLOSE_BY": (OrderType.MARKET, Side.BUY),
}
_STATES: Final = {
    "ORDER_STATE_STARTED": OrderStatus.ACCEPTED,
    "ORDER_STATE_PLACED": OrderStatus.ACCEPTED,
    "ORDER_STATE_PARTIAL": OrderStatus.PARTIALLY_FILLED,
    "ORDER_STATE_REQUEST_ADD": OrderStatus.ACCEPTED,
    "ORDER_STATE_REQUEST_MODIFY": OrderStatus.PENDING_UPDATE,
    "ORDER_STATE_REQUEST_CANCEL": OrderStatus.PENDING_CANCEL,
    "ORDER_STATE_CANCELED": OrderStatus.CANCELED,
    "ORDER_STATE_FILLED": OrderStatus.FILLED,
    "ORDER_STATE_REJECTED": OrderStatus.REJECTED,
    "ORDER_STATE_EXPIRED": OrderStatus.EXPIRED,
}
_SIDES: Final = {"DEAL_TYPE_BUY": Side.BUY, "DEAL_TYPE_SELL": Side.SELL}
_HELD: Final = {"POSITION_TYPE_BUY": Side.BUY, "POSITION_TYPE_SELL": Side.SELL}
#: What closes a position without anybody's order: a stop-loss, a take-profit, a stop-out.
BY_VENUE: Final = frozenset({"SL", "TP", "SO"})
#: A deal that takes from a position; one that turns it around does both.
CLOSING: Final = frozenset({"DEAL_ENTRY_OUT", "DEAL_ENTRY_OUT_BY", "DEAL_ENTRY_INOUT"})
_ZERO: Final = Decimal(0)


@attrs.frozen(kw_only=True)
class Deal:
    """One deal: a trade of one order.

    Attributes:
        order_id, position_id, client_id: as the venue has them; the id is there where it is ours or another program's.
        closing: whether it took from a position.
        by_venue: whether nobody ordered it.
    """

    fill: Fill
    order_id: str
    position_id: str | None
    client_id: str | None
    closing: bool
    by_venue: bool


class Words:
    """Reads what the server says of one entry's accounts."""

    def __init__(self, entry_id: str, venue: str) -> None:
        self._entry_id = entry_id
        self._venue = venue

    def instrument_id(self, row: Node) -> InstrumentId:
        """Read which instrument something is about."""
        symbol = row["symbol"]
        try:
            return InstrumentId(symbol.text(), self._venue)
        except ValueError:
            symbol.wrong("the name of a symbol")

    def order(self, account: AccountKey, row: Node, *, ended: bool) -> Order:
        """Read an order, a working one or one that has ``ended``; one without our id gets a name of the venue's."""
        order_id = row["id"].identity()
        kind, side = row["type"].word(_TYPES)
        volume, rest = row["volume"].number(), row["currentVolume"].number()
        if not 0 <= rest <= volume or volume == 0:
            row["currentVolume"].wrong("a volume from 0 to the order's")
        filled = LEDGER.subtract(volume, rest)
        status = _status(row, filled, rest, ended=ended)
        client_id = text_of(row.get("clientId"))
        by_venue = (text_of(row.get("reason")) or "").rpartition("_")[2] in BY_VENUE
        accepted = row["time"].time()
        done = row.get("doneTime")
        request = OrderRequest(
            client_order_id=client_id or f"{self._entry_id}-{order_id}",
            account=account,
            instrument_id=self.instrument_id(row),
            side=side,
            type=kind,
            quantity=volume,
            quantity_unit=QuantityUnit.LOTS,
            position_id=text_of(row.get("positionId")) if kind is OrderType.MARKET else None,
            stop_loss=price_of(row.get("stopLoss")),
            take_profit=price_of(row.get("takeProfit")),
            **_prices(kind, row),
            **_life(row),
        )
        return Order(
            request=request,
            status=status,
            venue_order_id=order_id,
            filled=filled,
            leaves=_ZERO if status.is_final else rest,
            canceled=rest if status.is_final else _ZERO,
            reason=_reason(row) if status is OrderStatus.REJECTED else None,
            origin=OrderOrigin.VENUE if by_venue else OrderOrigin.EXTERNAL,
            ts_accepted=accepted,
            ts_last=accepted if done is None else done.time(),
            raw=row.value,
        )

    def deal(self, account: AccountKey, currency: str, row: Node) -> Deal | None:
        """Read a deal; ``None`` for what is no trade (a deposit, a correction)."""
        side = _SIDES.get(row["type"].text())
        if side is None:
            return None
        order_id, position = row["orderId"].identity(), row.get("positionId")
        position_id = None if position is None else position.identity()
        commission = row.get("commission")
        entry = text_of(row.get("entryType")) or ""
        fill = Fill(
            trade_id=row["id"].identity(),
            account=account,
            instrument_id=self.instrument_id(row),
            venue_order_id=order_id,
            client_order_id=None,
            side=side,
            quantity=row["volume"].above_zero(),
            quantity_unit=QuantityUnit.LOTS,
            price=row["price"].above_zero(),
            commission=Money(-commission.number(), currency) if commission is not None else None,
            position_id=position_id,
            ts_event=row["time"].time(),
            raw=row.value,
        )
        return Deal(
            fill=fill,
            order_id=order_id,
            position_id=position_id,
            client_id=text_of(row.get("clientId")),
            closing=entry in CLOSING,
            by_venue=(text_of(row.get("reason")) or "").rpartition("_")[2] in BY_VENUE,
        )

    def position(self, account: AccountKey, row: Node) -> Position:
        """Read an open position."""
        opened = row["time"].time()
        changed = row.get("updateTime")
        volume, price = row["volume"].above_zero(), row["openPrice"].above_zero()
        profit = row.get("unrealizedProfit") or row.get("profit")
        realized, swap = row.get("realizedProfit"), row.get("swap")
        return Position(
            account=account,
            position_id=row["id"].identity(),
            instrument_id=self.instrument_id(row),
            side=row["type"].word(_HELD),
            quantity=volume,
            quantity_unit=QuantityUnit.LOTS,
            cost=LEDGER.multiply(volume, price),
            mark_price=price_of(row.get("currentPrice")),
            unrealized_pnl=None if profit is None else profit.number(),
            realized_pnl=_ZERO if realized is None else realized.number(),
            swap=_ZERO if swap is None else swap.number(),
            stop_loss=price_of(row.get("stopLoss")),
            take_profit=price_of(row.get("takeProfit")),
            ts_opened=opened,
            ts_last=opened if changed is None else changed.time(),
            raw=row.value,
        )


def _status(row: Node, filled: Decimal, rest: Decimal, *, ended: bool) -> OrderStatus:
    """Read an order's state; where it ended with a part of it filled, the rest was canceled."""
    status = row["state"].word(_STATES)
    if not ended:
        if status.is_final:
            row["state"].wrong("the state of a working order")
        partly = filled > 0 and status is OrderStatus.ACCEPTED
        return OrderStatus.PARTIALLY_FILLED if partly else status
    if rest == 0:
        return OrderStatus.FILLED
    if status in (OrderStatus.EXPIRED, OrderStatus.REJECTED) and not filled:
        return status
    if not status.is_final and status is not OrderStatus.PARTIALLY_FILLED:
        row["state"].wrong("the state of an order that has ended")
    return OrderStatus.EXPIRED if status is OrderStatus.EXPIRED else OrderStatus.CANCELED


def _prices(kind: OrderType, row: Node) -> dict[str, Any]:
    if kind is OrderType.MARKET:
        return {}
    price = row["openPrice"].above_zero()
    if kind is OrderType.LIMIT:
        return {"price": price}
    if kind is OrderType.STOP:
        return {"trigger_price": price}
    return {"trigger_price": price, "price": row["stopLimitPrice"].above_zero()}


def _life(row: Node) -> dict[str, Any]:
    word = text_of(row.get("expirationType"))
    until = row.get("expirationTime")
    if word in ("ORDER_TIME_SPECIFIED", "ORDER_TIME_SPECIFIED_DAY") and until is not None:
        return {"time_in_force": TimeInForce.GTD, "expire_at": until.time()}
    if word == "ORDER_TIME_DAY":
        return {"time_in_force": TimeInForce.DAY}
    return {}


def _reason(row: Node) -> Reason:
    return Reason(code="rejected", message="the trade server refused the order", venue_code=text_of(row.get("reason")))


def traded(deals: list[Deal], order: Order) -> Order:
    """Join the deals of an order into it: what they cost, and what they prove to be filled."""
    own = [one.fill for one in deals if one.order_id == order.venue_order_id]
    quantity = cost = _ZERO
    for fill in own:
        quantity = LEDGER.add(quantity, fill.quantity)
        cost = LEDGER.add(cost, LEDGER.multiply(fill.quantity, fill.price))
    return attrs.evolve(order, cost=cost) if quantity == order.filled else order
