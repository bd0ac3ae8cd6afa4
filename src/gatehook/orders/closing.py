"""Closing a position: an order that only reduces, never more of them than there is to close."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from gatehook.guard.facts import CommandFacts
from gatehook.guard.facts import CommandKind
from gatehook.kinds.accounts import Position
from gatehook.kinds.accounts import PositionReport
from gatehook.kinds.checks import check_instrument
from gatehook.kinds.checks import check_shape
from gatehook.kinds.checks import default_time_in_force
from gatehook.kinds.commands import PositionRef
from gatehook.kinds.errors import InvalidOrder
from gatehook.kinds.errors import NotFound
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderType
from gatehook.orders.access import CallKind
from gatehook.orders.claims import same
from gatehook.orders.digest import content_digest
from gatehook.orders.entry import Entry
from gatehook.orders.placing import Sending

if TYPE_CHECKING:
    from gatehook.orders.desk import Desk


class Closing:
    """Position closes. One claims an order id, so it is resolved like any order."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def close_position(
        self, entry_id: str, ref: PositionRef, quantity: Decimal | None, command_id: str, caller: str
    ) -> Order:
        """Close a position at the market; see ``BrokerHandle.close_position``."""
        desk = self._desk
        digest = content_digest("close_position", {"position": ref, "quantity": quantity})

        async def resolve(rich: bool) -> CommandFacts:
            entry = desk.entry(entry_id)
            await entry.check_mode(ref.account, desk.mode)
            entry.check_declared("close_position")
            report = await entry.positions(ref.account, CallKind.REDUCE)
            position = _position(report, ref)
            if entry.access.capabilities.close_position == "whole" and quantity not in (None, position.quantity):
                raise UnsupportedCapability(f"entry {entry_id} does not declare closes of a part of a position")
            request = closing_request(position, quantity, command_id)
            check_shape(request)
            instrument = await entry.instrument(ref.instrument_id, CallKind.REDUCE)
            check_instrument(request, instrument)
            if report.complete:
                desk.guard.exposure.apply_positions(report)
            order = await desk.facts_of(entry, (request, instrument), rich)
            facts = desk.placing.facts(CommandKind.CLOSE, entry, order, digest, caller)
            if report.complete and not facts.reducing:
                raise InvalidOrder(
                    f"closes that are under way already cover the position in {ref.instrument_id}; nothing was sent"
                )
            return facts

        async def call(entry: Entry, _: OrderRequest) -> Order:
            return await entry.access.provider.close_position(ref, quantity=quantity, command_id=command_id)

        async def work() -> Order:
            known = await desk.journal.order(command_id)
            if known is not None:
                return same(known, digest)
            how = Sending(what="close_position", call=call)
            return await desk.gate.run(desk.placing.plan(resolve, entry_id, command_id, digest, caller, how))

        return await desk.flights.run(command_id, digest, work)


def _position(report: PositionReport, ref: PositionRef) -> Position:
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
