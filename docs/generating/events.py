"""Topics whose words the code defines."""

from __future__ import annotations

from gatehook.kinds.orders import OrderStatus
from gatehook.orders.records import ORDER_TOPIC
from generating.tables import code


def order_topics() -> str:
    """Return the topic of each order status."""
    return ", ".join(code(f"{ORDER_TOPIC}{status}") for status in OrderStatus)
