"""Our orders as calls of the server's tools."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from typing import Final

from gatehook import Instrument
from gatehook import OrderRequest
from gatehook import OrderType
from gatehook import Side
from gatehook import UnsupportedCapability
from gatehook.kinds.amounts import LEDGER
from gatehook.kinds.orders import Trailing
from gatehook.kinds.orders import TrailingUnit

#: The tools that take a ``clientId`` which their schemas do not declare.
UNDECLARED: Final[Mapping[str, tuple[str, ...]]] = {
    "place_market_order": ("clientId",),
    "place_limit_order": ("clientId",),
    "create_stop_buy_order": ("clientId",),
    "create_stop_sell_order": ("clientId",),
}
_DIRECTIONS: Final = {Side.BUY: "ORDER_TYPE_BUY", Side.SELL: "ORDER_TYPE_SELL"}
_STOPS: Final = {Side.BUY: "create_stop_buy_order", Side.SELL: "create_stop_sell_order"}


def placing(request: OrderRequest, instrument: Instrument) -> tuple[str, dict[str, Any]]:
    """Return the tool that places an order, and its arguments.

    The side is in every call: in the arguments, or in the name of the tool. There is no comment: it would share the 26
    characters of the client's id.

    Raises:
        UnsupportedCapability: for what the server cannot do.
    """
    if request.position_id is not None:
        raise UnsupportedCapability("this server takes no order for a position; close the position; nothing was sent")
    common = {
        "symbol": instrument.native_symbol,
        "volume": request.quantity,
        "stopLoss": request.stop_loss,
        "takeProfit": request.take_profit,
        "clientId": request.client_order_id,
    }
    if request.type is OrderType.LIMIT:
        return "place_limit_order", {**common, "side": request.side.value, "openPrice": request.price}
    if request.type is OrderType.STOP:
        return _STOPS[request.side], {**common, "openPrice": request.trigger_price}
    if request.trailing is not None:
        trailing = {"distance": {"distance": _distance(request.trailing, instrument), "units": "RELATIVE_PRICE"}}
        arguments = {**common, "actionType": direction(request.side), "trailingStopLoss": trailing}
        return "create_market_order_with_trailing_sl", arguments
    return "place_market_order", {**common, "side": request.side.value}


def direction(side: Side) -> str:
    """Return MetaTrader's word for a side."""
    return _DIRECTIONS[side]


def _distance(trailing: Trailing, instrument: Instrument) -> Decimal:
    if trailing.activation_price is not None:
        raise UnsupportedCapability("this server trails from the start on: no activation_price; nothing was sent")
    if trailing.unit is TrailingUnit.PRICE:
        return trailing.offset
    if trailing.unit is TrailingUnit.POINTS:
        return LEDGER.multiply(trailing.offset, instrument.price_increment)
    raise UnsupportedCapability(f"this server trails by price or points, not by {trailing.unit}; nothing was sent")
