"""One order as what it can still do to a position: working, on its way, or held for."""

from __future__ import annotations

from decimal import Decimal

import attrs

from gatehook.kinds.amounts import LEDGER
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderOrigin
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from gatehook.kinds.times import Ns

_RESTING = frozenset({OrderStatus.ACCEPTED, OrderStatus.PENDING_UPDATE, OrderStatus.PENDING_CANCEL})


@attrs.frozen(kw_only=True)
class OpenOrder:
    """What an order can still do.

    Attributes:
        key: the client order id of an order of ours, ``ENTRY/ACCOUNT#venue_order_id`` of another.
        quantity: what may still trade, and what has traded and is in no position yet; in ``unit``.
        counted: what has traded and is in the position; the order's total is this and ``quantity``.
        uncounted: the part of ``quantity`` that has traded and is in no position yet.
        base_each: base units of one unit of ``quantity``, where it was valued.
        works: whether it counts as an open order; one that has ended counts until its fills are in the position.
        status: ``None`` where only a reservation is known.
        rests: whether it waits at the venue for its price, and has not traded yet.
    """

    key: str
    account: AccountKey
    instrument_id: InstrumentId
    side: Side
    quantity: Decimal
    unit: QuantityUnit
    counted: Decimal = Decimal(0)
    uncounted: Decimal = Decimal(0)
    base_each: Decimal | None = None
    reduce_only: bool = False
    position_id: str | None = None
    owner: str = ""
    works: bool = True
    status: OrderStatus | None = None
    rests: bool = False


@attrs.frozen(kw_only=True)
class Hold:
    """A reservation: ``order`` as it will be. For an amend the quantity is the new total, filled part included."""

    order: OpenOrder
    amends: bool = False


def key_of(order: Order) -> str:
    """Name an order uniquely in the gateway: external ones may bear any client order id, even one of ours."""
    if order.origin is OrderOrigin.GATEWAY:
        return order.request.client_order_id
    return f"{order.request.account}#{order.venue_order_id or order.request.client_order_id}"


@attrs.define
class Working:
    """What is known of one order: the journal's view, what commands hold for it, and how much of it positions hold.

    Attributes:
        holds: by command id.
        counted: how much of what has filled is in the position.
        names: the ids that the venue gave it.
    """

    order: Order | None = None
    holds: dict[str, Hold] = attrs.field(factory=dict)
    counted: Decimal = Decimal(0)
    base_each: Decimal | None = None
    names: set[str] = attrs.field(factory=set)
    _view: OpenOrder | None = None

    def apply(self, order: Order, known_at: Ns | None) -> tuple[str, ...]:
        """Take the journal's newer view; ``known_at`` is when the account's holdings were reported. Returns the
        commands that hold nothing any more.
        """
        before = None if self.order is None else self.order.status
        answered = before is OrderStatus.PENDING_UPDATE and order.status is not before
        self.order, self._view = order, None
        if known_at is not None and order.ts_last < known_at:
            self.counted = max(self.counted, order.filled)
        if order.venue_order_id is not None:
            self.names.add(order.venue_order_id)
        over = [
            command
            for command, hold in self.holds.items()
            if order.status.is_final or (answered if hold.amends else order.status is not OrderStatus.INITIALIZED)
        ]
        for command in over:
            del self.holds[command]
        return tuple(over)

    def settle(self, known_at: Ns) -> None:
        """Take it that a report of the account's holdings has all that filled until then."""
        if self.order is not None and self.order.ts_last <= known_at:
            self.counted, self._view = max(self.counted, self.order.filled), None

    def count(self, quantity: Decimal) -> None:
        """Take it that so much more of what has filled is in the position."""
        self.counted, self._view = LEDGER.add(self.counted, quantity), None

    def hold(self, command_id: str, hold: Hold) -> None:
        """Hold for a command."""
        self.holds[command_id], self.base_each, self._view = hold, hold.order.base_each, None

    def release(self, command_id: str) -> None:
        """Hold no more for a command."""
        del self.holds[command_id]
        self._view = None

    @property
    def is_over(self) -> bool:
        """Whether nothing of it matters any more."""
        if self.holds:
            return False
        return self.order is None or (self.order.status.is_final and self._uncounted() == 0)

    def _uncounted(self) -> Decimal:
        if self.order is None:
            return Decimal(0)
        return max(LEDGER.subtract(self.order.filled, self.counted), Decimal(0))

    def view(self, key: str) -> OpenOrder:
        """What it can still do: while an amend is under way, the larger of the two orders."""
        if self._view is None:
            self._view = self._seen(key)
        return self._view

    def _seen(self, key: str) -> OpenOrder:
        held = [hold.order for hold in self.holds.values()]
        if self.order is None:
            return max(held, key=lambda one: one.quantity)
        request, rest = self.order.request, self.order.leaves
        for one in held:
            rest = max(rest, LEDGER.subtract(one.quantity, self.order.filled))
        return OpenOrder(
            key=key,
            account=request.account,
            instrument_id=request.instrument_id,
            side=request.side,
            quantity=LEDGER.add(rest, self._uncounted()),
            unit=request.quantity_unit,
            counted=min(self.counted, self.order.filled),
            uncounted=self._uncounted(),
            base_each=self.base_each,
            reduce_only=request.reduce_only,
            position_id=request.position_id,
            owner=self.order.owner,
            works=not self.order.status.is_final,
            status=self.order.status,
            rests=request.type is not OrderType.MARKET and self.order.status in _RESTING and not self.order.filled,
        )
