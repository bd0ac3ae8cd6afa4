"""The desk: the one way to a broker's trading methods.

An order is checked, its id and intent are made durable in one commit, it is sent once, and what came of it is written
down: ``unknown`` where nothing is proven. Whoever asked may be gone by then; send and outcome belong to the desk.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any
from typing import Final
from typing import Self

import anyio
import anyio.to_thread

from gatehook.audit import AuditLog
from gatehook.audit import kinds
from gatehook.config.trading import TradingSection
from gatehook.context import Clock
from gatehook.diagnostics.codes.guard import HALT_NOT_WRITTEN
from gatehook.diagnostics.codes.orders import OVERFILLED
from gatehook.diagnostics.records import Diagnostic
from gatehook.events import EventBus
from gatehook.guard.approvals import Approval
from gatehook.guard.facts import OrderFacts
from gatehook.guard.guard import Guard
from gatehook.guard.halt import HaltRecord
from gatehook.kinds.accounts import AccountState
from gatehook.kinds.accounts import Mode
from gatehook.kinds.accounts import PositionReport
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.provider import Health
from gatehook.kinds.provider import HealthStatus
from gatehook.orders.access import BrokerAccess
from gatehook.orders.by_hand import ByHand
from gatehook.orders.canceling import Canceling
from gatehook.orders.changing import Changing
from gatehook.orders.closing import Closing
from gatehook.orders.entry import Entry
from gatehook.orders.flights import Flights
from gatehook.orders.gate import Gate
from gatehook.orders.intake import watch
from gatehook.orders.journal import Journal
from gatehook.orders.listing import Listing
from gatehook.orders.outcomes import Outcomes
from gatehook.orders.placing import Placing
from gatehook.orders.reading import UNBOUNDED
from gatehook.orders.real_accounts import RealAccounts
from gatehook.orders.reconciliation import Reconciliations
from gatehook.orders.records import Change

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
        guard: Guard,
        audit: AuditLog,
        trading: TradingSection,
        report: Callable[[Diagnostic], None],
    ) -> None:
        """Make a desk that judges with ``guard``, writes to ``audit`` and ``journal``, then publishes on ``bus``, and
        reports problems to ``report``.
        """
        self.journal = journal
        self.clock = clock
        self.mode = mode
        self.guard = guard
        self.audit = audit
        self.trading = trading
        self.report = report
        self._bus = bus
        self.real_accounts = RealAccounts(report)
        self._entries: dict[str, Entry] = {}
        self.flights = Flights()
        self._doubtful: dict[str, Order] = {}
        self._overfilled: set[str] = set()
        self._alarms: list[tuple[AccountKey, str]] = []
        self._alarmed = anyio.Event()
        self.outcomes = Outcomes(journal)
        self._stack = AsyncExitStack()
        self._tasks = anyio.create_task_group()
        self.reconciliations = Reconciliations(self)
        self.gate = Gate(self)
        self.placing = Placing(self)
        self.listing = Listing(self)
        self.closing = Closing(self)
        self.canceling = Canceling(self)
        self.changing = Changing(self)
        self.by_hand = ByHand(self)

    # --- life

    async def __aenter__(self) -> Self:
        self.journal.audit_with(self.audit)
        self.journal.listen(self._publish)
        for diagnostic in self.journal.diagnostics:
            self.report(diagnostic)
        await self._recover()
        # Last, and with nothing to wait for behind it: a start that is cancelled must not leave the group open.
        await self._stack.__aenter__()
        tasks = await self._stack.enter_async_context(self._tasks)
        self.flights.open(tasks)
        tasks.start_soon(self.gate.run_expiry, name="expiry of approvals")
        tasks.start_soon(self._keep_alarms, name="halts after an alarm")
        return self

    async def _recover(self) -> None:
        """What the last process was sending when it ended is ``unknown`` now."""
        with suppress(
            StorageUnavailable
        ):  # on a full disk they stay ``submitted`` there, and are looked up all the same
            await self.journal.recover()
        for known in await self.journal.unresolved():
            self._doubtful[known.order.request.client_order_id] = known.order
        self.guard.exposure.load(await self.journal.orders(open_only=True, limit=UNBOUNDED))

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        self.flights.close()
        with anyio.CancelScope(shield=True):
            await self.gate.withdraw_all()
        for entry_id in list(self._entries):
            await self.detach(entry_id)
        self._tasks.cancel_scope.cancel()  # what is left asks or waits: sends have been concluded
        return await self._stack.__aexit__(exc_type, exc, traceback)

    async def attach(self, access: BrokerAccess) -> None:
        """Take a new generation of an entry; an earlier one is detached first."""
        await self.detach(access.entry_id)
        self._entries[access.entry_id] = Entry(access, self.real_accounts)

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
        if self.outcomes.unsaved:
            reasons.append(f"{self.outcomes.unsaved} outcomes could not be written to the journal yet")
        reasons += self.reconciliations.reasons(entry_id)
        return Health(status=HealthStatus.DEGRADED if reasons else HealthStatus.OK, reasons=tuple(reasons))

    def _publish(self, change: Change) -> None:
        match change.payload:
            case Order() as order:
                self.guard.exposure.apply_order(order)
                self._watch_doubt(order)
            case Fill() as fill:
                self.guard.exposure.apply_fill(fill)
            case PositionReport() as positions:
                self.guard.exposure.apply_positions(positions)
            case AccountState() as state:
                self.guard.exposure.apply_state(state)
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
        if order.filled > order.request.quantity and key not in self._overfilled:
            account = order.request.account
            self._overfilled.add(key)
            reason = f"order {key} has filled more than was ordered"
            self.guard.halt.latch(f"account:{account}", reason=reason, by="gateway")
            self._alarms.append((account, reason))
            self._alarmed.set()
            self.report(
                OVERFILLED(
                    entry=account.entry_id,
                    order=key,
                    quantity=order.request.quantity,
                    filled=order.filled,
                    account=account,
                )
            )

    # --- what commands are judged by

    async def facts_of(self, entry: Entry, order: tuple[OrderRequest, Instrument], rich: bool) -> OrderFacts:
        """Return the facts of an order: with its quote and worth, or without what nothing asks for."""
        request, instrument = order
        if not rich:
            return OrderFacts(request=request, instrument=instrument)
        return await self.guard.valuer.facts_of(request, instrument, entry.entry_id)

    async def note_equity(self, account: AccountKey) -> None:
        """Let the limit of a day's loss see an account's money as it is now.

        Raises:
            NotConnected, ProviderError: when the account cannot be asked.
        """
        state = await self.entry(account.entry_id).account_state(account)
        self.guard.exposure.apply_state(state)
        await self.guard.days.note(state)

    # --- what people say

    async def approve(self, approval_id: str, *, person: str, digest: str | None = None) -> Any:
        """Send what a person approves, if everything still allows it; ``digest`` is of what the person was shown.

        Returns:
            What the command comes to: an order, a list of them, or a report of positions.

        Raises:
            ApprovalError: the approval cannot be answered so; nothing changed.
            Denied: what stands against it by now; nothing was sent.
        """
        return await self.gate.approve(approval_id, person, digest)

    async def reject(self, approval_id: str, *, person: str) -> Approval:
        """Take a person's no; nothing is sent.

        Raises:
            ApprovalError: the approval cannot be answered any more; nothing changed.
        """
        return await self.gate.reject(approval_id, person)

    async def halt(self, scope: str, *, reason: str, by: str) -> tuple[HaltRecord, ...]:
        """Halt a scope at once; return everything that is halted. A full disk does not prevent it.

        Raises:
            GatehookError: the scope is none; nothing is halted.
        """
        problem = await anyio.to_thread.run_sync(lambda: self.guard.halt.halt(scope, reason=reason, by=by))
        if problem is not None:
            self.report(HALT_NOT_WRITTEN(problem=problem))
        with suppress(StorageUnavailable):  # it is halted all the same
            await self.audit.record(kinds.HALTED, actor=by, scope=scope, reason=reason)
        return self.guard.halt.records

    async def resume(self, scope: str, *, reason: str, by: str) -> tuple[HaltRecord, ...]:
        """Lift the halt of exactly this scope; return what is still halted.

        Raises:
            GatehookError: it cannot be lifted; nothing changed.
            StorageUnavailable: the audit cannot be written; nothing changed.
        """
        await self.audit.record(kinds.RESUMED, actor=by, scope=scope, reason=reason)
        await anyio.to_thread.run_sync(lambda: self.guard.halt.resume(scope, by=by))
        return self.guard.halt.records

    async def _keep_alarms(self) -> None:
        """Make the halts last that were latched where nothing can be awaited."""
        while True:
            await self._alarmed.wait()
            self._alarmed = anyio.Event()
            alarms, self._alarms = self._alarms, []
            for account, reason in alarms:
                await self.halt(f"account:{account}", reason=reason, by="gateway")

    # --- commands under way

    def intent(self, request: OrderRequest, caller: str, status: OrderStatus = OrderStatus.SUBMITTED) -> Order:
        """Make the order that is claimed."""
        now = self.clock.now()
        return Order.of(request, status, owner=caller, ts_submitted=now, ts_last=now)

    def is_sending(self, client_order_id: str) -> bool:
        """Say whether a command with this id is under way: its own reply comes first."""
        return self.flights.has(client_order_id)
