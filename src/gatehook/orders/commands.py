"""Commands that make no order (cancel, amend, cancel all, protection): journaled, sent once, recognised again."""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING
from typing import Any

import anyio
import attrs

from gatehook.kinds.accounts import PositionReport
from gatehook.kinds.broker import PositionRef
from gatehook.kinds.broker import Protection
from gatehook.kinds.checks import check_instrument
from gatehook.kinds.codec import to_json
from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import DuplicateClientOrderId
from gatehook.kinds.errors import InvalidOrder
from gatehook.kinds.errors import NotFound
from gatehook.kinds.errors import OrderNotCancellable
from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderChange
from gatehook.kinds.orders import OrderRef
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderStatus
from gatehook.orders.access import CallKind
from gatehook.orders.claims import checked
from gatehook.orders.digest import content_digest
from gatehook.orders.entry import Entry
from gatehook.orders.flights import Flights
from gatehook.orders.records import Command
from gatehook.orders.records import CommandResult
from gatehook.orders.records import CommandState
from gatehook.orders.records import Conclusion
from gatehook.orders.records import Known
from gatehook.orders.sending import Proof
from gatehook.orders.sending import Reply
from gatehook.orders.sending import rejection
from gatehook.orders.sending import send
from gatehook.orders.sending import unproven

if TYPE_CHECKING:
    from gatehook.orders.desk import Desk

#: What became of a command for its caller: whether it was sent now, and how that ended.
_STATES = {
    Proof.ANSWERED: CommandState.DONE,
    Proof.NOTHING_SENT: None,
    Proof.REFUSED: CommandState.REJECTED,
    Proof.NOTHING: CommandState.UNKNOWN,
}


class Commands:
    """The desk's commands that make no order. A full disk stops those that can add risk, never a cancel."""

    def __init__(self, desk: Desk, flights: Flights) -> None:
        self._desk = desk
        self._journal = desk.journal
        self._flights = flights

    async def cancel(self, entry_id: str, order: OrderRef | str, command_id: str, caller: str) -> Order:
        """Cancel what is left of an order; see ``BrokerHandle.cancel_order``."""
        entry = self._desk.entry(entry_id)
        ref, known = await self._find(entry, order)
        command = _command("cancel_order", command_id, ref.account, caller, _named(ref))

        async def work() -> Order:
            done = await self._repeated(command)
            if done is not None:
                return await self._settled(ref, done)
            if known is not None and known.order.status.is_final:
                raise OrderNotCancellable(f"order {command.body['order']} is {known.order.status} already")
            await entry.check_mode(ref.account, self._desk.mode)
            provider = entry.access.provider
            reply = await self._send(
                entry,
                command,
                CallKind.REDUCE,
                lambda: provider.cancel_order(ref, command_id=command_id),
                partial(_an_order, known),
            )
            return await self._settle(entry, known, reply, OrderStatus.PENDING_CANCEL)

        return await self._flights.run(command_id, command.digest, work)

    async def amend(
        self, entry_id: str, order: OrderRef | str, change: OrderChange, command_id: str, caller: str
    ) -> Order:
        """Change a working order; see ``BrokerHandle.amend_order``."""
        entry = self._desk.entry(entry_id)
        ref, known = await self._find(entry, order)
        content = {**_named(ref), "change": to_json(change)}
        command = _command("amend_order", command_id, ref.account, caller, content)

        async def work() -> Order:
            done = await self._repeated(command)
            if done is not None:
                return await self._settled(ref, done)
            await self._check_amend(entry, ref, known, change)
            provider = entry.access.provider
            reply = await self._send(
                entry,
                command,
                CallKind.SUBMIT,
                lambda: provider.amend_order(ref, change, command_id=command_id),
                partial(_an_order, known),
            )
            return await self._settle(entry, known, reply, OrderStatus.PENDING_UPDATE)

        return await self._flights.run(command_id, command.digest, work)

    async def _check_amend(self, entry: Entry, ref: OrderRef, known: Known | None, change: OrderChange) -> None:
        entry.check_declared("amend")
        await entry.check_mode(ref.account, self._desk.mode)
        if known is None:
            raise NotFound("the journal has no such order; an order is amended once it is known")
        if known.order.status.is_final:
            raise OrderNotCancellable(f"order {known.order.request.client_order_id} is {known.order.status} already")
        request = amended(known.order.request, change)
        if request.quantity <= known.order.filled:
            raise InvalidOrder("the new quantity is not above what has filled; cancel the order")
        check_instrument(request, await entry.instrument(request.instrument_id))

    async def cancel_all(
        self, entry_id: str, account: AccountKey, instrument_id: InstrumentId | None, command_id: str, caller: str
    ) -> Sequence[Order]:
        """Cancel an account's working orders; see ``BrokerHandle.cancel_all``."""
        entry = self._desk.entry(entry_id)
        entry.check_account(account)
        instrument = None if instrument_id is None else str(instrument_id)
        command = _command("cancel_all", command_id, account, caller, {"instrument": instrument})

        async def work() -> Sequence[Order]:
            reply = await self._repeated(command)
            if reply is None:
                entry.check_declared("cancel_all")
                await entry.check_mode(account, self._desk.mode)
                provider = entry.access.provider
                reply = await self._send(
                    entry,
                    command,
                    CallKind.REDUCE,
                    lambda: provider.cancel_all(account, instrument_id=instrument_id, command_id=command_id),
                    _orders,
                )
                await self._apply(entry, reply)
            _raise_refusal(reply)
            if reply.proof is Proof.NOTHING:
                entry.raise_doubt()
                raise Ambiguous("it is not known which orders were canceled; they are looked up")
            return await self._current(account, reply.value)

        return await self._flights.run(command_id, command.digest, work)

    async def modify_position(
        self, entry_id: str, ref: PositionRef, protection: Protection, command_id: str, caller: str
    ) -> PositionReport:
        """Set a position's protection; see ``BrokerHandle.modify_position``."""
        entry = self._desk.entry(entry_id)
        entry.check_account(ref.account)
        content = {"position": to_json(ref), "protection": to_json(protection)}
        command = _command("modify_position", command_id, ref.account, caller, content)

        async def work() -> PositionReport:
            reply = await self._repeated(command)
            provider = entry.access.provider
            if reply is None:
                entry.check_declared("protection" if protection.trailing is None else "trailing_stop_loss")
                await entry.check_mode(ref.account, self._desk.mode)
                reply = await self._send(
                    entry,
                    command,
                    CallKind.SUBMIT,
                    lambda: provider.modify_position(ref, protection, command_id=command_id),
                    _positions,
                )
                await self._apply(entry, reply)
            _raise_refusal(reply)
            if reply.proof is Proof.NOTHING:
                raise Ambiguous("it is not known whether the position's protection was set; read the positions")
            if isinstance(reply.value, PositionReport):
                return reply.value
            return await entry.read("list_positions", PositionReport, lambda: provider.list_positions(ref.account))

        return await self._flights.run(command_id, command.digest, work)

    # --- the way of a command

    async def _find(self, entry: Entry, order: OrderRef | str) -> tuple[OrderRef, Known | None]:
        """Return the fullest reference to an order, and what the journal knows of it."""
        if isinstance(order, str):
            known = await self._journal.order(order)
            if known is None:
                raise NotFound(f"the journal has no order {order}")
        else:
            entry.check_account(order.account)
            known = await self._known(order)
        if known is None:
            assert isinstance(order, OrderRef)
            return order, None
        entry.check_account(known.order.request.account)
        return known.order.ref, known

    async def _known(self, ref: OrderRef) -> Known | None:
        known = None if ref.client_order_id is None else await self._journal.order(ref.client_order_id)
        if known is not None and known.order.request.account == ref.account:
            return known
        return None if ref.venue_order_id is None else await self._journal.order_at(ref.account, ref.venue_order_id)

    async def _repeated(self, command: Command) -> Reply | None:
        """Return how a command with this id ended before, if there was one.

        Raises:
            DuplicateClientOrderId: when it was another command.
        """
        known = await self._journal.command(command.command_id)
        if known is None:
            return None
        if known.digest != command.digest:
            raise DuplicateClientOrderId(
                f"command_id {command.command_id} was used for another command; nothing was sent"
            )
        match known.state:
            case CommandState.REJECTED:
                reason = known.result.reason
                return Reply(proof=Proof.REFUSED, error=rejection(reason), reason=reason)
            case CommandState.DONE:
                return Reply(proof=Proof.ANSWERED, value=known.result.orders)
            case _:
                return unproven("the command was sent before, and its outcome is not known")

    async def _send(
        self,
        entry: Entry,
        command: Command,
        kind: CallKind,
        function: Callable[[], Awaitable[Any]],
        check: Callable[[Reply], Reply],
    ) -> Reply:
        journaled = await self._begin(command, kind)
        reply = check(await send(entry, kind, command.kind, function))
        if journaled:
            with anyio.CancelScope(shield=True):
                await self._end(command, reply)
        return reply

    async def _begin(self, command: Command, kind: CallKind) -> bool:
        try:
            await self._journal.begin(command)
        except StorageUnavailable:
            if kind is not CallKind.REDUCE:
                raise
            return False
        return True

    async def _end(self, command: Command, reply: Reply) -> None:
        orders = _order_ids(reply.value) if reply.proof is Proof.ANSWERED else ()
        try:
            await self._journal.end(
                command.command_id, _STATES[reply.proof], CommandResult(reason=reply.reason, orders=orders)
            )
        except StorageUnavailable:
            # The venue's answer counts, not our note of it; after a restart the command reads as unknown: safe.
            return

    async def _apply(self, entry: Entry, reply: Reply) -> None:
        """Give the orders or positions of an answer to the journal."""
        if reply.proof is not Proof.ANSWERED:
            return
        events = reply.value if isinstance(reply.value, (list, tuple)) else (reply.value,)
        try:
            with anyio.CancelScope(shield=True):
                await self._journal.apply(entry.entry_id, [one for one in events if entry.sees(_account_of(one))])
        except StorageUnavailable:
            # The venue is asked again once the disk has room.
            entry.raise_doubt()

    async def _settle(self, entry: Entry, known: Known | None, reply: Reply, pending: OrderStatus) -> Order:
        """Write down and return the order after a cancel or an amend; without proof it is left pending."""
        _raise_refusal(reply)
        if known is None:
            await self._apply(entry, reply)
            return _order_of(reply)
        if reply.proof is Proof.ANSWERED:
            return await self._desk.record(known, Conclusion(report=reply.value))
        order = await self._desk.record(known, Conclusion(status=pending, reason=reply.reason))
        entry.raise_doubt()
        return order

    async def _settled(self, ref: OrderRef, reply: Reply) -> Order:
        """Return the order as it is now, after a cancel or an amend that was sent before."""
        _raise_refusal(reply)
        known = await self._known(ref)
        return _order_of(reply) if known is None else known.order

    async def _current(self, account: AccountKey, value: Any) -> Sequence[Order]:
        """Return the orders of an answer as the journal has them now."""
        found = []
        for one in value:
            client_order_id = one.request.client_order_id if isinstance(one, Order) else one
            known = await self._journal.order(client_order_id)
            if known is not None and known.order.request.account == account:
                found.append(known.order)
            elif isinstance(one, Order):
                found.append(one)
        return found


def amended(request: OrderRequest, change: OrderChange) -> OrderRequest:
    """The order that results from a change."""
    set_fields = {name: value for name, value in attrs.asdict(change).items() if value is not None}
    return attrs.evolve(request, **set_fields)


def _command(kind: str, command_id: str, account: AccountKey, caller: str, content: dict[str, Any]) -> Command:
    return Command(
        command_id=command_id,
        kind=kind,
        account=account,
        digest=content_digest(kind, {"account": account, **content}),
        caller=caller,
        body=content,
    )


def _named(ref: OrderRef) -> dict[str, Any]:
    """Name the order by one id, so that a reference that learned the other id since is the same content."""
    return {"order": ref.client_order_id or ref.venue_order_id}


def _an_order(known: Known | None, reply: Reply) -> Reply:
    """Take the answer to a cancel or an amend only if it is the order."""
    if known is not None:
        return checked(reply, known.order.request)
    return _typed(reply, isinstance(reply.value, Order))


def _orders(reply: Reply) -> Reply:
    is_right = isinstance(reply.value, (list, tuple)) and all(isinstance(one, Order) for one in reply.value)
    return _typed(reply, is_right)


def _positions(reply: Reply) -> Reply:
    return _typed(reply, isinstance(reply.value, PositionReport))


def _typed(reply: Reply, is_right: bool) -> Reply:
    if reply.proof is not Proof.ANSWERED or is_right:
        return reply
    return unproven(f"the provider answered with {type(reply.value).__name__}")


def _order_of(reply: Reply) -> Order:
    if isinstance(reply.value, Order):
        return reply.value
    raise Ambiguous("what became of the order is not known, and the journal does not have it; look it up at the venue")


def _raise_refusal(reply: Reply) -> None:
    if reply.error is not None:
        raise reply.error


def _order_ids(value: Any) -> tuple[str, ...]:
    events = value if isinstance(value, (list, tuple)) else (value,)
    return tuple(one.request.client_order_id for one in events if isinstance(one, Order))


def _account_of(event: Order | PositionReport) -> AccountKey:
    return event.request.account if isinstance(event, Order) else event.account
