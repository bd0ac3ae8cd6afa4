"""What all commands that make no order share: journaled, sent once, recognised again."""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING
from typing import Any
from typing import Final
from typing import TypeVar

import anyio

from gatehook.guard.approvals import Approval
from gatehook.guard.approvals import ApprovalState
from gatehook.guard.facts import CommandFacts
from gatehook.guard.facts import CommandKind
from gatehook.guard.facts import OrderFacts
from gatehook.kinds.accounts import PositionReport
from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import ApprovalPending
from gatehook.kinds.errors import DuplicateClientOrderId
from gatehook.kinds.errors import NotFound
from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderRef
from gatehook.kinds.orders import OrderStatus
from gatehook.orders.access import CallKind
from gatehook.orders.claims import checked
from gatehook.orders.digest import content_digest
from gatehook.orders.entry import Entry
from gatehook.orders.gate import REDUCING
from gatehook.orders.plan import Plan
from gatehook.orders.plan import waiting_reason
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

T = TypeVar("T")

#: What became of a command for its caller: whether it was sent now, and how that ended.
_STATES: Final = {
    Proof.ANSWERED: CommandState.DONE,
    Proof.NOTHING_SENT: None,
    Proof.REFUSED: CommandState.REJECTED,
    Proof.NOTHING: CommandState.UNKNOWN,
}


class JournaledCommands:
    """The way of a command that makes no order. A full disk stops those that can add risk, never a cancel."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._journal = desk.journal

    async def run(
        self,
        command: Command,
        resolve: Callable[[bool], Awaitable[CommandFacts]],
        go: Callable[[str], Awaitable[T]],
        earlier: Callable[[Reply], Awaitable[T]],
    ) -> T:
        """Let a command through the gate and send it by ``go``, once; ``earlier`` says what a command came to that was
        sent before.

        Raises:
            Denied: nothing was sent; ``ApprovalPending`` while a person is asked.
        """

        async def known() -> T | None:
            reply = await self.repeated(command)
            return None if reply is None else await earlier(reply)

        done = await known()
        if done is not None:
            return done
        self._refuse_second_question(command)

        async def wait(approval: Approval) -> T:
            raise _pending(approval)

        async def drop(_: object) -> None:
            """Nothing was made durable: the id is free."""

        return await self._desk.gate.run(Plan(resolve=resolve, known=known, send=go, wait=wait, drop=drop))

    def _refuse_second_question(self, command: Command) -> None:
        approval = self._desk.guard.approvals.of_command(command.command_id)
        if approval is None or approval.state is not ApprovalState.PENDING:
            return
        if approval.digest != command.digest:
            raise DuplicateClientOrderId(
                f"command_id {command.command_id} waits for an approval with other content; nothing was sent"
            )
        raise _pending(approval)

    def facts(
        self,
        entry: Entry,
        command: Command,
        *orders: OrderFacts,
        reducing: bool = False,
        details: tuple[tuple[str, str], ...] = (),
    ) -> CommandFacts:
        """Return the facts of a command."""
        return CommandFacts(
            kind=CommandKind(command.kind),
            command_id=command.command_id,
            digest=command.digest,
            caller=command.caller,
            account=command.account,
            mode=entry.mode_of(command.account),
            orders=orders,
            reducing=reducing,
            details=details,
        )

    async def find(self, entry: Entry, order: OrderRef | str) -> tuple[OrderRef, Known | None]:
        """Return the fullest reference to an order, and what the journal knows of it."""
        if isinstance(order, str):
            known = await self._journal.order(order)
            if known is None:
                raise NotFound(f"the journal has no order {order}")
        else:
            entry.check_account(order.account)
            known = await self.known(order)
        if known is None:
            assert isinstance(order, OrderRef)
            return order, None
        entry.check_account(known.order.request.account)
        return known.order.ref, known

    async def known(self, ref: OrderRef) -> Known | None:
        """Return what the journal knows of an order. The venue's own id comes first: somebody else's order may bear a
        client order id of ours.
        """
        if ref.venue_order_id is not None:
            known = await self._journal.order_at(ref.account, ref.venue_order_id)
            if known is not None:
                return known
        known = None if ref.client_order_id is None else await self._journal.order(ref.client_order_id)
        return known if known is not None and known.order.request.account == ref.account else None

    async def repeated(self, command: Command) -> Reply | None:
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
            case CommandState.DONE | CommandState.SUPERSEDED:
                return Reply(proof=Proof.ANSWERED, value=known.result.orders)
            case _:
                return unproven("the command was sent before, and its outcome is not known")

    async def send(
        self,
        entry: Entry,
        command: Command,
        permit: str,
        function: Callable[[], Awaitable[Any]],
        check: Callable[[Reply], Reply],
    ) -> Reply:
        """Write the intent, send once, check what was answered, and write down what became of it."""
        kind = CallKind.REDUCE if permit == REDUCING else CallKind.SUBMIT
        journaled = await self._begin(command, kind, permit)
        reply = self._desk.gate.latched(command.account, command.caller, permit) or check(
            await send(entry, kind, command.kind, function, superseded=partial(self._superseded, command, permit))
        )
        if journaled:
            with anyio.CancelScope(shield=True):
                await self._end(command, reply)
        return reply

    async def _superseded(self, command: Command, permit: str) -> bool:
        """Whether a command must not be sent once more."""
        return self._desk.gate.latched(command.account, command.caller, permit) is not None

    async def _begin(self, command: Command, kind: CallKind, permit: str) -> bool:
        try:
            await self._journal.begin(command, permit)
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

    async def apply(self, entry: Entry, reply: Reply) -> None:
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

    async def settle(self, entry: Entry, known: Known | None, reply: Reply, pending: OrderStatus) -> Order:
        """Write down and return the order after a cancel or an amend; without proof it is left pending."""
        raise_refusal(reply)
        if known is None:
            await self.apply(entry, reply)
            return _order_of(reply)
        if reply.proof is Proof.ANSWERED:
            return await self._desk.outcomes.record(known, Conclusion(report=reply.value))
        order = await self._desk.outcomes.record(known, Conclusion(status=pending, reason=reply.reason))
        entry.raise_doubt()
        return order

    async def settled(self, ref: OrderRef, reply: Reply) -> Order:
        """Return the order as it is now, after a cancel or an amend that was sent before."""
        raise_refusal(reply)
        known = await self.known(ref)
        return _order_of(reply) if known is None else known.order

    async def current(self, account: AccountKey, value: Any) -> Sequence[Order]:
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


def _pending(approval: Approval) -> ApprovalPending:
    error = ApprovalPending(waiting_reason(approval).message)
    error.approval_id = approval.approval_id
    return error


def command_of(kind: str, command_id: str, account: AccountKey, caller: str, content: dict[str, Any]) -> Command:
    """Make a command; its account and content are what it is recognised by."""
    return Command(
        command_id=command_id,
        kind=kind,
        account=account,
        digest=content_digest(kind, {"account": account, **content}),
        caller=caller,
        body=content,
    )


def named(ref: OrderRef) -> dict[str, Any]:
    """Name the order by one id, so that a reference that learned the other id since is the same content."""
    return {"order": ref.client_order_id or ref.venue_order_id}


def an_order(known: Known | None, reply: Reply) -> Reply:
    """Take the answer to a cancel or an amend only if it is the order."""
    if known is not None:
        return checked(reply, known.order.request)
    return _typed(reply, isinstance(reply.value, Order))


def orders_of(reply: Reply) -> Reply:
    """Take an answer only if it is a list of orders."""
    is_right = isinstance(reply.value, (list, tuple)) and all(isinstance(one, Order) for one in reply.value)
    return _typed(reply, is_right)


def positions_of(reply: Reply) -> Reply:
    """Take an answer only if it is a report of positions."""
    return _typed(reply, isinstance(reply.value, PositionReport))


def _typed(reply: Reply, is_right: bool) -> Reply:
    if reply.proof is not Proof.ANSWERED or is_right:
        return reply
    return unproven(f"the provider answered with {type(reply.value).__name__}")


def _order_of(reply: Reply) -> Order:
    if isinstance(reply.value, Order):
        return reply.value
    raise Ambiguous("what became of the order is not known, and the journal does not have it; look it up at the venue")


def raise_refusal(reply: Reply) -> None:
    """Raise the error with which a call ended that proved that nothing was done."""
    if reply.error is not None:
        raise reply.error


def _order_ids(value: Any) -> tuple[str, ...]:
    events = value if isinstance(value, (list, tuple)) else (value,)
    return tuple(one.request.client_order_id for one in events if isinstance(one, Order))


def _account_of(event: Order | PositionReport) -> AccountKey:
    return event.request.account if isinstance(event, Order) else event.account
