"""What a person decides where no venue can prove anything. Each decision is in the audit before it holds."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING
from typing import Final

import attrs

from gatehook.audit.kinds import ORDER_ADOPTED
from gatehook.audit.kinds import ORDER_RESOLVED
from gatehook.audit.kinds import POSITION_ACKNOWLEDGED
from gatehook.kinds.amounts import LEDGER
from gatehook.kinds.amounts import plain
from gatehook.kinds.errors import Conflict
from gatehook.kinds.errors import InvalidOrder
from gatehook.kinds.errors import NotFound
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderOrigin
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import Reason
from gatehook.orders.adjustments import Adjustment
from gatehook.orders.machine import may_move
from gatehook.orders.records import Conclusion
from gatehook.orders.records import Known

if TYPE_CHECKING:
    from gatehook.orders.desk import Desk

_DOUBTFUL: Final = (OrderStatus.UNKNOWN, OrderStatus.PENDING_CANCEL, OrderStatus.PENDING_UPDATE)
_DECIDED: Final = (
    OrderStatus.ACCEPTED,
    OrderStatus.FILLED,
    OrderStatus.CANCELED,
    OrderStatus.EXPIRED,
    OrderStatus.REJECTED,
)


class ByHand:
    """The desk's decisions of a person."""

    def __init__(self, desk: Desk) -> None:
        """Serve a desk."""
        self._desk = desk

    async def resolve(
        self,
        client_order_id: str,
        *,
        status: OrderStatus,
        evidence: str,
        person: str,
        filled: Decimal | None = None,
        price: Decimal | None = None,
    ) -> Order:
        """Say what became of an order that is unknown, or waits for the outcome of a cancel or an amend.

        ``filled`` is the whole filled quantity in the order's unit (default: what is known of it), ``price`` its
        average where it is more than is known. It is kept as the order's own report and makes no fill: the position is
        compared with the venue's as always. What the venue proves later still counts.

        Raises:
            NotFound: the journal has no such order.
            Conflict: its state is proven already.
            InvalidOrder: the words do not fit together, or no evidence is given; nothing was changed.
            StorageUnavailable: it could not be written down.
        """
        _required("evidence", evidence)
        known = await self._desk.journal.order(client_order_id)
        if known is None:
            raise NotFound(f"the journal has no order {client_order_id}")
        order = known.order
        if order.status not in _DOUBTFUL:
            raise Conflict(f"order {client_order_id} is {order.status}; only what is not known is resolved by hand")
        report = _decided(order, status, filled, price, evidence)
        account = order.request.account
        await self._desk.audit.record(
            ORDER_RESOLVED,
            actor=person,
            client_order_id=client_order_id,
            account=str(account),
            was=order.status.value,
            status=status.value,
            filled=plain(report.filled),
            evidence=evidence,
        )
        return await self._desk.outcomes.record(known, Conclusion(report=report, proven=True))

    async def adopt(self, entry_id: str, venue_order_id: str, *, owner: str, person: str) -> Order:
        """Give an order that was placed outside the gateway to ``owner``, who may cancel it from then on.

        Raises:
            NotFound: the journal has no order with this id of the venue's.
            Conflict: the order is ours, has an owner, or accounts of the entry share the id.
            InvalidOrder: no owner is named.
            StorageUnavailable: it could not be written down.
        """
        _required("owner", owner)
        found = await self._desk.journal.orders_named(entry_id, venue_order_id)
        if not found:
            raise NotFound(f"the journal has no order {venue_order_id} of entry {entry_id}")
        known = _foreign(found, venue_order_id)
        account = known.order.request.account
        await self._desk.audit.record(
            ORDER_ADOPTED, actor=person, venue_order_id=venue_order_id, account=str(account), owner=owner
        )
        return (await self._desk.journal.own(known.seq, owner)).order

    async def acknowledge(self, account: AccountKey, *, note: str, person: str) -> tuple[Adjustment, ...]:
        """Take note of the positions that were adopted from the venue; new risk on the account is open again.

        Raises:
            NotFound: nothing of the account waits for it.
            InvalidOrder: no note is given.
            StorageUnavailable: it could not be written down.
        """
        _required("note", note)
        waiting = await self._desk.journal.open_adjustments(account)
        if not waiting:
            raise NotFound(f"no position of account {account} waits to be acknowledged")
        await self._desk.audit.record(
            POSITION_ACKNOWLEDGED,
            actor=person,
            account=str(account),
            adjustments=[one.seq for one in waiting],
            note=note,
        )
        done = await self._desk.journal.acknowledge(account, person, note)
        await self._desk.reconciliations.reload(account)
        return done


def _required(name: str, text: str) -> None:
    if not isinstance(text, str) or not text.strip():
        raise InvalidOrder(f"{name} is a text that is not empty")


def _decided(order: Order, status: OrderStatus, filled: Decimal | None, price: Decimal | None, evidence: str) -> Order:
    """Make the report that says what a person says."""
    quantity, known = order.request.quantity, order.filled
    total = known if filled is None else filled
    _check_status(order, status, total)
    if not known <= total <= quantity:
        raise InvalidOrder(f"filled is from {plain(known)}, which is proven, to {plain(quantity)}, not {plain(total)}")
    cost = order.cost
    if total > known:
        if price is None:
            raise InvalidOrder("price is needed: the average of all that has filled")
        cost = LEDGER.multiply(total, price)
    reason = Reason(code="resolved_by_hand", message=evidence)
    return attrs.evolve(order, status=status, filled=total, cost=cost, reason=reason)


def _check_status(order: Order, status: OrderStatus, total: Decimal) -> None:
    if status not in _DECIDED:
        raise InvalidOrder(f"status is one of {', '.join(_DECIDED)}, not {status}")
    if not may_move(order.status, status):
        raise InvalidOrder(f"an order that is {order.status} cannot become {status}: it had been accepted")
    quantity = order.request.quantity
    if (status is OrderStatus.FILLED) != (total == quantity):
        raise InvalidOrder(f"an order is filled when {plain(quantity)} has filled, not {plain(total)}")
    if status is OrderStatus.REJECTED and total:
        raise InvalidOrder(f"an order that was rejected filled nothing, not {plain(total)}")


def _foreign(found: list[Known], venue_order_id: str) -> Known:
    if len(found) > 1:
        raise Conflict(f"accounts of the entry share the order id {venue_order_id}; it is not clear which is meant")
    order = found[0].order
    if order.origin is OrderOrigin.GATEWAY or order.owner:
        raise Conflict(f"order {venue_order_id} has an owner: {order.owner or 'the gateway'}")
    return found[0]
