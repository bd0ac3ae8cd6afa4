"""Whether an order is the one that is meant: the same that was asked for before, or the one that was sent."""

from __future__ import annotations

from gatehook.kinds.errors import DuplicateClientOrderId
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderRequest
from gatehook.orders.machine import VENUE_STATUSES
from gatehook.orders.records import Known
from gatehook.orders.sending import Proof
from gatehook.orders.sending import Reply
from gatehook.orders.sending import unproven


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
