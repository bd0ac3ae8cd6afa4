"""Cancels: of one order, and of an account's orders. What protects a position is not canceled as if it were risk."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from gatehook.guard.facts import CommandFacts
from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import OrderNotCancellable
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderOrigin
from gatehook.kinds.orders import OrderRef
from gatehook.kinds.orders import OrderStatus
from gatehook.orders.entry import Entry
from gatehook.orders.journaled import JournaledCommands
from gatehook.orders.journaled import an_order
from gatehook.orders.journaled import command_of
from gatehook.orders.journaled import named
from gatehook.orders.journaled import orders_of
from gatehook.orders.journaled import raise_refusal
from gatehook.orders.reading import UNBOUNDED
from gatehook.orders.records import Command
from gatehook.orders.records import Known
from gatehook.orders.sending import Proof
from gatehook.orders.sending import Reply

if TYPE_CHECKING:
    from gatehook.orders.desk import Desk


def is_protective(order: Order) -> bool:
    """Say whether an order only reduces a position: canceling it adds risk."""
    return order.request.reduce_only or order.request.position_id is not None


class Canceling:
    """The desk's cancels."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._way = JournaledCommands(desk)

    async def cancel(
        self, entry_id: str, order: OrderRef | str, command_id: str, caller: str, *, insisted: bool = False
    ) -> Order:
        """Cancel what is left of an order; see ``BrokerHandle.cancel_order``.

        ``insisted``: a person takes protection away on purpose, in a halt too.
        """
        entry = self._desk.entry(entry_id)
        ref, known = await self._way.find(entry, order)
        command = command_of("cancel_order", command_id, ref.account, caller, named(ref))

        async def resolve(_: bool) -> CommandFacts:
            if known is not None and known.order.status.is_final:
                raise OrderNotCancellable(f"order {command.body['order']} is {known.order.status} already")
            await entry.check_mode(ref.account, self._desk.mode)
            reducing = insisted or self._reduces(known)
            return self._way.facts(entry, command, reducing=reducing, details=_shown(command))

        async def go(permit: str) -> Order:
            provider = entry.access.provider
            reply = await self._way.send(
                entry,
                command,
                permit,
                lambda: provider.cancel_order(ref, command_id=command_id),
                partial(an_order, known),
            )
            return await self._way.settle(entry, known, reply, OrderStatus.PENDING_CANCEL)

        async def work() -> Order:
            return await self._way.run(command, resolve, go, partial(self._way.settled, ref))

        return await self._desk.flights.run(command_id, command.digest, work)

    def _reduces(self, known: Known | None) -> bool:
        """An order that protects a position is risk once the position is gone."""
        if known is None or not is_protective(known.order):
            return True
        request = known.order.request
        return self._desk.guard.exposure.position(request.account, request.instrument_id) == 0

    async def cancel_all(
        self, entry_id: str, account: AccountKey, instrument_id: InstrumentId | None, command_id: str, caller: str
    ) -> Sequence[Order]:
        """Cancel the orders that can add risk; see ``BrokerHandle.cancel_all``."""
        entry = self._desk.entry(entry_id)
        entry.check_account(account)
        instrument = None if instrument_id is None else str(instrument_id)
        command = command_of("cancel_all", command_id, account, caller, {"instrument": instrument})

        async def resolve(_: bool) -> CommandFacts:
            entry.check_declared("cancel_all")
            await entry.check_mode(account, self._desk.mode)
            return self._way.facts(entry, command, reducing=True)

        async def go(permit: str) -> Sequence[Order]:
            provider = entry.access.provider
            reply = await self._way.send(
                entry,
                command,
                permit,
                lambda: provider.cancel_all(account, instrument_id=instrument_id, command_id=command_id),
                orders_of,
            )
            await self._way.apply(entry, reply)
            return await canceled(reply)

        async def canceled(reply: Reply) -> Sequence[Order]:
            raise_refusal(reply)
            if reply.proof is Proof.NOTHING:
                entry.raise_doubt()
                raise Ambiguous("it is not known which orders were canceled; they are looked up")
            return await self._way.current(account, reply.value)

        async def work() -> Sequence[Order]:
            if await self._way.repeated(command) is None and await self._others(account, instrument_id):
                return await self._one_by_one(entry, account, instrument_id, command_id, caller)
            return await self._way.run(command, resolve, go, canceled)

        return await self._desk.flights.run(command_id, command.digest, work)

    async def _open(self, account: AccountKey, instrument_id: InstrumentId | None) -> list[Order]:
        found = await self._desk.journal.orders(accounts=[account], open_only=True, limit=UNBOUNDED)
        wanted = [one for one in found if instrument_id in (None, one.request.instrument_id)]
        return [one for one in wanted if one.status is not OrderStatus.INITIALIZED]

    async def _others(self, account: AccountKey, instrument_id: InstrumentId | None) -> bool:
        """Whether the venue's own cancel of all would take orders with it that must stay."""
        return not all(_may_go(one) for one in await self._open(account, instrument_id))

    async def _one_by_one(
        self, entry: Entry, account: AccountKey, instrument_id: InstrumentId | None, command_id: str, caller: str
    ) -> Sequence[Order]:
        results = []
        for number, order in enumerate(await self._open(account, instrument_id)):
            if _may_go(order):
                try:
                    results.append(await self.cancel(entry.entry_id, order.ref, f"{command_id}-{number}", caller))
                except ProviderError:
                    results.append(order)  # its state says what became of it
        return results


def _shown(command: Command) -> tuple[tuple[str, str], ...]:
    return (("order", str(command.body["order"])),)


def _may_go(order: Order) -> bool:
    is_ours = order.origin is OrderOrigin.GATEWAY or bool(order.owner)
    return is_ours and not is_protective(order)
