"""Changes: of a working order, and of a position's protection."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

import attrs

from gatehook.guard.at_risk import key_of
from gatehook.guard.facts import CommandFacts
from gatehook.kinds.accounts import PositionReport
from gatehook.kinds.amounts import plain
from gatehook.kinds.checks import check_instrument
from gatehook.kinds.codec import to_json
from gatehook.kinds.commands import PositionRef
from gatehook.kinds.commands import Protection
from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import InvalidOrder
from gatehook.kinds.errors import NotFound
from gatehook.kinds.errors import OrderNotCancellable
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderChange
from gatehook.kinds.orders import OrderRef
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderStatus
from gatehook.orders.entry import Entry
from gatehook.orders.journaled import JournaledCommands
from gatehook.orders.journaled import an_order
from gatehook.orders.journaled import command_of
from gatehook.orders.journaled import named
from gatehook.orders.journaled import positions_of
from gatehook.orders.journaled import raise_refusal
from gatehook.orders.records import Known
from gatehook.orders.sending import Proof
from gatehook.orders.sending import Reply

if TYPE_CHECKING:
    from gatehook.orders.desk import Desk


class Changing:
    """The desk's amends and protections. Both are judged on what results from them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._way = JournaledCommands(desk)

    async def amend(
        self, entry_id: str, order: OrderRef | str, change: OrderChange, command_id: str, caller: str
    ) -> Order:
        """Change a working order; see ``BrokerHandle.amend_order``."""
        entry = self._desk.entry(entry_id)
        ref, known = await self._way.find(entry, order)
        content = {**named(ref), "change": to_json(change)}
        command = command_of("amend_order", command_id, ref.account, caller, content)

        async def resolve(rich: bool) -> CommandFacts:
            now = None if known is None else await self._way.known(known.order.ref)
            request = await self._checked(entry, ref, now, change)
            instrument = await entry.instrument(request.instrument_id)
            facts = await self._desk.facts_of(entry, (request, instrument), rich)
            assert now is not None, "an order that is not known was refused"
            return self._way.facts(entry, command, attrs.evolve(facts, replaces=key_of(now.order)))

        async def go(permit: str) -> Order:
            provider = entry.access.provider
            try:
                reply = await self._way.send(
                    entry,
                    command,
                    permit,
                    lambda: provider.amend_order(ref, change, command_id=command_id),
                    partial(an_order, known),
                )
                return await self._way.settle(entry, known, reply, OrderStatus.PENDING_UPDATE)
            finally:
                await self._release(known, command_id)

        async def work() -> Order:
            return await self._way.run(command, resolve, go, partial(self._way.settled, ref))

        return await self._desk.flights.run(command_id, command.digest, work)

    async def _release(self, known: Known | None, command_id: str) -> None:
        """Hold nothing more for a change, unless it is not known what became of it: then the larger of both counts."""
        now = None if known is None else await self._way.known(known.order.ref)
        if now is None or now.order.status is not OrderStatus.PENDING_UPDATE:
            self._desk.guard.limits.settle(command_id)

    async def _checked(self, entry: Entry, ref: OrderRef, known: Known | None, change: OrderChange) -> OrderRequest:
        entry.check_declared("amend")
        await entry.check_mode(ref.account, self._desk.mode)
        if known is None:
            raise NotFound("the journal has no such order; an order is amended once it is known")
        if known.order.status.is_final:
            raise OrderNotCancellable(f"order {known.order.request.client_order_id} is {known.order.status} already")
        request = amended(known.order.request, change)
        if entry.access.capabilities.amend == "price" and request.quantity != known.order.request.quantity:
            raise UnsupportedCapability(f"entry {entry.entry_id} does not declare amends of the quantity")
        if request.quantity <= known.order.filled:
            raise InvalidOrder("the new quantity is not above what has filled; cancel the order")
        check_instrument(request, await entry.instrument(request.instrument_id))
        return request

    async def modify_position(
        self, entry_id: str, ref: PositionRef, protection: Protection, command_id: str, caller: str
    ) -> PositionReport:
        """Set a position's protection; see ``BrokerHandle.modify_position``."""
        entry = self._desk.entry(entry_id)
        entry.check_account(ref.account)
        content = {"position": to_json(ref), "protection": to_json(protection)}
        command = command_of("modify_position", command_id, ref.account, caller, content)
        provider = entry.access.provider

        async def resolve(_: bool) -> CommandFacts:
            entry.check_declared("protection" if protection.trailing is None else "trailing_stop_loss")
            await entry.check_mode(ref.account, self._desk.mode)
            return self._way.facts(entry, command, details=_shown(ref, protection))

        async def go(permit: str) -> PositionReport:
            reply = await self._way.send(
                entry,
                command,
                permit,
                lambda: provider.modify_position(ref, protection, command_id=command_id),
                positions_of,
            )
            await self._way.apply(entry, reply)
            return await modified(reply)

        async def modified(reply: Reply) -> PositionReport:
            raise_refusal(reply)
            if reply.proof is Proof.NOTHING:
                raise Ambiguous("it is not known whether the position's protection was set; read the positions")
            if isinstance(reply.value, PositionReport):
                return reply.value
            return await entry.positions(ref.account)

        async def work() -> PositionReport:
            return await self._way.run(command, resolve, go, modified)

        return await self._desk.flights.run(command_id, command.digest, work)


def amended(request: OrderRequest, change: OrderChange) -> OrderRequest:
    """The order that results from a change."""
    set_fields = {name: value for name, value in attrs.asdict(change).items() if value is not None}
    return attrs.evolve(request, **set_fields)


def _shown(ref: PositionRef, protection: Protection) -> tuple[tuple[str, str], ...]:
    trailing = protection.trailing
    return (
        ("instrument", str(ref.instrument_id)),
        ("position", ref.position_id or "the only one"),
        ("stop-loss", _price(protection.stop_loss)),
        ("take-profit", _price(protection.take_profit)),
        ("trailing", "none" if trailing is None else f"{plain(trailing.offset)} {trailing.unit}"),
    )


def _price(price: Decimal | None) -> str:
    return "none" if price is None else plain(price)
