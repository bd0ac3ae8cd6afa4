"""Order lists: orders that depend on each other, claimed together and sent in one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

import attrs

from gatehook.guard.approvals import Approval
from gatehook.guard.facts import CommandFacts
from gatehook.guard.facts import CommandKind
from gatehook.kinds.capabilities import ListContingency
from gatehook.kinds.checks import check_shape
from gatehook.kinds.commands import OrderList
from gatehook.kinds.errors import DuplicateClientOrderId
from gatehook.kinds.errors import InvalidOrder
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import Reason
from gatehook.orders.access import CallKind
from gatehook.orders.claims import check_types
from gatehook.orders.claims import checked
from gatehook.orders.claims import same
from gatehook.orders.digest import content_digest
from gatehook.orders.digest import order_digest
from gatehook.orders.digest import with_defaults
from gatehook.orders.entry import Entry
from gatehook.orders.plan import Plan
from gatehook.orders.plan import waiting_reason
from gatehook.orders.records import Conclusion
from gatehook.orders.records import Known
from gatehook.orders.sending import Proof
from gatehook.orders.sending import Reply
from gatehook.orders.sending import send

if TYPE_CHECKING:
    from gatehook.orders.desk import Desk


class Listing:
    """Submits order lists."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def submit_list(self, entry_id: str, orders: OrderList, caller: str) -> Sequence[Order]:
        """Submit orders that depend on each other; see ``BrokerHandle.submit_order_list``."""
        for one in orders.orders:
            check_types(one)
            check_shape(one)
        members: Any = [with_defaults(one) for one in orders.orders]  # mypy cannot type a field converted by ``tuple``
        orders = OrderList(list_id=orders.list_id, contingency=orders.contingency, orders=members)
        work = _ListPlan(self._desk, entry_id, orders, caller)
        return await self._desk.flights.run(f"list:{orders.list_id}", work.digest, work.run)


class _ListPlan:
    """The way of one list."""

    def __init__(self, desk: Desk, entry_id: str, orders: OrderList, caller: str) -> None:
        self._desk = desk
        self._entry_id = entry_id
        self._orders = orders
        self._caller = caller
        self._digests = [_member_digest(orders, one) for one in orders.orders]
        self.digest = content_digest("order_list", self._digests)
        self._waiting: list[Known] = []
        self._checked = orders

    async def run(self) -> Sequence[Order]:
        """Let the list through the gate, or return what came of it earlier."""
        plan = Plan(resolve=self._resolve, known=self._known, send=self._send, wait=self._wait, drop=self._drop)
        known = await self._known()
        return await self._desk.gate.run(plan) if known is None else known

    async def _known(self) -> Sequence[Order] | None:
        found = [await self._desk.journal.order(one.client_order_id) for one in self._orders.orders]
        known = [one for one in found if one is not None]
        if not known or len(known) < len(found):
            return None  # where some are taken and others are not, the claim refuses all
        return [same(one, digest) for one, digest in zip(known, self._digests, strict=True)]

    async def _resolve(self, rich: bool) -> CommandFacts:
        desk, entry = self._desk, self._desk.entry(self._entry_id)
        if not self._orders.orders:
            raise InvalidOrder("an order list has at least one order")
        if ListContingency(self._orders.contingency) not in entry.access.capabilities.order_lists:
            raise UnsupportedCapability(
                f"entry {entry.entry_id} does not declare order lists of kind {self._orders.contingency}"
            )
        accounts = {one.account for one in self._orders.orders}
        if len(accounts) > 1:
            raise InvalidOrder("the orders of a list are of one account")
        facts = [
            await desk.facts_of(entry, await entry.checked_order(one, desk.mode), rich) for one in self._orders.orders
        ]
        requests: Any = [one.request for one in facts]
        self._checked = attrs.evolve(self._orders, orders=requests)
        (account,) = accounts
        return CommandFacts(
            kind=CommandKind.SUBMIT_LIST,
            command_id=self._orders.list_id,
            digest=self.digest,
            caller=self._caller,
            account=account,
            mode=entry.mode_of(account),
            orders=tuple(facts),
        )

    def _intents(self, status: OrderStatus, reason: Reason | None = None) -> list[tuple[Order, str]]:
        orders = [self._desk.intent(one, self._caller, status) for one in self._checked.orders]
        return [(attrs.evolve(one, reason=reason), digest) for one, digest in zip(orders, self._digests, strict=True)]

    async def _wait(self, approval: Approval) -> Sequence[Order]:
        intents = self._intents(OrderStatus.INITIALIZED, waiting_reason(approval))
        claims = await self._desk.journal.claim_list(intents, "")
        if not all(fresh for _, fresh in claims):
            raise DuplicateClientOrderId(f"orders of {self._orders.list_id} were taken by another command; ask again")
        self._waiting = [known for known, _ in claims]
        return [known.order for known in self._waiting]

    async def _drop(self, reason: Reason) -> None:
        for known in self._waiting:
            await self._desk.outcomes.record(known, Conclusion(status=OrderStatus.DENIED, reason=reason))

    async def _send(self, permit: str) -> Sequence[Order]:
        desk, entry, orders = self._desk, self._desk.entry(self._entry_id), self._checked
        if self._waiting:
            claimed = await desk.journal.intend([one.seq for one in self._waiting], permit)
        else:
            claims = await desk.journal.claim_list(self._intents(OrderStatus.SUBMITTED), permit)
            claimed = [known for known, _ in claims]
        provider = entry.access.provider
        first = claimed[0].order
        reply = desk.gate.latched(first.request.account, first.owner, permit) or await send(
            entry,
            CallKind.SUBMIT,
            "submit_order_list",
            lambda: provider.submit_order_list(orders),
            superseded=lambda: self._superseded(claimed, permit),
        )
        return await self._conclude(entry, claimed, reply)

    async def _superseded(self, claimed: Sequence[Known], permit: str) -> bool:
        return any([await self._desk.placing.superseded(one, permit) for one in claimed])

    async def _conclude(self, entry: Entry, claimed: Sequence[Known], reply: Reply) -> Sequence[Order]:
        answers = {}
        if reply.proof is Proof.ANSWERED and isinstance(reply.value, (list, tuple)):
            answers = {one.request.client_order_id: one for one in reply.value if isinstance(one, Order)}
        results = []
        for known in claimed:
            own = reply
            if reply.proof is Proof.ANSWERED:
                answer = answers.get(known.order.request.client_order_id)
                own = checked(attrs.evolve(reply, value=answer), known.order.request)
            results.append(await self._desk.outcomes.conclude(known, own, quiet=True))
        if reply.proof is Proof.NOTHING_SENT and reply.error is not None:
            raise reply.error
        return results


def _member_digest(orders: OrderList, request: OrderRequest) -> str:
    content = {"list": orders.list_id, "contingency": orders.contingency, "order": order_digest(request)}
    return content_digest("order_of_list", content)
