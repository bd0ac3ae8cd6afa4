"""Whether an order is the one that is meant: the same that was asked for before, or the one that was sent."""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType
from typing import Final

from gatehook.kinds.errors import DuplicateClientOrderId
from gatehook.kinds.errors import InvalidOrder
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from gatehook.kinds.orders import TimeInForce
from gatehook.kinds.orders import Trailing
from gatehook.orders.machine import VENUE_STATUSES
from gatehook.orders.records import Known
from gatehook.orders.sending import Proof
from gatehook.orders.sending import Reply
from gatehook.orders.sending import unproven

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "client_order_id": (str,),
    "account": (AccountKey,),
    "instrument_id": (InstrumentId,),
    "side": (Side,),
    "type": (OrderType,),
    "quantity_unit": (QuantityUnit,),
    "trailing": (Trailing, NoneType),
    "time_in_force": (TimeInForce, NoneType),
    "expire_at": (int, NoneType),
    "post_only": (bool,),
    "reduce_only": (bool,),
    "position_id": (str, NoneType),
}


def check_types(request: OrderRequest) -> None:
    """Check that the fields are what they say: an order built in Python may hold plain strings instead of enums.

    Raises:
        InvalidOrder: naming the field and the type.
    """
    if not isinstance(request, OrderRequest):
        raise InvalidOrder(f"an order is an OrderRequest, not {type(request).__name__}")
    for name, types in _TYPES.items():
        value = getattr(request, name)
        if not isinstance(value, types):
            raise InvalidOrder(f"{name} is of the type {types[0].__name__}, not {type(value).__name__}")
    if not all(isinstance(tag, str) for tag in request.tags):
        raise InvalidOrder("tags are texts")


def same(known: Known, digest: str) -> Order:
    """Return an order that was asked for before, if it is the same.

    Raises:
        DuplicateClientOrderId: when it is not.
    """
    if known.digest != digest:
        raise DuplicateClientOrderId(
            f"client_order_id {known.order.request.client_order_id} was used for an order of other content;"
            " nothing was sent"
        )
    return known.order


def checked(reply: Reply, request: OrderRequest) -> Reply:
    """Take an answer as the order's only if it is one."""
    if reply.proof is not Proof.ANSWERED:
        return reply
    order = reply.value
    if not isinstance(order, Order):
        return unproven(f"the provider answered with {type(order).__name__}, not with an Order")
    about = (order.request.client_order_id, order.request.account, order.request.instrument_id, order.request.side)
    if about != (request.client_order_id, request.account, request.instrument_id, request.side):
        return unproven("the provider answered with another order")
    if order.status not in VENUE_STATUSES:
        return unproven(f"the provider answered with the status {order.status}, which proves nothing")
    return reply
