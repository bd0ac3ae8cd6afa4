"""The checker: what the journal says against what the venue has."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

STATES = {"working": "accepted", "partly": "partially_filled", "done": "filled", "canceled": "canceled"}


async def disagreements(rig) -> list[str]:
    """Return what differs, in words; nothing is what a reconciled gateway is held to."""
    ledger = await rig.venue.control("ledger")
    orders = {one.request.client_order_id: one for one in await rig.handle.orders(limit=10_000)}
    found = []
    sent = Counter(one["client"] for one in ledger["orders"] if one["client"])
    found += [f"{client} is {count} orders" for client, count in sent.items() if count > 1]
    for one in ledger["orders"]:
        name = one["client"] or f"{rig.entry}-{one['id']}"
        known = orders.pop(name, None)
        if known is None:
            found.append(f"{name} is not in the journal")
        elif (known.status, known.filled) != (STATES[one["state"]], Decimal(one["filled"])):
            found.append(f"{name} is {one['state']} {one['filled']}, journaled {known.status} {known.filled}")
    found += [f"{name} is {one.status}, not at the venue" for name, one in orders.items() if is_at_venue(one)]
    return found + await _of_fills(rig, ledger)


def is_at_venue(order) -> bool:
    """Say whether a journaled order claims to have reached the venue."""
    return order.status not in ("rejected", "denied", "initialized")


async def _of_fills(rig, ledger) -> list[str]:
    at_venue = [(one["id"], one["order"], Decimal(one["quantity"])) for one in ledger["fills"]]
    journaled = [(one.trade_id, one.venue_order_id, one.quantity) for one in await rig.handle.fills(limit=10_000)]
    lost, invented = Counter(at_venue) - Counter(journaled), Counter(journaled) - Counter(at_venue)
    return [f"lost fill {one}" for one in lost] + [f"invented fill {one}" for one in invented]
