"""One account's positions against what follows from the journal."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from gatehook.audit import kinds
from gatehook.diagnostics.codes.orders import POSITION_ADJUSTED
from gatehook.kinds.accounts import AccountState
from gatehook.kinds.accounts import AccountType
from gatehook.kinds.accounts import PositionMode
from gatehook.kinds.amounts import plain
from gatehook.kinds.instruments import AccountKey
from gatehook.orders.adjustments import Adjustment
from gatehook.orders.adjustments import AdjustmentState
from gatehook.orders.adjustments import Horizon
from gatehook.orders.entry import Entry
from gatehook.orders.positions import Ledger
from gatehook.orders.positions import PositionKey
from gatehook.orders.positions import Quantities
from gatehook.orders.positions import differences
from gatehook.orders.snapshot import Snapshot
from gatehook.orders.snapshot import read_fills
from gatehook.orders.snapshot import read_positions

if TYPE_CHECKING:
    from gatehook.orders.desk import Desk


class Comparison:
    """What is remembered of an account between two runs: its sums, and the differences that were seen once."""

    def __init__(self, desk: Desk, account: AccountKey) -> None:
        self._desk = desk
        self._account = account
        self._ledger: Ledger | None = None
        self._suspects: Quantities = {}

    async def run(self, entry: Entry, snapshot: Snapshot) -> str | None:
        """Compare, behind the snapshot's fills. Return what is not complete yet, or ``None``.

        A difference counts when two snapshots in a row show the same: it is adopted then, and a person must take note
        of it. The first complete comparison of an account adopts what is there in silence.

        Raises:
            ProviderError: when the venue cannot be asked, or the journal cannot be written.
        """
        desk, horizon = self._desk, snapshot.horizon
        if _has_no_positions(snapshot.state):
            await self._keep(horizon, ())
            return None
        is_new = await desk.journal.horizon(self._account) is None
        if is_new:  # an earlier try counted from another time on
            self._ledger = None
        hedging = snapshot.state.position_mode is PositionMode.HEDGING
        ledger = await self._counted(horizon)
        before = ledger.expected(hedging=hedging)
        report = await read_positions(desk, entry, self._account)
        horizon, is_complete = await read_fills(desk, entry, self._account, horizon)
        if not (report.complete and is_complete):
            return "a report of the venue is not complete"
        ledger = await self._counted(horizon)
        after = ledger.expected(hedging=hedging)
        found = ledger.reported(report, hedging=hedging)
        if is_new:
            return await self._begin(horizon, found, before, after)
        return await self._settle(horizon, found, before, after)

    async def _begin(self, horizon: Horizon, found: Quantities, before: Quantities, after: Quantities) -> str | None:
        """Adopt what is there, in silence, once nothing trades while it is read."""
        if before != after:
            return "it trades while its positions are read for the first time"
        keys = differences(after, found)
        await self._keep(horizon, [self._adjustment(key, found, after, AdjustmentState.BASELINE) for key in keys])
        return None

    async def _settle(self, horizon: Horizon, found: Quantities, before: Quantities, after: Quantities) -> str | None:
        early, late = differences(before, found), differences(after, found)
        suspects = {key: difference for key, difference in late.items() if key in early}
        confirmed = [key for key, difference in suspects.items() if self._suspects.get(key) == difference]
        self._suspects = {key: difference for key, difference in suspects.items() if key not in confirmed}
        await self._keep(horizon, [self._adjustment(key, found, after, AdjustmentState.OPEN) for key in confirmed])
        if self._suspects:
            return "positions that do not follow from the fills are read once more"
        return None

    def _adjustment(
        self, key: PositionKey, found: Quantities, expected: Quantities, state: AdjustmentState
    ) -> Adjustment:
        return Adjustment(
            account=self._account,
            instrument_id=key.instrument_id,
            position_id=key.position_id,
            expected=expected.get(key, Decimal(0)),
            reported=found.get(key, Decimal(0)),
            unit=key.unit,
            state=state,
        )

    async def _keep(self, horizon: Horizon, adjustments: Sequence[Adjustment]) -> None:
        if not adjustments and await self._desk.journal.horizon(self._account) == horizon:
            return
        for one in adjustments:
            if one.state is AdjustmentState.OPEN:
                await self._audit(one)
        kept = await self._desk.journal.adjust(self._account, adjustments, horizon)
        if self._ledger is not None:
            self._ledger.adjust(kept)
        for one in kept:
            if one.state is AdjustmentState.OPEN:
                self._desk.report(
                    POSITION_ADJUSTED(
                        entry=self._account.entry_id,
                        account=self._account,
                        instrument=one.instrument_id,
                        position="" if one.position_id is None else f" (position {one.position_id})",
                        expected=plain(one.expected),
                        reported=plain(one.reported),
                        unit=one.unit,
                    )
                )

    async def _audit(self, one: Adjustment) -> None:
        await self._desk.audit.record(
            kinds.POSITION_ADJUSTED,
            actor="gateway",
            account=str(self._account),
            instrument=str(one.instrument_id),
            position=one.position_id,
            expected=plain(one.expected),
            reported=plain(one.reported),
            unit=one.unit.value,
        )

    async def _counted(self, horizon: Horizon) -> Ledger:
        """Return the sums with every fill that is journaled by now."""
        journal, account = self._desk.journal, self._account
        if self._ledger is None:
            self._ledger = Ledger(horizon.floor)
            self._ledger.adjust(await journal.adjustments(account))
        while fills := await journal.fills(accounts=[account], after=self._ledger.after):
            self._ledger.count(fills)
        return self._ledger


def _has_no_positions(state: AccountState) -> bool:
    return state.account_type is AccountType.CASH or state.position_mode is PositionMode.NONE
