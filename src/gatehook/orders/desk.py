"""The desk: the one way to a broker's trading methods.

An order is checked, its id and intent are made durable in one commit, it is sent once, and what came of it is written
down: ``unknown`` where nothing is proven. Whoever asked may be gone by then; send and outcome belong to the desk.
"""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from contextlib import AsyncExitStack
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final
from typing import Self

import anyio

from gatehook.context import Clock
from gatehook.diagnostics.codes.orders import OVERFILLED
from gatehook.diagnostics.records import Diagnostic
from gatehook.events import EventBus
from gatehook.kinds.accounts import Mode
from gatehook.kinds.checks import check_shape
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import Reason
from gatehook.kinds.provider import Health
from gatehook.kinds.provider import HealthStatus
from gatehook.orders.access import BrokerAccess
from gatehook.orders.access import CallKind
from gatehook.orders.by_hand import ByHand
from gatehook.orders.claims import check_types
from gatehook.orders.claims import checked
from gatehook.orders.claims import same
from gatehook.orders.closing import Closing
from gatehook.orders.commands import Commands
from gatehook.orders.digest import order_digest
from gatehook.orders.digest import with_defaults
from gatehook.orders.entry import Entry
from gatehook.orders.flights import Flights
from gatehook.orders.intake import watch
from gatehook.orders.journal import Journal
from gatehook.orders.machine import with_report
from gatehook.orders.machine import with_status
from gatehook.orders.reconciliation import Reconciliations
from gatehook.orders.records import Change
from gatehook.orders.records import Conclusion
from gatehook.orders.records import Known
from gatehook.orders.sending import Proof
from gatehook.orders.sending import Reply
from gatehook.orders.sending import send

#: Seconds that sends under way get to end by themselves when their entry stops.
GRACE: Final = 3.0


class Desk:
    """Takes every trading command of the gateway. An async context manager: its block owns the sends."""

    def __init__(
        self,
        journal: Journal,
        bus: EventBus,
        clock: Clock,
        mode: Mode = Mode.PAPER,
        *,
        report: Callable[[Diagnostic], None],
    ) -> None:
        """Make a desk that writes to ``journal``, then publishes on ``bus``, and reports problems to ``report``."""
        self.journal = journal
        self.clock = clock
        self.mode = mode
        self.report = report
        self._bus = bus
        self._entries: dict[str, Entry] = {}
        self._flights = Flights()
        self._doubtful: dict[str, Order] = {}
        self._unsaved: dict[int, tuple[Known, Conclusion]] = {}
        self._stack = AsyncExitStack()
        self._tasks = anyio.create_task_group()
        self.commands = Commands(self, self._flights)
        self.closing = Closing(self, self._flights)
        self.reconciliations = Reconciliations(self)
        self.by_hand = ByHand(self)

    # --- life

    async def __aenter__(self) -> Self:
        self.journal.listen(self._publish)
        for diagnostic in self.journal.diagnostics:
            self.report(diagnostic)
        await self._recover()
        # Last, and with nothing to wait for behind it: a start that is cancelled must not leave the group open.
        await self._stack.__aenter__()
        self._flights.open(await self._stack.enter_async_context(self._tasks))
        return self

    async def _recover(self) -> None:
        """What the last process was sending when it ended is ``unknown`` now."""
        with suppress(
            StorageUnavailable
        ):  # on a full disk they stay ``submitted`` there, and are looked up all the same
            await self.journal.recover()
        for known in await self.journal.unresolved():
            self._doubtful[known.order.request.client_order_id] = known.order

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        self._flights.close()
        for entry_id in list(self._entries):
            await self.detach(entry_id)
        self._tasks.cancel_scope.cancel()  # what is left asks or waits: sends have been concluded
        return await self._stack.__aexit__(exc_type, exc, traceback)

    async def attach(self, access: BrokerAccess) -> None:
        """Take a new generation of an entry; an earlier one is detached first."""
        await self.detach(access.entry_id)
        self._entries[access.entry_id] = Entry(access)

    async def detach(self, entry_id: str) -> None:
        """Take no more commands for an entry; sends under way get a moment, then they are ``unknown``."""
        entry = self._entries.pop(entry_id, None)
        if entry is not None:
            await entry.stop(GRACE)

    async def run_events(self, access: BrokerAccess) -> None:
        """Keep the journal in step with the venue until cancelled: apply its events, look up what is not known.

        What the provider's code raises beyond ``ProviderError`` is the caller's: the provider crashed.
        """
        entry = self.find_entry(access.entry_id)
        if entry is not None and entry.access is access:  # it may have been detached before this task began
            await watch(self, entry)

    def entry(self, entry_id: str) -> Entry:
        """Return a running entry.

        Raises:
            NotConnected: when it is not running.
        """
        entry = self._entries.get(entry_id)
        if entry is None:
            raise NotConnected(f"entry {entry_id} is not running; nothing was sent")
        return entry

    def access(self, entry_id: str) -> BrokerAccess:
        """Return what the host attached for an entry: the contract suites run the provider's own statements on it.

        Raises:
            NotConnected: when the entry is not running.
        """
        return self.entry(entry_id).access

    def find_entry(self, entry_id: str) -> Entry | None:
        """Return an entry if it is running."""
        return self._entries.get(entry_id)

    # --- state

    @property
    def journal_path(self) -> Path:
        """The journal's file."""
        return self.journal.path

    @property
    def durability(self) -> str:
        """What an intent survives, in SQLite's words; ``FULL``: a power cut."""
        return self.journal.durability

    def unknown_orders(self, entry_id: str | None = None) -> tuple[Order, ...]:
        """The orders whose state waits for the venue's evidence, of one entry or of all."""
        return tuple(order for order in self._doubtful.values() if entry_id in (None, order.request.account.entry_id))

    def health(self, entry_id: str | None = None) -> Health:
        """Say how the desk is: degraded while an order's state is not known, an outcome is not written down, or the
        journal and a venue are not reconciled.
        """
        reasons = []
        if unknown := self.unknown_orders(entry_id):
            reasons.append(f"{len(unknown)} orders wait for the venue's evidence")
        if self._unsaved:
            reasons.append(f"{len(self._unsaved)} outcomes could not be written to the journal yet")
        reasons += self.reconciliations.reasons(entry_id)
        return Health(status=HealthStatus.DEGRADED if reasons else HealthStatus.OK, reasons=tuple(reasons))

    def _publish(self, change: Change) -> None:
        if isinstance(change.payload, Order):
            self._watch_doubt(change.payload)
        self._bus.publish(
            change.topic,
            change.payload,
            source=change.account.entry_id,
            event_id=None if change.seq is None else f"journal:{change.seq}",
            partition_key=str(change.account),
            account_id=change.account.account_id,
            ts=change.at.market,
        )

    def _watch_doubt(self, order: Order) -> None:
        key = order.request.client_order_id
        if order.status in (OrderStatus.UNKNOWN, OrderStatus.PENDING_CANCEL, OrderStatus.PENDING_UPDATE):
            self._doubtful[key] = order
            entry = self._entries.get(order.request.account.entry_id)
            if entry is not None:
                entry.raise_doubt()
        else:
            self._doubtful.pop(key, None)
        if order.filled > order.request.quantity:
            account = order.request.account
            self.report(
                OVERFILLED(
                    entry=account.entry_id,
                    order=key,
                    quantity=order.request.quantity,
                    filled=order.filled,
                    account=account,
                )
            )

    # --- orders

    async def submit(self, entry_id: str, request: OrderRequest, caller: str) -> Order:
        """Submit an order once, whoever asks how often.

        Raises:
            Denied, NotConnected, AuthError, NotFound: nothing was sent and the id is free.
            DuplicateClientOrderId: the id was used for an order of other content; nothing was sent.
            StorageUnavailable: the intent could not be written; nothing was sent.
        """
        check_types(request)
        check_shape(request)
        request = with_defaults(request)
        digest = order_digest(request)

        async def work() -> Order:
            try:
                entry = self.entry(entry_id)
                await entry.check_order(request, self.mode)
            except Exception:
                known = await self.journal.order(request.client_order_id)
                if known is None:
                    raise
                return same(known, digest)
            return await self.place(entry, request, digest, caller, "submit_order")

        return await self._flights.run(request.client_order_id, digest, work)

    async def place(
        self,
        entry: Entry,
        request: OrderRequest,
        digest: str,
        caller: str,
        what: str,
        function: Callable[[], Awaitable[Order]] | None = None,
    ) -> Order:
        """Claim, send by ``function`` (by default ``submit_order``) once the intent is durable, and conclude."""
        known, fresh = await self.journal.claim(self.intent(request, caller), digest)
        if not fresh:
            return same(known, digest)
        provider = entry.access.provider
        kind = CallKind.SUBMIT if function is None else CallKind.REDUCE
        reply = await send(entry, kind, what, function or (lambda: provider.submit_order(request)))
        return await self.conclude(known, checked(reply, request))

    def intent(self, request: OrderRequest, caller: str) -> Order:
        """Make the order that is claimed."""
        now = self.clock.now()
        return Order.of(request, OrderStatus.SUBMITTED, owner=caller, ts_submitted=now, ts_last=now)

    async def conclude(self, known: Known, reply: Reply, *, quiet: bool = False) -> Order:
        """Write what came of a send, and return the order; raise the error where nothing was sent, unless ``quiet``."""
        conclusion = {
            Proof.ANSWERED: Conclusion(report=reply.value),
            Proof.NOTHING_SENT: Conclusion(status=OrderStatus.DENIED, reason=reply.reason),
            Proof.REFUSED: Conclusion(status=OrderStatus.REJECTED, reason=reply.reason),
            Proof.NOTHING: Conclusion(status=OrderStatus.UNKNOWN, reason=reply.reason),
        }[reply.proof]
        order = await self.record(known, conclusion)
        if order.status is OrderStatus.DENIED and reply.error is not None and not quiet:
            raise reply.error
        return order

    async def record(self, known: Known, conclusion: Conclusion) -> Order:
        """Write a conclusion, now or as soon as the disk takes it, and return the order after it."""
        try:
            with anyio.CancelScope(shield=True):
                return (await self.journal.conclude(known.seq, conclusion)).order
        except StorageUnavailable:
            # The order is at the venue whatever the disk does: say what is true, and write it down when there is room.
            self._unsaved[known.seq] = (known, conclusion)
        except (ValueError, TypeError, ArithmeticError) as error:
            if conclusion.report is None:
                raise
            reason = Reason(code="ambiguous", message=f"the provider's answer cannot be used: {error}")
            return await self.record(known, Conclusion(status=OrderStatus.UNKNOWN, reason=reason))
        if conclusion.report is not None:
            return with_report(known.order, conclusion.report, known.traded)
        assert conclusion.status is not None
        return with_status(known.order, conclusion.status, conclusion.reason, known.traded)

    @property
    def has_unsaved(self) -> bool:
        """Whether an outcome waits for the disk."""
        return bool(self._unsaved)

    def is_sending(self, client_order_id: str) -> bool:
        """Say whether a command with this id is under way: its own reply comes first."""
        return self._flights.has(client_order_id)

    async def save_unsaved(self) -> None:
        """Write the outcomes that the disk had no room for.

        Raises:
            StorageUnavailable: when it still has none.
        """
        for seq, (_, conclusion) in list(self._unsaved.items()):
            await self.journal.conclude(seq, conclusion)
            self._unsaved.pop(seq, None)
