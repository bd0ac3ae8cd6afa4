"""Whether the journal and the venues agree, account by account. Where that is not proven, new risk is refused."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

import anyio
import attrs

from gatehook.diagnostics.codes.orders import RECONCILIATION_FAILED
from gatehook.kinds.errors import NotReconciled
from gatehook.kinds.errors import RateLimited
from gatehook.kinds.errors import Throttled
from gatehook.kinds.errors import UnresolvedOutstanding
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.times import Ns
from gatehook.orders.adjustments import Adjustment
from gatehook.orders.applying import named
from gatehook.orders.comparing import Comparison
from gatehook.orders.entry import Entry
from gatehook.orders.rounds import Rounds
from gatehook.orders.snapshot import Snapshot
from gatehook.orders.snapshot import take

if TYPE_CHECKING:
    from gatehook.orders.desk import Desk

#: An order whose outcome is unknown for longer, in seconds, closes its account for new risk.
UNKNOWN_FOR: Final = 60.0


@attrs.frozen(kw_only=True)
class ReconciliationState:
    """How far an account is. ``completed_at`` is the wall time of the last complete reconciliation of this generation
    of the entry; ``problem`` says why the last one failed, ``lacking`` that a report was not complete yet.
    """

    account: AccountKey
    completed_at: Ns | None = None
    running: bool = False
    problem: str | None = None
    lacking: str | None = None
    unacknowledged: tuple[Adjustment, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether something is left to do before the journal and the venue agree."""
        return (
            self.completed_at is None
            or self.problem is not None
            or self.lacking is not None
            or bool(self.unacknowledged)
        )


class Reconciliations:
    """The state of every account, and the runs that change it."""

    def __init__(self, desk: Desk) -> None:
        """Serve a desk."""
        self._desk = desk
        self._entries: dict[str, Entry] = {}
        self._rounds: dict[str, Rounds] = {}
        self._states: dict[AccountKey, ReconciliationState] = {}
        self._comparisons: dict[AccountKey, Comparison] = {}
        self._unlisted: dict[str, str] = {}
        self._changed = anyio.Event()
        self._unknown_since: dict[str, float] = {}

    # --- what it means for trading

    def check(self, account: AccountKey) -> None:
        """Refuse new risk on an account that is not known to be as the journal says.

        Raises:
            NotReconciled: before the first complete reconciliation since the entry started.
            UnresolvedOutstanding: while the last one failed, a position that did not follow from the fills is not
                acknowledged, or an order has been unknown for more than 60 seconds.
        """
        state = self.state(account)
        if state is None or state.completed_at is None:
            raise NotReconciled(
                f"account {account} was not compared with its venue yet; only what reduces risk is sent until then"
            )
        if state.problem is not None:
            raise UnresolvedOutstanding(f"the reconciliation of account {account} failed: {state.problem}")
        if state.unacknowledged:
            one = state.unacknowledged[0]
            raise UnresolvedOutstanding(
                f"account {account} had {one.reported} of {one.instrument_id} where {one.expected} were expected;"
                " acknowledge it first"
            )
        for client_order_id in self.long_unknown(account):
            raise UnresolvedOutstanding(
                f"it has not been known for {UNKNOWN_FOR:.0f} seconds what became of order {client_order_id}"
            )

    def state(self, account: AccountKey) -> ReconciliationState | None:
        """Return how far an account is; ``None``: the running generation of its entry did not get to it yet."""
        return self._states.get(account) if self._is_running(account.entry_id) else None

    def reasons(self, entry_id: str | None = None) -> tuple[str, ...]:
        """Say in short sentences what is left to do, of one entry or of all; nothing where all is reconciled."""
        states = [state for state in self._open_states() if entry_id in (None, state.account.entry_id)]
        listed = {account.entry_id for account in self._states}
        new = [
            f"the accounts of {one} are not listed yet"
            for one in self._entries
            if entry_id in (None, one) and one not in listed and self._is_running(one)
        ]
        return (*new, *(f"account {state.account}: {_why_open(state)}" for state in states))

    def _open_states(self) -> list[ReconciliationState]:
        """The accounts that wait for something; of an entry that does not run, only those that wait for a person."""
        return [
            state
            for state in self._states.values()
            if state.is_open and (state.unacknowledged or self._is_running(state.account.entry_id))
        ]

    def _is_running(self, entry_id: str) -> bool:
        entry = self._entries.get(entry_id)
        return entry is not None and self._desk.find_entry(entry_id) is entry

    async def wait_for_first(self, account: AccountKey, timeout: float) -> None:
        """Wait while the first reconciliation of an account is under way, for ``timeout`` seconds at most."""
        if not self._is_first_under_way(account):
            return
        with anyio.move_on_after(timeout):
            while self._is_first_under_way(account):
                await self._changed.wait()

    def _is_first_under_way(self, account: AccountKey) -> bool:
        if self._desk.find_entry(account.entry_id) is None or account.entry_id in self._unlisted:
            return False
        state = self.state(account)
        return state is None or (state.completed_at is None and state.problem is None and state.lacking is None)

    # --- orders that stay unknown

    def note_doubts(self) -> None:
        """Remember since when each order is unknown, on the clock that never jumps."""
        now = self._desk.clock.monotonic()
        unknown = [
            order.request.client_order_id
            for order in self._desk.unknown_orders()
            if order.status not in (OrderStatus.PENDING_CANCEL, OrderStatus.PENDING_UPDATE)
        ]
        self._unknown_since = {one: self._unknown_since.get(one, now) for one in unknown}

    def long_unknown(self, account: AccountKey) -> list[str]:
        """Return the client order ids of an account's orders that have been unknown for more than 60 seconds."""
        self.note_doubts()
        now = self._desk.clock.monotonic()
        return [
            order.request.client_order_id
            for order in self._desk.unknown_orders(account.entry_id)
            if order.request.account == account
            and now - self._unknown_since.get(order.request.client_order_id, now) > UNKNOWN_FOR
        ]

    # --- runs

    def begin(self, entry: Entry) -> Rounds:
        """Take a new generation of an entry: nothing of it is reconciled."""
        self._entries[entry.entry_id] = entry
        self._unlisted.pop(entry.entry_id, None)
        for account in [one for one in self._states if one.entry_id == entry.entry_id]:
            del self._states[account]
        rounds = self._rounds[entry.entry_id] = Rounds(self, entry)
        return rounds

    async def now(self, entry_id: str) -> None:
        """Reconcile all accounts of an entry now.

        Raises:
            NotConnected: when it is not running.
        """
        entry = self._desk.entry(entry_id)
        rounds = self._rounds[entry_id] if self._entries.get(entry_id) is entry else self.begin(entry)
        await rounds.once()

    def reconnected(self, entry_id: str) -> None:
        """Compare all accounts of an entry again soon: its connection was lost, and is back."""
        if entry_id in self._rounds:
            self._rounds[entry_id].ask()

    async def reload(self, account: AccountKey) -> None:
        """Read again which adjustments of an account a person has to take note of."""
        state = self._states.get(account)
        if state is not None:
            waiting = await self._desk.journal.open_adjustments(account)
            self._states[account] = attrs.evolve(self._states[account], unacknowledged=waiting)

    def listed(self, entry: Entry, accounts: Sequence[AccountKey]) -> Sequence[AccountKey]:
        """Take the accounts that an entry has now; those that are gone are not waited for."""
        self._unlisted.pop(entry.entry_id, None)
        for gone in [one for one in self._states if one.entry_id == entry.entry_id and one not in accounts]:
            del self._states[gone]
        for account in accounts:
            self._states.setdefault(account, ReconciliationState(account=account))
        return accounts

    def unlisted(self, entry: Entry, problem: str) -> None:
        """The accounts of an entry could not be listed: that fails the reconciliation of all that are known."""
        if self._unlisted.get(entry.entry_id) != problem and not entry.stopped:
            self._unlisted[entry.entry_id] = problem
            self._desk.report(RECONCILIATION_FAILED(entry=entry.entry_id, what=entry.entry_id, problem=problem))
        for account, state in self._states.items():
            if account.entry_id == entry.entry_id:
                self._states[account] = attrs.evolve(state, problem=problem)
        self._wake()

    async def snapshot(self, entry: Entry, account: AccountKey) -> Snapshot | None:
        """Read an account's money, orders and fills; ``None``: it failed, which is reported."""
        self._set(account, running=True)
        try:
            return await take(self._desk, entry, account)
        except Exception as error:  # noqa: BLE001  whatever an answer causes: the account is closed, and says why
            self._failed(entry, account, error)
            return None
        finally:
            self._set(account, running=False)

    async def compare(self, entry: Entry, account: AccountKey, snapshot: Snapshot) -> bool:
        """Compare an account's positions, and say whether its reconciliation is complete with that."""
        if not snapshot.complete:
            self._set(account, lacking="a report of the venue is not complete")
            return False
        comparison = self._comparisons.setdefault(account, Comparison(self._desk, account))
        self._set(account, running=True)
        try:
            lacking = await comparison.run(entry, snapshot)
            waiting = await self._desk.journal.open_adjustments(account)
            if lacking is None and await self._desk.journal.has_unknown_commands(account):
                await self._desk.journal.supersede(account, snapshot.started)
        except Exception as error:  # noqa: BLE001  see ``snapshot``
            self._comparisons.pop(account, None)  # what it had counted may be half of it
            self._failed(entry, account, error)
            return False
        except BaseException:  # cancelled: likewise
            self._comparisons.pop(account, None)
            raise
        finally:
            self._set(account, running=False)
        if lacking is not None:
            self._set(account, lacking=lacking, unacknowledged=waiting)
            return False
        now = self._desk.clock.wall()
        self._set(account, completed_at=now, problem=None, lacking=None, unacknowledged=waiting)
        return True

    def _set(self, account: AccountKey, **changes: Any) -> None:
        state = self._states.get(account)
        if state is not None:
            self._states[account] = attrs.evolve(state, **changes)
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    def _failed(self, entry: Entry, account: AccountKey, error: Exception) -> None:
        problem, state = named(error), self._states.get(account)
        if isinstance(error, (RateLimited, Throttled)) and state is not None and state.completed_at is not None:
            self._set(account, lacking=problem)  # asked to wait: nothing speaks against what was known
            return
        if state is not None and state.problem != problem and not entry.stopped:
            self._desk.report(RECONCILIATION_FAILED(entry=entry.entry_id, what=account, problem=problem))
        self._set(account, problem=problem)


def _why_open(state: ReconciliationState) -> str:
    if state.problem is not None:
        return f"its reconciliation failed: {state.problem}"
    if state.lacking is not None:
        return f"synchronizing: {state.lacking}"
    if state.completed_at is None:
        return "synchronizing"
    return f"{_names(one.instrument_id for one in state.unacknowledged)} adjusted and not acknowledged"


def _names(values: Iterable[object]) -> str:
    return ", ".join(dict.fromkeys(map(str, values)))
