"""The two commands that make orders in another way than a submit: closing a position, and lists of orders."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING
from typing import Any

import attrs

from gatehook.kinds.accounts import Position
from gatehook.kinds.accounts import PositionReport
from gatehook.kinds.broker import OrderList
from gatehook.kinds.broker import PositionRef
from gatehook.kinds.capabilities import ListContingency
from gatehook.kinds.checks import check_instrument
from gatehook.kinds.checks import check_shape
from gatehook.kinds.checks import default_time_in_force
from gatehook.kinds.errors import InvalidOrder
from gatehook.kinds.errors import NotFound
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderType
from gatehook.orders.access import CallKind
from gatehook.orders.claims import check_types
from gatehook.orders.claims import checked
from gatehook.orders.claims import same
from gatehook.orders.digest import content_digest
from gatehook.orders.digest import order_digest
from gatehook.orders.digest import with_defaults
from gatehook.orders.entry import Entry
from gatehook.orders.flights import Flights
from gatehook.orders.records import Known
from gatehook.orders.sending import Proof
from gatehook.orders.sending import Reply
from gatehook.orders.sending import send

if TYPE_CHECKING:
    from gatehook.orders.desk import Desk


class Closing:
    """Position closes and order lists. Both claim order ids, so both are resolved like any order."""

    def __init__(self, desk: Desk, flights: Flights) -> None:
        self._desk = desk
        self._flights = flights

    async def close_position(
        self, entry_id: str, ref: PositionRef, quantity: Decimal | None, command_id: str, caller: str
    ) -> Order:
        """Close a position at the market; see ``BrokerHandle.close_position``."""
        digest = content_digest("close_position", {"position": ref, "quantity": quantity})

        async def work() -> Order:
            known = await self._desk.journal.order(command_id)
            if known is not None:
                return same(known, digest)
            entry = self._desk.entry(entry_id)
            await entry.check_mode(ref.account, self._desk.mode)
            entry.check_declared("close_position")
            request = closing_request(await self._position(entry, ref), quantity, command_id)
            check_shape(request)
            check_instrument(request, await entry.instrument(ref.instrument_id))
            provider = entry.access.provider
            return await self._desk.place(
                entry,
                request,
                digest,
                caller,
                "close_position",
                lambda: provider.close_position(ref, quantity=quantity, command_id=command_id),
            )

        return await self._flights.run(command_id, digest, work)

    async def _position(self, entry: Entry, ref: PositionRef) -> Position:
        provider = entry.access.provider
        report = await entry.read("list_positions", PositionReport, lambda: provider.list_positions(ref.account))
        found = [
            position
            for position in report.positions
            if position.instrument_id == ref.instrument_id and ref.position_id in (None, position.position_id)
        ]
        if not found:
            raise NotFound(f"account {ref.account} has no such position in {ref.instrument_id}; nothing was sent")
        if len(found) > 1:
            raise InvalidOrder(
                f"account {ref.account} has {len(found)} positions in {ref.instrument_id}; name its position_id"
            )
        return found[0]

    async def submit_list(self, entry_id: str, orders: OrderList, caller: str) -> Sequence[Order]:
        """Submit orders that depend on each other; see ``BrokerHandle.submit_order_list``."""
        for one in orders.orders:
            check_types(one)
            check_shape(one)
        members: Any = [with_defaults(one) for one in orders.orders]  # mypy cannot type a field converted by ``tuple``
        orders = OrderList(list_id=orders.list_id, contingency=orders.contingency, orders=members)
        digests = [_member_digest(orders, one) for one in orders.orders]
        digest = content_digest("order_list", digests)

        async def work() -> Sequence[Order]:
            entry = self._desk.entry(entry_id)
            await self._check_list(entry, orders)
            intents = [self._desk.intent(one, caller) for one in orders.orders]
            claims = await self._desk.journal.claim_list(zip(intents, digests, strict=True))
            if not claims[0][1]:
                return [same(known, one) for (known, _), one in zip(claims, digests, strict=True)]
            provider = entry.access.provider
            reply = await send(entry, CallKind.SUBMIT, "submit_order_list", lambda: provider.submit_order_list(orders))
            return await self._conclude([known for known, _ in claims], reply)

        return await self._flights.run(f"list:{orders.list_id}", digest, work)

    async def _check_list(self, entry: Entry, orders: OrderList) -> None:
        if not orders.orders:
            raise InvalidOrder("an order list has at least one order")
        if ListContingency(orders.contingency) not in entry.access.capabilities.order_lists:
            raise UnsupportedCapability(
                f"entry {entry.entry_id} does not declare order lists of kind {orders.contingency}"
            )
        for one in orders.orders:
            await entry.check_order(one, self._desk.mode)

    async def _conclude(self, claimed: Sequence[Known], reply: Reply) -> Sequence[Order]:
        answers = {}
        if reply.proof is Proof.ANSWERED and isinstance(reply.value, (list, tuple)):
            answers = {one.request.client_order_id: one for one in reply.value if isinstance(one, Order)}
        results = []
        for known in claimed:
            own = reply
            if reply.proof is Proof.ANSWERED:
                answer = answers.get(known.order.request.client_order_id)
                own = checked(attrs.evolve(reply, value=answer), known.order.request)
            results.append(await self._desk.conclude(known, own, quiet=True))
        if reply.proof is Proof.NOTHING_SENT and reply.error is not None:
            raise reply.error
        return results


def closing_request(position: Position, quantity: Decimal | None, client_order_id: str) -> OrderRequest:
    """The order that closes a position, or ``quantity`` of it.

    Raises:
        InvalidOrder: when ``quantity`` is more than the position.
    """
    if quantity is not None and quantity > position.quantity:
        raise InvalidOrder("the quantity to close is more than the position")
    return OrderRequest(
        client_order_id=client_order_id,
        account=position.account,
        instrument_id=position.instrument_id,
        side=position.side.opposite,
        type=OrderType.MARKET,
        quantity=position.quantity if quantity is None else quantity,
        quantity_unit=position.quantity_unit,
        time_in_force=default_time_in_force(OrderType.MARKET),
        reduce_only=True,
        position_id=position.position_id,
    )


def _member_digest(orders: OrderList, request: OrderRequest) -> str:
    content = {"list": orders.list_id, "contingency": orders.contingency, "order": order_digest(request)}
    return content_digest("order_of_list", content)
