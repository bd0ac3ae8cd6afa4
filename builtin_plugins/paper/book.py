"""The working orders: by instrument for the matching, by id for commands."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import attrs

from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from gatehook.kinds.orders import TimeInForce
from gatehook.kinds.times import Ns

from .arithmetic import ZERO
from .trailing import Trail

_TRIGGERED_TYPES = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP})


@attrs.define(kw_only=True)
class Working:
    """An order at work, and what the venue keeps about it beside the order itself.

    Attributes:
        seq: its place in time; an amend that asks for more takes a new one.
        since: it sees only prices from then on.
        expires: the end of its time in force, exclusive; ``None`` without end.
        active: whether it trades (a stop: whether it was triggered).
        seen: whether it has met a price; IOC and FOK live for one meeting, and only then does a limit take.
        held: it waits for its parent.
        reduces: it never opens, flips or adds.
        position_id: the position it belongs to, in a hedging account.
        trail: where a trailing stop is.
        reserve_rate, reserved: margin (cash: money) put aside, in the account's currency: for one unit, and now.
        opening: how much of its quantity did not reduce when it was accepted.
        parent, siblings: venue order ids of the list it came in.
    """

    order: Order
    seq: int
    since: Ns
    expires: Ns | None = None
    active: bool = True
    seen: bool = False
    held: bool = False
    reduces: bool = False
    position_id: str | None = None
    trail: Trail | None = None
    reserve_rate: Decimal = ZERO
    reserved: Decimal = ZERO
    opening: Decimal = ZERO
    parent: str | None = None
    siblings: tuple[str, ...] = attrs.field(default=(), converter=tuple)

    @property
    def id(self) -> str:
        """The venue order id."""
        assert self.order.venue_order_id is not None, "an order is given its id when it is accepted"
        return self.order.venue_order_id

    @property
    def side(self) -> Side:
        """Which way it trades."""
        return self.order.request.side

    @property
    def limit(self) -> Decimal | None:
        """Its limit; ``None`` where it trades at any price."""
        return self.order.request.price

    @property
    def trigger(self) -> Decimal | None:
        """The price at which it becomes active, ``None`` where it is or none is known yet."""
        if self.active:
            return None
        return self.trail.trigger if self.trail is not None else self.order.request.trigger_price

    @property
    def immediate(self) -> bool:
        """Whether it lives for one meeting with the market only."""
        return self.order.request.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)

    @property
    def is_stop(self) -> bool:
        """Whether it is the stop-loss of two orders of which one cancels the other."""
        return self.order.request.type in _TRIGGERED_TYPES

    def visible(self, ts: Ns) -> bool:
        """Say whether it meets a price of this time."""
        return not self.held and self.since <= ts


class Book:
    """All working orders."""

    def __init__(self) -> None:
        self._orders: dict[str, Working] = {}
        self._ids: dict[tuple[str, str], str] = {}
        self._instruments: dict[InstrumentId, dict[str, Working]] = {}
        self._expiring: dict[str, Working] = {}

    def add(self, working: Working) -> None:
        """Take an order in."""
        request = working.order.request
        self._orders[working.id] = working
        self._ids[request.account.account_id, request.client_order_id] = working.id
        self._instruments.setdefault(request.instrument_id, {})[working.id] = working
        if working.expires is not None:
            self._expiring[working.id] = working

    def remove(self, working: Working) -> None:
        """Let an order go."""
        request = working.order.request
        del self._orders[working.id]
        del self._ids[request.account.account_id, request.client_order_id]
        del self._instruments[request.instrument_id][working.id]
        self._expiring.pop(working.id, None)

    def get(self, venue_order_id: str) -> Working | None:
        """Return an order by the venue's id."""
        return self._orders.get(venue_order_id)

    def find(self, account_id: str, client_order_id: str) -> Working | None:
        """Return an order by the caller's id."""
        venue_order_id = self._ids.get((account_id, client_order_id))
        return None if venue_order_id is None else self._orders[venue_order_id]

    def of(self, instrument_id: InstrumentId) -> tuple[Working, ...]:
        """Return an instrument's orders as they were taken in."""
        return tuple(self._instruments.get(instrument_id, {}).values())

    def expiring(self) -> tuple[Working, ...]:
        """Return the orders whose time in force has an end."""
        return tuple(self._expiring.values())

    def any(self, instrument_id: InstrumentId) -> bool:
        """Say whether an instrument has a working order."""
        return bool(self._instruments.get(instrument_id))

    def __iter__(self) -> Iterator[Working]:
        return iter(tuple(self._orders.values()))

    def __len__(self) -> int:
        return len(self._orders)
