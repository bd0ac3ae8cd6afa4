"""Submitting an order: checked, let through the gate, journaled, sent once, concluded."""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from gatehook.guard.approvals import Approval
from gatehook.guard.facts import CommandFacts
from gatehook.guard.facts import CommandKind
from gatehook.guard.facts import OrderFacts
from gatehook.kinds.amounts import LEDGER
from gatehook.kinds.checks import check_shape
from gatehook.kinds.errors import DuplicateClientOrderId
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import Reason
from gatehook.kinds.orders import Side
from gatehook.orders.access import CallKind
from gatehook.orders.claims import check_types
from gatehook.orders.claims import checked
from gatehook.orders.claims import same
from gatehook.orders.digest import order_digest
from gatehook.orders.digest import with_defaults
from gatehook.orders.entry import Entry
from gatehook.orders.gate import REDUCING
from gatehook.orders.plan import Plan
from gatehook.orders.plan import waiting_reason
from gatehook.orders.records import Conclusion
from gatehook.orders.records import Known
from gatehook.orders.sending import send

if TYPE_CHECKING:
    from gatehook.orders.desk import Desk


@attrs.frozen(kw_only=True)
class Sending:
    """How one order leaves: what the journal calls it, and the call that sends it once its intent is durable."""

    what: str
    call: Callable[[Entry, OrderRequest], Awaitable[Order]]


SUBMIT = Sending(what="submit_order", call=lambda entry, request: entry.access.provider.submit_order(request))


class Placing:
    """Everything that makes one order: a submit, and the close of a position."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def submit(self, entry_id: str, request: OrderRequest, caller: str) -> Order:
        """Submit an order once, whoever asks how often; see ``BrokerHandle.submit_order``."""
        check_types(request)
        check_shape(request)
        request = with_defaults(request)
        name, digest = request.client_order_id, order_digest(request)

        async def resolve(rich: bool) -> CommandFacts:
            entry = self._desk.entry(entry_id)
            order = await self._desk.facts_of(entry, await entry.checked_order(request, self._desk.mode), rich)
            return self.facts(CommandKind.SUBMIT, entry, order, digest, caller)

        async def work() -> Order:
            if self._desk.guard.exposure.has(request.account, name):
                known = await self.known(name, digest)
                if known is not None:
                    return known
            try:
                return await self._desk.gate.run(self.plan(resolve, entry_id, name, digest, caller, SUBMIT))
            except Exception:
                before = await self.known(name, digest)
                if before is None:
                    raise
                return before

        return await self._desk.flights.run(name, digest, work)

    async def known(self, client_order_id: str, digest: str) -> Order | None:
        """Return the order that has this id already.

        Raises:
            DuplicateClientOrderId: when it is of other content.
        """
        known = await self._desk.journal.order(client_order_id)
        return None if known is None else same(known, digest)

    def facts(self, kind: CommandKind, entry: Entry, order: OrderFacts, digest: str, caller: str) -> CommandFacts:
        """Return the facts of a command that makes one order."""
        return CommandFacts(
            kind=kind,
            command_id=order.request.client_order_id,
            digest=digest,
            caller=caller,
            account=order.request.account,
            mode=entry.mode_of(order.request.account),
            orders=(order,),
            reducing=self._reduces(order.request),
        )

    def _reduces(self, request: OrderRequest) -> bool:
        """Whether an order is a close within the position, all other closes counted; if so, its quantity is held."""
        if not request.reduce_only:
            return False
        exposure, key = self._desk.guard.exposure, request.client_order_id
        where = (request.account, request.instrument_id)
        position = exposure.position(*where, position_id=request.position_id)
        if position is None:
            return False
        closable = position if request.side is Side.SELL else -position
        closing = exposure.closing_quantity(*where, request.position_id, without=key)
        if LEDGER.add(closing, request.quantity) > closable:
            return False
        exposure.hold(
            key,
            *where,
            request.side,
            request.quantity,
            unit=request.quantity_unit,
            command_id=key,
            reduce_only=True,
            position_id=request.position_id,
        )
        return True

    def plan(
        self,
        resolve: Callable[[bool], Awaitable[CommandFacts]],
        entry_id: str,
        client_order_id: str,
        digest: str,
        caller: str,
        how: Sending,
    ) -> Plan[Order]:
        """Return the way of a command that makes one order."""
        way = _OrderWay(self._desk, resolve, entry_id, client_order_id, digest, caller, how)
        return Plan(resolve=way.resolve, known=way.known, send=way.send, wait=way.wait, drop=way.drop)

    async def superseded(self, known: Known, permit: str) -> bool:
        """Whether an order must not be sent once more: the venue has it after all, or trading was halted."""
        if self._desk.gate.latched(known.order.request.account, known.order.owner, permit) is not None:
            return True
        now = await self._desk.journal.order(known.order.request.client_order_id)
        return now is None or now.order.status is not OrderStatus.SUBMITTED


class _OrderWay:
    """One order on its way through the gate."""

    def __init__(
        self,
        desk: Desk,
        resolve: Callable[[bool], Awaitable[CommandFacts]],
        entry_id: str,
        client_order_id: str,
        digest: str,
        caller: str,
        how: Sending,
    ) -> None:
        self._desk = desk
        self._resolve = resolve
        self._entry_id = entry_id
        self._client_order_id = client_order_id
        self._digest = digest
        self._caller = caller
        self._how = how
        self._request: OrderRequest | None = None
        self._waiting: Known | None = None

    async def resolve(self, rich: bool) -> CommandFacts:
        facts = await self._resolve(rich)
        self._request = facts.orders[0].request
        return facts

    async def known(self) -> Order | None:
        return await self._desk.placing.known(self._client_order_id, self._digest)

    async def wait(self, approval: Approval) -> Order:
        intent = self._desk.intent(self._order, self._caller, OrderStatus.INITIALIZED)
        intent = attrs.evolve(intent, reason=waiting_reason(approval))
        known, fresh = await self._desk.journal.claim(intent, self._digest, "")
        if not fresh:
            raise DuplicateClientOrderId(f"{self._client_order_id} was taken by another command just now; ask again")
        self._waiting = known
        return known.order

    async def drop(self, reason: Reason) -> None:
        if self._waiting is not None:
            await self._desk.outcomes.record(self._waiting, Conclusion(status=OrderStatus.DENIED, reason=reason))

    async def send(self, permit: str) -> Order:
        try:
            return await self._send(permit)
        except Exception:
            if permit == REDUCING:
                self._desk.guard.limits.release(self._client_order_id)
            raise

    @property
    def _order(self) -> OrderRequest:
        assert self._request is not None, "the command was resolved"
        return self._request

    async def _send(self, permit: str) -> Order:
        desk, entry, request = self._desk, self._desk.entry(self._entry_id), self._order
        known, fresh = await self._intend(permit)
        if not fresh:
            desk.guard.limits.release(self._client_order_id)
            return same(known, self._digest)
        reply = desk.gate.latched(request.account, known.order.owner, permit) or await send(
            entry,
            CallKind.REDUCE if permit == REDUCING else CallKind.SUBMIT,
            self._how.what,
            lambda: self._how.call(entry, request),
            superseded=lambda: desk.placing.superseded(known, permit),
        )
        return await desk.outcomes.conclude(known, checked(reply, request))

    async def _intend(self, permit: str) -> tuple[Known, bool]:
        if self._waiting is None:
            return await self._desk.journal.claim(self._desk.intent(self._order, self._caller), self._digest, permit)
        (known,) = await self._desk.journal.intend([self._waiting.seq], permit)
        return known, known.order.status is OrderStatus.SUBMITTED
