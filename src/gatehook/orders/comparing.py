"""One account's positions against what follows from the journal."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING
from typing import Final

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

_ZERO: Final = Decimal(0)


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
        ledger = self._ledger = self._ledger or Ledger(horizon.floor, await desk.journal.adjustments(self._account))
        await self._count(ledger)
        steps = [ledger.expected(hedging=hedging)]
        report = await read_positions(desk, entry, self._account)
        horizon, is_complete = await read_fills(desk, entry, self._account, horizon)
        if not (report.complete and is_complete):
            return "a report of the venue is not complete"
        await self._count(ledger, lambda: steps.append(ledger.expected(hedging=hedging)))
        found = ledger.reported(report, hedging=hedging)
        return await (self._begin if is_new else self._settle)(horizon, found, steps)

    async def _begin(self, horizon: Horizon, found: Quantities, steps: Sequence[Quantities]) -> str | None:
        """Adopt what is there, in silence, once nothing trades while it is read."""
        expected = steps[-1]
        if len(steps) > 1:
            return "it trades while its positions are read for the first time"
        keys = differences(expected, found)
        await self._keep(horizon, [self._adjustment(key, found, expected, AdjustmentState.BASELINE) for key in keys])
        return None

    async def _settle(self, horizon: Horizon, found: Quantities, steps: Sequence[Quantities]) -> str | None:
        """Adopt the differences that were seen before. ``steps`` are what was expected before the positions were read
        and after each fill since: the report is of one of these moments.
        """
        expected = steps[-1]
        unexplained = {
            key: difference
            for key, difference in differences(expected, found).items()
            if all(step.get(key, _ZERO) != found.get(key, _ZERO) for step in steps)
        }
        still = {key: one for key, one in unexplained.items() if len({step.get(key, _ZERO) for step in steps}) == 1}
        confirmed = [key for key, difference in still.items() if self._suspects.get(key) == difference]
        self._suspects = {key: difference for key, difference in still.items() if key not in confirmed}
        await self._keep(horizon, [self._adjustment(key, found, expected, AdjustmentState.OPEN) for key in confirmed])
        if len(unexplained) > len(confirmed):
            return "positions that do not follow from the fills are read once more"
        return None

    def _adjustment(
        self, key: PositionKey, found: Quantities, expected: Quantities, state: AdjustmentState
    ) -> Adjustment:
        return Adjustment(
            account=self._account,
            instrument_id=key.instrument_id,
            position_id=key.position_id,
            expected=expected.get(key, _ZERO),
            reported=found.get(key, _ZERO),
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

    async def _count(self, ledger: Ledger, then: Callable[[], object] = lambda: None) -> None:
        """Count the fills that are journaled by now; call ``then`` after each of them."""
        while fills := await self._desk.journal.fills(accounts=[self._account], after=ledger.after):
            for seq, fill in fills:
                ledger.count(seq, fill)
                then()


def _has_no_positions(state: AccountState) -> bool:
    return state.account_type is AccountType.CASH or state.position_mode is PositionMode.NONE
