"""What becomes of open orders when the gateway stops."""

from __future__ import annotations

import logging
from typing import Final
from uuid import uuid4

from gatehook.diagnostics import GatehookError
from gatehook.gateway.brokers import Brokers
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderOrigin
from gatehook.kinds.orders import OrderStatus
from gatehook.orders.canceling import is_protective

_LOG: Final = logging.getLogger("gatehook.gateway")


async def cancel_entries(brokers: Brokers) -> list[Order]:
    """Cancel the gateway's open orders that can still add risk; what only reduces stays. Return what was canceled."""
    canceled = []
    for order in await brokers.orders(open_only=True, limit=10_000):
        if is_protective(order) or order.status is OrderStatus.INITIALIZED or order.origin is not OrderOrigin.GATEWAY:
            continue
        try:
            handle = brokers.handle(order.request.account.entry_id)
            canceled.append(await handle.cancel_order(order.ref, command_id=f"stop-{uuid4().hex[:24]}"))
        except (ProviderError, GatehookError) as error:
            _LOG.warning("the order %s was not canceled: %s", order.request.client_order_id, error)
    return canceled
