"""What positions follow from the journal: the signed sum of an account's fills, and the adjustments."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from decimal import Decimal

import attrs

from gatehook.kinds.accounts import PositionReport
from gatehook.kinds.amounts import LEDGER
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Side
from gatehook.kinds.times import Ns
from gatehook.orders.adjustments import Adjustment

_ZERO = Decimal(0)


@attrs.frozen
class PositionKey:
    """What is compared: an instrument's position, or one of several of a hedging account."""

    instrument_id: InstrumentId
    position_id: str | None
    unit: QuantityUnit


#: Signed quantities; a key that is not there is flat.
Quantities = Mapping[PositionKey, Decimal]


class Ledger:
    """The sums of one account, kept up to date fill by fill."""

    def __init__(self, floor: Ns, adjustments: Iterable[Adjustment]) -> None:
        """Count adjustments, and later the fills from venue time ``floor`` on."""
        self._floor = floor
        self._sums: dict[PositionKey, Decimal] = {}
        #: The journal's position of the last fill that was looked at.
        self.after = 0
        self.adjust(adjustments)

    def count(self, seq: int, fill: Fill) -> None:
        """Count the fill at the next position in the journal."""
        self.after = seq
        if fill.ts_event >= self._floor:
            key = PositionKey(fill.instrument_id, fill.position_id, fill.quantity_unit)
            self._add(key, _signed(fill.side, fill.quantity))

    def adjust(self, adjustments: Iterable[Adjustment]) -> None:
        """Count adjustments."""
        for one in adjustments:
            self._add(PositionKey(one.instrument_id, one.position_id, one.unit), one.difference)

    def _add(self, key: PositionKey, quantity: Decimal) -> None:
        self._sums[key] = LEDGER.add(self._sums.get(key, _ZERO), quantity)

    def expected(self, *, hedging: bool) -> Quantities:
        """Return the positions that follow, each by itself only where everything counted names its position."""
        return self._merged(self._sums.items(), hedging=hedging)

    def reported(self, report: PositionReport, *, hedging: bool) -> Quantities:
        """Return a venue's positions by the same keys."""
        found = (
            (PositionKey(one.instrument_id, one.position_id, one.quantity_unit), _signed(one.side, one.quantity))
            for one in report.positions
        )
        return self._merged(found, hedging=hedging)

    def _merged(self, sums: Iterable[tuple[PositionKey, Decimal]], *, hedging: bool) -> Quantities:
        together = {key.instrument_id for key in self._sums if key.position_id is None}
        merged: dict[PositionKey, Decimal] = {}
        for key, quantity in sums:
            apart = hedging and key.instrument_id not in together
            target = key if apart else attrs.evolve(key, position_id=None)
            merged[target] = LEDGER.add(merged.get(target, _ZERO), quantity)
        return {key: quantity for key, quantity in merged.items() if quantity}


def differences(expected: Quantities, reported: Quantities) -> Quantities:
    """Return what is reported beyond what is expected, where that is not nothing."""
    keys = dict.fromkeys((*expected, *reported))
    found = {key: LEDGER.subtract(reported.get(key, _ZERO), expected.get(key, _ZERO)) for key in keys}
    return {key: difference for key, difference in found.items() if difference}


def _signed(side: Side, quantity: Decimal) -> Decimal:
    return quantity if side is Side.BUY else quantity.copy_negate()
